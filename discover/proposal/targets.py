"""Which column is the target: one of losses, or several side by side, which make the table wide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from discover.errors import DataError, InputError, one_of
from discover.proposal.columns import Column, differing, listed, vocabulary

_REFUSED = vocabulary(
    "weight coef coefficient scale scaler std stdev stderr sem sd se var variance count aux auxiliary z "
    "balance balancing load router routing type fn function spike spikes sigma reg kl penalty delta diff "
    "gap improvement max maximum median error_bar lower upper ci predicted pred prediction fitted log "
    "mask at_init init initial"
)
_STAGES = {
    2: vocabulary("val valid validation eval evaluation dev test heldout holdout vali"),
    0: vocabulary("train training tr"),
}
_STATES = ("final", "end", "last", "smooth", "smoothed", "ema", "mean", "avg", "average")  # the best first
_WORSE = vocabulary("best min minimum")
_FILLING = vocabulary(
    "lm model language openlm metric metrics the of at on in per token tokens nats nat total overall all "
    "score value set cross entropy loss losses bits byte bytes"
)  # fmt: skip
_REPLICATES = vocabulary("seed seeds rep replicate trial fold")
_NAMED_PARTS = vocabulary("domain task dataset corpus group set language head source subset")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e[+]?\d+)?)([kmbt]?)\Z", re.IGNORECASE)
_SUFFIX = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
PERPLEXITY = "perplexity"


@dataclass(frozen=True)
class Metric:
    """A kind of target: its unit, and what the reader should know of it."""

    name: str
    unit: str
    order: int  # what is tried first


LOSS = Metric("loss", "nats/token", 0)
BITS = {
    "byte": Metric("bits per byte", "bits/byte", 1),
    "character": Metric("bits per character", "bits/character", 1),
    "token": Metric("bits per token", "bits/token", 1),
}
PERPLEXED = Metric(PERPLEXITY, "nats/token", 2)
ERROR = Metric("error", "1", 3)


@dataclass(frozen=True)
class Found:
    """The target: one column, or several with the name of each.

    ``names`` says what the names of several columns are: a ``domain``, a ``seed``, or an amount (``samples``,
    ``tokens``, ``steps``).
    """

    columns: Mapping[str, str]  # name -> column; one column has the name ""
    metric: Metric
    stage: int = 1
    names: str = ""
    reasons: tuple[str, ...] = ()
    others: tuple[str, ...] = field(default=())  # losses that were not taken

    @property
    def wide(self) -> bool:
        """Whether several columns hold the target."""
        return len(self.columns) > 1


def find_target(columns: Mapping[str, Column], named: str | None = None) -> Found:
    """The target of a table.

    Raises
    ------
    InputError
        When the column that the user named is not there.
    DataError
        When nothing looks like a target; the message lists the columns and says how to name it.
    """
    if named is not None:
        if named not in columns:
            raise InputError(f"target: there is no column {named!r}: {one_of(named, columns)}")
        if columns[named].numbers is None:
            raise DataError(
                f"target: the column {named!r} holds no numbers (its first value: {_first(columns[named])})"
            )
        metric = metric_of(columns[named]) or Metric(named, "1", 3)
        return Found({"": named}, metric, _stage(columns[named]), reasons=(f"{named!r} is the target, as you say",))
    numeric = [column for column in columns.values() if column.numbers is not None]
    if not numeric:
        raise DataError(f"the table has no column of numbers; its columns are {listed(columns, 30)}")
    candidates = [(kind, column) for column in numeric if (kind := metric_of(column)) is not None]
    if not candidates:
        found = _numbered([column for column in numeric if _NUMBER.match(column.name.strip())])
        if found is not None:
            return found
        raise DataError(
            "no column looks like a loss: name the one that laws are to predict (target = COLUMN); "
            f"the columns are {listed(columns, 30)}"
        )
    first = min(metric.order for metric, _ in candidates)
    chosen = [column for metric, column in candidates if metric.order == first]
    metric = next(metric for metric, _ in candidates if metric.order == first)
    chosen = [column for column in chosen if metric_of(column) == metric]
    single = sorted((c for c in chosen if not _domain(c)), key=_preference)
    several = _several([c for c in chosen if _domain(c)])
    if single and (len(several) < 2 or _stage(single[0]) >= _stage(several[0])):
        found = _one(single[0], metric)
    elif len(several) > 1:
        found = _wide(several, metric)
    else:
        found = _one(sorted((c for c in chosen if _domain(c)), key=_preference)[0], metric)
    taken = set(found.columns.values())
    left = [column.name for _, column in candidates if column.name not in taken]
    return replace(found, others=tuple(dict.fromkeys((*found.others, *left))))


def metric_of(column: Column) -> Metric | None:
    """What kind of target a column's name says, if any."""
    words = frozenset(column.words)
    if words & _REFUSED and not column.name.lower().startswith("log_loss"):
        return None
    if words & {"bpb"} or {"bits", "byte"} <= words:
        return BITS["byte"]
    if words & {"bpc"} or {"bits", "character"} <= words or {"bits", "char"} <= words:
        return BITS["character"]
    if words & {"bpt"} or {"bits", "token"} <= words:
        return BITS["token"]
    if words & {"ppl", "perplexity"} or any(word.endswith("ppl") for word in words):
        return PERPLEXED
    if any(word.startswith("loss") or (word.endswith("loss") and word != "gloss") for word in words):
        return LOSS
    if words & {"ce", "xent", "nll", "crossentropy"} or {"cross", "entropy"} <= words or words == {"l"}:
        return LOSS
    if words & {"error", "err", "brier", "mse", "rmse", "mae", "wer", "cer"}:
        return ERROR
    return None


