"""The package `simple-scaling-laws` (PyPI, 0.2.0) on rows: run by another interpreter, without `discover`.

Arguments: a JSON file with ``train`` and ``test`` (columns N, D and, for train, L), and the JSON file to write.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", POLARS_MAX_THREADS="1")

import numpy as np
import polars  # type: ignore[import-not-found]
from simple_scaling_laws import fit  # type: ignore[import-not-found]

SIZE, TOKENS, LOSS = "model_size__parameters", "dataset_size__tokens", "test_loss__nats"
DRAWS = (("with one bootstrap draw, the fewest", 1), ("with its 1,000 bootstrap draws", 1000))
REPEATS = 5


def main() -> None:
    """Fit E + A/N**alpha + B/D**beta, and predict with the point estimates."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    train = given["train"]
    table = polars.DataFrame(
        {
            "training_run_id": [f"run {number}" for number in range(len(train["L"]))],
            SIZE: train["N"],
            TOKENS: train["D"],
            LOSS: train["L"],
        }
    )
    fits = []
    for shown, draws in DRAWS:
        times = []
        for _ in range(REPEATS):
            begun = perf_counter()
            model = fit(table, law="separable-power", n_draws=draws, seed=0)
            times.append(perf_counter() - begun)
        values = dict(model.params(LOSS))
        for scale, exponent, column in (("A", "alpha", SIZE), ("B", "beta", TOKENS)):
            values[scale] *= model.observed_domain[column]["reference"] ** values[exponent]
        sizes, tokens = np.array(given["test"]["N"]), np.array(given["test"]["D"])
        predicted = values["E"] + values["A"] * sizes ** -values["alpha"] + values["B"] * tokens ** -values["beta"]
        fits.append(
            {
                "fit": shown,
                "starts": None,
                "seconds": statistics.median(times),
                "values": values,
                "predicted": predicted.tolist(),
            }
        )
    told = {"version": version("simple-scaling-laws"), "fits": fits}
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
