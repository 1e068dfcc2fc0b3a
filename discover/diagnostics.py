"""What a fit's reader looks at after the constants: which trade off, how the residuals spread, which rows fit worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from discover.fitting import Fit
from discover.objective import NORMAL

STRONG = 0.9  # correlation above which two constants are named
FAR = 5.0  # robust standard deviations beyond which a row is an outlier


@dataclass(frozen=True)
class Correlation:
    """Two constants whose estimates go together.

    Attributes
    ----------
    one, other
        The constants.
    value
        Their correlation, between -1 and 1.
    """

    one: str
    other: str
    value: float


@dataclass(frozen=True)
class Residuals:
    """How the residuals spread, in the unit in which the objective has them.

    Attributes
    ----------
    logarithmic
        Whether they are differences of logarithms (0.01 is about one percent).
    median
        Zero, but for a fit that is pulled to one side.
    spread
        Robust standard deviation: 1.4826 times the median absolute residual.
    deviation
        Root of the mean square: much more than the spread where there are outliers.
    largest
        Largest absolute residual.
    outliers
        Number of rows beyond five robust standard deviations.
    """

    logarithmic: bool
    median: float
    spread: float
    deviation: float
    largest: float
    outliers: int


@dataclass(frozen=True)
class WorstRow:
    """A row that fits badly.

    Attributes
    ----------
    row
        Its number among the rows of the fit, from 0.
    features
        Its features, by symbol.
    target, prediction
        What was measured, and what the law says.
    spreads
        The residual in robust standard deviations of all: positive where the law is too high.
    """

    row: int
    features: dict[str, float]
    target: float
    prediction: float
    spreads: float


def correlations(fit: Fit, above: float = STRONG) -> list[Correlation]:
    """Pairs of fitted constants whose correlation is above a limit, the strongest first."""
    names = fit.free
    index = [fit.space.names.index(name) for name in names]
    matrix = fit.covariance[np.ix_(index, index)]
    with np.errstate(all="ignore"):
        error = np.sqrt(np.diag(matrix))
        matrix = matrix / error[:, None] / error
    found = [
        Correlation(names[i], names[k], float(matrix[i, k]))
        for i in range(len(names))
        for k in range(i + 1, len(names))
        if np.isfinite(matrix[i, k]) and abs(matrix[i, k]) > above
    ]
    return sorted(found, key=lambda pair: -abs(pair.value))


def residuals(fit: Fit) -> Residuals:
    """How the residuals of a fit spread."""
    residual = fit.residuals
    size = np.abs(residual)
    spread = NORMAL * float(np.median(size))
    return Residuals(
        fit.objective.logarithmic,
        float(np.median(residual)),
        spread,
        float(np.sqrt(np.mean(residual**2))),
        float(size.max()),
        int(np.sum(size > FAR * spread)) if spread > 0 else 0,
    )


def worst_rows(fit: Fit, count: int = 5) -> list[WorstRow]:
    """The rows with the largest residuals, the worst first."""
    residual, features = fit.residuals, fit.features
    spread = NORMAL * float(np.median(np.abs(residual)))
    prediction = fit.predict(features)
    order = np.argsort(-np.abs(residual), kind="stable")[:count]
    return [
        WorstRow(
            int(k),
            {name: float(features[name][k]) for name in fit.law.columns},
            float(fit.rows.target[k]),
            float(prediction[k]),
            float(residual[k] / spread) if spread > 0 else 0.0,
        )
        for k in order
    ]
