"""Objective, gradient and Gauss-Newton matrix of many points at once, in pieces that fit into the cache.

A *problem* is one set of rows with their weights; a fit of one law may be many problems: the groups of a dataset, or
the resamples of a bootstrap. A *point* is one set of parameters of one problem: a start on its way. The solver sees
neither rows nor formulas, only the sums over rows that are made here, so that memory does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from discover.fitting.rows import Rows
from discover.fitting.space import Space
from discover.law import Law
from discover.objective import Objective

AHEAD = 0.1  # part of a step over which residuals are differenced
BLOCK = 100_000  # derivatives that are held at once: 0.8 MB, which the caches of a core hold

EXACT = 1e-8  # residual, relative to the target, below which a fit is exact: smaller ones are rounding


@dataclass
class Normal:
    """The sums over rows that a step needs, for each point.

    Attributes
    ----------
    loss
        The objective, shape (points,).
    gradient
        Its derivatives, shape (points, parameters).
    matrix
        Gauss-Newton matrix, shape (points, parameters, parameters).
    scale
        Square roots of the diagonal of the matrix that majorises the objective, shape (points, parameters).
    """

    loss: np.ndarray
    gradient: np.ndarray
    matrix: np.ndarray
    scale: np.ndarray

    def at(self, index: np.ndarray) -> Normal:
        """Of some of the points."""
        return Normal(self.loss[index], self.gradient[index], self.matrix[index], self.scale[index])

    def put(self, index: np.ndarray, other: Normal, of: np.ndarray) -> None:
        """Replace some points by some of another's."""
        self.loss[index], self.gradient[index] = other.loss[of], other.gradient[of]
        self.matrix[index], self.scale[index] = other.matrix[of], other.scale[of]


