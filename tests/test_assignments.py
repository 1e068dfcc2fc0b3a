"""Options that give something to a name."""

from __future__ import annotations

import pytest

from discover.assignments import names, numbers, ranges
from discover.errors import InputError


def test_numbers_names_and_ranges_are_read_with_blanks_too() -> None:
    assert numbers([], "--at", "E=64") == {}
    assert numbers(["P_w = 1.6e1", "E=64"], "--at", "E=64") == {"P_w": 16.0, "E": 64.0}
    assert names(["beta = alpha"], "--tie", "beta=alpha") == {"beta": "alpha"}
    assert ranges(["alpha=:0.5", "A = 1 : "], "--bound", "alpha=0.1:0.5") == {"alpha": (None, 0.5), "A": (1.0, None)}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["=3"], "--fix '=3': write a name and what it gets, as in --fix E0=1.8"),
        (["E0"], "write a name and what it gets"),
        (["E0=x"], "'x' is no number"),
        (["E0=1", "E0=2"], "E0 was given already, 1"),
    ],
)
def test_what_is_no_assignment_is_an_error_that_shows_one(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        numbers(texts, "--fix", "E0=1.8")


@pytest.mark.parametrize("text", ["alpha=0.1", "alpha=a:b"])
def test_a_range_has_two_ends(text: str) -> None:
    with pytest.raises(InputError, match=r"write two numbers, as in --bound alpha=0\.1:0\.5"):
        ranges([text], "--bound", "alpha=0.1:0.5")
