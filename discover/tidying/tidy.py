"""From the files of a dataset to its tidy table, step by step as the card says.

Rows keep their number: the index of every table here is the row in the file, counted from 1 below the header, and on
through the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from discover.dataset_card import DatasetCard
from discover.errors import DataError, one_of
from discover.tidying.cells import HELD_OUT, Where, columns_of
from discover.tidying.features import features_of
from discover.tidying.files import long, read_files, renamed
from discover.tidying.groups import grouped
from discover.tidying.rows import choose_rows


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
    table, sources, where = read_files(card, path, held_out)
    return tidy_rows(card, table, sources, where)


def tidy_rows(card: DatasetCard, table: pd.DataFrame, sources: Mapping[str, str], where: Where) -> Tidied:
    """Tidy raw rows, whose index is their number."""
    if HELD_OUT not in table.columns:
        table = table.assign(**{HELD_OUT: np.zeros(len(table), dtype=bool)})
    table = renamed(table, card, where)
    if card.wide is not None:
        table = long(table, card.wide, where)
    table = choose_rows(table, card, where)
    tidied, components = features_of(table, card, where)
    tidied[HELD_OUT] = table[HELD_OUT].to_numpy(dtype=bool)
    for label in card.labels:
        if label not in table.columns:
            raise DataError(f"{where}: labels: there is no column {label!r}: {one_of(label, columns_of(table))}")
        if label not in tidied.columns:
            tidied[label] = table[label].to_numpy()
    if card.group is not None:
        tidied = grouped(tidied, table, card.group, where)
    return Tidied(tidied.drop(columns=HELD_OUT), components, tidied[HELD_OUT].to_numpy(dtype=bool), sources)
