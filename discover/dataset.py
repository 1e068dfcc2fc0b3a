"""Datasets: a tidy table, one row a trained model, read as its card says.

A card names the files (public address and checksum, or a path beside the card), how columns become features and
target, which rows count and why others are dropped, and which rows are held out. Everything that does not
agree with the card is an error that names file, row and column.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from discover.cards import Card, card_paths, find_card, read_card
from discover.compiled import compile_formula
from discover.condition import ConditionError, rows_where
from discover.download import check, fetch, sha256_of
from discover.errors import CardError, DataError, InputError, one_of
from discover.formula import FormulaError, is_name, parse
from discover.law import Cite, load_law
from discover.reading import Format, read_table

FeatureKind = Literal["size", "tokens", "count", "rate"]


class Feature(Card):
    """An input column: where it comes from, its unit and kind."""

    column: str | None = None
    formula: str | None = None  # of columns and of features above it
    kind: FeatureKind = "size"
    unit: str = ""
    meaning: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Feature:
        if (self.column is None) == (self.formula is None):
            raise ValueError("a feature needs either a column or a formula of columns")
        return self


class Target(Card):
    """The column that laws predict."""

    column: str
    symbol: str = "L"
    unit: str = "nats/token"
    positive: bool = True

    @field_validator("symbol")
    @classmethod
    def _name(cls, value: str) -> str:
        if not is_name(value):
            raise ValueError("a symbol is letters, digits and underscores, not a function's name")
        return value


class File(Card):
    """A file of the dataset: a public address with its checksum, or a path beside the card."""

    url: str | None = None
    path: str | None = None
    sha256: str | None = None
    format: Format | None = None

    @model_validator(mode="after")
    def _one_place(self) -> File:
        if (self.url is None) == (self.path is None):
            raise ValueError("a file needs either a url or a path beside the card")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a url needs its sha256")
        return self


class Last(Card):
    """Keep the last row, by one column, of each value of another: the final row of each run."""

    of: str
    by: str


class Drop(Card):
    """Rows that are dropped, with the reason."""

    where: str | None = None
    largest: int | None = Field(default=None, ge=1)
    of: str | None = None
    count: int | None = None
    because: str

    @model_validator(mode="after")
    def _one_rule(self) -> Drop:
        if (self.where is None) == (self.largest is None) or (self.largest is None) != (self.of is None):
            raise ValueError("say either where = 'rule', or largest = how many and of = column")
        return self


class Rows(Card):
    """Which rows of the files count."""

    last: Last | None = None
    keep: str | None = None
    drop: list[Drop] = []
    count: int | None = None


class Largest(Card):
    """A hold-out of the largest values of a feature."""

    largest: int
    of: str

    @field_validator("largest")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("it must be 1 or more")
        return value


HoldOut = str | Largest


class Generate(Card):
    """A generated dataset: a published law on a grid, with multiplicative Gaussian noise."""

    law: str
    published: int = 0
    grid: dict[str, list[float]]
    noise: float
    seed: int = 0


class DatasetCard(Card):
    """The keys of a dataset card."""

    title: str
    cite: Cite | None = None
    licence: str = ""
    notes: str = ""
    files: list[File] = []
    generate: Generate | None = None
    columns: dict[str, str] = {}
    rows: Rows = Rows()
    features: dict[str, Feature]
    target: Target
    hold_out: HoldOut | None = None

    @field_validator("features")
    @classmethod
    def _names(cls, value: dict[str, Feature]) -> dict[str, Feature]:
        for name in value:
            if not is_name(name):
                raise ValueError(f"{name!r} is not a legal symbol: letters, digits, underscores, not a function's name")
        if not value:
            raise ValueError("a dataset needs at least one feature")
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> DatasetCard:
        if bool(self.files) == (self.generate is not None):
            raise ValueError("a dataset needs either files or a [generate] table")
        if self.target.symbol in self.features:
            raise ValueError(f"the symbol {self.target.symbol!r} is both a feature and the target")
        return self


@dataclass(frozen=True)
class Dataset:
    """A tidy table of trained models.

    Attributes
    ----------
    table
        One column a feature, by symbol, and one for the target; one row a trained model; the index is the row in the
        file, counted from 1 below the header, and on through the files when there are several.
    features, target
        What the columns mean.
    hold_out
        The default rule for the rows that are held out, `None` when the card names none.
    sources
        File (url or path) and its sha256.
    generated
        What made the rows when they were not measured; empty for measurements.
    """

    name: str
    title: str
    table: pd.DataFrame = field(repr=False)
    features: Mapping[str, Feature]
    target: Target
    hold_out: HoldOut | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    generated: str = ""
    cite: Cite | None = None
    licence: str = ""
    notes: str = ""

    @property
    def label(self) -> str:
        """Name as it is shown: generated data say so."""
        return f"{self.name} (generated)" if self.generated else self.name

    def columns(self, rows: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Feature columns by symbol, of `rows` (booleans) or of all."""
        table = self.table if rows is None else self.table[rows]
        return {name: table[name].to_numpy(dtype=float) for name in self.features}

    def losses(self, rows: np.ndarray | None = None) -> np.ndarray:
        """The target column, of `rows` (booleans) or of all."""
        table = self.table if rows is None else self.table[rows]
        return table[self.target.symbol].to_numpy(dtype=float)

    def held_out_rows(self, hold_out: HoldOut | None = None) -> np.ndarray:
        """Which rows are held out, as booleans.

        Raises
        ------
        InputError
            When the rule leaves no rows to train on, or holds none out.
        """
        rule = hold_out if hold_out is not None else self.hold_out
        if rule is None:
            raise InputError(f'dataset {self.name!r} has no hold-out: give one, as in hold_out = "N >= 1e9"')
        rows = self._rows_of(rule)
        shown = describe_hold_out(rule)
        if not rows.any():
            raise InputError(f"the hold-out {shown!r} holds out none of the {len(rows)} rows of {self.name}: lower it")
        if rows.all():
            raise InputError(f"the hold-out {shown!r} leaves none of the {len(rows)} rows of {self.name} to train on")
        return rows

    def _rows_of(self, rule: HoldOut) -> np.ndarray:
        if isinstance(rule, str):
            return rows_where(self.table, rule)
        if rule.of not in self.features:
            raise InputError(f"hold-out: unknown feature {rule.of!r}: {one_of(rule.of, self.features)}")
        sizes = np.unique(self.table[rule.of])
        if rule.largest >= len(sizes):
            raise InputError(
                f"the hold-out of the {rule.largest} largest {rule.of} leaves no size of {self.name} to train on: "
                f"it has {len(sizes)}"
            )
        return np.asarray(self.table[rule.of] >= sizes[-rule.largest])

    def _repr_html_(self) -> str:
        head = f"<b>{html.escape(self.label)}</b>: {html.escape(self.title)}, {len(self.table)} rows"
        return head + self.table.head().to_html()


