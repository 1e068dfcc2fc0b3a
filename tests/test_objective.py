"""What a fit minimises, against SciPy's Huber loss and against what the numbers must be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from discover.errors import InputError
from discover.fitting import Objective

RESIDUALS = np.array([0.0, 1e-9, -4e-4, 1e-3, -1e-3, 1.0001e-3, 0.5, -30.0])


@pytest.mark.parametrize("delta", [1e-6, 1e-3, 1.0, 100.0])
def test_the_huber_loss_is_scipys_summed_over_rows(delta):
    objective = Objective("log_huber", delta)
    assert objective.loss(RESIDUALS) == pytest.approx(special.huber(delta, RESIDUALS).sum(), rel=1e-14)


def test_the_squared_loss_is_half_the_sum_of_squares():
    assert Objective("squared").loss(np.array([[3.0, -4.0], [0.0, 1.0]])).tolist() == [12.5, 0.5]


@pytest.mark.parametrize("name", ["log_huber", "log_squared", "huber", "squared"])
def test_weights_turn_residuals_into_the_slope_of_the_loss(name):
    objective, step = Objective(name, 1e-3), 1e-9
    inside = RESIDUALS[np.abs(np.abs(RESIDUALS) - 1e-3) > 1e-6]  # the curvature jumps at delta
    slope = [(objective.loss(np.array([r + step])) - objective.loss(np.array([r - step]))) / (2 * step) for r in inside]
    assert inside * objective.weight(inside) == pytest.approx(slope, rel=1e-4, abs=1e-12)


def test_logarithmic_residuals_are_differences_of_natural_logarithms():
    prediction, target = np.array([2.0, 4.0]), np.array([1.0, 4.0])
    assert Objective("log_huber").residual(prediction, target).tolist() == [np.log(2.0), 0.0]
    assert Objective("huber").residual(prediction, target).tolist() == [1.0, 0.0]


def test_a_prediction_that_has_no_logarithm_makes_the_loss_infinite():
    objective = Objective("log_squared")
    for illegal in (0.0, -1.0, np.nan):
        assert objective.loss(objective.residual(np.array([illegal, 1.0]), np.array([1.0, 1.0]))) == np.inf


@pytest.mark.parametrize("name", ["huber", "squared"])
def test_a_residual_beyond_all_numbers_is_an_infinite_loss_without_a_warning(name):
    assert Objective(name).loss(np.array([1e200, 1.0])) == (np.inf if name == "squared" else pytest.approx(1e197))
    assert Objective(name).loss(np.array([np.inf, 1.0])) == np.inf


def test_the_default_is_the_fields_standard_for_losses():
    objective = Objective.suited_to(np.array([2.0, 3.0]))
    assert (objective.name, objective.delta) == ("log_huber", 1e-3)  # Hoffmann et al. 2022, approach 3
    assert str(objective) == "log_huber (delta 0.001)"


def test_targets_that_can_be_negative_are_fitted_on_the_residual_in_their_own_unit():
    target = np.array([-3.0, -1.0, 1.0, 3.0, 1000.0])  # the median is 1, and half of the rows lie within 2 of it
    for unit in (1.0, 1e-6):
        objective = Objective.suited_to(unit * target)
        assert objective.name == "huber"
        assert objective.delta == pytest.approx(2e-3 * unit, rel=1e-12)


def test_a_target_without_spread_still_has_an_objective():
    assert Objective.suited_to(np.zeros(3)).delta == 1e-3


def test_an_unknown_objective_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown objective 'log_hubert': did you mean 'log_huber'\?"):
        Objective("log_hubert")  # type: ignore[arg-type]


@pytest.mark.parametrize("delta", [0.0, -1e-3, np.nan, np.inf])
def test_delta_is_a_positive_number(delta):
    with pytest.raises(InputError, match="delta must be a positive number"):
        Objective("huber", delta)
