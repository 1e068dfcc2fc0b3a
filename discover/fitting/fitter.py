"""`fit`: the constants of a law for given rows, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from discover.errors import FitError, InputError
from discover.fitting import warnings as warning
from discover.fitting.constraints import Constraints, constrained, constraints_of, null_space
from discover.fitting.doubts import falls, of_rounding, vague_constants
from discover.fitting.equations import LawEquations, Rows
from discover.fitting.errors import Certainty, certainty
from discover.fitting.search import ENOUGH, Found, search
from discover.fitting.space import Space, space_of
from discover.fitting.warnings import FitWarning, Status, status_of
from discover.law import Law
from discover.objective import Objective, noise_delta

NOISE = "noise"  # in place of a delta: the one that suits the noise of the rows
ROUNDS = 3  # estimates of that delta, each from the residuals of the fit before


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
        Standard error of each constant, from the robust covariance; NaN where it is not determined, zero where it is
        fixed. Those of a constant at a bound are what they would be without it.
    objective, loss
        What was minimised, and its value: a (weighted) sum over rows.
    n_rows
        Number of rows.
    agreement
        Share of the starts whose objective came within 1e-4 (relative) of the best; all fits that are exact but for
        rounding agree.
    n_starts
        Number of starts tried.
    covariance
        Of the constants, in the order of ``law.parameters``, shape (constants, constants).
    condition
        Condition number of the Jacobian with columns of length one; infinite when a direction is not determined.
    warnings
        What the reader must know, the most important first.
    status
        How far the constants can be trusted, and why.
    space
        Which constants moved, and between which bounds.
    rows
        The rows of the fit, for intervals.
    constraints
        Linear constraints between constants that it keeps.
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
    condition: float
    warnings: tuple[FitWarning, ...]
    status: Status
    space: Space = field(repr=False)
    rows: Rows = field(repr=False)
    constraints: Constraints | None = None

    @property
    def at_bounds(self) -> tuple[str, ...]:
        """Constants that lie at a bound."""
        return tuple(name for warning in self.warnings if warning.code == "at_bound" for name in warning.names)

    @property
    def flat(self) -> tuple[tuple[str, ...], ...]:
        """Constants that the rows do not determine: those of one tuple trade off among each other."""
        return tuple(warning.names for warning in self.warnings if warning.code in {"flat", "vague"})

    @property
    def free(self) -> tuple[str, ...]:
        """Constants that were fitted; those tied to one of them are not named."""
        return self.space.free

    @property
    def point(self) -> np.ndarray:
        """The optimum in the solver's units, shape (parameters,)."""
        constants = np.array([[self.values[name] for name in self.space.names]])
        return np.asarray(np.clip(self.space.points(constants)[0], self.space.lower, self.space.upper))

    @property
    def residuals(self) -> np.ndarray:
        """Residuals of the rows, as the objective has them: of the logarithm, or of the target."""
        return self.objective.residual(self.predict(self.features), self.rows.target)

    @property
    def features(self) -> dict[str, np.ndarray]:
        """The columns of the rows, by symbol; also one of zeros where the law depends on none."""
        return dict(zip(self.law.columns or ("",), self.rows.columns, strict=True))

    def equations(self, rows: Rows | None = None) -> LawEquations:
        """The equations that were solved, for these or for other `rows`."""
        return LawEquations(self.law, self.rows if rows is None else rows, self.objective, self.space)

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


@dataclass(frozen=True)
class Options:
    """How a fit is made; see `fit`."""

    starts: int = 64
    retries: int = 2
    seed: int = 0
    fixed: Mapping[str, float] | None = None
    tied: Mapping[str, str] | None = None
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None
    constraints: Constraints | None = None

    @property
    def batches(self) -> list[int]:
        """Number of starts, and of those added while too few agree."""
        return [self.starts << k for k in range(self.retries + 1)] if self.starts else [0]


