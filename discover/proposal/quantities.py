"""The quantities of scaling laws by the names that people give to their columns.

Names are the start only: what a column is taken for also depends on its values (`discover.proposal.features`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from discover.dataset_card import FeatureKind
from discover.proposal.columns import Column, vocabulary

_NO_QUANTITY = vocabulary(
    "warmup decay cooldown anneal annealing per sec second seconds time speed throughput ratio increase "
    "std stderr var eval val valid validation test save logging mfu utilization utilisation bucket "
    "exponent coef intercept slope embed embedding embeddings name label type fn max_new scheduler "
    "schedule ramp grad gradient norm layer head"
)


@dataclass(frozen=True)
class Quantity:
    """A quantity, and the names it goes by.

    ``exact`` are whole names; of each of ``phrases`` all words must be in the name, in any order, and none of
    ``without``. Of several columns the one with a word of ``prefer`` (earlier is better) is taken.
    """

    symbol: str
    kind: FeatureKind
    unit: str
    meaning: str
    exact: frozenset[str] = frozenset()
    phrases: tuple[frozenset[str], ...] = ()
    without: frozenset[str] = _NO_QUANTITY
    allowed: frozenset[str] = frozenset()  # of what `without` refuses
    prefer: tuple[str, ...] = ()
    avoid: frozenset[str] = frozenset()
    usual: tuple[float, float] = field(default=(0.0, math.inf))  # values outside are worth a second look

    def rank(self, column: Column) -> tuple[int, int] | None:
        """How well a column's name fits, smaller is better; `None` when it does not."""
        if column.name.strip() in self.exact:
            return 0, 0
        words = frozenset(column.words)
        if words & (self.without - self.allowed) or not any(phrase <= words for phrase in self.phrases):
            return None
        preferred = next((place for place, word in enumerate(self.prefer) if word in words), len(self.prefer))
        return 1 + len(words & self.avoid), preferred


def _phrases(*texts: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(text.split()) for text in texts)


_OF_VOCABULARY = vocabulary("vocab vocabulary embed embedding embeddings")
_PARAMETERS = ("params", "param", "parameters", "parameter", "nparams", "numparams", "paramcount", "params_count")

QUANTITIES = (
    Quantity(
        "N",
        "size",
        "parameters",
        "parameters",
        vocabulary("N n Na size Size"),
        _phrases(*_PARAMETERS, "model size", "modelsize", "network size"),
        without=_NO_QUANTITY | vocabulary("vocab vocabulary data dataset batch group d dim hidden expert lora"),
        allowed=_OF_VOCABULARY,
        avoid=vocabulary("total active dense activated all nonemb nonembedding trainable"),
        usual=(1e4, 1e14),
    ),
    Quantity(
        "uD",
        "tokens",
        "tokens",
        "unique training tokens",
        vocabulary("uD u_d unique_D D_unique"),
        _phrases("unique tokens", "unique token", "distinct tokens", "unique data", "dedup tokens", "tokens per epoch"),
        allowed=vocabulary("per"),
        prefer=("unique",),
        usual=(1e5, 1e15),
    ),
    Quantity(
        "D",
        "tokens",
        "tokens",
        "training tokens",
        vocabulary("D"),
        _phrases(
            "tokens",
            "token",
            "ntokens",
            "numtokens",
            "data size",
            "dataset size",
            "datasize",
            "train size",
            "training size",
            "samples",
            "examples",
            "datapoints",
            "training set size",
        ),
        without=_NO_QUANTITY
        | vocabulary("unique distinct dedup vocab vocabulary ids id batch epoch seq context bytes step length len"),
        prefer=("train", "training", "total", "tokens", "token", "size"),
        avoid=vocabulary("samples examples datapoints"),
    ),
    Quantity(
        "H",
        "tokens",
        "characters",
        "training characters",
        frozenset(),
        _phrases("characters", "chars", "num characters"),
        usual=(1e5, 1e16),
    ),
    Quantity(
        "C",
        "count",
        "FLOP",
        "training compute",
        vocabulary("C"),
        _phrases(
            "flops",
            "flop",
            "compute",
            "gflops",
            "tflops",
            "pflops",
            "eflops",
            "zflops",
            "gflop",
            "tflop",
            "pflop",
            "eflop",
            "zflop",
            "pf days",
            "petaflop days",
        ),
        without=_NO_QUANTITY | vocabulary("step token sample gpu hours forward inference optimal"),
        prefer=("training", "train", "total"),
        usual=(1e12, 1e30),
    ),
    Quantity(
        "S",
        "count",
        "steps",
        "training steps",
        vocabulary("S _step step Step"),
        _phrases("step", "steps", "iter", "iters", "iteration", "iterations", "updates", "itr"),
        without=_NO_QUANTITY | vocabulary("tokens token flops flop batch accumulation loss size"),
        avoid=vocabulary("max total target final"),
    ),
    Quantity(
        "E",
        "count",
        "experts",
        "number of experts",
        vocabulary("E"),
        _phrases("experts", "num expert", "n expert", "nume", "numexperts"),
        without=_NO_QUANTITY
        | vocabulary(
            "active capacity topk top k size dim hidden granularity width params parameters shared activated tok token"
        ),
    ),
    Quantity(
        "eta",
        "rate",
        "1",
        "learning rate",
        vocabulary("eta"),
        _phrases("lr", "learning rate", "learningrate", "peak lr", "step size"),
        without=_NO_QUANTITY | vocabulary("min end final multiplier mult factor relative rel schedule"),
        prefer=("peak", "max", "base"),
        usual=(1e-8, 10.0),
    ),
    Quantity(
        "B",
        "count",
        "sequences",
        "batch size",
        vocabulary("B bs bsz"),
        _phrases(
            "batch size",
            "batchsize",
            "bs",
            "bsz",
            "global batch",
            "batch",
            "tokens per step",
            "tokens per batch",
            "batch tokens",
        ),
        allowed=vocabulary("per"),
        prefer=("global", "total", "train"),
        without=_NO_QUANTITY | vocabulary("device micro accumulation gpu worker eval num number norm idx index id"),
    ),
    Quantity(
        "V",
        "count",
        "entries",
        "entries of the vocabulary",
        vocabulary("V"),
        _phrases("vocab", "vocab size", "vocabulary", "vocabsize"),
        without=_NO_QUANTITY | vocabulary("non params parameters param tokens file path name"),
    ),
    Quantity(
        "P",
        "count",
        "streams",
        "parallel streams",
        frozenset(),
        _phrases("parallel size", "parallel streams", "num streams", "n streams"),
        usual=(1, 1e4),
        without=_NO_QUANTITY | vocabulary("tensor pipeline data model"),
    ),
    Quantity(
        "G", "count", "1", "granularity of the experts", vocabulary("G"), _phrases("granularity"), usual=(0.1, 1e4)
    ),
    Quantity("sp", "share", "1", "sparsity", vocabulary("sparsity"), _phrases("sparsity"), usual=(0.0, 1.0)),
)

