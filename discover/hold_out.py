"""What is held out of an experiment, and the rows that are left to search, fitting and choice."""

from __future__ import annotations

import numpy as np

from discover.condition import names_in
from discover.dataset import Dataset, HoldOut, OwnFiles, describe_hold_out
from discover.dataset_card import GROUP, ZERO_IS_LEGAL
from discover.errors import InputError
from discover.experiment import Experiment
from discover.selection import Rows


def held_out_rows(experiment: Experiment, dataset: Dataset) -> np.ndarray:
    """Which rows are held out, as booleans; none where these are files of their own that were not read."""
    rule = dataset.hold_out if experiment.card.hold_out is None else experiment.card.hold_out
    unread = isinstance(dataset.hold_out, OwnFiles) and dataset.of_held_out_files is None
    if unread and isinstance(rule, OwnFiles):
        return np.zeros(len(dataset.table), dtype=bool)
    return dataset.held_out_rows(experiment.card.hold_out)


def training_rows(dataset: Dataset, held: np.ndarray, hold_out: HoldOut | None) -> Rows:
    """The rows that search, fitting and selection may see; the held-out rows are not among them.

    Parameters
    ----------
    dataset
        All rows.
    held
        Which of them are held out, as booleans of shape (rows,).
    hold_out
        The experiment's own rule; `None` for the dataset's.

    Raises
    ------
    InputError
        When there are too few sizes or settings to choose a law by, the target is always the same, a group is held out
        as a whole, or a run of every group is on both sides.
    """
    rows = rows_of(dataset, ~held, _axis(dataset, held, hold_out if hold_out is not None else dataset.hold_out))
    _refuse_overlap(dataset, held)
    _ = rows.splits  # too few sizes is the plainer thing to say
    if np.ptp(rows.target) == 0:
        raise InputError(f"the target of {dataset.name} is the same on all {len(rows.target)} training rows")
    if dataset.grouped:
        left_out = set(dataset.groups(held).tolist()) - set(rows.group_names())  # type: ignore[union-attr]
        if left_out:
            raise InputError(f"the hold-out leaves no training row of the group {min(left_out)!r} of {dataset.name}")
    return rows


def rows_of(dataset: Dataset, chosen: np.ndarray, axis: str | None) -> Rows:
    """Some rows of a dataset, as booleans, as the judging of laws sees them."""
    return Rows(
        columns=dataset.columns(chosen),
        target=dataset.losses(chosen),
        kinds=dataset.falling_kinds,
        axis=axis,
        positive=dataset.target.positive,
        groups=dataset.groups(chosen),
    )


def _refuse_overlap(dataset: Dataset, held: np.ndarray) -> None:
    """A run that belongs to every group must be held out of all of them, or of none."""
    runs = dataset.table.reset_index()[["row", *dataset.scalars, dataset.target.symbol]]
    both = runs[held].merge(runs[~held], how="inner")
    if dataset.grouped and len(both):
        row = int(both["row"].iloc[0])
        raise InputError(f"the hold-out puts row {row} of {dataset.name}, a run of every group, on both sides")


def _axis(dataset: Dataset, held: np.ndarray, rule: HoldOut | None) -> str | None:
    """The feature along which the held-out rows are larger; `None` when they are other settings, not larger ones."""
    if rule is None:
        return None
    named = names_in(rule) if isinstance(rule, str) else [rule.of]
    for name in named:
        if name in dataset.scalars and dataset.kinds[name] not in ZERO_IS_LEGAL:
            column = dataset.columns()[name]
            if not isinstance(rule, str) or column[held].max() > column[~held].max():
                return name
    settings = {*dataset.labels, *dataset.scalars, *dataset.features, GROUP, ""}
    if any(name not in settings for name in named):
        shown = f"the hold-out {describe_hold_out(rule)!r} names no feature of {dataset.name}"
        raise InputError(f"{shown}: {', '.join(dataset.features)}")
    return None
