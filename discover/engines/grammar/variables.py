"""The variables of the grammar: what a law may be made of, each a function of a feature with at most one constant.

Every feature is seen in its unit, x = feature/scale, so that all constants are of order one. A variable with a constant
p is

- ``shifted``: log(x + exp(p)): a power law that begins late, as of fine-tuning;
- ``capped``: -log(1/x + exp(p)): the logarithm of a feature that saturates, as of experts;
- ``slow``: log(1 + exp(p)*log(x)): less than any power, as of parallel streams; of counts from one on;
- ``repeated``: log(y*(1 + R*(1 - exp(-(x/y - 1)/R)))), R = exp(p): what tokens x are worth when only y of them are
  unique (Muennighoff et al. 2023, eq. 5);
- ``power``: x**p: exponents that depend on a feature, floors that fall with it.

``log`` is the logarithm itself, ``share`` the feature as it is, for shares of a mixture, and ``log_share`` its
logarithm, shifted since a share may be zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["capped", "log", "log_share", "power", "repeated", "share", "shifted", "slow"]

_STARTS: Mapping[str, float] = {
    "shifted": -3.0,
    "capped": -3.0,
    "slow": 0.0,
    "repeated": 2.0,
    "power": -0.2,
    "log_share": -3.0,
}
LEAST_CHANGE = 0.03  # of a logarithm over the rows, that a constant must make
SMALLEST_POWER = 0.02  # a smaller one is a logarithm
LEAST, MOST = -14.0, 14.0  # of a logarithm of a constant: farther out a variable is the plain one


@dataclass(frozen=True, order=True)
class Variable:
    """A function of one feature, or of two.

    Attributes
    ----------
    kind
        Which function.
    feature, other
        Symbols of the features; `other` is y above.
    """

    kind: Kind
    feature: str
    other: str = ""

    @property
    def has_constant(self) -> bool:
        """Whether it has a constant."""
        return self.kind in _STARTS

    @property
    def start(self) -> float:
        """Where a fit of its constant may start."""
        return _STARTS.get(self.kind, 0.0)


def values(variable: Variable, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A variable and its derivative in its constant.

    Parameters
    ----------
    x, y
        The features in their units, shape (..., rows); y is looked at only where the variable has two.
    p
        The constant, shape (..., 1).
    """
    match variable.kind:
        case "log":
            return np.log(x), np.zeros_like(x)
        case "share":
            return x, np.zeros_like(x)
        case "shifted" | "log_share":
            shift = np.exp(p)
            total = x + shift
            return np.log(total), shift / total
        case "capped":
            cap = np.exp(p)
            total = 1 / x + cap
            return -np.log(total), -cap / total
        case "slow":
            part = np.exp(p) * np.log(x)
            return np.log1p(part), part / (1 + part)
        case "power":
            power = np.exp(np.clip(p * np.log(x), -500.0, 500.0))
            return power, power * np.log(x)
        case "repeated":
            again, worth = x / y - 1, np.exp(p)
            decay = np.exp(-again / worth)
            total = 1 + worth * (1 - decay)
            return np.log(y) + np.log(total), (worth * (1 - decay) - again * decay) / total


def bounds(variable: Variable) -> tuple[float, float]:
    """Legal values of a variable's constant."""
    return (-3.0, 3.0) if variable.kind == "power" else (LEAST, MOST)


def needless(variable: Variable, p: float, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a simpler variable does the same on the rows: one without the constant, or none.

    Parameters
    ----------
    x, y
        The features as `values` takes them, of any shape.
    p
        The constant's value.
    """
    if not variable.has_constant:
        return False
    if variable.kind == "power":
        return abs(p) < SMALLEST_POWER or abs(p) > bounds(variable)[1] * (1 - SMALLEST_POWER)
    made = values(variable, x, y, np.array([p]))[0]
    plain = [np.log(x)] if variable.kind != "log_share" else []
    if variable.kind == "repeated":
        plain.append(np.log(y))
    if not np.isfinite(made).all() or np.ptp(made) < LEAST_CHANGE:
        return True
    return any(np.ptp(made - one) < LEAST_CHANGE * max(1.0, float(np.ptp(one))) for one in plain)
