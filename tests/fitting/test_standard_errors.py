"""Standard errors, against the textbook and against the spread of many fits."""

from __future__ import annotations

import numpy as np
import pytest

from discover.fitting import Objective, fit
from discover.fitting.errors import Certainty, certainty
from discover.law import Constant, Law, load_law

HOFFMANN = load_law("hoffmann")
TRUTH = HOFFMANN.published[2].values
RUNS = {
    name: column.ravel()
    for name, column in zip("ND", np.meshgrid(np.geomspace(5e7, 1e10, 8), np.geomspace(1e9, 5e11, 8)), strict=True)
}
FLOOR = Law(
    "floor",
    "floor",
    "E0 + A/N**alpha",
    {"N": ""},
    {
        "E0": Constant(range=(0.1, 4), positive=True),
        "A": Constant(range=(0.1, 1e6), positive=True, log=True),
        "alpha": Constant(range=(0.05, 1.5), positive=True),
    },
)


def certainty_of(residual: np.ndarray, jacobian: np.ndarray, objective: Objective) -> Certainty:
    return certainty(residual, lambda rows: jacobian[rows], jacobian.shape[1], objective)


def noisy(law: Law, rows: dict[str, np.ndarray], values: dict[str, float], size: float, seed: int) -> np.ndarray:
    clean = law.predict(rows, values)
    return clean * np.exp(size * np.random.default_rng(seed).normal(size=len(clean)))


@pytest.mark.parametrize("name", ["squared", "log_squared"])
def test_errors_of_squared_losses_are_those_of_linear_regression_at_the_optimum(name):
    target = noisy(HOFFMANN, RUNS, TRUTH, 0.01, 0)
    fitted = fit(HOFFMANN, RUNS, target, objective=Objective(name))

    def residual(values: dict[str, float]) -> np.ndarray:
        floor, a, b, alpha, beta = values.values()
        prediction = floor + a / RUNS["N"] ** alpha + b / RUNS["D"] ** beta
        return prediction - target if name == "squared" else np.log(prediction / target)

    slopes = []
    for constant, value in fitted.values.items():
        step = 1e-5 * value
        up, down = ({**fitted.values, constant: value + sign * step} for sign in (1, -1))
        slopes.append((residual(up) - residual(down)) / (2 * step))
    jacobian = np.array(slopes).T
    rest = residual(dict(fitted.values))
    expected = np.linalg.inv(jacobian.T @ jacobian) * (rest @ rest) / (64 - 5)
    assert list(fitted.errors.values()) == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-5)
    size = np.sqrt(np.diag(expected))
    assert fitted.covariance / np.outer(size, size) == pytest.approx(expected / np.outer(size, size), abs=1e-5)


@pytest.mark.parametrize("delta", [1e-3, 0.01, 1.0], ids=["far below the noise", "at the noise", "above all"])
def test_errors_of_the_robust_loss_are_the_spread_of_fits_to_200_repetitions(delta):
    rows = {"N": np.repeat(np.geomspace(1e7, 1e10, 15), 4)}
    truth = {"E0": 1.8, "A": 480.0, "alpha": 0.35}
    found, claimed = [], []
    for seed in range(200):
        target = noisy(FLOOR, rows, truth, 0.01, seed)
        fitted = fit(FLOOR, rows, target, objective=Objective("log_huber", delta), starts=0, first=truth)
        found.append(list(fitted.values.values()))
        claimed.append(list(fitted.errors.values()))
    # The scale A is spread like a lognormal: its median error is compared with the spread of its logarithm.
    spread = np.std(found, axis=0, ddof=1)
    spread[1] = truth["A"] * np.std(np.log(found)[:, 1], ddof=1)
    assert np.median(claimed, axis=0) == pytest.approx(spread, rel=0.25)


def test_errors_of_the_robust_loss_hold_when_half_of_the_rows_are_noisier():
    size = np.repeat(np.geomspace(1e7, 1e10, 20), 4)
    law = load_law("powerlaw_one_feature").on("N")
    truth = law.published[0].values
    noise = np.where(size < 3e8, 0.05, 0.01)  # the small models scatter more, as they do
    found, claimed = [], []
    for seed in range(200):
        target = law.predict({"N": size}, truth) * np.exp(noise * np.random.default_rng(seed).normal(size=80))
        fitted = fit(law, {"N": size}, target, starts=0, first=truth)
        found.append(fitted.values["alpha"])
        claimed.append(fitted.errors["alpha"])
    assert np.median(claimed) == pytest.approx(np.std(found, ddof=1), rel=0.25)


def test_errors_do_not_depend_on_outliers_but_on_the_noise_of_the_others():
    target = noisy(HOFFMANN, RUNS, TRUTH, 0.01, 0)
    wrong = target.copy()
    wrong[[3, 41]] *= 1000
    clean, spoilt = (fit(HOFFMANN, RUNS, column).errors["E0"] for column in (target, wrong))
    assert spoilt == pytest.approx(clean, rel=0.2)


def test_the_errors_of_an_exact_fit_vanish():
    target = HOFFMANN.predict(RUNS, TRUTH)
    for objective in (Objective("log_huber"), Objective("log_squared")):
        fitted = fit(HOFFMANN, RUNS, target, objective=objective)
        assert all(fitted.errors[name] < 1e-9 * value for name, value in TRUTH.items())


def test_constants_that_trade_off_are_found_however_the_undetermined_space_is_turned():
    random = np.random.default_rng(1)
    free = random.normal(size=(30, 2))
    # Columns 0 and 1 only stand for their sum, 3 and 4 only for their difference; 2 stands alone.
    jacobian = np.column_stack([free[:, 0], free[:, 0], random.normal(size=30), free[:, 1], -free[:, 1]])
    known = certainty_of(random.normal(size=30), jacobian, Objective("squared"))
    assert known.flat == [[0, 1], [3, 4]]
    assert known.condition > 1e12
    assert np.isnan(np.diag(known.covariance)).tolist() == [True, True, False, True, True]


def test_a_term_that_all_but_vanishes_leaves_its_constant_undetermined():
    random = np.random.default_rng(2)
    jacobian = random.normal(size=(30, 2)) * [1.0, 1e-200]  # the variance of the second is beyond all numbers
    for objective in (Objective("squared"), Objective("huber", 0.1)):
        known = certainty_of(random.normal(size=30), jacobian, objective)
        assert known.flat == [[1]]
        assert np.isnan(known.covariance[1, 1])
        assert 0 < known.covariance[0, 0] < 1


def test_no_constant_has_no_covariance():
    known = certainty_of(np.ones(3), np.zeros((3, 0)), Objective())
    assert (known.covariance.shape, known.flat, known.condition) == ((0, 0), [], 1.0)


def test_derivatives_that_are_not_finite_determine_nothing():
    jacobian = np.array([[1.0, 2.0], [np.inf, 1.0], [1.0, 1.0]])
    assert np.isnan(certainty_of(np.ones(3), jacobian, Objective()).covariance).all()
