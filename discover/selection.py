"""Choose one law among those found, without seeing a held-out row.

The training rows are split as the held-out rows were: by size. Each inner hold-out fits every law on the smaller
training sizes and asks how well it predicts the larger ones; several of them, at different sizes, keep one lucky
split from deciding. Laws are compared by the mean absolute error of the logarithm (of the residual itself where the
target can be negative), which a few odd runs cannot swing. Runs of one size are not independent, so each size counts
once, with the median of the predictions made for it. Among the laws that are no worse than the best by one standard
error of the paired difference over sizes, the simplest is chosen. A law that fails its sanity checks cannot be
chosen; one with an exponent or a floor that the rows do not determine must earn it by a much smaller error.

The engines search below the largest training sizes only: the first inner hold-out is new to the form of every law,
the others to its constants.

Where rows are in groups, every group is split along its own sizes. Where the held-out rows are no larger than the
others (unseen mixtures), the inner hold-outs are folds of the distinct settings instead, and a setting is what a size
is elsewhere.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from discover.dataset_card import FeatureKind
from discover.distil import Proposal
from discover.errors import FitError, InputError
from discover.fitting import AnyFit, Objective, fit_rows
from discover.law import Law
from discover.sanity import SanityCheck, merged, passes, sanity_of_groups
from discover.scoring import score
from discover.skeleton import EXPONENT, FLOOR

T = TypeVar("T")
SHARES = (0.15, 0.3, 0.45)  # of the training rows, about, that each inner hold-out holds out
SAME_SIZE = 0.1  # difference in the logarithm below which two sizes are one
EARNED = 0.25  # error of a law with undetermined constants, relative to the best of the others, at which it is chosen
WORTH_PROCESSES = 8  # tasks below which starting processes takes longer than the work
FEWEST_SIZES = 3  # of which two are learnt from and one is predicted
FOLDS = 4  # inner hold-outs where rows have no size to be split along
QUICK_GROUPS = 4  # groups on which all found laws are judged, before the best of them are judged on all
DETERMINED = 0.5  # share of the groups whose rows must determine a law
FINALISTS = 6  # laws of each number of constants that are judged on all inner hold-outs


@dataclass(frozen=True)
class Rows:
    """Rows as the judging of laws sees them: training rows only.

    Attributes
    ----------
    columns, target
        Features by symbol, and the target.
    kinds
        Kind of each feature.
    axis
        The feature along which the held-out rows are larger: inner hold-outs are made along it too. `None` when they
        are not larger in any.
    positive
        Whether the target must be positive.
    groups
        Name of each row's group; `None` when rows are in no groups.
    """

    columns: Mapping[str, np.ndarray]
    target: np.ndarray
    kinds: Mapping[str, FeatureKind]
    axis: str | None
    positive: bool = True
    groups: np.ndarray | None = None

    def part(self, chosen: np.ndarray) -> Rows:
        """Some of the rows."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        groups = None if self.groups is None else self.groups[chosen]
        return replace(self, columns=columns, target=self.target[chosen], groups=groups)

    def group_names(self) -> list[str]:
        """The groups, in the order in which they come; one without a name when there are none."""
        return [""] if self.groups is None else list(dict.fromkeys(self.groups.tolist()))

    def of_group(self, name: str) -> np.ndarray:
        """Which rows are in a group, as booleans."""
        if self.groups is None:
            return np.ones(len(self.target), dtype=bool)
        return np.asarray(self.groups == name)

    def places(self) -> np.ndarray:
        """A number for each row's size, alike for sizes within about a tenth; or for its setting without an axis."""
        if self.axis is not None:
            return np.asarray(np.round(np.log(self.columns[self.axis]) / SAME_SIZE).astype(int))
        settings = np.column_stack(list(self.columns.values()))
        return np.asarray(np.unique(np.round(settings, 12), axis=0, return_inverse=True)[1].ravel())


@dataclass(frozen=True)
class Judged:
    """A law fitted on all training rows, with its errors on the inner hold-outs.

    Attributes
    ----------
    fit
        The fit on all training rows.
    inner_errors
        Error at each size that an inner hold-out holds out: the mean over the rows of that size, and the median
        over the hold-outs; infinite where a prediction is not.
    inner_rmse
        Root mean square error on the rows of the first inner hold-out, the largest training sizes.
    checks
        The sanity card.
    engine
        Which engine proposed the law; empty for baselines.
    """

    fit: AnyFit
    inner_errors: np.ndarray = field(repr=False)
    inner_rmse: float
    checks: list[SanityCheck]
    engine: str = ""

    @property
    def law(self) -> Law:
        """The law."""
        return self.fit.law

    @property
    def inner_error(self) -> float:
        """Mean of the inner errors."""
        return float(np.mean(self.inner_errors)) if len(self.inner_errors) else float("inf")

    @property
    def determined(self) -> bool:
        """Whether the rows determine the law: every error is defined, and no exponent or floor has one above its size.

        Coefficients and offsets are left out: how large their errors are beside them depends on the units of the
        features. One that is not determined shows in the exponents and the floor, which have no such units.
        """
        constants = self.fit.law.parameters
        determined = [
            all(
                np.isfinite(part.errors[name])
                and (constants[name].meaning not in (EXPONENT, FLOOR) or abs(value) > part.errors[name])
                for name, value in part.values.items()
            )
            for part in self.fit.parts.values()
        ]
        return sum(determined) >= DETERMINED * len(determined)

    @property
    def sane(self) -> bool:
        """Whether the law passed its sanity checks."""
        return passes(self.checks)


