"""Compiled formulas: their values, for many sets of constants at once."""

from __future__ import annotations

import numpy as np
import pytest

from discover.compiled import compile_formula
from discover.formula import parse


def test_min_and_max_compare_rows_with_constants() -> None:
    compiled = compile_formula(parse("min(N, a) + max(N, b, 2)", features=["N"]), ("N",), ("a", "b"))
    value = compiled.predict([np.array([1.0, 3.0, 5.0])], np.array([[2.0, 4.0], [9.0, 0.0]]))
    assert value.tolist() == [[1 + 4, 2 + 4, 2 + 5], [1 + 2, 3 + 3, 5 + 5]]


def test_a_root_of_a_square_is_an_absolute_value() -> None:
    compiled = compile_formula(parse("N*sqrt(a**2)", features=["N"]), ("N",), ("a",))
    value = compiled.predict([np.array([3.0])], np.array([[-2.0], [2.0]]))
    assert value.ravel().tolist() == [6, 6]


def test_a_formula_without_features_or_without_constants_fills_its_rows() -> None:
    flat = compile_formula(parse("c"), (), ("c",))
    value = flat.predict([np.zeros(4)], np.array([[2.0], [3.0]]))
    assert value.tolist() == [[2.0] * 4, [3.0] * 4]
    assert flat.predict([], np.array([[2.0]])).tolist() == [[2.0]]
    assert (
        compile_formula(parse("N/2", features=["N"]), ("N",), ()).predict([np.array([3.0])], np.zeros((1, 0)))[0] == 1.5
    )


def test_large_whole_numbers_do_not_leave_floating_point() -> None:
    # 10**25 does not fit 64 bits: as an object it would have no logarithm
    compiled = compile_formula(parse("log(10**25*N + c)", features=["N"]), ("N",), ("c",))
    value = compiled.predict([np.array([1e-24])], np.array([[0.0]]))
    assert value[0, 0] == pytest.approx(np.log(10))


def test_values_that_are_not_real_are_nan_and_give_no_warning() -> None:
    compiled = compile_formula(parse("(a - N)**b", features=["N"]), ("N",), ("a", "b"))
    value = compiled.predict([np.array([1.0, 3.0])], np.array([[2.0, 0.5]]))
    assert value[0, 0] == 1.0
    assert np.isnan(value[0, 1])


def test_names_that_python_or_numpy_use_are_plain_names() -> None:
    names = ("numpy", "sqrt_", "x0", "self", "N")
    compiled = compile_formula(parse("+".join(names), features=["N"]), ("N",), names[:-1])
    assert compiled.predict([np.array([16.0])], np.array([[1.0, 2.0, 4.0, 8.0]]))[0, 0] == 31


def test_a_decay_keeps_its_digits_where_it_hardly_begins() -> None:
    # what tokens are worth when they are repeated: with R without end, as much as new ones
    compiled = compile_formula(parse("R*(1 - exp(-x/R))", features=["x"]), ("x",), ("R",))
    value = compiled.predict([np.array([1.0, 3.0])], np.array([[1e16], [1e100]]))
    assert value == pytest.approx(np.array([[1.0, 3.0], [1.0, 3.0]]), rel=1e-15)


def test_a_growth_keeps_its_digits_too_and_other_sums_are_as_they_were() -> None:
    compiled = compile_formula(parse("(exp(a*x) - 1)/a + 2 - exp(x)", features=["x"]), ("x",), ("a",))
    value = compiled.predict([np.array([0.5])], np.array([[1e-18]]))
    assert value[0, 0] == pytest.approx(0.5 + 2 - np.exp(0.5), rel=1e-15)
