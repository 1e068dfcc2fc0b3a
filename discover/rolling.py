"""Inner hold-outs: the training rows split as the held-out rows were, by size, several times.

A split learns from the rows below a size and is asked for the next ones. It is made at several sizes, along the axis
on which the held-out rows are larger and along the others that a larger model grows in, so that neither one lucky cut
nor one axis decides. Rows of one size are not independent: each size counts once.

Where rows are in groups, every group is split along its own sizes. Where the held-out rows are no larger than the
others (unseen mixtures), the splits are folds of the distinct settings instead, and a setting is what a size is
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.errors import InputError
from discover.sizes import size_ranks

SHARES = (0.12, 0.25, 0.4, 0.55)  # of the rows, about, that lie above the cut of each split of an axis
SAME_SIZE = 0.1  # difference of the logarithm up to which two sizes are one
REACH = 8.0  # how far beyond the largest size that it learns from a split asks
FEWEST_SIZES = 3  # of which two are learnt from and one is predicted
FOLDS = 4
LEAST_LEARNT = 6  # rows that a split must leave to learn from


@dataclass(frozen=True)
class Split:
    """One inner hold-out.

    Attributes
    ----------
    train, test
        Which rows are learnt from, and which are asked for, as booleans of shape (rows,).
    place
        A number for the size, or the setting, of each row, shape (rows,).
    name
        What was split, as ``N >= 1.4e+09``.
    axis
        Along what; empty for folds of settings.
    """

    train: np.ndarray
    test: np.ndarray
    place: np.ndarray
    name: str = ""
    axis: str = ""

    def test_weights(self) -> np.ndarray:
        """Weights of the rows that are asked for, shape (rows,), zero for the others: each size counts one."""
        counts = np.bincount(self.place[self.test], minlength=int(self.place.max()) + 1)
        return np.where(self.test, 1 / np.maximum(counts[self.place], 1), 0.0)


def rolling_splits(
    columns: Mapping[str, np.ndarray],
    axes: Sequence[str],
    groups: np.ndarray | None = None,
    shares: Sequence[float] = SHARES,
) -> list[Split]:
    """The splits of rows along every axis; along the first one first.

    Parameters
    ----------
    columns
        Features by symbol, each of shape (rows,).
    axes
        Features, or products of several, as ``N*D``. The first is the one along which rows are held out: it must have
        three sizes. None for folds of settings.
    groups
        Name of each row's group.

    Raises
    ------
    InputError
        When no group has three sizes, or there are too few settings.
    """
    if not axes:
        return _folds(columns, groups)
    made: list[Split] = []
    for axis in axes:
        sizes = np.prod([columns[name] for name in axis.split("*")], axis=0)
        splits = _along(axis, sizes, groups, shares)
        if not splits and axis == axes[0]:
            raise InputError(
                f"the training rows have too few sizes {axis}: choosing a law needs at least {FEWEST_SIZES} in one "
                "group, so that smaller ones can predict larger ones; hold out fewer rows"
            )
        made += [split for split in splits if not _among(split, made)]
    return made


def _along(axis: str, sizes: np.ndarray, groups: np.ndarray | None, shares: Sequence[float]) -> list[Split]:
    """The splits along one axis."""
    labels = _numbers(groups, len(sizes))
    train, test = np.zeros((2, len(shares), len(sizes)), dtype=bool)
    place = _joined(labels, np.round(np.log(sizes) / SAME_SIZE).astype(int))
    used = np.zeros(len(shares), dtype=bool)
    for group in range(labels.max() + 1):
        own = labels == group
        rank = size_ranks(sizes[own])
        if rank.max() + 1 < FEWEST_SIZES:
            train[:, own] = True  # too few sizes: all its rows stay with the smaller ones
            continue
        cuts: list[int] = []
        for k, share in enumerate(shares):
            cut = int(np.quantile(rank, 1 - share, method="higher"))
            cut = min(max(cut, FEWEST_SIZES - 1), int(rank.max()))
            learnt = rank < cut
            if cuts and (cut in cuts or learnt.sum() < LEAST_LEARNT):
                train[k, own], test[k, own] = train[k - 1, own], test[k - 1, own]
                continue
            cuts.append(cut)
            near = sizes[own] <= sizes[own][learnt].max() * REACH
            train[k, own], test[k, own], used[k] = learnt, ~learnt & (near | (rank == cut)), True
    least = [f"{sizes[rows].min():.3g}" if rows.any() else "" for rows in test]
    return [
        Split(train[k], test[k], place, f"{axis} >= {least[k]}" if groups is None else f"{axis}, cut {k + 1}", axis)
        for k in range(len(shares))
        if used[k]
    ]


def _among(split: Split, others: Sequence[Split]) -> bool:
    return any(np.array_equal(split.train, o.train) and np.array_equal(split.test, o.test) for o in others)


def _folds(columns: Mapping[str, np.ndarray], groups: np.ndarray | None) -> list[Split]:
    settings = np.column_stack(list(columns.values()))
    place = np.asarray(np.unique(np.round(settings, 12), axis=0, return_inverse=True)[1].ravel())
    count = int(place.max()) + 1
    if count < 2 * FOLDS:
        raise InputError(f"the training rows have {count} settings: choosing a law needs {2 * FOLDS} or more")
    fold = (np.random.default_rng(0).permutation(np.arange(count)) % FOLDS)[place]
    place = _joined(_numbers(groups, len(place)), place)
    return [Split(fold != number, fold == number, place, f"fold {number + 1}") for number in range(FOLDS)]


def _numbers(groups: np.ndarray | None, rows: int) -> np.ndarray:
    """A number for the group of each row."""
    if groups is None:
        return np.zeros(rows, dtype=int)
    return np.asarray(np.unique(groups.astype(str), return_inverse=True)[1].ravel())


def _joined(labels: np.ndarray, place: np.ndarray) -> np.ndarray:
    """A number for each place of each group."""
    return np.asarray(np.unique(np.column_stack([labels, place]), axis=0, return_inverse=True)[1].ravel())
