"""Which rows count: the last of each run, those kept and dropped, averages, the best of each grid."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discover.condition import ConditionError, rows_where
from discover.dataset_card import Best, DatasetCard, Drop, Last
from discover.errors import DataError
from discover.tidying.averages import averaged
from discover.tidying.cells import HELD_OUT, Where, need, need_all, numbers_of


def choose_rows(table: pd.DataFrame, card: DatasetCard, where: Where) -> pd.DataFrame:
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
        table = averaged(table, card.average, where)
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
    need_all(table, of, where, "rows.last: ")
    need(table, last.by, where, "rows.last: ")
    table = table.assign(**{last.by: numbers_of(table, last.by, where)})
    order = np.argsort(table[last.by].to_numpy(), kind="stable")
    kept = ~table.iloc[order].duplicated(of, keep="last").to_numpy()
    return table.iloc[np.sort(order[kept])]


def _best(table: pd.DataFrame, best: Best, where: Where) -> pd.DataFrame:
    """The row with the smallest value of each grid, of equal ones the first; or all rows that come close to it."""
    need_all(table, best.of, where, "rows.best: ")
    if best.within:
        values = numbers_of(table, best.by, where).to_numpy()
        keys = [table[column].to_numpy() for column in best.of]
        smallest = pd.Series(values).groupby(keys).transform("min").to_numpy()
        near: np.ndarray = (values == smallest) | (values - smallest < best.within * np.abs(smallest))
        return table[near]
    order = np.argsort(numbers_of(table, best.by, where).to_numpy(), kind="stable")
    kept = ~table.iloc[order].duplicated(best.of).to_numpy()
    return table.iloc[np.sort(order[kept])]


def _dropped(table: pd.DataFrame, drop: Drop, where: Where, *, training: bool) -> pd.DataFrame:
    if drop.where is not None:
        gone = rows_where(table, drop.where)
    elif not training:  # a held-out row is dropped for what it is, and not for being among the largest
        return table
    else:
        order = np.argsort(-numbers_of(table, str(drop.of), where).to_numpy(), kind="stable")
        gone = np.zeros(len(table), dtype=bool)
        gone[order[: drop.largest]] = True
    count = int(gone.sum())
    if training and drop.count is not None and count != drop.count:
        raise DataError(f"{where}: {count} rows were to be dropped ({drop.because}), the card says {drop.count}")
    return table[~gone]
