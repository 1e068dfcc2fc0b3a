"""What a run folder says of how the run came about: the resolved card, versions, checksums, state."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata

import numpy as np

import discover
from discover.dataset import Dataset
from discover.errors import InputError
from discover.experiment import Experiment
from discover.fitting import Objective
from discover.runs import RunFolder
from discover.selection import Rows

PACKAGES = ("numpy", "scipy", "sympy", "pandas", "scikit-learn")
TRAINING = "training_sha256"  # in the manifest's entry of the dataset


def note_start(
    folder: RunFolder,
    experiment: Experiment,
    dataset: Dataset,
    held: np.ndarray,
    rows: Rows,
    baselines: list[str],
    objective: Objective,
    unscored: str,
) -> None:
    """Write down what the run works with; a run that is resumed must find the same rows.

    Parameters
    ----------
    held
        Which rows are held out, as booleans of shape (rows,).
    rows
        The training rows.
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
            TRAINING: checksum(rows),
        },
        seeds=experiment.card.seeds,
        unscored=unscored,
    )


def refuse_other_rows(folder: RunFolder, rows: Rows) -> None:
    """Refuse to go on with a run on other training rows: its candidates may have seen what is held out now.

    Raises
    ------
    InputError
        When the folder's run searched other rows than these.
    """
    if folder.dataset.get(TRAINING, checksum(rows)) != checksum(rows):
        raise InputError(
            f"the run {folder.path} cannot be resumed: it searched other training rows than its experiment.toml and "
            "the dataset's card give now; undo what was changed in them, or start a new run"
        )


def checksum(rows: Rows) -> str:
    """The sha256 of rows: features, target and groups, to nine digits, which another machine has too."""
    digest = hashlib.sha256()
    columns = {**rows.columns, "": rows.target}
    for name in sorted(columns):
        digest.update(" ".join([f"\n{name}", *(f"{value:.9g}" for value in columns[name])]).encode())
    if rows.groups is not None:
        digest.update("\n".join(["\n", *map(str, rows.groups)]).encode())
    return digest.hexdigest()


def note_failure(folder: RunFolder, error: Exception) -> None:
    """Write down that and why the run failed, if that can be written."""
    with contextlib.suppress(OSError):  # the disk may be what failed
        folder.update(state="failed", end=now(), error=str(error))
        folder.log(f"failed: {error}")


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
