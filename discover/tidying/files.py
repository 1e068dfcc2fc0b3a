"""From files to one raw table: joined, with columns set and renamed, wide rows made long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discover.dataset_card import DatasetCard, File, Wide
from discover.download import check, fetch, sha256_of
from discover.errors import DataError, one_of
from discover.reading import read_table
from discover.tidying.cells import HELD_OUT, Where, columns_of, need, refuse_name


def local_file(file: File, card: Path) -> tuple[Path, str]:
    """Local path of a file of the card at `card`, with its checksum verified, and how it is called in messages."""
    if file.url is not None:
        assert file.sha256 is not None  # the card was checked
        return fetch(file.url, file.sha256), file.url
    local = card.parent / str(file.path)
    if file.sha256 is not None and local.is_file():
        check(local, file.sha256)
    return local, str(local)


def read_files(card: DatasetCard, path: Path, held_out: bool) -> tuple[pd.DataFrame, dict[str, str], Where]:
    """One table of all files, the checksum of each, and where its rows come from."""
    tables: list[pd.DataFrame] = []
    sources: dict[str, str] = {}
    files: list[tuple[str, int]] = []
    read = True
    for file in card.files:
        read = read if file.join is not None else held_out or not file.held_out  # a joined file goes with its first
        if not read:
            continue
        local, source = local_file(file, path)
        table = read_table(local, file.format)
        sources[source] = file.sha256 or sha256_of(local)
        if file.join is not None:
            tables[-1] = _joined(tables[-1], table, file.join, source)
            continue
        if HELD_OUT in table.columns:
            raise DataError(f"{source}: the column {HELD_OUT!r} has a name of its own meaning here: rename it")
        for name in file.set:
            if name in table.columns:
                raise DataError(f"{source}: the card sets the column {name!r}, which the file has")
        added: dict[str, Any] = {**file.set, HELD_OUT: file.held_out}
        tables.append(table.assign(**added))
        files.append((source, len(table)))
    if card.average is not None and card.average.weights is not None:
        local, source = local_file(card.average.weights, path)
        if not local.is_file():
            raise DataError(f"{source}: average.weights: there is no such file")
        sources[source] = card.average.weights.sha256 or sha256_of(local)
    table = tables[0] if len(tables) == 1 else pd.concat(tables)
    table.index = pd.RangeIndex(1, len(table) + 1, name="row")
    return table, sources, Where(path, files)


def _joined(left: pd.DataFrame, right: pd.DataFrame, on: str, source: str) -> pd.DataFrame:
    """The rows of `left` with the columns of `right`, which must have exactly one row for each."""
    for table in (left, right):
        if on not in table.columns:
            raise DataError(f"{source}: join: there is no column {on!r}: {one_of(on, columns_of(table))}")
    twice = right[on][right[on].duplicated()]
    if len(twice):
        raise DataError(f"{source}: join: the column {on!r} has the value {twice.iloc[0]!r} in two rows")
    missing = left[on][~left[on].isin(right[on])]
    if len(missing) or len(left) != len(right):
        shown = f"no row with {on} = {missing.iloc[0]!r}" if len(missing) else f"{len(right)} rows for {len(left)}"
        raise DataError(f"{source}: join: it has {shown}")
    both = [column for column in right.columns if column in left.columns and column != on]
    if both:
        raise DataError(f"{source}: join: both files have a column {both[0]!r}")
    return left.merge(right, on=on, how="left", validate="many_to_one")


def renamed(table: pd.DataFrame, card: DatasetCard, where: Where) -> pd.DataFrame:
    """The table with short names for columns, beside their own."""
    for short, column in card.columns.items():
        need(table, column, where, "columns: ")
        if short != column:
            refuse_name(table, short, where, "columns")
    return table.assign(**{short: table[column] for short, column in card.columns.items()})


def long(table: pd.DataFrame, wide: Wide, where: Where) -> pd.DataFrame:
    """One row for each of the wide columns; the rows of one line of the file share its number."""
    sources = wide.columns if isinstance(wide.columns, dict) else {column: column for column in wide.columns}
    for column in sources.values():
        need(table, column, where, "wide: ")
    rest = table.drop(columns=list(dict.fromkeys(sources.values())))
    for new in (wide.names, wide.values):
        refuse_name(rest, new, where, "wide")
    parts = [rest.assign(**dict[str, Any]({wide.names: n, wide.values: table[c]})) for n, c in sources.items()]
    order = np.arange(len(table) * len(parts)).reshape(len(parts), len(table)).T.ravel()
    return pd.concat(parts).iloc[order]
