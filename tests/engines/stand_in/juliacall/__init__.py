"""A stand-in for Julia, for tests of what happens around it: PySR's own Python code runs on it unchanged.

`import pysr` finds this package instead of the real `juliacall` when its folder is first on the path. Every Julia
object is a `Thing` that answers every question with another one; only the search does something: it writes the
equations in JULIA_STAND_IN_ROWS into the hall of fame as SymbolicRegression.jl does, and then behaves as
JULIA_STAND_IN says.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


class Thing:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Thing()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return Thing()

    def __getitem__(self, key: Any) -> Any:
        return Thing()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


class Search(Thing):
    """`equation_search`, which later releases of PySR call without Python's lock."""

    def __call__(self, x: Any, y: Any, **keywords: Any) -> Any:
        options = keywords["options"]
        folder = Path(options.output_directory) / keywords["run_id"]
        folder.mkdir(parents=True, exist_ok=True)
        seen = {
            "said": SAID,
            "options": {name: value for name, value in vars(options).items() if isinstance(value, str | int | float)},
            "guesses": keywords["guesses"],
            "processes": keywords["numprocs"],
            "x": np.asarray(x).tolist(),
            "precision": str(np.asarray(x).dtype),
            "names": list(keywords["variable_names"]),
            "threads": os.environ["PYTHON_JULIACALL_THREADS"],
            "process": os.getpid(),
        }
        (folder / "seen.json").write_text(json.dumps(seen), encoding="utf-8")
        rows = json.loads(os.environ["JULIA_STAND_IN_ROWS"])
        text = "Complexity,Loss,Equation\n"
        for complexity, loss, equation in rows:
            text += f'{complexity},{loss},"{equation}"\n'
        for name in ("hall_of_fame.csv", "hall_of_fame.csv.bak"):
            (folder / name).write_text(text, encoding="utf-8")
        behaviour = os.environ.get("JULIA_STAND_IN", "")
        if behaviour == "fails":
            raise JuliaError("Task failed for population\nStacktrace:\n [1] error(s::String)")
        if behaviour == "dies":
            print("signal 11 (1): Segmentation fault", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if behaviour == "endless":
            time.sleep(600)
        time.sleep(float(os.environ.get("JULIA_STAND_IN_SECONDS", "0")))
        return Thing()

    _jl_call_nogil = __call__


class JuliaError(Exception):
    pass


SAID: list[str] = []  # the Julia text that was evaluated


def seval(text: str) -> Any:
    SAID.append(text)
    return Thing()


def named(entries: dict[Any, Any]) -> dict[str, Any]:
    """A named tuple, as PySR makes it of symbols and values."""
    return {str(name): value.tolist() if isinstance(value, np.ndarray) else value for name, value in entries.items()}


def convert(_kind: Any, value: Any) -> Any:
    return value


Main = Thing(
    VERSION=Thing(major=1, minor=10, patch=8),
    SymbolicRegression=Thing(equation_search=Search(), Options=Thing),
    Dict=Thing(),
    NamedTuple=named,
    Symbol=str,
    seval=seval,
    copy=np.asarray,
    take_b=lambda _: np.zeros(1, dtype=np.uint8),
    PythonCall=Thing(PyArray=np.asarray),
)
AnyValue = VectorValue = Thing
