"""gplearn on the rows of an experiment: its own choice of a program, as a reference for what search alone does."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from finished import Record

from discover.dataset import Dataset
from discover.dataset_card import ZERO_IS_LEGAL
from discover.engines import Budget
from discover.errors import EngineError, InputError
from discover.scoring import score
from discover.selection import Rows

SCRIPT = "peer_gplearn.py"
SLACK = 120.0  # seconds beyond its budget that the program may take: its last generation, and its imports


def measure(rows: Rows, dataset: Dataset, held: np.ndarray, budget: Budget, seed: int, python: str) -> Record:
    """Let gplearn choose a program on the training rows, each group apart, and score it on the held-out ones.

    It sees the logarithm of each feature (a share as it is), and the target as it is.

    Parameters
    ----------
    rows
        The training rows.
    dataset, held
        The dataset, and which of its rows are held out, shape (rows,).
    budget
        Seconds, shared among the groups.
    seed
        Of the search.
    python
        Interpreter that has gplearn.

    Raises
    ------
    EngineError
        When gplearn cannot be run.
    InputError
        When the budget is not one of seconds.
    """
    if budget.seconds is None:
        raise InputError(f"gplearn's budget is seconds, as 60s, not {budget}: leave the variant out, or give seconds")
    truth, groups = dataset.losses(held), dataset.groups(held)
    large = _seen(dataset.columns(held), rows)
    parts, places = [], []
    for name in rows.group_names():
        part = rows.part(rows.of_group(name))
        places.append(np.ones(len(truth), dtype=bool) if groups is None else np.asarray(groups == name))
        train = _seen(part.columns, rows).tolist()
        parts.append({"train": train, "target": part.target.tolist(), "test": large[places[-1]].tolist()})
    told = _run(python, {"parts": parts, "seconds": budget.seconds / len(parts), "seed": seed})
    prediction = np.full(len(truth), np.nan)
    for place, one in zip(places, told["parts"], strict=True):
        prediction[place] = one["predicted"]
    formula = told["parts"][0]["program"] if len(parts) == 1 else f"{len(parts)} programs, one a group"
    generations = [one["generations"] for one in told["parts"]]
    seconds = sum(one["seconds"] for one in told["parts"])
    return {
        "formula": formula,
        "heldout_rmse": score(prediction, truth).rmse,
        "seconds": seconds,
        "generations": generations if len(parts) == 1 else int(np.median(generations)),
        "gplearn": told["version"],
    }


def _seen(columns: Mapping[str, np.ndarray], rows: Rows) -> np.ndarray:
    """What gplearn sees of features, shape (rows, features)."""
    shares = {name for name, kind in rows.kinds.items() if kind in ZERO_IS_LEGAL}
    return np.column_stack([column if name in shares else np.log(column) for name, column in columns.items()])


def _run(python: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the program wrote."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    limit = (given["seconds"] + 1) * len(given["parts"]) + SLACK
    with tempfile.TemporaryDirectory() as folder:
        read, written = Path(folder) / "given.json", Path(folder) / "told.json"
        read.write_text(json.dumps(given), encoding="utf-8")
        command = [python, str(Path(__file__).with_name(SCRIPT)), str(read), str(written)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=limit, env=environment, cwd=folder
            )
        except OSError as error:
            raise EngineError(f"{python} cannot be run: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise EngineError(f"gplearn took over {limit:g} s") from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise EngineError(f"{python} said: {last}")
        told: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        return told
