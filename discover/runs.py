"""Run folders: what an experiment leaves behind, as text only, written so that nothing finished is lost.

A file is written beside its place and renamed, so that it is whole or absent; candidates and the log are appended a
line at a time, and a line that was cut off is passed over when they are read again.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from discover.engines.base import Candidate
from discover.errors import InputError

MANIFEST = "manifest.json"


def write_text(path: Path, text: str) -> None:
    """Write a file that is either whole or absent, whatever happens meanwhile."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that is either whole or absent, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from None  # a full disk does not say for which file
        raise


def json_ready(value: Any) -> Any:
    """The value with NaN and infinities as null, which JSON has no word for."""
    if isinstance(value, dict):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item") and not isinstance(value, str):
        return json_ready(value.item())
    return value


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @classmethod
    def create(cls, root: Path, experiment: str) -> RunFolder:
        """A new folder under ``root/experiment``, named by the time."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for number in range(1000):
            path = root / experiment / (stamp if not number else f"{stamp}-{number}")
            with contextlib.suppress(FileExistsError):
                path.mkdir(parents=True)
                return cls(path)
        raise InputError(f"{root / experiment}: no free name for a run folder")

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest; empty before it is first written."""
        path = self.path / MANIFEST
        if not path.is_file():
            return {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(f"{path}: the manifest cannot be read; is this the folder of a run?") from None
        return content if isinstance(content, dict) else {}

    @property
    def dataset(self) -> dict[str, Any]:
        """What the manifest says of the dataset."""
        entry = self.manifest.get("dataset")
        return entry if isinstance(entry, dict) else {}

    def update(self, **entries: Any) -> None:
        """Put entries into the manifest."""
        self.write(MANIFEST, json.dumps(json_ready({**self.manifest, **entries}), indent=2) + "\n")

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the run, whole or not at all."""
        path = self.path / name
        write_bytes(path, content.encode("utf-8") if isinstance(content, str) else content)

    def log(self, message: str) -> None:
        """Append a line to ``log.txt``."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {message}\n")

    def append_candidate(self, candidate: Candidate) -> None:
        """Append a candidate to ``candidates.jsonl``, on a line of its own even after one that was cut off."""
        with (self.path / "candidates.jsonl").open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(json_ready(asdict(candidate))).encode() + b"\n")

    def candidates(self) -> list[Candidate]:
        """The candidates written so far; a line that was cut off is passed over."""
        path = self.path / "candidates.jsonl"
        return list(_candidates(path)) if path.is_file() else []


def _candidates(path: Path) -> Iterator[Candidate]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            with contextlib.suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
                entry = json.loads(line)
                loss = entry["loss"]
                yield Candidate(
                    formula=str(entry["formula"]),
                    complexity=int(entry["complexity"]),
                    loss=math.inf if loss is None else float(loss),
                    engine=str(entry["engine"]),
                    seed=int(entry["seed"]),
                )


def open_run(path: str | Path, root: Path | None = None, *, finished: bool = False) -> RunFolder:
    """The run at `path`; the name of an experiment stands for its latest run, `finished` for the latest that is done.

    Raises
    ------
    InputError
        When there is no run.
    """
    folder = Path(path)
    if (folder / MANIFEST).is_file():
        return RunFolder(folder)
    for latest in (folder, (root or Path("runs")) / str(path)):
        if latest.is_dir():
            runs = sorted(child for child in latest.iterdir() if (child / MANIFEST).is_file())
            done = [run for run in runs if (run / "leaderboard.csv").is_file()] if finished else runs
            if runs:
                return RunFolder((done or runs)[-1])
    advice = "give a folder such as runs/quickstart/<id>, or the name of an experiment that was run here"
    raise InputError(f"there is no run at {path}: {advice}")


def list_runs(root: Path) -> list[RunFolder]:
    """All runs under `root`, the oldest first."""
    return [RunFolder(path.parent) for path in sorted(root.glob(f"*/*/{MANIFEST}"))]
