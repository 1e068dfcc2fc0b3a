"""What a fit minimises, against SciPy's Huber loss and against what the numbers must be."""

from __future__ import annotations

import numpy as np
import pytest
from generated import FLOOR, HOFFMANN, LOSSES, NOISY, RUNS, noise
from scipy import special
from scipy.optimize import least_squares

from discover.errors import InputError
from discover.fitting import Objective, fit
from discover.objective import noise_delta

RESIDUALS = np.array([0.0, 1e-9, -4e-4, 1e-3, -1e-3, 1.0001e-3, 0.5, -30.0])


@pytest.mark.parametrize("delta", [1e-6, 1e-3, 1.0, 100.0])
def test_the_huber_loss_is_scipys_summed_over_rows(delta):
    objective = Objective("log_huber", delta)
    assert objective.loss(RESIDUALS) == pytest.approx(special.huber(delta, RESIDUALS).sum(), rel=1e-14)


def test_the_squared_loss_is_half_the_sum_of_squares():
    assert Objective("squared").loss(np.array([[3.0, -4.0], [0.0, 1.0]])).tolist() == [12.5, 0.5]


@pytest.mark.parametrize("delta", [1e-3, 1.0, 100.0])
def test_the_soft_loss_is_the_pseudo_huber_loss_of_scipy(delta):
    assert Objective("soft_l1", delta).loss(RESIDUALS) == pytest.approx(
        special.pseudo_huber(delta, RESIDUALS).sum(), rel=1e-12
    )


@pytest.mark.parametrize(("name", "scipys"), [("huber", "huber"), ("soft_l1", "soft_l1"), ("squared", "linear")])
def test_losses_are_the_costs_of_scipys_least_squares(name, scipys):
    # No step is taken, so that the cost is that of the residuals themselves.
    found = least_squares(lambda point: RESIDUALS + 0 * point, [0.0], loss=scipys, f_scale=1e-3, max_nfev=1)
    assert Objective(name, 1e-3).loss(RESIDUALS) == pytest.approx(found.cost, rel=1e-12)


def test_the_absolute_loss_is_the_sum_of_absolute_values():
    assert Objective("mae").loss(np.array([[3.0, -4.0], [0.0, 1.0]])).tolist() == [7.0, 1.0]


def test_the_weight_of_a_row_multiplies_its_loss():
    residual, weight = np.array([0.5, -0.2, 2.0]), np.array([2.0, 0.0, 0.5])
    for name in ("huber", "squared", "soft_l1", "mae"):
        objective = Objective(name, 0.1)
        single = [float(objective.loss(np.array([one]))) for one in residual]
        assert objective.loss(residual, weight=weight) == pytest.approx(2 * single[0] + 0.5 * single[2], rel=1e-14)


def test_a_row_of_no_weight_may_be_without_a_finite_residual():
    assert Objective("huber", 1.0).loss(np.array([np.nan, np.inf, 1.0]), weight=np.array([0.0, 0.0, 2.0])) == 1.0


@pytest.mark.parametrize("name", ["huber", "soft_l1", "squared"])
def test_the_curvature_is_the_slope_of_the_losss_slope(name):
    objective, step = Objective(name, 0.3), 1e-6

    def psi(residual: np.ndarray) -> np.ndarray:
        return residual * objective.weight(residual)

    at = np.array([-2.0, -0.31, -0.1, 0.01, 0.29, 0.5])
    slope = (psi(at + step) - psi(at - step)) / (2 * step)
    assert objective.curvature(at) == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["log_huber", "log_squared", "huber", "squared", "log_soft_l1", "mae"])
def test_weights_turn_residuals_into_the_slope_of_the_loss(name):
    objective, step = Objective(name, 1e-3), 1e-9
    # The curvature jumps at delta, and the slope of absolute values at zero.
    inside = RESIDUALS[
        (np.abs(np.abs(RESIDUALS) - 1e-3) > 1e-6) & (np.abs(RESIDUALS) > (2e-9 if name == "mae" else -1))
    ]
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


@pytest.mark.parametrize("outliers", [0.0, 0.05])
@pytest.mark.parametrize("sigma", [0.003, 0.03])
def test_the_delta_of_the_noise_is_1_345_standard_deviations_also_with_outliers(sigma, outliers):
    # A median absolute deviation of 400 rows has an error of 6 %, and one row in twenty far out raises it by 7 %.
    size = np.repeat(np.geomspace(1e7, 1e10, 40), 10)
    target = FLOOR.predict({"N": size}, {"E0": 1.8, "A": 480.0, "alpha": 0.35}) * noise(sigma, 400)
    random = np.random.default_rng(1)
    target = np.where(random.random(400) < outliers, target * random.choice([0.3, 3.0], 400), target)
    fitted = fit(FLOOR, {"N": size}, target, delta="noise")
    assert fitted.objective.delta == pytest.approx(1.345 * sigma, rel=0.2)


def test_the_delta_of_the_noise_allows_for_the_constants_that_were_fitted():
    # Two rows a constant: residuals are smaller than the noise by a factor of about the root of a half.
    random = np.random.default_rng(0)
    found = []
    for _ in range(300):
        slopes = random.normal(size=(40, 20))
        right = random.normal(size=40)
        found.append(
            noise_delta(right - slopes @ np.linalg.lstsq(slopes, right, rcond=None)[0], 20, Objective("squared"))
        )
    raw = np.mean(found)
    assert raw == pytest.approx(1.345, rel=0.05)
    rows = FLOOR.predict({"N": RUNS["N"][:8]}, {"E0": 1.8, "A": 480.0, "alpha": 0.35})
    deltas = [
        fit(FLOOR, {"N": RUNS["N"][:8]}, rows * noise(0.01, 8, k), delta="noise", starts=8).objective.delta
        for k in range(40)
    ]
    assert 0.5 * 0.01345 < np.median(deltas) < 2 * 0.01345


def test_rows_of_no_weight_say_nothing_about_the_noise():
    target = np.concatenate([NOISY, np.full(20, 50.0)])
    rows = {name: np.concatenate([column, np.full(20, 1e9)]) for name, column in RUNS.items()}
    weighted = fit(HOFFMANN, rows, target, delta="noise", weights=np.repeat([1.0, 0.0], [64, 20]), starts=8)
    assert weighted.objective.delta == fit(HOFFMANN, RUNS, NOISY, delta="noise", starts=8).objective.delta


@pytest.mark.parametrize("delta", ["noise", 0.02])
@pytest.mark.parametrize("name", ["squared", "log_mae"])
def test_an_objective_without_a_delta_takes_none(name, delta):
    with pytest.raises(InputError, match="has no delta: leave it out, or use a huber or soft_l1"):
        fit(HOFFMANN, RUNS, NOISY, objective=name, delta=delta)


def test_an_exact_fit_keeps_a_delta_that_is_legal():
    fitted = fit(HOFFMANN, RUNS, LOSSES, delta="noise")
    assert fitted.objective.delta > 0
    assert fitted.loss < 1e-12


def test_delta_may_be_given_with_the_default_objective():
    assert fit(HOFFMANN, RUNS, NOISY, delta=0.02, starts=8).objective == Objective("log_huber", 0.02)
    with pytest.raises(InputError, match="delta must be a positive number or 'noise', not 'nois'"):
        fit(HOFFMANN, RUNS, NOISY, delta="nois")
