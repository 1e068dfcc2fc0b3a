"""The choice: the simplest of the laws that extrapolate about as well as the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discover.selection.judging import Judged

PRICE = 0.03  # of a constant: part of the error that it must save
EARNED = 0.25  # error of a law with undetermined constants, relative to the best of the others, at which it is chosen


def score(judged: Judged) -> float:
    """What laws are ordered by: the mean logarithm of the inner errors, and a price for each constant."""
    if not len(judged.inner_errors):
        return float("inf")
    return float(np.mean(judged.log_errors)) + PRICE * len(judged.law.parameters)


def choose(judged: Sequence[Judged]) -> Judged | None:
    """The chosen law, the simplest of those that are about as good as the best; `None` when none is sane.

    About as good: the mean of the paired differences of the logarithms of the inner errors is at most one standard
    error of that mean. A law that fails its sanity checks cannot be chosen; one with an exponent or a floor that the
    rows do not determine must earn it by a much smaller error.
    """
    sane = [candidate for candidate in judged if candidate.sane and np.isfinite(candidate.inner_error)]
    if not sane:
        return None
    best = min(sane, key=score)
    determined = [candidate for candidate in sane if candidate.determined]
    if determined and best.inner_error > EARNED * min(candidate.inner_error for candidate in determined):
        sane = determined
        best = min(sane, key=score)
    close = [candidate for candidate in sane if not clearly_better(best.log_errors, candidate.log_errors)]
    return min(close, key=lambda c: (len(c.law.parameters), round(score(c), 9), c.law.complexity))


def clearly_better(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether `one` has lower errors than `other` by more than a standard error of the paired difference."""
    difference = other - one
    error = float(np.std(difference, ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else 0.0
    return bool(np.mean(difference) > error)
