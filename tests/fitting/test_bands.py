"""Prediction bands, against the textbook's and against how often they hold."""

from __future__ import annotations

import numpy as np
import pytest
from generated import FLOOR, HOFFMANN, LINE, NOISY, RUNS, TRUTH, noise
from scipy.stats import norm

from discover.errors import InputError
from discover.fitting import Objective, fit
from discover.fitting.bands import band
from discover.fitting.bootstraps import Bootstrap, bootstrap
from discover.law import load_law

RANDOM = np.random.default_rng(4)
X = RANDOM.uniform(0, 10, 60)
Y = 1 - 0.7 * X + 0.3 * RANDOM.normal(size=60)
STRAIGHT = fit(LINE, {"x": X}, Y, objective=Objective("squared"))
AT = np.array([-5.0, 0.0, 5.0, 12.0])


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_the_band_of_a_straight_line_is_the_textbooks(level):
    found = band(STRAIGHT, {"x": AT}, level=level)
    slope, intercept = np.polyfit(X, Y, 1)
    variance = np.sum((Y - intercept - slope * X) ** 2) / 58
    spread = 1 / 60 + (AT - X.mean()) ** 2 / np.sum((X - X.mean()) ** 2)
    half = norm.ppf(0.5 + level / 2) * np.sqrt(variance * spread)
    assert found.prediction == pytest.approx(intercept + slope * AT, rel=1e-8)
    assert found.high - found.prediction == pytest.approx(half, rel=1e-6)
    assert found.prediction - found.low == pytest.approx(half, rel=1e-6)


def test_the_band_of_resamples_is_near_that_of_the_covariance():
    drawn = bootstrap(STRAIGHT, count=2000)
    assert isinstance(drawn, Bootstrap)
    one, other = band(STRAIGHT, {"x": AT}), band(STRAIGHT, {"x": AT}, resamples=drawn)
    assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.2)
    assert other.prediction == pytest.approx(one.prediction)


def test_a_band_under_a_logarithm_is_one_of_factors():
    fitted = fit(HOFFMANN, RUNS, NOISY, delta=0.01)
    at = {"N": np.array([1e9, 1e12]), "D": np.array([1e10, 1e13])}
    found = band(fitted, at)
    assert found.high / found.prediction == pytest.approx(found.prediction / found.low, rel=1e-10)
    assert (found.low > 0).all()
    inside, outside = np.log(found.high / found.low)
    assert outside > 3 * inside  # far beyond the runs the constants matter more


def test_the_delta_method_has_the_slopes_of_finite_differences():
    fitted = fit(HOFFMANN, RUNS, NOISY, delta=0.01)
    at = {"N": np.array([3e11]), "D": np.array([2e12])}
    slopes = []
    for name, value in fitted.values.items():
        up, down = (HOFFMANN.predict(at, {**fitted.values, name: value * (1 + step)}) for step in (1e-5, -1e-5))
        slopes.append(float(np.log(up / down)[0]) / (2e-5 * value))
    error = np.sqrt(np.array(slopes) @ fitted.covariance @ slopes)
    found = band(fitted, at, level=0.9)
    assert np.log(found.high / found.prediction)[0] == pytest.approx(norm.ppf(0.95) * error, rel=1e-4)


@pytest.mark.parametrize("resampled", [False, True], ids=["covariance", "resamples"])
def test_bands_of_runs_hold_new_runs_as_often_as_they_say(resampled):
    truth = {"E0": 1.8, "A": 480.0, "alpha": 0.35}
    rows = {"N": np.repeat(np.geomspace(1e7, 1e10, 15), 4)}
    new = {"N": np.geomspace(1e8, 1e11, 20)}
    inside, total = 0, 0
    for seed in range(40):
        target = FLOOR.predict(rows, truth) * noise(0.01, 60, seed)
        fitted = fit(FLOOR, rows, target, delta=0.0135, starts=0, first=truth)
        drawn = bootstrap(fitted, count=400, seed=seed) if resampled else None
        assert drawn is None or isinstance(drawn, Bootstrap)
        found = band(fitted, new, level=0.8, of_runs=True, resamples=drawn)
        runs = FLOOR.predict(new, truth) * noise(0.01, 20, 1000 + seed)
        inside += int(np.sum((runs > found.low) & (runs < found.high)))
        total += 20
    # 800 runs, those of one repetition not independent: an error of two or three percent.
    assert inside / total == pytest.approx(0.8, abs=0.06)


def test_bands_of_the_law_hold_the_law_and_not_the_runs():
    fitted = fit(HOFFMANN, RUNS, NOISY, delta=0.01)
    found = band(fitted, RUNS)
    truth = HOFFMANN.predict(RUNS, TRUTH)
    assert np.mean((truth > found.low) & (truth < found.high)) > 0.6  # one draw, whose rows go together
    assert np.mean((found.low < NOISY) & (found.high > NOISY)) < 0.6
    wide = band(fitted, RUNS, of_runs=True)
    assert np.mean((wide.low < NOISY) & (wide.high > NOISY)) > 0.85


def test_an_undetermined_constant_has_no_say_where_it_does_not_matter():
    law = load_law("muennighoff")
    rows = {**RUNS, "uD": RUNS["D"]}  # never repeated: nothing is known of repetition
    fitted = fit(law, rows, law.predict(rows, law.published[0].values) * noise(0.01, 64), delta=0.01)
    assert np.isnan(fitted.errors["R_D_star"])
    once = band(fitted, {"N": np.array([1e9]), "D": np.array([2e10]), "uD": np.array([2e10])})
    again = band(fitted, {"N": np.array([1e9]), "D": np.array([2e10]), "uD": np.array([1e9])})
    assert np.isfinite([once.low, once.high]).all()
    assert np.isnan([again.low, again.high]).all()
    assert np.isfinite(again.prediction).all()


def test_a_law_with_fixed_and_tied_constants_has_a_band():
    fitted = fit(HOFFMANN, RUNS, NOISY, fixed={"E0": 1.8}, tied={"beta": "alpha"})
    found = band(fitted, RUNS)
    assert (found.low < found.prediction).all()
    everything = fit(HOFFMANN, RUNS, NOISY, fixed=TRUTH)
    still = band(everything, RUNS)
    assert still.low == pytest.approx(still.high, rel=1e-12)


def test_a_wrong_level_is_refused():
    with pytest.raises(InputError, match="the level of an interval lies between 0 and 1"):
        band(STRAIGHT, {"x": AT}, level=1.0)
