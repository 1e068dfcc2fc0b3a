"""The parameters in which a fit moves: those constants that are free, in the units in which the solver sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.errors import InputError, one_of
from discover.law import Law

Limits = tuple[float | None, float | None]
LARGEST = 690.0  # size of a logarithm whose constant, and one over it, are still numbers: 1e300


@dataclass(frozen=True)
class Space:
    """A law's constants as parameters: logarithms where the card says log, tied ones once, fixed ones not at all.

    Attributes
    ----------
    names
        All constants, in the law's order.
    free
        Names of the parameters: constants that move, each with those tied to it.
    log
        For all constants: whether the solver moves their logarithm. Shape (constants,).
    index
        The parameter of each constant; -1 where it is fixed. Shape (constants,).
    fixed
        For all constants: their fixed value; zero where they move. Shape (constants,).
    lower, upper
        Bounds of the parameters, in the solver's units. Shape (parameters,).
    low, high
        Range in which starts are drawn, in the solver's units. Shape (parameters,).
    """

    names: tuple[str, ...]
    free: tuple[str, ...]
    log: np.ndarray
    index: np.ndarray
    fixed: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def plain(self) -> bool:
        """Whether every constant is a parameter of its own."""
        return len(self.free) == len(self.names)

    def inner(self, points: np.ndarray) -> np.ndarray:
        """All constants in the solver's units, shape (sets, constants), of `points`, shape (sets, parameters)."""
        if self.plain:
            return points
        padded = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
        return np.asarray(np.where(self.index >= 0, padded[:, self.index], _inner(self.fixed, self.log)))

    def constants(self, points: np.ndarray) -> np.ndarray:
        """All constants, shape (sets, constants), of `points`, shape (sets, parameters)."""
        inner = self.inner(points)
        with np.errstate(over="ignore"):
            moved = np.where(self.log, np.exp(np.where(self.log, inner, 0.0)), inner)
        return np.where(self.index >= 0, moved, self.fixed)

    def points(self, constants: np.ndarray) -> np.ndarray:
        """Parameters, shape (sets, parameters), of constants of shape (sets, constants).

        Values of constants that are fixed, or tied to another one, are not looked at.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(self.log, np.log(np.where(self.log, np.maximum(constants, 0.0), 1.0)), constants)
        return np.asarray(inner[:, self.first])

    @property
    def first(self) -> np.ndarray:
        """Place among all constants of the one that each parameter is named after, shape (parameters,)."""
        return np.array([self.names.index(name) for name in self.free], dtype=int)

    def slopes(self, slopes: np.ndarray) -> np.ndarray:
        """Derivatives in the parameters from those in all constants: axis 1 of (sets, constants, rows)."""
        if self.plain:
            return slopes
        moved = np.zeros((slopes.shape[0], len(self.free), slopes.shape[2]))
        for k, place in enumerate(self.index):
            if place >= 0:
                moved[:, place] += slopes[:, k]
        return moved

    def scale(self, point: np.ndarray) -> np.ndarray:
        """Derivative of all constants in the parameters at one point, shape (constants, parameters)."""
        constants = self.constants(point[None])[0]
        matrix = np.zeros((len(self.names), len(self.free)))
        for k, place in enumerate(self.index):
            if place >= 0:
                matrix[k, place] = constants[k] if self.log[k] else 1.0
        return matrix


def space_of(
    law: Law,
    *,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
) -> Space:
    """The space of a law's constants.

    Parameters
    ----------
    fixed
        Constants that are not fitted, with their values.
    tied
        Constants that take the value of another one.
    bounds
        Smallest and largest legal value of a constant, in place of the card's; `None` for none.

    Raises
    ------
    InputError
        When a constant is unknown, fixed at a value that is not legal, tied to one that does not move by itself, or
        left without a value by its bounds.
    """
    fixed, tied, bounds = dict(fixed or {}), dict(tied or {}), dict(bounds or {})
    names = tuple(law.parameters)
    for name in (*fixed, *tied, *tied.values(), *bounds):
        if name not in law.parameters:
            raise InputError(f"law {law.name!r} has no constant {name!r}: {one_of(name, names)}")
    for name, value in fixed.items():
        constant = law.parameters[name]
        low = max(constant.lower, 0.0) if constant.log else constant.lower
        if not (np.isfinite(value) and low <= value <= constant.upper):
            legal = f"a finite number from {low:g} to {constant.upper:g}"
            raise InputError(f"law {law.name!r}: the constant {name} cannot be fixed at {value}: it must be {legal}")
        if name in bounds:
            raise InputError(f"law {law.name!r}: {name} is fixed at {value:g}: leave out its bounds")
    for name, other in tied.items():
        if other in fixed or other in tied or other == name or name in fixed:
            raise InputError(f"law {law.name!r}: {name} cannot be tied to {other}: tie it to one that is free")
        if law.parameters[name].log != law.parameters[other].log:
            raise InputError(
                f"law {law.name!r}: {name} cannot be tied to {other}: only one of them moves by its logarithm"
            )
        bounds[other] = _both(bounds.get(other), bounds.pop(name, None), law, name, other)
    free = tuple(name for name in names if name not in fixed and name not in tied)
    log = np.array([law.parameters[name].log for name in names], dtype=bool)
    values = np.array([fixed.get(name, 0.0) for name in names], dtype=float)
    limits = {name: _limits(law, name, bounds.get(name)) for name in free}
    logs = np.array([law.parameters[name].log for name in free], dtype=bool)
    index = [free.index(tied.get(name, name)) if name not in fixed else -1 for name in names]
    low_high = np.array([limits[name][1] for name in free], dtype=float).reshape(-1, 2)
    lower_upper = np.array([limits[name][0] for name in free], dtype=float).reshape(-1, 2)
    return Space(
        names,
        free,
        log,
        np.array(index, dtype=int),
        values,
        *(np.where(logs, np.clip(_inner(column, logs), -LARGEST, LARGEST), column) for column in lower_upper.T),
        *(_inner(column, logs) for column in low_high.T),
    )


def _both(one: Limits | None, other: Limits | None, law: Law, name: str, to: str) -> Limits:
    """Bounds of a constant and of one that is tied to it, both of which hold."""
    own = (law.parameters[name].lower, law.parameters[name].upper) if other is None else other
    base = (law.parameters[to].lower, law.parameters[to].upper) if one is None else one
    low = max(-np.inf if end is None else end for end in (own[0], base[0]))
    high = min(np.inf if end is None else end for end in (own[1], base[1]))
    return low, high


def _limits(
    law: Law, name: str, bounds: tuple[float | None, float | None] | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Legal values of a constant, and the range of its starts."""
    constant = law.parameters[name]
    lower, upper = constant.lower, constant.upper
    low, high = constant.range
    if bounds is not None:
        lower = -np.inf if bounds[0] is None else float(bounds[0])
        upper = np.inf if bounds[1] is None else float(bounds[1])
        if constant.log or constant.positive:
            lower = max(lower, 0.0)
        if not lower < upper:
            raise InputError(f"law {law.name!r}: the bounds of {name} leave no value: {lower:g} to {upper:g}")
        low, high = max(low, lower), min(high, upper)
        if low >= high:  # the card's range lies outside: start near the bound that is nearest
            low, high = _inside(lower, upper, positive=constant.log)
    if constant.log:
        lower = max(lower, 0.0)
    return (lower, upper), (low, high)


def _inside(lower: float, upper: float, *, positive: bool) -> tuple[float, float]:
    if np.isfinite(lower) and np.isfinite(upper):
        return (lower or 1e-6 * upper, upper) if positive else (lower, upper)
    if positive:
        return (lower, 10 * lower) if np.isfinite(lower) and lower > 0 else (upper / 10, upper)
    size = abs(lower if np.isfinite(lower) else upper) or 1.0
    return (lower, lower + size) if np.isfinite(lower) else (upper - size, upper)


def _inner(values: np.ndarray | Sequence[float], log: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(log, np.log(np.where(log, values, 1.0)), values))
