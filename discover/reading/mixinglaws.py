"""Reader of the measurements of Ye et al. 2024 (arXiv 2403.16952), which are lines of text.

Each line is a checkpoint, a validation file and a loss, separated by tabs. The checkpoint's path ends in the run and
the step (``160M_base2_5-0.75-0.25/14000``), the run's name in the proportions of its mixture; the validation file is
named after its domain (``valid.Github.bin``).
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

_SIZE = re.compile(r"^(\d+[MB])_")


def read(path: Path) -> pd.DataFrame:
    """The lines as a table.

    Returns
    -------
    Columns: run (its name, slashes dropped), size (``70M``, empty where the run's name has none), mixture (its
    proportions as they are written), ratio_1, ratio_2 ... (as many as the longest mixture has), step (NaN where the
    checkpoint is called ``last`` or has no step), valid (the validation domain), loss.

    Raises
    ------
    ValueError
        When a line is not of this format; the message has its number.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) != 3:
            raise ValueError(f"line {number} has {len(fields)} fields, not checkpoint, validation file and loss")
        try:
            rows.append(_row(*fields))
        except (ValueError, IndexError):
            raise ValueError(f"line {number} names no run, mixture or loss: {line[-80:]!r}") from None
    return pd.DataFrame(rows)


def _row(checkpoint: str, validation: str, loss: str) -> dict[str, object]:
    parts = [part for part in checkpoint.strip().split("/") if part]
    has_step = parts[-1] == "last" or parts[-1].isdigit()
    run, step = (parts[-2], parts[-1]) if has_step else (parts[-1], "")
    size = _SIZE.match(run)
    ratios = run.split("-")[1:]
    row: dict[str, object] = {"run": run, "size": size.group(1) if size else "", "mixture": "-".join(ratios)}
    row |= {f"ratio_{place}": float(ratio) for place, ratio in enumerate(ratios, start=1)}
    names = [name for name in validation.strip().split("/")[-1].split(".") if name not in ("valid", "bin")]
    return row | {"step": float(step) if step.isdigit() else float("nan"), "valid": names[-1], "loss": float(loss)}
