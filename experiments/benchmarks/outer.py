"""Outer hold-outs: what a rule of choice is judged by. Files of held-out rows are never read.

Those of an experiment are the official one, where its rows are at hand, and others made of the training rows alone: the
largest 20 and 40 % of the rows along its axis, and along the next feature that a larger model grows in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from discover.dataset import Dataset
from discover.errors import InputError
from discover.experiment import Experiment, ExperimentCard, list_experiments, load_experiment
from discover.hold_out import held_out_rows, rows_of, training_rows
from discover.selection import Rows
from discover.selection.judging import few_groups
from discover.selection.rows import LARGER

OFFICIAL = "official"
SHARES = (0.2, 0.4)
LEFT = 4  # sizes that stay to learn from
FEWEST_HELD = 4  # rows
MOST_HELD = 0.7  # of the rows


@dataclass(frozen=True)
class OuterTask:
    """Rows to choose a law by, and larger ones that say how good the choice was; a few groups are enough for both."""

    experiment: Experiment
    dataset: Dataset
    training: Rows
    outside: Rows


def experiment_of(name: str) -> Experiment:
    """An experiment, or that of a dataset which has no card of an experiment."""
    if name in list_experiments():
        return load_experiment(name)
    return Experiment(name, ExperimentCard(dataset=name), Path())


def outer_tasks(experiment: Experiment) -> dict[str, OuterTask]:
    """The tasks of an experiment by their hold-outs; one that holds out what another does is left out.

    Raises
    ------
    UnreachableError
        When the data are neither at hand nor can be downloaded.
    """
    dataset = experiment.load(held_out=False)
    held = held_out_rows(experiment, dataset)
    base = training_rows(dataset, held, experiment.card.hold_out)
    pairs: dict[str, tuple[Rows, Rows]] = {}
    if held.any():
        pairs[OFFICIAL] = base, rows_of(dataset, held, base.axis)
    for axis in _axes(dataset, base):
        masks: list[np.ndarray] = []
        for share in SHARES:
            large = largest(base, axis, share)
            if FEWEST_HELD <= large.sum() < MOST_HELD * len(large) and not any((large == m).all() for m in masks):
                masks.append(large)
                pairs[f"{axis} {share:.0%}"] = replace(base.part(~large), axis=axis), base.part(large)
    made = {label: _task(experiment, dataset, *pair) for label, pair in pairs.items()}
    return {label: task for label, task in made.items() if task is not None}


def _axes(dataset: Dataset, rows: Rows) -> list[str]:
    """The axis of the official hold-out, and the next feature in which a larger model grows; mixtures have none."""
    if rows.axis is None:
        return []
    others = [name for name in dataset.scalars if name != rows.axis and rows.kinds.get(name) in LARGER]
    return [rows.axis, *others[:1]]


def largest(rows: Rows, axis: str, share: float) -> np.ndarray:
    """Which rows are the largest of their group, about such a share of them; a few sizes always stay."""
    large = np.zeros(len(rows.target), dtype=bool)
    for name in rows.group_names():
        own = rows.of_group(name)
        column = rows.columns[axis][own]
        sizes = np.unique(column)
        if len(sizes) >= LEFT:
            fewest = sizes[LEFT - 1] if len(sizes) == LEFT else sizes[LEFT]
            large[own] = column >= max(np.quantile(column, 1 - share, method="higher"), fewest)
    return large


def _task(experiment: Experiment, dataset: Dataset, training: Rows, outside: Rows) -> OuterTask | None:
    """The task on a few groups of which both have rows; `None` where too few sizes are left to choose a law by."""
    if training.groups is not None and outside.groups is not None:
        training = training.part(np.isin(training.groups.astype(str), outside.groups.astype(str)))
    try:
        _ = training.splits
    except InputError:
        return None
    training = few_groups(training)
    if training.groups is not None and outside.groups is not None:
        outside = outside.part(np.isin(outside.groups.astype(str), training.groups.astype(str)))
    return OuterTask(experiment, dataset, training, outside)
