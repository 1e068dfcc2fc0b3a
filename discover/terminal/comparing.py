"""What laws are to each other, a pair a line, and why something could not be told."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.markup import escape

from discover.terminal.printing import console, new_table, print_json, write

if TYPE_CHECKING:
    from discover.compared import Comparison, Pair

STYLES = {"same": "bold green", "special case": "green", "generalisation": "green", "could not tell": "yellow"}


def show_comparison(comparison: Comparison, *, as_json: bool = False) -> None:
    """What laws are to each other, and which errs less."""
    if as_json:
        print_json(comparison.as_record())
        return
    to = console()
    if comparison.on:
        write(to, f"on {comparison.on}; errors are RMSE on held-out rows in {comparison.unit}", style="bold")
    for name, formula in _formulas(comparison).items():
        write(to, f"  {name} = {formula}")
    write(to)
    told = any(pair.difference for pair in comparison.pairs)
    headings = ["law", "is to", "by formula", "at", "by predictions", "residual", "back"]
    table = new_table(to, *headings, "error", "other's", *["difference"] * told)
    for pair in comparison.pairs:
        cells = [*_relations(pair), *_errors(pair), *[_difference(pair)] * told]
        numeric = pair.numeric.relation if pair.numeric else pair.symbolic.relation
        table.add_row(*map(escape, cells), style=STYLES.get(numeric))
    to.print(table)
    for pair in comparison.pairs:
        reason = pair.as_record()["reason"]
        if reason and (pair.numeric is None or pair.numeric.relation == "could not tell"):
            write(to, f"{pair.one.law.name} and {pair.other.law.name}: {reason}")
    if comparison.on:
        write(to, "residual: how well the other law meets this law's predictions; back: this law those of the other")


def _formulas(comparison: Comparison) -> dict[str, str]:
    laws = [side.law for pair in comparison.pairs for side in (pair.one, pair.other)]
    chosen = {side.law.name for pair in comparison.pairs for side in (pair.one, pair.other) if side.selected}
    shown = {}
    for law in laws:
        parts = "".join(f"; {name} = {text}" for name, text in law.let.items())
        shown[f"{'* ' if law.name in chosen else ''}{law.name}: {law.target}"] = f"{law.formula}{parts}"
    return shown


def _relations(pair: Pair) -> list[str]:
    symbolic, numeric = pair.symbolic, pair.numeric
    mark = "* " if pair.one.selected else ""
    cells = [f"{mark}{pair.one.law.name}", pair.other.law.name, symbolic.relation, ", ".join(symbolic.settings)]
    if numeric is None:
        return [*cells, "-", "-", "-"]
    return [*cells, numeric.relation, _residual(numeric.met.residual), _residual(numeric.meets.residual)]


def _errors(pair: Pair) -> list[str]:
    return ["-" if math.isnan(error) else f"{error:.4f}" for error in (pair.one.heldout_rmse, pair.other.heldout_rmse)]


def _difference(pair: Pair) -> str:
    if not pair.difference:
        return ""
    value, low, high = (pair.difference[key] for key in ("difference", "low", "high"))
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})" if math.isfinite(low) else f"{value:+.4f}"


def _residual(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0e}"
