"""Any text becomes LaTeX that compiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discover.export.escaping import escape


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50% of C4_en & co. #1", r"50\% of C4\_en \& co. \#1"),
        (r"a\b{c}$^~", r"a\textbackslash{}b\{c\}\$\textasciicircum{}\textasciitilde{}"),
        ("Gödel, Erdős, Ångström, Straße", r"G\"{o}del, Erd\H{o}s, \r{A}ngstr\"{o}m, Stra\ss{}e"),
        ("Δλ ≥ 2×", r"$\Delta$$\lambda$ $\geq$ 2$\times$"),
        ("two\n\nlines\tand  spaces ", "two lines and spaces"),
        ("[1] *", r"{[}1{]} {*}"),
        ("学 x² ﬁ\u200b\x7f", "? x2 fi"),
    ],
)
def test_special_characters_are_escaped_and_accents_are_commands(text, latex):
    assert escape(text) == latex


def test_running_text_may_break_after_an_underscore():
    assert escape("a_b", breakable=True) == r"a\_\allowbreak{}b"


@given(st.text())
def test_the_result_is_ascii_on_one_line_whatever_the_text(text):
    latex = escape(text)
    assert latex.isascii()
    assert "\n" not in latex
    unescaped = latex.replace(r"\{", "").replace(r"\}", "")
    assert unescaped.count("{") == unescaped.count("}")
