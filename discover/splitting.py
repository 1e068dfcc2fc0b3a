"""Cross-validation as a scaling law is used: fitted on small sizes, judged on larger ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.validation import check_consistent_length

from discover.columns import names_of, position_of, take_columns
from discover.errors import InputError
from discover.sizes import TOLERANCE, size_ranks


class LargestSizesSplit(BaseCrossValidator):  # type: ignore[misc]
    """Train on the smaller sizes, test on the larger ones.

    A random split tests between sizes that were trained on, and says nothing about extrapolation. Here every size of a
    test is larger than all sizes of its training.

    Parameters
    ----------
    n_splits
        Number of splits. The first has the fewest sizes to train on; the last tests the largest size.
    by
        The size of each row: name or position of a column of ``X``. `None`: the sizes are the ``groups`` given to
        `split`, or to `sklearn.model_selection.cross_val_score`.
    test_sizes
        Number of sizes by which the cut between training and test moves from split to split, and which a rolling
        split tests.
    rolling
        Whether a split tests only the next `test_sizes` sizes above its cut; otherwise all sizes above it.
    tolerance
        Relative difference up to which neighbouring values are one size, as of models that were to be equally large.

    Raises
    ------
    InputError
        A `ValueError`. When a parameter is not legal.

    Examples
    --------
    >>> sizes = np.array([[1e7], [1e9], [1e8], [1.001e9], [1e10]])
    >>> for train, test in LargestSizesSplit(n_splits=2).split(sizes):
    ...     print(train, test)
    [0 2] [1 3]
    [0 1 2 3] [4]
    """

    # Where metadata are routed, the groups of a call reach `split` without a request: they may be the sizes.
    __metadata_request__split = {"groups": True}

    def __init__(
        self,
        n_splits: int = 3,
        *,
        by: str | int | None = 0,
        test_sizes: int = 1,
        rolling: bool = True,
        tolerance: float = TOLERANCE,
    ) -> None:
        for name, number in (("n_splits", n_splits), ("test_sizes", test_sizes)):
            if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
                raise InputError(f"{name} must be a whole number of 1 or more, not {number!r}")
        if not isinstance(tolerance, int | float | np.number) or not 0 <= tolerance < np.inf:
            raise InputError(f"tolerance must be a number of 0 or more, as 0.01 for one per cent, not {tolerance!r}")
        self.n_splits = n_splits
        self.by = by
        self.test_sizes = test_sizes
        self.rolling = rolling
        self.tolerance = tolerance

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits; it depends on no data."""
        return int(self.n_splits)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Positions of the rows of each training and of its test.

        Parameters
        ----------
        X
            Array or data frame, shape (rows, columns).
        y
            Not used.
        groups
            The size of each row, shape (rows,), where `by` is `None`; otherwise not used.

        Yields
        ------
        Positions to train on, and to test on, each in the order of the rows.

        Raises
        ------
        InputError
            A `ValueError`. When there is no such column, a size is no positive number, or there are too few sizes.
        """
        sizes = self._sizes(X, groups)
        rank = size_ranks(sizes, self.tolerance)
        count, needed = int(rank.max()) + 1, self.n_splits * self.test_sizes + 1
        if count < needed:
            raise InputError(
                f"n_splits={self.n_splits} of test_sizes={self.test_sizes} need {needed} sizes, and there are {count} "
                f"(values that differ by no more than {100 * self.tolerance:g} % are one size): lower n_splits, "
                "test_sizes or tolerance"
            )
        for cut in range(count - needed + 1, count, self.test_sizes):
            tested = (rank >= cut) & (rank < cut + self.test_sizes) if self.rolling else rank >= cut
            yield np.flatnonzero(rank < cut), np.flatnonzero(tested)

    def _sizes(self, X: Any, groups: Any) -> np.ndarray:
        if self.by is None:
            if groups is None:
                raise InputError("by=None takes the size of each row from groups: give groups, or by a column of X")
            where, given = "groups", np.asarray(groups)
            check_consistent_length(X, given)
        else:
            X = X if hasattr(X, "columns") else np.asarray(X)
            if len(X.shape) != 2:
                raise InputError(f"X must have rows and columns, and its shape is {X.shape}")
            names = names_of(X)
            position = position_of(self.by, names, X.shape[1])
            where = f"the column {names[position]!r} of X" if names else f"the column {position} of X"
            given = np.asarray(take_columns(X, [position]))[:, 0]
        if given.ndim != 1 or not len(given):
            raise InputError(f"{where} must have one size a row, and its shape is {given.shape}")
        try:
            sizes = given.astype(float)
        except (TypeError, ValueError):
            raise InputError(f"{where} must be numbers: sizes have an order") from None
        legal = np.isfinite(sizes) & (sizes > 0)
        if not legal.all():
            row = int(np.flatnonzero(~legal)[0])
            raise InputError(f"{where} is {sizes[row]:g} in row {row} (from 0): a size is a number above zero")
        return sizes
