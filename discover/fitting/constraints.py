"""Linear constraints between constants, as ``alpha <= beta`` or ``alpha + beta <= 1``.

A fit without the constraints comes first: where it keeps them, it is the answer. Else the optima that it found, and
some new starts, descend with a growing penalty on what is violated, and the best few are polished by SciPy's sequential
quadratic programming (SLSQP).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from discover.errors import InputError
from discover.fitting import starts as starts_of
from discover.fitting.equations import LawEquations, Normal
from discover.fitting.search import Found, agree, linear_places
from discover.fitting.solver import ROUGH, Stage, descend, to_the_end
from discover.fitting.space import Space
from discover.formula import FormulaError, parse, symbol
from discover.law import Law

KEPT = 1e-9  # by how much a constraint may be violated, relative to its terms
ACTIVE = 1e-6  # within how much a constraint holds with equality
STARTS = 24  # random starts of the penalised descent
PENALTIES = (1.0, 1e2, 1e4, 1e6)  # in units of the objective at the unconstrained optimum
LATER = (Stage(0.0, 20), Stage(0.0, 60, curvature=True, bent=True))
SIGN = re.compile(r"<=|>=|==|=|<|>")


@dataclass(frozen=True)
class Constraints:
    """Linear constraints: ``matrix @ constants <= bound``, and ``==`` where `equal`.

    Attributes
    ----------
    texts
        As they were given.
    matrix
        Shape (constraints, constants).
    bound, equal
        Shape (constraints,).
    """

    texts: tuple[str, ...]
    matrix: np.ndarray
    bound: np.ndarray
    equal: np.ndarray

    def excess(self, constants: np.ndarray) -> np.ndarray:
        """By how much constants of shape (sets, constants) are too large, shape (sets, constraints), relative to the
        terms of each constraint; zero or less where it is kept."""
        scale = np.abs(self.matrix[None] * constants[:, None, :]).sum(axis=2) + np.abs(self.bound) + 1e-300
        over = (constants @ self.matrix.T - self.bound) / scale
        return np.asarray(np.where(self.equal, np.abs(over), over))

    def kept(self, constants: np.ndarray) -> np.ndarray:
        """Whether sets of constants keep all constraints, shape (sets,)."""
        return np.asarray((self.excess(constants) <= KEPT).all(axis=1))

    def active(self, constants: np.ndarray) -> np.ndarray:
        """Which constraints one set of constants meets with equality, shape (constraints,)."""
        return np.asarray(self.equal | (self.excess(constants[None])[0] > -ACTIVE))


def constraints_of(law: Law, texts: Sequence[str]) -> Constraints:
    """Read constraints, each a linear form on both sides of ``<=``, ``>=`` or ``=``.

    Raises
    ------
    InputError
        When one has no such sign, a name that is no constant, or is not linear.
    """
    names = list(law.parameters)
    rows, bounds, equal = [], [], []
    for text in texts:
        signs = SIGN.findall(text)
        if len(signs) != 1 or signs[0] in "<>":
            raise InputError(f"constraint {text!r} needs one of <=, >= and =, as 'alpha <= beta' has")
        left, right = text.split(signs[0])
        try:
            difference = parse(left, constants=names) - parse(right, constants=names)
        except FormulaError as error:
            raise InputError(
                f"constraint {text!r} is not over the constants of law {law.name!r} ({', '.join(names)}): {error}"
            ) from None
        symbols = [symbol(name) for name in names]
        slopes = [sympy.diff(difference, one) for one in symbols]
        if any(slope.free_symbols for slope in slopes) or not any(slopes):
            raise InputError(f"constraint {text!r} is not linear in the constants: use sums of them times numbers")
        sign = -1.0 if signs[0] == ">=" else 1.0
        rows.append([sign * float(slope) for slope in slopes])
        bounds.append(-sign * float(difference.subs(dict.fromkeys(symbols, 0))))
        equal.append(signs[0] in {"=", "=="})
    return Constraints(tuple(texts), np.array(rows).reshape(-1, len(names)), np.array(bounds), np.array(equal, bool))


def constrained(equations: LawEquations, place: int, found: Found, constraints: Constraints, seed: int) -> Found:
    """The best optimum that keeps the constraints, from what was found without them."""
    space, problem = equations.space, np.array([place])
    if len(found.points) and constraints.kept(space.constants(found.points[:1]))[0]:
        return found
    nothing = Found(np.zeros((0, len(space.free))), np.zeros(0), np.zeros(0), found.tried, 0.0)
    if not space.free:
        return nothing
    drawn = starts_of.draw(space.low, space.high, STARTS, seed)
    drawn = starts_of.solve_linear(equations, drawn, np.full(STARTS, place), linear_places(equations))
    points = np.concatenate([found.points, drawn])
    tried, floor = len(points), float(equations.floor(problem)[0])
    points = points[np.isfinite(equations.losses(points, np.full(tried, place)))]
    unit = max(float(found.losses[0]) if len(found.losses) else 1.0, floor)
    for number, penalty in enumerate(PENALTIES):
        wrapped = _Penalised(equations, constraints, penalty * unit)
        points = points[np.isfinite(wrapped.losses(points, np.full(len(points), place)))]
        stages = (*ROUGH, *to_the_end(equations.objective)) if number == 0 else LATER
        points = descend(wrapped, points, np.full(len(points), place), stages)
    polished = [_polished(equations, place, point, constraints) for point in _best(wrapped, points, place)]
    polished = [point for point in polished if constraints.kept(space.constants(point[None]))[0]]
    if not polished:
        return nothing
    best = np.array(polished)
    losses = equations.losses(best, np.full(len(best), place))
    order = np.argsort(losses, kind="stable")
    # The share of all that descended: the penalty has brought them to the constraints, all but exactly.
    ends = np.concatenate([losses[order[:1]], equations.losses(points, np.full(len(points), place))])
    share = float(np.sum(agree(np.maximum(ends, ends[0]), floor)[1:]) / tried)
    return Found(best[order], losses[order], np.ones(len(best)), tried, share)


def keep(
    equations: LawEquations,
    points: np.ndarray,
    which: np.ndarray,
    constraints: Constraints,
    fit: tuple[np.ndarray, float],
) -> np.ndarray:
    """Optima of resamples that keep the constraints, to about 1e-6, from those that need not.

    Parameters
    ----------
    points, which
        Optima without the constraints, and their problems.
    fit
        The optimum of all rows that keeps them, and its objective.
    """
    start, unit = fit
    lost = ~constraints.kept(equations.space.constants(points))
    if not lost.any():
        return points
    moved = np.repeat(start[None], int(lost.sum()), axis=0)
    for penalty in PENALTIES:
        wrapped = _Penalised(equations, constraints, penalty * max(unit, 1e-300))
        moved = descend(wrapped, moved, which[lost], LATER)
    result = points.copy()
    result[lost] = moved
    return result


def null_space(space: Space, point: np.ndarray, constraints: Constraints) -> tuple[np.ndarray, list[str]]:
    """Directions along which the parameters can move while constraints that hold with equality keep doing so.

    Returns
    -------
    The directions, as the columns of a matrix of shape (parameters, directions), and the texts of the inequalities that
    hold with equality.
    """
    active = constraints.active(space.constants(point[None])[0])
    held = active & ~constraints.equal
    texts = [text for text, on in zip(constraints.texts, held, strict=True) if on]
    rows = constraints.matrix[active] @ space.scale(point)
    if not len(rows):
        return np.eye(len(point)), texts
    _, singular, directions = np.linalg.svd(rows)
    rank = int(np.sum(singular > 1e-12 * singular[0]))
    return np.asarray(directions[rank:].T), texts


def _best(equations: _Penalised, points: np.ndarray, place: int) -> np.ndarray:
    losses = equations.losses(points, np.full(len(points), place))
    return np.asarray(points[np.argsort(losses, kind="stable")[:5]])


def _polished(equations: LawEquations, place: int, point: np.ndarray, constraints: Constraints) -> np.ndarray:
    """The local optimum near `point` that keeps the constraints exactly."""
    from scipy.optimize import minimize  # a slow import that only constraints need

    space, which = equations.space, np.array([place])
    delta = np.full(1, equations.objective.delta)
    start = equations.normal(point[None], which, delta, curvature=False)
    scale = 1 / start.scale[0]  # parameters in which the objective has a unit curvature
    unit = float(start.loss[0]) or 1.0

    def value(moved: np.ndarray) -> tuple[float, np.ndarray]:
        normal = equations.normal((point + scale * moved)[None], which, delta, curvature=False)
        return float(normal.loss[0]) / unit, normal.gradient[0] * scale / unit

    def row(number: int) -> dict[str, object]:
        terms = constraints.matrix[number]

        def gap(moved: np.ndarray) -> float:
            return float(constraints.bound[number] - terms @ space.constants((point + scale * moved)[None])[0])

        def slope(moved: np.ndarray) -> np.ndarray:
            return np.asarray(-(terms @ space.scale(point + scale * moved)) * scale)

        return {"type": "eq" if constraints.equal[number] else "ineq", "fun": gap, "jac": slope}

    bounds = list(zip((space.lower - point) / scale, (space.upper - point) / scale, strict=True))
    result = minimize(
        value,
        np.zeros(len(point)),
        jac=True,
        method="SLSQP",
        bounds=bounds,
        constraints=[row(number) for number in range(len(constraints.texts))],
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return np.asarray(np.clip(point + scale * result.x, space.lower, space.upper))


class _Penalised:
    """Equations with a quadratic penalty on violated constraints."""

    def __init__(self, equations: LawEquations, constraints: Constraints, penalty: float) -> None:
        self.inner, self.constraints, self.penalty = equations, constraints, penalty
        self.objective, self.lower, self.upper = equations.objective, equations.lower, equations.upper

    def _violated(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is violated, shape (points, constraints), relative to the size of the terms, and its derivatives."""
        space, limits = self.inner.space, self.constraints
        constants = space.constants(points)
        scale = np.abs(limits.matrix[None] * constants[:, None, :]).sum(axis=2) + np.abs(limits.bound) + 1e-300
        over = (constants @ limits.matrix.T - limits.bound) / scale
        on = limits.equal | (over > 0)
        moved = limits.matrix[None] * np.where(space.log, constants, 1.0)[:, None, :]
        slopes = np.zeros((*over.shape, points.shape[1]))
        for k, place in enumerate(space.index):
            if place >= 0:
                slopes[..., place] += moved[..., k]
        return np.where(on, over, 0.0), slopes / scale[..., None] * on[..., None]

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
        result = self.inner.normal(points, which, delta, curvature=curvature, scale=scale)
        over, slopes = self._violated(points)
        result.loss = result.loss + 0.5 * self.penalty * (over**2).sum(axis=1)
        result.gradient = result.gradient + self.penalty * np.einsum("sc,scp->sp", over, slopes)
        extra = self.penalty * np.einsum("scp,scq->spq", slopes, slopes)
        result.matrix = result.matrix + extra
        if result.scale is not scale:  # one that was kept has the penalty already
            result.scale = np.sqrt(result.scale**2 + np.einsum("spp->sp", extra))
        return result

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        """See `Equations.bend`; the constraints are all but straight."""
        return self.inner.bend(points, which, delta, step, curvature=curvature)

    def losses(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.losses`."""
        over, _ = self._violated(points)
        return np.asarray(self.inner.losses(points, which) + 0.5 * self.penalty * (over**2).sum(axis=1))

    def typical(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.typical`."""
        return self.inner.typical(points, which)
