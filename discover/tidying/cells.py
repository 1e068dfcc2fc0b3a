"""Cells of raw tables: where they stand, and what is refused of them.

Everything that does not agree with the card is an error that names file, row and column.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from discover.compiled import compile_formula
from discover.errors import CardError, DataError, one_of
from discover.formula import FormulaError, is_name, parse

HELD_OUT = "held out"  # column of raw tables: whether a row is of a held-out file; no name that a rule can use
SHOWN = 3  # files that a message names


@dataclass(frozen=True)
class Where:
    """Where rows come from, for messages: the card, and each file with its number of rows."""

    card: Path
    files: list[tuple[str, int]]

    def __str__(self) -> str:
        names = list(dict(self.files))
        return ", ".join(names) if len(names) <= SHOWN else f"{names[0]} and {len(names) - 1} more files"

    def row(self, row: int) -> str:
        """A row, counted through all files, as file and row in it."""
        for file, rows in self.files:
            if row <= rows:
                return f"{file}: row {row}"
            row -= rows
        raise AssertionError("no such row")


def columns_of(table: pd.DataFrame) -> list[str]:
    """Names of the columns that a card may name."""
    return [str(column) for column in table.columns if column != HELD_OUT]


def need(table: pd.DataFrame, column: str, where: Where, key: str = "") -> None:
    """Raise a `DataError` unless the table has the column."""
    if column not in table.columns:
        raise DataError(f"{where}: {key}there is no column {column!r}: {one_of(column, columns_of(table))}")


def need_all(table: pd.DataFrame, columns: list[str], where: Where, key: str) -> None:
    """Refuse columns that are not there, or have cells that are missing: rows are told apart by them."""
    for column in columns:
        need(table, column, where, key)
        refuse(table[column].isna(), table[column], where, column, "is missing")


def refuse_name(table: pd.DataFrame, column: str, where: Where, key: str) -> None:
    """Raise a `DataError` when a new column would take the place of one that is there."""
    if column in table.columns:
        raise DataError(f"{where}: {key}: the new column {column!r} would take the place of the file's: choose another")


def numbers_of(table: pd.DataFrame, column: str, where: Where) -> pd.Series:
    """A column as finite numbers."""
    need(table, column, where)
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    refuse(numbers.isna() & table[column].notna(), table[column], where, column, "is not a number")
    refuse(numbers.isna(), table[column], where, column, "is missing")
    refuse(np.isinf(numbers), numbers, where, column, "is infinite")
    return numbers


def computed(
    symbol: str, formula: str, table: pd.DataFrame, tidied: pd.DataFrame, where: Where, *, key: str = ""
) -> pd.Series:
    """The values of a formula of columns, and of features above it."""
    known = {name: tidied[name] for name in tidied.columns}
    for column in table.columns:
        if is_name(column) and column not in known:
            known[column] = table[column]
    try:
        expression = parse(formula, features=known, constants=())
    except FormulaError as error:
        raise CardError(f"{where.card}: {key or f'features.{symbol}'}.formula: {error}") from None
    names = sorted(free.name for free in expression.free_symbols)
    columns = [numbers_of(pd.DataFrame({name: known[name]}), name, where).to_numpy() for name in names]
    values = compile_formula(expression, tuple(names), ()).predict(columns, np.zeros((1, 0)))[0]
    result = pd.Series(np.broadcast_to(values, len(table)).copy(), index=table.index)
    refuse(~np.isfinite(result), result, where, symbol, f"is not finite (it is computed as {formula})")
    return result


def refuse(bad: pd.Series | np.ndarray, values: pd.Series, where: Where, column: str, what: str) -> None:
    """Raise a `DataError` that names the first bad row, when there is one."""
    rows = np.flatnonzero(np.asarray(bad))
    if len(rows):
        others = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        value = values.iloc[rows[0]]
        shown = repr(value) if isinstance(value, str) else "the value" if pd.isna(value) else str(value)
        raise DataError(f"{where.row(int(values.index[rows[0]]))}, column {column!r}: {shown} {what}{others}")
