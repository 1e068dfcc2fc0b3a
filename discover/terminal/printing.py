"""The ways in which anything is printed: lines, lists, JSON, warnings, progress.

On a terminal lines fit its width, and long cells of a list are cut. Elsewhere nothing is folded, cut or coloured: a
line is as long as it needs to be.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from discover.cite import Cite

Report = Callable[[str], None]
ENDLESS = 100_000  # columns of a file or a pipe
CUT = 24  # columns that a cell which may be cut has at least
BORDER = 3  # columns between two cells of a table on a terminal


def console() -> Console:
    """Where standard output goes."""
    return Console() if sys.stdout.isatty() else Console(width=ENDLESS, soft_wrap=True)


def write(to: Console, text: str = "", style: str | None = None) -> None:
    """Print a text as it is: nothing in it is markup, nothing is highlighted."""
    to.print(text, style=style, markup=False, highlight=False)


def new_table(to: Console, *columns: str, title: str | None = None) -> Table:
    """A table: with lines on a terminal, bare columns elsewhere."""
    if to.is_terminal:
        return Table(*columns, title=title, title_justify="left", box=HEAVY_HEAD)
    return Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))


def print_json(value: Any) -> None:
    """Print a value as JSON; NaN and infinities are null."""
    from discover.export.record import plain

    print(json.dumps(plain(value), indent=2, ensure_ascii=False))


def print_list(
    entries: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    cut: Iterable[str] = (),
    optional: Sequence[str] = (),
    headings: Mapping[str, str] | None = None,
) -> None:
    """Print entries as a table, a line each.

    Parameters
    ----------
    columns
        Keys of the entries, in order.
    cut
        Columns whose cells end in an ellipsis where a terminal is too narrow.
    optional
        Columns that a narrow terminal does without, the first first.
    headings
        What stands above a column, where it is not its key.
    """
    to = console()
    above = {column: (headings or {}).get(column, column) for column in columns}
    cells = {column: [_cell(entry.get(column)) for entry in entries] for column in columns}
    needed = {column: max(map(len, [above[column], *cells[column]])) for column in columns}
    if not to.is_terminal:
        for row in zip(*([above[column], *cells[column]] for column in columns), strict=True):
            line = "  ".join(f"{cell:<{needed[column]}}" for column, cell in zip(columns, row, strict=True))
            write(to, line.rstrip())
        return
    cut = frozenset(cut)
    shown, widths = _fitted(needed, cut, optional, to.width)
    table = new_table(to)
    for column in shown:
        if cut:
            table.add_column(above[column], width=widths[column], no_wrap=True, overflow="ellipsis")
        else:
            table.add_column(above[column], overflow="fold")
    for row in zip(*(cells[column] for column in shown), strict=True):
        table.add_row(*map(escape, row))
    to.print(table)


def _fitted(
    needed: dict[str, int], cut: Set[str], optional: Sequence[str], width: int
) -> tuple[list[str], dict[str, int]]:
    """The columns that fit into `width`, and the width of each."""
    shown = list(needed)
    least = {column: min(size, CUT) if column in cut else size for column, size in needed.items()}
    for column in optional:
        if sum(least[c] + BORDER for c in shown) + 1 <= width:
            break
        shown.remove(column)
    spare = width - 1 - sum(least[column] + BORDER for column in shown)
    for column in shown:  # what is left goes to the columns that were cut, the first first
        more = max(0, min(spare, needed[column] - least[column]))
        least[column], spare = least[column] + more, spare - more
    return shown, least


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def counted(number: int, word: str) -> str:
    """A number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def warn(messages: Iterable[str], *, word: str = "warning: ") -> None:
    """Say on standard error what the reader should know; the output itself stays as programs expect it."""
    to = Console(stderr=True)
    if not to.is_terminal:
        to = Console(stderr=True, width=ENDLESS, soft_wrap=True)
    for message in messages:
        to.print(f"[yellow]discover: {escape(word)}[/yellow]{escape(message)}", highlight=False)


def print_source(to: Console, cite: Cite | None, notes: str) -> None:
    """Where something was published, and what is to be known of it."""
    if cite is not None:
        address = f"https://doi.org/{cite.doi}" if cite.doi else cite.url or ""
        address = f"https://arxiv.org/abs/{cite.arxiv}" if cite.arxiv else address
        write(to, f"\n{cite.authors} ({cite.year}). {cite.title}. {address}".rstrip())
    for paragraph in filter(None, (text.strip() for text in notes.split("\n\n"))):
        # A card breaks its lines where a terminal need not.
        write(to, f"\n{' '.join(paragraph.split()) if to.is_terminal else paragraph}")


def with_error(value: float, error: float | None) -> str:
    """A value rounded to its error."""
    from discover.export import rounded

    return str(rounded(value, error))


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Where progress goes: a line that changes on a terminal, plain lines on standard error elsewhere."""
    to = Console(stderr=True)
    if not to.is_terminal:
        yield lambda message: print(message, file=sys.stderr, flush=True)
        return
    with to.status("starting") as status:

        def report(message: str) -> None:
            to.print(f"[dim]{escape(message)}[/dim]")
            status.update(escape(message))

        yield report
