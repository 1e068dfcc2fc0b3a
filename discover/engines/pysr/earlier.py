"""Searches that were killed in a folder, from which the next one there goes on.

PySR's own checkpoint is a pickle, and no pickle is read here. What it found is in its hall of fame, as text; given
back as guesses, it is where the next search begins, with what is left of the budget. The populations are made anew.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discover.engines.hall_of_fame import Row, read_hall_of_fame

_PROGRESS = "progress.json"
_FOLDER = re.compile(r"search-(\d+)\Z")


@dataclass(frozen=True)
class Earlier:
    """What earlier searches left.

    Attributes
    ----------
    names
        Their folders; empty when there were none.
    seconds
        How long they searched, without the start of Julia.
    rows
        Their equations, the best of each complexity, the simplest first.
    """

    names: tuple[str, ...] = ()
    seconds: float = 0.0
    rows: tuple[Row, ...] = ()


def new_folder(parent: Path | None) -> Path:
    """A folder that no earlier search has used, nor one that was killed and may still be writing."""
    if parent is None:
        return Path(tempfile.mkdtemp(prefix="search-")).resolve()
    parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = parent.resolve() / f"search-{number}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("numbers do not end")


def note_progress(folder: Path, seconds: float, *, ended: bool = False) -> None:
    """Write down how long a search has searched, and whether it spent its budget."""
    beside = folder / f"{_PROGRESS}.new"
    beside.write_text(json.dumps({"seconds": round(seconds, 1), "ended": ended}), encoding="utf-8")
    beside.replace(folder / _PROGRESS)


def killed_searches(parent: Path | None, question: Mapping[str, Any]) -> Earlier:
    """What the searches of the same question left that were killed after the last one that ended.

    Parameters
    ----------
    parent
        The folder of the searches.
    question
        What is searched now (`discover.engines.pysr.process.question_of`).
    """
    asked = json.loads(json.dumps(question))
    names: list[str] = []
    seconds = 0.0
    best: dict[int, Row] = {}
    for folder in reversed(_folders(parent)):
        progress = _read(folder / _PROGRESS)
        if progress.get("ended"):
            break
        if _read(folder / "request.json").get("question") != asked:
            continue
        rows = [row for row in read_hall_of_fame(folder / "hall_of_fame.csv") if math.isfinite(row.loss)]
        if not rows:
            continue  # killed before it had found anything
        names.insert(0, folder.name)
        seconds += float(progress.get("seconds", 0.0))
        for row in rows:
            best[row.complexity] = min(best.get(row.complexity, row), row, key=lambda row: row.loss)
    return Earlier(tuple(names), seconds, tuple(best[complexity] for complexity in sorted(best)))


def _folders(parent: Path | None) -> list[Path]:
    """The folders of searches, the oldest first."""
    if parent is None or not parent.is_dir():
        return []
    numbered = [(int(match[1]), path) for path in parent.iterdir() if (match := _FOLDER.match(path.name))]
    return [path for _, path in sorted(numbered)]


def _read(path: Path) -> dict[str, Any]:
    """A file of JSON; empty when it is not there or was cut off."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    return {}
