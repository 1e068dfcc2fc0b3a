"""Every law card on a dataset that it fits: our fit beside `scipy.optimize.least_squares` from 200 random starts."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from law_residuals import LawResiduals
from part import Part, excess, ratio, seconds
from rows import NOISE, largest_group
from scipy_fits import Tried, robust_least_squares

from discover.dataset import Dataset, list_datasets, load_dataset
from discover.errors import DiscoverError, InputError
from discover.fitting import Fit, fit
from discover.law import Law, list_laws
from discover.matching import match, why_not

# Plausible values of every feature stand there, once.
sys.path.append(str(Path(__file__).resolve().parents[2] / "tests"))
from typical import MIXTURES, SPANS

MOST_ROWS = 400
GENERATED_ROWS = 300
LIMIT = 120.0  # seconds of SciPy for a law
SURE = 0.95
ONCE = 1.0  # seconds of a fit from which on it is not repeated


@dataclass(frozen=True)
class Table:
    """Rows for a law that is bound to them."""

    law: Law
    features: dict[str, np.ndarray]
    target: np.ndarray
    source: str


def measure(*, starts: int = 200, scaled_from: int | None = None, only: list[str] | None = None) -> Part:
    """Every law (or those named in `only`), with SciPy's time scaled from `scaled_from` starts where that is given."""
    run = scaled_from or starts
    measured: dict[str, dict[str, Any]] = {}
    remarks = []
    for law in list_laws():
        if only is not None and law.name not in only:
            continue
        table = table_of(law)
        measured[law.name] = _compare(table, run, starts / run)
        told = measured[law.name]
        print(
            f"laws: {law.name} on {table.source}: ours {seconds(told['seconds'])}, SciPy "
            f"{seconds(told['seconds_scipy'])}, excess {told['relative_excess_objective']:+.1e}",
            file=sys.stderr,
        )
        if told["cut"]:
            done = told["starts_run"]
            remarks.append(
                f"{law.name}: SciPy was cut after {LIMIT:g} s and {done} starts; its ratio is a lower bound."
            )
    if run < starts:
        remarks.append(f"**Quick:** SciPy ran {run} of {starts} starts, and its time was scaled to all.")
    worst = max(measured, key=lambda name: measured[name]["relative_excess_objective"])
    numbers = {
        "laws": measured,
        "laws_median_speedup": statistics.median(told["ratio"] for told in measured.values()),
        "laws_median_speedup_sure": statistics.median(told["ratio_sure"] for told in measured.values()),
        "laws_lowest_speedup": min(told["ratio"] for told in measured.values()),
        "laws_worst": worst,
        "laws_worst_excess": measured[worst]["relative_excess_objective"],
        "laws_best_excess": min(told["relative_excess_objective"] for told in measured.values()),
        "laws_above_scipy": sum(told["relative_excess_objective"] > 1e-4 for told in measured.values()),
        "laws_below_scipy": sum(told["relative_excess_objective"] < -1e-4 for told in measured.values()),
        "seconds_ours": sum(told["seconds"] for told in measured.values()),
        "seconds_scipy": sum(told["seconds_scipy"] for told in measured.values()),
    }
    speedups = [ratio(numbers[f"laws_{key}"]) for key in ("median_speedup", "lowest_speedup", "median_speedup_sure")]
    remarks.insert(
        0,
        "Median ratio {}, lowest {}; median with as many starts as it takes to be 95 % sure, {}. ".format(*speedups)
        + f"Of {len(measured)} laws ours is above SciPy's objective by more than 1e-4 for "
        f"{numbers['laws_above_scipy']}, and below by as much for {numbers['laws_below_scipy']}.",
    )
    return Part(
        "laws",
        "Every law card",
        f"Ours is `fit` as it comes, with the law compiled. SciPy is `least_squares` from {starts} starts drawn in the "
        "same ranges, in the same parameters (logarithms of `log` constants) and bounds, with the same objective, with "
        "exact derivatives by the same compiled law, scaled by the Jacobian, tolerances 1e-10. The rows are those of "
        f"the first dataset that the law fits, at most {MOST_ROWS} and of one group; else generated from the law with "
        "1 % noise. The sure ratio takes as many starts of SciPy as reach the best with 95 %, by the share that did; "
        "`inf` where none did. Excess is how much higher our objective is, relative to SciPy's best; starts that agree "
        "are within 1e-4: ours of our best, SciPy's of the better of both.",
        numbers,
        (
            "law",
            "rows",
            "constants",
            "ours",
            "SciPy",
            "ratio",
            "ratio, sure",
            "excess",
            "ours agree",
            "SciPy's agree",
            "data",
        ),
        [_row(name, told) for name, told in measured.items()],
        remarks,
    )


