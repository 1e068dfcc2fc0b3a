"""What is written as TOML is read again as it was."""

from __future__ import annotations

import math
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discover.errors import InputError
from discover.export.toml import dumps

SCALARS = st.one_of(st.text(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_nested_data_round_trip(data):
    assert tomllib.loads(dumps(data)) == data


def test_tables_are_laid_out_as_in_a_card():
    data = {
        "published": [{"values": {"A": 1.0}, "checks": [{"value": 2.0}]}],
        "constants": {"A": {"range": [1.0, math.inf]}},
        "notes": "two\nlines",
        "title": 'A "law"',
    }
    assert dumps(data) == (
        'notes = """\ntwo\nlines"""\n'
        'title = "A \\"law\\""\n'
        "\n[constants]\nA = { range = [1.0, inf] }\n"
        "\n[[published]]\nvalues = { A = 1.0 }\n"
        "\n[[published.checks]]\nvalue = 2.0\n"
    )


def test_numbers_keep_every_digit():
    text = dumps({"a": 0.1 + 0.2, "b": 1e22, "c": 5e-324, "d": np.float64(2.5), "e": -math.inf, "f": math.nan})
    assert text == "a = 0.30000000000000004\nb = 1e+22\nc = 5e-324\nd = 2.5\ne = -inf\nf = nan\n"
    assert math.isnan(tomllib.loads(text)["f"])


def test_what_is_none_is_left_out():
    assert dumps({"a": None, "b": {"c": None, "d": {"e": None}}}) == "[b]\nd = {}\n"


def test_what_toml_cannot_hold_is_refused_by_its_key():
    with pytest.raises(InputError, match=r"a\.b: a complex cannot be written"):
        dumps({"a": {"b": 1j}})
    with pytest.raises(InputError, match=r"title: the character '\\ud800' at 3"):
        dumps({"title": "abc\ud800"})
