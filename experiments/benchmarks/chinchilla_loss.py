"""The loss of Chinchilla's form on rows, written as somebody would who fits it with SciPy and needs it fast.

It is what `discover.fitting.fit` minimises by default: the sum over rows of Huber's loss of the residual of the
logarithm. The parameters are those of Hoffmann et al. (2022, approach 3) and of Besiroglu et al. (2024): a = log A,
b = log B, e = log E0, alpha and beta. The logarithms of the columns are taken once.
"""

from __future__ import annotations

import copy
import itertools

import numpy as np

from discover.law import Law

DELTA = 1e-3  # of Huber's loss, in the logarithm (Hoffmann et al. 2022)
PARAMETERS = ("a", "b", "e", "alpha", "beta")


class ChinchillaLoss:
    """Huber's loss of log(E0 + A/N**alpha + B/D**beta) - log(L), in units of delta.

    The unit matters: L-BFGS-B stops on decreases relative to max(|f|, 1), and in its own unit the loss is about 1e-3.

    Parameters
    ----------
    features
        Columns N and D, shape (rows,) each.
    target
        The losses L, shape (rows,).
    """

    def __init__(self, features: dict[str, np.ndarray], target: np.ndarray) -> None:
        self.log_sizes, self.log_tokens = np.log(features["N"]), np.log(features["D"])
        self.log_target = np.log(target)
        self.weights: np.ndarray | None = None

    def weighted(self, weights: np.ndarray) -> ChinchillaLoss:
        """The loss in which each row counts `weights` times, shape (rows,)."""
        weighted = copy.copy(self)
        weighted.weights = weights
        return weighted

    def value(self, point: np.ndarray) -> float:
        """The loss at `point`, shape (5,)."""
        return self._huber(self.residuals(point))[0]

    def value_and_gradient(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss at `point`, and its exact gradient, shape (5,)."""
        of_size, of_tokens, floor = self._terms(point)
        prediction = of_size + of_tokens + floor
        loss, slope = self._huber(np.log(prediction) - self.log_target)
        slope /= prediction
        of_size *= slope
        of_tokens *= slope
        gradient = (
            of_size.sum(),
            of_tokens.sum(),
            floor * slope.sum(),
            -(of_size @ self.log_sizes),
            -(of_tokens @ self.log_tokens),
        )
        return loss, np.array(gradient)

    def residuals(self, point: np.ndarray) -> np.ndarray:
        """Residuals of the logarithm, shape (rows,)."""
        of_size, of_tokens, floor = self._terms(point)
        return np.asarray(np.log(of_size + of_tokens + floor) - self.log_target)

    def jacobian(self, point: np.ndarray) -> np.ndarray:
        """Derivatives of the residuals, shape (rows, 5)."""
        of_size, of_tokens, floor = self._terms(point)
        prediction = of_size + of_tokens + floor
        of_size /= prediction
        of_tokens /= prediction
        columns = (of_size, of_tokens, floor / prediction, -of_size * self.log_sizes, -of_tokens * self.log_tokens)
        return np.stack(columns, axis=1)

    def _terms(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        # No start overflows here, so the terms are not shifted by the largest, which a log-sum-exp would do.
        a, b, e, alpha, beta = point.tolist()
        return np.exp(a - alpha * self.log_sizes), np.exp(b - beta * self.log_tokens), float(np.exp(e))

    def _huber(self, residual: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss, and its derivative in each residual."""
        scaled = residual / DELTA
        slope = np.minimum(np.maximum(scaled, -1.0), 1.0)
        excess = scaled - 0.5 * slope  # slope * excess is Huber's loss on both sides of delta
        if self.weights is not None:
            slope *= self.weights
        return float(slope @ excess) * DELTA, slope


def published_starts() -> np.ndarray:
    """The 4,500 starts of Hoffmann et al. (2022, appendix D.3), shape (4500, 5), in the order of `PARAMETERS`."""
    scales, exponents = np.arange(0.0, 26.0, 5.0), np.arange(0.0, 2.1, 0.5)
    return np.array(list(itertools.product(scales, scales, np.arange(-1.0, 1.1, 0.5), exponents, exponents)))


def drawn_starts(law: Law, count: int, seed: int = 0) -> np.ndarray:
    """Starts drawn from the ranges of the law's card, in the logarithm where the card says so; shape (count, 5)."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for name, constant in law.parameters.items():
        low, high = np.log(constant.range) if constant.log else constant.range
        values = rng.uniform(low, high, count)
        drawn[name] = np.exp(values) if constant.log else values
    logs = [np.log(drawn[name]) for name in ("A", "B", "E0")]
    return np.stack([*logs, drawn["alpha"], drawn["beta"]], axis=1)


def point_of(values: dict[str, float]) -> np.ndarray:
    """The point of the constants E0, A, B, alpha and beta, shape (5,)."""
    logs = [float(np.log(values[name])) for name in ("A", "B", "E0")]
    return np.array([*logs, values["alpha"], values["beta"]])


def constants_of(points: np.ndarray) -> dict[str, np.ndarray]:
    """The constants of points of shape (..., 5), by name."""
    a, b, e, alpha, beta = np.moveaxis(points, -1, 0)
    return {"E0": np.exp(e), "A": np.exp(a), "B": np.exp(b), "alpha": alpha, "beta": beta}
