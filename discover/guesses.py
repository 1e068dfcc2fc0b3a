"""Known laws as formulas with numbers: where an engine that can be guided begins.

The baselines, and what other engines of the run found, are fitted quickly to the rows that the engine sees, and the
best few of each are handed over. Nothing but these rows has a say in their constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from discover.distil import distil
from discover.engines import Candidate, SearchProblem
from discover.errors import FitError, InputError
from discover.fitting import fit
from discover.formula import FormulaError, parse, symbol, to_text
from discover.law import Law
from discover.selection.choosing import PRICE
from discover.selection.judging import in_processes

KEPT = 3  # baselines, and laws that were found
STARTS = 8  # of a law, besides the one where it was found
TIME_LIMIT = 0.5  # seconds that simplifying a law that was found may take
TWINS = 1e-3  # relative difference of predictions below which two laws are one guess


@dataclass(frozen=True)
class Guess:
    """A law with numbers for constants.

    Attributes
    ----------
    formula
        Text in the language of formulas.
    score
        Logarithm of the loss on the rows, and a price for each constant.
    prediction
        For the rows, shape (rows,).
    """

    formula: str
    score: float
    prediction: np.ndarray


def guesses(
    problem: SearchProblem, laws: Sequence[Law], candidates: Iterable[Candidate], *, jobs: int = 1
) -> tuple[str, ...]:
    """The best laws for the rows of a problem: of those that are known, and of those that other engines found.

    Parameters
    ----------
    problem
        What is to be searched. Of rows in groups the largest group is fitted.
    laws
        Known laws over the problem's features; one that is too long for the search, or cannot be fitted, is left out.
    candidates
        What other engines found.
    jobs
        Number of processes that fit.

    Returns
    -------
    Formulas over the features in the units of the dataset, up to three known ones and up to three that were found, the
    best of each first.
    """
    rows = _largest_group(problem)
    short = [law for law in laws if law.columns and law.complexity <= problem.max_complexity]
    known = _best([(law, rows, None) for law in short], [], jobs)
    proposals = distil(
        _front(candidates),
        dict.fromkeys(problem.features, ""),
        max_constants=problem.max_constants,
        max_complexity=problem.max_complexity,
        time_limit=TIME_LIMIT,
        jobs=jobs,
    )
    found = _best([(proposal.law, rows, proposal.start) for proposal in proposals], known, jobs)
    return tuple(guess.formula for guess in (*known, *found))


def with_numbers(law: Law, values: Mapping[str, float]) -> str:
    """The formula of a law with values for its parameters, sums written out.

    >>> from discover.law import load_law
    >>> with_numbers(load_law("powerlaw_one_feature").on("N"), {"x_c": 1.0, "alpha": 0.5})
    '1.0/N**0.5'

    Raises
    ------
    FormulaError
        When the constants leave no formula with a real value.
    """
    numbers = {symbol(name): sympy.Float(law.value_of(name, values)) for name in law.parameters}
    expression = law.expanded.xreplace(numbers)
    if expression.has(sympy.I, sympy.nan, sympy.oo, sympy.zoo):
        raise FormulaError("the law has no real value with these constants", law.formula)
    text = to_text(expression)
    parse(text, features=law.columns, constants=())
    return text


def _largest_group(problem: SearchProblem) -> SearchProblem:
    """The problem of the group with the most rows; the problem itself where there are no groups."""
    if problem.groups is None:
        return problem
    names, counts = np.unique(problem.groups.astype(str), return_counts=True)
    own = problem.groups.astype(str) == names[int(np.argmax(counts))]
    features = {name: column[own] for name, column in problem.features.items()}
    return replace(problem, features=features, target=problem.target[own], groups=None, splits=())


def _front(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The best candidate of each search and length: the losses of different engines cannot be compared."""
    best: dict[tuple[str, int, int], Candidate] = {}
    for one in candidates:
        key = (one.engine, one.seed, one.complexity)
        if key not in best or one.loss < best[key].loss:
            best[key] = one
    return list(best.values())


_Task = tuple[Law, SearchProblem, Mapping[str, float] | None]


def _best(tasks: Sequence[_Task], besides: Sequence[Guess], jobs: int) -> list[Guess]:
    """The best few guesses that are no twins of one another, nor of others."""
    made = [guess for guess in in_processes(_guess, tasks, jobs) if guess is not None]
    kept: list[Guess] = []
    for guess in sorted(made, key=lambda one: (one.score, one.formula)):
        others = [other.prediction for other in (*besides, *kept)]
        if not any(np.allclose(guess.prediction, other, rtol=TWINS, atol=0.0) for other in others):
            kept.append(guess)
    return kept[:KEPT]


def _guess(law: Law, rows: SearchProblem, first: Mapping[str, float] | None) -> Guess | None:
    """A law fitted to the rows; `None` when it cannot be."""
    try:
        fitted = fit(law, rows.features, rows.target, objective=rows.objective, starts=STARTS, retries=0, first=first)
        formula = with_numbers(law, fitted.values)
    except (FitError, InputError):
        return None
    with np.errstate(divide="ignore"):  # of a law that meets the rows exactly
        score = float(np.log(fitted.loss)) + PRICE * len(law.parameters)
    return Guess(formula, score, fitted.predict(rows.features))