def fit(
    law: Law,
    features: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    objective: Objective | None = None,
    delta: float | str | None = None,
    weights: np.ndarray | None = None,
    starts: int = 64,
    retries: int = 2,
    seed: int = 0,
    first: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    constraints: Sequence[str] = (),
) -> Fit:
    """Fit the constants of `law` to rows.

    Parameters
    ----------
    law
        The law; its constants say in which range starts are drawn and which values are legal.
    features, target
        Columns by symbol, and the column to predict, each of shape (rows,), in the units of the law's card.
    objective
        What to minimise; by default `Objective.suited_to` the target: where it is positive, Huber's loss of the
        logarithm with delta 1e-3.
    delta
        The objective's delta: a number, or ``"noise"`` for 1.345 robust standard deviations of the residuals, estimated
        in up to three rounds of fits.
    weights
        Weight of each row in the objective, shape (rows,), zero or more; by default all count one.
    starts
        Number of random starts; zero where only `first` is wanted.
    retries
        How often more starts are tried, each time twice as many, while fewer than a fifth reach the best objective.
    seed
        Seed of the starts.
    first
        Constants of one more start, e.g. published ones, or those of a fit on fewer rows.
    fixed
        Constants that are not fitted, with their values.
    tied
        Constants that take the value of another one, as ``{"beta": "alpha"}``.
    bounds
        Legal values of constants, in place of the card's, as ``{"alpha": (0.1, None)}``.
    constraints
        Linear constraints between constants, as ``["alpha <= beta", "alpha + beta <= 1"]``.

    Returns
    -------
    The best fit of all starts.

    Raises
    ------
    FitError
        When there are fewer rows than free constants, the target is not fit for the objective (zero or less under a
        logarithm), no start has finite predictions, or none leads to constants that keep the constraints.
    InputError
        When a feature or a start value is missing, a constant is unknown, a row is not finite, or a weight, delta,
        fixed value, tie, bound or constraint is not legal.

    Examples
    --------
    >>> from discover.law import load_law
    >>> N = np.geomspace(1e7, 1e10, 30)
    >>> result = fit(load_law("powerlaw_one_feature").on("N"), {"N": N}, (8.8e13 / N) ** 0.076)
    >>> round(result.values["alpha"], 6)
    0.076
    """
    rows = rows_of(law, features, target, weights)
    objective = objective or Objective.suited_to(rows.counted)
    check_target(objective, rows.counted)
    options = Options(
        starts, retries, seed, fixed, tied, bounds, constraints_of(law, constraints) if constraints else None
    )
    space = space_of(law, fixed=fixed, tied=tied, bounds=bounds)
    check_count(law, space, rows)
    given = start_of(law, space, first)
    if delta != NOISE:
        objective = objective if delta is None else replace(objective, delta=_number(delta))
        return _fit(law, rows, objective, space, options, given)
    result = _fit(law, rows, objective, space, options, given)
    for _ in range(ROUNDS):
        estimate = noise_delta(result.residuals, len(space.free), rows.weight)
        if not estimate > 0:
            break
        options = replace(options, starts=min(options.starts, 8), retries=0)
        result = _fit(law, rows, replace(objective, delta=estimate), space, options, result.point[None])
    return result


def _number(delta: float | str) -> float:
    try:
        return float(delta)
    except ValueError:
        raise InputError(f"delta must be a positive number or {NOISE!r}, not {delta!r}") from None


def _fit(law: Law, rows: Rows, objective: Objective, space: Space, options: Options, given: np.ndarray | None) -> Fit:
    equations = LawEquations(law, rows, objective, space)
    (found,) = search(equations, options.batches, options.seed, [given])
    if options.constraints is not None:
        found = constrained(equations, 0, found, options.constraints, options.seed)
    return fit_of(equations, 0, found, options.constraints)


def fit_of(equations: LawEquations, place: int, found: Found, constraints: Constraints | None = None) -> Fit:
    """The fit of the problem number `place` of `equations`, from the optima that were found.

    Raises
    ------
    FitError
        When none was found.
    """
    law, space, objective = equations.law, equations.space, equations.objective
    if not len(found.points):
        kept = "" if constraints is None else f" that keeps {' and '.join(constraints.texts)}"
        raise FitError(
            f"law {law.name!r} has no finite prediction{kept} at any of {found.tried} starts: check its ranges"
        )
    rows = equations.data.problem(place)
    point = found.points[0]
    constants = space.constants(point[None])[0]
    turn, active = (None, []) if constraints is None else null_space(space, point, constraints)
    known = certainty_of(equations, place, point, turn)
    matrix = of_constants(space, point, known.covariance)
    flat = [[space.free[k] for k in group] for group in known.flat]
    warnings = _warnings(law, space, point, found, rows, flat, known.condition)
    warnings += tuple(warning.of_constraint(text) for text in active)
    spread = matrix
    if found.losses[0] <= equations.floor(np.array([place]))[0]:  # an exact fit: its errors are those of rounding
        spread = matrix + of_constants(space, point, of_rounding(equations, known.bread, rows))
    vague = tuple(vague_constants(space, point, spread, flat))
    warnings += vague
    matrix = spread if vague else matrix
    if constraints is None and falls(equations, place, point) > warning.FALLS:
        warnings += (warning.of_unfinished(),)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(matrix))
    return Fit(
        law=law,
        values=dict(zip(space.names, map(float, constants), strict=True)),
        errors=dict(zip(space.names, map(float, errors), strict=True)),
        objective=objective,
        loss=float(found.losses[0]),
        n_rows=rows.count if rows.weight is None else int(np.sum(rows.weight > 0)),
        agreement=found.agreement,
        n_starts=found.tried,
        covariance=matrix,
        condition=known.condition,
        warnings=warnings,
        status=status_of(warnings, found.agreement, found.tried),
        space=space,
        rows=rows,
        constraints=constraints,
    )


