"""4,000 resamples of the 240 rows: our bootstrap beside SciPy's fit of each, and Besiroglu's published intervals."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from chinchilla_loss import DELTA, ChinchillaLoss, constants_of, point_of
from part import Part, ratio, seconds
from rows import Rows, besiroglu
from scipy_fits import solve_lbfgsb

import discover.fitting
from discover.fitting import fit
from discover.law import load_law

NUMERIC = 100  # resamples that are fitted with numeric gradients; their time is scaled to all
WORSE = 1e-6  # relative difference of objectives from which on one fit of a resample is worse than the other
# A single start stops too early with SciPy's own tolerances: two resamples of three then end above their optimum by
# more than 1e-6, some by 0.5 %. With these 1 in 200 is above it by more than 1e-9.
TIGHT = {"ftol": 1e-14, "gtol": 1e-9}
# Besiroglu et al. 2024 (arXiv 2404.10102), 4,000 resamples: 95 % intervals; the exponent of N_opt with its error.
PUBLISHED = {"E0": (1.769, 1.871), "A": (285, 744), "B": (1042, 5810), "alpha": (0.317, 0.373), "beta": (0.331, 0.415)}
PUBLISHED_EXPONENT = "0.513, standard error 0.018 to 0.020"


def measure(rows: Rows, *, count: int = 4000, numeric: int = NUMERIC) -> Part:
    """`count` resamples of the rows, by both; the first `numeric` of them with numeric gradients too."""
    law = load_law("hoffmann")
    remarks = [f"Rows: {rows.source}."]
    weights, ours, taken = None, None, None
    bootstrap: Callable[..., Any] | None = getattr(discover.fitting, "bootstrap", None)
    if bootstrap is None:
        remarks.append("Ours was left out: this version of `discover.fitting` has no `bootstrap`.")
    else:
        fitted = fit(law, rows.features, rows.target)
        begun = perf_counter()
        ours = bootstrap(fitted, count=count, seed=0)
        taken = perf_counter() - begun
        weights = getattr(ours, "weights", None)
    same = weights is not None
    if weights is None:
        n_rows = len(rows.target)
        weights = np.random.default_rng(0).multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=count)
    loss = ChinchillaLoss(dict(rows.features), rows.target)
    start = point_of(besiroglu(law))
    points, scipy_seconds = _refit(loss, start, weights, analytic=True)
    _, numeric_seconds = _refit(loss, start, weights[:numeric], analytic=False)
    numeric_seconds *= len(weights) / min(numeric, len(weights))
    theirs = constants_of(points)
    numbers: dict[str, Any] = {
        "count": count,
        "seconds": taken,
        "seconds_scipy": scipy_seconds,
        "seconds_scipy_numeric": numeric_seconds,
        "speedup_bootstrap": taken and scipy_seconds / taken,
        "speedup_bootstrap_numeric": taken and numeric_seconds / taken,
        "same_resamples": same,
        "scipy": _summary(theirs),
    }
    if ours is not None:
        values = dict(zip(law.parameters, np.asarray(ours.values).T, strict=True))
        numbers["ours"] = _summary(values)
        numbers["ours"]["intervals"] |= {name: list(ours.interval(name, level=0.95)) for name in PUBLISHED}
        remarks.append("Both fitted the same resamples." if same else "Each drew resamples of its own.")
        if same:
            numbers |= _worse(loss, weights, values, points)
            remarks.append(
                f"Ours is above SciPy's objective by more than 1e-6 in {numbers['share_above_scipy']:.2%} of the "
                f"resamples, below by as much in {numbers['share_below_scipy']:.2%}."
            )
    return Part(
        "bootstraps",
        f"{count:,} bootstrap resamples",
        "Each resample of the rows is fitted. SciPy is L-BFGS-B from the constants of Besiroglu et al. (2024), with "
        f"exact gradients, and with numeric ones on {min(numeric, count)} resamples, of which the time is scaled to "
        "all; its tolerances are tight (ftol 1e-14, gtol 1e-9), because with its own most of these fits stop above "
        "their optimum. Intervals are 95 % percentiles; a = beta/(alpha + beta) is the exponent of the compute-optimal "
        "size.",
        numbers,
        ("bootstrap", "seconds", "times ours", *PUBLISHED, "a", "standard error of a"),
        _table(numbers),
        remarks,
    )


def _refit(loss: ChinchillaLoss, start: np.ndarray, weights: np.ndarray, *, analytic: bool) -> tuple[np.ndarray, float]:
    """The optimum of each resample, shape (resamples, 5), and the seconds for all."""
    points = np.empty((len(weights), len(start)))
    with np.errstate(all="ignore"):
        begun = perf_counter()
        for number, of_rows in enumerate(weights.astype(float)):
            _, points[number] = solve_lbfgsb(loss.weighted(of_rows), start, TIGHT, analytic=analytic)
        return points, perf_counter() - begun


def _summary(values: dict[str, np.ndarray]) -> dict[str, Any]:
    exponent = values["beta"] / (values["alpha"] + values["beta"])
    intervals = {name: np.percentile(values[name], [2.5, 97.5]).tolist() for name in PUBLISHED}
    intervals["a"] = np.percentile(exponent, [2.5, 97.5]).tolist()
    return {"intervals": intervals, "a": float(exponent.mean()), "stderr_a": float(exponent.std(ddof=1))}


def _worse(
    loss: ChinchillaLoss, weights: np.ndarray, values: dict[str, np.ndarray], points: np.ndarray
) -> dict[str, float]:
    """In which share of the resamples one has the higher objective, and by how much at most."""
    excess = np.empty(len(weights))
    for number, (of_rows, point) in enumerate(zip(weights.astype(float), points, strict=True)):
        weighted = loss.weighted(of_rows)
        ours = weighted.value(point_of({name: column[number] for name, column in values.items()}))
        theirs = weighted.value(point)
        excess[number] = (ours - theirs) / theirs
    return {
        "share_above_scipy": float(np.mean(excess > WORSE)),
        "share_below_scipy": float(np.mean(excess < -WORSE)),
        "highest_excess": float(excess.max()),
        "median_excess": float(np.median(excess)),
        "unit_of_objective": DELTA,
    }


def _table(numbers: dict[str, Any]) -> list[list[str]]:
    taken = numbers["seconds"]
    table = []
    if taken is not None:
        table.append(["ours", seconds(taken), "1", *_cells(numbers["ours"])])
    for shown, theirs, cells in (
        ("SciPy, exact gradients", numbers["seconds_scipy"], _cells(numbers["scipy"])),
        ("SciPy, numeric gradients", numbers["seconds_scipy_numeric"], [""] * (len(PUBLISHED) + 2)),
    ):
        table.append([shown, seconds(theirs), ratio(taken and theirs / taken), *cells])
    published = [f"{low:g} to {high:g}" for low, high in PUBLISHED.values()]
    table.append(["Besiroglu et al. 2024", "", "", *published, *PUBLISHED_EXPONENT.split(", standard error ")])
    return table


def _cells(summary: dict[str, Any]) -> list[str]:
    intervals = [f"{low:.4g} to {high:.4g}" for low, high in (summary["intervals"][name] for name in PUBLISHED)]
    return [*intervals, f"{summary['a']:.4f}", f"{summary['stderr_a']:.4f}"]
