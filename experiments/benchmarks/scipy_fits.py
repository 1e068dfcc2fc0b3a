"""SciPy's solvers from many starts, one after the other: what a careful user of SciPy writes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from chinchilla_loss import DELTA, ChinchillaLoss
from scipy.optimize import least_squares, minimize

CLOSE = 1e-4  # relative difference of objectives below which a start has reached the best
ITERATIONS: dict[str, float] = {
    "maxiter": 15_000,
    "maxfun": 1_000_000,
}  # SciPy's own cap on evaluations stops numeric gradients early

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Tried:
    """What many starts came to.

    Attributes
    ----------
    losses
        The objective at the end of each start, shape (starts,); infinite for a start that failed.
    points
        The parameters there, shape (starts, parameters).
    seconds
        Time for all of them.
    asked
        How many starts were asked for: more than there are where the time limit cut the run.
    """

    losses: np.ndarray
    points: np.ndarray
    seconds: float
    asked: int

    @property
    def cut(self) -> bool:
        """Whether the time limit left starts untried."""
        return len(self.losses) < self.asked

    @property
    def best(self) -> float:
        """The lowest objective; infinite when every start failed."""
        return float(self.losses.min())

    def share_within(self, best: float) -> float:
        """Share of the starts that came within 1e-4 (relative) of `best`."""
        return float(np.mean(self.losses <= best * (1 + CLOSE)))


def lbfgsb(loss: ChinchillaLoss, starts: np.ndarray, *, analytic: bool) -> Tried:
    """L-BFGS-B with SciPy's tolerances, with the exact gradient or with SciPy's own differences."""
    return _from_each(lambda start: solve_lbfgsb(loss, start, {}, analytic=analytic), starts)


def solve_lbfgsb(
    loss: ChinchillaLoss, start: np.ndarray, tolerances: Mapping[str, float], *, analytic: bool
) -> tuple[float, np.ndarray]:
    """The objective and the point that L-BFGS-B reaches from one start."""
    function = loss.value_and_gradient if analytic else loss.value
    options = ITERATIONS | dict(tolerances)
    result = minimize(function, start, jac=analytic or None, method="L-BFGS-B", options=options)
    return float(result.fun) * DELTA, result.x  # the loss is in units of delta


def robust_least_squares(
    residuals: Function,
    jacobian: Function,
    starts: np.ndarray,
    *,
    delta: float | None,
    scale: float | str = "jac",
    tolerance: float = 1e-10,
    bounds: np.ndarray | None = None,
    limit: float = np.inf,
) -> Tried:
    """`scipy.optimize.least_squares` (trust region reflective) with exact derivatives.

    Parameters
    ----------
    delta
        Where Huber's loss turns linear; `None` for squares.
    scale, tolerance
        `x_scale`, and one value for `ftol`, `xtol` and `gtol`.
    bounds
        Lowest and highest legal parameters, shape (2, parameters).
    limit
        Seconds after which no further start is tried.
    """

    def solve(start: np.ndarray) -> tuple[float, np.ndarray]:
        result = least_squares(
            residuals,
            start,
            jac=jacobian,
            bounds=(-np.inf, np.inf) if bounds is None else bounds,
            loss="linear" if delta is None else "huber",
            f_scale=1.0 if delta is None else delta,
            x_scale=scale,
            ftol=tolerance,
            xtol=tolerance,
            gtol=tolerance,
        )
        return float(result.cost), result.x

    return _from_each(solve, starts, limit)


def _from_each(
    solve: Callable[[np.ndarray], tuple[float, np.ndarray]], starts: np.ndarray, limit: float = np.inf
) -> Tried:
    losses, points = [], []
    # Starts far out overflow. All of that is quiet for the whole loop: SciPy pays for it once, not at every call.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        begun = perf_counter()
        for start in starts:
            try:
                loss, point = solve(start)
            except (ValueError, np.linalg.LinAlgError):  # not finite where it starts, or on its way
                loss, point = np.inf, start
            losses.append(loss if np.isfinite(loss) else np.inf)
            points.append(point)
            if perf_counter() - begun > limit:
                break
        seconds = perf_counter() - begun
    return Tried(np.array(losses), np.array(points), seconds, len(starts))
