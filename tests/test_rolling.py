"""Inner hold-outs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discover.errors import InputError
from discover.rolling import FOLDS, SHARES, rolling_splits


def test_the_largest_sizes_are_held_out_alone_first_and_then_with_smaller_ones():
    sizes = np.repeat([1e7, 1e8, 1e9, 1e10], 5)
    splits = rolling_splits({"N": sizes}, ["N"])
    # 12 and 25 % of 20 rows end within the largest size, 40 % within the second largest, and two remain to learn from.
    assert [np.unique(sizes[split.train]).tolist() for split in splits] == [[1e7, 1e8, 1e9], [1e7, 1e8]]
    assert np.unique(sizes[splits[0].test]).tolist() == [1e10]
    assert splits[0].name == "N >= 1e+10"


def test_a_split_asks_for_the_next_sizes_and_not_for_the_far_ones():
    sizes = np.repeat([1e6, 2e6, 4e6, 1e9], 4)
    (first, second) = rolling_splits({"N": sizes}, ["N"])
    assert np.unique(sizes[first.test]).tolist() == [1e9]  # the next, however far
    assert np.unique(sizes[second.test]).tolist() == [4e6]  # 1e9 is 500 times what it learns from
    assert not (second.train | second.test)[sizes == 1e9].any()


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 12), min_size=3, max_size=60).filter(lambda sizes: len(set(sizes)) >= 3))
def test_sizes_are_never_divided_and_two_always_remain_to_learn_from(counts):
    sizes = np.array(counts, dtype=float)
    splits = rolling_splits({"N": sizes}, ["N"])
    assert 1 <= len(splits) <= len(SHARES)
    for split in splits:
        assert split.test.any()
        assert sizes[split.test].min() > sizes[split.train].max()
        assert len(np.unique(sizes[split.train])) >= 2


def test_every_axis_is_split_and_no_split_is_made_twice():
    N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 6)))
    splits = rolling_splits({"N": N, "D": D}, ["N", "D", "N*D"])
    names = [split.name.split(" ")[0] for split in splits]
    assert names == sorted(names, key=["N", "D", "N*D"].index)
    assert set(names) == {"N", "D", "N*D"}
    for split in splits:
        size = {"N": N, "D": D, "N*D": N * D}[split.name.split(" ")[0]]
        assert size[split.test].min() > size[split.train].max()
    same = rolling_splits({"N": N, "M": 3 * N}, ["N", "M"])
    assert {split.name.split(" ")[0] for split in same} == {"N"}


@pytest.mark.parametrize("sizes", [[1e9] * 5, [1e8, 1e9, 1e9, 1e8]])
def test_fewer_than_three_sizes_are_too_few(sizes):
    with pytest.raises(InputError, match=r"the training rows have too few sizes N: .* at least 3"):
        rolling_splits({"N": np.array(sizes)}, ["N"])


def test_each_size_of_a_test_counts_one():
    sizes = np.repeat([1e7, 1e8, 1e9, 1e10], [5, 5, 1, 9])
    split = rolling_splits({"N": sizes}, ["N"])[-1]
    weights = split.test_weights()
    assert weights[sizes == 1e9].sum() == pytest.approx(1.0)
    assert weights[sizes == 1e8].sum() == 0


def test_every_group_is_split_along_its_own_sizes():
    groups = np.repeat(np.array(["a", "b", "c"], dtype=object), [8, 8, 2])
    sizes = np.concatenate([np.geomspace(1e6, 1e8, 8), np.geomspace(1e8, 1e10, 8), [1e7, 1e8]])
    for split in rolling_splits({"N": sizes}, ["N"], groups):
        for name in "ab":
            own = groups == name
            assert sizes[own & split.train].max() < sizes[own & split.test].min()
        assert split.train[groups == "c"].all()  # two sizes: there is nothing to hold out
    with pytest.raises(InputError, match="too few sizes N"):
        rolling_splits({"N": sizes[groups == "c"]}, ["N"], groups[groups == "c"])


def mixtures() -> dict[str, np.ndarray]:
    shares = np.random.default_rng(0).dirichlet(np.ones(3), size=12)
    return {f"r_{k}": np.repeat(shares[:, k], 2) for k in range(3)}  # each setting in two rows


def test_without_a_size_the_folds_are_of_settings_and_each_is_held_out_once():
    folds = rolling_splits(mixtures(), [])
    assert len(folds) == FOLDS
    assert np.sum([fold.test for fold in folds], axis=0).tolist() == [1] * 24
    assert all((fold.test[::2] == fold.test[1::2]).all() for fold in folds)  # rows of one setting stay together
    assert all((fold.train == ~fold.test).all() for fold in folds)
    again = rolling_splits(mixtures(), [])
    assert [fold.test.tolist() for fold in folds] == [fold.test.tolist() for fold in again]


def test_too_few_settings_are_told():
    few = {name: column[:10] for name, column in mixtures().items()}
    with pytest.raises(InputError, match="the training rows have 5 settings: choosing a law needs 8 or more"):
        rolling_splits(few, [])
