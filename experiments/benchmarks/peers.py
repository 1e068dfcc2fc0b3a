"""Other packages that fit Chinchilla's form, on the same rows: the error on larger models, and the time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from part import Part, ratio, seconds
from rows import Rows

from discover.fitting import fit
from discover.law import load_law
from discover.scoring import score

PEERS = {"chinchilla": "peer_chinchilla.py", "simple-scaling-laws": "peer_simple_scaling_laws.py"}
POINTS, QUICK_POINTS = 5, 3  # starts on each of the five axes of the grid of `chinchilla`
LIMIT = 900  # seconds of a peer


def measure(rows: Rows, python: str, *, points: int = POINTS, repeats: int = 5) -> Part:
    """Fit the rows that are not held out by ours and by the packages that the interpreter `python` has."""
    law, train, held = load_law("hoffmann"), ~rows.held_out, rows.held_out
    columns = {name: column[train] for name, column in rows.features.items()}
    test = {name: column[held] for name, column in rows.features.items()}
    fitted = fit(law, columns, rows.target[train])
    times = []
    for _ in range(repeats):
        begun = perf_counter()
        fit(law, columns, rows.target[train])
        times.append(perf_counter() - begun)
    ours: dict[str, Any] = {
        "seconds": statistics.median(times),
        "starts": fitted.n_starts,
        "rmse_held_out": score(fitted.predict(test), rows.target[held]).rmse,
        "values": dict(fitted.values),
    }
    numbers: dict[str, Any] = {"rows": int(train.sum()), "rows_held_out": int(held.sum()), "ours": ours}
    remarks = [f"Rows: {rows.source}."]
    given = {
        "train": {name: column.tolist() for name, column in (columns | {"L": rows.target[train]}).items()},
        "test": {name: column.tolist() for name, column in test.items()},
        "points": points,
    }
    table = [_row("ours", ours, ours["seconds"])]
    for package, script in PEERS.items():
        told = _run(python, script, given)
        if "missing" in told:
            remarks.append(f"`{package}` was left out: {told['missing']}")
            numbers[package] = told
            continue
        for each in told["fits"]:
            each["rmse_held_out"] = score(np.array(each.pop("predicted")), rows.target[held]).rmse
            table.append(_row(f"{package} {told['version']}, {each['fit']}", each, ours["seconds"]))
        numbers[package] = told
    if points != POINTS:
        remarks.append(f"**Quick:** the grid of `chinchilla` had {points} starts an axis, not {POINTS}.")
    return Part(
        "peers",
        "Other packages",
        f"Chinchilla's form fitted to the {train.sum()} rows below 4e9 parameters; RMSE on the {held.sum()} larger "
        "ones. Ours is `fit` as it comes, with the law compiled. `chinchilla` starts from the grid of its README, on "
        "one core and without its figure: once with the loss of its README (an asymmetric absolute error), once with "
        "its Huber loss of the logarithm (delta 1e-3, in units of delta squared so that BFGS does not stop at once). "
        "`simple-scaling-laws` minimises weighted squares, and fits no constants without bootstrap draws.",
        numbers,
        ("package", "starts", "seconds", "times ours", "held-out RMSE", "E0", "alpha", "beta"),
        table,
        remarks,
    )


def _run(python: str, script: str, given: dict[str, Any]) -> dict[str, Any]:
    """What a peer wrote; or why there is nothing, under ``missing``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as folder:
        read, written = Path(folder) / "given.json", Path(folder) / "told.json"
        read.write_text(json.dumps(given), encoding="utf-8")
        command = [python, str(Path(__file__).with_name(script)), str(read), str(written)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=LIMIT, env=environment, cwd=folder
            )
        except OSError as error:
            return {"missing": f"{python} cannot be run: {error.strerror}."}
        except subprocess.TimeoutExpired:
            return {"missing": f"it took over {LIMIT} s."}
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return {"missing": f"{python} said: {last}"}
        told: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        return told


def _row(shown: str, fitted: dict[str, Any], ours: float) -> list[str]:
    values = fitted["values"]
    return [
        shown,
        f"{fitted['starts']:,}" if fitted["starts"] else "-",
        seconds(fitted["seconds"]),
        ratio(fitted["seconds"] / ours),
        f"{fitted['rmse_held_out']:.4f}",
        f"{values['E0'] if 'E0' in values else values['E']:.3f}",
        f"{values['alpha']:.4f}",
        f"{values['beta']:.4f}",
    ]
