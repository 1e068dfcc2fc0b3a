"""Profile intervals, against those of linear regression and against fits with the constant held at the end."""

from __future__ import annotations

import numpy as np
import pytest
from generated import FLOOR, HOFFMANN, LINE, NOISY, RUNS, a_law, noise, positive
from scipy.stats import chi2, norm

from discover.errors import InputError
from discover.fitting import Objective, fit
from discover.fitting.profiles import profile
from discover.law import Constant

RANDOM = np.random.default_rng(2)
X = RANDOM.uniform(0, 10, 30)
Y = 1 - 0.7 * X + 0.3 * RANDOM.normal(size=30)
STRAIGHT = fit(LINE, {"x": X}, Y, objective=Objective("squared"))


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_intervals_of_a_straight_line_are_those_of_linear_regression(level):
    design = np.column_stack([np.ones(30), X])
    inverse = np.linalg.inv(design.T @ design)
    best = inverse @ design.T @ Y
    error = np.sqrt(np.diag(inverse) * np.sum((Y - design @ best) ** 2) / 28)
    half = norm.ppf(0.5 + level / 2) * error
    for k, one in enumerate(profile(STRAIGHT, level=level).values()):
        assert one.closed == (True, True)
        assert (one.high - one.low) / 2 == pytest.approx(half[k], rel=1e-3)
        assert (one.high + one.low) / 2 == pytest.approx(best[k], abs=1e-3 * half[k])


def test_weighted_rows_have_the_interval_of_weighted_regression():
    weights = np.where(X < 5, 4.0, 1.0)
    fitted = fit(LINE, {"x": X}, Y, objective=Objective("squared"), weights=weights)
    one = profile(fitted, ["b"])["b"]
    assert (one.high - one.low) / 2 == pytest.approx(1.96 * fitted.errors["b"], rel=1e-3)


@pytest.mark.parametrize("name", ["log_squared", "log_huber", "log_soft_l1"])
def test_the_objective_is_at_its_limit_when_the_constant_is_held_at_either_end(name):
    fitted = fit(HOFFMANN, RUNS, NOISY, objective=Objective(name, 0.01))
    for constant, one in profile(fitted).items():
        rises = [
            fit(HOFFMANN, RUNS, NOISY, objective=fitted.objective, fixed={constant: end}).loss - fitted.loss
            for end in (one.low, one.high)
        ]
        assert one.low < one.value < one.high
        assert rises[0] == pytest.approx(rises[1], rel=2e-3)
        assert rises[0] > 0
        if name == "log_squared":  # half a chi-square times the variance of the residuals
            assert rises[0] == pytest.approx(0.5 * chi2.ppf(0.95, 1) * 2 * fitted.loss / (64 - 5), rel=2e-3)


def test_a_lopsided_optimum_has_a_lopsided_interval():
    # A floor near which no row lies: it may be much lower, and hardly higher.
    size = np.geomspace(1e7, 1e9, 30)
    target = FLOOR.predict({"N": size}, {"E0": 1.0, "A": 50.0, "alpha": 0.2}) * noise(0.01, 30)
    fitted = fit(FLOOR, {"N": size}, target, objective=Objective("log_squared"))
    one = profile(fitted, ["E0"])["E0"]
    below, above = one.value - one.low, one.high - one.value
    assert below > 1.25 * above
    for end in (one.low, one.high):
        if end > 0:
            held = fit(FLOOR, {"N": size}, target, objective=fitted.objective, fixed={"E0": end})
            limit = fitted.loss * (1 + chi2.ppf(0.95, 1) / 27)
            assert held.loss == pytest.approx(limit, rel=1e-4)


def test_a_floor_that_may_be_zero_has_an_open_interval_that_ends_there():
    size = np.geomspace(1e7, 1e10, 40)
    target = FLOOR.predict({"N": size}, {"E0": 1e-6, "A": 50.0, "alpha": 0.1}) * noise(0.01, 40, 3)
    fitted = fit(FLOOR, {"N": size}, target, delta=0.01)
    one = profile(fitted, ["E0"])["E0"]
    assert (one.low, one.closed) == (0.0, (False, True))
    assert one.high > 1e-6


def test_constants_that_trade_off_have_no_ends():
    same = {"N": np.full(30, 1e8)}
    fitted = fit(FLOOR, same, 2.0 * noise(0.01, 30), objective=Objective("log_squared"))
    found = profile(fitted)
    assert fitted.status.state == "undetermined"
    assert found["A"].closed[0] is False
    assert found["A"].low == 0.0
    assert found["A"].high == np.inf
    assert found["alpha"].closed == (False, False)  # where its term vanishes, the floor alone does as well
    assert found["E0"].closed == (False, True)


def test_a_constant_that_no_row_depends_on_runs_from_zero_to_infinity():
    law = a_law("a + b*x**50", {"a": Constant(range=(0, 5)), "b": positive(1, 10)}, ("x",))
    x = np.full(20, 1e-8)  # to the fiftieth power: nothing
    fitted = fit(law, {"x": x}, 2 + 0.1 * np.random.default_rng(0).normal(size=20), objective=Objective("squared"))
    assert fitted.status.state == "undetermined"
    assert profile(fitted, ["b"])["b"].low == 0.0
    assert profile(fitted, ["b"])["b"].closed[0] is False
    one = profile(fitted, ["a"])["a"]
    assert (one.high - one.low) / 2 == pytest.approx(1.96 * fitted.errors["a"], rel=0.03)


def test_an_interval_ends_at_the_bound_of_its_constant():
    free = profile(fit(HOFFMANN, RUNS, NOISY), ["alpha"])["alpha"]
    bound = 0.5 * (free.value + free.high)
    bounded = profile(fit(HOFFMANN, RUNS, NOISY, bounds={"alpha": (None, bound)}), ["alpha"])["alpha"]
    assert (bounded.high, bounded.closed) == (bound, (True, False))
    assert bounded.low == pytest.approx(free.low, rel=1e-3)


def test_fixed_and_tied_constants_are_not_profiled_by_themselves():
    fitted = fit(HOFFMANN, RUNS, NOISY, fixed={"E0": 1.8}, tied={"beta": "alpha"})
    assert list(profile(fitted)) == ["A", "B", "alpha"]
    for name in ("E0", "beta"):
        with pytest.raises(InputError, match=f"the constant '{name}' was not fitted by itself"):
            profile(fitted, [name])


def test_a_wrong_level_or_name_is_refused():
    with pytest.raises(InputError, match=r"the level of an interval lies between 0 and 1, as 0\.95 does: not 95"):
        profile(STRAIGHT, level=95)
    with pytest.raises(InputError, match="the constant 'c' was not fitted by itself: legal are: a, b"):
        profile(STRAIGHT, ["c"])


def test_profiles_and_resamples_agree_where_the_noise_is_plain():
    from discover.fitting.bootstraps import Bootstrap, bootstrap

    fitted = fit(HOFFMANN, RUNS, NOISY, delta=0.0135)
    drawn = bootstrap(fitted, count=1000)
    assert isinstance(drawn, Bootstrap)
    for name, one in profile(fitted).items():
        low, high = drawn.interval(name)
        assert (one.high - one.low) == pytest.approx(high - low, rel=0.35)
