"""From the files of a dataset to its tidy table, step by step as the card says.

Everything that does not agree with the card is an error that names file, row and column. Rows keep their number: the
index of every table here is the row in the file, counted from 1 below the header, and on through the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discover.compiled import compile_formula
from discover.condition import ConditionError, rows_where
from discover.dataset_card import (
    GROUP,
    ZERO_IS_LEGAL,
    Average,
    Best,
    DatasetCard,
    Drop,
    Feature,
    File,
    Group,
    Last,
    Wide,
)
from discover.download import check, fetch, sha256_of
from discover.errors import CardError, DataError, one_of
from discover.formula import FormulaError, component, is_name, parse
from discover.reading import read_table

HELD_OUT = "held out"  # column of raw tables: whether a row is of a held-out file; no name that a rule can use
FEWEST = 2  # rows of a group
SHOWN = 3  # files that a message names


@dataclass(frozen=True)
class Tidied:
    """A tidy table and what is known of its rows.

    Attributes
    ----------
    table
        One column a feature or component, the target, labels and, where there are groups, ``group``.
    components
        Names of the components of each mixture and category, by its symbol.
    held_out
        Which rows come from held-out files.
    sources
        File (url or path) and its sha256.
    """

    table: pd.DataFrame
    components: Mapping[str, tuple[str, ...]]
    held_out: np.ndarray
    sources: Mapping[str, str] = field(default_factory=dict)


def tidy(card: DatasetCard, path: Path, *, held_out: bool = False) -> Tidied:
    """Read the files of the card at `path` and tidy them; held-out files only where `held_out` says so."""
    table, sources, where = _read_files(card, path, held_out)
    return tidy_rows(card, table, sources, where)


def tidy_rows(card: DatasetCard, table: pd.DataFrame, sources: Mapping[str, str], where: Where) -> Tidied:
    """Tidy raw rows, whose index is their number."""
    if HELD_OUT not in table.columns:
        table = table.assign(**{HELD_OUT: np.zeros(len(table), dtype=bool)})
    table = _renamed(table, card, where)
    if card.wide is not None:
        table = _long(table, card.wide, where)
    table = _choose_rows(table, card, where)
    tidied, components = _features(table, card, where)
    tidied[HELD_OUT] = table[HELD_OUT].to_numpy(dtype=bool)
    for label in card.labels:
        if label not in table.columns:
            raise DataError(f"{where}: labels: there is no column {label!r}: {one_of(label, _columns(table))}")
        if label not in tidied.columns:
            tidied[label] = table[label].to_numpy()
    if card.group is not None:
        tidied = _grouped(tidied, table, card.group, where)
    return Tidied(tidied.drop(columns=HELD_OUT), components, tidied[HELD_OUT].to_numpy(dtype=bool), sources)


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


# ---- files


def local_file(file: File, card: Path) -> tuple[Path, str]:
    """Local path of a file of the card at `card`, with its checksum verified, and how it is called in messages."""
    if file.url is not None:
        assert file.sha256 is not None  # the card was checked
        return fetch(file.url, file.sha256), file.url
    local = card.parent / str(file.path)
    if file.sha256 is not None and local.is_file():
        check(local, file.sha256)
    return local, str(local)


def _read_files(card: DatasetCard, path: Path, held_out: bool) -> tuple[pd.DataFrame, dict[str, str], Where]:
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
            raise DataError(f"{source}: join: there is no column {on!r}: {one_of(on, _columns(table))}")
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


def _renamed(table: pd.DataFrame, card: DatasetCard, where: Where) -> pd.DataFrame:
    for short, column in card.columns.items():
        _need(table, column, where, "columns: ")
        if short != column:
            _refuse_name(table, short, where, "columns")
    return table.assign(**{short: table[column] for short, column in card.columns.items()})


def _long(table: pd.DataFrame, wide: Wide, where: Where) -> pd.DataFrame:
    """One row for each of the wide columns; the rows of one line of the file share its number."""
    sources = wide.columns if isinstance(wide.columns, dict) else {column: column for column in wide.columns}
    for column in sources.values():
        _need(table, column, where, "wide: ")
    rest = table.drop(columns=list(dict.fromkeys(sources.values())))
    for new in (wide.names, wide.values):
        _refuse_name(rest, new, where, "wide")
    parts = [rest.assign(**dict[str, Any]({wide.names: n, wide.values: table[c]})) for n, c in sources.items()]
    order = np.arange(len(table) * len(parts)).reshape(len(parts), len(table)).T.ravel()
    return pd.concat(parts).iloc[order]


# ---- rows


def _choose_rows(table: pd.DataFrame, card: DatasetCard, where: Where) -> pd.DataFrame:
    """The rows that count. Held-out files are tidied apart, after the others: their rows have no say in the choice."""
    held_out = table[HELD_OUT].to_numpy(dtype=bool)
    training = _chosen(table[~held_out], card, where)
    if not len(training):
        raise DataError(f"{where}: the card's rules leave no rows")
    if card.rows.count is not None and len(training) != card.rows.count:
        raise DataError(f"{where}: {len(training)} rows remain, the card says {card.rows.count}")
    if not held_out.any():
        return training
    return pd.concat([training, _chosen(table[held_out], card, where, training=False)])


def _chosen(table: pd.DataFrame, card: DatasetCard, where: Where, *, training: bool = True) -> pd.DataFrame:
    rules = card.rows
    if rules.unique:
        table = table[~_repeated(table)]
    try:
        if rules.last is not None:
            table = _last(table, rules.last, where)
        if rules.keep is not None:
            table = table[rows_where(table, rules.keep)]
        for drop in rules.drop:
            table = _dropped(table, drop, where, training=training)
    except ConditionError as error:
        raise DataError(f"{where}: rows: {error}") from None
    if card.average is not None and len(table):
        table = _averaged(table, card.average, where)
    if rules.best is not None and len(table):
        table = _best(table, rules.best, where)
    return table


def _repeated(table: pd.DataFrame) -> np.ndarray:
    try:
        return table.duplicated().to_numpy()
    except TypeError:  # a cell is a list or a table of its own
        return table.astype(str).duplicated().to_numpy()


def _last(table: pd.DataFrame, last: Last, where: Where) -> pd.DataFrame:
    of = [last.of] if isinstance(last.of, str) else last.of
    _need_all(table, of, where, "rows.last: ")
    _need(table, last.by, where, "rows.last: ")
    table = table.assign(**{last.by: _numbers(table, last.by, where)})
    order = np.argsort(table[last.by].to_numpy(), kind="stable")
    kept = ~table.iloc[order].duplicated(of, keep="last").to_numpy()
    return table.iloc[np.sort(order[kept])]


def _best(table: pd.DataFrame, best: Best, where: Where) -> pd.DataFrame:
    """The row with the smallest value of each grid, of equal ones the first; or all rows that come close to it."""
    _need_all(table, best.of, where, "rows.best: ")
    if best.within:
        values = _numbers(table, best.by, where).to_numpy()
        keys = [table[column].to_numpy() for column in best.of]
        smallest = pd.Series(values).groupby(keys).transform("min").to_numpy()
        near: np.ndarray = (values == smallest) | (values - smallest < best.within * np.abs(smallest))
        return table[near]
    order = np.argsort(_numbers(table, best.by, where).to_numpy(), kind="stable")
    kept = ~table.iloc[order].duplicated(best.of).to_numpy()
    return table.iloc[np.sort(order[kept])]


def _dropped(table: pd.DataFrame, drop: Drop, where: Where, *, training: bool) -> pd.DataFrame:
    if drop.where is not None:
        gone = rows_where(table, drop.where)
    elif not training:  # a held-out row is dropped for what it is, and not for being among the largest
        return table
    else:
        order = np.argsort(-_numbers(table, str(drop.of), where).to_numpy(), kind="stable")
        gone = np.zeros(len(table), dtype=bool)
        gone[order[: drop.largest]] = True
    count = int(gone.sum())
    if training and drop.count is not None and count != drop.count:
        raise DataError(f"{where}: {count} rows were to be dropped ({drop.because}), the card says {drop.count}")
    return table[~gone]


def _averaged(table: pd.DataFrame, average: Average, where: Where) -> pd.DataFrame:
    """One row for each part: the weighted mean of a column over the rows that it takes in."""
    _need_all(table, [*average.of, average.over], where, "average: ")
    _refuse_name(table, average.into, where, "average.into")
    values = _numbers(table, average.column, where).to_numpy()
    over = table[average.over].astype(str).to_numpy()
    parts = average.parts or {"average": [str(value) for value in pd.unique(over)]}
    weights = _weights(average, where)
    first: list[int] = []  # row of each mean, whose other columns it keeps
    means: list[float] = []
    names: list[str] = []
    for name, members in parts.items():
        for member in members:
            if weights and member not in weights and len(members) > 1:
                raise DataError(f"{where}: average: there is no weight of {member!r}: {one_of(member, weights)}")
        inside = np.flatnonzero(np.isin(over, members))
        keys = [table[column].to_numpy()[inside] for column in average.of]
        for key, group in pd.Series(inside).groupby(keys, sort=False):
            rows = group.to_numpy()
            found = over[rows].tolist()
            if sorted(found) != sorted(members):
                odd = sorted(set(members) ^ set(found)) or sorted(m for m in members if found.count(m) > 1)
                raise DataError(
                    f"{where}: average: the part {name!r} of {_shown(average.of, key)} takes {len(members)} values of "
                    f"{average.over!r} and finds {len(found)} rows (see {odd[0]!r})"
                )
            weight = np.array([weights.get(member, 1.0) for member in found])
            if not weight.sum() > 0:
                raise DataError(f"{where}: average: the weights of the part {name!r} add up to nothing")
            first.append(int(rows[0]))
            means.append(float(weight @ values[rows] / weight.sum()))
            names.append(name)
    if not first:
        raise DataError(f"{where}: average: no row belongs to any part")
    new: dict[str, Any] = {average.column: means, average.into: names}
    return table.iloc[first].assign(**new)


def _shown(columns: list[str], key: Hashable) -> str:
    keys = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{column} = {value}" for column, value in zip(columns, keys, strict=True))


def _weights(average: Average, where: Where) -> dict[str, float]:
    if average.weights is None:
        return {}
    local, source = local_file(average.weights, where.card)
    try:
        data = json.loads(local.read_text(encoding="utf-8"))
        weights = {str(name): float(weight) for name, weight in data.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{source}: average.weights: this is not a JSON object of numbers") from None
    for name, weight in weights.items():
        if not 0 <= weight < np.inf:
            raise DataError(f"{source}: average.weights: the weight of {name!r} is {weight:g}, which is no weight")
    return weights


# ---- features, target, groups


def _features(table: pd.DataFrame, card: DatasetCard, where: Where) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """The columns of features and target, as numbers that are legal for their kind."""
    tidied = pd.DataFrame(index=table.index)
    components: dict[str, tuple[str, ...]] = {}
    for symbol, feature in card.features.items():
        if feature.kind == "mixture":
            columns = _mixture(symbol, feature, table, where)
        elif feature.kind == "category":
            columns = _category(symbol, feature, table, where)
            tidied[symbol] = table[str(feature.column)].astype(str).to_numpy()
        else:
            tidied[symbol] = _scalar(symbol, feature, table, tidied, where).to_numpy()
            continue
        components[symbol] = tuple(columns)
        for part, column in columns.items():
            name = component(symbol, part)
            if name in card.features or name in tidied.columns or name == card.target.symbol:
                raise CardError(f"{where.card}: features.{symbol}: its component {name!r} has another's symbol")
            tidied[name] = column
    target = card.target
    if target.formula is not None:
        losses = _computed(target.symbol, target.formula, table, tidied, where, key="target")
    else:
        losses = _numbers(table, str(target.column), where)
    if target.positive:
        named = target.column or target.symbol
        _refuse(losses <= 0, losses, where, named, "is not positive (else say target.positive = false)")
    tidied[target.symbol] = losses.to_numpy()
    return tidied, components


def _scalar(symbol: str, feature: Feature, table: pd.DataFrame, tidied: pd.DataFrame, where: Where) -> pd.Series:
    if feature.formula is not None:
        column = _computed(symbol, feature.formula, table, tidied, where)
    elif feature.by is not None:
        column = _picked(symbol, feature, table, where)
    else:
        column = _numbers(table, str(feature.column), where)
    named = feature.column or symbol
    if feature.kind in ZERO_IS_LEGAL:
        _refuse((column < 0) | (column > 1), column, where, named, "is no share: it must lie between 0 and 1")
    else:
        _refuse(column <= 0, column, where, named, "is not positive")
    return column


def _picked(symbol: str, feature: Feature, table: pd.DataFrame, where: Where) -> pd.Series:
    """For each row, the value of the column that the row's word names."""
    by, sources = str(feature.by), feature.sources()
    _need(table, by, where)
    words = table[by].astype(str)
    _refuse(~words.isin(list(sources)), words, where, by, f"has no column in features.{symbol}.columns")
    picked = pd.Series(np.nan, index=table.index)
    for word, column in sources.items():
        rows = (words == word).to_numpy()
        if rows.any():
            picked[rows] = _numbers(table[rows], column, where).to_numpy()
    return picked


