"""The group of each row: rows of one group have constants of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discover.condition import ConditionError, rows_where
from discover.dataset_card import GROUP, Group
from discover.errors import DataError
from discover.tidying.cells import HELD_OUT, Where, need, refuse

FEWEST = 2  # rows of a group


def grouped(tidied: pd.DataFrame, table: pd.DataFrame, group: Group, where: Where) -> pd.DataFrame:
    """The table with the name of each row's group; rows that belong to every group are put into each."""
    for column in group.columns:
        need(table, column, where, "group: ")
        refuse(table[column].isna(), table[column], where, column, "is missing, and is the row's group")
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
