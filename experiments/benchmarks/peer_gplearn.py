"""Runs with another interpreter, which has gplearn: `peer_gplearn.py GIVEN TOLD`, both files of JSON.

Generations are added one at a time until the time is up; the program is gplearn's own choice, the best of the last.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from gplearn.functions import make_function
from gplearn.genetic import SymbolicRegressor

POPULATION = 1000  # gplearn's own default, of which a generation takes about a second
SHORT, SMALL = 5.0, 100  # seconds below which a search has a small population, so as to have several generations
PARSIMONY = 1e-3  # gplearn's own default
LARGEST = 50.0  # argument of an exponential


def _exp(x: np.ndarray) -> np.ndarray:
    """The exponential, without overflow: a power law is one in the logarithm of its feature."""
    return np.exp(np.clip(x, -LARGEST, LARGEST))


FUNCTIONS = ("add", "sub", "mul", "div", "log", make_function(function=_exp, name="exp", arity=1))


def search(part: dict[str, Any], seconds: float, seed: int) -> dict[str, Any]:
    """The best program for the rows of a part after so many seconds, and what it predicts."""
    train, test = np.array(part["train"]), np.array(part["test"])
    begun, generations = perf_counter(), 0
    regressor = SymbolicRegressor(
        population_size=POPULATION if seconds >= SHORT else SMALL,
        function_set=FUNCTIONS,
        parsimony_coefficient=PARSIMONY,
        const_range=(-10.0, 10.0),
        metric="rmse",
        warm_start=True,
        low_memory=True,
        random_state=seed,
    )
    while not generations or perf_counter() - begun < seconds:
        generations += 1
        regressor.set_params(generations=generations)
        regressor.fit(train, np.array(part["target"]))
    return {
        "predicted": regressor.predict(test).tolist() if len(test) else [],
        "program": str(regressor._program),
        "generations": generations,
        "seconds": perf_counter() - begun,
    }


def main() -> None:
    """Read what is given, search, and write what was found."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    parts = [search(part, given["seconds"], given["seed"]) for part in given["parts"]]
    told = {"parts": parts, "version": metadata.version("gplearn")}
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
