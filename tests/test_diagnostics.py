"""What a fit's reader looks at after the constants."""

from __future__ import annotations

import numpy as np
import pytest
from generated import HOFFMANN, LINE, LOSSES, NOISY, RUNS

from discover.diagnostics import correlations, residuals, worst_rows
from discover.fitting import Objective, fit


def test_correlations_are_those_of_the_covariance():
    # The intercept of a line far from its points is known by its slope: r = -mean(x) / root(mean(x**2)).
    x = np.linspace(20, 30, 25)
    y = 1 + 0.5 * x + 0.1 * np.random.default_rng(0).normal(size=25)
    (pair,) = correlations(fit(LINE, {"x": x}, y, objective=Objective("squared")))
    assert (pair.one, pair.other) == ("a", "b")
    assert pair.value == pytest.approx(-x.mean() / np.sqrt(np.mean(x**2)), rel=1e-8)
    centred = fit(LINE, {"x": x - x.mean()}, y, objective=Objective("squared"))
    assert correlations(centred) == []
    assert correlations(centred, above=-1)[0].value == pytest.approx(0, abs=1e-8)


def test_the_strongest_correlation_comes_first():
    found = correlations(fit(HOFFMANN, RUNS, NOISY, delta=0.01), above=0.1)
    sizes = [abs(pair.value) for pair in found]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size <= 1 + 1e-12 for size in sizes)
    assert {found[0].one, found[0].other} in ({"A", "alpha"}, {"B", "beta"})


def test_constants_that_are_not_determined_have_no_correlation():
    rows = {"N": RUNS["N"], "D": np.full(64, 1e10)}
    fitted = fit(HOFFMANN, rows, HOFFMANN.predict(rows, HOFFMANN.published[2].values))
    named = {name for pair in correlations(fitted, above=0) for name in (pair.one, pair.other)}
    assert named == {"A", "alpha"}


def test_fixed_and_tied_constants_have_none_either():
    fitted = fit(HOFFMANN, RUNS, NOISY, delta=0.01, fixed={"E0": 1.8}, tied={"beta": "alpha"})
    named = {name for pair in correlations(fitted, above=0) for name in (pair.one, pair.other)}
    assert named == {"A", "B", "alpha"}


def test_residuals_are_described_in_the_unit_of_the_objective():
    wrong = NOISY.copy()
    wrong[[5, 17]] *= [1.5, 0.7]
    fitted = fit(HOFFMANN, RUNS, wrong)
    found = residuals(fitted)
    own = np.log(fitted.predict(RUNS) / wrong)
    assert found.logarithmic
    assert found.median == pytest.approx(np.median(own))
    assert found.deviation == pytest.approx(np.sqrt(np.mean(own**2)))
    assert found.largest == pytest.approx(np.abs(own).max())
    assert found.spread == pytest.approx(0.01, rel=0.3)  # the noise, whatever the outliers
    assert found.deviation > 3 * found.spread
    assert found.outliers == 2
    plain = residuals(fit(HOFFMANN, RUNS, wrong, objective=Objective("huber")))
    assert not plain.logarithmic
    assert plain.spread == pytest.approx(0.01 * 2.5, rel=0.5)


def test_the_worst_rows_are_those_that_were_spoilt():
    wrong = NOISY.copy()
    wrong[5] *= 1.5
    wrong[17] *= 0.5
    first, second, third = worst_rows(fit(HOFFMANN, RUNS, wrong), 3)
    assert (first.row, second.row) == (17, 5)
    assert first.spreads > 20
    assert second.spreads < -20
    assert abs(third.spreads) < 5
    assert first.target == wrong[17]
    assert first.prediction == pytest.approx(LOSSES[17], rel=0.03)
    assert first.features == {"N": RUNS["N"][17], "D": RUNS["D"][17]}


def test_more_rows_than_there_are_are_all_rows():
    assert len(worst_rows(fit(HOFFMANN, RUNS, NOISY), 100)) == 64


def test_an_exact_fit_has_no_outliers():
    fitted = fit(HOFFMANN, RUNS, np.full(64, 2.0), fixed={"E0": 2.0, "A": 0.0, "B": 0.0})
    found = residuals(fitted)
    assert (found.spread, found.outliers, found.largest) == (0.0, 0, 0.0)
    assert worst_rows(fitted, 1)[0].spreads == 0.0