def table_of(law: Law) -> Table:
    """Rows that the law fits: of the first dataset that has them, else generated."""
    for name, card in list_datasets().items():
        if why_not(law, card.features, card.target.symbol):
            continue
        try:
            dataset = _loaded(name)
            bound = match(law, dataset)
        except (DiscoverError, OSError):  # its files are not at hand, or two names would clash: the next one may do
            continue
        chosen = largest_group(dataset, MOST_ROWS)
        if len(chosen) <= len(bound.parameters):
            continue
        features = {name: column[chosen] for name, column in dataset.columns().items()}
        return Table(bound, features, dataset.losses()[chosen], dataset.label)
    return _generated(law)


@cache
def _loaded(name: str) -> Dataset:
    return load_dataset(name)


def _generated(law: Law) -> Table:
    """Rows log-uniform over plausible ranges, from the first published constants or the middle of their ranges."""
    bound = law.bind(MIXTURES) if law.mixtures else law
    if bound.any_feature:
        bound = bound.on("N")
    rng = np.random.default_rng(0)
    features: dict[str, np.ndarray] = {}
    for mixture, parts in bound.components.items():
        shares = rng.dirichlet(np.ones(len(parts)), GENERATED_ROWS)
        features |= {f"{mixture}_{part}": share for part, share in zip(parts, shares.T, strict=True)}
    for name in bound.columns:
        if name not in features:
            low, high = SPANS[name]
            features[name] = np.exp(rng.uniform(np.log(low), np.log(high), GENERATED_ROWS))
    values = dict(law.published[0].values) if law.published else dict(_middle(bound))
    target = bound.predict(features, values) * (1 + NOISE * rng.normal(size=GENERATED_ROWS))
    legal = np.isfinite(target)
    if legal.sum() <= len(bound.parameters):
        raise InputError(f"law {law.name!r} has no finite prediction at its own constants over plausible features")
    return Table(bound, {name: column[legal] for name, column in features.items()}, target[legal], "generated")


def _middle(law: Law) -> Iterator[tuple[str, float]]:
    for name, constant in law.parameters.items():
        low, high = constant.range
        yield name, float(np.sqrt(low * high)) if constant.log else (low + high) / 2


def _compare(table: Table, starts: int, factor: float) -> dict[str, Any]:
    begun = perf_counter()
    fitted = fit(table.law, table.features, table.target)
    cold = perf_counter() - begun
    warm = []
    for _ in range(3):
        begun = perf_counter()
        fit(table.law, table.features, table.target)
        warm.append(perf_counter() - begun)
        if warm[-1] > ONCE:
            break
    # Residuals of 1e-8 of the target are rounding: below their objective two exact fits do not differ.
    size = 1.0 if fitted.objective.logarithmic else float(np.abs(table.target).max())
    floor = float(fitted.objective.loss(np.full(len(table.target), 1e-8 * size)))
    tried = scipy_of(table, fitted, starts)
    best = min(fitted.loss, tried.best)
    share = tried.share_within(max(best, floor))
    ours, theirs = statistics.median(warm), tried.seconds * factor
    return {
        "dataset": table.source,
        "rows": len(table.target),
        "constants": len(table.law.parameters),
        "objective_name": fitted.objective.name,
        "seconds": ours,
        "seconds_cold": cold,
        "seconds_scipy": theirs,
        "ratio": theirs / ours,
        "ratio_sure": starts_to_be_sure(share) * tried.seconds / len(tried.losses) / ours,
        "objective": fitted.loss,
        "objective_scipy": tried.best,
        "relative_excess_objective": excess(fitted.loss, tried.best, floor),
        "agreement": fitted.agreement,
        "starts": fitted.n_starts,
        "agreement_scipy": share,
        "starts_run": len(tried.losses),
        "starts_failed": int(np.sum(~np.isfinite(tried.losses))),
        "cut": tried.cut,
    }


def scipy_of(table: Table, fitted: Fit, starts: int) -> Tried:
    """SciPy's `least_squares` on the table from random starts, with the objective of our fit."""
    problem = LawResiduals(table.law, table.features, table.target, fitted.objective)
    return robust_least_squares(
        problem.residuals,
        problem.jacobian,
        problem.draw(starts),
        delta=fitted.objective.delta if fitted.objective.robust else None,
        bounds=problem.bounds,
        limit=LIMIT,
    )


def starts_to_be_sure(share: float) -> float:
    """Number of random starts of which one reaches the best with 95 %, when a `share` of them does; may be infinite."""
    if share >= 1:
        return 1.0
    return math.ceil(math.log(1 - SURE) / math.log1p(-share)) if share > 0 else math.inf


def _row(name: str, told: dict[str, Any]) -> list[str]:
    return [
        name,
        str(told["rows"]),
        str(told["constants"]),
        seconds(told["seconds"]),
        seconds(told["seconds_scipy"]),
        ratio(told["ratio"]),
        ratio(told["ratio_sure"]),
        f"{told['relative_excess_objective']:+.1e}",
        f"{told['agreement']:.0%}",
        f"{told['agreement_scipy']:.0%}",
        told["dataset"],
    ]
