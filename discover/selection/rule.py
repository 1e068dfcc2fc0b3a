"""The rule of choice, on numbers alone: which of several laws, from their errors, their sizes and how they behave.

It knows no law and no fit, so that other rules can be compared with it on the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

FEWEST = 4  # laws of which some can stand apart
NEAR = 2.0  # mean residuals of the best fit, up to which no law stands apart
LEAST_RESIDUAL = 1e-12  # that is told from none


@dataclass(frozen=True)
class Rule:
    """What the choice weighs; `docs/selection.md` says how the values were fixed.

    Attributes
    ----------
    price
        Of a constant: part of the error that it must save.
    claim
        Price of what a law claims, in logarithms of the number of rows: 1 is the Bayesian information criterion
        (Schwarz 1978), 2 allows for the thousands of laws that were tried, as the extended criterion does (Chen and
        Chen 2008).
    standard_errors
        Of the mean paired difference to the best law, up to which another is about as good.
    peers
        Best laws, of which the median beyond the data is taken.
    agree
        Part of them that agree with it.
    """

    price: float = 0.03
    claim: float = 2.0
    standard_errors: float = 2.0
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
    constants, claims
        Numbers of constants, and of what a law claims: constants, ties and functions; shape (laws,).
    complexity
        Number of nodes of the formula, shape (laws,).
    sane, published
        Whether a law passed its sanity checks, and whether it is a published one; shape (laws,).
    beyond
        Predictions beyond the data on the scale of residuals, shape (laws, points); no points where not all laws have
        them.
    residual
        Mean absolute residual on the rows that the laws were fitted to, shape (laws,).
    rows, groups
        Numbers of these rows, and of their groups, each of which has constants of its own.
    axes
        Number of axes along which sizes are asked for: along each, the same rows come again.
    """

    log_errors: np.ndarray
    constants: np.ndarray
    claims: np.ndarray
    complexity: np.ndarray
    sane: np.ndarray
    published: np.ndarray
    beyond: np.ndarray
    residual: np.ndarray
    rows: int
    groups: int = 1
    axes: int = 1

    def scores(self, price: float = RULE.price) -> np.ndarray:
        """What laws are ordered by: the mean logarithm of the inner errors, and a price for each constant."""
        if not self.log_errors.shape[1]:
            return np.full(len(self.log_errors), np.inf)
        return np.asarray(self.log_errors.mean(axis=1) + price * self.constants)

    def criterion(self, claim: float = RULE.claim) -> np.ndarray:
        """The information criterion of each law, shape (laws,); lower is better.

        Twice the negative logarithm of the likelihood of residuals with a Laplace distribution, whose most likely width
        is their mean size, and `claim` times the logarithm of the number of rows for each claim.
        """
        unlikely = 2 * self.rows * np.log(np.maximum(self.residual, LEAST_RESIDUAL))
        return np.asarray(unlikely + claim * np.log(max(self.rows, 1)) * self.groups * self.claims)

    def resampled(self, drawn: np.ndarray) -> Evidence:
        """The same with some of the inner errors, by their places, each as often as it is named."""
        return replace(self, log_errors=self.log_errors[:, drawn])


def chosen_place(evidence: Evidence, rule: Rule = RULE) -> int | None:
    """Place of the chosen law; `None` when none is sane.

    Of the laws that extrapolate about as well as the best, the one of which all rows say most for what it claims: with
    the lowest information criterion. About as well: the mean of the paired differences of the logarithms of the inner
    errors is at most two standard errors of that mean, which counts what is asked for along several axes once. A law
    that fails its sanity checks cannot be chosen, nor one that stands apart: whose predictions beyond the data are
    farther from the median of the best laws than those of three quarters of these, and than twice the mean residual of
    the law that fits best.

    A published law is chosen in its place where both kinds of evidence prefer it: its inner errors are smaller, and its
    criterion is lower.
    """
    able = evidence.sane & np.isfinite(evidence.scores(rule.price))
    made, known = np.flatnonzero(able & ~evidence.published), np.flatnonzero(able & evidence.published)
    chosen = _chosen(evidence, made if len(made) else known, rule)
    if chosen is None:
        return None
    errors, criterion = evidence.log_errors.mean(axis=1), evidence.criterion(rule.claim)
    instead = [k for k in known if criterion[k] < criterion[chosen] and errors[k] < errors[chosen]]
    return int(min(instead, key=lambda k: float(criterion[k]))) if instead else chosen


def _chosen(evidence: Evidence, able: np.ndarray, rule: Rule) -> int | None:
    """The choice among some laws, by their places."""
    if not len(able):
        return None
    scores = evidence.scores(rule.price)
    ordered = able[np.argsort(scores[able], kind="stable")]
    best, peers = ordered[0], ordered[: rule.peers]
    agreeing = _agreeing(evidence, able, peers, rule.agree)
    errors, beats = evidence.log_errors, partial(clearly_better, repeated=evidence.axes)
    close = [k for k in agreeing if not beats(errors[best], errors[k], rule.standard_errors)]
    # Where the best laws agree on none that is close to the very best, the one they agree on counts.
    eligible = close or [k for k in agreeing if k in peers]
    order = (evidence.criterion(rule.claim).round(6), scores.round(9), evidence.complexity)
    return int(min(eligible, key=lambda k: tuple(float(one[k]) for one in order)))


def _agreeing(evidence: Evidence, able: np.ndarray, peers: np.ndarray, agree: float) -> np.ndarray:
    """The laws that do not stand apart from the best ones beyond the data."""
    beyond = evidence.beyond
    if len(peers) < FEWEST or not beyond.shape[1]:
        return able
    beyond = np.where(np.isfinite(beyond), beyond, np.inf)  # such predictions stand apart, and do not move the median
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.sqrt(np.mean((beyond - np.median(beyond[peers], axis=0)) ** 2, axis=1))
    apart = np.where(np.isfinite(apart), apart, np.inf)
    farthest = float(np.quantile(apart[peers], agree, method="higher"))
    return np.asarray(able[apart[able] <= max(farthest, NEAR * float(evidence.residual[able].min()))])


def clearly_better(
    one: np.ndarray, other: np.ndarray, standard_errors: float = RULE.standard_errors, *, repeated: int = 1
) -> bool:
    """Whether `one` has lower errors than `other` by more than the standard errors of the mean paired difference.

    Parameters
    ----------
    one, other
        Logarithms of errors at the same sizes. Of one size nothing is known of chance, and the lower error is better.
    repeated
        How often the same rows come again, along several axes: so many times fewer sizes are independent.
    """
    difference = other - one
    error = 0.0
    if len(difference) > 1:
        error = float(np.std(difference, ddof=1) / np.sqrt(len(difference) / repeated))
    return bool(np.mean(difference) > standard_errors * error)
