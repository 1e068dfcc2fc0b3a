"""Constants that all groups share: one fit of everything, with its own constants for each group beside them.

The groups are first fitted apart; then all constants move together, from several values of the shared ones. The sums
over rows are those of the groups, added up where a constant is shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from discover.errors import FitError
from discover.fitting import warnings as warning
from discover.fitting.equations import LawEquations, Normal
from discover.fitting.errors import certainty
from discover.fitting.result import Fit, of_constants
from discover.fitting.rows import Rows
from discover.fitting.search import ENOUGH, agree
from discover.fitting.solver import ROUGH, descend, to_the_end
from discover.fitting.space import space_of

STARTS = 8  # values of the shared constants from which all constants move together


class SharedEquations:
    """The equations of all groups at once, in the shared parameters and those of each group.

    Where `apart` has the groups several times (resamples of them, one after the other), each time is a problem.
    """

    def __init__(self, apart: LawEquations, shared: Sequence[str], groups: int) -> None:
        self.apart, self.objective, self.groups = apart, apart.objective, groups
        free = apart.space.free
        self.index = np.zeros((self.groups, len(free)), dtype=int)  # the parameter that each group's constant is
        self.names: list[str] = []
        for k, name in enumerate(free):
            new = np.arange(1 if name in shared else self.groups) + len(self.names)
            self.index[:, k] = new
            self.names += [name] * len(new)
        self.lower, self.upper = np.zeros(len(self.names)), np.zeros(len(self.names))
        self.lower[self.index], self.upper[self.index] = apart.lower, apart.upper

    def normal(
        self,
        points: np.ndarray,
        which: np.ndarray,
        delta: np.ndarray,
        *,
        curvature: bool,
        scale: np.ndarray | None = None,
    ) -> Normal:
        """See `Equations.normal`."""
        count, size = points.shape
        own, groups = self._of_groups(points, which)
        parts = self.apart.normal(own, groups, np.repeat(delta, self.groups), curvature=curvature)
        result = Normal(
            parts.loss.reshape(count, self.groups).sum(axis=1),
            np.zeros((count, size)),
            np.zeros((count, size, size)),
            np.zeros((count, size)),
        )
        gradient, matrix = (
            parts.gradient.reshape(count, self.groups, -1),
            parts.matrix.reshape(count, self.groups, *parts.matrix.shape[1:]),
        )
        square = (parts.scale**2).reshape(count, self.groups, -1)
        for group, place in enumerate(self.index):
            result.gradient[:, place] += gradient[:, group]
            result.matrix[:, place[:, None], place] += matrix[:, group]
            result.scale[:, place] += square[:, group]
        result.scale = np.sqrt(result.scale)
        return result

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        """See `Equations.bend`."""
        own, groups = self._of_groups(points, which)
        steps, _ = self._of_groups(step, which)
        parts = self.apart.bend(own, groups, np.repeat(delta, self.groups), steps, curvature=curvature)
        parts = parts.reshape(len(points), self.groups, -1)
        result = np.zeros(points.shape)
        for group, place in enumerate(self.index):
            result[:, place] += parts[:, group]
        return result

    def losses(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.losses`."""
        own, groups = self._of_groups(points, which)
        return np.asarray(self.apart.losses(own, groups).reshape(len(points), self.groups).sum(axis=1))

    def typical(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.typical`; the median of the groups' medians."""
        own, groups = self._of_groups(points, which)
        return np.asarray(np.median(self.apart.typical(own, groups).reshape(len(points), self.groups), axis=1))

    def jacobian(self, point: np.ndarray, group: int) -> np.ndarray:
        """Derivatives of the rows of one group in all parameters, shape (rows, parameters)."""
        own = point[self.index[group]][None]
        slopes = self.apart.linearised(own, np.array([group]), slice(0, self.apart.rows))[1][0]
        result = np.zeros((self.apart.rows, len(self.names)))
        result[:, self.index[group]] = slopes.T
        return result

    def _of_groups(self, points: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = points[:, self.index].reshape(-1, self.index.shape[1])
        return own, (which[:, None] * self.groups + np.arange(self.groups)).ravel()


def fit_shared(parts: Mapping[str, Fit], shared: Sequence[str], rows: Rows) -> tuple[dict[str, Fit], float]:
    """All groups at once, with one value of each shared constant.

    Parameters
    ----------
    parts
        The groups fitted apart.
    shared
        Names of the constants that they are to share.
    rows
        The rows of all groups, as problems in the order of `parts`.

    Returns
    -------
    The fit of each group, and the share of the joint starts that reached the best objective.

    Raises
    ------
    FitError
        When no joint start has finite predictions.
    """
    some = next(iter(parts.values()))
    law, space, objective = some.law, some.space, some.objective
    equations = SharedEquations(LawEquations(law, rows, objective, space), shared, len(parts))
    points = _starts(equations, list(parts.values()), shared)
    which = np.zeros(len(points), dtype=int)
    finite = np.isfinite(equations.losses(points, which))
    points, which = points[finite], which[finite]
    if not len(points):
        raise FitError(f"law {law.name!r} has no finite prediction with constants shared by all groups")
    points = descend(equations, points, which, (*ROUGH, *to_the_end(objective)))
    losses = equations.losses(points, which)
    best = points[int(np.argmin(losses))]
    floor = equations.apart.floor(np.arange(equations.groups)).sum()
    agreement = float(np.mean(agree(losses, float(floor))))
    return _fits(equations, parts, best, agreement, len(points)), agreement


def _fits(
    equations: SharedEquations, parts: Mapping[str, Fit], best: np.ndarray, agreement: float, tried: int
) -> dict[str, Fit]:
    apart = equations.apart
    everything, space, law = slice(0, apart.rows), apart.space, apart.law
    residuals, slopes, weights, counts = [], [], [], [part.rows.count for part in parts.values()]
    for group, count in enumerate(counts):
        own = best[equations.index[group]][None]
        residuals.append(apart.residuals(own, np.array([group]), everything)[0][:count])
        slopes.append(equations.jacobian(best, group)[:count])
        weight = apart.weights(np.array([group]), everything)
        weights.append(np.ones(count) if weight is None else weight[0][:count])
    jacobian = np.concatenate(slopes)
    known = certainty(
        np.concatenate(residuals), lambda rows: jacobian[rows], len(best), apart.objective, np.concatenate(weights)
    )
    common = [warning.of_flat(sorted({equations.names[k] for k in group})) for group in known.flat]
    if agreement < ENOUGH:
        common.append(warning.of_starts(agreement, tried))
    fits = {}
    for group, (name, part) in enumerate(parts.items()):
        place = equations.index[group]
        point = best[place]
        matrix = of_constants(space, point, known.covariance[np.ix_(place, place)])
        found = (
            *(one for one in part.warnings if one.code == "few_rows"),
            *common,
            *warning.of_bounds(law, space, point),
        )
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(np.diag(matrix))
        fits[name] = replace(
            part,
            values=dict(zip(space.names, map(float, space.constants(point[None])[0]), strict=True)),
            errors=dict(zip(space.names, map(float, errors), strict=True)),
            loss=float(apart.objective.loss(residuals[group], weight=weights[group])),
            agreement=agreement,
            n_starts=tried,
            covariance=matrix,
            condition=known.condition,
            warnings=found,
            status=warning.status_of(found, agreement, tried),
        )
    return fits


def _starts(equations: SharedEquations, parts: Sequence[Fit], shared: Sequence[str]) -> np.ndarray:
    """Each start: shared constants as some group has them alone (or their median), the others fitted to that."""
    apart, space = equations.apart, equations.apart.space
    alone = np.array([part.point for part in parts])
    columns = [space.free.index(name) for name in shared]
    values = alone[:, columns]
    spread = np.argsort(values[:, 0], kind="stable")[:: max(1, len(values) // STARTS)]
    starts = []
    for one in (np.median(values, axis=0), *values[spread][:STARTS]):
        # A space of the other constants only, with the shared ones held where this start has them.
        point = alone.copy()
        point[:, columns] = one
        held = space.constants(point[:1])[0]
        fixed = {name: float(held[k]) for k, name in enumerate(space.names) if name in shared or space.index[k] < 0}
        tied = {
            name: space.free[place]
            for name, place in zip(space.names, space.index, strict=True)
            if place >= 0 and name not in space.free and space.free[place] not in shared
        }
        fixed |= {
            name: fixed[space.free[place]]
            for name, place in zip(space.names, space.index, strict=True)
            if place >= 0 and name not in space.free and space.free[place] in shared
        }
        others = [k for k in range(len(space.free)) if k not in columns]
        inner = replace(
            space_of(apart.law, fixed=fixed, tied=tied), lower=space.lower[others], upper=space.upper[others]
        )
        if others:
            narrow = LawEquations(apart.law, apart.data, apart.objective, inner)
            which = np.arange(len(parts))
            begin = point[:, others]
            finite = np.isfinite(narrow.losses(begin, which))
            begin[finite] = descend(narrow, begin[finite], which[finite], (*ROUGH, *to_the_end(apart.objective)))
            point[:, others] = begin
        start = np.zeros(len(equations.names))
        start[equations.index] = point
        starts.append(start)
    return np.clip(np.array(starts), equations.lower, equations.upper)
