"""How well predictions meet measurements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """Errors of predictions on some rows.

    Attributes
    ----------
    rmse, mae
        Root mean square error, and mean absolute error, in the unit of the target.
    mape
        Mean absolute error relative to the target, in percent.
    r2
        Share of the variance explained; NaN when the target does not vary.
    n_rows
        Number of rows.
    """

    rmse: float
    mae: float
    mape: float
    r2: float
    n_rows: int


def score(prediction: np.ndarray, target: np.ndarray) -> Score:
    """Score predictions; a prediction that is not finite makes every error infinite.

    >>> score(np.array([1.0, 2.0]), np.array([1.0, 2.5])).mape
    10.0
    """
    error = np.asarray(prediction, dtype=float) - target
    if not np.isfinite(error).all():
        return Score(float("inf"), float("inf"), float("inf"), float("-inf"), len(target))
    variance = float(np.mean((target - target.mean()) ** 2))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        squared = float(np.mean(error**2))
        relative = np.where(error == 0, 0.0, np.abs(error) / np.abs(target))  # a target of zero can be met
        mape = float(100 * np.mean(relative))
        mae = float(np.mean(np.abs(error)))
    r2 = 1 - squared / variance if variance > 0 else float("nan")
    return Score(squared**0.5, mae, mape, r2, len(target))
