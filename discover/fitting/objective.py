"""What a fit minimises: a sum over rows of a robust or squared loss of the residual.

The field's standard is the Huber loss of the residual of the *logarithm* with delta = 1e-3, summed over rows
(Hoffmann et al. 2022, approach 3). Summed, not averaged: a mean makes the objective so small that solvers stop at
once, which is what happened to the published optimum (Besiroglu et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from discover.errors import InputError, one_of

Name = Literal["log_huber", "log_squared", "huber", "squared"]
NAMES: tuple[Name, ...] = ("log_huber", "log_squared", "huber", "squared")


@dataclass(frozen=True)
class Objective:
    """A loss of residuals.

    Attributes
    ----------
    name
        ``log_huber`` (the default), ``log_squared``: residual log(prediction) - log(target); ``huber``,
        ``squared``: residual prediction - target, for targets that can be negative.
    delta
        Where Huber's loss turns from squared to linear, in the unit of the residual.
    """

    name: Name = "log_huber"
    delta: float = 1e-3

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise InputError(f"unknown objective {self.name!r}: {one_of(self.name, NAMES)}")
        if not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(f"delta must be a positive number, not {self.delta}")

    @classmethod
    def suited_to(cls, target: np.ndarray) -> Objective:
        """The default for a target: on the logarithm where it is positive, else on the residual itself."""
        if np.all(target > 0):
            return cls()
        spread = float(np.median(np.abs(target - np.median(target)))) or float(np.std(target)) or 1.0
        return cls("huber", 1e-3 * spread)

    @property
    def logarithmic(self) -> bool:
        """Whether the residual is one of logarithms."""
        return self.name.startswith("log_")

    @property
    def robust(self) -> bool:
        """Whether large residuals count linearly."""
        return self.name.endswith("huber")

    def residual(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Residuals; NaN where the prediction is not legal (zero or less under a logarithm)."""
        if not self.logarithmic:
            return np.asarray(prediction - target)
        with np.errstate(all="ignore"):
            return np.where(prediction > 0, np.log(prediction) - np.log(target), np.nan)

    def loss(self, residual: np.ndarray, delta: float | None = None) -> np.ndarray:
        """Sum of the losses over the last axis; infinite where a residual is not finite."""
        delta = self.delta if delta is None else delta
        size = np.abs(residual)
        with np.errstate(over="ignore", invalid="ignore"):  # a start far out: its loss is infinite
            square = 0.5 * size**2
            terms = np.where(size <= delta, square, delta * (size - delta / 2)) if self.robust else square
            total = terms.sum(axis=-1)
        return np.where(np.isfinite(total), total, np.inf)

    def weight(self, residual: np.ndarray, delta: float | None = None) -> np.ndarray:
        """Weight that turns the residual's square into the loss's gradient: psi(r) / r."""
        if not self.robust:
            return np.ones_like(residual)
        delta = self.delta if delta is None else delta
        with np.errstate(all="ignore"):
            return np.asarray(np.minimum(1.0, delta / np.abs(residual)))

    def __str__(self) -> str:
        return f"{self.name} (delta {self.delta:g})" if self.robust else self.name
