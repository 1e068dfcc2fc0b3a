"""The engine `pysr`: PySR, evolutionary search in Julia, run in a child process whose hall of fame is read meanwhile.

Why a child process, and not PySR in this one:

- A search inside this process yields nothing until it ends: PySR 2.0 holds Python's lock while Julia searches, so that
  no thread could read the file meanwhile (only later releases call `equation_search._jl_call_nogil`).
- Slices of the budget with `warm_start=True` would stream, but each begins with the same seed and with fresh statistics
  (`seed!`, `init_plugin_states` in SymbolicRegression.jl), waits for its slowest population, and goes through Python's
  lock all the same: a run would depend on the slices.
- Ctrl-C: Julia takes over SIGINT. Before `pysr/interrupt.py` it killed the process; since then `fit` returns as if it
  were done. Here it reaches Python, which ends the child and keeps what its file holds.
- Julia's number of threads is fixed when it starts, its crash ends no run, and its memory is given back.

The price is some twenty seconds a search, in which Julia starts and compiles; the budget begins after them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from discover.doctor import pysr_missing, pysr_versions
from discover.engines.base import Budget, Candidate, Engine, SearchProblem
from discover.engines.hall_of_fame import EquationError, read_hall_of_fame
from discover.engines.pysr.arguments import form_of, largest
from discover.engines.pysr.earlier import Earlier, killed_searches, new_folder, note_progress
from discover.engines.pysr.forms import Form
from discover.engines.pysr.guesses import beginning
from discover.engines.pysr.loss import loss_factor
from discover.engines.pysr.options import read_options
from discover.engines.pysr.process import ended, failure, question_of, request, start, stop
from discover.errors import EngineError

POLL = 0.5  # seconds between two looks at the hall of fame
LEAST = 1.0  # seconds that a search has which goes on from one that was killed near its end


class PySR(Engine):
    """PySR 2; needs Julia, which `discover doctor --install-pysr` downloads."""

    name = "pysr"
    grouped = True
    guided = True

    def missing(self) -> str | None:
        """Why PySR cannot run here; looks for Julia without starting it or importing PySR."""
        return pysr_missing()

    def versions(self) -> dict[str, str]:
        """Versions of PySR, Julia and SymbolicRegression.jl, as far as they are written down."""
        return pysr_versions()

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse what is no option of PySR, or one that PySR is not given from a card."""
        read_options(options)

    def search(self, problem: SearchProblem) -> Iterator[Candidate]:
        """Search for the budget, and yield what the hall of fame holds.

        With a budget of seconds, an equation is yielded when one of its shape first appears, and again with its last
        constants when the search has ended. With one of evaluations the search is repeatable, and so is what it yields:
        the hall of fame at its end. A search that is interrupted or fails yields what its file holds before it raises.

        A search in the folder of one that was killed begins with what that one had found, and has what is left of a
        budget of seconds, or a whole budget of evaluations, which nobody counted.
        """
        missing = self.missing()
        if missing:
            raise EngineError(missing)
        form = form_of(problem)
        question = question_of(problem, form)
        earlier = killed_searches(problem.folder, question)
        left = replace(problem, budget=_left(problem.budget, earlier))
        begin = beginning(left, form, largest(problem), earlier)
        folder = new_folder(problem.folder)
        try:
            if begin.notes:
                text = "".join(f"{line}\n" for line in begin.notes)
                (folder / "guesses.txt").write_text(text, encoding="utf-8")
            yield from _follow(left, folder, form, request(left, folder, question, begin.guesses))
        finally:
            if problem.folder is None:
                shutil.rmtree(folder, ignore_errors=True)


def _left(budget: Budget, earlier: Earlier) -> Budget:
    """What earlier searches left of a budget of seconds; their evaluations nobody counted."""
    return budget if budget.seconds is None else Budget(seconds=max(LEAST, budget.seconds - earlier.seconds))


def _follow(problem: SearchProblem, folder: Path, form: Form, asked: str) -> Iterator[Candidate]:
    """Start the child, and yield from its hall of fame until it ends."""
    front = _Front(problem, folder, form)
    process = start(asked, folder, problem.threads)
    try:
        while not ended(process, POLL):
            note_progress(folder, front.seconds())
            if problem.budget.seconds is not None:
                yield from front.appeared()
        yield from front.last()
    except KeyboardInterrupt:
        stop(process)
        yield from front.last()
        raise
    finally:
        stop(process)
    if process.returncode:
        raise EngineError(failure(folder / "log.txt", process.returncode, kept=problem.folder is not None))
    note_progress(folder, front.seconds(), ended=True)


class _Front:
    """The hall of fame of a search, as candidates."""

    def __init__(self, problem: SearchProblem, folder: Path, form: Form) -> None:
        self.problem, self.folder, self.form = problem, folder, form
        self.factor = loss_factor(problem)
        self.first: float | None = None  # when there was something to read
        self.yielded: dict[str, str] = {}  # equation by shape
        self.refused: set[str] = set()

    def seconds(self) -> float:
        """How long the search is known to search: the start of Julia is not of the budget."""
        if self.first is None and (self.folder / "hall_of_fame.csv").exists():
            self.first = time.monotonic()
        return 0.0 if self.first is None else time.monotonic() - self.first

    def appeared(self) -> Iterator[Candidate]:
        """Equations of a shape that was not there before."""
        return self._candidates(lambda shape, _: shape not in self.yielded)

    def last(self) -> Iterator[Candidate]:
        """Every equation that was not yielded with these constants; the refused ones are written down."""
        yield from self._candidates(lambda shape, equation: self.yielded.get(shape) != equation)
        if self.refused:
            text = "".join(f"{equation}\n" for equation in sorted(self.refused))
            (self.folder / "refused.txt").write_text(text, encoding="utf-8")

    def _candidates(self, wanted: Callable[[str, str], bool]) -> Iterator[Candidate]:
        for row in read_hall_of_fame(self.folder / "hall_of_fame.csv"):
            complexity = row.complexity + self.form.nodes
            fits = complexity <= self.problem.max_complexity and np.isfinite(row.loss)
            if not fits or row.equation in self.refused:
                continue
            try:
                shape = self.form.shape(row.equation)
                if not wanted(shape, row.equation):
                    continue
                formula = self.form.formula(row.equation)
            except EquationError:  # no law: a constant overflowed, or the value is not real
                self.refused.add(row.equation)
                continue
            self.yielded[shape] = row.equation
            yield Candidate(formula, complexity, row.loss / self.factor, "pysr", self.problem.seed)


ENGINE = PySR()
