"""The rows of a fit: columns, target and weights, checked; those of one problem or of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.errors import FitError, InputError
from discover.law import Law


@dataclass(frozen=True)
class Rows:
    """The rows of one problem, or of many.

    Attributes
    ----------
    columns
        The law's columns in its order, each of shape (rows,), or (problems, rows).
    target
        Shape (rows,) or (problems, rows).
    weight
        Weight of each row, shape (rows,) or (problems, rows); `None` when all count one.
    """

    columns: list[np.ndarray]
    target: np.ndarray
    weight: np.ndarray | None = None

    @property
    def count(self) -> int:
        """Number of rows of a problem."""
        return int(self.target.shape[-1])

    @property
    def problems(self) -> int:
        """Number of problems."""
        shapes = [self.target.shape] if self.weight is None else [self.target.shape, self.weight.shape]
        return max([shape[0] for shape in shapes if len(shape) == 2], default=1)

    def part(self, rows: slice | np.ndarray) -> Rows:
        """Some of the rows of every problem."""
        weight = None if self.weight is None else self.weight[..., rows]
        return Rows([column[..., rows] for column in self.columns], self.target[..., rows], weight)

    def problem(self, number: int) -> Rows:
        """The rows of one problem."""
        weight = self.weight
        if weight is not None and weight.ndim == 2:
            weight = weight[number]
        columns = [column if column.ndim == 1 else column[number] for column in self.columns]
        return Rows(columns, self.target if self.target.ndim == 1 else self.target[number], weight)


def rows_of(law: Law, features: Mapping[str, np.ndarray], target: np.ndarray, weights: np.ndarray | None) -> Rows:
    """The rows of a fit, checked; rows that weigh nothing are left out.

    Raises
    ------
    FitError
        When there are none, or all weigh zero.
    InputError
        When the target is no column, a feature is missing or has another length, a value is not finite, or a weight is
        not legal.
    """
    target = np.asarray(target, dtype=float)
    if target.ndim != 1:
        raise InputError(
            f"law {law.name!r} cannot be fitted: the target has the shape {target.shape}; give one value for each row"
        )
    if not len(target):
        raise FitError(f"law {law.name!r} cannot be fitted: there are no rows")
    missing = [name for name in law.columns if name not in features]
    if missing:
        legal = ", ".join(features) or "none"
        raise InputError(f"law {law.name!r} needs the feature {missing[0]!r}; the rows have: {legal}")
    columns = [np.asarray(features[name], dtype=float) for name in law.columns]
    for name, column in zip(law.columns, columns, strict=True):
        if column.shape != target.shape:
            raise InputError(f"the feature {name!r} has {column.shape} values and the target has {target.shape}")
    counted = np.ones(len(target), dtype=bool)
    if weights is not None:
        weights = np.asarray(weights, dtype=float)
        if weights.shape != target.shape or not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError(f"weights must be {len(target)} finite numbers that are zero or more, one for each row")
        counted = weights > 0
        if not counted.any():
            raise FitError(f"law {law.name!r} cannot be fitted: all weights are zero")
    for name, column in (*zip(law.columns, columns, strict=True), (law.target, target)):
        lost = counted & ~np.isfinite(column)
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            raise InputError(f"law {law.name!r} cannot be fitted: {name} is {column[row]} in row {row} (from 0)")
    rows = Rows(columns or [np.zeros_like(target)], target, weights)
    return rows if counted.all() else rows.part(np.flatnonzero(counted))


def batched(parts: Sequence[Rows]) -> Rows:
    """Rows of groups as problems of one length: short ones are filled up with rows that weigh nothing."""
    if len(parts) == 1:
        return parts[0]
    length = max(part.count for part in parts)
    index = [np.minimum(np.arange(length), part.count - 1) for part in parts]
    weight = None
    if any(part.weight is not None or part.count < length for part in parts):
        ones = [np.ones(part.count) if part.weight is None else part.weight for part in parts]
        weight = np.stack([one[k] * (np.arange(length) < len(one)) for one, k in zip(ones, index, strict=True)])
    columns = [
        np.stack([part.columns[place][k] for part, k in zip(parts, index, strict=True)])
        for place in range(len(parts[0].columns))
    ]
    return Rows(columns, np.stack([part.target[k] for part, k in zip(parts, index, strict=True)]), weight)