def _mixture(symbol: str, feature: Feature, table: pd.DataFrame, where: Where) -> dict[str, np.ndarray]:
    columns = {}
    for part, column in feature.sources().items():
        numbers = _numbers(table, column, where)
        _refuse(numbers < 0, numbers, where, column, f"is negative: it is a share of the mixture {symbol}")
        columns[part] = numbers.to_numpy()
    total = pd.Series(np.sum(list(columns.values()), axis=0), index=table.index)
    if feature.normalise:
        _refuse(total <= 0, total, where, symbol, "is the sum of a mixture that has no shares")
        return {part: column / total.to_numpy() for part, column in columns.items()}
    what = f"is the sum of the mixture, which differs from 1 by more than {feature.tolerance:g} "
    what += f"(features.{symbol}: normalise = true divides by it, tolerance allows it)"
    _refuse((total - 1).abs() > feature.tolerance, total.round(6), where, symbol, what)
    return columns


def _category(symbol: str, feature: Feature, table: pd.DataFrame, where: Where) -> dict[str, np.ndarray]:
    """A column of 0 and 1 for each word, in the order of the alphabet."""
    column = str(feature.column)
    _need(table, column, where)
    _refuse(table[column].isna(), table[column], where, column, "is missing")
    words = table[column].astype(str)
    columns: dict[str, np.ndarray] = {}
    for word in sorted(words.unique()):
        part = re.sub(r"\W+", "_", word)
        if part in columns or not is_name(component(symbol, part)):
            raise DataError(f"{where}: column {column!r}: the word {word!r} cannot name a column of its own")
        columns[part] = (words == word).to_numpy(dtype=float)
    if len(columns) < 2:
        raise DataError(f"{where}: column {column!r}: a category needs two or more words, it has {len(columns)}")
    return columns


