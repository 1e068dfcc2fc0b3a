"""Sanity: published laws behave, and each way to misbehave is seen where it happens."""

from __future__ import annotations

import re

import numpy as np
import pytest

from discover.formula import parse
from discover.law import Law, load_law
from discover.sanity import SanityCheck, bent_features, passes, sanity

COLUMNS = {
    "N": np.geomspace(1e7, 1e10, 12),
    "D": np.geomspace(1e9, 1e12, 12),
    "uD": np.geomspace(1e8, 1e11, 12),
    "E": np.geomspace(1, 512, 12),
}
KINDS = {"N": "size", "D": "tokens", "uD": "tokens", "E": "count"}
GOOD = "1.8 + 480/N**0.35 + 2000/D**0.37"


def checked(formula: str, *, positive: bool = True) -> dict[str, SanityCheck]:
    """The sanity card of a formula without open constants."""
    expression = parse(formula, features=COLUMNS, constants=())
    used = {symbol.name: "" for symbol in expression.free_symbols}
    law = Law("mine", "mine", formula, {name: "" for name in COLUMNS if name in used}, {})
    return {check.name: check for check in sanity(law, {}, COLUMNS, KINDS, positive=positive)}


def failed(card: dict[str, SanityCheck]) -> set[str]:
    return {name for name, check in card.items() if check.verdict == "fail"}


def witness_of(check: SanityCheck, name: str) -> float:
    """Value of a feature in the witness of a check."""
    return float(re.search(rf"\b{name} = (\S+?)(?:,|$)", check.witness)[1])


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (name, number)
        for name in ("hoffmann", "kaplan_nd", "clark_saturating", "clark_bilinear", "clark_separable", "muennighoff")
        for number in range(len(load_law(name).published))
    ],
)
def test_published_laws_pass_every_check_at_their_published_constants(name, number):
    law = load_law(name)
    values = law.published[number].values
    card = sanity(law, values, {feature: COLUMNS[feature] for feature in law.features}, KINDS)
    assert [check.name for check in card if check.verdict != "pass"] == []
    assert passes(card)
    sizes = sum(KINDS[feature] in ("size", "tokens") for feature in law.features)
    assert len(card) == 3 * sizes + 1  # falls, diminishes and limit of each size, and that it is finite


def test_the_null_laws_pass():
    law = load_law("powerlaw_one_feature").on("D")
    assert passes(sanity(law, law.published[1].values, {"D": COLUMNS["D"]}, KINDS))
    assert passes(sanity(load_law("constant"), {"c": 2.0}, COLUMNS, KINDS))


def test_a_law_that_rises_fails_where_it_rises():
    card = checked("1.8 + 0.1*N**0.05 + 2000/D**0.37")
    assert {"falls in N", "limit in N"} <= failed(card)
    assert card["falls in N"].witness.startswith("rises at")
    assert witness_of(card["falls in N"], "N") < 2e7  # from the first step of the grid on
    assert card["falls in D"].verdict == "pass"


def test_a_law_that_falls_over_the_data_and_rises_beyond_fails_beyond():
    # The derivative vanishes at N = (0.35*480/1e-12)**(1/1.35), about 3e10: three times the largest model.
    card = checked("1.8 + 480/N**0.35 + 1e-12*N")
    assert "falls in N" in failed(card)
    assert 2.9e10 < witness_of(card["falls in N"], "N") < 5e10


def test_a_law_may_rise_in_what_is_no_size():
    assert failed(checked("1.8 + 480/N**0.35 + 0.01*E")) == set()


def test_a_pole_beyond_the_data_is_seen_where_the_law_jumps_over_it():
    card = checked("1.8 - 1e10/(3e11 - N)")
    assert {"falls in N", "returns diminish in N"} <= failed(card)  # downwards to the pole, and up behind it
    step = 1e5 ** (1 / 40)  # of the grid, from 1e7 to 1e12 in 41 points
    assert 3e11 < witness_of(card["falls in N"], "N") < 3e11 * step
    assert witness_of(card["returns diminish in N"], "N") < 3e11


def test_a_logarithm_falls_below_zero_without_end():
    card = checked("20.0 - 0.5*log(N)")
    assert failed(card) == {"limit in N"}  # over the data and a hundred times beyond nothing is wrong
    assert card["limit in N"].witness.startswith("negative at N = ")
    assert witness_of(card["limit in N"], "N") > 1e100


def test_a_target_that_may_be_negative_may_be_a_logarithm():
    assert failed(checked("20.0 - 3.0*log(N)", positive=False)) == set()
    assert "finite and positive" in failed(checked("20.0 - 3.0*log(N)"))


def test_an_upturn_far_out_is_seen():
    card = checked("1.8 + 480/N**0.35 + 1e-60*N")
    assert failed(card) == {"limit in N"}
    assert card["limit in N"].witness.startswith("rising at N = ")


