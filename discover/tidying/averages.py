"""Several rows become one, their weighted mean."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from discover.dataset_card import Average
from discover.errors import DataError, one_of
from discover.tidying.cells import Where, need_all, numbers_of, refuse_name
from discover.tidying.files import local_file


def averaged(table: pd.DataFrame, average: Average, where: Where) -> pd.DataFrame:
    """One row for each part: the weighted mean of a column over the rows that it takes in."""
    need_all(table, [*average.of, average.over], where, "average: ")
    refuse_name(table, average.into, where, "average.into")
    values = numbers_of(table, average.column, where).to_numpy()
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
