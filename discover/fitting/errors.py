"""Standard errors of fitted constants from the covariance of a robust (M-) estimator.

For a loss rho with derivative psi the covariance is the sandwich ``inv(H) @ G @ inv(H)`` with
``H = sum psi'(r) j j.T`` and ``G = sum psi(r)**2 j j.T`` (Huber 1981, section 7.6), which holds when the noise differs
between rows. With delta far below the noise, psi' is one for a handful of rows only; each row therefore counts with the
probability that its residual, smoothed by a Gaussian kernel, lies within delta (Powell 1991, for quantile regression).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from discover.fitting.objective import Objective

FLAT = 1e-7  # ratio of singular values below which a direction is not determined
SHARE = 1e-3  # of a constant that lies in such directions, from which on it is not determined either


def covariance(residual: np.ndarray, jacobian: np.ndarray, objective: Objective) -> tuple[np.ndarray, list[list[int]]]:
    """Covariance of the constants, and the directions that the rows do not determine.

    Parameters
    ----------
    residual, jacobian
        At the optimum: shape (rows,), and (rows, constants).

    Returns
    -------
    covariance
        Shape (constants, constants); NaN on the diagonal of constants that are not determined.
    flat
        Groups of constants that are not determined, by index: those of one group trade off among each other.
    """
    n_constants = jacobian.shape[1]
    if not n_constants:
        return np.zeros((0, 0)), []
    if not (np.isfinite(residual).all() and np.isfinite(jacobian).all()):
        return np.full((n_constants, n_constants), np.nan), []
    with np.errstate(over="ignore"):
        length = np.linalg.norm(jacobian, axis=0)
    scale = np.where(length > 0, length, 1.0)
    _, singular, directions = np.linalg.svd(jacobian / scale, full_matrices=False)
    determined = singular > FLAT * singular[0]
    flat = _groups(directions[~determined])
    turned = directions[determined].T  # constants x determined directions
    inner = turned @ _sandwich(residual, (jacobian / scale) @ turned, objective) @ turned.T
    with np.errstate(over="ignore"):  # a term all but vanishes: its constant may be anything
        result = inner / scale[:, None] / scale
    known = {k for group in flat for k in group}
    flat += [[k] for k in range(n_constants) if k not in known and not np.isfinite(result[k, k])]
    for k in {k for group in flat for k in group}:
        result[k, k] = np.nan
    return result, flat


def _groups(directions: np.ndarray) -> list[list[int]]:
    """Constants that the undetermined `directions` join, as groups of indices.

    Any rotation of the directions spans the same space, so that single directions say nothing; their projector does.
    """
    projector = directions.T @ directions
    left = np.flatnonzero(np.diag(projector) > SHARE).tolist()
    groups = []
    while left:
        group, new = [], [left[0]]
        while new:
            group += new
            left = [k for k in left if k not in new]
            new = [k for k in left if np.abs(projector[k, group]).max() > SHARE]
        groups.append(sorted(group))
    return groups


def _sandwich(residual: np.ndarray, jacobian: np.ndarray, objective: Objective) -> np.ndarray:
    n_rows, n_constants = jacobian.shape
    freedom = max(1, n_rows - n_constants)
    if not objective.robust:
        return np.asarray(np.linalg.pinv(jacobian.T @ jacobian) * (residual @ residual) / freedom)
    scale = 1.4826 * np.median(np.abs(residual))
    if scale == 0:
        return np.zeros((n_constants, n_constants))
    width = 0.9 * scale * n_rows**-0.2  # Silverman's rule, with the robust scale
    inside = norm.cdf((objective.delta - residual) / width) - norm.cdf((-objective.delta - residual) / width)
    psi = np.clip(residual, -objective.delta, objective.delta)
    bread = np.linalg.pinv((jacobian * inside[:, None]).T @ jacobian)
    meat = (jacobian * (psi**2)[:, None]).T @ jacobian
    return np.asarray(bread @ meat @ bread * n_rows / freedom)
