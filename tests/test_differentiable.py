"""Formulas with derivatives: those of their values, for many points at once, also where the value overflows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from typical import MIXTURES, SPANS

from discover.differentiable import Differentiable, differentiable
from discover.formula import parse
from discover.law import Law, list_laws

LAWS = {law.name: law.bind(MIXTURES) for law in list_laws()}


def points_of(law: Law, sets: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Parameters drawn as a fit draws them, and their constants, each of shape (sets, parameters)."""
    random = np.random.default_rng(seed)
    points = np.zeros((sets, len(law.parameters)))
    logs = np.array([constant.log for constant in law.parameters.values()], dtype=bool)
    for k, constant in enumerate(law.parameters.values()):
        low, high = np.log(constant.range) if constant.log else constant.range
        points[:, k] = random.uniform(low, high, sets)
    return points, np.where(logs, np.exp(np.where(logs, points, 0.0)), points)


def rows(law: Law, count: int = 15) -> list[np.ndarray]:
    """Plausible training runs, half of them with repeated tokens."""
    random = np.random.default_rng(1)
    columns = [np.exp(random.uniform(*np.log(SPANS[name]), count)) for name in law.columns]
    return columns or [np.zeros(count)]


def made(text: str, logs: Sequence[str] = (), positive: Sequence[str] = (), **constants: float) -> Differentiable:
    names = list(constants)
    parsed = parse(text, features=["N"], constants=names)
    return differentiable(parsed, ("N",), {n: n in logs for n in names}, {n: n in positive for n in names})


@pytest.mark.parametrize("name", LAWS)
def test_the_value_of_every_law_is_that_of_its_formula(name: str) -> None:
    law, columns = LAWS[name], rows(LAWS[name])
    points, constants = points_of(law, sets=6)
    formula = law.differentiable
    expected = law.compiled.predict(columns, constants)  # compiled from the formula as it stands
    value = formula.value(formula.prepare(columns), points)
    np.testing.assert_allclose(value, expected, rtol=1e-9)
    again, _ = formula.value_and_slopes(formula.prepare(columns), points)
    np.testing.assert_allclose(again, value, rtol=1e-13)


@pytest.mark.parametrize("name", LAWS)
def test_the_slopes_of_every_law_are_those_of_finite_differences(name: str) -> None:
    law, columns = LAWS[name], rows(LAWS[name])
    points, _ = points_of(law, sets=6)
    formula = law.differentiable
    parts = formula.prepare(columns)
    value, slopes = formula.value_and_slopes(parts, points)
    assert slopes.shape == (6, len(law.parameters), 15)
    for k in range(points.shape[1]):
        step = 1e-6 * np.maximum(np.abs(points[:, k]), 1e-3)
        up, down = points.copy(), points.copy()
        up[:, k] += step
        down[:, k] -= step
        slope = (formula.value(parts, up) - formula.value(parts, down)) / (2 * step[:, None])
        rounding = 3e-14 * np.abs(value) / step[:, None]  # of the difference
        np.testing.assert_array_less(np.abs(slopes[:, k] - slope), 2e-7 * np.abs(slope) + rounding + 1e-300)


@pytest.mark.parametrize("name", LAWS)
def test_many_points_at_once_give_what_each_gives_alone(name: str) -> None:
    law = LAWS[name]
    points, _ = points_of(law, sets=40)
    formula = law.differentiable
    parts = formula.prepare(rows(law))
    together, slopes = formula.value_and_slopes(parts, points)
    assert together.shape == (40, 15)
    for k in range(40):
        alone, slope = formula.value_and_slopes(parts, points[k : k + 1])
        np.testing.assert_allclose(alone[0], together[k], rtol=1e-13)
        np.testing.assert_allclose(slope[0], slopes[k], rtol=1e-10)


@pytest.mark.parametrize("name", ["hoffmann", "kaplan_nd", "farseer", "muennighoff"])
def test_the_logarithm_and_its_slopes_are_those_of_the_value(name: str) -> None:
    law = LAWS[name]
    points, _ = points_of(law, sets=6)
    formula = law.differentiable
    parts = formula.prepare(rows(law))
    value, slopes = formula.value_and_slopes(parts, points)
    usable = np.isfinite(value).all(axis=1) & (value > 0).all(axis=1)
    logs, of_logs = formula.log_value_and_slopes(parts, points)
    np.testing.assert_allclose(logs[usable], np.log(value)[usable], rtol=1e-13)
    np.testing.assert_allclose(of_logs[usable], slopes[usable] / value[usable, None, :], rtol=1e-10, atol=1e-300)


