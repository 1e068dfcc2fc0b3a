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

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from discover.doctor import INSTALL, child_environment, last_words, pysr_missing, pysr_versions
from discover.engines.base import Candidate, Engine, SearchProblem
from discover.engines.hall_of_fame import EquationError, candidate_formula, read_hall_of_fame, shape_of
from discover.errors import EngineError, InputError, one_of
from discover.objective import Objective

ITERATIONS = 10_000_000  # more than any budget allows: the budget ends a search
SMALLEST = 7  # PySR refuses a smaller maxsize
POLL = 0.5  # seconds between two looks at the hall of fame

_BINARY = {"+": "+", "-": "-", "*": "*", "/": "/", "**": "^", "min": "min", "max": "max"}
_UNARY = {"log": "log", "exp": "exp", "sqrt": "sqrt"}
# How often an operator may stand inside another. Exponentials of exponentials and logarithms of them only overfit; a
# power inside a power is a scaling law's ((a/N)**b + c)**d, and one more is not.
_NESTED = {"exp": {"exp": 0}, "log": {"log": 0, "exp": 0}, "sqrt": {"sqrt": 0, "exp": 0}, "^": {"^": 1}}

_CHILD = "import sys; request = sys.stdin.read(); import pysr; from discover.engines.pysr import fit; fit(request)"


class PySR(Engine):
    """PySR 2; needs Julia, which `discover doctor --install-pysr` downloads."""

    name = "pysr"

    def missing(self) -> str | None:
        """Why PySR cannot run here; looks for Julia without starting it or importing PySR."""
        return pysr_missing()

    def versions(self) -> dict[str, str]:
        """Versions of PySR, Julia and SymbolicRegression.jl, as far as they are written down."""
        return pysr_versions()

    def search(self, problem: SearchProblem) -> Iterator[Candidate]:
        """Search for the budget, and yield what the hall of fame holds.

        With a budget of seconds, an equation is yielded when one of its shape first appears, and again with its last
        constants when the search has ended. With one of evaluations the search is repeatable, and so is what it yields:
        the hall of fame at its end. A search that is interrupted or fails yields what its file holds before it raises.
        """
        missing = self.missing()
        if missing:
            raise EngineError(missing)
        if problem.folder is not None:
            problem.folder.mkdir(parents=True, exist_ok=True)
        # A folder that no earlier search has used, nor one that was killed and may still be writing.
        folder = Path(tempfile.mkdtemp(prefix="search-", dir=problem.folder)).resolve()
        try:
            yield from _follow(problem, folder)
        finally:
            if problem.folder is None:
                shutil.rmtree(folder, ignore_errors=True)


def arguments(problem: SearchProblem, folder: Path) -> dict[str, Any]:
    """What `PySRRegressor` is given; every keyword is one of each release from 2.0 on.

    Parameters
    ----------
    problem
        The problem.
    folder
        The folder in which PySR shall write ``hall_of_fame.csv``: its `output_directory` and `run_id`.

    Raises
    ------
    InputError
        When the problem asks for an operator that PySR cannot be given.
    """
    budget = problem.budget
    repeatable = budget.seconds is None  # how far a search comes in a time depends on the machine
    serial = repeatable or problem.threads <= 1
    return {
        **_operators(problem.operators),
        "maxsize": max(SMALLEST, problem.max_complexity),
        "precision": 64,
        "elementwise_loss": elementwise_loss(problem.objective, loss_factor(problem)),
        "niterations": ITERATIONS,
        "timeout_in_seconds": budget.seconds,
        "max_evals": budget.evaluations,
        "random_state": problem.seed % 2**32,
        # Both, and a seed, are what makes PySR repeatable; it refuses the first without the second.
        "deterministic": serial,
        "parallelism": "serial" if serial else "multithreading",
        "output_directory": str(folder.parent),
        "run_id": folder.name,
        "input_stream": "devnull",  # or Julia waits on standard input for a "q"
        "progress": False,
        "verbosity": 0,
    }