def certainty_of(equations: LawEquations, place: int, point: np.ndarray, turn: np.ndarray | None = None) -> Certainty:
    """How well the rows determine the parameters at an optimum, in the solver's units.

    Only the directions `turn`, shape (parameters, directions), count as free where they are given.
    """
    which = np.array([place])
    residual = equations.residuals(point[None], which, slice(0, equations.rows))[0]
    weight = equations.weights(which, slice(0, equations.rows))

    def jacobian(rows: slice) -> np.ndarray:
        slopes = equations.linearised(point[None], which, rows)[1][0].T
        if own is not None:  # what weighs nothing may have any derivative
            slopes = np.where((own[rows] > 0)[:, None], slopes, 0.0)
        return np.asarray(slopes if turn is None else slopes @ turn)

    own = None if weight is None else weight[0]
    if own is not None:
        residual = np.where(own > 0, residual, 0.0)
    known = certainty(residual, jacobian, len(point) if turn is None else turn.shape[1], equations.objective, own)
    if turn is None:
        return known
    # What a constraint joins is flat together, so that only whole directions are named.
    flat = [np.flatnonzero(np.abs(turn[:, group]).max(axis=1) > 1e-9).tolist() for group in known.flat]
    return Certainty(turn @ known.covariance @ turn.T, flat, turn @ known.bread @ turn.T, known.condition)


def of_constants(space: Space, point: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Covariance of all constants from that of the parameters; zero for those that are fixed."""
    scale = space.scale(point)
    matrix = np.zeros((len(space.names), len(space.names)))
    moved = np.flatnonzero(space.index >= 0)
    own = space.index[moved]
    factor = scale[moved, own]
    with np.errstate(invalid="ignore", over="ignore"):
        matrix[np.ix_(moved, moved)] = covariance[np.ix_(own, own)] * factor[:, None] * factor
    return matrix


def rows_of(law: Law, features: Mapping[str, np.ndarray], target: np.ndarray, weights: np.ndarray | None) -> Rows:
    """The rows of a fit, checked.

    Raises
    ------
    FitError
        When there are none, or all weigh zero.
    InputError
        When a feature is missing or has another length, a value is not finite, or a weight is not legal.
    """
    target = np.asarray(target, dtype=float)
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
    if weights is not None:
        weights = np.asarray(weights, dtype=float)
        if weights.shape != target.shape or not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError(f"weights must be {len(target)} finite numbers that are zero or more, one for each row")
        if not weights.any():
            raise FitError(f"law {law.name!r} cannot be fitted: all weights are zero")
    return Rows(columns or [np.zeros_like(target)], target, weights)


def check_target(objective: Objective, target: np.ndarray) -> None:
    """Whether the objective suits the target; a `FitError` says what does."""
    if objective.logarithmic and np.any(target <= 0):
        raise FitError(f"the objective {objective.name} needs a positive target: use 'huber' or 'squared' instead")


def check_count(law: Law, space: Space, rows: Rows) -> None:
    """Whether there are as many rows as free constants; a `FitError` if not."""
    count = rows.count if rows.weight is None else int(np.sum(rows.weight > 0))
    if count < len(space.free):
        raise FitError(f"law {law.name!r} has {len(space.free)} free constants and there are only {count} rows")


def start_of(law: Law, space: Space, first: Mapping[str, float] | None) -> np.ndarray | None:
    """The start that was given, in the solver's units, shape (1, parameters)."""
    if first is None:
        return None
    missing = [name for name in space.free if name not in first]
    if missing:
        raise InputError(f"the first start of law {law.name!r} has no value of the constant {missing[0]!r}")
    return space.points(np.array([[first.get(name, 1.0) for name in space.names]], dtype=float))


def _warnings(
    law: Law,
    space: Space,
    point: np.ndarray,
    found: Found,
    rows: Rows,
    flat: Sequence[Sequence[str]],
    condition: float,
) -> tuple[FitWarning, ...]:
    warnings = []
    count = rows.count if rows.weight is None else int(np.sum(rows.weight > 0))
    if count <= len(space.free) + 1:
        warnings.append(warning.of_few_rows(count, len(space.free)))
    warnings += [warning.of_flat(names) for names in flat]
    if found.agreement < ENOUGH:
        warnings.append(warning.of_starts(found.agreement, found.tried))
    if not flat and condition > warning.ILL:
        warnings.append(warning.of_condition(condition))
    return (*warnings, *warning.of_bounds(law, space, point))
