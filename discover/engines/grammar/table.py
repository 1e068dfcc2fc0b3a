"""The rows of a search: features in their units, a row of arrays for each group, and what each trial learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from discover.engines.base import SearchProblem


@dataclass(frozen=True)
class Table:
    """Rows of all groups, filled up to one length with rows that weigh nothing.

    Attributes
    ----------
    columns
        Features in their units, each of shape (groups, rows).
    scales
        The unit of each feature.
    target
        Shape (groups, rows).
    learnt
        Weights of rows in a fit, shape (1 + trials, groups, rows): of all rows, and of those that each trial learns
        from.
    asked
        Weights of the rows that each trial asks for, shape (trials, groups, rows); those of a group sum to one, or to
        zero where it has none.
    """

    columns: Mapping[str, np.ndarray]
    scales: Mapping[str, float]
    target: np.ndarray
    learnt: np.ndarray
    asked: np.ndarray

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.target.shape[0])

    @property
    def rows(self) -> int:
        """Number of rows of a group, the added ones included."""
        return int(self.target.shape[1])

    @property
    def trials(self) -> int:
        """Number of trials."""
        return int(self.asked.shape[0])


ROWS = 400  # of a group, at most: of more a sample ranks shapes as well


def table_of(problem: SearchProblem) -> Table:
    """The table of a search problem; of a group with many rows it has a sample."""
    count = len(problem.target)
    labels = np.zeros(count, dtype=int)
    if problem.groups is not None:
        labels = np.unique(problem.groups.astype(str), return_inverse=True)[1]
    generator = np.random.default_rng(0)
    places = []
    for group in range(int(labels.max()) + 1):
        own = np.flatnonzero(labels == group)
        places.append(own if len(own) <= ROWS else np.sort(generator.choice(own, ROWS, replace=False)))
    length = max(map(len, places))
    index = np.stack([np.resize(place, length) for place in places])
    real = np.stack([np.arange(length) < len(place) for place in places])
    asked = [np.asarray(split.test_weights(), dtype=float)[index] * real for split in problem.splits]
    learnt = [np.ones((len(places), length)) * real, *(split.train[index] * real for split in problem.splits)]
    weights = np.array(asked).reshape(len(asked), len(places), length)
    total = weights.sum(axis=2, keepdims=True)
    return Table(
        {
            name: (np.asarray(column, dtype=float) / problem.scales[name])[index]
            for name, column in problem.features.items()
        },
        problem.scales,
        np.asarray(problem.target, dtype=float)[index],
        np.array(learnt, dtype=float),
        np.divide(weights, total, out=np.zeros_like(weights), where=total > 0),
    )
