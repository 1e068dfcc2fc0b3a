"""Chinchilla's form on the 240 rows: our fit beside SciPy's from the published starts and from random ones."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import fresh
import numpy as np
from chinchilla_loss import DELTA, ChinchillaLoss, drawn_starts, published_starts
from part import Part, excess, ratio, seconds
from rows import Rows
from scipy_fits import Tried, lbfgsb, robust_least_squares

from discover.fitting import fit
from discover.law import load_law

QUICK = 0.1  # share of the published starts
KNOWN = 1e-9  # relative difference of objectives up to which a baseline has found the optimum


@dataclass(frozen=True)
class Baseline:
    """A baseline: its name in the output, what was run, and the factor from the starts that ran to all of them."""

    name: str
    shown: str
    tried: Tried
    factor: float = 1.0

    @property
    def seconds(self) -> float:
        """Time for all starts."""
        return self.tried.seconds * self.factor


def measure(rows: Rows, *, share: float = 1.0, random_starts: int = 20, repeats: int = 20) -> Part:
    """Our fit and SciPy's on `rows`; `share` of the published starts are run, and their time is scaled to all."""
    law = load_law("hoffmann")
    fitted = fit(law, rows.features, rows.target)
    warm = []
    for _ in range(repeats):
        begun = perf_counter()
        fit(law, rows.features, rows.target)
        warm.append(perf_counter() - begun)
    ours = statistics.median(warm)
    cold = fresh.measure(fresh.Job("generated" if rows.generated else "chinchilla", len(rows.target), repeats=0))
    baselines = _baselines(rows, share, random_starts)
    best = min(fitted.loss, *(baseline.tried.best for baseline in baselines))
    numbers: dict[str, Any] = {
        "rows": len(rows.target),
        "ours": {
            "seconds": ours,
            "seconds_cold": cold["seconds_cold"],
            "objective": fitted.loss,
            "starts": fitted.n_starts,
            "share_within_1e-4": fitted.agreement,
        },
    }
    for baseline in baselines:
        tried = baseline.tried
        numbers[baseline.name] = {
            "seconds": baseline.seconds,
            "starts": round(len(tried.losses) * baseline.factor),
            "starts_run": len(tried.losses),
            "objective": tried.best,
            "share_within_1e-4": tried.share_within(best),
            "optimum_found": excess(tried.best, best) <= KNOWN,
        }
        numbers[f"speedup_{baseline.name}"] = baseline.seconds / ours
        numbers[f"relative_excess_objective_{baseline.name}"] = excess(fitted.loss, tried.best)
    least = [baseline for baseline in baselines if baseline.name.startswith("least_squares")]
    found = [each for each in least if numbers[each.name]["optimum_found"]] or least
    fastest = min(found, key=lambda baseline: baseline.seconds)
    numbers["speedup_least_squares"] = numbers[f"speedup_{fastest.name}"]
    numbers["relative_excess_objective_least_squares"] = numbers[f"relative_excess_objective_{fastest.name}"]
    numbers["speedup_hoffmann_numeric"] = numbers.pop("speedup_numeric")
    numbers["speedup_hoffmann_analytic"] = numbers.pop("speedup_analytic")
    remarks = [f"Rows: {rows.source}."]
    if share < 1:
        run = len(baselines[0].tried.losses)
        remarks.append(f"**Quick:** {run} of the 4,500 published starts were run, and their time was scaled to all.")
    return Part(
        "hoffmann",
        "Chinchilla's form on 240 rows",
        "All minimise the sum over rows of Huber's loss (delta 1e-3) of log(prediction) - log(loss). L-BFGS-B starts "
        "from the 4,500 published starts, with SciPy's own tolerances on the loss in units of delta; numeric gradients "
        "are SciPy's, good to about 1e-8. `least_squares` has exact derivatives and starts drawn from the ranges of "
        "the law's card: once as SciPy comes, once scaled by the Jacobian with tolerances of 1e-10. Ours is `fit` as "
        "it comes: the median of repeats, and once in a fresh process, where the law is read and compiled too. Excess "
        "is how much higher our objective is, relative to theirs.",
        numbers,
        ("fit", "starts", "seconds", "times ours", "objective", "our excess", "starts within 1e-4 of the best"),
        _table(numbers, baselines),
        remarks,
    )


def _baselines(rows: Rows, share: float, random_starts: int) -> list[Baseline]:
    loss = ChinchillaLoss(dict(rows.features), rows.target)
    published = published_starts()
    count = max(1, round(share * len(published)))
    chosen = published
    if count < len(published):
        chosen = published[np.random.default_rng(0).choice(len(published), count, replace=False)]
    factor = len(published) / count
    drawn = drawn_starts(load_law("hoffmann"), random_starts)
    plain = robust_least_squares(loss.residuals, loss.jacobian, drawn, delta=DELTA, scale=1.0, tolerance=1e-8)
    scaled = robust_least_squares(loss.residuals, loss.jacobian, drawn, delta=DELTA)
    return [
        Baseline("numeric", "L-BFGS-B, numeric gradients", lbfgsb(loss, chosen, analytic=False), factor),
        Baseline("analytic", "L-BFGS-B, exact gradients", lbfgsb(loss, chosen, analytic=True), factor),
        Baseline("least_squares_plain", "least_squares, as SciPy comes", plain),
        Baseline("least_squares_scaled", "least_squares, scaled by the Jacobian", scaled),
    ]


def _table(numbers: dict[str, Any], baselines: list[Baseline]) -> list[list[str]]:
    ours = numbers["ours"]
    told = [f"{ours['objective']:.10g}", "", f"{ours['share_within_1e-4']:.1%}"]
    table = []
    for shown, taken in (("ours, warm", ours["seconds"]), ("ours, fresh process", ours["seconds_cold"])):
        table.append([shown, str(ours["starts"]), seconds(taken), ratio(taken / ours["seconds"]), *told])
    for baseline in baselines:
        theirs = numbers[baseline.name]
        table.append(
            [
                f"SciPy: {baseline.shown}",
                f"{theirs['starts']:,}",
                seconds(theirs["seconds"]),
                ratio(theirs["seconds"] / ours["seconds"]),
                f"{theirs['objective']:.10g}",
                f"{numbers[f'relative_excess_objective_{baseline.name}']:+.1e}",
                f"{theirs['share_within_1e-4']:.1%}",
            ]
        )
    return table
