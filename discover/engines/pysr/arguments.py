"""What `PySRRegressor` is given; every keyword is one of each release from 2.0 on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from discover.engines.base import SearchProblem
from discover.engines.pysr.forms import Form, Guess, Plain
from discover.engines.pysr.loss import elementwise_loss, loss_factor
from discover.engines.pysr.operators import Operators
from discover.engines.pysr.options import PySROptions, read_options
from discover.engines.pysr.templates import Grouped
from discover.errors import InputError

ITERATIONS = 10_000_000  # more than any budget allows: the budget ends a search
SMALLEST = 7  # PySR refuses a smaller maxsize


def arguments(problem: SearchProblem, folder: Path, guesses: Sequence[Guess] = ()) -> dict[str, Any]:
    """The keywords of `PySRRegressor`, ready for JSON; the form of the equations is no part of them.

    Parameters
    ----------
    problem
        The problem.
    folder
        The folder in which PySR shall write ``hall_of_fame.csv``: its `output_directory` and `run_id`.
    guesses
        Where the search begins.

    Raises
    ------
    InputError
        When the problem asks for an operator or an option that PySR cannot be given.
    """
    budget, options = problem.budget, read_options(problem.options)
    parallelism = _parallelism(problem, options)
    return {
        **Operators.of(problem.operators).keywords(),
        "maxsize": largest(problem),
        "precision": 64,
        "elementwise_loss": elementwise_loss(problem.objective, loss_factor(problem)),
        "niterations": ITERATIONS,
        "timeout_in_seconds": budget.seconds,
        "max_evals": budget.evaluations,
        "guesses": list(guesses) or None,
        "random_state": problem.seed % 2**32,
        # Both, and a seed, are what makes PySR repeatable; it refuses the first without the second.
        "deterministic": parallelism == "serial",
        "parallelism": parallelism,
        "output_directory": str(folder.parent),
        "run_id": folder.name,
        "input_stream": "devnull",  # or Julia waits on standard input for a "q"
        "progress": False,
        "verbosity": 0,
        **options.model_dump(exclude_none=True),
    }


def form_of(problem: SearchProblem) -> Form:
    """The form of a problem's equations: a template where its rows are in several groups."""
    several = problem.groups is not None and len(set(np.asarray(problem.groups).tolist())) > 1
    return Grouped(problem) if several else Plain(problem)


def largest(problem: SearchProblem) -> int:
    """Nodes of the largest equation: what a template puts around it is part of the formula."""
    return max(SMALLEST, problem.max_complexity - form_of(problem).nodes)


def _parallelism(problem: SearchProblem, options: PySROptions) -> str:
    """How PySR searches: on one thread where a search shall be repeatable."""
    repeatable = problem.budget.seconds is None  # how far a search comes in a time depends on the machine
    if options.several_processes:
        if repeatable:
            message = "a budget of evaluations is spent by one process, to be repeatable: leave out the option procs"
            raise InputError(f"{message} of pysr, or give a budget of seconds")
        return "multiprocessing"
    return "serial" if repeatable or problem.threads <= 1 else "multithreading"