def test_a_sum_of_positive_terms_beyond_all_numbers_has_a_logarithm_and_slopes() -> None:
    # At N = 1e12 and an exponent of 40 the first term is 1e480, which no double holds.
    formula = made("A*N**alpha + E0", logs=["A"], positive=["E0"], A=1.0, alpha=1.0, E0=1.0)
    parts = formula.prepare([np.array([1.0, 1e12])])
    points = np.array([[0.0, 40.0, 2.0], [0.0, 0.5, 2.0]])
    logs, slopes = formula.log_value_and_slopes(parts, points)
    assert logs[0] == pytest.approx([np.log(3.0), 40 * np.log(1e12)])
    assert slopes[0, :, 0] == pytest.approx([1 / 3, 0, 1 / 3])
    assert slopes[0, :, 1] == pytest.approx([1, np.log(1e12), 0], abs=1e-12)
    assert logs[1] == pytest.approx(np.log([3.0, 1e6 + 2]))


def test_a_form_that_may_be_negative_has_no_logarithm_where_it_is() -> None:
    formula = made("c - N**alpha", c=1.0, alpha=1.0)
    logs, _ = formula.log_value_and_slopes(formula.prepare([np.array([1.0, 4.0])]), np.array([[3.0, 1.0]]))
    assert logs[0, 0] == pytest.approx(np.log(2))
    assert np.isnan(logs[0, 1])


def test_min_and_max_have_the_slope_of_what_they_take() -> None:
    formula = made("min(N, a) + max(N, b, 2)", a=1.0, b=1.0)
    parts = formula.prepare([np.array([1.0, 3.0, 5.0])])
    value, slopes = formula.value_and_slopes(parts, np.array([[2.0, 4.0], [9.0, 0.0]]))
    assert value.tolist() == [[1 + 4, 2 + 4, 2 + 5], [1 + 2, 3 + 3, 5 + 5]]
    assert slopes[:, 0].tolist() == [[0, 1, 1], [0, 0, 0]]
    assert slopes[:, 1].tolist() == [[1, 1, 0], [0, 0, 0]]


def test_a_root_of_a_square_has_the_slope_of_an_absolute_value() -> None:
    formula = made("N*sqrt(a**2)", a=1.0)
    value, slopes = formula.value_and_slopes(formula.prepare([np.array([3.0])]), np.array([[-2.0], [2.0]]))
    assert value.ravel().tolist() == [6, 6]
    assert slopes.ravel().tolist() == [-3, 3]


def test_a_formula_without_features_fills_its_rows() -> None:
    flat = differentiable(parse("c", constants=["c"]), (), {"c": False}, {"c": False})
    value, slopes = flat.value_and_slopes(flat.prepare([np.zeros(4)]), np.array([[2.0], [3.0]]))
    assert value.tolist() == [[2.0] * 4, [3.0] * 4]
    assert slopes.tolist() == [[[1.0] * 4]] * 2


def test_columns_of_many_problems_are_prepared_together() -> None:
    formula = made("A/N**alpha", logs=["A"], A=1.0, alpha=1.0)
    columns = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    together = formula.prepare([columns])[0]
    assert together.shape == (2, 3)
    value = formula.value([together], np.array([[0.0, 0.5], [1.0, 0.25]]))
    np.testing.assert_allclose(value, [columns[0] ** -0.5, np.e * columns[1] ** -0.25])


def test_a_power_of_a_constant_that_may_be_negative_is_nan_there_and_gives_no_warning() -> None:
    formula = made("(a - N)**b", a=1.0, b=1.0)
    value = formula.value(formula.prepare([np.array([1.0, 3.0])]), np.array([[2.0, 0.5]]))
    assert value[0, 0] == 1.0
    assert np.isnan(value[0, 1])


def test_names_that_python_or_numpy_use_are_plain_names() -> None:
    names = ("numpy", "sqrt_", "x0", "self")
    formula = made("numpy + sqrt_ + x0 + self + N", **dict.fromkeys(names, 1.0))
    assert formula.value(formula.prepare([np.array([16.0])]), np.array([[1.0, 2.0, 4.0, 8.0]]))[0, 0] == 31
