"""Where fits start: spread over the ranges, with the linear constants solved for."""

from __future__ import annotations

import numpy as np
import pytest

from discover.fitting import starts
from discover.law import Law, load_law

HOFFMANN = load_law("hoffmann")
TRUTH = HOFFMANN.published[2].values
N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(5e7, 1e10, 6), np.geomspace(1e9, 5e11, 6)))


def test_points_fill_the_box_evenly_and_the_same_way_for_the_same_seed():
    low, high = np.array([0.0, -3.0]), np.array([1.0, 5.0])
    points = starts.draw(low, high, 256, seed=1)
    assert points.shape == (256, 2)
    # A Sobol sequence of 256 puts exactly 64 points into each quarter of each axis; random ones would not.
    for k in range(2):
        counts, _ = np.histogram(points[:, k], bins=4, range=(low[k], high[k]))
        assert counts.tolist() == [64, 64, 64, 64]
    assert np.array_equal(points, starts.draw(low, high, 256, seed=1))
    assert not np.array_equal(points, starts.draw(low, high, 256, seed=2))


def test_a_count_that_is_no_power_of_two_is_kept():
    assert starts.draw(np.zeros(3), np.ones(3), 100, seed=0).shape == (100, 3)


@pytest.mark.parametrize(
    ("name", "linear"),
    [
        ("hoffmann", ["E0", "A", "B"]),
        ("kaplan_nd", []),
        ("moe_powerlaw_floor", ["E0", "K"]),
        ("constant", ["c"]),
    ],
)
def test_the_constants_in_which_a_law_is_linear_are_found(name, linear):
    law = load_law(name)
    assert starts.linear_constants(law, list(law.constants)) == linear


def test_constants_that_multiply_each_other_are_not_linear_together():
    constants = HOFFMANN.constants
    law = Law("product", "", "A*(E0 + 1/N**alpha)", {"N": ""}, {n: constants[n] for n in ("A", "E0", "alpha")})
    assert starts.linear_constants(law, ["A", "E0", "alpha"]) == ["A"]
    assert starts.linear_constants(law, ["E0", "alpha"]) == ["E0"]


def test_linear_constants_are_exact_where_the_others_are():
    points = np.array([[1.0, 1.0, 1.0, TRUTH["alpha"], TRUTH["beta"]]])
    solved = starts.solve_linear(HOFFMANN, [N, D], HOFFMANN.predict({"N": N, "D": D}, TRUTH), points, ["E0", "A", "B"])
    assert solved[0] == pytest.approx(list(TRUTH.values()), rel=1e-6)


def test_linear_values_that_are_not_legal_are_not_taken():
    # The best floor under a loss that tends to -1 is negative, and E0 must be positive.
    points = np.array([[1.0, 1.0, 1.0, TRUTH["alpha"], TRUTH["beta"]]])
    target = HOFFMANN.predict({"N": N, "D": D}, {**TRUTH, "E0": -1.0})
    assert np.array_equal(starts.solve_linear(HOFFMANN, [N, D], target, points, ["E0", "A", "B"]), points)


def test_the_points_with_the_smallest_residuals_are_kept_and_those_that_are_not_finite_come_last():
    residuals = np.array([[3.0, 0.0], [np.nan, 0.0], [0.5, -0.5], [-2.0, 0.0], [np.inf, 0.0]])
    assert np.argsort(starts.size(residuals), kind="stable")[:3].tolist() == [2, 3, 0]
