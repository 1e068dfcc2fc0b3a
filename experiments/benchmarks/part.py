"""A part of the benchmark: its numbers, and the table that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Part:
    """What one part measured.

    Attributes
    ----------
    name, title
        How it is called on the command line, and its heading.
    compared
        A sentence or two on what was compared.
    numbers
        All that was measured, ready for JSON.
    columns, rows
        The table, as text.
    remarks
        What its reader must know: scaled times, missing data, runs that were cut.
    """

    name: str
    title: str
    compared: str
    numbers: dict[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    remarks: Sequence[str] = field(default_factory=tuple)

    def markdown(self) -> str:
        """Heading, table, what was compared, and the remarks."""
        lines = [f"## {self.title}", "", _row(self.columns), _row(["---"] * len(self.columns))]
        lines += [_row(row) for row in self.rows]
        lines += ["", self.compared, *(f"\n{remark}" for remark in self.remarks), ""]
        return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def seconds(value: float | None) -> str:
    """A time as it is shown: three digits, in ms below a second."""
    if value is None:
        return "-"
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def ratio(value: float | None) -> str:
    """How many times faster, as it is shown."""
    return "-" if value is None else f"{value:.3g}"


def excess(ours: float, theirs: float, floor: float = 0.0) -> float:
    """(ours - theirs) / theirs: how much higher our objective is; `floor` is what mere rounding amounts to."""
    if not np.isfinite(theirs):
        return float("-inf") if np.isfinite(ours) else 0.0
    return (ours - theirs) / max(theirs, floor, 1e-300)