# What helps to compute a feature, and is none itself.
EPOCHS = Quantity(
    "epochs",
    "count",
    "epochs",
    "",
    vocabulary("epoch epochs"),
    _phrases("epochs", "epoch", "repetitions"),
    without=_NO_QUANTITY | vocabulary("tokens token steps"),
)
LENGTH = Quantity(
    "length",
    "count",
    "",
    "",
    vocabulary("seqlen"),
    _phrases(
        "seq len", "sequence length", "seqlen", "context length", "seq length", "block size", "ctx len", "context size"
    ),
)
PER_PARAMETER = Quantity(
    "ratio",
    "rate",
    "1",
    "",
    vocabulary("tpp D/N"),
    _phrases("tokens per param", "tokens per parameter", "tokens param", "tokens params", "token param ratio", "tpp"),
    allowed=vocabulary("per ratio"),
)
WIDTH = Quantity(
    "width",
    "count",
    "",
    "",
    vocabulary("d_model embed_dim"),
    _phrases("embed dim", "d model", "hidden size", "embedding dim", "width", "hidden dim"),
    allowed=vocabulary("embed embedding"),
)

_SCALES = {
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "mio": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "g": 1e9,
    "billion": 1e9,
    "billions": 1e9,
    "t": 1e12,
    "trillion": 1e12,
    "trillions": 1e12,
}
_FLOPS = {"g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21}
PF_DAY = 8.64e19


def scale_of(column: Column, quantity: Quantity) -> tuple[float, str]:
    """By what the numbers must be multiplied to be in the quantity's unit, and which word of the name says so."""
    words = column.words
    if quantity.symbol == "C":
        for word in words:
            if word[0] in _FLOPS and word[1:] in ("flop", "flops"):
                return _FLOPS[word[0]], word
        if "days" in words or "day" in words:
            return PF_DAY, "PF-days"
    small = len(column.finite) > 0 and column.finite.max() < 1e7
    if quantity.symbol in ("N", "N_nv", "D", "uD", "H", "C") and len(words) > 1 and small and words[-1] in _SCALES:
        return _SCALES[words[-1]], words[-1]
    return 1.0, ""


def logarithm_of(column: Column) -> float | None:
    """The base of the logarithm that the column is of, by its name and values; `None` when it is none.

    ``log`` alone is of base ten when no number is above 30, else natural.
    """
    words = column.words
    if "log10" in words or "lg" in words or ("log" in words and "10" in words):
        return 10.0
    if "log2" in words:
        return 2.0
    if "ln" in words:
        return math.e
    if "log" in words:
        return 10.0 if len(column.finite) and column.finite.max() <= 30 else math.e
    return None
