"""Fit laws on all training rows and on those that each inner hold-out leaves, and say how wrong they are on the others.

Errors are mean absolute errors of the logarithm (of the residual itself where the target can be negative), which a few
odd runs cannot swing. Runs of one size are not independent, so each size counts once, however many runs it has and
however many hold-outs ask for it; errors are compared by their logarithms, so that no size decides alone. Found laws
pass three rounds, each with fewer laws and more care.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from discover.distil import Proposal
from discover.errors import FitError, InputError
from discover.fitting import AnyFit, Objective, fit_rows
from discover.law import Law
from discover.rolling import Split
from discover.sanity import SanityCheck, merged, passes, sanity_of_groups
from discover.scoring import score
from discover.selection.rows import Rows

T = TypeVar("T")
WORTH_PROCESSES = 8  # tasks below which starting processes takes longer than the work
QUICK_GROUPS = 4  # groups on which all found laws are judged, before the best of them are judged on all
FINALISTS = 6  # laws of each number of constants that pass the first round for their errors
CLOSEST = 3  # and for their engine's loss, of each engine
CAREFULLY = 20  # laws that pass the second
RESOLUTION = 1e-9  # smallest error that is told from none


@dataclass(frozen=True)
class Judged:
    """A law fitted on all training rows, with its errors on the inner hold-outs.

    Attributes
    ----------
    fit
        The fit on all training rows.
    inner_errors
        Error at each size (of each axis and group) that an inner hold-out asks for: the mean over the rows of that
        size, and the geometric mean over the hold-outs. Infinite where a prediction is not finite.
    inner_rmse
        Root mean square error on the rows of the first inner hold-out, the largest training sizes.
    checks
        The sanity card.
    engine
        Which engine proposed the law; empty for baselines.
    searches
        The searches that proposed it, by engine and seed.
    predictions
        What it predicts for the rows of each inner hold-out, fitted to the others.
    beyond
        What it predicts beyond the rows (`Rows.beyond`), fitted to all, as residuals to one.
    residuals
        Absolute residuals of the rows that it was fitted to, shape (rows,).
    axes
        Number of axes along which the hold-outs are made: along each, the same rows come again.
    """

    fit: AnyFit
    inner_errors: np.ndarray = field(repr=False)
    inner_rmse: float
    checks: list[SanityCheck]
    engine: str = ""
    searches: tuple[str, ...] = ()
    predictions: tuple[np.ndarray, ...] = field(default=(), repr=False)
    beyond: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    residuals: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    axes: int = 1

    @property
    def law(self) -> Law:
        """The law."""
        return self.fit.law

    @property
    def inner_error(self) -> float:
        """Geometric mean of the inner errors."""
        return float(np.exp(np.mean(self.log_errors))) if len(self.inner_errors) else float("inf")

    @property
    def log_errors(self) -> np.ndarray:
        """Logarithms of the inner errors; what is too small to be told from none counts as so small."""
        return np.asarray(np.log(np.maximum(self.inner_errors, RESOLUTION)))

    @property
    def sane(self) -> bool:
        """Whether the law passed its sanity checks."""
        return passes(self.checks)


@dataclass(frozen=True)
class _Care:
    """How carefully a law is fitted.

    Attributes
    ----------
    starts, retries, thorough
        Of the fit to all rows, as `discover.fitting.fit` has them.
    split_starts
        Random starts of the fits to the rows that a hold-out leaves, besides where the fit to all rows ended.
    """

    starts: int
    retries: int
    split_starts: int
    thorough: bool = True


LIGHTLY = _Care(0, 0, 0, thorough=False)
LIGHTLY_IN_GROUPS = _Care(4, 0, 0, thorough=False)  # the start is that of one group
WITH_CARE = _Care(16, 1, 4)
WITH_CARE_IN_GROUPS = _Care(8, 1, 2)
BASELINE = _Care(64, 2, 16)
BASELINE_IN_GROUPS = _Care(24, 2, 8)


def judge_baselines(laws: Sequence[Law], rows: Rows, objective: Objective, *, seed: int, jobs: int) -> list[Judged]:
    """Fit and judge published and null laws; a law that cannot be fitted to the rows is left out."""
    care = BASELINE if rows.groups is None else BASELINE_IN_GROUPS
    found = in_processes(judge, [(law, None, "", (), rows, objective, seed, care) for law in laws], jobs)
    return [judged for judged in found if judged is not None]


def judge_lightly(
    proposals: Sequence[Proposal], rows: Rows, objective: Objective, *, seed: int, jobs: int
) -> list[Judged]:
    """The first two rounds: all laws on a few groups and one inner hold-out, the best of them on all hold-outs."""
    some = few_groups(rows)
    quick = in_processes(_quick_error, [(p, some, some.splits[0], objective, seed) for p in proposals], jobs)
    finalists = _finalists(proposals, quick)
    care = LIGHTLY if rows.groups is None else LIGHTLY_IN_GROUPS
    tasks = [(p.law, p.start, p.engine, p.searches, some, objective, seed, care) for p in finalists]
    return [judged for judged in in_processes(judge, tasks, jobs) if judged is not None]


def judge_carefully(
    lightly: Sequence[Judged], rows: Rows, objective: Objective, *, seed: int, jobs: int
) -> list[Judged]:
    """The last round: the best of the laws that were judged lightly, on all groups and from many starts."""
    care = WITH_CARE if rows.groups is None else WITH_CARE_IN_GROUPS
    tasks = [
        (one.law, first_values(one.fit), one.engine, one.searches, rows, objective, seed, care)
        for one in _best(lightly)
    ]
    found = in_processes(judge, tasks, jobs)
    return without_twins([judged for judged in found if judged is not None], rows)


def few_groups(rows: Rows) -> Rows:
    """The rows of some of the groups that can be split."""
    names = rows.splittable_groups()
    few = names[:: max(1, -(-len(names) // QUICK_GROUPS))]
    return rows if len(few) == len(rows.group_names()) else rows.part(np.any([rows.of_group(n) for n in few], axis=0))


def first_values(fit: AnyFit) -> dict[str, Any]:
    """The constants of a fit, or those of each group, as the start of another fit."""
    parts = {name: dict(part.values) for name, part in fit.parts.items()}
    return parts[""] if list(parts) == [""] else parts


def _finalists(proposals: Sequence[Proposal], quick: Sequence[float]) -> list[Proposal]:
    """The best few of each number of constants: the simplest laws extrapolate well and seldom come first.

    Best by their error on an inner hold-out, and by their engine's own loss: luck on few rows decides the first alone.
    """
    errors = np.array(quick)
    able = np.flatnonzero(np.isfinite(errors))
    constants = [len(proposals[k].law.parameters) for k in range(len(proposals))]
    fits = [(constants[k], proposals[k].engine) for k in range(len(proposals))]
    losses = np.array([proposal.origins[0].loss for proposal in proposals])
    first = _first_of_each(able[np.argsort(errors[able], kind="stable")], constants, FINALISTS)
    closest = _first_of_each(able[np.argsort(losses[able], kind="stable")], fits, CLOSEST)
    return [proposals[k] for k in dict.fromkeys([*first, *closest])]


def _first_of_each(places: Iterable[int], kinds: Sequence[Hashable], number: int) -> list[int]:
    """The first few places of each kind."""
    counts: Counter[Hashable] = Counter()
    kept = []
    for place in places:
        if counts[kinds[place]] < number:
            counts[kinds[place]] += 1
            kept.append(place)
    return kept


def _best(judged: Sequence[Judged]) -> list[Judged]:
    """The best laws that passed the sanity checks, and the best of each number of constants."""
    from discover.selection.choosing import score as price

    ordered = sorted(judged, key=lambda one: (not one.sane, price(one)))
    chosen = ordered[:CAREFULLY]
    have = {len(one.law.parameters) for one in chosen}
    for one in ordered[CAREFULLY:]:
        count = len(one.law.parameters)
        if count not in have and np.isfinite(one.inner_error):
            have.add(count)
            chosen.append(one)
    return chosen


def judge(
    law: Law,
    start: Mapping[str, Any] | None,
    engine: str,
    searches: tuple[str, ...],
    rows: Rows,
    objective: Objective,
    seed: int,
    care: _Care,
) -> Judged | None:
    """Fit a law on all rows and on those that each hold-out leaves; `None` when it cannot be fitted to the rows."""
    options: dict[str, Any] = {"objective": objective, "seed": seed}
    try:
        whole = fit_rows(
            law,
            rows.columns,
            rows.target,
            rows.groups,
            starts=care.starts,
            retries=care.retries,
            first=start,
            thorough=care.thorough,
            **options,
        )
    except FitError:
        return None
    # One start is where the fit to all rows ended: random ones alone seldom find a narrow valley.
    options |= {"starts": care.split_starts, "retries": 0, "first": first_values(whole), "thorough": False}
    predictions = tuple(_predicted(law, rows, split, options) for split in rows.splits)
    first = rows.splits[0].test
    return Judged(
        whole,
        inner_errors(predictions, rows, objective),
        score(predictions[0], rows.target[first]).rmse,
        _checks(whole, rows),
        engine,
        searches,
        predictions,
        objective.residual(whole.predict(rows.beyond.columns, rows.beyond.groups), np.ones(1)),
        np.abs(objective.residual(whole.predict(rows.columns, rows.groups), rows.target)),
        max(1, len(rows.axes)),
    )


def _predicted(law: Law, rows: Rows, split: Split, options: dict[str, Any]) -> np.ndarray:
    """What a law predicts for the rows of a hold-out, fitted to the others; NaN where it cannot."""
    small, large = rows.part(split.train), rows.part(split.test)
    try:
        part = fit_rows(law, small.columns, small.target, small.groups, **options)
        return np.asarray(part.predict(large.columns, large.groups))
    except (FitError, InputError):
        return np.full(len(large.target), np.nan)


def inner_errors(predictions: Sequence[np.ndarray], rows: Rows, objective: Objective) -> np.ndarray:
    """Error at each size that the inner hold-outs ask for; see `Judged`."""
    logs: dict[tuple[str, int], list[float]] = {}
    for prediction, split in zip(predictions, rows.splits, strict=True):
        size = np.abs(objective.residual(prediction, rows.target[split.test]))
        places = split.place[split.test]
        errors = _by_place(np.where(np.isfinite(size), size, np.inf), places)
        for place, error in zip(np.unique(places).tolist(), errors.tolist(), strict=True):
            logs.setdefault((split.axis, place), []).append(float(np.log(max(error, RESOLUTION))))
    return np.array([np.exp(np.mean(each)) for each in logs.values()])


def _by_place(errors: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Mean error of each size or setting."""
    index = np.unique(places, return_inverse=True)[1].ravel()
    return np.asarray(np.bincount(index, errors) / np.bincount(index))


