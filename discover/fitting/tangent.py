"""A law replaced by its tangent at one point: what many resamples of the same rows need first.

Their optima lie near that of all rows, where the law is all but linear in its parameters. On the tangent the
derivatives are the same for all resamples, so that a step of all of them is three products of matrices; the law itself
then needs two or three steps instead of ten.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from discover.fitting.equations import BLOCK, LawEquations, Normal


class TangentEquations:
    """The equations of the tangent of a law at a point, for problems that differ in the weights of rows only."""

    def __init__(self, equations: LawEquations, point: np.ndarray) -> None:
        self.inner, self.point = equations, point
        self.objective, self.lower, self.upper = equations.objective, equations.lower, equations.upper
        everything, first = slice(0, equations.rows), np.zeros(1, dtype=int)
        residual, slopes = equations.linearised(point[None], first, everything)
        self.residual, self.slopes = residual[0], slopes[0]  # (rows,) and (parameters, rows)
        self.products = (self.slopes[:, None] * self.slopes[None]).reshape(-1, equations.rows).T

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
        smooth = self.inner.smooth
        curved = curvature and smooth.robust
        loss, gradient, matrix = np.zeros(count), np.zeros((count, size)), np.zeros((count, size, size))
        square = np.zeros((count, size))
        for some in self._blocks(count):
            residual = self.residual + (points[some] - self.point) @ self.slopes
            own, turn = self.inner.weights(which[some], slice(0, self.inner.rows)), delta[some, None]
            loss[some] = smooth.loss(residual, turn, own)
            weight = smooth.weight(residual, turn)
            weight = weight if own is None else weight * own
            gradient[some] = (weight * residual) @ self.slopes.T
            bend = weight
            if curved:
                if scale is None:
                    square[some] = weight @ (self.slopes**2).T
                bend = smooth.curvature(residual, turn)
                bend = bend if own is None else bend * own
            matrix[some] = (bend @ self.products).reshape(-1, size, size)
        if scale is None:
            square = square if curved else np.einsum("skk->sk", matrix)
            scale = np.sqrt(np.maximum(square, 1e-300))
        return Normal(loss, gradient, matrix, scale)

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        """See `Equations.bend`: a tangent is straight."""
        return np.zeros_like(points)

    def losses(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.losses`."""
        result = np.zeros(len(points))
        for some in self._blocks(len(points)):
            residual = self.residual + (points[some] - self.point) @ self.slopes
            own = self.inner.weights(which[some], slice(0, self.inner.rows))
            result[some] = self.objective.loss(residual, weight=own)
        return result

    def typical(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """See `Equations.typical`; that of the point of the tangent, for all."""
        return np.full(len(points), float(np.median(np.abs(self.residual))))

    def _blocks(self, points: int) -> Iterator[slice]:
        step = max(1, BLOCK // self.inner.rows)
        for first in range(0, points, step):
            yield slice(first, first + step)