def inner_hold_outs(sizes: np.ndarray, shares: Sequence[float] = SHARES) -> list[np.ndarray]:
    """Which training rows each inner hold-out holds out, as booleans, the largest sizes alone first.

    Parameters
    ----------
    sizes
        The size of each training row; rows of one size are never divided.

    Raises
    ------
    InputError
        When all rows have one size.
    """
    distinct = np.unique(sizes)
    if len(distinct) < FEWEST_SIZES:
        raise InputError(
            f"the training rows have {len(distinct)} sizes: choosing a law needs at least {FEWEST_SIZES}, so that "
            "smaller ones can predict larger ones; hold out fewer rows"
        )
    hold_outs: list[np.ndarray] = []
    for share in shares:
        threshold = np.quantile(sizes, 1 - share, method="higher")
        threshold = min(max(threshold, distinct[2]), distinct[-1])
        rows = sizes >= threshold
        if not any(np.array_equal(rows, other) for other in hold_outs):
            hold_outs.append(rows)
    return hold_outs


def hold_outs(rows: Rows) -> list[np.ndarray]:
    """Which rows each inner hold-out holds out, as booleans: along the sizes of each group, or by folds of settings.

    Raises
    ------
    InputError
        When no group has three sizes, or there are too few settings.
    """
    if rows.axis is None:
        return _folds(rows.places())
    of_groups = []
    for name in rows.group_names():
        inside = rows.of_group(name)
        try:
            inner = inner_hold_outs(rows.columns[rows.axis][inside])
        except InputError:
            if rows.groups is None:
                raise
            continue  # too few sizes: all its rows stay with the smaller ones
        of_groups.append((inside, inner))
    if not of_groups:
        raise InputError(f"no group has three sizes {rows.axis} among its training rows, which choosing a law needs")
    made = []
    for number in range(max(len(inner) for _, inner in of_groups)):
        held = np.zeros(len(rows.target), dtype=bool)
        for inside, inner in of_groups:
            held[inside] = inner[min(number, len(inner) - 1)]
        made.append(held)
    return made


def _can_be_split(rows: Rows, name: str) -> bool:
    """Whether a group has sizes enough for an inner hold-out of its own."""
    return rows.axis is None or len(np.unique(rows.columns[rows.axis][rows.of_group(name)])) >= FEWEST_SIZES


def _folds(places: np.ndarray) -> list[np.ndarray]:
    distinct = np.unique(places)
    if len(distinct) < 2 * FOLDS:
        raise InputError(f"the training rows have {len(distinct)} settings: choosing a law needs {2 * FOLDS} or more")
    fold = np.random.default_rng(0).permutation(np.arange(len(distinct)) % FOLDS)
    return [fold[np.searchsorted(distinct, places)] == number for number in range(FOLDS)]


def judge_baselines(laws: Sequence[Law], rows: Rows, objective: Objective, *, seed: int, jobs: int) -> list[Judged]:
    """Fit and judge published and null laws; a law that cannot be fitted to the rows is left out."""
    starts = 64 if rows.groups is None else 24
    found = _in_processes(_judge, [(law, None, "", rows, objective, seed, starts) for law in laws], jobs)
    return [judged for judged in found if judged is not None]


