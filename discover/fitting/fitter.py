"""`fit`: the constants of a law for given rows, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from discover.errors import FitError, InputError
from discover.fitting import starts as starts_of
from discover.fitting.errors import covariance
from discover.fitting.objective import Objective
from discover.fitting.solver import Problem, solve
from discover.law import Law

WarningCode = Literal["few_rows", "starts_disagree", "at_bound", "flat"]
AGREE = 1e-4  # relative difference of objectives below which two starts agree
EXACT = 1e-8  # residual, relative to the target, below which a fit is exact: smaller ones are rounding
ELEMENTS = 2_000_000  # derivatives that are held at once: 16 MB, of which a step makes some copies
ENOUGH = 0.2  # share of starts that must agree


@dataclass(frozen=True)
class FitWarning:
    """Something about a fit that its reader must know."""

    code: WarningCode
    message: str


@dataclass(frozen=True)
class Fit:
    """A law with the values of its constants for given rows.

    Attributes
    ----------
    law
        The law that was fitted.
    values
        Value of each constant, by name.
    errors
        Standard error of each constant, from the robust covariance; NaN where it is not determined.
    objective, loss
        What was minimised, and its value: a sum over rows.
    n_rows
        Number of rows.
    agreement
        Share of the starts whose objective came within 1e-4 (relative) of the best; exact fits agree.
    n_starts
        Number of starts tried.
    covariance
        Of the constants, in the order of ``law.parameters``.
    warnings
        What the reader must know, the most important first.
    """

    law: Law
    values: Mapping[str, float]
    errors: Mapping[str, float]
    objective: Objective
    loss: float
    n_rows: int
    agreement: float
    n_starts: int
    covariance: np.ndarray = field(repr=False)
    warnings: tuple[FitWarning, ...] = ()

    def predict(self, features: Mapping[str, np.ndarray], groups: np.ndarray | None = None) -> np.ndarray:
        """Prediction of the law at `features`, in their shape, also where the law depends on none of them.

        `groups` is for fits with groups (`GroupedFit`); this one has one set of constants for all rows.
        """
        prediction = self.law.predict(features, self.values)
        return np.broadcast_to(prediction, np.broadcast_shapes(*map(np.shape, features.values()))).copy()

    @property
    def parts(self) -> dict[str, Fit]:
        """The fit of each group, by its name; this one alone, under an empty name, when rows are in no groups."""
        return {"": self}


def fit(
    law: Law,
    features: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    objective: Objective | None = None,
    starts: int = 64,
    retries: int = 2,
    seed: int = 0,
    first: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
) -> Fit:
    """Fit the constants of `law` to rows.

    Parameters
    ----------
    law
        The law; its constants say in which range starts are drawn and which values are legal.
    features, target
        Columns by symbol, and the column to predict; one length.
    objective
        What to minimise; by default `Objective.suited_to` the target: Huber on the log with delta 1e-3.
    starts
        Number of random starts.
    retries
        How often more starts are tried, each time twice as many, while fewer than a fifth reach the best objective.
    seed
        Seed of the starts.
    first
        Constants of one more start, e.g. published ones, or those of a fit on fewer rows.
    fixed
        Constants that are not fitted, with their values.

    Returns
    -------
    The best fit of all starts.

    Raises
    ------
    FitError
        When there are fewer rows than free constants, the target is not fit for the objective, or no start has
        finite predictions.
    InputError
        When a feature or a start value is missing, or a row is not finite.

    Examples
    --------
    >>> from discover.law import load_law
    >>> N = np.geomspace(1e7, 1e10, 30)
    >>> result = fit(load_law("powerlaw_one_feature").on("N"), {"N": N}, (8.8e13 / N) ** 0.076)
    >>> round(result.values["alpha"], 6)
    0.076
    """
    target = np.asarray(target, dtype=float)
    columns = _columns(law, features, target)
    objective = objective or Objective.suited_to(target)
    if objective.logarithmic and np.any(target <= 0):
        raise FitError(f"the objective {objective.name} needs a positive target: use 'huber' or 'squared' instead")
    fixed = dict(fixed or {})
    for name in fixed:
        if name not in law.parameters:
            raise InputError(f"law {law.name!r} has no constant {name!r}: it has {', '.join(law.parameters)}")
    free = [name for name in law.parameters if name not in fixed]
    if len(target) < len(free):
        raise FitError(f"law {law.name!r} has {len(free)} free constants and there are only {len(target)} rows")
    space = _Space(law, free, fixed)
    problem = _problem(law, columns, target, objective, space)
    rows = _Rows(columns, target)
    points, losses, tried = _search(problem, space, rows, [starts << k for k in range(retries + 1)], seed, first)
    if not len(points):
        raise FitError(f"law {law.name!r} has no finite prediction at any of {tried} starts: check its ranges")
    best = points[0]
    agreement = float(np.sum(losses <= _close_to(losses[0], objective, target)) / tried)
    constants = space.constants(best[None])[0]
    residual, jacobian = _constant_jacobian(law, columns, target, objective, constants)
    free_index = [list(law.parameters).index(name) for name in free]
    matrix = np.full((len(law.parameters), len(law.parameters)), 0.0)
    inner, flat = covariance(residual, jacobian[:, free_index], objective)
    matrix[np.ix_(free_index, free_index)] = inner
    warnings = _warnings(law, free, constants, agreement, tried, len(target), flat)
    return Fit(
        law=law,
        values=dict(zip(law.parameters, map(float, constants), strict=True)),
        errors=dict(zip(law.parameters, map(float, np.sqrt(np.diag(matrix))), strict=True)),
        objective=objective,
        loss=float(losses[0]),
        n_rows=len(target),
        agreement=agreement,
        n_starts=tried,
        covariance=matrix,
        warnings=warnings,
    )


def _columns(law: Law, features: Mapping[str, np.ndarray], target: np.ndarray) -> list[np.ndarray]:
    if target.ndim != 1 or not len(target):
        raise FitError(f"law {law.name!r} cannot be fitted: there are no rows")
    missing = [name for name in law.columns if name not in features]
    if missing:
        legal = ", ".join(features) or "none"
        raise InputError(f"law {law.name!r} needs the feature {missing[0]!r}; the rows have: {legal}")
    columns = [np.asarray(features[name], dtype=float) for name in law.columns]
    for name, column in zip(law.columns, columns, strict=True):
        if column.shape != target.shape:
            raise InputError(f"the feature {name!r} has {column.shape} values and the target has {target.shape}")
    for name, column in (*zip(law.columns, columns, strict=True), (law.target, target)):
        if not np.isfinite(column).all():
            row = int(np.flatnonzero(~np.isfinite(column))[0])
            raise InputError(f"law {law.name!r} cannot be fitted: {name} is {column[row]} in row {row} (from 0)")
    return columns or [np.zeros_like(target)]


def _close_to(loss: float, objective: Objective, target: np.ndarray) -> float:
    """The largest loss that agrees with `loss`: relative to it, or that of residuals which are mere rounding."""
    rounding = EXACT if objective.logarithmic else EXACT * float(np.max(np.abs(target)))
    return loss + max(AGREE * loss, float(objective.loss(np.full(len(target), rounding))))


@dataclass(frozen=True)
class _Rows:
    """The columns of the law's features, in its order, and the target."""

    columns: list[np.ndarray]
    target: np.ndarray


