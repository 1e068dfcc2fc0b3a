"""Fits of rows in groups: a form common to all groups, constants of its own for each.

Constants that the law's card calls shared have one value for all groups. Without any, each group is a fit of its own.
With some, the groups are first fitted apart; then all constants move together, from several values of the shared ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from discover.errors import FitError, InputError
from discover.fitting.errors import covariance
from discover.fitting.fitter import (
    AGREE,
    ENOUGH,
    Fit,
    FitWarning,
    fit,
    warning_of_flat,
    warning_of_starts,
    warnings_of_bounds,
)
from discover.fitting.objective import Objective
from discover.fitting.solver import Problem, solve
from discover.law import Law

SHARED_STARTS = 8  # values of the shared constants from which all constants move together
NAMED = 3  # groups that a warning names


@dataclass(frozen=True)
class GroupedFit:
    """A law with the values of its constants for each group of rows.

    Attributes
    ----------
    law
        The law that was fitted.
    parts
        The fit of each group, by the group's name; shared constants have one value in all.
    shared
        Names of the constants that all groups share.
    agreement
        Smallest share of the starts of a group that agree on its best objective.
    """

    law: Law
    parts: Mapping[str, Fit] = field(repr=False)
    shared: tuple[str, ...] = ()
    agreement: float = 1.0

    @property
    def objective(self) -> Objective:
        """What was minimised."""
        return next(iter(self.parts.values())).objective

    @property
    def loss(self) -> float:
        """Value of the objective: a sum over all rows of all groups."""
        return float(sum(part.loss for part in self.parts.values()))

    @property
    def n_rows(self) -> int:
        """Number of rows of all groups."""
        return sum(part.n_rows for part in self.parts.values())

    @property
    def n_starts(self) -> int:
        """Number of starts of a group, at most."""
        return max(part.n_starts for part in self.parts.values())

    @property
    def warnings(self) -> tuple[FitWarning, ...]:
        """What the reader must know: each warning once, with the groups that it is about."""
        groups: dict[FitWarning, list[str]] = {}
        first: dict[str, FitWarning] = {}  # of starts that disagree the messages differ in their numbers only
        for name, part in sorted(self.parts.items(), key=lambda item: item[1].agreement):
            for warning in part.warnings:
                merged = warning.code if warning.code == "starts_disagree" else warning.message
                groups.setdefault(first.setdefault(merged, warning), []).append(name)
        return tuple(
            FitWarning(w.code, f"{_named(names, len(self.parts))}: {w.message}") for w, names in groups.items()
        )

    def predict(self, features: Mapping[str, np.ndarray], groups: np.ndarray | None = None) -> np.ndarray:
        """Prediction at each row with the constants of its group.

        Raises
        ------
        InputError
            When a row's group was not among those fitted.
        """
        if groups is None:
            raise InputError(f"law {self.law.name!r} was fitted to groups: say the group of each row")
        prediction = np.full(len(groups), np.nan)
        for name in dict.fromkeys(groups.tolist()):
            if name not in self.parts:
                raise InputError(
                    f"law {self.law.name!r} has no constants for the group {name!r}: no row of it was fitted"
                )
            rows = groups == name
            prediction[rows] = self.parts[name].predict({key: column[rows] for key, column in features.items()})
        return prediction


def _named(names: list[str], total: int) -> str:
    if len(names) == total:
        return f"all {total} groups"
    shown = ", ".join(names[:NAMED])
    return (
        f"group {shown}" if len(names) == 1 else f"{len(names)} groups ({shown}{', ...' if len(names) > NAMED else ''})"
    )


def fit_groups(
    law: Law, features: Mapping[str, np.ndarray], target: np.ndarray, groups: np.ndarray, **options: Any
) -> GroupedFit:
    """Fit the constants of `law` to each group of rows.

    Parameters
    ----------
    law, features, target
        As `fit` has them.
    groups
        Name of the group of each row.
    options
        Further arguments of `fit`, for every group. ``first`` may hold starts by group: a mapping of the group's name
        to constants.

    Raises
    ------
    FitError
        When a group cannot be fitted; the message names it.
    """
    target = np.asarray(target, dtype=float)
    options["objective"] = options.get("objective") or Objective.suited_to(target)
    first = options.pop("first", None)
    parts = {}
    for name in dict.fromkeys(groups.tolist()):
        rows = groups == name
        start = first.get(name) if first and isinstance(next(iter(first.values()), None), Mapping) else first
        try:
            parts[name] = fit(law, _part(features, rows), target[rows], first=start, **options)
        except FitError as error:
            raise FitError(f"group {name!r}: {error}") from None
    agreement = min(part.agreement for part in parts.values())
    shared = tuple(n for n, c in law.parameters.items() if c.shared and n not in (options.get("fixed") or {}))
    if shared and len(parts) > 1:
        parts, agreement = _together(_Apart(law, features, target, groups, parts, shared, options))
    return GroupedFit(law, parts, shared if len(parts) > 1 else (), agreement)


def _part(features: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.asarray(column)[rows] for name, column in features.items()}


@dataclass(frozen=True)
class _Apart:
    """Groups that were fitted apart, and the constants that they are to share."""

    law: Law
    features: Mapping[str, np.ndarray]
    target: np.ndarray
    groups: np.ndarray
    fits: Mapping[str, Fit]
    shared: tuple[str, ...]
    options: Mapping[str, Any]


def _together(apart: _Apart) -> tuple[dict[str, Fit], float]:
    """All groups at once, with one value of each shared constant."""
    law, features, target, options = apart.law, apart.features, apart.target, apart.options
    objective: Objective = options["objective"]
    space = _JointSpace(law, list(apart.fits), apart.shared, options.get("fixed") or {})
    row_group = np.array([space.groups.index(name) for name in apart.groups.tolist()])
    columns = [np.asarray(features[name], dtype=float) for name in law.columns] or [np.zeros_like(target)]

    def residuals(points: np.ndarray) -> np.ndarray:
        return objective.residual(law.compiled.predict(columns, space.constants(points)[:, row_group]), target)

    def jacobian(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        constants = space.constants(points)[:, row_group]
        prediction, slope = law.compiled.predict_with_jacobian(columns, constants)
        with np.errstate(all="ignore"):
            slope = slope * np.where(space.log, constants, 1.0)
            if objective.logarithmic:
                slope = slope / prediction[..., None]
        return objective.residual(prediction, target), space.spread(slope, row_group)

    problem = Problem(residuals, jacobian, space.lower, space.upper, objective)
    found = solve(problem, _joint_starts(apart, space), fine=80)
    if not len(found):
        raise FitError(f"law {law.name!r} has no finite prediction with constants shared by all groups")
    losses = objective.loss(problem.residuals(found))
    best = space.constants(found[int(np.argmin(losses))][None])[0]
    agreement = float(np.mean(losses <= losses.min() * (1 + AGREE)))
    prediction, slope = law.compiled.predict_with_jacobian(columns, best[row_group][None])
    with np.errstate(all="ignore"):
        slope = slope / prediction[..., None] if objective.logarithmic else slope
    residual = objective.residual(prediction, target)[0]
    matrix, flat = covariance(residual, space.spread(slope, row_group)[0], objective)
    common = [warning_of_flat(sorted({space.name_of(k) for k in group})) for group in flat]
    if agreement < ENOUGH:
        common.append(warning_of_starts(agreement, len(found)))
    parts = {}
    for number, (name, part) in enumerate(apart.fits.items()):
        rows = row_group == number
        inner = np.zeros_like(part.covariance)
        index = space.index[number]
        free = np.flatnonzero(index >= 0)
        inner[np.ix_(free, free)] = matrix[np.ix_(index[free], index[free])]
        parts[name] = replace(
            part,
            values=dict(zip(law.parameters, map(float, best[number]), strict=True)),
            errors=dict(zip(law.parameters, map(float, np.sqrt(np.diag(inner))), strict=True)),
            loss=float(objective.loss(residual[rows])),
            agreement=agreement,
            n_starts=len(found),
            covariance=inner,
            warnings=(
                *(w for w in part.warnings if w.code == "few_rows"),
                *common,
                *warnings_of_bounds(law, [space.names[k] for k in free], best[number]),
            ),
        )
    return parts, agreement


def _joint_starts(apart: _Apart, space: _JointSpace) -> np.ndarray:
    """Each start: shared constants as some group has them alone (or their median), the others fitted to that."""
    values = np.array([[part.values[name] for name in apart.shared] for part in apart.fits.values()])
    spread = np.argsort(values[:, 0], kind="stable")[:: max(1, len(values) // SHARED_STARTS)]
    tries = [np.median(values, axis=0), *values[spread][:SHARED_STARTS]]
    starts = []
    for one in tries:
        fixed = dict(apart.options.get("fixed") or {}) | dict(zip(apart.shared, map(float, one), strict=True))
        constants = []
        for name, part in apart.fits.items():
            rows = apart.groups == name
            inner = {**apart.options, "fixed": fixed, "starts": 4, "retries": 0}
            own = {key: value for key, value in part.values.items() if key not in fixed}
            constants.append(fit(apart.law, _part(apart.features, rows), apart.target[rows], first=own, **inner).values)
        starts.append(space.point(constants))
    return np.array(starts)


class _JointSpace:
    """The parameters in which all groups move together: shared constants once, the others once a group."""

    def __init__(self, law: Law, groups: list[str], shared: tuple[str, ...], fixed: Mapping[str, float]) -> None:
        self.groups = groups
        names = list(law.parameters)
        self.names = names
        self.log = np.array([law.parameters[name].log and name not in fixed for name in names], dtype=bool)
        self.template = np.array([fixed.get(name, 0.0) for name in names], dtype=float)
        self.index = np.full((len(groups), len(names)), -1)  # parameter of each group's constant; -1: fixed
        count = 0
        for k, name in enumerate(names):
            if name in fixed:
                continue
            if name in shared:
                self.index[:, k] = count
                count += 1
            else:
                self.index[:, k] = np.arange(count, count + len(groups))
                count += len(groups)
        self.count = count
        with np.errstate(divide="ignore"):
            low = np.array([_inner(law.parameters[name].lower, law.parameters[name].log) for name in names])
            high = np.array([_inner(law.parameters[name].upper, law.parameters[name].log) for name in names])
        self.lower, self.upper = self._of_parameters(low), self._of_parameters(high)

    def name_of(self, parameter: int) -> str:
        """Name of the constant that a parameter is."""
        return self.names[int(np.argwhere(self.index == parameter)[0][1])]

    def _of_parameters(self, of_constants: np.ndarray) -> np.ndarray:
        values = np.zeros(self.count)
        for row in self.index:
            free = row >= 0
            values[row[free]] = of_constants[free]
        return values

    def point(self, constants: list[Mapping[str, float]]) -> np.ndarray:
        """Parameters of the constants of each group."""
        point = np.zeros(self.count)
        for row, values in zip(self.index, constants, strict=True):
            for k, name in enumerate(self.names):
                if row[k] >= 0:
                    point[row[k]] = _inner(values[name], bool(self.log[k]))
        return point

    def constants(self, points: np.ndarray) -> np.ndarray:
        """Constants, shape (starts, groups, constants), of parameters of shape (starts, parameters)."""
        padded = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
        values = padded[:, self.index]
        with np.errstate(over="ignore"):
            values = np.where(self.log, np.exp(np.where(self.log, values, 0.0)), values)
        return np.where(self.index >= 0, values, self.template)

    def spread(self, slope: np.ndarray, row_group: np.ndarray) -> np.ndarray:
        """Derivatives in the parameters, shape (starts, rows, parameters), from those in each row's own constants."""
        jacobian = np.zeros((*slope.shape[:2], self.count))
        rows = np.arange(slope.shape[1])
        for k in range(slope.shape[2]):
            place = self.index[row_group, k]
            if (place >= 0).all():
                jacobian[:, rows, place] += slope[..., k]
        return jacobian


def _inner(value: float, log: bool) -> float:
    return float(np.log(max(value, 0.0))) if log else float(value)
