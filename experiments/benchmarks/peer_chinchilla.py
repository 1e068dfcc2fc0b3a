"""The package `chinchilla` (PyPI, 0.2.0) on rows: run by another interpreter, without `discover`.

Arguments: a JSON file with ``train`` and ``test`` (columns N, D and, for train, L) and ``points`` (starts on each axis
of the grid), and the JSON file to write.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from chinchilla import Chinchilla  # type: ignore[import-not-found]
from chinchilla._metrics import asymmetric_mae, log_huber  # type: ignore[import-not-found]

DELTA = 1e-3


def field_loss(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Huber's loss of the logarithm in units of delta squared: BFGS would stop at once on the tiny mean itself."""
    return np.asarray(log_huber(true, predicted, DELTA) / DELTA**2)


def main() -> None:
    """Fit twice: as the package's README says, and with the objective of the field."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    train = {name: np.array(column) for name, column in given["train"].items()}
    points = given["points"]
    # The grid of the package's README.
    grid = {"E": np.linspace(1, 2, points), "a": np.linspace(1, 10, points), "b": np.linspace(1, 10, points)}
    grid |= {"alpha": np.linspace(0.1, 0.7, points), "beta": np.linspace(0.1, 0.7, points)}
    fits = []
    for shown, loss in (("its README's fit", asymmetric_mae), ("with Huber's loss of the logarithm", field_loss)):
        with tempfile.TemporaryDirectory() as folder:
            lines = [
                f"{6 * size * tokens!r},{size!r},{tokens!r},{measured!r}"
                for size, tokens, measured in zip(*(train[name].tolist() for name in ("N", "D", "L")), strict=True)
            ]
            (Path(folder) / "df.csv").write_text("\n".join(["C,N,D,loss", *lines]) + "\n", encoding="utf-8")
            peer = Chinchilla(folder, param_grid=grid, loss_fn=loss, log_level=50)
            peer.visualizer.optim = lambda *_, **__: None  # the figure is no part of the fit
            begun = perf_counter()
            peer.fit(parallel=False)
            taken = perf_counter() - begun
            test = [
                float(peer.predict_loss(*pair)) for pair in zip(given["test"]["N"], given["test"]["D"], strict=True)
            ]
        fits.append({"fit": shown, "starts": points**5, "seconds": taken, "values": peer.params, "predicted": test})
    told = {"version": version("chinchilla"), "fits": fits}
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
