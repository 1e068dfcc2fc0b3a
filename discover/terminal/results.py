"""What a run found: the leaderboard, the chosen law, the verdict, and what to do next."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from discover.choice_text import ENSEMBLE, choice_lines, no_law
from discover.terminal.fits import some_parts
from discover.terminal.printing import console, new_table, print_json, with_error, write

if TYPE_CHECKING:
    from discover.result import Result

FOUND_SHOWN = 8  # found laws of a leaderboard on the terminal; the file has all


def show_result(result: Result, *, as_json: bool = False) -> None:
    """The leaderboard, the chosen law, the verdict, and what to do next."""
    if as_json:
        print_json(_entry(result))
        return
    to, board = console(), result.leaderboard
    shown = _shown(board)
    order = "held-out rows" if result.scored else "no held-out row was scored; inner hold-outs"
    table = new_table(to, title=f"{escape(result.dataset.label)}: {order}, best first")
    for heading in ("law", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("formula", overflow="fold", max_width=60 if to.is_terminal else None)
    for heading in ("const.", "train", "inner", "held-out", "MAPE %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in shown.to_dict(orient="records"):
        table.add_row(*map(escape, _cells(row)), style="bold green" if row["selected"] else None)
    to.print(table)
    hidden = len(board) - len(shown)
    more = f"and {hidden} more found laws in leaderboard.csv; " if hidden else ""
    write(to, f"{more}errors are RMSE in {result.dataset.target.unit}")
    if result.dataset.generated:
        write(to, f"These rows were not measured: they were {result.dataset.generated}.")
    if result.selected is not None:
        fit = result.selected.fit
        write(to, f"\nchosen (*): {result.dataset.target.symbol} = {fit.law.formula}")
        for group, part in some_parts(fit, to):
            if group:
                write(to, f"  {group}:")
            for name, value in part.values.items():
                write(to, f"  {name} = {with_error(value, part.errors[name])}")
        for warning in fit.warnings:
            write(to, f"  warning: {warning.message}", "yellow")
    for line in choice_lines(result.choice):
        write(to, line)
    write(to, result.verdict())
    write(to, f"\nrun folder: {result.folder.path}")
    write(to, f"LaTeX:      discover export {result.folder.path} --format latex")


def _entry(result: Result) -> dict[str, Any]:
    rows = result.leaderboard.to_dict(orient="records")
    return {
        "run": str(result.folder.path),
        "dataset": result.dataset.name,
        "generated": bool(result.dataset.generated),
        "selected": result.selected.law.name if result.selected else None,
        "verdict": result.verdict(),
        "choice": result.choice,
        "scored": result.scored,
        "comparison": None if result.comparison is None else result.comparison.to_dict(orient="records"),
        "leaderboard": [{**row, "constants": json.loads(row["constants"])} for row in rows],
    }


def _shown(board: Any) -> Any:
    """The chosen law, all baselines, and the best few other found laws."""
    others = board[(board["kind"] == "found") & ~board["selected"] & board["sane"]].head(FOUND_SHOWN - 1)
    return board[(board["kind"] != "found") | board["selected"] | board.index.isin(others.index)]


def _cells(row: dict[str, Any]) -> list[str]:
    from discover.comparison import UNVERIFIED  # behind it stands what only a run needs

    mark, insane = "* " if row["selected"] else "  ", "" if row["sane"] else " (not sane)"
    doubted = " (unverified)" if str(row["note"]).split("; ")[0] == UNVERIFIED else ""
    formula = no_law(str(row["note"])) if row["kind"] == ENSEMBLE else row["formula"]
    cells = [mark + row["law"], row["kind"] + doubted + insane, formula, str(row["n_constants"])]
    errors = [_error(row[key], 4) for key in ("train_rmse", "inner_rmse", "heldout_rmse")]
    return [*cells, *errors, _error(row["heldout_mape"], 2)]


def _error(value: float, decimals: int) -> str:
    """An error as it is shown: a dash where nothing was scored; digits where the decimals would have none."""
    if math.isnan(value):
        return "-"
    if 0 < value < 10.0 ** (1 - decimals):
        return f"{value:.2g}"
    return f"{value:.{decimals}f}" if value < 1e4 else "inf"
