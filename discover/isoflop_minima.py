"""The lowest minimum of each isoFLOP profile, for many sets of constants and many budgets at once.

The slope of each profile is sampled on a grid; where its sign turns from falling to rising is a minimum, which Newton's
method refines inside its cell of the grid. A minimum at an end of the grid is none: it says where the search ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from discover.isoflop import Isoflop

SPACING = 0.1  # of the grid, in ln N: of two minima closer than this one may be missed
ELEMENTS = 250_000  # points of profiles that are held at once: 2 MB an array, which stays in the cache
STEPS = 100  # of a refinement: more than bisection needs
TOLERANCE = 1e-14  # of ln N, relative
BREAK = 1e-8  # of the slopes at the ends of its cell: a minimum with a larger slope is a kink
FLAT = 1e-9  # of the terms of the slope: a smaller curvature determines no minimum


class Status(IntEnum):
    """What the search along one profile came to."""

    INTERIOR = 0
    SEVERAL = 1
    KINK = 2
    SMALLEST = 3
    LARGEST = 4
    LOWER_OUTSIDE = 5
    FLAT = 6
    NOT_FINITE = 7

    @property
    def reason(self) -> str:
        """What the reader must know of it; empty for a single smooth minimum."""
        return _REASONS[self]


_REASONS = {
    Status.INTERIOR: "",
    Status.SEVERAL: "several minima: this is the lowest",
    Status.KINK: "the optimum lies at a kink of the law: it has no local exponent",
    Status.SMALLEST: "no interior optimum: the loss is lowest at the smallest N that was searched",
    Status.LARGEST: "no interior optimum: the loss is lowest at the largest N that was searched",
    Status.LOWER_OUTSIDE: "no optimum: the loss has a minimum, but is lower at an end of the range: narrow it",
    Status.FLAT: "no single optimum: the loss is the same over a range of N",
    Status.NOT_FINITE: "no optimum: the law is not finite in a part of the range, and has no minimum in the rest",
}
FOUND = (Status.INTERIOR, Status.SEVERAL, Status.KINK)


class Minima(NamedTuple):
    """The lowest minimum of each profile, NaN where there is none; each array of shape (sets, budgets)."""

    N: np.ndarray
    D: np.ndarray
    loss: np.ndarray
    a: np.ndarray  # d ln N/d ln C; NaN at a kink too
    status: np.ndarray  # numbers of `Status`


def lowest_minima(
    profile: Isoflop, others: Sequence[np.ndarray], products: np.ndarray, ratios: tuple[float, float]
) -> Minima:
    """The lowest minimum of each profile.

    Parameters
    ----------
    others
        What the profile takes beside N and D: arrays of shape (sets,).
    products
        N*D of each budget, shape (budgets,).
    ratios
        Smallest and largest D/N that is searched.
    """
    low, high = np.log(ratios)
    points = max(3, int(np.ceil((high - low) / 2 / SPACING)) + 1)
    grid = (np.log(products)[:, None] - np.linspace(high, low, points)) / 2  # ln N, ascending
    sets = len(others[0]) if others else 1
    size = max(1, ELEMENTS // max(1, grid.size))
    chunks = [
        _chunk(profile, [column[k : k + size] for column in others], products, grid, min(size, sets - k))
        for k in range(0, max(1, sets), size)
    ]
    return Minima(*(np.concatenate(arrays) for arrays in zip(*chunks, strict=True)))


def _chunk(profile: Isoflop, others: list[np.ndarray], products: np.ndarray, grid: np.ndarray, sets: int) -> Minima:
    shape = (sets, len(products))
    N = np.exp(grid)
    D, wide = products[:, None] / N, [column[:, None, None] for column in others]
    slope = np.broadcast_to(profile.slope(N, D, wide), (*shape, grid.shape[1]))
    ends = np.broadcast_to(profile.local(N[:, [0, -1]], D[:, [0, -1]], wide).loss, (*shape, 2))
    number, every = _minima(profile, others, products, grid, slope)

    # The lowest minimum of each profile comes first when they are sorted by profile, then by loss.
    order = np.lexsort((every.loss, number))
    which, first, count = np.unique(number[order], return_index=True, return_counts=True)
    best, at = order[first], np.unravel_index(which, shape)
    several = (every.status[best] == Status.INTERIOR) & (count > 1)
    outward = np.stack([slope[..., 0][at] > 0, slope[..., -1][at] < 0], axis=1)  # whether the loss falls towards an end
    lower = (outward & (ends[at] < every.loss[best, None])).any(axis=1)
    status = _without_minimum(slope, ends)
    status[at] = np.where(lower, Status.LOWER_OUTSIDE, np.where(several, Status.SEVERAL, every.status[best]))

    def lowest(values: np.ndarray) -> np.ndarray:
        array = np.full(shape, np.nan)
        array[at] = np.where(np.isin(status[at], FOUND), values[best], np.nan)
        return array

    return Minima(lowest(every.N), lowest(every.D), lowest(every.loss), lowest(every.a), status)


def _minima(
    profile: Isoflop, others: list[np.ndarray], products: np.ndarray, grid: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, Minima]:
    """All minima in no order, and the number of the profile of each (by set, then budget)."""
    row, budget, cell = np.nonzero((slope[..., :-1] < 0) & (slope[..., 1:] >= 0))
    columns = [column[row] for column in others]
    N = np.exp(_refined(profile, grid[budget, cell], grid[budget, cell + 1], products[budget], columns))
    D = products[budget] / N
    here = profile.local(N, D, columns)
    around = np.maximum(-slope[row, budget, cell], slope[row, budget, cell + 1])
    with np.errstate(all="ignore"):
        kink = np.abs(here.slope) > BREAK * around
        exponent = np.where(kink, np.nan, -here.drift / here.curvature)
    status = np.where(here.curvature > FLAT * here.size, Status.INTERIOR, Status.FLAT)
    status = np.where(kink, Status.KINK, status)
    status = np.where(np.isfinite(here.loss), status, Status.NOT_FINITE)
    return row * len(products) + budget, Minima(N, D, here.loss, exponent, status)


def _without_minimum(slope: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """What is to be said of profiles that nowhere turn from falling to rising."""
    lower_end = np.where(ends[..., 0] <= ends[..., 1], Status.SMALLEST, Status.LARGEST)
    # Where the loss hardly differs between the ends, the signs of the slope still tell which is lower.
    result = np.where((slope <= 0).all(axis=-1), Status.LARGEST, lower_end)
    result = np.where((slope >= 0).all(axis=-1), Status.SMALLEST, result)
    result = np.where((slope == 0).all(axis=-1), Status.FLAT, result)
    return np.where(np.isnan(slope).any(axis=-1), Status.NOT_FINITE, result)


def _refined(
    profile: Isoflop, low: np.ndarray, high: np.ndarray, products: np.ndarray, others: Sequence[np.ndarray]
) -> np.ndarray:
    """ln N where the slope turns from negative to positive between `low` and `high`, by Newton steps.

    A step that would leave the bracket, or that is not half as long as the one before, is a bisection instead.
    """
    point, last = (low + high) / 2, high - low
    moving = np.ones(len(point), dtype=bool)
    for _ in range(STEPS):
        if not moving.any():
            break
        size = np.exp(point)
        here = profile.local(size, products / size, others)
        rising = here.slope >= 0
        low, high = np.where(rising, low, point), np.where(rising, point, high)
        with np.errstate(all="ignore"):
            newton = point - here.slope / here.curvature
            good = (newton >= low) & (newton <= high) & (np.abs(newton - point) <= last / 2)
        new = np.where(good, newton, (low + high) / 2)
        last = np.abs(new - point)
        point = np.where(moving, new, point)
        moving &= last > TOLERANCE * np.maximum(1.0, np.abs(point))
    return np.asarray(point)
