"""Laws with experts: their forms are limits of one another."""

from __future__ import annotations

import pytest
import sympy
from evaluating import same

from discover.formula import symbol
from discover.law import Law, list_laws

LAWS = {law.name: law for law in list_laws()}


def at(law: Law, constants: dict[str, float], **features: float) -> float:
    return float(law.predict(features, constants))


def test_clarks_saturating_law_of_a_dense_model_has_e_start_experts() -> None:
    law = LAWS["clark_saturating"]
    dense = law.expression.subs(symbol("E", positive=True), 1)
    a, b, c, d, start = (symbol(name) for name in ("a", "b", "c", "d", "E_start"))
    n = sympy.log(symbol("N", positive=True)) / sympy.log(10)
    e = sympy.log(start) / sympy.log(10)
    assert same(dense, 10 ** (a * n + b * e + c * n * e + d))


def test_clarks_saturating_law_becomes_bilinear_without_saturation() -> None:
    saturating, bilinear = LAWS["clark_saturating"], LAWS["clark_bilinear"]
    constants = {"a": -0.082, "b": -0.108, "c": 0.009, "d": 1.104}
    unsaturated = constants | {"E_start": 1.0, "E_max": 1e15}
    for E in (1.0, 8.0, 512.0):
        expected = at(bilinear, constants, N=5e8, E=E)
        assert at(saturating, unsaturated, N=5e8, E=E) == pytest.approx(expected, rel=1e-10)


def test_clarks_saturating_experts_tend_to_e_max() -> None:
    law = LAWS["clark_saturating"]
    for published in law.published:
        most = dict(published.values) | {"E_start": published.values["E_max"] * (1 - 1e-9)}
        expected = at(law, most, N=1e9, E=1.0)  # E_hat = E_max from the start
        assert at(law, dict(published.values), N=1e9, E=1e15) == pytest.approx(expected, rel=1e-9)


def test_clarks_bilinear_law_without_interaction_is_separable() -> None:
    without = LAWS["clark_bilinear"].expression.subs(symbol("c"), 0)
    assert same(sympy.expand_log(sympy.log(without)), sympy.expand_log(sympy.log(LAWS["clark_separable"].expression)))


def test_the_floored_product_without_a_floor_is_clarks_separable_law() -> None:
    floored = LAWS["moe_powerlaw_floor"].expression
    a, b, d = symbol("a"), symbol("b"), symbol("d")
    without = floored.subs({symbol("E0"): 0, symbol("K"): 10**d}).subs({a: -a, b: -b}, simultaneous=True)
    assert same(without, LAWS["clark_separable"].expression)
