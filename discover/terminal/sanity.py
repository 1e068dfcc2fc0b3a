"""The sanity card of a law as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from discover.terminal.printing import new_table

if TYPE_CHECKING:
    from discover.sanity import SanityCard

COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}


def show_sanity(card: SanityCard, to: Console) -> None:
    """The lines of a card."""
    table = new_table(to, "", "check", "witness", title="over the data and 100 times beyond")
    for line in card.lines:
        verdict = f"[{COLOURS[line.verdict]}]{line.verdict}[/]"
        table.add_row(verdict, escape(line.name), escape(line.witness))
    to.print(table)
