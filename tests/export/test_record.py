"""The record of a law is plain data, and strict JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from discover.errors import InputError
from discover.export.record import head, record
from discover.law import list_laws, load_law


def test_a_record_holds_what_a_program_wants_to_know():
    law = load_law("hoffmann")
    printed = law.published[2]  # Besiroglu et al. 2024
    result = record(law, printed.values, {**printed.errors, "A": math.nan}, heldout_rmse=0.01)
    assert result["law"] == "hoffmann"
    assert result["target"] == "L"
    assert result["unit"] == "nats/token"
    assert result["formula"] == "E0 + A/N**alpha + B/D**beta"
    assert result["latex"] == r"E_{0} + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}"
    assert result["features"]["D"] == "training tokens"
    assert result["constants"]["E0"] == {"value": 1.8172, "stderr": 0.03}
    assert result["constants"]["A"] == {"value": 482.01, "stderr": None}
    assert result["heldout_rmse"] == 0.01


def test_parts_have_their_text_and_their_latex():
    law = load_law("clark_separable")
    assert record(law, law.published[0].values)["latex_let"] == {}
    law = load_law("clark_bilinear")
    result = record(law, law.published[0].values)
    assert result["let"]["n"] == "log(N)/log(10)"
    assert result["latex_let"]["n"] == r"\log_{10} N"
    assert result["latex"] == "10^{a n + b e + c n e + d}"


@pytest.mark.parametrize("law", list_laws(), ids=lambda law: law.name)
def test_every_law_has_a_record_that_strict_json_takes(law):
    law = law.bind({name: ["code", "web"] for name in law.mixtures})
    result = record(
        law, dict.fromkeys(law.parameters, np.float64(2.5)), scores=np.array([1.0, math.inf]), best=np.True_
    )
    assert result["scores"] == [1.0, None]
    assert result["best"] is True
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_numbers_that_are_not_finite_are_null():
    result = record(
        load_law("constant"), {"c": math.inf}, {"c": math.inf}, score={"rmse": -math.inf, "rows": [math.nan]}
    )
    assert result["constants"] == {"c": {"value": None, "stderr": None}}
    assert result["score"] == {"rmse": None, "rows": [None]}


def test_the_constants_of_a_law_without_values_are_open():
    assert record(load_law("constant"))["constants"] == {"c": {"value": None, "stderr": None}}


def test_a_law_of_any_mixture_has_a_record_with_open_constants():
    result = record(load_law("ye_m4"))
    assert result["constants"] == {name: {"value": None, "stderr": None} for name in ("E0", "t")}
    assert result["formula"] == "E0 + exp(sum(t*r))"


def test_the_record_holds_the_head_of_the_law():
    law = load_law("clark_bilinear")
    assert head(law).items() <= record(law).items()
    assert list(head(law)) == ["title", "kind", "target", "unit", "formula", "let", "features"]


def test_a_key_of_the_record_cannot_be_given_twice():
    with pytest.raises(InputError, match="key 'kind' of its own"):
        record(load_law("constant"), {"c": 1.0}, kind="found")


def test_what_json_cannot_hold_is_refused_by_its_place():
    with pytest.raises(InputError, match=r"scores\.a\[1\]: a complex"):
        record(load_law("constant"), {"c": 1.0}, scores={"a": [1, 1j]})