def _operators(operators: tuple[str, ...]) -> dict[str, Any]:
    """Operators by PySR's names, and the constraints that scaling laws keep to."""
    for operator in operators:
        if operator not in _BINARY and operator not in _UNARY:
            raise InputError(f"the engine pysr has no operator {operator!r}: {one_of(operator, [*_BINARY, *_UNARY])}")
    binary = [_BINARY[operator] for operator in operators if operator in _BINARY]
    unary = [_UNARY[operator] for operator in operators if operator in _UNARY]
    if not binary:
        raise InputError(f"the engine pysr needs one of the operators {', '.join(_BINARY)}")
    allowed = {*binary, *unary}
    nested = {
        outer: {inner: depth for inner, depth in limits.items() if inner in allowed}
        for outer, limits in _NESTED.items()
        if outer in allowed
    }
    return {
        "binary_operators": binary,
        "unary_operators": unary,
        # An exponent is a constant or a feature, never an expression.
        "constraints": {"^": (-1, 1)} if "^" in allowed else None,
        "nested_constraints": nested or None,
    }


def loss_factor(problem: SearchProblem) -> float:
    """What a row's loss is multiplied by, so that the best constant law has a mean loss of one.

    PySR is tuned for losses of about one: it optimises constants in eight steps of BFGS, the first as long as the
    gradient, which come nowhere when all losses are below 1e-4; and its annealing compares losses with a temperature of
    one.
    """
    objective, target = problem.objective, np.asarray(problem.target, dtype=float)
    with np.errstate(all="ignore"):
        best = np.exp(np.median(np.log(target))) if objective.logarithmic else np.median(target)
        mean = float(objective.loss(objective.residual(np.full_like(target, best), target))) / len(target)
        factor = 1 / mean if mean > 0 else 1.0
    return factor if np.isfinite(factor) else 1.0


def elementwise_loss(objective: Objective, factor: float = 1.0) -> str:
    """Julia's text of the loss of one row: the objective's, times `factor`; PySR takes the mean over rows.

    A negative prediction costs infinity where the objective takes logarithms. Zero costs one, because PySR divides all
    losses by the loss of the law 0 before it compares them with a temperature (`update_baseline_loss!`, `loss_to_cost`
    in SymbolicRegression.jl): this keeps them as they are.

    >>> elementwise_loss(Objective("squared"))
    'discover_loss(prediction, target) = (residual = abs(prediction - target); 1.0 * (0.5 * residual * residual))'
    """
    square = "0.5 * residual * residual"
    delta = float(objective.delta)
    shapes = {
        "squared": square,
        "huber": f"residual <= {delta!r} ? {square} : {delta!r} * (residual - {delta / 2!r})",
        "soft_l1": f"residual * residual / (1.0 + sqrt(1.0 + residual * residual / {delta**2!r}))",
        "mae": "residual",
    }
    loss = f"{float(factor)!r} * ({shapes[objective.shape]})"
    if objective.logarithmic:
        guard = "prediction <= 0.0 ? (prediction < 0.0 ? Inf : 1.0) : "
        body = f"{guard}(residual = abs(log(prediction) - log(target)); {loss})"
    else:
        body = f"(residual = abs(prediction - target); {loss})"
    return f"discover_loss(prediction, target) = {body}"


def names_for_pysr(features: Mapping[str, Any]) -> dict[str, str]:
    """Symbol by the name that PySR is given: it takes N, E, S and others for functions and refuses them."""
    return {f"x_{symbol}": symbol for symbol in features}


def _follow(problem: SearchProblem, folder: Path) -> Iterator[Candidate]:
    """Start the child, and yield from its hall of fame until it ends."""
    front = _Front(problem, folder)
    process = _start(problem, folder)
    try:
        while not _ended(process, POLL):
            if problem.budget.seconds is not None:
                yield from front.appeared()
        yield from front.last()
    except KeyboardInterrupt:
        _stop(process)
        yield from front.last()
        raise
    finally:
        _stop(process)
    if process.returncode:
        raise EngineError(_failure(problem, folder / "log.txt", process.returncode))


