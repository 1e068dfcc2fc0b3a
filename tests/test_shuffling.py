"""Shuffled training losses: what stays and what does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discover.dataset import Dataset, Feature, Target
from discover.shuffling import shuffled

TABLE = pd.DataFrame(
    {"N": np.tile(np.geomspace(1e7, 1e10, 10), 2), "L": np.arange(20.0), "group": ["a"] * 10 + ["b"] * 10}
)
DATASET = Dataset("mine", "Mine", TABLE, {"N": Feature(column="N")}, Target(column="L"), grouped=True)
HELD = TABLE["N"].to_numpy() > 3e9


def test_training_losses_are_permuted_within_their_group_and_held_out_rows_keep_theirs():
    made = shuffled(DATASET, HELD, 1)
    assert HELD.sum() == 4
    assert np.array_equal(made.losses(HELD), DATASET.losses(HELD))
    assert made.table.drop(columns="L").equals(TABLE.drop(columns="L"))
    for group in ("a", "b"):
        rows = ~HELD & (TABLE["group"] == group).to_numpy()
        assert sorted(made.losses(rows)) == sorted(DATASET.losses(rows))
        assert (made.losses(rows) != DATASET.losses(rows)).sum() > 3
    assert np.array_equal(DATASET.losses(), np.arange(20.0))  # the dataset itself is as it was


def test_without_groups_losses_go_anywhere_among_the_training_rows():
    made = shuffled(Dataset("mine", "Mine", TABLE, DATASET.features, DATASET.target), HELD, 1)
    first = ~HELD & (TABLE["group"] == "a").to_numpy()
    assert (made.losses(first) >= 10).any()


def test_a_seed_is_one_permutation_and_the_dataset_says_so():
    one, again, other = (shuffled(DATASET, HELD, seed) for seed in (1, 1, 2))
    assert one.table.equals(again.table)
    assert not one.table.equals(other.table)
    assert one.generated == "those of mine with the training losses shuffled among rows, seed 1"
    assert one.label == "mine (generated)"
