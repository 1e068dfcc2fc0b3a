"""Columns of a table as scikit-learn takes tables: an array, where they have positions, or a data frame with names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from discover.errors import InputError, one_of


def names_of(X: Any) -> list[str] | None:
    """Names of the columns of `X`; `None` for an array, and for a data frame whose columns are only numbered."""
    names = list(getattr(X, "columns", ()))
    return names if names and all(isinstance(name, str) for name in names) else None


def position_of(column: str | int, names: Sequence[str] | None, width: int) -> int:
    """Position, from 0, of a column that is given by name or by position.

    Parameters
    ----------
    column
        Name or position.
    names
        Names of all columns; `None` where they have none.
    width
        Number of columns.

    Raises
    ------
    InputError
        When there is no such column, or when several have its name.

    Examples
    --------
    >>> position_of("D", ["N", "D"], 2), position_of(0, None, 2)
    (1, 0)
    """
    if isinstance(column, str):
        if names is None:
            raise InputError(f"X has no column names, so {column!r} cannot be found: give its position, from 0")
        if column not in names:
            raise InputError(f"X has no column {column!r}: {one_of(column, names)}")
        if names.count(column) > 1:
            raise InputError(f"X has {names.count(column)} columns {column!r}: give the position, from 0, of one")
        return names.index(column)
    if not isinstance(column, int | np.integer) or isinstance(column, bool):
        raise InputError(f"a column is given by its name or its position, not by {column!r}")
    if not 0 <= column < width:
        raise InputError(f"X has no column at position {column}: it has {width}, counted from 0")
    return int(column)


def take_columns(X: Any, positions: Sequence[int]) -> Any:
    """The columns at `positions`, as a table of the kind of `X`, an array or a data frame."""
    return X.iloc[:, list(positions)] if hasattr(X, "iloc") else X[:, list(positions)]
