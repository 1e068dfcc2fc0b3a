"""Scores, against scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from discover.scoring import score


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_scores_are_those_of_scikit_learn(unit):
    random = np.random.default_rng(0)
    target = unit * random.uniform(1.5, 4, 50)
    prediction = target * np.exp(0.1 * random.normal(size=50))
    found = score(prediction, target)
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(target, prediction), rel=1e-12)
    assert found.mape == pytest.approx(100 * metrics.mean_absolute_percentage_error(target, prediction), rel=1e-12)
    assert found.r2 == pytest.approx(metrics.r2_score(target, prediction), rel=1e-12)
    assert found.n_rows == 50


def test_negative_targets_have_relative_errors_too():
    target, prediction = np.array([-2.0, 1.0, -4.0]), np.array([-1.0, 1.0, -5.0])
    expected = 100 * metrics.mean_absolute_percentage_error(target, prediction)
    assert score(prediction, target).mape == pytest.approx(expected, rel=1e-12)


def test_a_law_that_is_worse_than_the_mean_has_a_negative_share_of_the_variance():
    assert score(np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0])).r2 == pytest.approx(-3.0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_prediction_that_is_not_finite_makes_every_error_infinite(value):
    found = score(np.array([1.0, value, 3.0]), np.array([1.0, 2.0, 3.0]))
    assert (found.rmse, found.mape, found.r2, found.n_rows) == (math.inf, math.inf, -math.inf, 3)


def test_a_target_that_does_not_vary_has_no_variance_to_explain():
    found = score(np.array([2.0, 2.2]), np.array([2.0, 2.0]))
    assert math.isnan(found.r2)
    assert found.rmse == pytest.approx(0.2 / math.sqrt(2))
    assert score(np.array([2.0, 2.0]), np.array([2.0, 2.0])).rmse == 0.0


def test_a_single_row_has_an_error_and_no_variance():
    found = score(np.array([2.2]), np.array([2.0]))
    assert (found.rmse, found.mape) == (pytest.approx(0.2), pytest.approx(10.0))
    assert math.isnan(found.r2)


def test_a_target_of_zero_has_no_relative_error():
    found = score(np.array([1.0, 2.5]), np.array([0.0, 2.0]))
    assert found.mape == math.inf
    assert found.rmse == pytest.approx(math.sqrt(0.625))


def test_a_target_of_zero_that_is_met_has_none_either():
    assert score(np.array([0.0, 3.0]), np.array([0.0, 2.0])).mape == pytest.approx(25.0)


def test_errors_beyond_all_numbers_are_infinite_without_a_warning():
    found = score(np.array([1e300, 2.0]), np.array([1.0, 2.0]))
    assert found.rmse == math.inf