def describe_hold_out(rule: HoldOut) -> str:
    """The rule in words: ``N >= 4e9``, or ``the 2 largest N``."""
    return rule if isinstance(rule, str) else f"the {rule.largest} largest {rule.of}"


def load_dataset(name: str | Path) -> Dataset:
    """Load a dataset by name (``"chinchilla_epoch"``) or by the path of its card; files are downloaded when needed.

    Raises
    ------
    CardError, DataError
        When card or files are not what they should be.
    """
    path = find_card("data", name)
    card = read_card(path, DatasetCard)
    if card.generate is not None:
        return _generated(card, card.generate, path)
    table, sources, where = _read_files(card, path)
    table = _choose_rows(_renamed(table, card, where), card, where)
    return _dataset(card, path, _tidy(table, card, where), sources)


def read_dataset_card(name: str | Path) -> tuple[str, DatasetCard]:
    """Name and card of a dataset, without its files."""
    path = find_card("data", name)
    return path.stem, read_card(path, DatasetCard)


def list_datasets() -> dict[str, DatasetCard]:
    """The cards of all datasets, by name; no file is read or downloaded."""
    return {name: read_card(path, DatasetCard) for name, path in card_paths("data").items()}


def _dataset(
    card: DatasetCard, path: Path, table: pd.DataFrame, sources: dict[str, str], generated: str = ""
) -> Dataset:
    return Dataset(
        name=path.stem,
        title=card.title,
        table=table,
        features=card.features,
        target=card.target,
        hold_out=card.hold_out,
        sources=sources,
        generated=generated,
        cite=card.cite,
        licence=card.licence,
        notes=card.notes,
    )


