"""Profile intervals: how far a constant can be moved, all others fitted anew, before the objective rises too much.

Unlike a standard error, a profile sees that an optimum is lopsided, and that a side is open: an interval ends at
infinity (or at the constant's bound) where no value is too far. The rise that counts as too much is that of a
likelihood ratio (Venzon & Moolgavkar 1988), scaled for each constant so that it allows for noise that differs between
rows as the standard errors do (the adjusted likelihood of Stafford 1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from discover.errors import InputError, one_of
from discover.fitting.equations import LawEquations, Normal
from discover.fitting.errors import inside
from discover.fitting.levels import check_level
from discover.fitting.result import Fit, certainty_of
from discover.fitting.solver import descend, to_the_end
from discover.fitting.space import LARGEST

WIDEST = 1e4  # standard errors (of a constant without one: tenths of its value) beyond which a side counts as open
HALVINGS = 30  # steps that close in on an end of an interval


@dataclass(frozen=True)
class Profile:
    """A profile interval.

    Attributes
    ----------
    name
        The constant.
    value
        Its value at the optimum.
    low, high
        Ends of the interval: the constant's bound, or infinity, where a side is open.
    closed
        Whether the objective rises enough below the optimum, and above it: `False` where that side is open.
    """

    name: str
    value: float
    low: float
    high: float
    closed: tuple[bool, bool]


def profile(fit: Fit, names: Sequence[str] | None = None, *, level: float = 0.95) -> dict[str, Profile]:
    """Profile intervals of constants.

    Fixed and tied constants and bounds are those of the fit. Each profile follows the optimum of the fit: it does not
    look for others.

    Parameters
    ----------
    fit
        The fit. Of a fit of groups one of its parts, where they share no constant.
    names
        The constants; by default all that were fitted. Of constants that are tied, the one that was fitted.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    The interval of each constant, by name.

    Raises
    ------
    InputError
        When a constant was not fitted, the level is not between 0 and 1, or the fit has linear constraints.
    """
    check_level(level)
    if fit.constraints is not None:
        raise InputError("a profile cannot keep constraints between constants: use a bootstrap")
    names = list(fit.free) if names is None else list(names)
    for name in names:
        if name not in fit.free:
            raise InputError(f"the constant {name!r} was not fitted by itself: {one_of(name, fit.free)}")
    places = np.array([fit.free.index(name) for name in names for _ in range(2)], dtype=int)
    side = np.tile([-1.0, 1.0], len(names))
    ends, closed = _ends(fit, places, side, _rises(fit, level)[places])
    found = {}
    for k, name in enumerate(names):
        place = fit.space.names.index(name)
        values = []
        for one in (2 * k, 2 * k + 1):
            point = fit.point.copy()
            point[places[one]] = ends[one]
            end = float(fit.space.constants(point[None])[0, place])
            if fit.space.log[place] and not closed[one] and abs(ends[one]) >= LARGEST:
                end = 0.0 if side[one] < 0 else np.inf  # that bound is the largest number's, not the constant's
            values.append(end)
        found[name] = Profile(
            name, fit.values[name], values[0], values[1], (bool(closed[2 * k]), bool(closed[2 * k + 1]))
        )
    return found


def _rises(fit: Fit, level: float) -> np.ndarray:
    """How much the objective may rise for each parameter, shape (parameters,).

    Half a chi-square times what turns the objective's curvature into the robust variance of that parameter: were the
    profile a parabola, its interval would be that of the standard error.
    """
    equations = fit.equations()
    known = certainty_of(equations, 0, fit.point)
    variance = np.diag(known.covariance)
    length = np.sqrt(np.maximum(np.diag(known.bread), 1e-300))  # or constants of another size would seem undetermined
    with np.errstate(all="ignore"):
        scaled = np.nan_to_num(known.bread / length[:, None] / length)
        alone = np.diag(np.linalg.pinv(scaled, hermitian=True)) / length**2
    with np.errstate(all="ignore"):
        ratio = variance / alone
    usable = np.isfinite(ratio) & (ratio > 0)
    ratio = np.where(usable, ratio, np.median(ratio[usable]) if usable.any() else _plain_ratio(fit))
    # Less than the rounding errors of an exact fit is no rise.
    return np.asarray(np.maximum(0.5 * chi2.ppf(level, 1) * ratio, equations.floor(np.array([0]))[0]))


def _plain_ratio(fit: Fit) -> float:
    """The same ratio for noise that is alike in all rows, where no constant is determined: of psi**2 to psi'."""
    weight = np.ones(fit.rows.count) if fit.rows.weight is None else fit.rows.weight
    psi, slope = inside(fit.residuals, fit.objective, fit.rows.weight)
    some = weight > 0
    curvature = float(np.sum((weight * slope)[some]))
    return float(np.sum((weight * psi)[some] ** 2)) / curvature if curvature > 0 else 0.0