def _grouped(tidied: pd.DataFrame, table: pd.DataFrame, group: Group, where: Where) -> pd.DataFrame:
    """The table with the name of each row's group; rows that belong to every group are put into each."""
    for column in group.columns:
        _need(table, column, where, "group: ")
        _refuse(table[column].isna(), table[column], where, column, "is missing, and is the row's group")
    words = [_words(table[column]) for column in group.columns]
    labels = np.array([" / ".join(parts) for parts in zip(*words, strict=True)], dtype=object)
    everywhere = np.zeros(len(table), dtype=bool)
    if group.everywhere is not None:
        try:
            everywhere = rows_where(table, group.everywhere)
        except ConditionError as error:
            raise DataError(f"{where}: group.everywhere: {error}") from None
    if everywhere.all():
        raise DataError(f"{where}: group.everywhere: {group.everywhere!r} holds for every row: no group is left")
    if not everywhere.any():
        tidied = tidied.assign(**{GROUP: labels})
    else:
        parts = [
            tidied[(labels == label) | everywhere].assign(**{GROUP: label}) for label in pd.unique(labels[~everywhere])
        ]
        tidied = pd.concat(parts)
    counts = tidied.loc[~tidied[HELD_OUT].to_numpy(dtype=bool), GROUP].value_counts()
    few = counts[counts < FEWEST]
    if len(few):
        raise DataError(
            f"{where.card}: group: the group {few.index[0]!r} has {few.iloc[0]} row, and constants of its own need "
            f"more: drop it by rows.drop, or choose other columns than {', '.join(group.columns)}"
        )
    return tidied


