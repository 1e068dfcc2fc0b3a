"""Laws: predicting, checking, putting a null law on a feature, and what a wrong law card is told."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discover.cards import validate
from discover.errors import CardError, InputError
from discover.formula import parse, to_text
from discover.law import Check, Law, LawCard, law_from_card, load_law

HOFFMANN = {"E0": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}

CARD = """
title = "A law"
formula = "E0 + A/N**alpha"
[features]
N = "parameters"
[constants]
E0 = { range = [0.1, 4] }
A = { range = [1, 10], log = true }
alpha = { range = [0.1, 1] }
"""


def load(tmp_path: Path, text: str) -> Law:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_law(path)


def says(tmp_path: Path, text: str) -> str:
    with pytest.raises(CardError) as caught:
        load(tmp_path, text)
    file, message = str(caught.value).split(": ", 1)
    assert file == str(tmp_path / "mine.toml")
    return message


# ---- predicting


def test_a_law_predicts_in_the_shape_of_its_features() -> None:
    law = load_law("hoffmann")
    one = law.predict({"N": 1e9, "D": 2e10}, HOFFMANN)
    assert one.shape == ()
    assert float(one) == pytest.approx(1.69 + 406.4 / 1e9**0.34 + 410.7 / 2e10**0.28, rel=1e-14)
    sizes, tokens = np.geomspace(1e7, 1e10, 3), np.geomspace(1e9, 1e11, 4)
    grid = law.predict({"N": sizes[:, None], "D": tokens[None, :]}, HOFFMANN)
    assert grid.shape == (3, 4)
    assert grid[2, 1] == law.predict({"N": sizes[2], "D": tokens[1]}, HOFFMANN)
    assert law.predict({"N": sizes, "D": 2e10}, HOFFMANN).shape == (3,)
    assert law.predict({"N": np.empty(0), "D": np.empty(0)}, HOFFMANN).shape == (0,)


def test_features_may_be_whole_numbers_lists_and_columns_of_a_table() -> None:
    law = load_law("hoffmann")
    expected = law.predict({"N": np.array([1e9, 2e9]), "D": np.array([2e10, 2e10])}, HOFFMANN)
    table = pd.DataFrame({"N": [10**9, 2 * 10**9], "D": [2 * 10**10] * 2})
    assert (law.predict(table, HOFFMANN) == expected).all()
    assert (law.predict({"N": [10**9, 2 * 10**9], "D": 2 * 10**10}, HOFFMANN) == expected).all()


def test_more_features_and_constants_than_needed_are_ignored() -> None:
    law = load_law("hoffmann")
    plain = law.predict({"N": 1e9, "D": 2e10}, HOFFMANN)
    assert law.predict({"N": 1e9, "D": 2e10, "uD": 1e10}, HOFFMANN | {"gamma": 3.0}) == plain


def test_a_row_without_a_real_value_is_not_a_number_and_gives_no_warning() -> None:
    card = LawCard.model_validate(
        {"title": "t", "formula": "a*log(N - 2)", "features": {"N": "size"}, "constants": {"a": {"range": (1, 2)}}}
    )
    predicted = law_from_card(card, "log").predict({"N": [3.0, 2.0, 1.0]}, {"a": 1.0})
    assert predicted[0] == 0.0
    assert predicted[1] == -np.inf
    assert np.isnan(predicted[2])


def test_a_law_that_was_evaluated_can_be_pickled() -> None:
    law = load_law("hoffmann")
    at = {"N": 1e9, "D": 2e10}
    prediction = law.predict(at, HOFFMANN)
    copy = pickle.loads(pickle.dumps(law))
    assert copy == law
    assert copy.predict(at, HOFFMANN) == prediction


def test_a_law_is_shown_by_its_name_and_formula() -> None:
    assert repr(load_law("hoffmann")) == "Law('hoffmann', 'E0 + A/N**alpha + B/D**beta')"


def test_missing_features_and_constants_are_named() -> None:
    law = load_law("hoffmann")
    with pytest.raises(InputError, match="law 'hoffmann' needs the feature 'D': give N, D"):
        law.predict({"N": 1e9}, HOFFMANN)
    with pytest.raises(InputError, match="law 'hoffmann' needs a value of the constant 'beta'"):
        law.predict({"N": 1e9, "D": 2e10}, {name: HOFFMANN[name] for name in ("E0", "A", "B", "alpha")})


def test_parts_of_a_formula_may_use_parts_above(tmp_path: Path) -> None:
    law = load(tmp_path, CARD.replace("A/N**alpha", "A*half").replace("[features]", '[let]\nroot = "N**alpha"\nhalf = "1/(2*root)"\n[features]'))  # fmt: skip  # noqa: E501
    expected = parse("E0 + A/(2*N**alpha)", features=["N"])
    assert law.expression == expected
    assert float(law.predict({"N": 4.0}, {"E0": 1, "A": 8, "alpha": 0.5})) == 3.0


def test_a_part_cannot_use_a_part_below(tmp_path: Path) -> None:
    text = CARD.replace("[features]", '[let]\nhalf = "1/(2*root)"\nroot = "N**alpha"\n[features]')
    assert says(tmp_path, text.replace("A/N**alpha", "A*half")).startswith("let.half: unknown name 'root'")


# ---- a law of any feature


def test_a_null_law_is_put_on_a_feature() -> None:
    law = load_law("powerlaw_one_feature").on("D", "training tokens")
    assert law.name == "powerlaw_one_feature_D"
    assert law.features == {"D": "training tokens"}
    assert law.formula == "(x_c/D)**alpha"
    assert not law.any_feature
    assert float(law.predict({"D": 1e9}, {"x_c": 1e12, "alpha": 0.5})) == pytest.approx(1e3**0.5)


def test_only_a_law_of_any_feature_moves_to_another() -> None:
    with pytest.raises(InputError, match="'hoffmann' has the fixed features N, D"):
        load_law("hoffmann").on("E")


def test_on_a_feature_called_like_a_constant_the_constant_is_renamed() -> None:
    law = load_law("powerlaw_one_feature").on("alpha")
    assert law.formula == "(x_c/alpha)**alpha_"
    assert list(law.constants) == ["x_c", "alpha_"]
    assert float(law.predict({"alpha": 10.0}, {"x_c": 1000.0, "alpha_": 0.5})) == pytest.approx(10)
    before = load_law("powerlaw_one_feature").published[0].values
    assert law.published[0].values == {"x_c": before["x_c"], "alpha_": before["alpha"]}


def test_parts_move_with_a_law_of_any_feature(tmp_path: Path) -> None:
    text = CARD.replace("A/N**alpha", "A/power").replace(
        "[features]", 'any_feature = true\n[let]\npower = "N**alpha"\n[features]'
    )
    law = load(tmp_path, text).on("D")
    assert law.expression == parse("E0 + A/D**alpha", features=["D"])


# ---- checks


@pytest.mark.parametrize(
    ("value", "tolerance", "allowed"),
    [
        (0.46, None, 0.005),  # half of the last digit
        (2.225644089, None, 0.5e-9),
        (1.69, 0.1, 0.169),  # relative
        (-1.69, 0.1, 0.169),
        (300.0, None, 50.0),  # 3e2: a card has no trailing zeros
    ],
)
def test_a_check_agrees_to_the_digits_printed(value: float, tolerance: float | None, allowed: float) -> None:
    assert Check(value=value, tolerance=tolerance).allowed() == pytest.approx(allowed, rel=1e-12)


def test_a_check_is_of_the_target_or_of_a_quantity_derived() -> None:
    law = load_law("hoffmann")
    assert law.check(Check(value=0, at={"N": 1e9, "D": 2e10}), HOFFMANN) == pytest.approx(
        float(law.predict({"N": 1e9, "D": 2e10}, HOFFMANN))
    )
    assert law.check(Check(value=0, of="beta/(alpha + beta)"), HOFFMANN) == pytest.approx(0.28 / 0.62)
    assert law.check(Check(value=0, of="A/N**alpha", at={"N": 1e9}), HOFFMANN) == pytest.approx(406.4 / 1e9**0.34)


def test_a_check_that_lacks_a_feature_says_which() -> None:
    with pytest.raises(InputError, match=r"the check 'A/N\*\*alpha' needs a value of \{N\}"):
        load_law("hoffmann").check(Check(value=0, of="A/N**alpha"), HOFFMANN)


# ---- wrong cards

GOOD = "\n[[published]]\nsource = 's'\nvalues = { E0 = 1, A = 2, alpha = 0.3 }\n"


def test_the_card_of_these_tests_is_a_law(tmp_path: Path) -> None:
    law = load(tmp_path, CARD + GOOD)
    assert law.name == "mine"
    assert law.complexity == 7
    assert law.published[0].values == {"E0": 1, "A": 2, "alpha": 0.3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CARD + "beta = { range = [0, 1] }", "constants.beta: the formula does not use the constant 'beta'"),
        (
            CARD.replace("A/N", "A/M"),
            "formula: unknown name 'M': legal are: A, E0, N, alpha\n  E0 + A/M**alpha\n         ^",
        ),
        (CARD.replace("alpha\"", "alhpa\""), "formula: unknown name 'alhpa': did you mean 'alpha'?"),
        (CARD.replace("A/N**alpha", "A/N^alpha"), "formula: '^' is not an operator"),
        (CARD.replace("A/N**alpha", "A/N.real**alpha"), "formula: an attribute access is not part of a formula"),
        (CARD + GOOD.replace("A = 2", "a = 2"), "published.0.values: unknown constant 'a': legal are: A, E0, alpha"),
        (CARD + GOOD.replace("alpha", "alhpa"), "published.0.values: unknown constant 'alhpa': did you mean 'alpha'?"),
        (CARD + GOOD + GOOD.replace("A = 2, ", ""), "published.1.values: the constant 'A' has no value"),
        (CARD + GOOD.replace("= 2", "= '2?'"), "published.0.values.A: input should be a valid number"),
        (CARD.replace("[features]", 'any_feature = true\n[features]\nD = "tokens"'), "any_feature: such a law has one"),
        (CARD.replace("[features]", '[let]\nE0 = "2"\n[features]'), "the formula does not use the constant 'E0'"),
    ],
)  # fmt: skip
def test_a_card_that_is_no_law_is_told_file_key_and_value(tmp_path: Path, text: str, message: str) -> None:
    assert message in says(tmp_path, text)


# ---- mixtures


MIXING = {
    "title": "Exponential of a mixture",
    "formula": "c + k*exp(sum(t*r))",
    "features": {"r": "training proportions"},
    "mixtures": ["r"],
    "constants": {
        "c": {"range": [0.1, 3], "positive": True},
        "k": {"range": [0.1, 3], "positive": True},
        "t": {"range": [-3, 3], "meaning": "effect of a domain"},
    },
}


def mixing(**changes: object) -> Law:
    return law_from_card(validate({**MIXING, **changes}, LawCard, "mixing.toml"), "mixing", "mixing.toml")


def test_a_law_over_a_mixture_is_evaluated_once_its_components_are_known() -> None:
    law = mixing().bind({"r": ["code", "web"]})
    assert list(law.columns.items()) == [
        ("r_code", "training proportions: code"),
        ("r_web", "training proportions: web"),
    ]
    assert list(law.parameters) == ["c", "k", "t_code", "t_web"]
    assert law.parameters["t_web"].meaning == "effect of a domain: web"
    values = {"c": 1.0, "k": 2.0, "t_code": -0.5, "t_web": 0.25}
    loss = law.predict({"r_code": np.array([0.2, 1.0]), "r_web": np.array([0.8, 0.0])}, values)
    assert loss == pytest.approx([1 + 2 * np.exp(-0.5 * 0.2 + 0.25 * 0.8), 1 + 2 * np.exp(-0.5)])


def test_a_law_over_a_mixture_keeps_its_vector_form() -> None:
    law = mixing().bind({"r": ["code", "web"]})
    assert law.formula == "c + k*exp(sum(t*r))"
    assert to_text(law.expression) == to_text(mixing().expression)


def test_an_unbound_mixture_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="law 'mixing' has a mixture, r: bind it"):
        mixing().predict({}, {})
    with pytest.raises(InputError, match="needs the components of the mixture 'r'"):
        mixing().bind({"r": ["code"]})


def test_components_that_make_two_names_one_are_refused() -> None:
    changed = {**MIXING["constants"], "t_code": {"range": [0, 1]}}  # type: ignore[dict-item]
    law = mixing(formula="c + k*exp(sum(t*r)) + t_code", constants=changed)
    with pytest.raises(InputError, match="two names 't_code'"):
        law.bind({"r": ["code", "web"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixtures": ["s"]}, "'s' is not among the features r"),
        ({"components": {"s": ["a", "b"]}}, "components: 's' is not among the mixtures r"),
        ({"components": {"r": ["a", "a"]}}, "two or more components, each of its own name"),
        ({"formula": "c + k*exp(t*r)"}, "the mixture 'r' stands outside"),
        ({"let": {"T": "sum(t*r)"}, "formula": "c + k*exp(T) + t"}, "'t' stands inside one sum, and outside"),
        ({"published": [{"source": "s", "values": {"c": 1.0}}]}, "need the card's components"),
    ],
)
def test_a_card_whose_mixtures_do_not_agree_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(CardError, match=message):
        mixing(**changes)


def test_a_sum_runs_over_one_mixture() -> None:
    both = {"features": {"r": "", "s": ""}, "mixtures": ["r", "s"]}
    with pytest.raises(CardError, match=r"runs over one mixture, and r and s are inside"):
        mixing(formula="c + k*exp(sum(t*r*s))", **both)
    with pytest.raises(CardError, match="'t' stands inside the sums of two mixtures"):
        mixing(formula="c + k*exp(sum(t*r) + sum(t*s))", **both)


def test_published_constants_of_a_bound_law_have_one_value_a_component() -> None:
    values = {"c": 1.0, "k": 2.0, "t_code": -0.5, "t_web": 0.25}
    check = {"at": {"r_code": 0.5, "r_web": 0.5}, "value": 2.7650}
    law = mixing(components={"r": ["code", "web"]}, published=[{"source": "s", "values": values, "checks": [check]}])
    assert law.check(law.published[0].checks[0], values) == pytest.approx(1 + 2 * np.exp(-0.125))
    del values["t_web"]
    with pytest.raises(CardError, match="'t_web' has no value"):
        mixing(components={"r": ["code", "web"]}, published=[{"source": "s", "values": values}])