def _stage(column: Column) -> int:
    """2 for validation, 0 for training, 1 when the name does not say."""
    for stage, names in _STAGES.items():
        if any(w in names or (w.endswith("loss") and w.removesuffix("loss") in names) for w in column.words):
            return stage
    return 1


def _preference(column: Column) -> tuple[int, int, int, int]:
    """Order among losses that say the same: validation first, the end of the run, the shortest name."""
    words = column.words
    state = next((place for place, word in enumerate(_STATES) if word in words), len(_STATES))
    filled = len(column.finite) < len(column.values) / 2
    return -_stage(column), int(filled) + 2 * bool(_WORSE & set(words)), state, len(words)


def _domain(column: Column) -> tuple[str, ...]:
    """Words of a loss's name that say whose loss it is."""
    known = _FILLING | _STAGES[0] | _STAGES[2] | _WORSE | frozenset(_STATES) | {"l", "ce", "xent", "nll", "bpb", "bpc",
        "bpt", "ppl", "perplexity", "char", "character", "error", "err", "rate"}  # fmt: skip
    return tuple(w for w in column.words if w not in known and not (w.endswith("loss") and _stage(column) != 1))


def _several(columns: list[Column]) -> list[Column]:
    """The losses of several domains at the latest stage that has more than one, and of the best kind for each."""
    for stage in (2, 1, 0):
        here: dict[tuple[str, ...], Column] = {}
        for column in sorted((c for c in columns if _stage(c) == stage), key=_preference):
            here.setdefault(_domain(column), column)
        if len(here) > 1:
            kept = {column.name for column in here.values()}
            return [column for column in columns if column.name in kept]
    return []


def _one(column: Column, metric: Metric) -> Found:
    return Found({"": column.name}, metric, _stage(column), reasons=(f"{column.name!r} is the target, by its name",))


def _wide(columns: list[Column], metric: Metric) -> Found:
    labels = differing([column.name for column in columns])
    if len(set(labels.values())) < len(labels):
        labels = {column.name: column.name for column in columns}
    numbers = [_NUMBER.match(label) for label in labels.values()]
    shared = frozenset.intersection(*(frozenset(column.words) for column in columns))
    if all(numbers) and not shared & _NAMED_PARTS and not shared & _REPLICATES:
        found = _numbered(columns, labels, metric)
        if found is not None:
            return found
    names = "seed" if shared & _REPLICATES else "domain"
    what = "a repetition of the run" if names == "seed" else "a domain"
    line = f"{len(columns)} columns of losses, each of {what}, become rows of their own: {listed(labels)}"
    return Found({label: name for name, label in labels.items()}, metric, _stage(columns[0]), names, (line,))


def _numbered(columns: list[Column], labels: Mapping[str, str] | None = None, metric: Metric = LOSS) -> Found | None:
    """Columns that are headed by numbers: each is the loss after so many samples, tokens or steps."""
    labels = labels or {column.name: column.name.strip() for column in columns}
    amounts: dict[str, float] = {}
    for name, label in labels.items():
        match = _NUMBER.match(label)
        assert match is not None
        amounts[name] = float(match[1]) * _SUFFIX[match[2].lower()]
    values = sorted(amounts.values())
    if (
        len(set(values)) < 3
        or values[-1] < 10 * max(values[0], 1)
        or values == list(np.arange(len(values)) + values[0])
    ):
        return None
    medians = {name: float(np.median(c.finite)) for c in columns if len(c.finite) for name in [c.name]}
    ends = sorted(medians, key=lambda name: amounts[name])
    if len(ends) < 3 or medians[ends[0]] <= medians[ends[-1]]:
        return None  # losses fall
    words = frozenset(word for column in columns for word in column.words)
    names = "steps" if words & {"step", "steps", "iter"} else "tokens" if words & {"token", "tokens"} else ""
    names = names or ("tokens" if values[-1] >= 1e8 else "samples")
    kept = {f"{amounts[name]:.0f}" if amounts[name] >= 1 else label: name for name, label in labels.items()
            if amounts[name] > 0}  # fmt: skip
    lines = [f"{len(kept)} columns are headed by numbers and fall from left to right: losses after so many {names}; "
             f"check that they are {names}"]  # fmt: skip
    zero = [name for name, amount in amounts.items() if amount <= 0]
    if zero:
        lines.append(f"the column {zero[0]!r} is left out: most laws have no value at 0 {names}")
    return Found(kept, metric, 1, names, tuple(lines), tuple(zero))


def _first(column: Column) -> str:
    given: Iterable[object] = column.values.dropna().head(1)
    return next((repr(str(value)) for value in given), "none")
