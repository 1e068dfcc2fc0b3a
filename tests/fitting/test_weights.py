"""Weights of rows: as if a row were there more often, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from generated import FLOOR, HOFFMANN, LINE, NOISY, RUNS, noise

from discover.errors import FitError, InputError
from discover.fitting import Objective, fit, fit_groups

TWICE = np.where(np.arange(64) % 3 == 0, 2.0, 1.0)
AGAIN = np.repeat(np.arange(64), TWICE.astype(int))


@pytest.mark.parametrize("name", ["log_huber", "log_squared", "log_soft_l1", "huber", "squared"])
def test_a_weight_of_two_is_the_row_twice(name):
    objective = Objective(name, 5e-3)
    weighted = fit(HOFFMANN, RUNS, NOISY, objective=objective, weights=TWICE)
    twice = fit(HOFFMANN, {key: column[AGAIN] for key, column in RUNS.items()}, NOISY[AGAIN], objective=objective)
    assert weighted.loss == pytest.approx(twice.loss, rel=1e-10)
    assert weighted.values == pytest.approx(dict(twice.values), rel=1e-6)


@pytest.mark.parametrize("name", ["squared", "log_huber", "log_soft_l1", "log_squared"])
def test_a_row_of_no_weight_is_not_there(name):
    weights = np.where(np.arange(64) % 4 == 0, 0.0, 1.0)
    some = weights > 0
    objective = Objective(name, 5e-3)
    spoilt = np.where(some, NOISY, 50.0)
    weighted = fit(HOFFMANN, RUNS, spoilt, objective=objective, weights=weights)
    alone = fit(HOFFMANN, {key: column[some] for key, column in RUNS.items()}, NOISY[some], objective=objective)
    assert weighted.n_rows == alone.n_rows == 48
    assert weighted.loss == pytest.approx(alone.loss, rel=1e-10)
    assert weighted.values == pytest.approx(dict(alone.values), rel=1e-6)
    assert weighted.errors == pytest.approx(dict(alone.errors), rel=1e-5)


def test_a_row_of_no_weight_may_have_a_target_that_no_logarithm_has():
    weights = np.where(np.arange(64) < 60, 1.0, 0.0)
    wrong = np.where(weights > 0, NOISY, -1.0)
    weighted = fit(HOFFMANN, RUNS, wrong, weights=weights)
    alone = fit(HOFFMANN, {key: column[:60] for key, column in RUNS.items()}, NOISY[:60])
    assert weighted.objective == alone.objective
    assert weighted.values == pytest.approx(dict(alone.values), rel=1e-6)
    assert weighted.errors == pytest.approx(dict(alone.errors), rel=1e-4)


def test_a_weighted_straight_line_has_the_constants_and_errors_of_the_textbook():
    random = np.random.default_rng(5)
    x, weights = random.uniform(0, 10, 40), random.uniform(0.2, 5, 40)
    y = 1 - 0.7 * x + random.normal(size=40) / np.sqrt(weights)
    fitted = fit(LINE, {"x": x}, y, objective=Objective("squared"), weights=weights)
    design = np.column_stack([np.ones(40), x])
    inverse = np.linalg.inv(design.T @ (weights[:, None] * design))
    found = inverse @ design.T @ (weights * y)
    variance = np.sum(weights * (y - design @ found) ** 2) / (40 - 2)
    assert list(fitted.values.values()) == pytest.approx(found, rel=1e-9)
    assert fitted.covariance == pytest.approx(variance * inverse, rel=1e-7)
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights))
    assert list(fitted.values.values()) == pytest.approx([intercept, slope], rel=1e-9)


@pytest.mark.parametrize("name", ["log_huber", "log_squared"])
def test_only_the_ratios_of_weights_matter_to_constants_and_errors(name):
    objective = Objective(name, 5e-3)
    one, other = (fit(HOFFMANN, RUNS, NOISY, objective=objective, weights=k * TWICE) for k in (1.0, 1e6))
    assert other.values == pytest.approx(dict(one.values), rel=1e-6)
    assert other.errors == pytest.approx(dict(one.errors), rel=1e-5)
    assert other.loss == pytest.approx(1e6 * one.loss, rel=1e-8)


def test_rows_that_weigh_more_are_met_better():
    size = np.geomspace(1e7, 1e10, 40)
    target = np.where(size < 1e9, 5 * size**-0.05, 5 * size**-0.07)  # no one power law
    heavy = np.where(size < 1e9, 1.0, 1e9)
    power = fit(FLOOR, {"N": size}, target, objective=Objective("log_squared"), fixed={"E0": 0.0}, weights=heavy)
    assert power.values["alpha"] == pytest.approx(0.07, abs=1e-4)


def test_rows_with_weights_may_be_in_groups():
    groups = np.repeat(np.array(["one", "other"], dtype=object), 64)
    rows = {key: np.tile(column, 2) for key, column in RUNS.items()}
    target = np.concatenate([NOISY, NOISY * noise(0.02, 64, 1)])
    weights = np.tile(TWICE, 2)
    grouped = fit_groups(HOFFMANN, rows, target, groups, weights=weights)
    alone = fit(HOFFMANN, RUNS, NOISY, weights=TWICE)
    assert grouped.parts["one"].values == pytest.approx(dict(alone.values), rel=1e-6)


@pytest.mark.parametrize(
    "weights", [np.ones(63), -np.ones(64), np.full(64, np.nan), np.full(64, np.inf)], ids=["few", "minus", "nan", "inf"]
)
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(InputError, match="weights must be 64 finite numbers that are zero or more, one for each row"):
        fit(HOFFMANN, RUNS, NOISY, weights=weights)


def test_rows_that_all_weigh_nothing_are_no_rows():
    with pytest.raises(FitError, match="all weights are zero"):
        fit(HOFFMANN, RUNS, NOISY, weights=np.zeros(64))
    with pytest.raises(FitError, match="5 free constants and there are only 4 rows"):
        fit(HOFFMANN, RUNS, NOISY, weights=np.where(np.arange(64) < 4, 1.0, 0.0))
