"""Which values of a feature are one size."""

from __future__ import annotations

import numpy as np
import pytest

from discover.sizes import size_ranks


def test_ranks_count_sizes_from_the_smallest():
    assert size_ranks(np.array([3e9, 1e8, 1e9, 1e8])).tolist() == [2, 0, 1, 0]


def test_sizes_within_a_percent_are_one():
    assert size_ranks(np.array([1e8, 1.0099e8, 1.03e8])).tolist() == [0, 0, 1]
    assert size_ranks(np.array([1e8, 1.0101e8])).tolist() == [0, 1]


def test_a_chain_of_near_sizes_is_one_size():
    values = 1e8 * 1.009 ** np.arange(10)  # its ends are 8 % apart
    assert set(size_ranks(values).tolist()) == {0}


def test_the_tolerance_is_relative_in_every_unit():
    values = np.array([1.0, 1.04, 2.0])
    for unit in (1e-12, 1.0, 1e12):
        assert size_ranks(unit * values, 0.05).tolist() == [0, 0, 1]
        assert size_ranks(unit * values, 0.03).tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(seed):
    random = np.random.default_rng(seed)
    values = np.repeat([1e7, 3e7, 1e8], 5) * random.uniform(0.998, 1.002, 15)
    order = random.permutation(15)
    assert size_ranks(values[order]).tolist() == size_ranks(values)[order].tolist()
    assert size_ranks(values).tolist() == np.repeat([0, 1, 2], 5).tolist()


def test_one_row_is_one_size():
    assert size_ranks(np.array([5.0])).tolist() == [0]
