"""The card of a law, read again, is the law."""

from __future__ import annotations

import math
import string
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discover.cards import read_card
from discover.cite import Cite
from discover.errors import InputError
from discover.export.card import fitted_values, law_card
from discover.fitting import fit
from discover.formula import is_name
from discover.law import (
    Check,
    Constant,
    FittedValues,
    Law,
    LawCard,
    Published,
    law_from_card,
    list_laws,
    load_law,
)
from discover.units import UNITS

NAMES = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=8).filter(is_name)
NUMBERS = st.floats(allow_nan=False)
TEXTS = st.text(max_size=30)


def read_again(text: str, name: str, folder: Path) -> Law:
    path = folder / "card.toml"
    path.write_bytes(text.encode("utf-8"))
    return law_from_card(read_card(path, LawCard), name)


@pytest.mark.parametrize("law", list_laws(), ids=lambda law: law.name)
def test_the_card_of_a_built_in_law_gives_an_equal_law(law, tmp_path):
    assert read_again(law_card(law), law.name, tmp_path) == law


def test_the_card_of_a_fitted_law_keeps_title_and_fit(tmp_path):
    law = load_law("powerlaw_one_feature").on("N", "parameters")
    sizes = np.geomspace(1e7, 1e10, 12)
    result = fit(law, {"N": sizes}, (8.8e13 / sizes) ** 0.076, starts=8)
    kept = fitted_values(result, "kaplan", run="runs/1")
    again = read_again(law_card(law, title="Found", fits=[kept]), law.name, tmp_path)
    assert again == replace(law, title="Found", fits=(kept,))
    assert again.fits[0].rows == 12
    assert again.fits[0].values["alpha"] == pytest.approx(0.076, rel=1e-6)  # Kaplan et al. 2020, Eq. 1.1


def test_fits_come_after_those_that_the_law_has(tmp_path):
    first, second = (FittedValues(dataset=name, rows=3, values={"c": 1.0}) for name in "ab")
    law = replace(load_law("constant"), fits=(first,))
    assert read_again(law_card(law, fits=[second]), law.name, tmp_path).fits == (first, second)


def test_an_error_that_is_not_known_is_left_out(tmp_path):
    kept = FittedValues(dataset="d", rows=3, values={"c": 1.0}, errors={"c": None})
    law = load_law("constant")
    assert read_again(law_card(law, fits=[kept]), law.name, tmp_path).fits[0].errors == {}


def test_an_error_that_the_rows_do_not_determine_is_none():
    result = fit(load_law("constant"), {}, np.array([2.0, 2.1, 1.9]), starts=4)
    assert fitted_values(replace(result, errors={"c": math.nan}), "d").errors == {"c": None}


def test_a_text_that_has_no_utf8_is_refused_by_its_key():
    with pytest.raises(InputError, match="title: the character"):
        law_card(load_law("constant"), title="\ud800")


@st.composite
def laws(draw: st.DrawFn) -> Law:
    """Laws of any names, texts and numbers: a sum of constants, of a part, and of a term for each feature."""
    names = draw(st.lists(NAMES, min_size=3, max_size=7, unique=True))
    part, feature, *constants = names
    values = {name: draw(NUMBERS) for name in constants}
    published = Published(
        source=draw(TEXTS),
        on=draw(TEXTS),
        values=values,
        errors=draw(st.dictionaries(st.sampled_from(constants), NUMBERS)),
        unverified=draw(st.booleans()),
        note=draw(TEXTS),
        checks=draw(st.lists(st.builds(Check, value=NUMBERS, at=st.just({feature: 2.0}), because=TEXTS), max_size=2)),
    )
    return Law(
        name="any",
        title=draw(TEXTS),
        formula=" + ".join([part, *constants]),
        let={part: f"{feature}**2"},
        features={feature: draw(TEXTS)},
        constants={name: draw(constant()) for name in constants},
        kind=draw(st.sampled_from(["published", "found", "null"])),
        target=draw(TEXTS),
        unit=draw(st.sampled_from(["", *UNITS])),
        cite=draw(st.none() | st.builds(Cite, key=TEXTS, authors=TEXTS, title=TEXTS, year=st.integers(1900, 2100))),
        published=draw(st.sampled_from([(), (published,)])),
        fits=tuple(
            FittedValues(dataset=draw(TEXTS), rows=3, values=values, objective=draw(NUMBERS))
            for _ in range(draw(st.integers(0, 2)))
        ),
        notes=draw(TEXTS),
        unverified=draw(st.booleans()),
        any_feature=draw(st.booleans()),
    )


@st.composite
def constant(draw: st.DrawFn) -> Constant:
    positive = draw(st.booleans())
    low = draw(st.floats(1e-30 if positive else -1e30, 1e30))
    high = draw(st.floats(low, 1e31).filter(lambda high: high > low))
    smallest = draw(st.sampled_from([None, low, -math.inf]))
    return Constant(
        range=(low, high),
        positive=positive,
        log=positive and draw(st.booleans()),
        min=smallest,
        max=draw(st.sampled_from([None, high, math.inf])),
        meaning=draw(TEXTS),
    )


@given(laws())
def test_the_card_of_any_law_gives_an_equal_law(law):
    with tempfile.TemporaryDirectory() as folder:
        assert read_again(law_card(law), law.name, Path(folder)) == law
