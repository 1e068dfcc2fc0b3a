"""The choice: the simplest of the laws that extrapolate about as well as the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discover.complexity import functions
from discover.formula import symbol
from discover.selection.judging import Judged

PRICE = 0.03  # of a constant: part of the error that it must save
PEERS = 15  # best laws, of which the median beyond the data is taken
AGREE = 0.75  # part of them that agree with it
FEWEST = 4  # laws of which some can stand apart


def score(judged: Judged) -> float:
    """What laws are ordered by: the mean logarithm of the inner errors, and a price for each constant."""
    if not len(judged.inner_errors):
        return float("inf")
    return float(np.mean(judged.log_errors)) + PRICE * len(judged.law.parameters)


def choose(judged: Sequence[Judged]) -> Judged | None:
    """The chosen law, the simplest of those that are about as good as the best; `None` when none is sane.

    About as good: the mean of the paired differences of the logarithms of the inner errors is at most one standard
    error of that mean, which counts what is asked for along several axes once. A law that fails its sanity checks
    cannot be chosen, nor one that stands apart: whose predictions beyond the data are farther from the median of the
    best laws than those of three quarters of these. Of equally simple laws the one that fits the rows best is chosen.
    """
    sane = [candidate for candidate in judged if candidate.sane and np.isfinite(candidate.inner_error)]
    if not sane:
        return None
    best = min(sane, key=score)
    peers = sorted(sane, key=score)[:PEERS]
    agreeing = _agreeing(sane, peers)
    close = [
        candidate for candidate in agreeing if not clearly_better(best.log_errors, candidate.log_errors, best.axes)
    ]
    # Where the best laws agree on none that is close to the very best, the one they agree on counts.
    eligible = close or [candidate for candidate in agreeing if any(candidate is peer for peer in peers)]
    return min(eligible, key=lambda c: (size(c), c.train_error, round(score(c), 9), c.law.complexity))


def size(judged: Judged) -> int:
    """What makes a law less simple: its constants, and its functions beyond sums, products and powers of features.

    A constant of a found law counts wherever it stands: that two exponents are one is a claim too. Constants that the
    rows do not determine count as one more.
    """
    law = judged.law
    written = len(law.parameters)
    if law.kind == "found":
        names = {symbol(name) for name in law.parameters}
        written = sum(1 for part in sympy.preorder_traversal(law.expanded) if part in names)
    return written + functions(law.expanded) + (not judged.determined)


def _agreeing(judged: Sequence[Judged], peers: Sequence[Judged]) -> list[Judged]:
    """The laws that do not stand apart from the best ones beyond the data."""
    if len(peers) < FEWEST or not all(len(one.beyond) for one in judged):
        return list(judged)
    centre = np.median([one.beyond for one in peers], axis=0)

    def distance(one: Judged) -> float:
        apart = float(np.sqrt(np.mean((one.beyond - centre) ** 2)))
        return apart if np.isfinite(apart) else np.inf

    farthest = float(np.quantile([distance(one) for one in peers], AGREE, method="higher"))
    return [one for one in judged if distance(one) <= farthest]


def clearly_better(one: np.ndarray, other: np.ndarray, axes: int = 1) -> bool:
    """Whether `one` has lower errors than `other` by more than a standard error of the paired difference.

    The errors are those of sizes along several axes, along each of which the same rows come again.
    """
    difference = other - one
    count = len(difference)
    error = float(np.std(difference, ddof=1) * np.sqrt(axes / count)) if count > 1 else 0.0
    return bool(np.mean(difference) > error)