@dataclass(frozen=True)
class _Where:
    """Where rows come from, for messages: the card, and each file with its number of rows."""

    card: Path
    files: list[tuple[str, int]]

    def __str__(self) -> str:
        return ", ".join(dict(self.files))

    def row(self, row: int) -> str:
        """A row, counted through all files, as file and row in it."""
        for file, rows in self.files:
            if row <= rows:
                return f"{file}: row {row}"
            row -= rows
        raise AssertionError("no such row")


def _read_files(card: DatasetCard, path: Path) -> tuple[pd.DataFrame, dict[str, str], _Where]:
    tables, sources, files = [], {}, []
    for file in card.files:
        if file.url is not None:
            assert file.sha256 is not None  # the card was checked
            local, source = fetch(file.url, file.sha256), file.url
        else:
            local = path.parent / str(file.path)
            source = str(local)
            if file.sha256 is not None and local.is_file():
                check(local, file.sha256)
        tables.append(read_table(local, file.format))
        files.append((source, len(tables[-1])))
        sources[source] = file.sha256 or sha256_of(local)
    table = tables[0] if len(tables) == 1 else pd.concat(tables)
    table.index = pd.RangeIndex(1, len(table) + 1, name="row")
    return table, sources, _Where(path, files)


def _renamed(table: pd.DataFrame, card: DatasetCard, where: _Where) -> pd.DataFrame:
    for short, column in card.columns.items():
        if column not in table.columns:
            raise DataError(f"{where}: there is no column {column!r}: {one_of(column, table.columns)}")
        table = table.assign(**{short: table[column]})
    return table


def _choose_rows(table: pd.DataFrame, card: DatasetCard, where: _Where) -> pd.DataFrame:
    rules = card.rows
    if rules.last is not None:
        for column in (rules.last.of, rules.last.by):
            if column not in table.columns:
                raise DataError(f"{where}: rows.last: there is no column {column!r}: {one_of(column, table.columns)}")
        _refuse(table[rules.last.of].isna(), table[rules.last.of], where, rules.last.of, "is missing")
        table = table.assign(**{rules.last.by: _numbers(table, rules.last.by, where)})
        table = table.sort_values(rules.last.by, kind="stable").groupby(rules.last.of).tail(1).sort_index()
    try:
        if rules.keep is not None:
            table = table[rows_where(table, rules.keep)]
        for drop in rules.drop:
            table = _dropped(table, drop, where)
    except ConditionError as error:
        raise DataError(f"{where}: rows: {error}") from None
    if not len(table):
        raise DataError(f"{where}: the card's rules leave no rows")
    if rules.count is not None and len(table) != rules.count:
        raise DataError(f"{where}: {len(table)} rows remain, the card says {rules.count}")
    return table


def _dropped(table: pd.DataFrame, drop: Drop, where: _Where) -> pd.DataFrame:
    if drop.where is not None:
        gone = rows_where(table, drop.where)
    else:
        order = np.argsort(-_numbers(table, str(drop.of), where).to_numpy(), kind="stable")
        gone = np.zeros(len(table), dtype=bool)
        gone[order[: drop.largest]] = True
    if drop.count is not None and int(gone.sum()) != drop.count:
        raise DataError(
            f"{where}: {int(gone.sum())} rows were to be dropped ({drop.because}), the card says {drop.count}"
        )
    return table[~gone]


