"""Rules of choice, on the numbers of laws that were judged: the project's own, and others with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from finished import Record

from discover.selection.judging import RESOLUTION
from discover.selection.rule import RULE, Evidence, Rule, chosen_place

OWN, BEST_SANE, ORACLE = "the project's rule", "best of the sane (oracle)", "best of all (oracle)"
WORST = 1e3  # RMSE, in units of the spread of the target, as which a prediction that is not finite counts
MEMBERS = 15  # of the average


@dataclass(frozen=True)
class Laws:
    """The laws of one outer hold-out.

    Attributes
    ----------
    evidence
        What the project's rule is told.
    first, by_split
        Logarithms of the errors at the sizes of the first inner hold-out, and of the median over the sizes of each
        inner hold-out; shapes (laws, sizes) and (laws, hold-outs).
    predictions
        Of the held-out rows, shape (laws, rows).
    target
        Of these rows.
    formulas
        Of the laws.
    """

    evidence: Evidence
    first: np.ndarray
    by_split: np.ndarray
    predictions: np.ndarray
    target: np.ndarray
    formulas: tuple[str, ...]

    @classmethod
    def of(cls, record: Record) -> Laws:
        """From what was kept of a case."""
        laws = record["laws"]

        def array(key: str, missing: float) -> np.ndarray:
            rows = [[missing if value is None else value for value in law[key]] for law in laws]
            return np.array(rows, dtype=float)

        def column(key: str) -> np.ndarray:
            return np.array([law[key] for law in laws])

        def logs(key: str) -> np.ndarray:
            return np.asarray(np.log(np.maximum(array(key, np.inf), RESOLUTION)))

        residual = [np.inf if law["residual"] is None else law["residual"] for law in laws]
        told = Evidence(
            log_errors=logs("errors"),
            constants=column("constants"),
            claims=column("claims"),
            complexity=column("complexity"),
            sane=column("sane").astype(bool),
            published=column("kind") == "published",
            beyond=array("beyond", np.nan),
            residual=np.array(residual, dtype=float),
            rows=record["rows"],
            groups=record["groups"],
            axes=record["axes"],
        )
        return cls(
            told,
            logs("first"),
            logs("by_split"),
            array("held_out", np.nan),
            np.array(record["target"], dtype=float),
            tuple(law["formula"] for law in laws),
        )

    def error(self, prediction: np.ndarray) -> float:
        """RMSE of a prediction of the held-out rows; a large one where it is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):
            error = float(np.sqrt(np.mean((prediction - self.target) ** 2)))
        worst = WORST * float(np.std(self.target) or 1.0)
        return min(error, worst) if np.isfinite(error) else worst

    @property
    def errors(self) -> np.ndarray:
        """RMSE of every law, shape (laws,)."""
        return np.array([self.error(prediction) for prediction in self.predictions])


Choice = Callable[[Laws], int | None]


def arithmetic(log_errors: np.ndarray) -> np.ndarray:
    """Errors so that their mean is the logarithm of the arithmetic mean.

    Each is the logarithm of the mean, and the error's relative difference to it: to first order, paired differences of
    two laws are those of the logarithms of their means, as the rule needs them for its standard error.
    """
    with np.errstate(invalid="ignore"):
        errors = np.exp(log_errors)
        means = errors.mean(axis=1, keepdims=True)
        return np.asarray(np.where(np.isfinite(means), np.log(means) + errors / means - 1, np.inf))


def _with(rule: Rule, laws: Laws) -> int | None:
    return chosen_place(laws.evidence, rule)


def _changed(change: Callable[[Laws], dict[str, Any]]) -> Choice:
    return lambda laws: chosen_place(replace(laws.evidence, **change(laws)))


def _all(laws: Laws) -> np.ndarray:
    return np.ones(len(laws.formulas), dtype=bool)


def _simplest(laws: Laws) -> int | None:
    """The simplest of those within one standard error of the best, however well it fits."""
    known = laws.evidence
    alike = np.full_like(known.residual, known.residual[known.sane].min(initial=np.inf))
    return chosen_place(replace(known, residual=alike), replace(RULE, standard_errors=1.0))


RULES: dict[str, Choice] = {
    OWN: partial(_with, RULE),
    "no sanity gate": _changed(lambda laws: {"sane": _all(laws)}),
    "only the first inner hold-out": _changed(lambda laws: {"log_errors": laws.first, "axes": 1}),
    "hold-outs as units, not sizes": _changed(lambda laws: {"log_errors": laws.by_split}),
    "means, not of logarithms": _changed(lambda laws: {"log_errors": arithmetic(laws.evidence.log_errors)}),
    "the simplest within one standard error": _simplest,
    "1 standard error": partial(_with, replace(RULE, standard_errors=1.0)),
    "3 standard errors": partial(_with, replace(RULE, standard_errors=3.0)),
    "the lowest inner error": partial(_with, replace(RULE, standard_errors=0.0)),
    "claims are free": partial(_with, replace(RULE, claim=0.0)),
    "claims cost half as much, as in BIC": partial(_with, replace(RULE, claim=1.0)),
    "claims cost twice as much": partial(_with, replace(RULE, claim=4.0)),
    "ties and functions are free": _changed(lambda laws: {"claims": laws.evidence.constants}),
    "a constant costs 10 % of the inner error": partial(_with, replace(RULE, price=0.1)),
    "no agreement": _changed(lambda laws: {"beyond": laws.evidence.beyond[:, :0]}),
    "half agree": partial(_with, replace(RULE, agree=0.5)),
    "axes as if they had rows of their own": _changed(lambda laws: {"axes": 1}),
    "published laws like found ones": _changed(lambda laws: {"published": np.zeros_like(laws.evidence.published)}),
    "no published laws": _changed(lambda laws: {"sane": laws.evidence.sane & ~laws.evidence.published}),
    "lowest training residual": lambda laws: int(np.argmin(laws.evidence.residual)),
    BEST_SANE: lambda laws: int(np.argmin(np.where(laws.evidence.sane, laws.errors, np.inf))),
    ORACLE: lambda laws: int(np.argmin(laws.errors)),
}
AVERAGE = f"average of {MEMBERS} (no law)"
NAMES = (*list(RULES)[:-2], AVERAGE, BEST_SANE, ORACLE)


def held_out_error(laws: Laws, name: str) -> float:
    """RMSE on the held-out rows of what a rule chooses; a large one where it chooses none."""
    if name == AVERAGE:
        return laws.error(average(laws))
    place = RULES[name](laws)
    return laws.error(np.full_like(laws.target, np.nan) if place is None else laws.predictions[place])


def average(laws: Laws) -> np.ndarray:
    """Median prediction of the best sane laws that have finite ones, as `discover.selection.ensemble` makes it."""
    scores = np.where(laws.evidence.sane, laws.evidence.scores(), np.inf)
    best = [k for k in np.argsort(scores, kind="stable")[:MEMBERS] if np.isfinite(scores[k])]
    finite = [laws.predictions[k] for k in best if np.isfinite(laws.predictions[k]).all()]
    return np.asarray(np.median(finite, axis=0)) if finite else np.full_like(laws.target, np.nan)
