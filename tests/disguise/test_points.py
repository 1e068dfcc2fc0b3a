"""Points between rows keep what holds of every row."""

from __future__ import annotations

import numpy as np

from discover.disguise.points import BETWEEN, MEASURED, points

RANDOM = np.random.default_rng(4)


def test_points_are_rows_and_lie_within_the_range_of_the_data() -> None:
    columns = {"N": np.geomspace(1e6, 1e10, 30), "D": np.geomspace(1e9, 1e12, 30)[::-1]}
    made = points(columns)
    assert len(made["N"]) == 30 + BETWEEN
    for name, column in columns.items():
        assert set(column) <= set(made[name])
        assert column.min() == made[name].min()
        assert column.max() == made[name].max()
    # Between sizes that are spread evenly in the logarithm, half of the points lie below the geometric mean.
    assert 0.35 < np.mean(made["N"] < 1e8) < 0.65


def test_components_of_a_mixture_sum_to_one_and_unique_tokens_stay_below_all() -> None:
    shares = RANDOM.dirichlet(np.ones(3), 40)
    tokens = np.geomspace(1e9, 1e11, 40)
    made = points(
        {**{f"r_{k}": shares[:, k] for k in range(3)}, "D": tokens, "uD": tokens * RANDOM.uniform(0.1, 1, 40)},
        linear=["r_0", "r_1", "r_2"],
    )
    np.testing.assert_allclose(made["r_0"] + made["r_1"] + made["r_2"], 1.0, rtol=1e-12)
    assert (made["uD"] <= made["D"] * (1 + 1e-12)).all()


def test_a_category_has_no_values_in_between() -> None:
    kind = np.arange(20) % 2
    made = points({"k_a": kind, "k_b": 1 - kind, "N": np.geomspace(1, 100, 20)}, whole=["k_a", "k_b"])
    assert set(made["k_a"]) == {0.0, 1.0}
    np.testing.assert_array_equal(made["k_a"] + made["k_b"], 1.0)


def test_a_column_that_reaches_zero_is_averaged_as_it_is() -> None:
    made = points({"z": np.array([0.0, 1.0])})["z"]
    assert np.isfinite(made).all()
    assert 0.4 < np.median(made) < 0.6


def test_many_rows_are_thinned_and_points_are_the_same_each_time() -> None:
    columns = {"N": np.geomspace(1, 1e6, 5000)}
    assert len(points(columns)["N"]) == MEASURED + BETWEEN
    np.testing.assert_array_equal(points(columns)["N"], points(columns)["N"])
    assert not np.array_equal(points(columns)["N"], points(columns, seed=1)["N"])
