"""Units of cards: known ones pass, a slip of the pen is refused with the nearest."""

from __future__ import annotations

import pytest

from discover.cards import validate
from discover.dataset import list_datasets
from discover.dataset_card import Feature, Target
from discover.errors import CardError
from discover.units import UNITS, check_unit


@pytest.mark.parametrize("unit", ["", *UNITS])
def test_a_known_unit_passes_as_it_is(unit: str) -> None:
    assert check_unit(unit) == unit


@pytest.mark.parametrize(
    ("unit", "near"),
    [
        ("token", "did you mean 'tokens'?"),
        ("Tokens", "did you mean 'tokens'?"),
        ("nats per token", "did you mean 'nats/token'?"),
        ("flop", "legal are: 1, FLOP, FLOP/token, "),
        (" ", "legal are: 1, "),
        ("none", "legal are: 1, "),
    ],
)
def test_an_unknown_unit_gets_the_nearest(unit: str, near: str) -> None:
    with pytest.raises(ValueError, match="unknown unit") as caught:
        check_unit(unit)
    assert str(caught.value).startswith(f"unknown unit {unit!r}: {near}")
    assert str(caught.value).endswith('"1" is a plain number')


def test_features_and_targets_of_cards_are_checked() -> None:
    for model in (Feature, Target):
        with pytest.raises(CardError, match=r"mine\.toml: unit: unknown unit 'byte': did you mean 'bytes'\?"):
            validate({"column": "N", "unit": "byte"}, model, "mine.toml")


def test_every_number_of_the_projects_datasets_has_a_unit() -> None:
    for name, card in list_datasets().items():
        for symbol, feature in card.features.items():
            assert feature.unit or feature.kind == "category", f"{name}: {symbol}"
        assert card.target.unit, name
