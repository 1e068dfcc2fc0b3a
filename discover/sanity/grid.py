"""The points at which a law is looked at: grids over the data and beyond, even in the logarithm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.dataset_card import ZERO_IS_LEGAL, FeatureKind

BEYOND = 100.0  # times the largest value of the data
POINTS = 41  # along the feature that varies
LEVELS = 5  # of each other feature

Grid = dict[str, np.ndarray]


def spread(column: np.ndarray, points: int, reach: float = 1.0) -> np.ndarray:
    """Values from the smallest of a column to `reach` times its largest, shape (points,)."""
    return np.geomspace(column.min(), column.max() * reach, points)


def line(columns: Mapping[str, np.ndarray], kinds: Mapping[str, FeatureKind], along: str, reach: float) -> Grid:
    """A grid: `along` varies in the last axis up to `reach` times its largest value, the others over the data."""
    others = {name: column for name, column in columns.items() if name != along}
    return mesh({along: spread(columns[along], POINTS, reach)}, others, kinds, LEVELS, 1.0)


def mesh(
    last: Mapping[str, np.ndarray],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    levels: int,
    reach: float,
) -> Grid:
    """All combinations of levels of `columns` and of the axes `last`, which vary in the last axes.

    Shares are not varied one by one, since those of a mixture sum to one: settings of the data are taken.
    """
    shares = [name for name in columns if kinds.get(name) in ZERO_IS_LEGAL]
    axes = {name: spread(column, levels, reach) for name, column in columns.items() if name not in shares}
    settings = np.unique(np.column_stack([columns[name] for name in shares]), axis=0) if shares else np.zeros((1, 0))
    chosen = settings[np.unique(np.linspace(0, len(settings) - 1, levels).round().astype(int))]
    number, *meshed = np.meshgrid(np.arange(len(chosen)), *axes.values(), *last.values(), indexing="ij")
    grid = dict(zip([*axes, *last], meshed, strict=True))
    return grid | {name: chosen[number, k] for k, name in enumerate(shares)}


def first(bad: np.ndarray) -> tuple[int, ...]:
    """Index of the first point that is bad."""
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(bad)), bad.shape))


def at(grid: Mapping[str, np.ndarray], index: tuple[int, ...]) -> dict[str, float]:
    """One point of a grid."""
    return {name: float(column[index]) for name, column in grid.items()}


def shown(point: Mapping[str, float]) -> str:
    """A point as text."""
    return ", ".join(f"{name} = {value:.3g}" for name, value in point.items())


def witness(grid: Mapping[str, np.ndarray], bad: np.ndarray) -> str:
    """The first bad point as text."""
    return shown(at(grid, first(bad)))
