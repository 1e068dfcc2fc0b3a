"""Where two laws are laid beside each other: the measured rows, and points between them.

A point between two rows is their geometric mean with random weights where a column is positive, else the arithmetic
one. So the points fill the hull of the data and no more, and what holds of every row holds of them: components of a
mixture sum to one, there are no more unique tokens than tokens. A law is not asked about places it was never meant for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

BETWEEN = 256  # points between rows: laws of up to a dozen constants cannot bend through all of them
MEASURED = 256  # rows, drawn evenly where there are more


def points(
    columns: Mapping[str, np.ndarray],
    *,
    linear: Collection[str] = (),
    whole: Collection[str] = (),
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Points over the range of the data.

    Parameters
    ----------
    columns
        The features of the rows by symbol, each of shape (rows,).
    linear
        Columns whose arithmetic mean is taken though they may be positive: shares, components of a mixture.
    whole
        Columns of which a point has the values of one row: components of a category.
    seed
        Seed of the points.

    Returns
    -------
    The columns at distinct rows, at most `MEASURED`, followed by `BETWEEN` points between rows.

    Examples
    --------
    >>> between = points({"N": np.array([1e7, 1e9])})["N"]
    >>> len(between), float(between.min()), float(between.max())
    (258, 10000000.0, 1000000000.0)
    """
    names = list(columns)
    table = np.unique(np.column_stack([np.asarray(columns[name], dtype=float) for name in names]), axis=0)
    generator = np.random.default_rng(seed)
    one, other = generator.integers(len(table), size=(2, BETWEEN))
    share = generator.random((BETWEEN, 1))
    between = share * table[one] + (1 - share) * table[other]
    for k, name in enumerate(names):
        if name in whole:
            between[:, k] = table[one, k]
        elif name not in linear and table[:, k].min() > 0:
            mean = share[:, 0] * np.log(table[one, k]) + (1 - share[:, 0]) * np.log(table[other, k])
            between[:, k] = np.clip(np.exp(mean), table[:, k].min(), table[:, k].max())
    kept = np.unique(np.linspace(0, len(table) - 1, min(MEASURED, len(table))).astype(int))
    return dict(zip(names, np.concatenate([table[kept], between]).T.copy(), strict=True))