class _Space:
    """The parameters in which the solver moves: the logarithm of `log` constants, the others as they are."""

    def __init__(self, law: Law, free: list[str], fixed: Mapping[str, float]) -> None:
        self.law, self.free = law, free
        self.log = np.array([law.parameters[name].log for name in free], dtype=bool)
        lower = np.array([law.parameters[name].lower for name in free], dtype=float)
        upper = np.array([law.parameters[name].upper for name in free], dtype=float)
        with np.errstate(divide="ignore"):
            self.lower = np.where(self.log, np.log(np.maximum(lower, 0.0)), lower)
            self.upper = np.where(self.log, np.log(np.maximum(upper, 0.0)), upper)
        order = list(law.parameters)
        self.index = np.array([order.index(name) for name in free], dtype=int)
        self.template = np.array([fixed.get(name, 0.0) for name in order], dtype=float)

    def draw(self, count: int, seed: int) -> np.ndarray:
        """`count` points spread evenly over the ranges of the free constants."""
        low, high = np.array([self.law.parameters[name].range for name in self.free], dtype=float).T
        return starts_of.draw(self.inner(low), self.inner(high), count, seed)

    def inner(self, constants: np.ndarray) -> np.ndarray:
        """Parameters of values of the free constants."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.log, np.log(np.where(self.log, constants, 1.0)), constants)

    def constants(self, points: np.ndarray) -> np.ndarray:
        """All constants, shape (starts, constants), of parameters of shape (starts, free)."""
        full = np.repeat(self.template[None], len(points), axis=0)
        with np.errstate(over="ignore"):
            full[:, self.index] = np.where(self.log, np.exp(np.where(self.log, points, 0.0)), points)
        return full


def _problem(law: Law, columns: list[np.ndarray], target: np.ndarray, objective: Objective, space: _Space) -> Problem:
    def residuals(points: np.ndarray) -> np.ndarray:
        return objective.residual(law.compiled.predict(columns, space.constants(points)), target)

    def jacobian(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        constants = space.constants(points)
        prediction, derivative = law.compiled.predict_with_jacobian(columns, constants)
        derivative = derivative[..., space.index]
        scale = np.where(space.log, constants[:, space.index], 1.0)[:, None, :]
        with np.errstate(all="ignore"):
            derivative = derivative * scale
            if objective.logarithmic:
                derivative = derivative / prediction[..., None]
        return objective.residual(prediction, target), derivative

    return Problem(residuals, jacobian, space.lower, space.upper, objective)


def _search(
    problem: Problem,
    space: _Space,
    rows: _Rows,
    batches: Sequence[int],
    seed: int,
    first: Mapping[str, float] | None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Solve from random starts, and from more of them while too few agree."""
    given = np.zeros((0, len(space.free)))
    if first is not None:
        missing = [name for name in space.free if name not in first]
        if missing:
            raise InputError(f"the first start of law {space.law.name!r} has no value of the constant {missing[0]!r}")
        given = space.inner(np.array([[first[name] for name in space.free]], dtype=float))
    if not space.free:
        given = np.zeros((1, 0))
    linear = starts_of.linear_constants(space.law, space.free) if batches[0] else []
    tried, found, losses = 0, np.zeros((0, len(space.free))), np.zeros(0)
    for attempt, count in enumerate(batches):
        batch = given if attempt == 0 else given[:0]
        if count and space.free:
            drawn = space.draw(starts_of.DRAWN * count, seed + 1000 * attempt)
            size = np.zeros(len(drawn))
            for part in _chunks(len(drawn), rows, space):
                solved = starts_of.solve_linear(
                    space.law, rows.columns, rows.target, space.constants(drawn[part]), linear
                )
                drawn[part] = space.inner(solved[:, space.index])
                size[part] = starts_of.size(problem.residuals(drawn[part]))
            batch = np.concatenate([batch, drawn[np.argsort(size, kind="stable")[:count]]])
        tried += len(batch)
        for part in _chunks(len(batch), rows, space):
            found = np.concatenate([found, solve(problem, batch[part])])
        losses = problem.objective.loss(problem.residuals(found))
        order = np.argsort(losses, kind="stable")
        found, losses = found[order], losses[order]
        if not count or not space.free:
            break
        if len(found) and np.sum(losses <= _close_to(losses[0], problem.objective, rows.target)) >= ENOUGH * tried:
            break
    return found, losses, tried


