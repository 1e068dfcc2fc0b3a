"""Quantities that follow from constants, with errors by the delta method."""

from __future__ import annotations

import numpy as np
import pytest
from generated import HOFFMANN, NOISY, RUNS, TRUTH

from discover.errors import InputError
from discover.fitting import fit
from discover.fitting.derived import derived, values_of

ORDER = list(HOFFMANN.parameters)
COVARIANCE = np.diag([0.03, 120.0, 1200.0, 0.015, 0.02]) ** 2
COVARIANCE[3, 4] = COVARIANCE[4, 3] = -0.4 * 0.015 * 0.02


def test_the_exponent_of_allocation_has_the_error_of_the_textbook():
    found = derived(HOFFMANN, "beta/(alpha + beta)", TRUTH, COVARIANCE)
    alpha, beta = TRUTH["alpha"], TRUTH["beta"]
    by_alpha, by_beta = -beta / (alpha + beta) ** 2, alpha / (alpha + beta) ** 2
    variance = (by_alpha * 0.015) ** 2 + (by_beta * 0.02) ** 2 - 2 * 0.4 * 0.015 * 0.02 * by_alpha * by_beta
    assert found.value == pytest.approx(beta / (alpha + beta), rel=1e-12)
    assert found.error == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_a_linear_quantity_has_an_exact_error():
    found = derived(HOFFMANN, "2*alpha - beta", TRUTH, COVARIANCE)
    assert found.error == pytest.approx(np.sqrt(np.array([2, -1]) @ COVARIANCE[3:, 3:] @ [2, -1]), rel=1e-12)
    assert derived(HOFFMANN, "E0", TRUTH, COVARIANCE).error == pytest.approx(0.03)


def test_a_number_has_no_error():
    found = derived(HOFFMANN, "6", TRUTH, COVARIANCE)
    assert (found.value, found.error) == (6.0, 0.0)


def test_the_error_is_the_spread_of_normal_constants():
    text = "(alpha*A/(beta*B))**(1/(alpha + beta))"
    found = derived(HOFFMANN, text, TRUTH, 1e-4 * COVARIANCE)  # small, so that the quantity is straight
    drawn = np.random.default_rng(0).multivariate_normal([TRUTH[name] for name in ORDER], 1e-4 * COVARIANCE, 20_000)
    assert found.error == pytest.approx(np.std(values_of(HOFFMANN, text, drawn)), rel=0.03)


def test_values_at_sets_of_constants_are_those_at_each():
    sets = np.array([[1.8, 400.0, 2000.0, 0.34, 0.28], [1.7, 500.0, 3000.0, 0.3, 0.4]])
    assert values_of(HOFFMANN, "beta/(alpha + beta)", sets) == pytest.approx([0.28 / 0.62, 0.4 / 0.7], rel=1e-12)


def test_constants_that_are_not_determined_leave_the_quantity_without_error():
    unknown = COVARIANCE.copy()
    unknown[4, 4] = np.nan
    assert np.isnan(derived(HOFFMANN, "beta/(alpha + beta)", TRUTH, unknown).error)
    assert np.isfinite(derived(HOFFMANN, "alpha + E0", TRUTH, unknown).error)


def test_tied_constants_go_together():
    fitted = fit(HOFFMANN, RUNS, NOISY, tied={"beta": "alpha"})
    found = derived(HOFFMANN, "beta/(alpha + beta)", fitted.values, fitted.covariance)
    assert found.value == pytest.approx(0.5, rel=1e-15)
    assert found.error == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("text", ["log(E0 - 5)", "sqrt(-alpha)", "1/(alpha - 0.3478)"])
def test_a_quantity_that_is_no_number_at_the_fit_is_refused(text):
    with pytest.raises(InputError, match="has no finite real value at the constants of the fit"):
        derived(HOFFMANN, text, TRUTH, COVARIANCE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gamma/2", r"'gamma/2' is no formula over the constants of law 'hoffmann' \(E0, A, B, alpha, beta\)"),
        ("alpha +", "'alpha \\+' is no formula"),
        ("N*alpha", "is no formula over the constants"),
    ],
)
def test_what_is_no_formula_over_the_constants_is_named(text, message):
    with pytest.raises(InputError, match=message):
        derived(HOFFMANN, text, TRUTH, COVARIANCE)
    with pytest.raises(InputError, match=message):
        values_of(HOFFMANN, text, np.ones((1, 5)))
