"""What a run folder says of how the run came about: the resolved card, versions, checksums, state."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata

import numpy as np

import discover
from discover.dataset import Dataset
from discover.experiment import Experiment
from discover.fitting import Objective
from discover.runs import RunFolder

PACKAGES = ("numpy", "scipy", "sympy", "pandas", "scikit-learn")


def note_start(
    folder: RunFolder,
    experiment: Experiment,
    dataset: Dataset,
    held: np.ndarray,
    baselines: list[str],
    objective: Objective,
    unscored: str,
) -> None:
    """Write down what the run works with; a run that is resumed must find the same rows.

    Parameters
    ----------
    held
        Which rows are held out, as booleans of shape (rows,).
    baselines
        Names or paths under which they are loaded again.
    objective
        The card's, or the default. It is written into the card only where the card has it: a run that goes on, or is
        repeated, chooses again otherwise.
    unscored
        Why no held-out row is scored; empty when they are.
    """
    from discover.export.toml import dumps

    resolved = {
        **experiment.card.model_dump(exclude_none=True),
        "dataset": experiment.beside(experiment.card.dataset),
        "features": list(dataset.features),
        "baselines": baselines,
    }
    if experiment.card.objective is not None or experiment.card.delta is not None:
        resolved |= {"objective": objective.name, "delta": objective.delta}
    if experiment.card.hold_out is None and dataset.hold_out is not None:
        rule = dataset.hold_out
        resolved["hold_out"] = rule if isinstance(rule, str) else rule.model_dump()
    folder.write("experiment.toml", dumps(resolved))
    folder.update(
        experiment=experiment.name,
        state="searching",
        start=folder.manifest.get("start") or now(),
        command=" ".join(sys.argv),
        versions={"discover": discover.__version__, "python": platform.python_version()}
        | {name: metadata.version(name) for name in PACKAGES},
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        dataset={
            "name": dataset.name,
            "generated": dataset.generated,
            "rows": len(dataset.table),
            "held_out_rows": int(held.sum()),
            "sha256": dict(dataset.sources),
        },
        seeds=experiment.card.seeds,
        unscored=unscored,
    )


def note_failure(folder: RunFolder, error: Exception) -> None:
    """Write down that and why the run failed, if that can be written."""
    with contextlib.suppress(OSError):  # the disk may be what failed
        folder.update(state="failed", end=now(), error=str(error))
        folder.log(f"failed: {error}")


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
