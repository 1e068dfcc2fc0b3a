"""The process that runs PySR: what it is asked, how it starts and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from discover.doctor import INSTALL, child_environment, last_words
from discover.engines.base import SearchProblem
from discover.engines.pysr.arguments import arguments
from discover.engines.pysr.forms import Form, Guess

_CHILD = (
    "import sys; request = sys.stdin.read(); import pysr; from discover.engines.pysr.child import fit; fit(request)"
)


def question_of(problem: SearchProblem, form: Form) -> dict[str, Any]:
    """What is searched, ready for JSON: two searches with the same question may share their equations."""
    given = arguments(problem, Path())
    return {
        "columns": {name: column.tolist() for name, column in form.columns().items()},
        "target": np.asarray(problem.target, dtype=float).tolist(),
        "template": form.template,
        "operators": [*given["binary_operators"], *given["unary_operators"]],
        "loss": given["elementwise_loss"],
    }


def request(problem: SearchProblem, folder: Path, question: Mapping[str, Any], guesses: tuple[Guess, ...]) -> str:
    """What the child is asked, as the text of ``request.json``."""
    keywords = arguments(problem, folder, guesses)
    return json.dumps({"parent": os.getpid(), "arguments": keywords, "question": question})


def start(text: str, folder: Path, threads: int) -> subprocess.Popen[bytes]:
    """Start the child; what it is asked is in ``request.json``, what it says in ``log.txt``."""
    path = folder / "request.json"
    path.write_text(text, encoding="utf-8")
    serial = json.loads(text)["arguments"]["parallelism"] != "multithreading"
    with path.open("rb") as stdin, (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "default", "-c", _CHILD],
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**child_environment(), "PYTHON_JULIACALL_THREADS": "1" if serial else str(threads)},
            start_new_session=True,  # Ctrl-C is for this process, which then ends the child
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the child ended, waiting for it so long."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, if it still runs; the reader of its file knows of half-written ones."""
    if process.poll() is None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads its own group
        process.kill()
        process.wait()


def failure(log: Path, status: int, *, kept: bool) -> str:
    """Why the child ended, in one sentence; it names the log when that is `kept`."""
    text = log.read_text(encoding="utf-8", errors="replace")
    where = f" (all that it said is in {log})" if kept else ""
    if re.search(r'File "[^"]*\bjulia_import\.py"', text):  # the part of PySR that starts Julia is in the traceback
        return f"PySR could not start Julia: {last_words(text)}{where}; {INSTALL} makes it ready"
    return f"PySR ended with status {status}: {last_words(text)}{where}"
