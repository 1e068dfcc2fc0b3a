"""From columns of the files to features and target: numbers that are legal for their kind."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from discover.dataset_card import ZERO_IS_LEGAL, DatasetCard, Feature
from discover.errors import CardError, DataError
from discover.formula import is_name
from discover.mixture import component
from discover.tidying.cells import HELD_OUT, Where, computed, need, numbers_of, refuse


def features_of(
    table: pd.DataFrame, card: DatasetCard, where: Where
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
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
        losses = computed(target.symbol, target.formula, table, tidied, where, key="target")
    else:
        losses = numbers_of(table, str(target.column), where)
    if target.positive:
        named = target.column or target.symbol
        refuse(losses <= 0, losses, where, named, "is not positive (else say target.positive = false)")
    tidied[target.symbol] = losses.to_numpy()
    return tidied, components


def _scalar(symbol: str, feature: Feature, table: pd.DataFrame, tidied: pd.DataFrame, where: Where) -> pd.Series:
    if feature.formula is not None:
        column = computed(symbol, feature.formula, table, tidied, where)
    elif feature.by is not None:
        column = _picked(symbol, feature, table, where)
    else:
        column = numbers_of(table, str(feature.column), where)
    named = feature.column or symbol
    if feature.kind in ZERO_IS_LEGAL:
        refuse((column < 0) | (column > 1), column, where, named, "is no share: it must lie between 0 and 1")
    else:
        refuse(column <= 0, column, where, named, "is not positive")
    return column


def _picked(symbol: str, feature: Feature, table: pd.DataFrame, where: Where) -> pd.Series:
    """For each row, the value of the column that the row's word names."""
    by, sources = str(feature.by), feature.sources()
    need(table, by, where)
    words = table[by].astype(str)
    refuse(~words.isin(list(sources)), words, where, by, f"has no column in features.{symbol}.columns")
    picked = pd.Series(np.nan, index=table.index)
    for word, column in sources.items():
        rows = (words == word).to_numpy()
        if rows.any():
            picked[rows] = numbers_of(table[rows], column, where).to_numpy()
    return picked


def _mixture(symbol: str, feature: Feature, table: pd.DataFrame, where: Where) -> dict[str, np.ndarray]:
    columns = {}
    for part, column in feature.sources().items():
        numbers = numbers_of(table, column, where)
        refuse(numbers < 0, numbers, where, column, f"is negative: it is a share of the mixture {symbol}")
        columns[part] = numbers.to_numpy()
    total = pd.Series(np.sum(list(columns.values()), axis=0), index=table.index)
    if feature.normalise:
        refuse(total <= 0, total, where, symbol, "is the sum of a mixture that has no shares")
        return {part: column / total.to_numpy() for part, column in columns.items()}
    what = f"is the sum of the mixture, which differs from 1 by more than {feature.tolerance:g} "
    what += f"(features.{symbol}: normalise = true divides by it, tolerance allows it)"
    refuse((total - 1).abs() > feature.tolerance, total.round(6), where, symbol, what)
    return columns


def _category(symbol: str, feature: Feature, table: pd.DataFrame, where: Where) -> dict[str, np.ndarray]:
    """A column of 0 and 1 for each word, in the order of the alphabet."""
    column = str(feature.column)
    need(table, column, where)
    refuse(table[column].isna(), table[column], where, column, "is missing")
    words = table[column].astype(str)
    known = words[~table[HELD_OUT].to_numpy(dtype=bool)].unique()  # held-out rows bring no column of their own
    refuse(~words.isin(known), words, where, column, f"is a word of {symbol!r} that no training row has")
    columns: dict[str, np.ndarray] = {}
    for word in sorted(known):
        part = re.sub(r"\W+", "_", word)
        if part in columns or not is_name(component(symbol, part)):
            raise DataError(f"{where}: column {column!r}: the word {word!r} cannot name a column of its own")
        columns[part] = (words == word).to_numpy(dtype=float)
    if len(columns) < 2:
        raise DataError(f"{where}: column {column!r}: a category needs two or more words, it has {len(columns)}")
    return columns
