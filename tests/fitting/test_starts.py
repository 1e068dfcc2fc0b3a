"""Where fits start: spread over the ranges, with the linear constants solved for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from discover.fitting import Objective, starts
from discover.fitting.equations import LawEquations
from discover.fitting.rows import Rows
from discover.fitting.space import space_of
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


def solved(target: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Constants of HOFFMANN after its linear ones were solved for."""
    space = space_of(HOFFMANN)
    equations = LawEquations(HOFFMANN, Rows([N, D], target), Objective(), space)
    linear = [space.free.index(name) for name in ("E0", "A", "B")]
    found = starts.solve_linear(equations, space.points(points), np.zeros(len(points), dtype=int), linear)
    return space.constants(found)


def test_linear_constants_are_exact_where_the_others_are():
    points = np.array([[1.0, 1.0, 1.0, TRUTH["alpha"], TRUTH["beta"]]])
    found = solved(HOFFMANN.predict({"N": N, "D": D}, TRUTH), points)
    assert found[0] == pytest.approx(list(TRUTH.values()), rel=1e-6)


def test_a_linear_constant_that_would_be_negative_stays_at_zero_and_the_others_make_the_best_of_it():
    # The best floor under these losses is negative, and E0 must be positive.
    points = np.array([[1.0, 1.0, 1.0, TRUTH["alpha"], TRUTH["beta"]]])
    target = HOFFMANN.predict({"N": N, "D": D}, {**TRUTH, "E0": 0.0}) * 1.3 - 0.2
    found = solved(target, points)[0]
    basis = np.column_stack([N ** -TRUTH["alpha"], D ** -TRUTH["beta"]]) / target[:, None]
    expected, _ = optimize.nnls(basis, np.ones(len(target)))
    assert found[0] == 0
    assert found[1:3] == pytest.approx(expected, rel=1e-6)


def test_a_term_that_the_rows_do_not_want_stays_small_and_positive():
    # A logarithm cannot be that of zero: such a term begins as a hundredth of the target.
    points = np.array([[1.0, 1.0, 1.0, TRUTH["alpha"], 0.05]])
    target = 2 + 400 / N ** TRUTH["alpha"] + 0.3 * np.log10(D / 1e9)
    found = solved(target, points)[0]
    term = found[2] / D**0.05 / target
    assert 0.005 < np.sqrt(np.mean(term**2)) < 0.02


def test_points_that_overflow_stay_as_they_were_drawn():
    points = np.array([[1.0, 1.0, 1.0, -60.0, TRUTH["beta"]], [1.0, 1.0, 1.0, 0.3, 0.3]])
    found = solved(HOFFMANN.predict({"N": N, "D": D}, TRUTH), points)
    assert found[0] == pytest.approx(points[0])
    assert not np.allclose(found[1], points[1])
