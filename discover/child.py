"""A child process that answers requests within a time limit: for work of SymPy's, which nothing else can stop."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import IO, Any, Self

from discover.errors import DiscoverError

START_LIMIT = 60.0  # seconds for the child process to import SymPy, on a busy machine


class Child:
    """Sends requests to a child process and waits for its answers, for each of them up to a time limit.

    The child runs a module that prints one line of JSON when it is ready, and then one for each line of JSON that it
    reads. A child that is too slow is killed, and the next request starts another. Use as a context manager.

    Parameters
    ----------
    module
        Name of the module that the child runs.
    purpose
        What cannot be done without it, for the error.
    time_limit
        Seconds for each answer.
    """

    def __init__(self, module: str, purpose: str, time_limit: float) -> None:
        self.module, self.purpose, self.time_limit = module, purpose, time_limit
        self._child: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The child's answer, or `None` when the limit passed or the child died.

        Raises
        ------
        DiscoverError
            When the child does not start.
        """
        try:
            child = self._running()
            assert child.stdin is not None  # opened as a pipe
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            answer: dict[str, Any] = json.loads(self._answers.get(timeout=self.time_limit))
        except (queue.Empty, BrokenPipeError, json.JSONDecodeError):  # too slow, or dead: an ended child says ""
            self._stop()
            return None
        return answer

    def _running(self) -> subprocess.Popen[str]:
        """The child, ready for a request."""
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._child = subprocess.Popen(
                # -P: the folder in which the user stands is no place to import from.
                [sys.executable, "-P", "-m", self.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._answers = queue.Queue()
            threading.Thread(target=_pump, args=(self._child.stdout, self._answers), daemon=True).start()
            try:
                json.loads(self._answers.get(timeout=START_LIMIT))
            except (queue.Empty, json.JSONDecodeError):
                self._stop()
                message = f"{self.purpose}: `{sys.executable} -P -m {self.module}` does not start"
                raise DiscoverError(message) from None
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _pump(stream: IO[str] | None, answers: queue.Queue[str]) -> None:
    """Move a child's lines into a queue until it ends; an empty line says that it ended."""
    with contextlib.suppress(ValueError, OSError):
        for line in stream or ():
            answers.put(line)
    answers.put("")
