"""A formula drawn in characters: fractions, powers, order of the text, vectors with an index."""

from __future__ import annotations

import pytest

from discover.law import Constant, Law, list_laws, load_law
from discover.terminal.drawing import drawn

LAWS = list_laws()


def law(formula: str, **keys: object) -> Law:
    names = {"a", "b", "c", "alpha", "t"}
    used = {name: Constant(range=(0, 1)) for name in sorted(names) if name in formula}
    given: dict[str, object] = {"features": {"N": "parameters"}, **keys}
    return Law(name="x", title="", formula=formula, constants=used, **given)  # type: ignore[arg-type]


def test_terms_are_in_the_order_of_the_text() -> None:
    assert "\n".join(drawn(load_law("hoffmann"), width=40)) == (
        "         A    B\nL = E₀ + ── + ──\n          α    β\n         N    D"
    )


def test_without_unicode_only_ascii_is_drawn() -> None:
    text = "\n".join(drawn(load_law("hoffmann"), width=40, unicode=False))
    assert text.isascii()
    assert "alpha" in text


def test_a_negative_power_stands_below_the_fraction_bar() -> None:
    assert drawn(law("a*N**(-alpha)"), width=40) == ["    a", "L = ──", "     α", "    N"]
    assert drawn(law("N**(-alpha)"), width=40) == ["    1", "L = ──", "     α", "    N"]


def test_a_sum_over_a_mixture_is_drawn_as_a_vector() -> None:
    lines = drawn(law("c + sum(t*r)", features={"r": "shares"}, mixtures=("r",)), width=40)
    assert any("rᵢ⋅tᵢ" in line for line in lines)
    assert any("i = 1" in line for line in lines)


def test_named_parts_are_drawn_below_in_their_names() -> None:
    text = "\n".join(drawn(load_law("clark_bilinear"), width=60))
    assert "a⋅n + b⋅e" in text
    assert "log(N)" in text


def test_minimum_and_maximum_have_the_names_of_the_language() -> None:
    assert drawn(law("max(a, N)"), width=40) == ["L = max(N, a)"]


def test_what_is_wider_than_the_terminal_is_not_drawn() -> None:
    assert drawn(load_law("hoffmann"), width=15) == []


@pytest.mark.parametrize("each", LAWS, ids=lambda each: each.name)
def test_every_law_of_the_registry_can_be_drawn(each: Law) -> None:
    lines = drawn(each, width=1000)
    assert sum(" = " in line and "i = 1" not in line for line in lines) == 1 + len(each.let)