def _words(column: pd.Series) -> list[str]:
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in column.tolist()]


# ---- cells


def _columns(table: pd.DataFrame) -> list[str]:
    return [str(column) for column in table.columns if column != HELD_OUT]


def _need(table: pd.DataFrame, column: str, where: Where, key: str = "") -> None:
    if column not in table.columns:
        raise DataError(f"{where}: {key}there is no column {column!r}: {one_of(column, _columns(table))}")


def _need_all(table: pd.DataFrame, columns: list[str], where: Where, key: str) -> None:
    """Refuse columns that are not there, or have cells that are missing: rows are told apart by them."""
    for column in columns:
        _need(table, column, where, key)
        _refuse(table[column].isna(), table[column], where, column, "is missing")


def _refuse_name(table: pd.DataFrame, column: str, where: Where, key: str) -> None:
    if column in table.columns:
        raise DataError(f"{where}: {key}: the new column {column!r} would take the place of the file's: choose another")


def _numbers(table: pd.DataFrame, column: str, where: Where) -> pd.Series:
    _need(table, column, where)
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    _refuse(numbers.isna() & table[column].notna(), table[column], where, column, "is not a number")
    _refuse(numbers.isna(), table[column], where, column, "is missing")
    _refuse(np.isinf(numbers), numbers, where, column, "is infinite")
    return numbers


