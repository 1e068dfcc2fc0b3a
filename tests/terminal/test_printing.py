"""What is printed fits a terminal, and is whole, without colour, elsewhere."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from rich.console import Console

from discover.terminal import print_json, printing, warn
from discover.terminal.printing import ENDLESS, console, counted, print_list, print_source

LONG = "E0 + A/N**alpha + B/D**beta" * 12
ENTRIES = [
    {"name": "short", "kind": "published", "formula": "c", "source": "Ada 2020"},
    {"name": "a_name_of_some_length", "kind": "null", "formula": LONG, "source": None},
]


def listed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_list(ENTRIES, ("name", "kind", "formula", "source"), cut=("formula",), optional=("kind", "source"))
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Standard output is taken for a terminal of 60 columns."""
    monkeypatch.setattr(printing, "console", lambda: Console(force_terminal=True))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    return monkeypatch


def test_a_long_cell_is_whole_elsewhere_than_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    heading, first, second = listed(capsys)
    assert heading.split() == ["name", "kind", "formula", "source"]
    assert first.split() == ["short", "published", "c", "Ada", "2020"]
    assert LONG in second


@pytest.mark.usefixtures("terminal")
def test_a_narrow_terminal_cuts_long_cells_and_leaves_columns_out(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys)
    assert {len(line) for line in lines[3:]} == {60}  # below the heading, which is bold
    assert "a_name_of_some_length" in lines[4]  # a name is never cut
    assert "…" in lines[4]
    assert "published" not in "".join(lines)  # the kind is the first column to go


def test_a_wide_terminal_shows_all_columns(capsys: pytest.CaptureFixture[str], terminal: pytest.MonkeyPatch) -> None:
    terminal.setenv("COLUMNS", "100")
    text = "\n".join(listed(capsys))
    assert "published" in text
    assert "Ada 2020" in text


def test_nothing_is_coloured_elsewhere_than_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    listed(capsys)
    warn(["[bold]N[/bold] is odd"])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert said.err == "discover: warning: [bold]N[/bold] is odd\n"  # what looks like markup is text


def test_json_has_null_for_what_is_not_finite(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"rmse": math.nan, "rows": np.int64(3), "α": (np.float64(0.5), math.inf)})
    assert json.loads(capsys.readouterr().out) == {"rmse": None, "rows": 3, "α": [0.5, None]}


def test_notes_are_as_the_card_breaks_them_in_a_file_and_flow_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    notes = "one\ntwo\n\nthree"
    assert console().width == ENDLESS
    print_source(console(), None, notes)
    assert capsys.readouterr().out == "\none\ntwo\n\nthree\n"
    print_source(Console(force_terminal=True, color_system=None), None, notes)
    assert "one two" in capsys.readouterr().out


def test_counts_have_their_plural() -> None:
    assert [counted(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
