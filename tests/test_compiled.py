"""Compiled formulas: their derivatives are those of their values, for many sets of constants at once."""

from __future__ import annotations

import numpy as np
import pytest
from typical import MIXTURES, SPANS

from discover.compiled import compile_formula
from discover.formula import parse
from discover.law import Law, list_laws

LAWS = {law.name: law.bind(MIXTURES) for law in list_laws()}


def starts(law: Law, sets: int, seed: int = 0) -> np.ndarray:
    """Constants drawn as a fit draws them: evenly in each range, or evenly in its logarithm."""
    random = np.random.default_rng(seed)
    columns = []
    for constant in law.parameters.values():
        low, high = np.log(constant.range) if constant.log else constant.range
        drawn = random.uniform(low, high, sets)
        columns.append(np.exp(drawn) if constant.log else drawn)
    return np.column_stack(columns)


def rows(law: Law, count: int = 15) -> list[np.ndarray]:
    """Plausible training runs, half of them with repeated tokens."""
    random = np.random.default_rng(1)
    columns = [np.exp(random.uniform(*np.log(SPANS[name]), count)) for name in law.columns]
    return columns or [np.zeros(count)]


@pytest.mark.parametrize("name", LAWS)
def test_the_jacobian_of_every_law_is_the_slope_of_its_value(name: str) -> None:
    law, columns = LAWS[name], rows(LAWS[name])
    constants = starts(law, sets=6)
    value, jacobian = law.compiled.predict_with_jacobian(columns, constants)
    np.testing.assert_allclose(value, law.compiled.predict(columns, constants), rtol=1e-13)
    assert jacobian.shape == (6, 15, len(law.parameters))
    for k, constant in enumerate(law.parameters.values()):
        smallest = 0.0 if constant.log else 1e-3  # a constant drawn in its logarithm may be tiny, and matter
        step = 1e-6 * np.maximum(np.abs(constants[:, k]), smallest)
        up, down = constants.copy(), constants.copy()
        up[:, k] += step
        down[:, k] -= step
        slope = (law.compiled.predict(columns, up) - law.compiled.predict(columns, down)) / (2 * step[:, None])
        rounding = 1e-15 * np.abs(value) / step[:, None]  # of the difference
        np.testing.assert_array_less(np.abs(jacobian[..., k] - slope), 2e-7 * np.abs(slope) + 10 * rounding + 1e-300)


@pytest.mark.parametrize("name", LAWS)
def test_many_sets_of_constants_at_once_give_what_each_gives_alone(name: str) -> None:
    law, columns = LAWS[name], rows(LAWS[name])
    constants = starts(law, sets=40)
    together, slopes = law.compiled.predict_with_jacobian(columns, constants)
    assert together.shape == (40, 15)
    for k in range(40):
        alone, slope = law.compiled.predict_with_jacobian(columns, constants[k : k + 1])
        np.testing.assert_allclose(alone[0], together[k], rtol=1e-13)
        np.testing.assert_allclose(slope[0], slopes[k], rtol=1e-10)


def test_min_and_max_compare_rows_with_constants() -> None:
    compiled = compile_formula(parse("min(N, a) + max(N, b, 2)", features=["N"]), ("N",), ("a", "b"))
    value, jacobian = compiled.predict_with_jacobian([np.array([1.0, 3.0, 5.0])], np.array([[2.0, 4.0], [9.0, 0.0]]))
    assert value.tolist() == [[1 + 4, 2 + 4, 2 + 5], [1 + 2, 3 + 3, 5 + 5]]
    assert jacobian[..., 0].tolist() == [[0, 1, 1], [0, 0, 0]]
    assert jacobian[..., 1].tolist() == [[1, 1, 0], [0, 0, 0]]


def test_a_root_of_a_square_is_an_absolute_value_with_its_slope() -> None:
    compiled = compile_formula(parse("N*sqrt(a**2)", features=["N"]), ("N",), ("a",))
    value, jacobian = compiled.predict_with_jacobian([np.array([3.0])], np.array([[-2.0], [2.0]]))
    assert value.ravel().tolist() == [6, 6]
    assert jacobian.ravel().tolist() == [-3, 3]


def test_a_formula_without_features_or_without_constants_fills_its_rows() -> None:
    flat = compile_formula(parse("c"), (), ("c",))
    value, jacobian = flat.predict_with_jacobian([np.zeros(4)], np.array([[2.0], [3.0]]))
    assert value.tolist() == [[2.0] * 4, [3.0] * 4]
    assert jacobian.tolist() == [[[1.0]] * 4] * 2
    assert flat.predict([], np.array([[2.0]])).tolist() == [[2.0]]
    assert (
        compile_formula(parse("N/2", features=["N"]), ("N",), ()).predict([np.array([3.0])], np.zeros((1, 0)))[0] == 1.5
    )


def test_large_whole_numbers_do_not_leave_floating_point() -> None:
    # 10**25 does not fit 64 bits: as an object it would have no logarithm
    compiled = compile_formula(parse("log(10**25*N + c)", features=["N"]), ("N",), ("c",))
    value, jacobian = compiled.predict_with_jacobian([np.array([1e-24])], np.array([[0.0]]))
    assert value[0, 0] == pytest.approx(np.log(10))
    assert jacobian[0, 0, 0] == pytest.approx(0.1)


def test_values_that_are_not_real_are_nan_and_give_no_warning() -> None:
    compiled = compile_formula(parse("(a - N)**b", features=["N"]), ("N",), ("a", "b"))
    value, _ = compiled.predict_with_jacobian([np.array([1.0, 3.0])], np.array([[2.0, 0.5]]))
    assert value[0, 0] == 1.0
    assert np.isnan(value[0, 1])


def test_names_that_python_or_numpy_use_are_plain_names() -> None:
    names = ("numpy", "sqrt_", "x0", "self", "N")
    compiled = compile_formula(parse("+".join(names), features=["N"]), ("N",), names[:-1])
    assert compiled.predict([np.array([16.0])], np.array([[1.0, 2.0, 4.0, 8.0]]))[0, 0] == 31