def _computed(
    symbol: str, formula: str, table: pd.DataFrame, tidied: pd.DataFrame, where: Where, *, key: str = ""
) -> pd.Series:
    known = {name: tidied[name] for name in tidied.columns}
    for column in table.columns:
        if is_name(column) and column not in known:
            known[column] = table[column]
    try:
        expression = parse(formula, features=known, constants=())
    except FormulaError as error:
        raise CardError(f"{where.card}: {key or f'features.{symbol}'}.formula: {error}") from None
    names = sorted(free.name for free in expression.free_symbols)
    columns = [_numbers(pd.DataFrame({name: known[name]}), name, where).to_numpy() for name in names]
    values = compile_formula(expression, tuple(names), ()).predict(columns, np.zeros((1, 0)))[0]
    result = pd.Series(np.broadcast_to(values, len(table)).copy(), index=table.index)
    _refuse(~np.isfinite(result), result, where, symbol, f"is not finite (it is computed as {formula})")
    return result


def _refuse(bad: pd.Series | np.ndarray, values: pd.Series, where: Where, column: str, what: str) -> None:
    rows = np.flatnonzero(np.asarray(bad))
    if len(rows):
        others = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        value = values.iloc[rows[0]]
        shown = repr(value) if isinstance(value, str) else "the value" if pd.isna(value) else str(value)
        raise DataError(f"{where.row(int(values.index[rows[0]]))}, column {column!r}: {shown} {what}{others}")
