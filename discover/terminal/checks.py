"""What `discover data check` found: a line a card, then what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from discover.terminal.printing import console, print_json, write

if TYPE_CHECKING:
    from discover.verification import Verdict


NAME = 28  # columns of a name; longer ones push their line to the right


def show_verdicts(verdicts: Iterable[Verdict], *, as_json: bool = False) -> bool:
    """A line a card, as soon as it is known, and what is wrong with it below; whether anything is wrong."""
    if as_json:
        found = list(verdicts)
        print_json([{**asdict(verdict), "path": str(verdict.path)} for verdict in found])
        return any(verdict.state == "wrong" for verdict in found)
    to = console()
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        line = f"{verdict.card:<10}  {verdict.name:<{NAME}}  {verdict.state}"
        write(to, f"{line}: {verdict.detail}" if verdict.detail else line, "red" if verdict.state == "wrong" else None)
        for problem in verdict.problems:
            write(to, f"  {problem}")
        counts[verdict.state] += 1
    write(to, ", ".join(f"{counts[state]} {state}" for state in ("ok", "not downloaded", "wrong") if counts[state]))
    return counts["wrong"] > 0