def judge_proposals(
    proposals: Sequence[Proposal], rows: Rows, objective: Objective, *, seed: int, jobs: int
) -> list[Judged]:
    """Fit and judge found laws: all on the first inner hold-out, the best of them thoroughly."""
    names = [name for name in rows.group_names() if _can_be_split(rows, name)]
    few = names[:: max(1, -(-len(names) // QUICK_GROUPS))]
    some = rows.part(np.any([rows.of_group(name) for name in few], axis=0))
    first = hold_outs(some)[0]
    quick = _in_processes(_quick_error, [(p, some, first, objective, seed) for p in proposals], jobs)
    finalists = _finalists(proposals, quick)
    starts = 24 if rows.groups is None else 8
    tasks = [(p.law, p.start, p.engine, rows, objective, seed, starts) for p in finalists]
    found = _in_processes(_judge, tasks, jobs)
    return _without_twins([judged for judged in found if judged is not None], rows)


def _finalists(proposals: Sequence[Proposal], quick: Sequence[float]) -> list[Proposal]:
    """The best few of each number of constants: the simplest laws extrapolate well and seldom come first."""
    chosen: list[Proposal] = []
    counts: dict[int, int] = {}
    for k in np.argsort(np.array(quick), kind="stable"):
        count = len(proposals[k].law.parameters)
        if np.isfinite(quick[k]) and counts.get(count, 0) < FINALISTS:
            counts[count] = counts.get(count, 0) + 1
            chosen.append(proposals[k])
    return chosen


def choose(judged: Sequence[Judged]) -> Judged | None:
    """The chosen law: the simplest of those that are about as good as the best; `None` when none is sane."""
    sane = [candidate for candidate in judged if candidate.sane and np.isfinite(candidate.inner_error)]
    if not sane:
        return None
    best = min(sane, key=lambda candidate: candidate.inner_error)
    determined = [candidate for candidate in sane if candidate.determined]
    if determined and best.inner_error > EARNED * min(candidate.inner_error for candidate in determined):
        sane = determined
        best = min(sane, key=lambda candidate: candidate.inner_error)
    close = []
    for candidate in sane:
        difference = candidate.inner_errors - best.inner_errors
        error = float(np.std(difference, ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else 0.0
        if float(np.mean(difference)) <= error:
            close.append(candidate)
    return min(close, key=lambda c: (len(c.law.parameters), c.law.complexity, c.inner_error))


def _judge(
    law: Law,
    start: Mapping[str, float] | None,
    engine: str,
    rows: Rows,
    objective: Objective,
    seed: int,
    starts: int,
) -> Judged | None:
    options: dict[str, Any] = {"objective": objective, "starts": starts, "seed": seed, "first": start}
    try:
        whole = fit_rows(law, rows.columns, rows.target, rows.groups, **options)
    except FitError:
        return None
    errors: dict[int, list[float]] = {}
    inner_rmse = float("inf")
    places = rows.places()
    for number, held in enumerate(hold_outs(rows)):
        small, large = rows.part(~held), rows.part(held)
        try:
            part = fit_rows(law, small.columns, small.target, small.groups, **options, retries=0 if engine else 2)
            prediction = part.predict(large.columns, large.groups)
        except (FitError, InputError):
            prediction = np.full(len(large.target), np.nan)
        for place, error in _by_place(_errors(objective, prediction, large.target), places[held]).items():
            errors.setdefault(place, []).append(error)
        if number == 0:
            inner_rmse = score(prediction, large.target).rmse
    checks = _checks(whole, rows)
    return Judged(whole, np.array([np.median(errors[place]) for place in sorted(errors)]), inner_rmse, checks, engine)


def _checks(fit: AnyFit, rows: Rows) -> list[SanityCheck]:
    """The sanity card of a fit; with groups, a check fails when it fails in more than a quarter of them."""
    parts = {name: part.values for name, part in fit.parts.items()}
    found = sanity_of_groups(fit.law, parts, rows.columns, rows.target, rows.groups, rows.kinds, positive=rows.positive)
    return merged(found)


def _quick_error(proposal: Proposal, rows: Rows, held: np.ndarray, objective: Objective, seed: int) -> float:
    """Error of a law on one inner hold-out after a short fit."""
    small, large = rows.part(~held), rows.part(held)
    try:
        options: dict[str, Any] = {
            "objective": objective,
            "starts": 4,
            "retries": 0,
            "seed": seed,
            "first": proposal.start,
        }
        quick = fit_rows(proposal.law, small.columns, small.target, small.groups, **options)
        prediction = quick.predict(large.columns, large.groups)
    except (FitError, InputError):
        return float("inf")
    return float(np.mean(_errors(objective, prediction, large.target)))


def _errors(objective: Objective, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    size = np.abs(objective.residual(prediction, target))
    return np.where(np.isfinite(size), size, np.inf)


def _by_place(errors: np.ndarray, places: np.ndarray) -> dict[int, float]:
    """Mean error of each size or setting."""
    distinct, index = np.unique(places, return_inverse=True)
    means = np.bincount(index, errors) / np.bincount(index)
    return dict(zip(distinct.tolist(), means.tolist(), strict=True))


def _without_twins(judged: Sequence[Judged], rows: Rows) -> list[Judged]:
    """Drop a law that makes the predictions of a simpler one."""
    kept: list[Judged] = []
    predictions: list[np.ndarray] = []
    for candidate in sorted(judged, key=lambda c: (len(c.law.parameters), c.law.complexity)):
        prediction = candidate.fit.predict(rows.columns, rows.groups)
        if not any(np.allclose(prediction, other, rtol=1e-6, atol=0.0) for other in predictions):
            kept.append(candidate)
            predictions.append(prediction)
    return kept


def _in_processes(function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], jobs: int) -> list[T]:
    """Call `function` with each of the tasks, in `jobs` processes, in order."""
    if jobs == 1 or len(tasks) < WORTH_PROCESSES:
        return [function(*task) for task in tasks]
    from joblib import Parallel, delayed

    # Ctrl-C is for the parent, which stops the children; they would only print tracebacks.
    pool = Parallel(n_jobs=jobs, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    return list(pool(delayed(function)(*task) for task in tasks))
