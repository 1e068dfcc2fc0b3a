"""Which models are trained on what: sizes, tokens, the rules for batch and learning rate, and the list of all runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

CONTEXT = 128  # tokens of a sequence
VOCABULARY = 256  # a token is a byte
VALIDATED = {"code": 2**17, "prose": 2**17}  # tokens, the same for all runs
FIRST, LAST = 17, 24  # tokens are powers of two: 1.3e5 to 1.7e7
GROUPS = ("grid", "mixture", "repeat", "lr", "seed")
PROPORTIONS = (1 / 8, 3 / 8, 5 / 8, 7 / 8, 1.0)  # of prose; the grid has none
EPOCHS = (2, 4, 8, 16, 32, 64)
LR_FACTORS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 2.0, 4.0, 8.0, 16.0)  # times the rule's


@dataclass(frozen=True, order=True)
class Size:
    """Shape of a decoder."""

    layers: int
    width: int

    @property
    def heads(self) -> int:
        """Attention heads, of at most 16 components each."""
        return math.ceil(self.width / 16)

    @property
    def N(self) -> int:
        """Parameters without the embedding: matrices and the gains of the norms."""
        return self.layers * (12 * self.width**2 + 2 * self.width) + self.width

    @property
    def N_embedding(self) -> int:
        """Parameters of the embedding, which is the output layer too."""
        return VOCABULARY * self.width


# Each size, with the logarithm (base 2) of the largest D of the grid: what is large in both takes too long.
SIZES = {
    Size(2, 12): 24,
    Size(2, 16): 24,
    Size(2, 24): 24,
    Size(3, 32): 24,
    Size(3, 48): 24,
    Size(4, 64): 24,
    Size(5, 80): 23,
    Size(6, 96): 22,
    Size(8, 128): 22,
}
REPEATED = ((Size(2, 24), (20, 22)), (Size(3, 48), (20, 22)), (Size(5, 80), (20, 22)))
MIXED = ((Size(2, 16), (18, 20)), (Size(3, 32), (18, 20)), (Size(4, 64), (18, 20)), (Size(6, 96), (18, 20)))
LR_SWEPT = ((Size(2, 24), 20), (Size(4, 64), 20), (Size(6, 96), 20))
RESEEDED = (
    (Size(2, 16), 18),
    (Size(2, 24), 22),
    (Size(3, 48), 20),
    (Size(3, 48), 22),
    (Size(4, 64), 18),
    (Size(6, 96), 20),
)


@dataclass(frozen=True)
class Run:
    """One model to train.

    Attributes
    ----------
    group
        The first part of the design that asks for it; the others share its row.
    D, uD
        Tokens trained on, and how many of them are different: both multiples of the context.
    prose
        Share of the tokens that are prose; the rest is code.
    lr
        Largest learning rate, after warm-up.
    """

    group: str
    size: Size
    D: int
    uD: int  # noqa: N815 - the name of the symbol in laws
    prose: float
    lr: float
    seed: int = 0

    @property
    def key(self) -> str:
        """Name of the run: everything that determines it."""
        shape = f"L{self.size.layers}w{self.size.width}"
        return f"{shape}_D{self.D}_uD{self.uD}_p{self.prose:g}_lr{self.lr:.3g}_s{self.seed}"

    @property
    def batch(self) -> int:
        """Sequences of a batch."""
        return batch_sequences(self.D)

    @property
    def steps(self) -> int:
        """Optimiser steps; the last batch may be smaller."""
        return math.ceil(self.D / CONTEXT / self.batch)

    @property
    def seconds(self) -> float:
        """Seconds that it takes on one core, estimated."""
        return seconds(self)


def batch_sequences(D: int) -> int:
    """Return sequences of a batch for `D` tokens: 4 for 2**17, growing with the root of D, as the steps do."""
    return max(1, round(4 * math.sqrt(D / 2**17)))


def learning_rate(size: Size, D: int) -> float:
    """Return the learning rate for a size and its tokens, to three digits.

    A power law through the optima of short sweeps (README.md). It grows with D because the batch does.
    """
    return float(f"{2.75 * size.N**-0.5 * (D / 2**20) ** (1 / 6):.3g}")


def runs() -> list[Run]:
    """Return the whole design, in the order in which it is trained; no run stands twice."""
    planned: dict[str, Run] = {}
    for group in (_grid(), _mixture(), _repeat(), _lr(), _seed()):
        for run in _alternating(group):
            planned.setdefault(run.key, run)
    return list(planned.values())


def _single(group: str, size: Size, exponent: int) -> Run:
    D = 2**exponent
    return Run(group, size, D, D, 0.0, learning_rate(size, D))


def _grid() -> Iterator[Run]:
    for size, last in SIZES.items():
        yield from (_single("grid", size, exponent) for exponent in range(FIRST, last + 1))


def _mixture() -> Iterator[Run]:
    for size, exponents in MIXED:
        for exponent in exponents:
            yield from (replace(_single("mixture", size, exponent), prose=share) for share in PROPORTIONS)


def _repeat() -> Iterator[Run]:
    for size, exponents in REPEATED:
        for exponent in exponents:
            yield from (replace(_single("repeat", size, exponent), uD=2**exponent // epochs) for epochs in EPOCHS)


def _lr() -> Iterator[Run]:
    for size, exponent in LR_SWEPT:
        run = _single("lr", size, exponent)
        yield from (replace(run, lr=float(f"{run.lr * factor:.3g}")) for factor in LR_FACTORS)


def _seed() -> Iterator[Run]:
    for size, exponent in RESEEDED:
        yield from (replace(_single("seed", size, exponent), seed=seed) for seed in (1, 2))


def _alternating(group: Iterable[Run]) -> list[Run]:
    """Put the dearest run first, then the cheapest, and so on: two processes end together, and a part is of use."""
    ordered = sorted(group, key=lambda run: run.seconds, reverse=True)
    half = (len(ordered) + 1) // 2
    dear, cheap = ordered[:half], ordered[half:][::-1]
    return [run for pair in zip(dear, cheap, strict=False) for run in pair] + dear[len(cheap) :]


def seconds(run: Run) -> float:
    """Return the estimated seconds of a run on one core of the machine of README.md: its tokens, and validation."""
    size = run.size
    # Matrix products, and what is done once a component: norms, rotations, attention of short sequences.
    token = 4e-7 + 4.2e-11 * (size.N + size.N_embedding) + 1.1e-7 * size.layers * size.width
    forward = 0.4  # of the time of a token that is trained on
    return 1 + token * (run.D + forward * sum(VALIDATED.values()))
