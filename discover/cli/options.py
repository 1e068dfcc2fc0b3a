"""What several commands have in common: their options, and how a list ends."""

from __future__ import annotations

from typing import Annotated

import typer

Engines = Annotated[
    list[str] | None,
    typer.Option(metavar="ENGINE", help="grammar, operon or pysr; may be given more than once (default: the card's)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Search = Annotated[
    str | None, typer.Option(metavar="WORDS", help="Only those that hold all of these words, in any case.")
]


def after_list(count: int, unreadable: list[str], word: str, *, as_json: bool) -> None:
    """What a list leaves to say: that nothing was found, which cards cannot be read."""
    from discover import terminal

    if not count and not as_json:
        terminal.warn([f"no {word} is like that"], word="")
    if unreadable:
        terminal.warn(unreadable, word="")
        raise typer.Exit(1)
