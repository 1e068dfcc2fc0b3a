"""The table of finished runs: a row a run, whole at any moment."""

from __future__ import annotations

import csv
import datetime
import math
import os
from collections.abc import Mapping
from pathlib import Path

from design import CONTEXT, Run

COLUMNS = [
    *("key", "group", "status", "N", "N_embedding", "layers", "width", "D", "uD", "r_code", "r_prose", "lr"),
    *("batch_tokens", "steps", "seed", "loss_code", "loss_prose", "train_loss", "seconds", "finished"),
]
_LOSSES = ("loss_code", "loss_prose", "train_loss")


def row(run: Run, measured: Mapping[str, float]) -> dict[str, str]:
    """Return the row of a run; one that diverged says so in `status` and has no losses."""
    diverged = not all(math.isfinite(measured[name]) for name in _LOSSES)
    known = {
        "key": run.key,
        "group": run.group,
        "status": "diverged" if diverged else "ok",
        "N": run.size.N,
        "N_embedding": run.size.N_embedding,
        "layers": run.size.layers,
        "width": run.size.width,
        "D": run.D,
        "uD": run.uD,
        "r_code": 1 - run.prose,
        "r_prose": run.prose,
        "lr": run.lr,
        "batch_tokens": run.batch * CONTEXT,
        "steps": run.steps,
        "seed": run.seed,
        "seconds": f"{measured['seconds']:.1f}",
        "finished": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    losses = {name: "" if diverged else f"{measured[name]:.6f}" for name in _LOSSES}
    return {name: str((known | losses)[name]) for name in COLUMNS}


def read(path: Path) -> list[dict[str, str]]:
    """Rows of the table at `path`, none when it is not there yet.

    Raises
    ------
    ValueError
        When the file has other columns: it was made by another design, and is not to be mixed with this one.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            differ = ", ".join(sorted(set(COLUMNS) ^ set(reader.fieldnames or ())))
            raise ValueError(f"{path} is no table of these runs: columns differ in {differ}; use another --out")
        return list(reader)


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write `rows` beside `path` and rename, so that a reader never sees half a table."""
    beside = path.with_name(path.name + ".part")
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(beside, path)  # noqa: PTH105 - the name says that a file may be there


def unfinished(runs: list[Run], rows: list[dict[str, str]]) -> list[Run]:
    """Those of `runs` that have no row yet, in their order; one that diverged is finished."""
    known = {row["key"] for row in rows}
    return [run for run in runs if run.key not in known]
