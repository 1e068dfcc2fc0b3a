"""The scores of a benchmark beside the published ones, and a permutation null."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from discover.terminal.printing import console, print_json, print_list, write

if TYPE_CHECKING:
    from discover.bench import BenchResult
    from discover.permutation import PermutationNull


def show_bench(result: BenchResult, *, as_json: bool = False) -> None:
    """All tasks, a line each, and the means."""
    if as_json:
        print_json(result.as_record())
        return
    to, columns = console(), result.card.columns
    inner = result.scores == "inner"
    write(to, f"{result.card.title}")
    if inner:
        write(to, "INNER scores: no held-out rows, but the largest training sizes predicted from the smaller ones.")
    lines: list[dict[str, Any]] = []
    for task in result.tasks:
        lines.append(
            {
                "task": task.task,
                "r2": f"{result.r2(task):.3f}",
                "inner": _score(task.inner_r2),
                "constants": f"{_text(task.n_constants)} of {'any' if task.cap is None else task.cap}",
                "seconds": f"{task.seconds:.0f}",
                **{column: _score(score) for column, score in result.published(task.task).items()},
                "formula": task.formula or task.note,
            }
        )
    means = {column: _score(score) for column, score in result.published_means().items()}
    lines.append({"task": "mean", "r2": f"{result.mean_r2:.3f}", **means})
    headings = {"r2": "inner R2" if inner else "R2", "inner": "inner R2", "constants": "const."}
    headings |= {name: f"{column.title}{', held-out' if inner else ''}" for name, column in columns.items()}
    shown = ("task", "r2", *(() if inner else ("inner",)), "constants", "seconds", *columns, "formula")
    print_list(lines, shown, headings=headings)
    if inner:
        from discover.bench import INNER

        write(to, f"{INNER[0].upper()}{INNER[1:]}.")
    for task in result.tasks:
        if task.note:
            write(to, f"{task.task}: {task.note}", "yellow")
    write(to, f"\nfolder: {result.folder}")


def show_null(null: PermutationNull, *, as_json: bool = False) -> None:
    """The chosen law's errors on real and on shuffled losses, a line a run."""
    if as_json:
        print_json(
            {
                "experiment": null.experiment,
                "folder": str(null.folder),
                "shuffles": null.shuffles,
                "p_inner": null.p_value("inner_rmse"),
                "p_heldout": null.p_value("heldout_rmse"),
                "verdict": null.verdict(),
                "runs": null.table.to_dict(orient="records"),
            }
        )
        return
    lines: list[dict[str, Any]] = [
        {
            "losses": row["losses"],
            "formula": row["formula"] or "none was chosen",
            "inner_rmse": _error(row["inner_rmse"]),
            "heldout_rmse": _error(row["heldout_rmse"]),
        }
        for row in null.table.to_dict(orient="records")
    ]
    print_list(lines, ("losses", "inner_rmse", "heldout_rmse", "formula"))
    write(console(), null.verdict())
    write(console(), f"\nfolder: {null.folder}")


def _text(value: object) -> str:
    return "-" if value is None else str(value)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _error(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"
