"""Which laws go with which datasets, and which stand beside the found ones without being named."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from discover.dataset import Dataset, Feature, Target
from discover.errors import InputError
from discover.law import Constant, Law, load_law
from discover.matching import baselines_for, is_default_baseline, match, why_not

PLAIN = Feature(column="x", unit="parameters", meaning="how large")
SHARE = Feature(column="x", kind="share")
MIXTURE = Feature(columns=["web", "code"], kind="mixture")
CATEGORY = Feature(column="x", kind="category")


def dataset(target: str = "L", unit: str = "nats/token", **features: Feature) -> Dataset:
    """A dataset with these features; two rows of ones."""
    parts = {name: ("web", "code") for name, feature in features.items() if feature.vector}
    made = Dataset("mine", "Mine", pd.DataFrame(), features, Target(column="loss", symbol=target, unit=unit), parts)
    return replace(made, table=pd.DataFrame(1.0, index=[1, 2], columns=[*made.scalars, target]))


def law(formula: str, *features: str, mixtures: tuple[str, ...] = (), **keys: object) -> Law:
    names = {"c", "a", "t"} & set(formula.replace("(", " ").replace(")", " ").replace("*", " ").split())
    constants = {name: Constant(range=(0.1, 10.0)) for name in sorted(names)}
    return Law("law", "A law", formula, dict.fromkeys(features, ""), constants, mixtures=mixtures, **keys)  # type: ignore[arg-type]


OF_N = law("c * N ** a", "N")
OF_R = law("exp( sum( t * r ) )", "r", mixtures=("r",))
OF_ANY = law("c * x ** a", "x", any_feature=True, kind="null")


@pytest.mark.parametrize(
    ("chosen", "features", "target", "reason"),
    [
        (OF_N, {"N": PLAIN}, "L", ""),
        (OF_N, {"N": PLAIN, "D": PLAIN}, "L", ""),
        (OF_N, {"D": PLAIN, "U": PLAIN}, "L", "the law needs N, and the features are D, U"),
        (OF_N, {"N": PLAIN}, "eta", "the law predicts 'L', and the target is 'eta'"),
        (OF_N, {"N": MIXTURE}, "L", "N is a plain number in the law, and a mixture in the data"),
        (OF_N, {"N": CATEGORY}, "L", "N is a plain number in the law, and a category in the data"),
        (OF_R, {"r": MIXTURE}, "L", ""),
        (OF_R, {"r": PLAIN}, "L", "r is a mixture in the law, and a plain number in the data"),
        (OF_R, {"r": CATEGORY}, "L", ""),  # its columns sum to one too
        (OF_ANY, {"N": PLAIN}, "eta", ""),  # a shape, of whatever target
        (OF_ANY, {"r": MIXTURE, "D": PLAIN}, "L", ""),
        (OF_ANY, {"r": MIXTURE}, "L", "no feature is a plain number that it can stand on"),
        (OF_ANY, {"s": SHARE}, "L", "no feature is a plain number that it can stand on"),  # a share may be zero
        (OF_ANY, {"a": PLAIN}, "L", ""),  # as its constant is called
    ],
)
def test_a_law_fits_where_its_features_and_target_are_measured(
    chosen: Law, features: dict[str, Feature], target: str, reason: str
) -> None:
    assert why_not(chosen, features, target) == reason
    data = dataset(target, **features)
    if reason:
        with pytest.raises(InputError) as caught:
            match(chosen, data)
        assert str(caught.value) == f"law 'law' does not fit dataset 'mine': {reason}"
    else:
        assert set(match(chosen, data).columns) <= set(data.scalars)
        assert match(chosen, data).target == target


def test_a_mixture_is_bound_to_the_components_of_the_data() -> None:
    bound = match(OF_R, dataset(N=PLAIN, r=MIXTURE))
    assert list(bound.parameters) == ["t_web", "t_code"]
    assert list(bound.columns) == ["r_web", "r_code"]


def test_a_law_of_any_feature_stands_on_the_first_plain_number() -> None:
    data = dataset("eta", "1", r=MIXTURE, s=SHARE, D=PLAIN, N=PLAIN)
    assert list(match(OF_ANY, data).features) == ["D"]
    every = baselines_for(OF_ANY, data)
    assert [list(each.features) for each in every] == [["D"], ["N"]]
    assert [each.name for each in every] == ["law_D", "law_N"]
    assert {(each.target, each.unit) for each in every} == {("eta", "1")}
    assert every[0].features["D"] == "how large"


def test_a_feature_called_as_a_constant_has_its_null_law_too() -> None:
    data = dataset(a=PLAIN, N=PLAIN)
    assert [(list(each.features), each.formula) for each in baselines_for(OF_ANY, data)] == [
        (["a"], "a**a_*c"),
        (["N"], "N**a*c"),
    ]


def test_a_baseline_predicts_in_the_unit_of_the_rows() -> None:
    (each,) = baselines_for(OF_N, dataset(unit="bits/character", N=PLAIN))
    assert each.unit == "bits/character"


def test_the_features_of_a_baseline_are_those_of_the_rows() -> None:
    told = replace(OF_N, features={"N": "parameters of the paper's models"})
    (each,) = baselines_for(told, dataset(N=PLAIN))
    assert each.features == {"N": "how large"}
    (each,) = baselines_for(told, dataset(N=Feature(column="x")))  # a card may leave the meaning out
    assert each.features == {"N": "parameters of the paper's models"}


def test_a_constant_predicts_any_target() -> None:
    constant = load_law("constant")
    assert why_not(constant, {"N": PLAIN}, "eta") == ""
    (each,) = baselines_for(constant, dataset("eta", "1", N=PLAIN))
    assert (each.target, each.unit) == ("eta", "1")


@pytest.mark.parametrize(
    ("chosen", "features", "default"),
    [
        (OF_N, {"N": PLAIN}, True),
        (OF_N, {"N": PLAIN, "D": PLAIN}, False),  # one feature of several: no rival
        (OF_N, {"N": PLAIN, "m": CATEGORY}, False),
        (OF_N, {"D": PLAIN}, False),
        (replace(OF_N, kind="found"), {"N": PLAIN}, False),
        (replace(OF_N, kind="null"), {"N": PLAIN, "D": PLAIN}, True),
        (OF_ANY, {"N": PLAIN, "D": PLAIN}, True),
        (replace(OF_ANY, kind="published"), {"N": PLAIN, "D": PLAIN}, False),
        (replace(OF_ANY, kind="published"), {"D": PLAIN}, True),
        (OF_R, {"r": MIXTURE}, True),
        (OF_R, {"r": MIXTURE, "N": PLAIN}, True),  # a mixture is many numbers
        (law("c * N * D", "N", "D"), {"N": PLAIN, "D": PLAIN, "U": PLAIN}, True),
    ],
)
def test_which_laws_stand_beside_the_found_ones(chosen: Law, features: dict[str, Feature], default: bool) -> None:
    assert is_default_baseline(chosen, dataset(**features)) is default


@pytest.mark.parametrize(
    ("name", "features", "target", "fits", "default"),
    [
        ("hoffmann", ["N", "D"], "L", True, True),
        ("hoffmann", ["N", "D", "uD"], "L", True, True),
        ("hoffmann", ["N", "C"], "L", False, False),
        ("muennighoff", ["N", "D"], "L", False, False),
        ("muennighoff", ["N", "D", "uD"], "L", True, True),
        ("kaplan_n", ["N", "D"], "L", True, False),
        ("kaplan_n", ["N"], "L", True, True),
        ("step_law_lr", ["N", "D"], "eta", True, True),
        ("step_law_lr", ["N", "D"], "L", False, False),
        ("step_law_b", ["N", "D"], "eta", False, False),
        ("powerlaw_one_feature", ["N", "D"], "eta", True, True),
        ("clark_saturating", ["N", "E"], "L", True, True),
        ("ye_m4", ["N"], "L", False, False),
    ],
)
def test_published_laws_find_their_datasets(
    name: str, features: list[str], target: str, fits: bool, default: bool
) -> None:
    chosen, data = load_law(name), dataset(target, **dict.fromkeys(features, PLAIN))
    assert (why_not(chosen, data.features, target) == "") is fits
    assert is_default_baseline(chosen, data) is default
