"""The score of a benchmark of scaling laws: R2 as SLDBench takes it, on held-out and on inner rows."""

from __future__ import annotations

import numpy as np

from discover.errors import InputError
from discover.experiment import Experiment
from discover.hold_out import held_out_rows, training_rows
from discover.result import Result

WORST = -1.0  # the score of a task that failed, and the lowest that any has


def bench_r2(prediction: np.ndarray, target: np.ndarray, dimensions: np.ndarray | None = None) -> float:
    """1 less the mean over output dimensions of the mean square error relative to the variance of the target.

    Predictions of all groups are taken together. The score is never below -1, which it also is where a prediction is
    not finite.

    Parameters
    ----------
    prediction, target
        Shape (rows,).
    dimensions
        Output dimension of each row, shape (rows,); one when `None`.

    Raises
    ------
    InputError
        When the target does not vary in a dimension.

    References
    ----------
    Lin et al. 2025, arXiv 2507.21184: the metric of SLDBench.

    >>> bench_r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    0.5
    """
    if not np.isfinite(prediction).all():
        return WORST
    names = np.zeros(len(target), dtype=int) if dimensions is None else np.asarray(dimensions)
    ratios = []
    for name in dict.fromkeys(names.tolist()):
        inside = names == name
        variance = float(np.var(target[inside]))
        if variance == 0:
            where = "" if dimensions is None else f" of {name}"
            raise InputError(f"the {inside.sum()} targets{where} are all the same: there is no R2")
        with np.errstate(over="ignore"):
            ratios.append(float(np.mean((prediction[inside] - target[inside]) ** 2)) / variance)
    return max(WORST, 1 - float(np.mean(ratios)))


def held_out_r2(experiment: Experiment, result: Result, dimension: str | None = None) -> float | None:
    """R2 of the chosen law on the held-out rows; `None` when these were not scored, -1 when no law was chosen."""
    if not result.scored:
        return None
    if result.selected is None:
        return WORST
    dataset = result.dataset
    held = held_out_rows(experiment, dataset)
    prediction = result.selected.fit.predict(dataset.columns(held), dataset.groups(held))
    words = None if dimension is None else dataset.table[dimension].to_numpy()[held]
    return bench_r2(prediction, dataset.losses(held), words)


def inner_r2(experiment: Experiment, result: Result, dimension: str | None = None) -> float:
    """R2 of the chosen form on the largest training sizes, with constants fitted to the smaller ones.

    The law was chosen with a view to these rows: this is kinder than a score on held-out rows, and not comparable with
    one. -1 when no law was chosen.
    """
    if result.selected is None:
        return WORST
    dataset = experiment.load(held_out=False)
    held = held_out_rows(experiment, dataset)
    rows = training_rows(dataset, held, experiment.card.hold_out)
    largest = rows.splits[0].test
    words = None if dimension is None else dataset.table[dimension].to_numpy()[~held][largest]
    return bench_r2(result.selected.predictions[0], rows.target[largest], words)
