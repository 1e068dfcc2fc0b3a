"""Every law card of the project: it reproduces its paper's numbers, and known forms are limits of one another."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from discover.cards import card_paths
from discover.formula import symbol
from discover.law import Check, Law, Published, list_laws, load_law

LAWS = {law.name: law for law in list_laws()}
CHECKS = [
    pytest.param(law, published, check, id=f"{law.name}-{i}-{k}")
    for law in LAWS.values()
    for i, published in enumerate(law.published)
    for k, check in enumerate(published.checks)
]
PUBLISHED = [
    pytest.param(law, published, id=f"{law.name}-{i}")
    for law in LAWS.values()
    for i, published in enumerate(law.published)
]


def test_every_card_loads_under_the_name_of_its_file() -> None:
    assert list(LAWS) == list(card_paths("baselines"))
    assert len(LAWS) >= 9


@pytest.mark.parametrize(("law", "published", "check"), CHECKS)
def test_the_numbers_of_the_source_are_reproduced(law: Law, published: Published, check: Check) -> None:
    assert law.check(check, published.values) == pytest.approx(check.value, abs=check.allowed(), rel=0)


@pytest.mark.parametrize(("law", "published", "check"), CHECKS)
def test_a_loose_check_says_why(law: Law, published: Published, check: Check) -> None:
    assert check.tolerance is None or check.because


@pytest.mark.parametrize("name", [name for name in LAWS if name != "constant"])
def test_every_law_but_the_constant_has_a_number_to_reproduce(name: str) -> None:
    assert any(published.checks for published in LAWS[name].published)


@pytest.mark.parametrize(("law", "published"), PUBLISHED)
def test_published_constants_are_legal_and_their_errors_positive(law: Law, published: Published) -> None:
    for name, constant in law.constants.items():
        assert constant.lower <= published.values[name] <= constant.upper
    assert set(published.errors) <= set(law.constants)
    assert all(error > 0 for error in published.errors.values())


@pytest.mark.parametrize(("law", "published"), PUBLISHED)
def test_published_constants_give_a_plausible_loss(law: Law, published: Published) -> None:
    # a language model of a billion parameters on twenty billion tokens, with eight experts: 1.5 to 4 nats a token
    at = {"N": 1e9, "D": 2e10, "uD": 2e10, "E": 8.0, "x": 1e9}
    loss = float(law.predict({name: at[name] for name in law.features}, published.values))
    assert 1.5 < loss < 4


@pytest.mark.parametrize("name", LAWS)
def test_every_constant_says_what_it_means_and_every_paper_is_named(name: str) -> None:
    law = LAWS[name]
    assert all(constant.meaning for constant in law.constants.values())
    assert all(law.features.values())
    assert law.cite is not None or law.kind == "null"


# ---- identities


def same(one: sympy.Expr, other: sympy.Expr) -> bool:
    return sympy.simplify(one - other) == 0


def at(law: Law, constants: dict[str, float], **features: float) -> float:
    return float(law.predict(features, constants))


def test_muennighoff_is_chinchilla_while_no_token_is_repeated() -> None:
    data_constrained, chinchilla = LAWS["muennighoff"], LAWS["hoffmann"]
    constants = dict(data_constrained.published[0].values)
    tied = {name: constants[name] for name in ("E0", "A", "B", "alpha")} | {"beta": constants["alpha"]}
    excess = constants["A"] / constants["B"]
    most = 2e10 * excess ** (1 / constants["alpha"])  # U_N: beyond it parameters are in excess of the unique tokens
    for N in np.geomspace(1e6, most * 0.999, 7):
        for D in (1e9, 1e10, 2e10):
            expected = at(chinchilla, tied, N=N, D=D)
            assert at(data_constrained, constants, N=N, D=D, uD=2e10) == pytest.approx(expected, rel=1e-12)
    # beyond either border it is worse than fresh data
    assert at(data_constrained, constants, N=most, D=4e10, uD=2e10) > at(chinchilla, tied, N=most, D=4e10) + 1e-4
    assert at(data_constrained, constants, N=most * 4, D=2e10, uD=2e10) > at(chinchilla, tied, N=most * 4, D=2e10)


def test_muennighoff_stays_bounded_when_tokens_are_repeated_forever() -> None:
    law = LAWS["muennighoff"]
    constants = dict(law.published[0].values)
    forever = at(law, constants, N=1e9, D=1e30, uD=1e10)
    # D_eff -> uD*(1 + R_D_star)
    most = 1e10 * (1 + constants["R_D_star"])
    n_eff_only = at(law, constants, N=1e9, D=1e10, uD=1e10) - constants["B"] / 1e10 ** constants["alpha"]
    assert forever == pytest.approx(n_eff_only + constants["B"] / most ** constants["alpha"], rel=1e-12)


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


def test_kaplans_law_has_its_one_feature_laws_as_limits() -> None:
    law = LAWS["kaplan_nd"]
    constants = dict(law.published[0].values)
    in_n = (constants["N_c"] / 1e9) ** constants["alpha_N"]
    in_d = (constants["D_c"] / 1e10) ** constants["alpha_D"]
    assert at(law, constants, N=1e9, D=1e40) == pytest.approx(in_n, rel=1e-12)
    assert at(law, constants, N=1e40, D=1e10) == pytest.approx(in_d, rel=1e-12)


def test_kaplans_one_feature_law_is_the_limit_of_the_joint_one() -> None:
    one, joint = LAWS["powerlaw_one_feature"].on("N"), LAWS["kaplan_nd"]
    values = {"x_c": 6.4e13, "alpha": 0.076}
    constants = {"N_c": 6.4e13, "alpha_N": 0.076, "D_c": 1.8e13, "alpha_D": 0.103}
    assert at(one, values, N=1e9) == pytest.approx(at(joint, constants, N=1e9, D=1e40), rel=1e-12)


def test_doubling_the_parameters_multiplies_kaplans_loss_by_095() -> None:
    law = LAWS["powerlaw_one_feature"]
    constants = dict(law.published[0].values)
    assert at(law, constants, x=2e9) / at(law, constants, x=1e9) == pytest.approx(0.95, abs=0.005)
    assert at(law, constants, x=constants["x_c"]) == 1.0  # what x_c means


def test_hoffmann_tends_to_its_floor_and_its_allocation_is_the_papers() -> None:
    law = LAWS["hoffmann"]
    for published in law.published:
        constants = dict(published.values)
        assert at(law, constants, N=1e60, D=1e60) == pytest.approx(constants["E0"], rel=1e-9)
    # Hoffmann et al. train 70B parameters on 1.4T tokens; the refit's optimum at that compute has about 20 tokens
    # a parameter (Besiroglu et al., section 5)
    constants = dict(law.published[2].values)
    compute = 5.76e23
    sizes = np.geomspace(1e9, 1e12, 3001)
    best = sizes[np.argmin(law.predict({"N": sizes, "D": compute / (6 * sizes)}, constants))]
    assert 15 < compute / (6 * best) / best < 30


def test_the_constant_predicts_one_number_for_all_rows() -> None:
    law = load_law("constant")
    assert law.features == {}
    assert float(law.predict({}, {"c": 2.5})) == 2.5


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.features])
def test_a_larger_model_on_more_data_is_never_worse(name: str) -> None:
    # Clark et al. find that routing stops helping near 1e11 parameters: the grid of laws with experts ends before it
    law = LAWS[name]
    grids = {"N": np.geomspace(1e6, 1e10 if "E" in law.features else 1e12, 40), "E": np.geomspace(1, 512, 20)}
    grids |= {"D": np.geomspace(1e8, 1e13, 40), "uD": np.geomspace(1e9, 1e12, 20), "x": np.geomspace(1e6, 1e12, 40)}
    mesh = np.meshgrid(*(grids[feature] for feature in law.features), indexing="ij")
    for published in law.published:
        loss = law.predict(dict(zip(law.features, mesh, strict=True)), published.values)
        assert np.isfinite(loss).all()
        for axis, feature in enumerate(law.features):
            assert (np.diff(loss, axis=axis) <= 1e-12).all(), feature