def _checks(fit: AnyFit, rows: Rows) -> list[SanityCheck]:
    """The sanity card of a fit; with groups, a check fails when it fails in more than a quarter of them."""
    parts = {name: part.values for name, part in fit.parts.items()}
    found = sanity_of_groups(fit.law, parts, rows.columns, rows.target, rows.groups, rows.kinds, positive=rows.positive)
    return merged(found)


def _quick_error(proposal: Proposal, rows: Rows, split: Split, objective: Objective, seed: int) -> float:
    """Error of a law on one inner hold-out after a short fit."""
    options = {
        "objective": objective,
        "starts": 4,
        "retries": 0,
        "seed": seed,
        "first": proposal.start,
        "thorough": False,
    }
    prediction = _predicted(proposal.law, rows, split, options)
    size = np.abs(objective.residual(prediction, rows.target[split.test]))
    size = np.where(np.isfinite(size), size, np.inf)
    return float(np.median(_by_place(size, split.place[split.test])))


def without_twins(judged: Sequence[Judged], rows: Rows) -> list[Judged]:
    """Drop a law that makes the predictions of a simpler one."""
    kept: list[Judged] = []
    predictions: list[np.ndarray] = []
    for candidate in sorted(judged, key=lambda c: (len(c.law.parameters), c.law.complexity)):
        prediction = candidate.fit.predict(rows.columns, rows.groups)
        if not any(np.allclose(prediction, other, rtol=1e-6, atol=0.0) for other in predictions):
            kept.append(candidate)
            predictions.append(prediction)
    return kept


def in_processes(function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], jobs: int) -> list[T]:
    """Call `function` with each of the tasks, in `jobs` processes, in order."""
    if jobs == 1 or len(tasks) < WORTH_PROCESSES:
        return [function(*task) for task in tasks]
    from joblib import Parallel, delayed

    # Ctrl-C is for the parent, which stops the children; they would only print tracebacks.
    pool = Parallel(n_jobs=jobs, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    return list(pool(delayed(function)(*task) for task in tasks))