def _tidy(table: pd.DataFrame, card: DatasetCard, where: _Where) -> pd.DataFrame:
    """The columns of features and target, as numbers that are legal for their kind."""
    tidy = pd.DataFrame(index=table.index)
    for symbol, feature in card.features.items():
        if feature.column is not None:
            tidy[symbol] = _numbers(table, feature.column, where)
        else:
            tidy[symbol] = _computed(symbol, str(feature.formula), table, tidy, where)
        _refuse(tidy[symbol] <= 0, tidy[symbol], where, feature.column or symbol, "is not positive")
    losses = _numbers(table, card.target.column, where)
    if card.target.positive:
        _refuse(losses <= 0, losses, where, card.target.column, "is not positive (else say target.positive = false)")
    tidy[card.target.symbol] = losses
    return tidy


def _numbers(table: pd.DataFrame, column: str, where: _Where) -> pd.Series:
    if column not in table.columns:
        raise DataError(f"{where}: there is no column {column!r}: {one_of(column, table.columns)}")
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    _refuse(numbers.isna() & table[column].notna(), table[column], where, column, "is not a number")
    _refuse(numbers.isna(), table[column], where, column, "is missing")
    _refuse(np.isinf(numbers), numbers, where, column, "is infinite")
    return numbers


def _computed(symbol: str, formula: str, table: pd.DataFrame, tidy: pd.DataFrame, where: _Where) -> pd.Series:
    known = {name: tidy[name] for name in tidy.columns}
    for column in table.columns:
        if is_name(column) and column not in known:
            known[column] = table[column]
    try:
        expression = parse(formula, features=known, constants=())
    except FormulaError as error:
        raise CardError(f"{where.card}: features.{symbol}.formula: {error}") from None
    names = sorted(free.name for free in expression.free_symbols)
    columns = [_numbers(pd.DataFrame({name: known[name]}), name, where).to_numpy() for name in names]
    values = compile_formula(expression, tuple(names), ()).predict(columns, np.zeros((1, 0)))[0]
    result = pd.Series(np.broadcast_to(values, len(table)).copy(), index=table.index)
    _refuse(~np.isfinite(result), result, where, symbol, f"is not finite (it is computed as {formula})")
    return result


def _refuse(bad: pd.Series | np.ndarray, values: pd.Series, where: _Where, column: str, what: str) -> None:
    rows = np.flatnonzero(np.asarray(bad))
    if len(rows):
        others = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        value = values.iloc[rows[0]]
        shown = repr(value) if isinstance(value, str) else "the value" if pd.isna(value) else str(value)
        raise DataError(f"{where.row(int(values.index[rows[0]]))}, column {column!r}: {shown} {what}{others}")


def _generated(card: DatasetCard, recipe: Generate, path: Path) -> Dataset:
    law = load_law(recipe.law)
    if not 0 <= recipe.published < len(law.published):
        raise CardError(
            f"{path}: generate.published: law {law.name} has {len(law.published)} sets of published constants"
        )
    unknown = set(recipe.grid) ^ set(law.features)
    if unknown:
        raise CardError(f"{path}: generate.grid: it must have exactly the features {', '.join(law.features)}")
    published = law.published[recipe.published]
    mesh = np.meshgrid(*recipe.grid.values(), indexing="ij")
    columns = {name: axis.ravel() for name, axis in zip(recipe.grid, mesh, strict=True)}
    noise = np.random.default_rng(recipe.seed).normal(size=mesh[0].size)
    losses = law.predict(columns, published.values) * (1 + recipe.noise * noise)
    raw = pd.DataFrame({**columns, card.target.column: losses})
    raw.index = pd.RangeIndex(1, len(raw) + 1, name="row")
    where = _Where(path, [(str(path), len(raw))])
    made = f"generated from {published.source} with {100 * recipe.noise:g} % noise, seed {recipe.seed}"
    table = _tidy(_choose_rows(raw, card, where), card, where)
    return _dataset(card, path, table, {str(path): sha256_of(path)}, made)
