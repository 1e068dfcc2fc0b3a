"""Which values of a feature are one size: runs that were to be equally large seldom have exactly the same N."""

from __future__ import annotations

import numpy as np

TOLERANCE = 0.01  # relative difference up to which neighbouring values are one size


def size_ranks(values: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Rank of the size of each row, from 0 for the smallest.

    Neighbouring values within the tolerance are joined, however long the chain: so no two sizes that are all but equal
    are ever told apart.

    Parameters
    ----------
    values
        The feature, shape (rows,); positive numbers.
    tolerance
        Relative difference up to which neighbouring values are one size.

    >>> size_ranks(np.array([1e8, 1e9, 1.001e9, 1e8])).tolist()
    [0, 1, 1, 0]
    """
    distinct, place = np.unique(values, return_inverse=True)
    begins = distinct[1:] > distinct[:-1] * (1 + tolerance)
    return np.asarray(np.concatenate([[0], np.cumsum(begins)])[place])
