"""What `discover data check` found: a line a card, then what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from discover.terminal.printing import console, print_json, write

if TYPE_CHECKING:
    from discover.verification import Verdict


def show_verdicts(verdicts: Sequence[Verdict], *, as_json: bool = False) -> None:
    """A line a card; what is wrong with a card stands in the line below it."""
    if as_json:
        print_json([{**asdict(verdict), "path": str(verdict.path)} for verdict in verdicts])
        return
    to = console()
    width = max((len(verdict.name) for verdict in verdicts), default=0)
    for verdict in verdicts:
        line = f"{verdict.card:<10}  {verdict.name:<{width}}  {verdict.state}"
        write(to, f"{line}: {verdict.detail}" if verdict.detail else line, "red" if verdict.state == "wrong" else None)
        for problem in verdict.problems:
            write(to, f"  {problem}")
    counts = Counter(verdict.state for verdict in verdicts)
    write(to, ", ".join(f"{counts[state]} {state}" for state in ("ok", "not downloaded", "wrong") if counts[state]))
