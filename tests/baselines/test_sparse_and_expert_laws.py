"""Laws of experts and sparsity: limits of one another, and what their papers say of them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from evaluating import at, constants, same

from discover.formula import symbol
from discover.law import load_law

CHINCHILLA = load_law("hoffmann")


# ---- the joint law of dense and sparse models


@pytest.mark.parametrize("experts", [1.0, 8.0, 32.0])
def test_the_joint_law_at_a_fixed_number_of_experts_is_chinchilla(experts: float) -> None:
    law = load_law("ludziejewski_joint_moe")
    c = constants(law)
    start, most = c["E_start"], c["E_max"]
    e = 1 / (1 / (experts - 1 + 1 / (1 / start - 1 / most)) + 1 / most)
    fixed = {
        "E0": c["E0"],
        "A": c["a"] * e ** c["delta"],
        "alpha": -c["alpha"] - c["gamma"] * np.log(e),
        "B": c["b"] * e ** c["omega"],
        "beta": -c["beta"] - c["zeta"] * np.log(e),
    }
    for N, D in ((1e8, 2e9), (1e9, 2e10), (1e11, 1e13)):
        assert at(law, c, N=N, D=D, E=experts) == pytest.approx(at(CHINCHILLA, fixed, N=N, D=D), rel=1e-10)


def test_the_joint_laws_experts_saturate() -> None:
    law = load_law("ludziejewski_joint_moe")
    c = constants(law)
    saturated = c | {"E_start": c["E_max"] * (1 - 1e-12)}
    assert at(law, c, N=1e9, D=1e11, E=1e15) == pytest.approx(at(law, saturated, N=1e9, D=1e11, E=1.0), rel=1e-9)


def test_more_experts_want_more_tokens_for_a_parameter() -> None:
    # Ludziejewski et al.: at one compute the best model with more experts is smaller and sees more tokens
    law = load_law("ludziejewski_joint_moe")
    c = constants(law)
    sizes = np.geomspace(1e7, 1e11, 4001)
    for compute in (1e20, 1e22):
        tokens = compute / (6 * sizes)
        best = [tokens[np.argmin(law.predict({"N": sizes, "D": tokens, "E": E}, c))] for E in (1.0, 4.0, 16.0, 32.0)]
        assert (np.diff(best) > 0).all()
    assert at(law, c, N=1e9, D=1e8, E=32.0) > at(law, c, N=1e9, D=1e8, E=1.0)  # too few tokens for the experts


# ---- granularity

# Krajewski et al. 2024, Table 2: active parameters, tokens, granularity, loss
OPTIMA = [
    (1e8, 4.37e9, 8, 3.133),
    (1e9, 28.94e9, 16, 2.491),
    (3e9, 72.90e9, 16, 2.245),
    (7e9, 137.60e9, 32, 2.076),
    (7e10, 941.07e9, 32, 1.694),
    (3e11, 2.96e12, 64, 1.503),
    (1e12, 7.94e12, 64, 1.367),
]


@pytest.mark.parametrize(("active", "D", "G", "loss"), OPTIMA)
def test_the_granular_law_counts_all_experts(active: float, D: float, G: float, loss: float) -> None:
    # a layer has 12 d**2 active parameters and (8*64 + 4) d**2 in all
    law = load_law("krajewski_granular")
    total = active * (8 * 64 + 4) / 12
    assert at(law, constants(law), N=total, D=D, G=G) == pytest.approx(loss, rel=0.01)
    assert at(law, constants(law), N=active, D=D, G=G) > 1.15 * loss


def test_the_granular_law_without_the_gain_of_granularity_is_chinchilla() -> None:
    coarse = load_law("krajewski_granular").expression.subs(symbol("g"), 0)
    chinchilla = CHINCHILLA.expression.subs({symbol("A"): symbol("a"), symbol("B"): symbol("b")})
    assert same(coarse, chinchilla)


def test_infinite_granularity_is_a_bounded_gain() -> None:
    law = load_law("krajewski_granular")
    c = constants(law)
    chinchilla = {"E0": c["E0"], "A": c["a"], "alpha": c["alpha"], "B": c["b"], "beta": c["beta"]}
    assert at(law, c, N=1e9, D=1e10, G=1e200) == pytest.approx(at(CHINCHILLA, chinchilla, N=1e9, D=1e10), rel=1e-12)


# ---- sparsity


def test_the_sparsity_law_of_dense_models_is_chinchilla_and_a_second_power_of_n() -> None:
    dense = load_law("abnar_sparsity").expression.subs(symbol("sp", positive=True), 0)
    E0, a, b, c, d = (symbol(name) for name in ("E0", "a", "b", "c", "d"))
    N = symbol("N", positive=True)
    chinchilla = CHINCHILLA.expression.subs({E0: E0 + c, symbol("A"): a, symbol("B"): b})
    assert same(dense, chinchilla + d * N ** -symbol("gamma"))


def test_sparsity_hurts_small_models_and_helps_large_ones() -> None:
    # the slopes of the last two terms at sp = 0 cancel at (d*delta/(c*|lambda|))**(1/gamma) = 6e9 parameters
    law = load_law("abnar_sparsity")
    c = constants(law)
    even = (c["d"] * c["delta"] / (c["c"] * -c["lambda_S"])) ** (1 / c["gamma"])
    assert even == pytest.approx(6e9, rel=0.1)
    for N, sign in ((even / 2, 1), (even * 2, -1)):
        step = at(law, c, N=N, D=1e11, sp=1e-3) - at(law, c, N=N, D=1e11, sp=0.0)
        assert np.sign(step) == sign
    losses = law.predict({"N": 1e11, "D": 1e12, "sp": np.linspace(0, 0.999, 500)}, c)
    assert 0 < np.argmin(losses) < 499


# ---- the plain forms with a floor, and upcycling


def test_the_bilinear_law_without_interaction_is_the_product_with_a_floor() -> None:
    bilinear = load_law("moe_bilinear_floor").expression.subs(symbol("c"), 0)
    scale = sympy.exp(symbol("k")) * sympy.Float(1e8) ** symbol("a")
    product = load_law("moe_powerlaw_floor").expression.subs(symbol("K"), scale)
    N, E = symbol("N", positive=True), symbol("E", positive=True)
    numbers = {symbol(name): value for name, value in (("E0", 1.5), ("k", 0.3), ("a", 0.1), ("b", 0.07))}
    for size, experts in ((1e7, 1), (1e9, 8), (1e11, 512)):
        point = numbers | {N: size, E: experts}
        assert float(bilinear.subs(point)) == pytest.approx(float(product.subs(point)), rel=1e-12)


def test_the_bilinear_law_without_a_floor_is_clarks() -> None:
    floored, clark = load_law("moe_bilinear_floor"), load_law("clark_bilinear")
    a, b, c, d = -0.082, -0.108, 0.009, 1.104
    ln, centre = np.log(10), 8.0  # log10 of 1e8
    values = {
        "E0": 0.0,
        "k": (d + a * centre) * ln,
        "a": -a,
        "b": -b - c * centre,
        "c": c / ln,
    }
    for N, E in ((1e7, 1.0), (3e8, 16.0), (1e10, 512.0)):
        assert at(floored, values, N=N, E=E) == pytest.approx(
            at(clark, {"a": a, "b": b, "c": c, "d": d}, N=N, E=E), rel=1e-10
        )


def test_upcycling_without_interaction_is_the_product_with_a_floor() -> None:
    without = load_law("upcycling").expression.subs(symbol("c"), 0)
    product = load_law("moe_powerlaw_floor").expression.subs(
        {
            symbol("E", positive=True): symbol("P_ratio", positive=True),
            symbol("K"): symbol("A"),
            symbol("a"): symbol("b"),
            symbol("b"): symbol("a"),
        },
        simultaneous=True,
    )
    assert same(without, product)


@pytest.mark.parametrize("name", ["upcycling", "upcycling_additive"])
def test_upcycling_of_a_dense_model_is_a_power_law_in_n_with_a_floor(name: str) -> None:
    dense = load_law(name).expression.subs(symbol("P_ratio", positive=True), 1)
    E0, A, B, b = (symbol(constant) for constant in ("E0", "A", "B", "b"))
    power = symbol("N", positive=True) ** -b
    assert same(dense, E0 + A * power if name == "upcycling" else E0 + A + B * power)


def test_upcycling_added_up_without_interaction_has_no_mixed_derivative() -> None:
    N, P, c = symbol("N", positive=True), symbol("P_ratio", positive=True), symbol("c")
    mixed = sympy.diff(load_law("upcycling_additive").expression, N, P)
    assert sympy.simplify(mixed.subs(c, 0)) == 0
    assert sympy.simplify(mixed) != 0
    product = sympy.diff(load_law("upcycling").expression, N, P)
    assert sympy.simplify(product.subs(c, 0)) != 0
