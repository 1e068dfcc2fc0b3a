"""Equations between constants are solved, and what is left over is checked."""

from __future__ import annotations

import pytest
import sympy

from discover.disguise.solving import solved, turned_round

a, b, c, x, y = sympy.symbols("a b c x y", positive=True)


@pytest.mark.parametrize(
    "expression",
    [2 * x, x + 3, 1 / x, x ** (b + 1), b**x, sympy.exp(-x), sympy.log(x) / b, -1 + 1 / (1 / x - 1 / b)],
    ids=str,
)
def test_operations_are_turned_round(expression: sympy.Expr) -> None:
    value = turned_round(expression, x, c)
    assert value is not None
    at = {b: sympy.Float(0.6), c: sympy.Float(1.3)}
    assert float(expression.xreplace({x: value}).xreplace(at)) == pytest.approx(1.3, rel=1e-12)


@pytest.mark.parametrize("expression", [x + 1 / x, sympy.Max(x, 1)], ids=str)
def test_what_cannot_be_turned_round_says_so(expression: sympy.Expr) -> None:
    assert turned_round(expression, x, c) is None


def test_equations_are_solved_one_after_the_other() -> None:
    # Kaplan's law as a power of a sum: x**y and x/2 shall be a and b.
    found = solved([a, b], [x**y, x / 2], [x, y])
    assert found is not None
    assert found.values[x] == 2 * b
    assert float(found.values[y].xreplace({a: 3.0, b: 0.7})) == pytest.approx(3.2651, rel=1e-4)  # log(3)/log(1.4)
    assert found.any == ()


def test_an_equation_that_is_left_over_must_hold() -> None:
    assert solved([a, 2 * a], [x, x + x], [x]) is not None
    assert solved([a, b], [x, 2 * x], [x]) is None  # one unknown cannot be two independent constants
    assert solved([a, a**2], [x, x**3], [x]) is None


def test_constants_are_real() -> None:
    assert solved([-a], [-sympy.exp(x)], [x]) is not None
    assert solved([-a], [sympy.exp(x)], [x]) is None


def test_a_tie_among_the_wanted_is_a_tie_among_the_found() -> None:
    found = solved([2 * a, 2 * a], [x, y], [x, y])
    assert found is not None
    assert found.values == {x: 2 * a, y: 2 * a}


def test_an_unknown_of_no_consequence_is_told() -> None:
    found = solved([a], [x * y], [x, y])
    assert found is not None
    assert set(found.any) | set(found.values) == {x, y}
    assert len(found.any) == 1
