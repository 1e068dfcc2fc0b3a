"""Residuals of any law over unbounded or bounded parameters, for `scipy.optimize.least_squares`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.fitting import Objective
from discover.fitting.space import space_of
from discover.law import Law


class LawResiduals:
    """Residuals of a law, and their derivatives, in the logarithm of its `log` constants and in the others themselves.

    Parameters
    ----------
    features, target
        Columns by symbol and the column to predict, shape (rows,) each.
    """

    def __init__(self, law: Law, features: Mapping[str, np.ndarray], target: np.ndarray, objective: Objective) -> None:
        self.target, self.objective, self.formula = target, objective, law.differentiable
        self.parts = self.formula.prepare([features[name] for name in law.columns] or [np.zeros_like(target)])
        space = space_of(law)
        self.range, self.bounds = (space.low, space.high), np.array([space.lower, space.upper])

    def draw(self, count: int, seed: int = 0) -> np.ndarray:
        """Points drawn evenly from the ranges of the law's card, shape (count, parameters)."""
        low, high = self.range
        return np.random.default_rng(seed).uniform(low, high, (count, len(low)))

    def residuals(self, point: np.ndarray) -> np.ndarray:
        """Residuals at `point`, shape (rows,); NaN where the prediction is not legal."""
        return self.objective.residual(self.formula.value(self.parts, point[None])[0], self.target)

    def jacobian(self, point: np.ndarray) -> np.ndarray:
        """Derivatives of the residuals, shape (rows, parameters)."""
        prediction, slopes = self.formula.value_and_slopes(self.parts, point[None])
        with np.errstate(all="ignore"):
            return np.asarray((slopes[0] / prediction[0] if self.objective.logarithmic else slopes[0]).T)