class Equations(Protocol):
    """What the solver needs to know of a fit."""

    objective: Objective
    lower: np.ndarray
    upper: np.ndarray

    def normal(
        self,
        points: np.ndarray,
        which: np.ndarray,
        delta: np.ndarray,
        *,
        curvature: bool,
        scale: np.ndarray | None = None,
    ) -> Normal:
        """Sums over rows at `points`, shape (points, parameters), of the problems `which`, shape (points,).

        `delta` is where each point's loss turns, shape (points,). The matrix majorises the loss, or with `curvature` is
        that of the loss's own second derivative; then a `scale` that is given (it was worked out nearby) is kept.
        """

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        """Gradient of the residuals' second derivatives along `step`, shape (points, parameters).

        Weighted as the gradient or, with `curvature`, as the matrix is.
        """

    def losses(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """The objective itself at `points`, shape (points,)."""

    def typical(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Median absolute residual at `points`, shape (points,); NaN where one is not finite."""


class RowEquations:
    """`Equations` from residuals and their derivatives, summed over rows."""

    def __init__(self, objective: Objective, lower: np.ndarray, upper: np.ndarray, rows: int) -> None:
        self.objective, self.lower, self.upper, self.rows = objective, lower, upper, rows
        # Absolute values have no curvature: they are solved as Huber's loss with an ever smaller delta.
        self.smooth = replace(objective, name="huber") if objective.shape == "mae" else objective

    def residuals(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        """Residuals, shape (points, rows)."""
        raise NotImplementedError

    def linearised(self, points: np.ndarray, which: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Residuals, shape (points, rows), and their derivatives, shape (points, parameters, rows)."""
        raise NotImplementedError

    def weights(self, which: np.ndarray, rows: slice) -> np.ndarray | None:
        """Weights of the rows, a shape that broadcasts to (points, rows)."""
        return None

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
        result = Normal(
            np.zeros(count), np.zeros((count, size)), np.zeros((count, size, size)), np.zeros((count, size))
        )
        curved = curvature and self.smooth.robust
        for some, rows in self._blocks(count, size):
            residual, slopes = self.linearised(points[some], which[some], rows)
            own, turn = self.weights(which[some], rows), delta[some, None]
            result.loss[some] += self.smooth.loss(residual, turn, own)
            weight = self.smooth.weight(residual, turn)
            if own is not None:
                weight = weight * own
            with np.errstate(all="ignore"):
                gradient = (slopes @ (weight * residual)[..., None])[..., 0]
                if not np.isfinite(gradient).all():
                    residual, slopes, weight = _only_finite(residual, slopes, weight)
                    gradient = (slopes @ (weight * residual)[..., None])[..., 0]
                result.gradient[some] += gradient
                bend = weight
                if curved:
                    if scale is None:
                        result.scale[some] += ((slopes * slopes) @ weight[..., None])[..., 0]
                    bend = self.smooth.curvature(residual, turn)
                    bend = bend if own is None else bend * own
                result.matrix[some] += (slopes * bend[:, None, :]) @ slopes.transpose(0, 2, 1)
        if curved and scale is not None:
            result.scale = scale
            return result
        if not curved:
            result.scale[:] = np.einsum("skk->sk", result.matrix)
        result.scale = np.sqrt(np.maximum(result.scale, 1e-300))
        return result

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        """See `Equations.bend`; the second derivatives are finite differences (Transtrum & Sethna 2012, eq. 9)."""
        result = np.zeros(points.shape)
        for some, rows in self._blocks(*points.shape):
            residual, slopes = self.linearised(points[some], which[some], rows)
            ahead = self.residuals(points[some] + AHEAD * step[some], which[some], rows)
            turn, own = delta[some, None], self.weights(which[some], rows)
            weigh = self.smooth.curvature if curvature else self.smooth.weight
            with np.errstate(all="ignore"):
                along = (step[some, None, :] @ slopes)[:, 0]
                second = 2 / AHEAD * ((ahead - residual) / AHEAD - along)
                weighted = weigh(residual, turn) * second
                if own is not None:
                    weighted = weighted * own
                result[some] += (slopes @ weighted[..., None])[..., 0]
        return result

    def losses(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.losses`."""
        result = np.zeros(len(points))
        for some, rows in self._blocks(len(points), 1):
            residual = self.residuals(points[some], which[some], rows)
            result[some] += self.objective.loss(residual, weight=self.weights(which[some], rows))
        return result

    def typical(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.typical`; of so many rows as fit into memory."""
        rows = slice(0, None, max(1, self.rows // 4096))
        result = np.zeros(len(points))
        step = max(1, BLOCK // min(self.rows, 8192))
        for first in range(0, len(points), step):
            some = slice(first, first + step)
            size = np.abs(self.residuals(points[some], which[some], rows))
            weight = self.weights(which[some], rows)
            if weight is not None:
                result[some] = _median_of_weighted(size, np.broadcast_to(weight > 0, size.shape))
            else:
                result[some] = np.median(size, axis=1)
        return result

    def _blocks(self, points: int, size: int) -> Iterator[tuple[slice, slice]]:
        """Pieces of points and rows, each with at most `BLOCK` derivatives."""
        rows = max(1, min(self.rows, BLOCK // max(1, size)))
        step = max(1, BLOCK // max(1, rows * size))
        for first in range(0, points, step):
            for row in range(0, self.rows, rows):
                yield slice(first, first + step), slice(row, min(row + rows, self.rows))


def _median_of_weighted(size: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Median over the rows that count, shape (points,); NaN where one of them is not finite, or none counts."""
    ordered = np.sort(np.where(counted, size, np.inf), axis=1)
    count = counted.sum(axis=1)
    lower, upper = np.maximum(count - 1, 0) // 2, count // 2
    each = np.arange(len(size))
    middle = 0.5 * (ordered[each, lower] + ordered[each, np.minimum(upper, size.shape[1] - 1)])
    lost = (counted & ~np.isfinite(size)).any(axis=1) | (count == 0)
    return np.asarray(np.where(lost, np.nan, middle))


def _only_finite(
    residual: np.ndarray, slopes: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows without finite derivatives, as at a proportion of zero to an unknown power, take no part in a step."""
    finite = np.isfinite(residual) & np.isfinite(slopes).all(axis=1) & np.isfinite(weight)
    return np.where(finite, residual, 0.0), np.where(finite[:, None, :], slopes, 0.0), np.where(finite, weight, 0.0)


class LawEquations(RowEquations):
    """The equations of a law on rows."""

    def __init__(self, law: Law, rows: Rows, objective: Objective, space: Space) -> None:
        super().__init__(objective, space.lower, space.upper, rows.count)
        self.law, self.data, self.space = law, rows, space
        self.formula = law.differentiable
        self.parts = self.formula.prepare(rows.columns)
        # At a feature of zero the derivative of an unknown power is 0 * log(0), whose limit is zero.
        lost = [~np.isfinite(part) for part in self.parts]
        self.limits = np.logical_or.reduce(lost) if any(one.any() for one in lost) else None
        with np.errstate(invalid="ignore", divide="ignore"):
            self.target = np.log(rows.target) if objective.logarithmic else rows.target

        size = EXACT if objective.logarithmic else EXACT * np.max(np.abs(rows.target), axis=-1)
        exact = objective.loss(
            np.broadcast_to(np.reshape(size, (-1, 1)), (np.size(size), rows.count)), weight=rows.weight
        )
        self._floor = np.broadcast_to(exact, (rows.problems,))

    def floor(self, which: np.ndarray) -> np.ndarray:
        """The objective of residuals that are mere rounding, of the problems `which`."""
        return np.asarray(self._floor[which])

    def sizes(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Sum of the absolute residuals of each point; infinite where one is not finite."""
        total = np.zeros(len(points))
        for some, rows in self._blocks(len(points), 1):
            size = np.abs(self.residuals(points[some], which[some], rows))
            weight = self.weights(which[some], rows)
            if weight is not None:  # a row that weighs nothing may have any residual
                size = np.where(weight > 0, size, 0.0) * weight
            total[some] += size.sum(axis=1)
        return np.where(np.isfinite(total), total, np.inf)

    def part(self, rows: slice | np.ndarray) -> LawEquations:
        """The same law on some of the rows."""
        return LawEquations(self.law, self.data.part(rows), self.objective, self.space)

    def residuals(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        """See `RowEquations.residuals`."""
        if self.objective.logarithmic:  # with derivatives, where a sum that overflows is taken apart
            value = self.formula.value(self._parts(which, rows), self.space.inner(points))
            with np.errstate(all="ignore"):
                logs = np.log(value)
                finite = np.isfinite(logs.sum())
            if finite:
                return np.asarray(logs - self._of(self.target, which, rows))
            return self.linearised(points, which, rows)[0]
        value = self.formula.value(self._parts(which, rows), self.space.inner(points))
        return np.asarray(value - self._of(self.target, which, rows))

    def linearised(self, points: np.ndarray, which: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """See `RowEquations.linearised`."""
        formula = self.formula
        evaluate = formula.log_value_and_slopes if self.objective.logarithmic else formula.value_and_slopes
        value, slopes = evaluate(self._parts(which, rows), self.space.inner(points))
        slopes = self._in_the_limit(value, slopes, which, rows)
        with np.errstate(invalid="ignore"):
            return value - self._of(self.target, which, rows), self.space.slopes(slopes)

    def values(self, points: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The law itself, its derivatives in the parameters, and the target that it is to meet."""
        everything = slice(0, self.rows)
        value, slopes = self.formula.value_and_slopes(self._parts(which, everything), self.space.inner(points))
        slopes = self._in_the_limit(value, slopes, which, everything)
        return value, self.space.slopes(slopes), self._of(self.data.target, which, everything)

    def weights(self, which: np.ndarray, rows: slice) -> np.ndarray | None:
        """See `RowEquations.weights`."""
        if self.data.weight is None:
            return None
        weight = self._of(self.data.weight, which, rows)
        return weight if weight.ndim == 2 else weight[None]

    def _in_the_limit(self, value: np.ndarray, slopes: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        if self.limits is None:
            return slopes
        own = np.broadcast_to(self._of(self.limits, which, rows), value.shape) & np.isfinite(value)
        return np.where(own[:, None, :] & np.isnan(slopes), 0.0, slopes)

    def _parts(self, which: np.ndarray, rows: slice) -> list[np.ndarray]:
        return [self._of(part, which, rows) for part in self.parts]

    def _of(self, values: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        return values[rows] if values.ndim == 1 else values[which, rows]
