"""Where to spend compute: against closed forms, the numbers of papers, and a solver that knows no derivatives."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from discover.allocation import Status, allocate, exponent_error
from discover.cards import validate
from discover.errors import InputError
from discover.law import Law, LawCard, law_from_card, load_law

BUDGETS = np.geomspace(1e18, 1e26, 17)
HOFFMANN = load_law("hoffmann")
CHINCHILLA = HOFFMANN.published[1].values
FARSEER = load_law("farseer")

# Laws with published constants, and what is fixed beside N and D: a dense model, or one of several experts.
LAWS: list[tuple[str, dict[str, float]]] = [
    ("hoffmann", {}),
    ("kaplan_nd", {}),
    ("skaling", {}),
    ("farseer", {}),
    ("abnar_sparsity", {"sp": 0.5}),
    ("krajewski_granular", {"G": 4.0}),
    ("ludziejewski_joint_moe", {"E": 8.0}),
    ("kumar_precision", {"P_w": 8.0, "P_a": 8.0, "P_kv": 8.0}),
    ("kumar_ptq", {"P_post": 4.0}),
]
REPEATED = [("muennighoff", {"uD": 2.5e10})]  # its slopes have kinks, where tokens begin to repeat


def small_law(formula: str, *, constants: str = "A B alpha beta", **keys: Any) -> Law:
    """A law of N and D with these constants."""
    ranges = {name: {"range": [0.1, 10.0]} for name in constants.split()}
    card = {"title": "Small", "formula": formula, "features": {"N": "size", "D": "tokens"}, "constants": ranges, **keys}
    return law_from_card(validate(card, LawCard, "small"), "small")


def sets_around(law: Law, values: dict[str, float], spread: float, count: int, seed: int = 0) -> np.ndarray:
    """Sets of constants that scatter around `values`, by a factor of about ``1 + spread``."""
    center = np.array([values[name] for name in law.parameters])
    return center * np.exp(spread * np.random.default_rng(seed).normal(size=(count, len(center))))


def chinchilla_optimum(values: dict[str, float], compute: np.ndarray) -> tuple[np.ndarray, float]:
    """N of equation 4 of Hoffmann et al. 2022, and its exponent."""
    alpha, beta = values["alpha"], values["beta"]
    scale = (alpha * values["A"] / (beta * values["B"])) ** (1 / (alpha + beta))
    exponent = beta / (alpha + beta)
    return scale * (compute / 6) ** exponent, exponent


@pytest.mark.parametrize("published", HOFFMANN.published, ids=lambda published: published.source[:40])
def test_chinchillas_optimum_is_that_of_its_closed_form(published: Any) -> None:
    size, exponent = chinchilla_optimum(published.values, BUDGETS)
    found = allocate(HOFFMANN, published.values, BUDGETS)
    np.testing.assert_allclose(found.N, size, rtol=1e-10)
    np.testing.assert_allclose(found.D, BUDGETS / 6 / size, rtol=1e-10)
    np.testing.assert_allclose(found.a, exponent, rtol=1e-10)
    np.testing.assert_allclose(found.a + found.b, 1, rtol=1e-15)
    np.testing.assert_allclose(found.loss, HOFFMANN.predict({"N": size, "D": BUDGETS / 6 / size}, published.values))
    assert found.interior.all()
    assert set(found.reason) == {""}


def test_exponents_are_those_that_the_papers_print() -> None:
    found = [allocate(HOFFMANN, published.values, 1e23).a for published in HOFFMANN.published]
    assert round(float(found[1]), 2) == 0.46  # Hoffmann et al., Table 2, approach 3
    assert round(float(found[2]), 3) == 0.513  # Besiroglu et al. 2024


@pytest.mark.parametrize(("name", "quantity"), [("hoffmann_n_opt", "N"), ("hoffmann_d_opt", "D")])
def test_models_are_those_of_the_papers_table(name: str, quantity: str) -> None:
    published = load_law(name).published[0]  # its checks at a budget: Table A3 of Hoffmann et al.
    values = {"E0": CHINCHILLA["E0"], **published.values}
    checks = [check for check in published.checks if check.at]
    assert len(checks) == 2
    for check in checks:
        found = allocate(HOFFMANN, values, check.at["C"])
        assert getattr(found, quantity) == pytest.approx(check.value, abs=check.allowed())


def test_kaplans_optimum_is_where_both_terms_balance() -> None:
    law = load_law("kaplan_nd")
    values = law.published[0].values
    ratio = values["alpha_N"] / values["alpha_D"]
    # ratio*(N_c/N)**ratio = D_c/D, with D = C/(6 N)
    size = (ratio * values["N_c"] ** ratio * BUDGETS / 6 / values["D_c"]) ** (1 / (1 + ratio))
    found = allocate(law, values, BUDGETS)
    np.testing.assert_allclose(found.N, size, rtol=1e-10)
    np.testing.assert_allclose(found.a, 1 / (1 + ratio), rtol=1e-10)


def test_an_outer_exponent_leaves_chinchillas_optimum() -> None:
    law = load_law("skaling")
    values = law.published[0].values
    size, exponent = chinchilla_optimum(values, BUDGETS)
    found = allocate(law, values, BUDGETS)
    np.testing.assert_allclose(found.N, size, rtol=1e-10)
    np.testing.assert_allclose(found.a, exponent, rtol=1e-10)


def test_the_exponent_of_farseers_law_falls_with_compute() -> None:
    found = allocate(FARSEER, FARSEER.published[0].values, BUDGETS)
    assert (np.diff(found.a) < 0).all()
    assert found.a[0] > 0.8
    assert found.a[-1] < 0.2
    assert found.tokens_per_parameter.max() > 50 * found.tokens_per_parameter.min()


def test_without_repetition_muennighoffs_law_grows_model_and_data_alike() -> None:
    law = load_law("muennighoff")
    values = law.published[0].values
    found = allocate(law, values, [1e19, 1e21], at={"uD": 1e12})
    scale = (values["A"] / values["B"]) ** (1 / (2 * values["alpha"]))
    np.testing.assert_allclose(found.N, scale * np.sqrt(np.array([1e19, 1e21]) / 6), rtol=1e-10)
    np.testing.assert_allclose(found.a, 0.5, rtol=1e-10)
    # with few unique tokens the same compute buys less, and more of it goes to data
    repeated = allocate(law, values, 1e24, at={"uD": 1e10})
    fresh = allocate(law, values, 1e24, at={"uD": 1e14})
    assert repeated.loss > fresh.loss
    assert repeated.D > fresh.D


@pytest.mark.parametrize(("name", "at"), LAWS + REPEATED)
def test_no_other_model_of_the_budget_is_better(name: str, at: dict[str, float]) -> None:
    law = load_law(name)
    values = law.published[0].values
    for compute in (1e19, 1e22, 1e24):
        found = allocate(law, values, compute, at=at)

        def loss(log_size: float, compute: float = compute) -> float:
            size = np.exp(log_size)
            return float(law.predict({"N": size, "D": compute / 6 / size, **at}, values))

        log_size = float(np.log(found.N))
        other = minimize_scalar(loss, bounds=(log_size - 3, log_size + 3), method="bounded", options={"xatol": 1e-9})
        assert other.x == pytest.approx(log_size, abs=1e-5)  # values alone tell a minimum to the root of rounding
        assert found.loss == pytest.approx(other.fun, rel=1e-12)
        factor = 2.0 ** np.arange(-12, 13)
        others = law.predict({"N": found.N * factor, "D": found.D / factor, **at}, values)
        assert others.min() == pytest.approx(found.loss, rel=1e-12)


@given(
    law=st.sampled_from(LAWS),
    log_compute=st.floats(np.log(1e18), np.log(1e26)),
    scatter=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_the_exponent_is_the_slope_of_the_optimum(
    law: tuple[str, dict[str, float]], log_compute: float, scatter: int
) -> None:
    name, at = law
    loaded = load_law(name)
    sets = sets_around(loaded, dict(loaded.published[0].values), 0.01, 1, seed=scatter)
    step = 1e-3
    found = allocate(loaded, sets, np.exp(log_compute + step * np.array([-1.0, 0.0, 1.0])), at=at)
    below, _, above = np.log(found.N[0])
    assert (above - below) / (2 * step) == pytest.approx(found.a[0, 1], rel=1e-5)


def test_many_sets_of_constants_give_what_each_gives_alone() -> None:
    sets = sets_around(FARSEER, dict(FARSEER.published[0].values), 0.01, 1500)
    together = allocate(FARSEER, sets, [1e20, 1e24])
    assert together.N.shape == together.status.shape == (1500, 2)
    for k in (0, 1, 899, 900, 1499):
        alone = allocate(FARSEER, dict(zip(FARSEER.parameters, sets[k], strict=True)), [1e20, 1e24])
        for name in ("N", "D", "loss", "a"):
            np.testing.assert_allclose(getattr(together, name)[k], getattr(alone, name), rtol=1e-11)


def test_a_bootstrap_of_4000_sets_takes_well_under_a_second() -> None:
    sets = sets_around(HOFFMANN, CHINCHILLA, 0.05, 4000)
    allocate(HOFFMANN, sets[:1], 1e22)  # compiles
    start = time.perf_counter()
    found = allocate(HOFFMANN, sets, [1e20, 1e22, 1e24])
    assert time.perf_counter() - start < 0.5
    assert found.interior.all()


def test_one_budget_gives_numbers_and_many_give_arrays() -> None:
    assert allocate(HOFFMANN, CHINCHILLA, 1e22).N.shape == ()
    assert allocate(HOFFMANN, CHINCHILLA, [1e22]).N.shape == (1,)
    sets = sets_around(HOFFMANN, CHINCHILLA, 0.05, 4)
    assert allocate(HOFFMANN, sets, 1e22).N.shape == (4,)
    assert allocate(HOFFMANN, sets, [1e22, 1e23]).reason.shape == (4, 2)


def test_twice_the_flop_for_a_token_is_half_the_compute() -> None:
    double = allocate(HOFFMANN, CHINCHILLA, BUDGETS, flop_per=12)
    half = allocate(HOFFMANN, CHINCHILLA, BUDGETS / 2)
    np.testing.assert_allclose(double.N, half.N, rtol=1e-12)
    np.testing.assert_allclose(double.D, half.D, rtol=1e-12)


def test_terms_below_the_rounding_of_the_loss_still_have_an_optimum() -> None:
    values = {"E0": 2.0, "A": 1.0, "B": 3.0, "alpha": 1.5, "beta": 1.4}  # terms of 1e-19 and less beside E0
    found = allocate(HOFFMANN, values, BUDGETS[8:])
    size, exponent = chinchilla_optimum(values, BUDGETS[8:])
    np.testing.assert_allclose(found.N, size, rtol=1e-10)
    np.testing.assert_allclose(found.a, exponent, rtol=1e-10)


def no_optimum(found: Any, status: Status) -> bool:
    numbers = [found.N, found.D, found.loss, found.a, found.b]
    return bool(np.isnan(numbers).all() and not found.interior.any() and (found.status == status).all())


@pytest.mark.parametrize(
    ("formula", "status"),
    [
        ("A/N**0.3 + B", Status.LARGEST),
        ("A*N**0.3/D**0.1 + B", Status.SMALLEST),
        ("B - A/N**0.3 - A/D**0.3", Status.SMALLEST),  # a maximum inside: the range goes further towards small N
        ("A/(N*D)**0.2 + B", Status.FLAT),
        ("A*max(1/N, 1e-3) + A*max(1/D, 1e-3) + B", Status.FLAT),
        ("A + B*sqrt(N - D)", Status.NOT_FINITE),
    ],
)
def test_without_an_interior_optimum_there_is_no_number_but_a_reason(formula: str, status: Status) -> None:
    found = allocate(small_law(formula, constants="A B"), {"A": 2.0, "B": 1.0}, BUDGETS)
    assert no_optimum(found, status)
    assert set(found.reason) == {status.reason}
    assert "no" in status.reason


def test_an_optimum_at_the_edge_of_the_range_is_none() -> None:
    ratio = allocate(HOFFMANN, CHINCHILLA, 1e22).tokens_per_parameter
    assert no_optimum(allocate(HOFFMANN, CHINCHILLA, 1e22, tokens_per_parameter=(ratio * 1.01, 1e5)), Status.LARGEST)
    assert no_optimum(allocate(HOFFMANN, CHINCHILLA, 1e22, tokens_per_parameter=(1.0, ratio / 1.01)), Status.SMALLEST)
    inside = allocate(HOFFMANN, CHINCHILLA, 1e22, tokens_per_parameter=(ratio / 1.01, ratio * 1.01))
    assert inside.tokens_per_parameter == pytest.approx(float(ratio), rel=1e-11)


def test_a_minimum_above_an_end_of_the_range_is_not_the_optimum() -> None:
    # Its floor goes to zero in N, so that the law prefers models of 1e16 parameters on a few tokens.
    values = FARSEER.published[0].values
    assert no_optimum(allocate(FARSEER, values, 1e22, tokens_per_parameter=(1e-9, 1e8)), Status.LOWER_OUTSIDE)


def test_of_several_minima_the_lowest_counts_and_that_is_said() -> None:
    law = small_law("A + ((log(N/D)/2)**2 - 4)**2 + B*log(N/D)/2", constants="A B")
    for tilt in (0.1, -0.1):
        found = allocate(law, {"A": 1.0, "B": tilt}, 1e22)
        # with x = log(N/D)/2 the slope is 4 x**3 - 16 x + B
        roots = np.sort(np.roots([4, 0, -16, tilt]).real)
        x = roots[0] if tilt > 0 else roots[2]
        assert np.log(found.N / found.D) / 2 == pytest.approx(x, rel=1e-10)
        assert found.status == Status.SEVERAL
        assert "several minima" in str(found.reason)
        assert found.a == pytest.approx(0.5)


def test_an_optimum_at_a_kink_is_found_but_has_no_exponent() -> None:
    law = small_law("max(A/N**alpha, B/D**beta)")
    values = {"A": 400.0, "B": 2000.0, "alpha": 0.3, "beta": 0.4}
    found = allocate(law, values, BUDGETS)
    # both are equal there
    size = ((400 / 2000) * (BUDGETS / 6) ** 0.4) ** (1 / 0.7)
    np.testing.assert_allclose(found.N, size, rtol=1e-10)
    assert found.interior.all()
    assert (found.status == Status.KINK).all()
    assert np.isnan(found.a).all()


def test_sets_without_an_optimum_leave_the_others_alone() -> None:
    sets = sets_around(HOFFMANN, CHINCHILLA, 0.05, 5)
    names = list(HOFFMANN.parameters)
    sets[1, names.index("alpha")] = -0.3  # the larger the worse
    sets[3, names.index("A")] = np.nan
    found = allocate(HOFFMANN, sets, [1e20, 1e24])
    assert found.interior.tolist() == [[True] * 2, [False] * 2, [True] * 2, [False] * 2, [True] * 2]
    assert found.status[1].tolist() == [Status.SMALLEST] * 2
    assert found.status[3].tolist() == [Status.NOT_FINITE] * 2
    interval = found.interval()
    assert interval.share.tolist() == [0.6, 0.6]
    exponents = found.a[[0, 2, 4], 0]
    assert interval.error["a"][0] == pytest.approx(np.std(exponents, ddof=1))


def test_an_interval_holds_the_share_of_the_sets_that_its_level_says() -> None:
    sets = sets_around(HOFFMANN, CHINCHILLA, 0.05, 4000)
    found = allocate(HOFFMANN, sets, [1e20, 1e24])
    for level in (0.5, 0.95):
        interval = found.interval(level)
        for name in ("N", "D", "loss", "a"):
            values, low, high = getattr(found, name), interval.low[name], interval.high[name]
            assert low.shape == (2,)
            assert np.mean(values < low, axis=0) == pytest.approx([(1 - level) / 2] * 2, abs=1e-3)
            assert np.mean(values > high, axis=0) == pytest.approx([(1 - level) / 2] * 2, abs=1e-3)
    assert found.interval().share.tolist() == [1.0, 1.0]


def test_an_interval_of_sets_without_any_optimum_is_not_a_number() -> None:
    law = small_law("A/N**0.3 + B", constants="A B")
    interval = allocate(law, np.ones((5, 2)), [1e20, 1e22]).interval()
    assert interval.share.tolist() == [0.0, 0.0]
    assert np.isnan([interval.low["N"], interval.high["a"], interval.error["D"]]).all()


def test_an_interval_needs_several_sets_and_a_level() -> None:
    with pytest.raises(InputError, match="several sets"):
        allocate(HOFFMANN, CHINCHILLA, [1e22, 1e23]).interval()
    many = allocate(HOFFMANN, sets_around(HOFFMANN, CHINCHILLA, 0.05, 4), [1e22, 1e23])
    with pytest.raises(InputError, match="between 0 and 1"):
        many.interval(95)


def a_covariance(names: list[str], seed: int = 3) -> np.ndarray:
    root = 0.01 * np.random.default_rng(seed).normal(size=(len(names), len(names)))
    return np.asarray(root @ root.T)


def test_the_error_of_chinchillas_exponent_is_that_of_its_closed_form() -> None:
    names = list(HOFFMANN.parameters)
    covariance = a_covariance(names)
    error = exponent_error(HOFFMANN, CHINCHILLA, covariance, BUDGETS)
    alpha, beta = CHINCHILLA["alpha"], CHINCHILLA["beta"]
    gradient = np.zeros(len(names))
    gradient[names.index("alpha")] = -beta / (alpha + beta) ** 2
    gradient[names.index("beta")] = alpha / (alpha + beta) ** 2
    np.testing.assert_allclose(error, np.sqrt(gradient @ covariance @ gradient), rtol=1e-7)
    assert exponent_error(HOFFMANN, CHINCHILLA, covariance, 1e22).shape == ()


@pytest.mark.parametrize(("name", "at"), [*LAWS[3:6], ("muennighoff", {"uD": 1e10})])
def test_the_error_of_an_exponent_is_the_spread_over_sets_drawn_from_the_covariance(
    name: str, at: dict[str, float]
) -> None:
    law = load_law(name)
    values = law.published[0].values
    scale = 1e-3 * np.array([values[constant] for constant in law.parameters])
    covariance = scale[:, None] * scale * np.corrcoef(a_covariance(list(law.parameters)))
    error = exponent_error(law, values, covariance, [1e21, 1e24], at=at)
    center = [values[constant] for constant in law.parameters]
    drawn = np.random.default_rng(0).multivariate_normal(center, covariance, size=4000, method="eigh")
    spread = allocate(law, drawn, [1e21, 1e24], at=at).interval().error["a"]
    np.testing.assert_allclose(error, spread, rtol=0.06)  # the spread of 4,000 has an error of one percent


def test_only_constants_on_which_the_exponent_depends_need_to_be_determined() -> None:
    names = list(HOFFMANN.parameters)
    covariance = a_covariance(names)
    expected = exponent_error(HOFFMANN, CHINCHILLA, covariance, BUDGETS)
    for name, depends in (("E0", False), ("A", False), ("alpha", True)):
        unknown = covariance.copy()
        unknown[names.index(name), names.index(name)] = np.nan
        error = exponent_error(HOFFMANN, CHINCHILLA, unknown, BUDGETS)
        if depends:
            assert np.isnan(error).all()
        else:
            np.testing.assert_array_equal(error, expected)


def test_without_an_optimum_the_exponent_has_no_error() -> None:
    law = small_law("A/N**0.3 + B", constants="A B")
    assert np.isnan(exponent_error(law, {"A": 1.0, "B": 2.0}, np.eye(2), BUDGETS)).all()


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_chinchillas_exponent_has_an_error_of_about_a_hundredth_on_its_own_runs() -> None:
    from discover.dataset import load_dataset
    from discover.fitting import fit

    data = load_dataset("chinchilla_epoch")
    fitted = fit(HOFFMANN, data.columns(), data.losses(), starts=16)
    found = allocate(HOFFMANN, fitted.values, 5.76e23)
    error = exponent_error(HOFFMANN, fitted.values, fitted.covariance, 5.76e23)
    assert found.a == pytest.approx(0.513, abs=0.003)  # Besiroglu et al. 2024
    assert 0.005 < error < 0.03


@pytest.mark.parametrize(
    ("law", "options", "message"),
    [
        ("clark_separable", {}, "law 'clark_separable' has no D, its features are N, E"),
        ("henighan_c", {}, "law 'henighan_c' has no N"),
        ("muennighoff", {}, "fix uD, as with at={'uD': 1.0} or --at uD=1"),
        ("kumar_precision", {"at": {"P_w": 16.0}}, "fix P_a, P_kv,"),
        ("kumar_precision", {"at": {"P_v": 16.0}}, "no feature 'P_v' to fix: did you mean 'P_"),
        ("hoffmann", {"at": {"N": 1e9}}, "N cannot be fixed"),
        ("hoffmann", {"at": {"E": 8.0}}, "no feature 'E' to fix: there are none"),
        ("muennighoff", {"at": {"uD": np.nan}}, "'uD' is fixed at nan"),
        ("hoffmann", {"flop_per": 0.0}, "flop_per is 0"),
        ("hoffmann", {"tokens_per_parameter": (10.0, 1.0)}, "the smaller first"),
        ("hoffmann", {"compute": -1e20}, "compute is -1e+20"),
        ("hoffmann", {"compute": [1e20, np.inf]}, "give a positive number"),
        ("hoffmann", {"constants": np.ones((4, 3))}, "takes (sets, 5), a row of E0, A, B, alpha, beta for each set"),
        ("hoffmann", {"constants": {"A": 1.0}}, "needs a value of the constant 'E0'"),
        ("shukor_joint", {}, "bind it to components first"),
    ],
)
def test_what_cannot_be_allocated_is_said(law: str, options: dict[str, Any], message: str) -> None:
    loaded = load_law(law)
    given = {"constants": loaded.published[0].values if loaded.published else {}, "compute": 1e22, **options}
    with pytest.raises(InputError) as caught:
        allocate(loaded, given.pop("constants"), given.pop("compute"), **given)
    assert message in str(caught.value)


def test_a_covariance_of_other_constants_is_refused() -> None:
    with pytest.raises(InputError, match="has 5 constants"):
        exponent_error(HOFFMANN, CHINCHILLA, np.eye(3), 1e22)


def test_a_law_of_a_mixture_is_allocated_at_fixed_shares() -> None:
    law = load_law("shukor_additive").bind({"r": ("code", "web")})
    assert {"N", "D"} < set(law.columns)
    values = {name: float(np.mean(constant.range)) for name, constant in law.parameters.items()}
    at = {"r_code": 0.3, "r_web": 0.7}
    assert allocate(law, values, 1e22, at=at).N.shape == ()
    with pytest.raises(InputError, match="fix r_web"):
        allocate(law, values, 1e22, at={"r_code": 0.3})
