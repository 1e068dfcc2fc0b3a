"""Searches of the engine `pysr` in tests: a small problem, and PySR's own Python code on the stand-in for Julia."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discover.engines import Budget, SearchProblem
from discover.objective import Objective

STAND_IN = Path(__file__).parent / "stand_in"
ROWS = [[1, "0.5", "2.6"], [5, "2.0f-1", "x_N ^ -0.1"], [6, "NaN", "x_N"], [7, "0.05", "sin(x_N)"], [30, "1e-9", "x_N"]]

FLOORS, SCALES = {"web": 1.9, "code": 0.8}, {"web": 2.0, "code": 1.5}  # of a group


def make_problem(budget: Budget | None = None, **changes: Any) -> SearchProblem:
    n, d = (grid.ravel() for grid in np.meshgrid(np.logspace(7.5, 9.5, 6), np.logspace(9, 11, 5)))
    given: dict[str, Any] = {
        "features": {"N": n, "D": d},
        "target": 1.8 + 0.4 * (n / 1e9) ** -0.3 + 1.1 * (d / 1e9) ** -0.4,
        "objective": Objective(),
        "budget": budget or Budget(seconds=5.0),
    }
    return SearchProblem(**{**given, **changes})


def two_domains(**changes: Any) -> SearchProblem:
    """60 rows without noise: one shape, with a floor and a scale for each of two domains, web the larger."""
    n, d = (grid.ravel() for grid in np.meshgrid(np.logspace(7.5, 9.5, 6), np.logspace(9, 11, 10)))
    groups = np.array(["web", "web", "code"])[np.arange(60) % 3]
    shape = (n / 1e9) ** -0.3 + 1.2 * (d / 1e9) ** -0.4
    target = np.array([FLOORS[g] for g in groups]) + np.array([SCALES[g] for g in groups]) * shape
    return make_problem(features={"N": n, "D": d}, target=target, groups=groups, **changes)


def on_the_stand_in(patch: pytest.MonkeyPatch, rows: list[list[Any]] = ROWS) -> Callable[..., None]:
    """PySR's Python code on the stand-in for Julia, which writes `rows` and then does what the answer is told."""
    patch.setattr(sys, "path", [str(STAND_IN), *sys.path])
    patch.setenv("PYTHON_JULIAPKG_EXE", sys.executable)  # any program: the stand-in starts none
    patch.setenv("JULIA_STAND_IN_ROWS", json.dumps(rows))

    def behave(behaviour: str = "", seconds: float = 0.0) -> None:
        patch.setenv("JULIA_STAND_IN", behaviour)
        patch.setenv("JULIA_STAND_IN_SECONDS", str(seconds))

    behave()
    return behave


def seen(folder: Path, search: str = "search-1") -> dict[str, Any]:
    """What Julia was given in a search."""
    return dict(json.loads((folder / search / "seen.json").read_text()))


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet has too."""
    try:
        os.kill(process, 0)
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return True