def _ends(fit: Fit, places: np.ndarray, side: np.ndarray, rises: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each profile crosses the limit, in the solver's units, and whether it does."""
    space, best = fit.space, fit.point
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.diag(fit.covariance))[space.first] / space.scale(best)[space.first].diagonal()
    step = error[places]
    step = np.where(np.isfinite(step) & (step > 0), step, np.maximum(0.1 * np.abs(best[places]), 0.1))
    bound = np.where(side < 0, space.lower[places], space.upper[places])
    limit = fit.loss + rises
    near, far = best[places], np.clip(best[places] + 2 * side * step, space.lower[places], space.upper[places])
    follow = np.repeat(best[None], len(places), axis=0)  # where the last fit of each profile ended
    open_, found = np.ones(len(places), dtype=bool), np.zeros(len(places), dtype=bool)
    grown = 2 * step
    while open_.any():  # outwards, until the objective is too large
        left = np.flatnonzero(open_)
        losses, points = _followed(fit, follow[left], places[left], far[left], limit[left])
        high = losses > limit[left]
        found[left[high]] = True
        inside_ = left[~high]
        follow[inside_], near[inside_] = points[~high], far[inside_]
        grown[inside_] *= 2
        ended = (far[inside_] == bound[inside_]) | (grown[inside_] > WIDEST * step[inside_])
        far[inside_] = np.clip(
            far[inside_] + side[inside_] * grown[inside_], space.lower[places[inside_]], space.upper[places[inside_]]
        )
        open_[left[high]] = False
        open_[inside_[ended]] = False
    for _ in range(HALVINGS):  # inwards, to where it is just large enough
        left = np.flatnonzero(found & (np.abs(far - near) > 1e-4 * step))
        if not len(left):
            break
        middle = 0.5 * (near[left] + far[left])
        losses, points = _followed(fit, follow[left], places[left], middle, limit[left])
        high = losses > limit[left]
        far[left[high]] = middle[high]
        near[left[~high]], follow[left[~high]] = middle[~high], points[~high]
    ends = np.where(found, 0.5 * (near + far), bound)
    return ends, found


def _followed(
    fit: Fit, points: np.ndarray, places: np.ndarray, values: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same as `_fitted`; where the objective ends above its limit, from the optimum of the fit too."""
    losses, points = _fitted(fit, points, places, values)
    high = np.flatnonzero(~(losses <= limits))
    if len(high):
        others, there = _fitted(fit, np.repeat(fit.point[None], len(high), axis=0), places[high], values[high])
        lower = others < losses[high]
        losses[high[lower]], points[high[lower]] = others[lower], there[lower]
    return losses, points


def _fitted(fit: Fit, points: np.ndarray, places: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The objective with one parameter of each point held at a value, and the points."""
    held = points.copy()
    held[np.arange(len(held)), places] = values
    equations = Held(fit.equations(), places)
    which = np.arange(len(held))
    usable = np.isfinite(equations.losses(held, which))
    held[usable] = descend(equations, held[usable], which[usable], to_the_end(fit.objective))
    return equations.losses(held, which), held


class Held:
    """The equations of one problem in which each point has one parameter that does not move."""

    def __init__(self, equations: LawEquations, places: np.ndarray) -> None:
        self.inner, self.places = equations, places
        self.objective, self.lower, self.upper = equations.objective, equations.lower, equations.upper

    def normal(
        self,
        points: np.ndarray,
        which: np.ndarray,
        delta: np.ndarray,
        *,
        curvature: bool,
        scale: np.ndarray | None = None,
    ) -> Normal:
        """See `Equations.normal`; `which` is the number of a point here."""
        result = self.inner.normal(points, np.zeros_like(which), delta, curvature=curvature, scale=scale)
        point, place = np.arange(len(points)), self.places[which]
        result.gradient[point, place] = 0.0
        result.matrix[point, place, :] = 0.0
        result.matrix[point, :, place] = 0.0
        result.matrix[point, place, place] = result.scale[point, place] ** 2
        return result

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        """See `Equations.bend`."""
        result = self.inner.bend(points, np.zeros_like(which), delta, step, curvature=curvature)
        result[np.arange(len(points)), self.places[which]] = 0.0
        return result

    def losses(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.losses`."""
        return self.inner.losses(points, np.zeros_like(which))

    def typical(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.typical`."""
        return self.inner.typical(points, np.zeros_like(which))
