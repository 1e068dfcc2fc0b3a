"""Datasets: a tidy table, one row a trained model, read as its card says.

A card names the files (public address and checksum, or a path beside the card), how columns become features and
target, which rows count and why others are dropped, and which rows are held out (`discover.dataset_card`).
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from discover.cards import card_paths, find_card, read_card
from discover.cite import Cite
from discover.condition import rows_where
from discover.dataset_card import (
    GROUP,
    DatasetCard,
    Feature,
    FeatureKind,
    Generate,
    HoldOut,
    Largest,
    OwnFiles,
    Target,
    describe_hold_out,
)
from discover.download import sha256_of
from discover.errors import CardError, InputError, one_of
from discover.law import load_law
from discover.mixture import component
from discover.tidying import Tidied, Where, tidy, tidy_rows

__all__ = [
    "Dataset",
    "DatasetCard",
    "Feature",
    "FeatureKind",
    "HoldOut",
    "Largest",
    "OwnFiles",
    "Target",
    "describe_hold_out",
    "list_datasets",
    "load_dataset",
    "read_dataset_card",
]


@dataclass(frozen=True)
class Dataset:
    """A tidy table of trained models.

    Attributes
    ----------
    table
        One column a feature (or component of one), by symbol, one for the target, the card's labels, and ``group``
        where rows are in groups; one row a trained model; the index is the row in the file, counted from 1 below the
        header, and on through the files when there are several.
    features, target
        What the columns mean.
    components
        Names of the components of each mixture or category, by its symbol.
    labels
        Further columns of the table, for row rules.
    grouped
        Whether each group of rows has constants of its own.
    hold_out
        The default rule for the rows that are held out, `None` when the card names none.
    of_held_out_files
        Which rows come from files of held-out rows; `None` when no such file was read.
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
    components: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    grouped: bool = False
    hold_out: HoldOut | None = None
    of_held_out_files: np.ndarray | None = field(default=None, repr=False)
    sources: Mapping[str, str] = field(default_factory=dict)
    generated: str = ""
    cite: Cite | None = None
    licence: str = ""
    notes: str = ""

    @property
    def label(self) -> str:
        """Name as it is shown: generated data say so."""
        return f"{self.name} (generated)" if self.generated else self.name

    @cached_property
    def scalars(self) -> dict[str, Feature]:
        """What each column of numbers is: a feature, or a component of a mixture or category."""
        scalars: dict[str, Feature] = {}
        for name, feature in self.features.items():
            if not feature.vector:
                scalars[name] = feature
            for part in self.components[name] if feature.vector else ():
                meaning = f"{feature.meaning}: {part}" if feature.meaning else part
                scalars[component(name, part)] = feature.model_copy(update={"meaning": meaning})
        return scalars

    @property
    def kinds(self) -> dict[str, FeatureKind]:
        """Kind of each column of numbers."""
        return {name: feature.kind for name, feature in self.scalars.items()}

    @property
    def falling_kinds(self) -> dict[str, FeatureKind]:
        """Kind of each column; where the target need not fall as sizes grow, they are mere counts."""
        if self.target.falls:
            return self.kinds
        return {name: "count" if kind in ("size", "tokens") else kind for name, kind in self.kinds.items()}

    @property
    def meanings(self) -> dict[str, str]:
        """Meaning of each column of numbers."""
        return {name: feature.meaning for name, feature in self.scalars.items()}

    def columns(self, rows: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Columns of numbers by symbol, of `rows` (booleans) or of all; a mixture has one a component."""
        table = self.table if rows is None else self.table[rows]
        return {name: table[name].to_numpy(dtype=float) for name in self.scalars}

    def losses(self, rows: np.ndarray | None = None) -> np.ndarray:
        """The target column, of `rows` (booleans) or of all."""
        table = self.table if rows is None else self.table[rows]
        return table[self.target.symbol].to_numpy(dtype=float)

    def groups(self, rows: np.ndarray | None = None) -> np.ndarray | None:
        """Name of the group of each of `rows` (booleans) or of all; `None` when the dataset has no groups."""
        if not self.grouped:
            return None
        table = self.table if rows is None else self.table[rows]
        return table[GROUP].to_numpy(dtype=object)

    def narrowed(self, rows: np.ndarray) -> Dataset:
        """The dataset with some of its rows (booleans)."""
        own = None if self.of_held_out_files is None else self.of_held_out_files[rows]
        return replace(self, table=self.table[rows], of_held_out_files=own)

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
        if isinstance(rule, OwnFiles):
            if not isinstance(self.hold_out, OwnFiles):
                raise InputError(
                    f"{self.name!r} has no files of held-out rows (held_out = true on its card): hold out by a rule, "
                    "as in hold_out = 'N >= 1e9'"
                )
            if self.of_held_out_files is None:
                raise InputError(f"the held-out rows of {self.name!r} are files of their own, which were not read")
            return self.of_held_out_files
        if rule.of not in self.scalars:
            raise InputError(f"hold-out: unknown feature {rule.of!r}: {one_of(rule.of, self.scalars)}")
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


def load_dataset(name: str | Path, *, held_out: bool = False) -> Dataset:
    """Load a dataset by name (``"chinchilla_epoch"``) or by the path of its card; files are downloaded when needed.

    Parameters
    ----------
    name
        Name or path of the card.
    held_out
        Whether files that hold held-out rows are read too, where the dataset has such.

    Raises
    ------
    CardError, DataError
        When card or files are not what they should be.
    """
    path = find_card("data", name)
    card = read_card(path, DatasetCard)
    if card.generate is not None:
        return _generated(card, card.generate, path)
    return _dataset(card, path, tidy(card, path, held_out=held_out), read_all=held_out)


def read_dataset_card(name: str | Path) -> tuple[str, DatasetCard]:
    """Name and card of a dataset, without its files."""
    path = find_card("data", name)
    return path.stem, read_card(path, DatasetCard)


def list_datasets() -> dict[str, DatasetCard]:
    """The cards of all datasets, by name; no file is read or downloaded."""
    return {name: read_card(path, DatasetCard) for name, path in card_paths("data").items()}


def _dataset(card: DatasetCard, path: Path, tidied: Tidied, *, read_all: bool = False, generated: str = "") -> Dataset:
    return Dataset(
        name=path.stem,
        title=card.title,
        table=tidied.table,
        features=card.features,
        target=card.target,
        components=tidied.components,
        labels=tuple(card.labels),
        grouped=card.group is not None,
        hold_out=card.hold_out,
        of_held_out_files=tidied.held_out if read_all and isinstance(card.hold_out, OwnFiles) else None,
        sources=tidied.sources,
        generated=generated,
        cite=card.cite,
        licence=card.licence,
        notes=card.notes,
    )


def _generated(card: DatasetCard, recipe: Generate, path: Path) -> Dataset:
    law = load_law(recipe.law)
    if not 0 <= recipe.published < len(law.published):
        raise CardError(
            f"{path}: generate.published: law {law.name} has {len(law.published)} sets of published constants"
        )
    unknown = set(recipe.grid) ^ set(law.columns)
    if unknown:
        raise CardError(f"{path}: generate.grid: it must have exactly the features {', '.join(law.columns)}")
    published = law.published[recipe.published]
    mesh = np.meshgrid(*recipe.grid.values(), indexing="ij")
    columns = {name: axis.ravel() for name, axis in zip(recipe.grid, mesh, strict=True)}
    noise = np.random.default_rng(recipe.seed).normal(size=mesh[0].size)
    losses = law.predict(columns, published.values) * (1 + recipe.noise * noise)
    raw = pd.DataFrame({**columns, card.target.column or card.target.symbol: losses})
    raw.index = pd.RangeIndex(1, len(raw) + 1, name="row")
    tidied = tidy_rows(card, raw, {str(path): sha256_of(path)}, Where(path, [(str(path), len(raw))]))
    made = f"generated from {published.source} with {100 * recipe.noise:g} % noise, seed {recipe.seed}"
    return _dataset(card, path, tidied, generated=made)
