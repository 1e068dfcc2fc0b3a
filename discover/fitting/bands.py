"""Prediction bands: where the law may run, and where the next run may fall.

The first comes from the uncertainty of the constants alone; the second adds the noise of single runs, estimated from
the residuals. Neither knows of errors of the law itself: beyond the data a band is a lower limit of the uncertainty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from discover.fitting.bootstraps import Bootstrap
from discover.fitting.levels import check_level
from discover.fitting.result import Fit
from discover.objective import NORMAL


@dataclass(frozen=True)
class Band:
    """A prediction with its interval at each row.

    Attributes
    ----------
    prediction, low, high
        Shape (rows,), in the unit of the target. The ends are NaN where the rows of the fit leave open a constant on
        which the prediction depends.
    """

    prediction: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band(
    fit: Fit,
    features: Mapping[str, np.ndarray],
    *,
    level: float = 0.95,
    of_runs: bool = False,
    resamples: Bootstrap | None = None,
) -> Band:
    """A fit's predictions with their intervals.

    Parameters
    ----------
    fit
        The fit.
    features
        Columns by symbol, each of shape (rows,).
    level
        Confidence level, between 0 and 1.
    of_runs
        Whether the interval is that of a new run, noise included, instead of that of the law. The noise is normal with
        the residuals' robust standard deviation; with `resamples` it is drawn from the residuals.
    resamples
        A bootstrap of the fit, whose percentiles are then taken instead of the covariance (delta method). It is needed
        where the law is far from linear in its constants within their errors.

    Raises
    ------
    InputError
        When the level is not between 0 and 1.
    """
    check_level(level)
    prediction = np.atleast_1d(fit.predict(features))
    # Residuals are smaller than the noise, by the constants that were fitted to them.
    grown = np.sqrt(fit.n_rows / max(1, fit.n_rows - len(fit.free)))
    residual = fit.residuals * grown
    if resamples is None:
        centre = np.log(prediction) if fit.objective.logarithmic else prediction
        noise = NORMAL * float(np.median(np.abs(residual))) if of_runs else 0.0
        half = norm.ppf(0.5 + level / 2) * np.sqrt(_variance(fit, features, prediction) + noise**2)
        low, high = centre - half, centre + half
    else:
        drawn = np.atleast_2d(resamples.predictions(features))
        drawn = np.log(drawn) if fit.objective.logarithmic else drawn
        if of_runs:
            random = np.random.default_rng(0)
            drawn = drawn - random.choice(residual, size=drawn.shape)
        low, high = np.nanpercentile(drawn, [50 * (1 - level), 50 * (1 + level)], axis=0)
    if fit.objective.logarithmic:
        low, high = np.exp(low), np.exp(high)
    return Band(prediction, low, high)


def _variance(fit: Fit, features: Mapping[str, np.ndarray], prediction: np.ndarray) -> np.ndarray:
    """Variance of each prediction (of its logarithm, under a logarithmic objective) by the delta method."""
    columns = [np.broadcast_to(np.asarray(features[name], dtype=float), prediction.shape) for name in fit.law.columns]
    formula, space = fit.law.differentiable, fit.space
    parts = formula.prepare(columns or [np.zeros_like(prediction)])
    inner = space.inner(fit.point[None])
    evaluate = formula.log_value_and_slopes if fit.objective.logarithmic else formula.value_and_slopes
    slopes = evaluate(parts, inner)[1][0].T  # rows x constants, in the solver's units
    values = np.array([fit.values[name] for name in space.names])
    scale = np.where(space.log, np.where(values != 0, values, 1.0), 1.0)
    with np.errstate(invalid="ignore"):
        covariance = fit.covariance / scale[:, None] / scale
    known = np.isfinite(np.diag(covariance))  # constants that are not determined have no say, or NaN if they matter
    matters = np.abs(slopes[:, ~known]).max(axis=1, initial=0.0) > 1e-12
    inside = np.einsum("nk,kl,nl->n", slopes[:, known], covariance[np.ix_(known, known)], slopes[:, known])
    return np.where(matters, np.nan, inside)