def test_a_law_that_is_flat_and_then_dives_has_returns_that_do_not_diminish():
    # A logistic curve in log N with its middle at N = 1e9.
    card = checked("3.0 - 1.5/(1 + (1e9/N)**2.5)")
    assert failed(card) == {"returns diminish in N"}
    check = card["returns diminish in N"]
    assert check.witness.startswith("falls faster at")
    assert witness_of(check, "N") < 1e9  # the curve bends downwards before its middle


def test_where_the_measured_losses_bend_a_law_may_bend_too_but_not_beyond_them():
    within, beyond = "3.0 - 1.5/(1 + (1e8/N)**0.5)", "3.0 - 1.5/(1 + (1e12/N)**0.5)"
    for formula, verdicts in ((within, ("fail", "pass")), (beyond, ("fail", "fail"))):
        law = Law("mine", "mine", formula, {"N": ""}, {})
        for bent, verdict in zip(((), ("N",)), verdicts, strict=True):
            lines = sanity(law, {}, {"N": COLUMNS["N"]}, KINDS, bent=bent)
            assert next(line.verdict for line in lines if line.name == "returns diminish in N") == verdict


def test_measured_losses_bend_where_many_of_their_curves_do():
    sizes = np.tile(np.geomspace(1e2, 1e5, 8), 5)
    groups = np.repeat(np.array(list("abcde"), dtype=object), 8)
    flat_first = 1 + 300 / (100 + sizes**0.5)
    power = 1 + 30 / sizes**0.3
    kinds = {"D": "tokens", "N": "size", "eta": "rate"}
    assert bent_features({"D": sizes}, flat_first, groups, kinds) == {"D"}
    assert bent_features({"D": sizes}, power, groups, kinds) == frozenset()
    most = np.where(groups == "c", power, flat_first)
    assert bent_features({"D": sizes}, most, groups, kinds) == {"D"}
    few = np.where(groups == "c", flat_first, power)
    assert bent_features({"D": sizes}, few, groups, kinds) == frozenset()
    assert bent_features({"eta": sizes}, flat_first, groups, kinds) == frozenset()  # no size
    three = np.arange(40) % 8 < 3
    assert bent_features({"D": sizes[three]}, flat_first[three], groups[three], kinds) == frozenset()  # no curves
    other = {"D": sizes, "N": np.arange(1.0, 41.0)}
    assert bent_features(other, flat_first, None, kinds) == frozenset()  # no rows that differ in one size only


def test_shares_are_taken_as_the_data_have_them():
    # Of a mixture that sums to one the law is finite; where code and web are both one it would not be.
    shares = np.random.default_rng(0).dirichlet([1.0, 1.0], size=30)
    columns = {"N": np.geomspace(1e7, 1e9, 30), "r_code": shares[:, 0], "r_web": shares[:, 1]}
    kinds = {"N": "size", "r_code": "mixture", "r_web": "mixture"}
    law = Law("mine", "mine", "1.0 + 100/N**0.3 + log(1.5 - r_code - r_web)", dict.fromkeys(columns, ""), {})
    assert failed({check.name: check for check in sanity(law, {}, columns, kinds)}) == set()
    zero = {**columns, "r_code": np.zeros(30), "r_web": np.ones(30)}
    assert failed({check.name: check for check in sanity(law, {}, zero, kinds)}) == set()


def test_a_dive_beyond_the_data_is_seen_too():
    card = checked("3.0 + 480/N**0.35 - 2.5/(1 + (3e11/N)**4)")
    assert "returns diminish in N" in failed(card)
    assert 1e10 < witness_of(card["returns diminish in N"], "N") < 3e11


def test_a_region_without_a_value_fails_where_it_begins():
    card = checked("1.8 + 0.01*log(5e10 - N)")
    check = card["falls in N"]
    assert check.verdict == "fail"
    assert check.witness.startswith("not finite at N = ")
    assert 5e10 <= witness_of(check, "N") < 1e11
    assert card["returns diminish in N"].verdict == "unknown"  # nothing can be said
    assert "finite and positive" in failed(card)


def test_a_law_need_not_have_a_value_below_the_data():
    assert failed(checked(GOOD + " - 1e-9*log(N - 8e6)")) == set()
    assert "finite and positive" in failed(checked(GOOD + " - 1e-9*log(N - 2e7)"))


def test_a_law_whose_limit_cannot_be_computed_is_not_failed_for_it():
    # Far out, the last term is zero times infinity.
    card = checked(GOOD + " + 1e-40*N**3*exp(-N/1e9)")
    assert card["limit in N"].verdict == "unknown"
    assert witness_of(card["limit in N"], "N") > 1e100
    assert passes(list(card.values()))
    both = [SanityCheck("one", "unknown", "it cannot be computed"), SanityCheck("two", "pass")]
    assert passes(both)
    assert not passes([*both, SanityCheck("three", "fail", "somewhere")])


def test_interactions_are_seen_at_any_level_of_the_other_feature():
    # It falls in N where D is large, and rises where D is small: 1.2e9 tokens turn the sign of the exponent.
    card = checked("2.0 + 0.1*N**(0.05 - log(D)/450)")
    assert "falls in N" in failed(card)
    assert witness_of(card["falls in N"], "D") < 1e10
