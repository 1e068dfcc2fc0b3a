"""The rule of choice, on numbers alone: which of several laws, from their errors, their sizes and how they behave.

It knows no law and no fit, so that other rules can be compared with it on the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

FEWEST = 4  # laws of which some can stand apart


@dataclass(frozen=True)
class Rule:
    """What the choice weighs; `docs/selection.md` says how the values were fixed.

    Attributes
    ----------
    price
        Of a constant: part of the error that it must save.
    standard_errors
        Of the mean paired difference to the best law, up to which another is about as good.
    peers
        Best laws, of which the median beyond the data is taken.
    agree
        Part of them that agree with it.
    """

    price: float = 0.03
    standard_errors: float = 1.0
    peers: int = 15
    agree: float = 0.75


RULE = Rule()


@dataclass(frozen=True)
class Evidence:
    """What is known of each of several laws before a held-out row is seen.

    Attributes
    ----------
    log_errors
        Logarithms of the inner errors, shape (laws, sizes).
    constants, written
        Numbers of constants, and of the places in the formula where one stands; shape (laws,). That two exponents are
        one is a claim too.
    functions, complexity
        Numbers of functions beyond sums, products and powers of features, and of nodes; shape (laws,).
    sane, determined
        Whether a law passed its sanity checks, and whether the rows determine its constants; shape (laws,).
    beyond
        Predictions beyond the data, shape (laws, points); no points where not all laws have them.
    loss
        Loss of the rows that the laws were fitted to, shape (laws,).
    axes
        Number of axes along which sizes are asked for: along each, the same rows come again.
    """

    log_errors: np.ndarray
    constants: np.ndarray
    written: np.ndarray
    functions: np.ndarray
    complexity: np.ndarray
    sane: np.ndarray
    determined: np.ndarray
    beyond: np.ndarray
    loss: np.ndarray
    axes: int = 1

    @property
    def sizes(self) -> np.ndarray:
        """What makes a law less simple, shape (laws,): constants that the rows do not determine count as one more."""
        return np.asarray(self.written + self.functions + ~self.determined)

    def scores(self, price: float = RULE.price) -> np.ndarray:
        """What laws are ordered by: the mean logarithm of the inner errors, and a price for each constant."""
        if not self.log_errors.shape[1]:
            return np.full(len(self.log_errors), np.inf)
        return np.asarray(self.log_errors.mean(axis=1) + price * self.constants)

    def resampled(self, drawn: np.ndarray) -> Evidence:
        """The same with some of the inner errors, by their places, each as often as it is named."""
        return replace(self, log_errors=self.log_errors[:, drawn])


def chosen_place(evidence: Evidence, rule: Rule = RULE) -> int | None:
    """Place of the chosen law, the simplest of those that are about as good as the best; `None` when none is sane.

    About as good: the mean of the paired differences of the logarithms of the inner errors is at most one standard
    error of that mean, which counts what is asked for along several axes once. A law that fails its sanity checks
    cannot be chosen, nor one that stands apart: whose predictions beyond the data are farther from the median of the
    best laws than those of three quarters of these. Of equally simple laws the one that fits the rows best is chosen.
    """
    scores = evidence.scores(rule.price)
    able = np.flatnonzero(evidence.sane & np.isfinite(scores))
    if not len(able):
        return None
    ordered = able[np.argsort(scores[able], kind="stable")]
    best, peers = ordered[0], ordered[: rule.peers]
    agreeing = _agreeing(evidence.beyond, able, peers, rule.agree)
    errors = evidence.log_errors
    wide = rule.standard_errors * np.sqrt(evidence.axes)
    close = [k for k in agreeing if not clearly_better(errors[best], errors[k], wide)]
    # Where the best laws agree on none that is close to the very best, the one they agree on counts.
    eligible = close or [k for k in agreeing if k in peers]
    order = (evidence.sizes, evidence.loss, scores.round(9), evidence.complexity)
    return int(min(eligible, key=lambda k: tuple(float(one[k]) for one in order)))


def _agreeing(beyond: np.ndarray, able: np.ndarray, peers: np.ndarray, agree: float) -> np.ndarray:
    """The laws that do not stand apart from the best ones beyond the data."""
    if len(peers) < FEWEST or not beyond.shape[1]:
        return able
    with np.errstate(over="ignore", invalid="ignore"):  # predictions that are not finite stand apart
        apart = np.sqrt(np.mean((beyond - np.median(beyond[peers], axis=0)) ** 2, axis=1))
    apart = np.where(np.isfinite(apart), apart, np.inf)
    farthest = float(np.quantile(apart[peers], agree, method="higher"))
    return np.asarray(able[apart[able] <= farthest])


def clearly_better(one: np.ndarray, other: np.ndarray, standard_errors: float = RULE.standard_errors) -> bool:
    """Whether `one` has lower errors than `other` by more than the standard errors of the paired difference."""
    difference = other - one
    error = float(np.std(difference, ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else 0.0
    return bool(np.mean(difference) > standard_errors * error)
