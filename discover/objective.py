"""What a fit minimises: a weighted sum over rows of a robust or squared loss of the residual.

The field's standard is the Huber loss of the residual of the *logarithm* with delta = 1e-3, summed over rows
(Hoffmann et al. 2022, approach 3). Summed, not averaged: a mean makes the objective so small that solvers stop too
early, which is what happened to the published optimum (Besiroglu et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from discover.errors import InputError, one_of

Name = Literal[
    "log_huber", "log_squared", "log_soft_l1", "log_mae", "huber", "squared", "soft_l1", "mae"
]  # fmt: skip
NAMES: tuple[Name, ...] = (
    "log_huber", "log_squared", "log_soft_l1", "log_mae", "huber", "squared", "soft_l1", "mae"
)  # fmt: skip
EFFICIENT = 1.345  # delta in standard deviations at which Huber's loss is 95 % efficient for normal noise (Huber 1981)
LOCAL = 0.3  # of the typical residual: with a delta below, a fit is all but one of least absolute values
NORMAL = 1.4826  # standard deviation of a normal variable in units of its median absolute value

Delta = float | np.ndarray


@dataclass(frozen=True)
class Objective:
    """A loss of residuals.

    Attributes
    ----------
    name
        With ``log_`` in front the residual is log(prediction) - log(target), else prediction - target, for targets
        that can be negative. ``huber`` (the default, on the logarithm): squared up to delta and linear beyond;
        ``soft_l1``: delta**2 (sqrt(1 + (r/delta)**2) - 1), the same with a soft turn; ``squared``: r**2 / 2;
        ``mae``: |r|, the mean absolute error but for the number of rows.
    delta
        Where the loss turns from squared to linear, above zero, in the unit of the residual (of a logarithm: 0.01 is
        about one per cent); of no meaning for ``squared`` and ``mae``.

    Raises
    ------
    InputError
        When there is no objective of that name, or delta is not a positive number.
    """

    name: Name = "log_huber"
    delta: float = 1e-3

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise InputError(f"unknown objective {self.name!r}: {one_of(self.name, NAMES)}")
        if not (np.isfinite(self.delta) and self.delta > 0):
            raise InputError(f"delta must be a positive number, not {self.delta}")

    @classmethod
    def suited_to(cls, target: np.ndarray, name: Name | None = None, delta: float | None = None) -> Objective:
        """An objective for a target: by default Huber's loss of the logarithm where all of it is positive.

        Else Huber's loss of the residual itself. A delta that is not given is 1e-3 on the logarithm; on the residual
        itself it is 1e-3 of the target's median absolute deviation, so that the target's unit does not matter.
        """
        made = cls(name or ("log_huber" if np.all(target > 0) else "huber"))
        if delta is None and not made.logarithmic:
            delta = 1e-3 * _spread(target)
        return made if delta is None else cls(made.name, delta)

    @property
    def logarithmic(self) -> bool:
        """Whether the residual is one of logarithms."""
        return self.name.startswith("log_")

    @property
    def shape(self) -> str:
        """The loss without the residual that it is of: huber, squared, soft_l1 or mae."""
        return self.name.removeprefix("log_")

    @property
    def robust(self) -> bool:
        """Whether large residuals count linearly."""
        return self.shape != "squared"

    def residual(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Residuals; NaN where the prediction is not legal (zero or less under a logarithm)."""
        if not self.logarithmic:
            return np.asarray(prediction - target)
        with np.errstate(all="ignore"):
            return np.where(prediction > 0, np.log(prediction) - np.log(target), np.nan)

    def loss(self, residual: np.ndarray, delta: Delta | None = None, weight: np.ndarray | None = None) -> np.ndarray:
        """Sum of the losses over the last axis; infinite where a residual is not finite.

        `delta` may have one value for each sum, as an array with a last axis of length one.
        """
        delta = self.delta if delta is None else delta
        with np.errstate(over="ignore", invalid="ignore"):  # a start far out: its loss is infinite
            if self.shape == "squared":
                terms = 0.5 * residual**2
            elif self.shape == "huber":
                size = np.abs(residual)
                inside = np.minimum(size, delta)
                terms = inside * (size - 0.5 * inside)
            elif self.shape == "soft_l1":
                scaled = residual / delta
                terms = residual**2 / (1 + np.sqrt(1 + scaled**2))
            else:
                terms = np.abs(residual)
            total = terms.sum(axis=-1) if weight is None else (terms * weight).sum(axis=-1)
            if weight is not None and not np.isfinite(total).all():  # what weighs nothing may be anything
                total = (np.where(weight > 0, terms, 0.0) * weight).sum(axis=-1)
        return np.where(np.isfinite(total), total, np.inf)

    def weight(self, residual: np.ndarray, delta: Delta | None = None) -> np.ndarray:
        """Weight that turns the residual's square into the loss's gradient: psi(r) / r."""
        delta = self.delta if delta is None else delta
        with np.errstate(all="ignore"):
            if self.shape == "squared":
                return np.ones_like(residual)
            if self.shape == "huber":
                return np.asarray(np.minimum(1.0, delta / np.abs(residual)))
            if self.shape == "soft_l1":
                return np.asarray(1 / np.sqrt(1 + (residual / delta) ** 2))
            return np.asarray(1 / np.abs(residual))

    def curvature(self, residual: np.ndarray, delta: Delta | None = None) -> np.ndarray:
        """Second derivative of the loss, psi'(r)."""
        delta = self.delta if delta is None else delta
        if self.shape == "squared":
            return np.ones_like(residual)
        if self.shape == "huber":
            return np.asarray(np.abs(residual) <= delta, dtype=float)
        if self.shape == "soft_l1":
            with np.errstate(over="ignore"):
                return np.asarray((1 + (residual / delta) ** 2) ** -1.5)
        return np.zeros_like(residual)

    def __str__(self) -> str:
        return f"{self.name} (delta {self.delta:g})" if self.shape in {"huber", "soft_l1"} else self.name


def noise_delta(residual: np.ndarray, n_constants: int, objective: Objective) -> float:
    """The delta that suits the noise of `residual`: 1.345 robust standard deviations, so that typical rows count
    squared and outliers do not (Huber 1981, section 4.5).

    The standard deviation comes from the median absolute residual of a fit of `n_constants` with `objective`, corrected
    for the constants.
    """
    size = np.sort(np.abs(residual))
    if objective.shape != "squared" and objective.delta < LOCAL * float(np.median(size)):
        # Such a fit passes through as many rows as it has constants: they say nothing about the noise.
        return EFFICIENT * NORMAL * float(np.median(size[n_constants:] if len(size) > 2 * n_constants else size))
    return EFFICIENT * NORMAL * float(np.median(size) * np.sqrt(len(size) / max(1, len(size) - n_constants)))


def _spread(target: np.ndarray) -> float:
    return float(np.median(np.abs(target - np.median(target)))) or float(np.std(target)) or 1.0
