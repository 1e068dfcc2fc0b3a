"""Are two laws one form: can each make all predictions of the other over the range of some rows.

`same_form` is all that the benchmarks ask; a finer comparison of laws can stand in its place.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.errors import FitError, InputError
from discover.fitting import Objective, fit
from discover.law import Law

EQUAL = 1e-6  # root mean square of the residuals below which predictions are the same
BETWEEN = 256  # points between rows: laws of a dozen constants cannot bend through all of them
STARTS = 16  # of a fit, beside the constants that the law has

Columns = Mapping[str, np.ndarray]
Values = Mapping[str, float]


def dense(columns: Columns, *, seed: int = 0) -> dict[str, np.ndarray]:
    """The rows, and points between pairs of them: geometric means with random weights, or arithmetic where one is zero.

    Each column has shape (rows + `BETWEEN`,). What holds of any two rows, such as uD <= D, holds of the points.
    """
    count = len(next(iter(columns.values())))
    generator = np.random.default_rng(seed)
    one, other = generator.integers(count, size=(2, BETWEEN))
    share = generator.random(BETWEEN)
    points = {}
    for name, column in columns.items():
        if (column > 0).all():
            between = np.exp(share * np.log(column[one]) + (1 - share) * np.log(column[other]))
        else:
            between = share * column[one] + (1 - share) * column[other]
        points[name] = np.concatenate([column, between])
    return points


def same_form(
    one: Law, of_one: Values, other: Law, of_other: Values, columns: Columns, *, starts: int = STARTS
) -> bool:
    """Whether each law, fitted to the predictions of the other, makes them.

    Parameters
    ----------
    one, of_one, other, of_other
        The laws, and their constants; the fit of a law begins at these, and at random `starts`.
    columns
        Features by symbol, shape (rows,) each; the laws are compared there and between (`dense`).
    """
    points = dense(columns)
    return _makes(one, of_one, other, of_other, points, starts) and _makes(other, of_other, one, of_one, points, starts)


def _makes(one: Law, of_one: Values, other: Law, of_other: Values, points: Columns, starts: int) -> bool:
    """Whether `one`, fitted to the predictions of `other`, makes them."""
    count = len(next(iter(points.values())))
    wanted = np.broadcast_to(other.predict(points, of_other), (count,)).copy()
    if not (np.isfinite(wanted) & (wanted > 0)).all():
        return False
    try:
        # An exact fit has no outliers: the squared loss ends at the optimum where a robust one creeps.
        fitted = fit(one, points, wanted, objective=Objective("log_squared"), starts=starts, retries=0, first=of_one)
    except (FitError, InputError):
        return False
    return float(np.sqrt(np.mean(fitted.residuals**2))) < EQUAL
