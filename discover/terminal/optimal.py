"""Compute-optimal models as a table, a budget a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.markup import escape

from discover.terminal.printing import console, new_table, print_json, write

if TYPE_CHECKING:
    from discover.optimal import Optimal


def show_optimal(optimal: Optimal, *, as_json: bool = False) -> None:
    """The models that a law says are the best for their compute."""
    record = optimal.as_record()
    if as_json:
        print_json(record)
        return
    to, law = console(), optimal.law
    write(to, f"{law.name}: {law.target} = {law.formula}", style="bold")
    for name, text in law.let.items():
        write(to, f"  {name} = {text}")
    write(to, f"constants: {optimal.origin}")
    held = "".join(f", {name} = {value:g}" for name, value in optimal.at.items())
    write(to, f"C = {optimal.flop_per:g} N D{held}; N ~ C**a and D ~ C**b there")
    for name in ("N", "D"):
        write(to, f"{name}: {law.columns[name]}")
    entries = record["optima"]
    groups, remarks = (any(entry[key] for entry in entries) for key in ("group", "reason"))
    headings = ["compute", "N", "D", "D/N", law.target, "a", "b"]
    table = new_table(to, *["group"] * groups, *headings, *["remark"] * remarks)
    for entry in entries:
        numbers = [(entry["N"], ".3g"), (entry["D"], ".3g"), (entry["tokens_per_parameter"], ".3g")]
        numbers += [(entry["loss"], ".4f"), (entry["a"], ".3f"), (entry["b"], ".3f")]
        cells = ["-" if math.isnan(value) else f"{value:{form}}" for value, form in numbers]
        extra = [escape(str(entry["reason"]))] * remarks
        table.add_row(*[escape(entry["group"])] * groups, f"{entry['compute']:g}", *cells, *extra)
    write(to)
    to.print(table)
