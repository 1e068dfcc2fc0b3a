"""A search finds the entries that hold all words, in any case."""

from __future__ import annotations

import pytest

from discover.errors import InputError
from discover.terminal.search import holds

ENTRY = {"name": "step_law_b", "title": "Optimal batch size", "features": {"D": "training tokens"}, "notes": "ReLU²"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("batch", True),
        ("BATCH tokens", True),
        ("batch experts", False),
        ("d", True),  # a symbol
        ("e", False),  # short words stand alone: not the e of "size"
        ("relu²", True),
        ("c++", False),  # no pattern
        ("step_law", True),
    ],
)
def test_all_words_must_be_there_in_any_case(text: str, found: bool) -> None:
    assert holds(ENTRY, ENTRY, text) is found


def test_only_the_named_keys_are_searched() -> None:
    assert not holds(ENTRY, ["name"], "tokens")


@pytest.mark.parametrize("text", ["", "  "])
def test_a_search_for_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--search needs a word"):
        holds(ENTRY, ENTRY, text)
