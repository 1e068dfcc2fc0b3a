"""Laws of data mixtures, written out over a few domains."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pytest
import sympy

from discover.cards import card_paths, find_card
from discover.formula import N_COMPONENTS, parse, symbol
from discover.law import load_law


def card(name: str) -> dict[str, Any]:
    return tomllib.loads(find_card("baselines", name).read_text())


def general(name: str) -> sympy.Expr:
    """The formula over a mixture of M components."""
    keys = card(name)
    features = [feature for feature in keys["features"] if feature not in keys["mixtures"]]
    return parse(keys["formula"], features=features, mixtures=keys["mixtures"], constants=keys["constants"])


def over(name: str, domains: int) -> sympy.Expr:
    """The formula written out: the shares are r[1], r[2], ..."""
    return general(name).subs(N_COMPONENTS, domains).doit()


def vectors(name: str) -> set[str]:
    """Constants with one value a domain."""
    return {str(indexed.base) for indexed in general(name).atoms(sympy.Indexed)} - {"r"}


def parameters(name: str, domains: int) -> int:
    return len(card(name)["constants"]) + (domains - 1) * len(vectors(name))


R = sympy.IndexedBase("r", positive=True)
MIXTURES = sorted(name for name in card_paths("baselines") if "mixtures" in card(name))


def share(expression: sympy.Expr, domains: int) -> sympy.Expr:
    """The expression where the last share is one minus the others."""
    return expression.subs(R[domains], 1 - sum(R[k] for k in range(1, domains)))


def of(name: str) -> sympy.IndexedBase:
    return sympy.IndexedBase(name, real=True)


def same(one: sympy.Expr, other: sympy.Expr) -> bool:
    return sympy.simplify(sympy.expand(one - other)) == 0


@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_law_uses_its_shares_and_all_its_constants(name: str) -> None:
    written = over(name, 3)
    assert {R[1], R[2], R[3]} <= written.atoms(sympy.Indexed)
    used = {str(indexed.base) for indexed in written.atoms(sympy.Indexed)}
    used |= {free.name for free in written.free_symbols if isinstance(free, sympy.Symbol)}
    assert set(card(name)["constants"]) <= used


# Constants for each validation domain at M training domains, as the papers count them (M4: its k is absorbed).
@pytest.mark.parametrize(
    ("name", "domains", "count"),
    [
        ("ye_m1", 5, 11),
        ("ye_m2", 5, 7),
        ("ye_m4", 5, 6),
        ("shukor_additive", 8, 21),
        ("shukor_joint", 8, 37),
        ("regmix_linear", 17, 17),
        ("sldagent_mixture", 5, 11),
    ],
)
def test_a_mixture_law_has_as_many_constants_as_its_paper_says(name: str, domains: int, count: int) -> None:
    assert parameters(name, domains) == count


def test_the_agents_law_has_35_constants_for_five_domains_since_it_shares_exponents() -> None:
    constants = card("sldagent_mixture")["constants"]
    shared = [name for name, keys in constants.items() if keys.get("shared")]
    assert shared == ["a"]
    own = parameters("sldagent_mixture", 5) - 5
    assert 5 * own + 5 == 35


# ---- Ye et al.


def test_the_scale_of_m4_is_absorbed_by_the_rates() -> None:
    k = sympy.Symbol("k", positive=True)
    t = of("t")
    printed = symbol("E0") + k * sympy.exp(sum(t[j] * R[j] for j in (1, 2, 3)))
    effective = over("ye_m4", 3).subs({t[j]: t[j] + sympy.log(k) for j in (1, 2, 3)}, simultaneous=True)
    assert same(share(effective, 3), share(printed, 3))
    assert not same(effective, printed)  # only since the shares sum to one


def test_m4_without_its_constant_is_the_log_linear_null_law() -> None:
    assert same(over("ye_m4", 4).subs(symbol("E0"), 0), over("mixture_loglinear", 4))


def test_m1_with_one_scale_is_m2() -> None:
    k = of("k")
    assert same(over("ye_m1", 3).subs({k[j]: symbol("k") for j in (1, 2, 3)}), over("ye_m2", 3))


def test_m3_is_an_exponential_of_the_product_of_the_shares() -> None:
    expected = symbol("E0") + symbol("k") * sympy.exp(symbol("t") * R[1] * R[2] * R[3])
    assert same(over("ye_m3", 3), expected)


def test_m3_of_an_absent_domain_is_its_constant() -> None:
    function = sympy.lambdify([R[1], R[2], symbol("E0"), symbol("k"), symbol("t")], over("ye_m3", 2), "numpy")
    with np.errstate(divide="ignore"):
        assert function(1.0, np.float64(0.0), 2.0, 0.5, 3.0) == pytest.approx(2.5, rel=1e-12)


# ---- Shukor et al.


def test_the_additive_law_at_one_domain_is_chinchilla_with_a_shifted_floor() -> None:
    one = over("shukor_additive", 1).subs(R[1], 1)
    chinchilla = load_law("hoffmann").expression
    assert same(one, chinchilla.subs(symbol("E0"), symbol("E0") + 1 / of("C")[1]))


def test_the_joint_law_at_one_domain_is_chinchilla() -> None:
    one = over("shukor_joint", 1).subs(R[1], 1)
    C, C_A, C_B = of("C")[1], of("C_A")[1], of("C_B")[1]
    terms = {
        symbol("E0"): symbol("E0") + 1 / C,
        symbol("A"): C_A ** symbol("gamma_A"),
        symbol("B"): C_B ** symbol("gamma_B"),
    }
    assert same(one, load_law("hoffmann").expression.subs(terms, simultaneous=True))


def test_the_joint_law_of_domains_that_scale_alike_is_additive() -> None:
    C_A, C_B = of("C_A"), of("C_B")
    a, b = sympy.symbols("a b", positive=True)
    alike = over("shukor_joint", 2).subs({C_A[j]: a for j in (1, 2)} | {C_B[j]: b for j in (1, 2)})
    terms = {symbol("A"): a ** symbol("gamma_A"), symbol("B"): b ** symbol("gamma_B")}
    assert same(share(alike, 2), share(over("shukor_additive", 2).subs(terms), 2))


def test_the_best_mixture_of_the_additive_law_does_not_depend_on_scale_and_of_the_joint_law_does() -> None:
    scale = {symbol("N", positive=True), symbol("D", positive=True)}
    for name, depends in (("shukor_additive", False), ("shukor_joint", True)):
        slope = sympy.diff(share(over(name, 2), 2), R[1])
        assert bool(slope.free_symbols & scale) is depends


# ---- linear laws


def test_the_linear_law_at_a_corner_is_the_loss_of_that_domain() -> None:
    corner = over("regmix_linear", 3).subs({R[1]: 0, R[2]: 1, R[3]: 0})
    assert corner == of("t")[2]


def test_the_agents_law_with_exponents_of_one_is_linear() -> None:
    a, c, t = of("a"), of("c"), of("t")
    linear = over("sldagent_mixture", 3).subs({a[j]: 1 for j in (1, 2, 3)})
    regmix = over("regmix_linear", 3).subs({t[j]: symbol("b") + c[j] for j in (1, 2, 3)})
    assert same(share(linear, 3), share(regmix, 3))


# ---- laws of one domain's share


def test_continual_training_at_a_fixed_share_is_chinchilla() -> None:
    law = load_law("dcpt")
    r, epsilon = symbol("r_own", positive=True), symbol("epsilon")
    floor = symbol("E0") + symbol("C") / (r + epsilon) ** symbol("gamma")
    terms = {symbol("E0"): floor, symbol("B"): symbol("B") * r ** symbol("eta")}
    assert same(law.expression, load_law("hoffmann").expression.subs(terms, simultaneous=True))


def test_continual_training_without_the_domain_has_a_finite_loss() -> None:
    values = {
        "E0": 1.5,
        "A": 400,
        "alpha": 0.34,
        "B": 400,
        "eta": 0.5,
        "beta": 0.3,
        "C": 0.2,
        "epsilon": 0.1,
        "gamma": 1,
    }
    law = load_law("dcpt")
    absent = float(law.predict({"N": 1e9, "D": 1e10, "r_own": 0.0}, values))
    assert absent == pytest.approx(1.5 + 400 / 1e9**0.34 + 0.2 / 0.1, rel=1e-12)
    assert absent > float(law.predict({"N": 1e9, "D": 1e10, "r_own": 0.5}, values))


def test_bimix_of_the_domain_alone_is_a_power_law_in_tokens_with_a_floor() -> None:
    law = load_law("bimix").expression
    D = symbol("D", positive=True)
    assert same(law.subs(symbol("r_own", positive=True), 1), symbol("B") / D ** symbol("beta") + symbol("C"))


def test_bimix_slopes_in_the_share_alike_at_all_tokens() -> None:
    # log L is a sum of a function of the share and one of the tokens
    r, D = symbol("r_own", positive=True), symbol("D", positive=True)
    slope = sympy.diff(sympy.log(load_law("bimix").expression), r) * r
    assert sympy.simplify(slope + symbol("alpha")) == 0
    assert D not in sympy.simplify(slope).free_symbols
