"""`Fit`: a law with the values of its constants, and how they follow from the optima that a search found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from discover.errors import FitError
from discover.fitting import warnings as warning
from discover.fitting.constraints import Constraints, null_space
from discover.fitting.doubts import falls, of_rounding, vague_constants
from discover.fitting.equations import LawEquations
from discover.fitting.errors import Certainty, certainty
from discover.fitting.rows import Rows
from discover.fitting.search import ENOUGH, Found
from discover.fitting.space import Space
from discover.fitting.warnings import FitWarning, Status, status_of
from discover.law import Law
from discover.objective import Objective


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
    count = rows.count if rows.weight is None else int(np.sum(rows.weight > 0))  # others only fill up a batch
    if count <= len(space.free) + 1:
        warnings.append(warning.of_few_rows(count, len(space.free)))
    warnings += [warning.of_flat(names) for names in flat]
    if found.agreement < ENOUGH:
        warnings.append(warning.of_starts(found.agreement, found.tried))
    if not flat and condition > warning.ILL:
        warnings.append(warning.of_condition(condition))
    return (*warnings, *warning.of_bounds(law, space, point))
