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
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from discover.dataset import FeatureKind
from discover.distil import Proposal
from discover.errors import FitError, InputError
from discover.fitting import Fit, Objective, fit
from discover.law import Law
from discover.sanity import SanityCheck, passes, sanity
from discover.scoring import score
from discover.skeleton import EXPONENT, FLOOR

T = TypeVar("T")
SHARES = (0.15, 0.3, 0.45)  # of the training rows, about, that each inner hold-out holds out
SAME_SIZE = 0.1  # difference in the logarithm below which two sizes are one
EARNED = 0.25  # error of a law with undetermined constants, relative to the best of the others, at which it is chosen
WORTH_PROCESSES = 8  # tasks below which starting processes takes longer than the work
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
        The feature along which the held-out rows are larger: inner hold-outs are made along it too.
    positive
        Whether the target must be positive.
    """

    columns: Mapping[str, np.ndarray]
    target: np.ndarray
    kinds: Mapping[str, FeatureKind]
    axis: str
    positive: bool = True

    def part(self, chosen: np.ndarray) -> Rows:
        """Some of the rows."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return replace(self, columns=columns, target=self.target[chosen])


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

    fit: Fit
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
        constants, errors = self.fit.law.constants, self.fit.errors
        return all(
            np.isfinite(errors[name])
            and (constants[name].meaning not in (EXPONENT, FLOOR) or abs(value) > errors[name])
            for name, value in self.fit.values.items()
        )

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
    if len(distinct) < 3:
        raise InputError(
            f"the training rows have {len(distinct)} sizes: choosing a law needs at least 3, so that smaller ones can "
            "predict larger ones; hold out fewer rows"
        )
    hold_outs: list[np.ndarray] = []
    for share in shares:
        threshold = np.quantile(sizes, 1 - share, method="higher")
        threshold = min(max(threshold, distinct[2]), distinct[-1])
        rows = sizes >= threshold
        if not any(np.array_equal(rows, other) for other in hold_outs):
            hold_outs.append(rows)
    return hold_outs


def judge_baselines(laws: Sequence[Law], rows: Rows, objective: Objective, *, seed: int, jobs: int) -> list[Judged]:
    """Fit and judge published and null laws; a law that cannot be fitted to the rows is left out."""
    found = _in_processes(_judge, [(law, None, "", rows, objective, seed, 64) for law in laws], jobs)
    return [judged for judged in found if judged is not None]


def judge_proposals(
    proposals: Sequence[Proposal], rows: Rows, objective: Objective, *, seed: int, jobs: int
) -> list[Judged]:
    """Fit and judge found laws: all on the first inner hold-out, the best of them thoroughly."""
    first = inner_hold_outs(rows.columns[rows.axis])[0]
    quick = _in_processes(_quick_error, [(p, rows, first, objective, seed) for p in proposals], jobs)
    finalists = _finalists(proposals, quick)
    tasks = [(p.law, p.start, p.engine, rows, objective, seed, 24) for p in finalists]
    found = _in_processes(_judge, tasks, jobs)
    return _without_twins([judged for judged in found if judged is not None], rows)


def _finalists(proposals: Sequence[Proposal], quick: Sequence[float]) -> list[Proposal]:
    """The best few of each number of constants: the simplest laws extrapolate well and seldom come first."""
    chosen: list[Proposal] = []
    counts: dict[int, int] = {}
    for k in np.argsort(np.array(quick), kind="stable"):
        count = len(proposals[k].law.constants)
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
    return min(close, key=lambda c: (len(c.law.constants), c.law.complexity, c.inner_error))


def _judge(
    law: Law,
    start: Mapping[str, float] | None,
    engine: str,
    rows: Rows,
    objective: Objective,
    seed: int,
    starts: int,
) -> Judged | None:
    try:
        whole = fit(law, rows.columns, rows.target, objective=objective, starts=starts, seed=seed, first=start)
    except FitError:
        return None
    errors: dict[int, list[float]] = {}
    inner_rmse = float("inf")
    for number, held in enumerate(inner_hold_outs(rows.columns[rows.axis])):
        small, large = rows.part(~held), rows.part(held)
        try:
            part = fit(law, small.columns, small.target, objective=objective, starts=starts, seed=seed, first=start)
            prediction = part.predict(large.columns)
        except FitError:
            prediction = np.full(len(large.target), np.nan)
        for size, error in _by_size(_errors(objective, prediction, large.target), large.columns[rows.axis]).items():
            errors.setdefault(size, []).append(error)
        if number == 0:
            inner_rmse = score(prediction, large.target).rmse
    checks = sanity(law, whole.values, rows.columns, rows.kinds, positive=rows.positive)
    return Judged(whole, np.array([np.median(errors[size]) for size in sorted(errors)]), inner_rmse, checks, engine)


def _quick_error(proposal: Proposal, rows: Rows, held: np.ndarray, objective: Objective, seed: int) -> float:
    """Error of a law on one inner hold-out after a short fit."""
    small, large = rows.part(~held), rows.part(held)
    try:
        quick = fit(
            proposal.law, small.columns, small.target, objective=objective, starts=4, seed=seed, first=proposal.start
        )
    except FitError:
        return float("inf")
    return float(np.mean(_errors(objective, quick.predict(large.columns), large.target)))


def _errors(objective: Objective, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    size = np.abs(objective.residual(prediction, target))
    return np.where(np.isfinite(size), size, np.inf)


def _by_size(errors: np.ndarray, sizes: np.ndarray) -> dict[int, float]:
    """Mean error of each size; sizes within about a tenth of each other count as one."""
    bins, index = np.unique(np.round(np.log(sizes) / SAME_SIZE).astype(int), return_inverse=True)
    means = np.bincount(index, errors) / np.bincount(index)
    return dict(zip(bins.tolist(), means.tolist(), strict=True))


def _without_twins(judged: Sequence[Judged], rows: Rows) -> list[Judged]:
    """Drop a law that makes the predictions of a simpler one."""
    kept: list[Judged] = []
    predictions: list[np.ndarray] = []
    for candidate in sorted(judged, key=lambda c: (len(c.law.constants), c.law.complexity)):
        prediction = candidate.fit.predict(rows.columns)
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
