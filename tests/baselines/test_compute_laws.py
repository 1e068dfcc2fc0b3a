"""Laws of model, data and compute: their forms are limits of one another, and their optima are optima."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from evaluating import same
from scipy import optimize

from discover.dataset import load_dataset
from discover.formula import symbol
from discover.law import Law, list_laws

LAWS = {law.name: law for law in list_laws()}
PF_DAY = 8.64e19  # FLOP


def at(law: Law, constants: dict[str, float], **features: float) -> float:
    return float(law.predict(features, constants))


def published(name: str, number: int = 0) -> dict[str, float]:
    return dict(LAWS[name].published[number].values)


def constants(text: str) -> list[sympy.Symbol]:
    return [symbol(name) for name in text.split()]


N, D, C, x = (symbol(name, positive=True) for name in ("N", "D", "C", "x"))


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
        assert at(law, constants, N=1e150, D=1e150) == pytest.approx(constants["E0"], rel=1e-9)
    # Hoffmann et al. train 70B parameters on 1.4T tokens; the refit's optimum at that compute has about 20 tokens
    # a parameter (Besiroglu et al., section 5)
    constants = dict(law.published[2].values)
    compute = 5.76e23
    sizes = np.geomspace(1e9, 1e12, 3001)
    best = sizes[np.argmin(law.predict({"N": sizes, "D": compute / (6 * sizes)}, constants))]
    assert 15 < compute / (6 * best) / best < 30


# ---- Kaplan et al. 2020


def test_kaplans_laws_of_n_and_of_d_are_one_power_law() -> None:
    one = LAWS["powerlaw_one_feature"]
    x_c, alpha = constants("x_c alpha")
    for name, feature, old in (("kaplan_n", N, "N_c alpha_N"), ("kaplan_d", D, "D_c alpha_D")):
        renamed = LAWS[name].expression.subs(dict(zip(constants(old), (x_c, alpha), strict=True)))
        assert same(renamed, one.expression.subs(x, feature))


def test_kaplans_learning_curves_end_at_the_loss_of_convergence() -> None:
    values = published("kaplan_ns")
    converged = {name: values[name] for name in ("N_c", "alpha_N")}
    for size in (1e6, 1e9):
        ended = at(LAWS["kaplan_ns"], values, N=size, S_min=1e40)
        assert ended == pytest.approx(at(LAWS["kaplan_n"], converged, N=size), rel=1e-12)


def test_kaplans_sizes_batches_and_steps_multiply_to_the_compute() -> None:
    # section 6.1: C_min = 6 N B_crit S_min; Table 6 prints each with two digits
    for days in (1e-3, 1.0, 1e3):
        compute = days * PF_DAY
        size, batch, steps = (
            at(LAWS[name], published(name), C_min=compute) for name in ("kaplan_n_opt", "kaplan_b_opt", "kaplan_s_min")
        )
        assert 6 * size * batch * steps == pytest.approx(compute, rel=0.05)
        # at the critical batch it takes twice the steps: D = 2 B_crit S_min
        tokens = at(LAWS["kaplan_d_opt"], published("kaplan_d_opt"), C_min=compute)
        assert tokens == pytest.approx(2 * batch * steps, rel=0.1)


def test_kaplans_optimal_batch_is_the_critical_one_at_the_optimal_loss() -> None:
    # Table 6 says 2.0e6 at one PF-day; the law of the loss gives it to the digits that Table 5 prints
    for days in (0.1, 1.0, 10.0):
        loss = at(LAWS["kaplan_c_min"], published("kaplan_c_min"), C_min=days * PF_DAY)
        critical = at(LAWS["kaplan_b_crit"], published("kaplan_b_crit"), L=loss)
        batch = at(LAWS["kaplan_b_opt"], published("kaplan_b_opt"), C_min=days * PF_DAY)
        assert batch == pytest.approx(critical, rel=0.05)


def test_kaplans_laws_of_compute_and_of_data_meet_where_the_paper_says() -> None:
    # Eq. 6.8: C* about 1e4 PF-days, N* about 1e12, L* about 1.7, within an order of magnitude
    def gap(log_days: float) -> float:
        tokens = at(LAWS["kaplan_d_opt"], published("kaplan_d_opt"), C_min=np.exp(log_days) * PF_DAY)
        allowed = at(LAWS["kaplan_d"], published("kaplan_d"), D=tokens)
        return at(LAWS["kaplan_c_min"], published("kaplan_c_min"), C_min=np.exp(log_days) * PF_DAY) - allowed

    compute = np.exp(optimize.brentq(gap, 0, 30)) * PF_DAY
    assert 1e3 < compute / PF_DAY < 1e5
    assert 1e11 < at(LAWS["kaplan_n_opt"], published("kaplan_n_opt"), C_min=compute) < 1e13
    assert at(LAWS["kaplan_c_min"], published("kaplan_c_min"), C_min=compute) == pytest.approx(1.7, abs=0.05)


def test_a_pf_day_in_kaplans_laws_is_86_4e18_flop() -> None:
    # at C = C_c PF-days the loss is one
    for name, feature in (("kaplan_c", "C"), ("kaplan_c_min", "C_min")):
        values = published(name)
        assert at(LAWS[name], values, **{feature: values["C_c"] * 1e15 * 24 * 3600}) == pytest.approx(1, rel=1e-12)


# ---- Henighan et al. 2020


def test_henighans_laws_without_a_floor_are_kaplans() -> None:
    E0, x_0, alpha = constants("E0 x_0 alpha")
    pairs = [("henighan_n", "kaplan_n", "N_c alpha_N"), ("henighan_c", "kaplan_c", "C_c alpha_C")]
    for name, kaplan, old in pairs:
        renamed = LAWS[kaplan].expression.subs(dict(zip(constants(old), (x_0, alpha), strict=True)))
        assert same(LAWS[name].expression.subs(E0, 0), renamed)


def test_henighans_floors_in_n_and_in_c_agree_domain_by_domain() -> None:
    # the limit of a large model is that of much compute; the two fits differ by up to 0.14 (mathematics)
    in_n = {published.on: published.values["E0"] for published in LAWS["henighan_n"].published}
    in_c = {published.on: published.values["E0"] for published in LAWS["henighan_c"].published}
    assert len(in_n) == 12
    assert len(in_c) == 10
    for domain, floor in in_c.items():
        assert floor == pytest.approx(in_n[domain], abs=0.15), domain


def test_henighans_language_models_are_as_large_as_kaplans() -> None:
    # two papers, two datasets, one protocol
    for days in (1e-3, 1.0, 1e3):
        theirs = at(LAWS["kaplan_n_opt"], published("kaplan_n_opt"), C_min=days * PF_DAY)
        assert at(LAWS["henighan_n_opt"], published("henighan_n_opt"), C=days * PF_DAY) == pytest.approx(
            theirs, rel=0.1
        )


# ---- Chinchilla and its relatives


@pytest.mark.parametrize("number", [0, 1])
def test_hoffmanns_allocation_is_the_minimum_of_the_loss(number: int) -> None:
    allocation = published("hoffmann_n_opt", number)
    assert allocation == published("hoffmann_d_opt", number)
    loss_law = LAWS["hoffmann"], allocation | {"E0": 1.7}
    for compute in (1e18, 5.76e23):
        size = at(LAWS["hoffmann_n_opt"], allocation, C=compute)
        tokens = at(LAWS["hoffmann_d_opt"], allocation, C=compute)
        assert 6 * size * tokens == pytest.approx(compute, rel=1e-12)
        best = at(*loss_law, N=size, D=tokens)
        for factor in (0.9, 0.999, 1.001, 1.1):
            assert at(*loss_law, N=size * factor, D=tokens / factor) > best


def test_hoffmanns_allocation_solves_its_first_order_condition() -> None:
    size, tokens = LAWS["hoffmann_n_opt"].expression, LAWS["hoffmann_d_opt"].expression
    loss = LAWS["hoffmann"].expression.subs(D, C / (6 * N))
    slope = sympy.diff(loss, N).subs(N, size)
    values = {"A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28, "E0": 1.69}
    numbers = {symbol(name): sympy.Float(value, 30) for name, value in values.items()} | {C: sympy.Float(1e21, 30)}
    scale = (symbol("A") * symbol("alpha") / size ** (1 + symbol("alpha"))).subs(numbers)  # of either term
    assert abs(float(slope.subs(numbers) / scale)) < 1e-12
    assert float((6 * size * tokens / C).subs(numbers)) == pytest.approx(1, rel=1e-12)


def test_published_sets_of_the_allocation_are_those_of_the_loss() -> None:
    of_loss = [
        {name: value for name, value in published.values.items() if name != "E0"}
        for published in LAWS["hoffmann"].published
    ]
    assert all(published.values in of_loss for published in LAWS["hoffmann_n_opt"].published)


def test_gadre_is_chinchilla_with_tied_exponents() -> None:
    a, b, eta = constants("a b eta")
    A, B, alpha, beta = constants("A B alpha beta")
    tied = {A: a / 6**eta, B: b / 6**eta, alpha: 2 * eta, beta: 2 * eta}
    difference = LAWS["gadre"].expression - LAWS["hoffmann"].expression.subs(tied, simultaneous=True)
    assert sympy.simplify(sympy.powsimp(sympy.expand_power_base(sympy.expand(difference), force=True))) == 0


def test_gadres_error_is_that_of_a_guess_at_a_large_loss_and_falls_with_it() -> None:
    law, values = LAWS["gadre_error"], {"epsilon": 0.85, "k": 2.0, "gamma": 0.75}
    assert at(law, values, L=1e3) == pytest.approx(0.85, rel=1e-12)
    errors = law.predict({"L": np.linspace(1.5, 6, 40)}, values)
    assert (np.diff(errors) > 0).all()


def test_deepseeks_model_scale_times_tokens_is_the_compute() -> None:
    for compute in (1e17, 1e20, 1e25):
        scale = at(LAWS["deepseek_n_opt"], published("deepseek_n_opt"), C=compute)
        tokens = at(LAWS["deepseek_d_opt"], published("deepseek_d_opt"), C=compute)
        assert scale * tokens == pytest.approx(compute, rel=2e-4)  # the constants have four digits


def test_skaling_at_k_1_is_chinchilla() -> None:
    assert same(LAWS["skaling"].expression.subs(symbol("k"), 1), LAWS["hoffmann"].expression)


def test_skaling_without_a_floor_is_kaplans_law_of_n_and_d() -> None:
    kaplan = published("kaplan_nd")
    ratio = kaplan["alpha_N"] / kaplan["alpha_D"]
    values = {"E0": 0.0, "A": kaplan["N_c"] ** ratio, "alpha": ratio, "B": kaplan["D_c"], "beta": 1.0}
    values |= {"k": kaplan["alpha_D"]}
    for size, tokens in ((1e6, 1e10), (1e9, 1e9), (1e12, 1e8)):
        expected = at(LAWS["kaplan_nd"], kaplan, N=size, D=tokens)
        assert at(LAWS["skaling"], values, N=size, D=tokens) == pytest.approx(expected, rel=1e-12)


def test_more_data_is_worth_more_to_a_larger_model_in_skaling_and_not_in_chinchilla() -> None:
    assert sympy.diff(LAWS["hoffmann"].expression, N, D) == 0
    mixed = sympy.diff(LAWS["skaling"].expression, N, D)
    for k, sign in ((0.452, -1), (1.2, 1)):
        values = {symbol(name): value for name, value in (published("skaling") | {"k": k}).items()}
        assert sympy.sign(mixed.subs(values | {N: 1e9, D: 2e10})) == sign


def test_skalings_optimum_is_the_closed_form_of_chinchilla() -> None:
    values = published("skaling")
    allocation = {name: values[name] for name in ("A", "B", "alpha", "beta")}
    for compute in (1e19, 1e23):
        size = at(LAWS["hoffmann_n_opt"], allocation, C=compute)
        best = at(LAWS["skaling"], values, N=size, D=compute / (6 * size))
        for factor in (0.99, 1.01):
            assert at(LAWS["skaling"], values, N=size * factor, D=compute / (6 * size * factor)) > best


def test_droppo_and_elibols_law_without_a_floor_is_kaplans() -> None:
    kaplan = published("kaplan_nd")
    values = kaplan | {"alpha": kaplan["alpha_D"], "E0": 0.0}
    for size, tokens in ((1e6, 1e10), (1e9, 1e9), (1e12, 1e8)):
        expected = at(LAWS["kaplan_nd"], kaplan, N=size, D=tokens)
        assert at(LAWS["droppo_elibol"], values, N=size, D=tokens) == pytest.approx(expected, rel=1e-12)


def test_droppo_and_elibols_law_has_its_floor_and_its_one_feature_laws_as_limits() -> None:
    law = LAWS["droppo_elibol"]
    values = {"E0": 1.1, "alpha": 0.3, "N_c": 1e9, "alpha_N": 0.2, "D_c": 1e10, "alpha_D": 0.25}
    assert at(law, values, N=1e80, D=1e80) == pytest.approx(1.1, rel=1e-12)
    without = values | {"E0": 0.0}
    assert at(law, without, N=1e8, D=1e80) == pytest.approx(10**0.2, rel=1e-12)
    assert at(law, without, N=1e80, D=1e8) == pytest.approx(100**0.25, rel=1e-12)


def test_farseer_is_a_power_law_in_d_at_each_size() -> None:
    law, values = LAWS["farseer"], published("farseer")
    slopes = []
    for size in (2e8, 6e9):
        floor = at(law, values, N=size, D=1e300)
        excess = np.log(law.predict({"N": size, "D": np.geomspace(1e9, 1e12, 4)}, values) - floor)
        steps = np.diff(excess) / np.log(10)
        assert steps == pytest.approx(np.full(3, steps[0]), rel=1e-6)
        slopes.append(steps[0])
    assert slopes[1] > slopes[0] + 0.01, "the exponent of D changes with N, which Chinchilla's cannot"


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_farseers_published_constants_predict_the_released_runs() -> None:
    dataset = load_dataset("farseer")
    predicted = LAWS["farseer"].predict(dataset.columns(), published("farseer"))
    losses = dataset.losses()
    assert 100 * np.mean(np.abs(predicted / losses - 1)) == pytest.approx(0.226, abs=5e-4)  # percent, 404 runs
    assert np.sqrt(np.mean((predicted - losses) ** 2)) == pytest.approx(0.00205, abs=5e-6)


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_the_best_of_4500_starts_fits_the_240_runs_no_worse_than_the_printed_refit() -> None:
    dataset, law = load_dataset("chinchilla_epoch"), LAWS["hoffmann"]

    def huber(values: dict[str, float]) -> float:
        residual = np.abs(np.log(law.predict(dataset.columns(), values) / dataset.losses()))
        return float(np.where(residual < 1e-3, residual**2 / 2, 1e-3 * (residual - 5e-4)).sum())

    # Besiroglu et al.: the sum of Huber terms at the optimum is 1.0183e-3
    assert huber(published("hoffmann", 3)) == pytest.approx(1.0183e-3, rel=1e-3)
    assert huber(published("hoffmann", 3)) <= huber(published("hoffmann", 2)) * (1 + 1e-3)


# ---- laws of any one feature


def test_hestness_and_henighan_are_alabdulmohsins_second_form() -> None:
    second = LAWS["alabdulmohsin_m2"].expression
    alpha, beta_g, b, c = constants("alpha beta_g b c")
    hestness = LAWS["hestness_learning_curve"].expression.subs({alpha: b, beta_g: c})
    assert same(hestness, second.subs(x, symbol("m", positive=True)))
    values = published("henighan_n", 1)
    renamed = {"E0": values["E0"], "b": values["x_0"] ** values["alpha"], "c": -values["alpha"]}
    expected = at(LAWS["henighan_n"], values, N=3e7)
    assert at(LAWS["alabdulmohsin_m2"], renamed, x=3e7) == pytest.approx(expected, rel=1e-12)


def test_alabdulmohsins_second_and_third_forms_reduce_to_the_first() -> None:
    first = LAWS["alabdulmohsin_m1"].expression
    assert same(LAWS["alabdulmohsin_m2"].expression.subs(symbol("E0"), 0), first)
    assert same(sympy.powdenest(LAWS["alabdulmohsin_m3"].expression.subs(symbol("gamma"), 0), force=True), first)


def test_alabdulmohsins_third_form_levels_off() -> None:
    law, values = LAWS["alabdulmohsin_m3"], {"b": 20.0, "gamma": 1e-9, "c": -0.2}
    assert at(law, values, x=1e30) == pytest.approx(20 * 1e9**-0.2, rel=1e-12)
    assert at(law, values, x=1.0) == pytest.approx(20, rel=1e-8)


def test_alabdulmohsins_first_form_is_the_null_power_law() -> None:
    values = published("powerlaw_one_feature")
    renamed = {"b": values["x_c"] ** values["alpha"], "c": -values["alpha"]}
    expected = at(LAWS["powerlaw_one_feature"], values, x=1e9)
    assert at(LAWS["alabdulmohsin_m1"], renamed, x=1e9) == pytest.approx(expected, rel=1e-12)


def test_a_broken_power_law_without_its_break_is_a_power_law() -> None:
    two, one = LAWS["bnsl_2"].expression, LAWS["bnsl_1"].expression
    c_0, c_1, c_2, c = constants("c_0 c_1 c_2 c")
    assert same(two.subs(c_2, 0), one)
    assert same(one.subs(c_1, 0), LAWS["alabdulmohsin_m2"].expression.subs(c, -c_0))


def test_a_broken_power_law_changes_its_slope_at_each_break() -> None:
    values = {"E0": 0.0, "b": 3.0, "c_0": 0.1, "c_1": 0.3, "d_1": 1e6, "f_1": 0.3, "c_2": -0.5, "d_2": 1e10, "f_2": 0.3}

    def slope(law: Law, where: float, given: dict[str, float]) -> float:
        losses = law.predict({"x": np.array([where, where * 1.01])}, given)
        return float(np.diff(np.log(losses))[0] / np.log(1.01))

    assert slope(LAWS["bnsl_2"], 1e1, values) == pytest.approx(-0.1, abs=1e-6)
    assert slope(LAWS["bnsl_2"], 1e8, values) == pytest.approx(-0.4, abs=1e-4)
    assert slope(LAWS["bnsl_2"], 1e15, values) == pytest.approx(0.1, abs=1e-6)
    one = {name: values[name] for name in LAWS["bnsl_1"].constants}
    assert slope(LAWS["bnsl_1"], 1e15, one) == pytest.approx(-0.4, abs=1e-6)


# ---- laws that saturate, and laws with a further feature


def test_rosenfelds_error_saturates_at_a_guess_and_is_additive_when_small() -> None:
    law = LAWS["rosenfeld"]
    values = {"a": 50.0, "alpha": 0.4, "b": 30.0, "beta": 0.3, "E0": 0.01, "eta": 5.0, "eps_0": 0.9}
    assert at(law, values, D=1e-40, N=1e9) == pytest.approx(0.9, rel=1e-12)
    additive = {"A": 30.0, "alpha": 0.3, "B": 50.0, "beta": 0.4, "E0": 0.01}
    inner = at(LAWS["hoffmann"], additive, N=1e9, D=1e9)
    # |t/(t - i eta)| = t/eta to second order in t/eta
    assert at(law, values, N=1e9, D=1e9) == pytest.approx(0.9 * inner / 5.0, rel=(inner / 5.0) ** 2)
    assert at(law, values, N=1e9, D=1e9) < 0.9 * inner / 5.0


def test_the_practical_law_lies_between_its_floor_and_the_uninformed_loss() -> None:
    law = LAWS["practical_saturating"]
    values = {"E0": 1.7, "L_0": 11.0, "a": 50.0, "alpha": 0.34, "b": 50.0, "beta": 0.3}
    values |= {"c": 1.0, "gamma": 0.3, "delta": 0.4}
    assert at(law, values, N=1e-40, D=1e10, uD=1e10) == pytest.approx(11, rel=1e-6)
    assert at(law, values, N=1e60, D=1e80, uD=1e300) == pytest.approx(1.7, rel=1e-6)


def test_the_practical_law_is_chinchilla_on_ample_unique_data() -> None:
    law = LAWS["practical_saturating"]
    values = {"E0": 1.7, "L_0": 11.0, "a": 50.0, "alpha": 0.34, "b": 50.0, "beta": 0.3}
    values |= {"c": 1.0, "gamma": 0.3, "delta": 0.4}
    chinchilla = {"E0": 1.7, "A": 9.3 * 50, "alpha": 0.34, "B": 9.3 * 50, "beta": 0.3}
    for size in (1e9, 1e15):
        expected = at(LAWS["hoffmann"], chinchilla, N=size, D=20 * size) - 1.7
        h = expected / 9.3
        assert at(law, values, N=size, D=20 * size, uD=1e200) - 1.7 == pytest.approx(expected / (1 + h), rel=1e-10)


def test_the_practical_law_overfits_scarce_data() -> None:
    law = LAWS["practical_saturating"]
    values = {"E0": 1.7, "L_0": 11.0, "a": 50.0, "alpha": 0.34, "b": 50.0, "beta": 0.3}
    values |= {"c": 1.0, "gamma": 0.3, "delta": 0.4}
    losses = law.predict({"N": np.geomspace(1e6, 1e12, 30), "D": 1e11, "uD": 1e8}, values)
    best = int(np.argmin(losses))
    assert 0 < best < 29
    assert (np.diff(losses[best:]) > 0).all()


def test_frantars_law_of_a_dense_model_is_chinchilla() -> None:
    a_S, c_S, b_N, a_D, b_D = constants("a_S c_S b_N a_D b_D")
    A, B, alpha, beta = constants("A B alpha beta")
    dense = LAWS["frantar_sparsity"].expression.subs(symbol("sp", positive=True), 0)
    tied = LAWS["hoffmann"].expression.subs({A: a_S + c_S, alpha: b_N, beta: b_D, B: a_D**b_D})
    assert sympy.simplify(sympy.expand_power_base(dense - tied, force=True)) == 0


def test_a_sparse_model_is_better_at_the_same_nonzero_parameters() -> None:
    values = {"a_S": 16.8, "b_S": 0.7, "c_S": 45.0, "b_N": 0.25, "a_D": 7e10, "b_D": 0.2, "E0": 0.65}
    losses = LAWS["frantar_sparsity"].predict({"sp": np.linspace(0, 0.99, 20), "N": 1e8, "D": 1e10}, values)
    assert (np.diff(losses) < 0).all()


def test_a_year_of_progress_multiplies_parameters_and_tokens() -> None:
    law = LAWS["ho_progress"]
    values = {"E0": 1.5, "A": 400.0, "B": 500.0, "alpha": 0.3, "beta": 0.3, "alpha_prime": 0.4, "beta_prime": 0.7}
    later = at(law, values, N=1e9, D=1e10, Y=2013.5)
    assert later == pytest.approx(at(law, values, N=1e9 * np.exp(0.6), D=1e10 * np.exp(1.05), Y=2012), rel=1e-12)
    chinchilla = {name: values[name] for name in LAWS["hoffmann"].constants}
    assert at(law, values, N=1e9, D=1e10, Y=2012) == pytest.approx(
        at(LAWS["hoffmann"], chinchilla, N=1e9, D=1e10), rel=1e-12
    )


STUDENT = {"c_0": 1.0, "c_1": 0.5, "d_1": 1.3, "f_1": 0.1, "gamma_prime": 0.5}
STUDENT |= {"A_prime": 2000.0, "alpha_prime": 0.4, "B_prime": 9000.0, "beta_prime": 0.4}


def test_a_distilled_student_tends_to_its_teachers_loss() -> None:
    law = LAWS["busbridge_distillation"]
    assert at(law, STUDENT, N=1e90, D=1e90, L_t=2.1) == pytest.approx(2.1, rel=1e-12)
    assert at(law, STUDENT, N=1e8, D=1e9, L_t=2.1) > 2.1


def test_the_base_of_the_distillation_law_is_the_supervised_law() -> None:
    base = LAWS["busbridge_distillation"].parts["L_tilde"]
    values = {symbol(name): value for name, value in published("skaling").items()}
    supervised = LAWS["skaling"].expression.subs(values)
    for size, tokens in ((1.4e8, 3.7e9), (7.75e9, 5e11)):
        numbers = {N: size, D: tokens}
        assert float(base.subs(numbers)) == pytest.approx(float(supervised.subs(numbers)), rel=1e-12)


def test_without_a_break_a_distilled_student_does_not_see_its_own_capacity() -> None:
    # c_1 = 0 removes the bracket: what is left is the teacher's loss and the coupled terms
    values = STUDENT | {"c_1": 0.0}
    coupled = {"E0": 0.0, "A": 2000.0, "alpha": 0.4, "B": 9000.0, "beta": 0.4, "k": 0.5}
    expected = 2.1 + at(LAWS["skaling"], coupled, N=1e9, D=1e10) / 2.1
    assert at(LAWS["busbridge_distillation"], values, N=1e9, D=1e10, L_t=2.1) == pytest.approx(expected, rel=1e-12)