def _failure(problem: SearchProblem, log: Path, status: int) -> str:
    """Why the child ended, in one sentence."""
    text = log.read_text(encoding="utf-8", errors="replace")
    where = "" if problem.folder is None else f" (all that it said is in {log})"
    if re.search(r'File "[^"]*\bjulia_import\.py"', text):  # the part of PySR that starts Julia is in the traceback
        return f"PySR could not start Julia: {last_words(text)}{where}; {INSTALL} makes it ready"
    return f"PySR ended with status {status}: {last_words(text)}{where}"


class _Front:
    """The hall of fame of a search, as candidates."""

    def __init__(self, problem: SearchProblem, folder: Path) -> None:
        self.problem, self.folder = problem, folder
        self.factor = loss_factor(problem)
        self.names = names_for_pysr(problem.features)
        self.yielded: dict[str, str] = {}  # equation by shape
        self.refused: set[str] = set()

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
            fits = row.complexity <= self.problem.max_complexity and np.isfinite(row.loss)
            if not fits or row.equation in self.refused:
                continue
            try:
                shape = shape_of(row.equation)
                if not wanted(shape, row.equation):
                    continue
                formula = candidate_formula(row.equation, self.names, self.problem.scales)
            except EquationError:  # no law: a constant overflowed, or the value is not real
                self.refused.add(row.equation)
                continue
            self.yielded[shape] = row.equation
            yield Candidate(formula, row.complexity, row.loss / self.factor, "pysr", self.problem.seed)


def _start(problem: SearchProblem, folder: Path) -> subprocess.Popen[bytes]:
    """Start the child; what it is asked is in ``request.json``, what it says in ``log.txt``."""
    keywords = arguments(problem, folder)
    request = {
        "parent": os.getpid(),
        "arguments": keywords,
        "names": list(names_for_pysr(problem.features)),
        # Units only: features are never standardised, which would destroy a power law.
        "columns": [
            (np.asarray(column, dtype=float) / problem.scales[symbol]).tolist()
            for symbol, column in problem.features.items()
        ],
        "target": np.asarray(problem.target, dtype=float).tolist(),
    }
    path = folder / "request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    threads = 1 if keywords["parallelism"] == "serial" else problem.threads
    with path.open("rb") as stdin, (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "default", "-c", _CHILD],
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**child_environment(), "PYTHON_JULIACALL_THREADS": str(threads)},
            start_new_session=True,  # Ctrl-C is for this process, which then ends the child
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the child ended, waiting for it so long."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the child and what it started, if it still runs; the reader of its file knows of half-written ones."""
    if process.poll() is None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads its own group
        process.kill()
        process.wait()


def fit(request: str) -> None:
    """Search, in the child process, and end it; an exception's traceback is read by the parent.

    Julia is called from the main thread only, which is also the one that imported it.
    """
    import pysr

    asked = json.loads(request)
    threading.Thread(target=_end_with, args=(asked["parent"],), daemon=True).start()
    keywords = asked["arguments"]
    if keywords["constraints"]:
        keywords["constraints"] = {name: tuple(limits) for name, limits in keywords["constraints"].items()}

    class Text(pysr.ExpressionSpec):  # type: ignore[misc]
        """Equations stay text: PySR would make columns of them, not needed here, by `sympify`, which evaluates text.

        A class inside a function cannot be pickled either, so that PySR leaves no checkpoint (`_checkpoint`).
        """

        def create_exports(self, model: Any, equations: Any, *_: Any) -> Any:
            return equations[[]]

    model = pysr.PySRRegressor(**keywords, expression_spec=Text())
    model.fit(np.column_stack(asked["columns"]), np.array(asked["target"]), variable_names=asked["names"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the files are written; taking Julia down at exit could only spoil it


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, in the releases of PySR in which Python runs while Julia searches."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


ENGINE = PySR()
