"""Training losses shuffled among rows: what a search finds where there is nothing to be found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discover.dataset import Dataset
from discover.dataset_card import GROUP


def shuffled(dataset: Dataset, held_out: np.ndarray, seed: int) -> Dataset:
    """The dataset with the losses of its training rows permuted, within groups where there are groups.

    Held-out rows keep theirs, and so does every row its features: what is lost is which loss belongs to which model.
    The dataset says what was done to it wherever it is shown.

    Parameters
    ----------
    held_out
        Which rows are held out, as booleans, shape (rows,).
    seed
        Seed of the permutation.
    """
    random = np.random.default_rng(seed)
    losses, training = dataset.losses().copy(), np.flatnonzero(~held_out)
    groups = np.full(len(losses), "") if not dataset.grouped else dataset.table[GROUP].to_numpy(dtype=str)
    for name in dict.fromkeys(groups[training].tolist()):
        rows = training[groups[training] == name]
        losses[rows] = losses[random.permutation(rows)]
    made = f"those of {dataset.label} with the training losses shuffled among rows, seed {seed}"
    made += f", and before that {dataset.generated}" if dataset.generated else ""
    return replace(dataset, table=dataset.table.assign(**{dataset.target.symbol: losses}), generated=made)
