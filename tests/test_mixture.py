"""Sums over the components of a mixture: which names are vectors, and the sums written out."""

from __future__ import annotations

import pytest
import sympy

from discover.formula import parse, symbol
from discover.mixture import expand_mixtures, scalars, vectors


def test_a_sum_runs_over_the_components_of_a_mixture() -> None:
    mixing = parse("c + k*exp(sum(t*r))", mixtures=["r"])
    three = expand_mixtures(mixing, {"r": "123"})
    r = [symbol(f"r_{k}", positive=True) for k in (1, 2, 3)]
    t = [symbol(f"t_{k}") for k in (1, 2, 3)]
    inner = t[0] * r[0] + t[1] * r[1] + t[2] * r[2]
    assert three == symbol("c") + symbol("k") * sympy.exp(inner)


def test_a_constant_inside_and_outside_of_a_sum_has_one_value() -> None:
    expression = expand_mixtures(parse("c + sum(c*t*r)", mixtures=["r"]), {"r": "12"})
    assert {free.name for free in expression.free_symbols} == {"c", "t_1", "t_2", "r_1", "r_2"}


def test_two_sums_are_expanded_each() -> None:
    expression = expand_mixtures(parse("sum(a*r) / sum(b*r**2)", mixtures=["r"]), {"r": "12"})
    numbers = {"a_1": 1.0, "a_2": 2.0, "b_1": 3.0, "b_2": 4.0, "r_1": 0.25, "r_2": 0.75}
    got = expression.subs({free: numbers[free.name] for free in expression.free_symbols})
    assert float(got) == pytest.approx((0.25 + 1.5) / (3 * 0.0625 + 4 * 0.5625))


def test_a_constant_inside_a_sum_only_is_a_vector_of_its_mixture() -> None:
    expression = parse("c + k*exp(sum(t*r)) + sum(c*a*s)", mixtures=["r", "s"])
    assert vectors(expression) == {"t": "r", "a": "s"}
    assert scalars(expression) == {"c", "k"}


def test_a_constant_may_have_the_name_of_the_index_or_of_the_number_of_components() -> None:
    expression = parse("i + M + sum(t*r)", mixtures=["r"])
    assert scalars(expression) == {"i", "M"}
    got = expand_mixtures(expression, {"r": ["a", "b"]})
    assert {free.name for free in got.free_symbols} == {"i", "M", "t_a", "t_b", "r_a", "r_b"}