def _chunks(count: int, rows: _Rows, space: _Space) -> Iterator[slice]:
    """Slices of `count` points, so few each that their derivatives on all rows fit into memory."""
    step = max(1, ELEMENTS // max(1, len(rows.target) * len(space.law.parameters)))
    for first in range(0, count, step):
        yield slice(first, first + step)


def _constant_jacobian(
    law: Law, columns: list[np.ndarray], target: np.ndarray, objective: Objective, constants: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals and their derivatives in the constants themselves, at the optimum."""
    prediction, jacobian = law.compiled.predict_with_jacobian(columns, constants[None])
    if objective.logarithmic:
        jacobian = jacobian / prediction[..., None]
    return objective.residual(prediction, target)[0], jacobian[0]


def _warnings(
    law: Law,
    free: list[str],
    constants: np.ndarray,
    agreement: float,
    tried: int,
    n_rows: int,
    flat: list[list[int]],
) -> tuple[FitWarning, ...]:
    found = []
    if n_rows <= len(free) + 1:
        found.append(FitWarning("few_rows", f"{n_rows} rows hardly determine {len(free)} constants"))
    found += [warning_of_flat([free[k] for k in group]) for group in flat]
    if agreement < ENOUGH:
        found.append(warning_of_starts(agreement, tried))
    return (*found, *warnings_of_bounds(law, free, constants))


def warning_of_flat(names: list[str]) -> FitWarning:
    """That the rows do not determine some constants, or not apart."""
    rest = "trade off: the rows do not determine them apart" if len(names) > 1 else "is not determined by the rows"
    return FitWarning("flat", f"{' and '.join(names)} {rest}")


def warning_of_starts(agreement: float, tried: int) -> FitWarning:
    """That few starts reached the best objective."""
    message = f"only {agreement:.0%} of {tried} starts reached the best objective: a better one may exist"
    return FitWarning("starts_disagree", message)


def warnings_of_bounds(law: Law, free: list[str], constants: np.ndarray) -> list[FitWarning]:
    """Which of the `free` constants lie at a bound; `constants` are all of the law's, in its order."""
    found = []
    values = dict(zip(law.parameters, constants, strict=True))
    for name in free:
        constant = law.parameters[name]
        low, _ = constant.range
        near_zero = constant.positive and values[name] < 1e-9 * low
        if near_zero or np.isclose(values[name], [constant.lower, constant.upper], rtol=1e-9, atol=0.0).any():
            found.append(FitWarning("at_bound", f"{name} = {values[name]:.3g} lies at its bound"))
    return found
