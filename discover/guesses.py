"""Known laws as formulas with numbers: where an engine that can be guided begins.

The baselines, and what other engines of the run found, are fitted quickly to the rows that the engine sees, and the
best few of each are handed over. Nothing but these rows has a say in their constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from discover.complexity import complexity
from discover.distil import distil
from discover.engines import Candidate, SearchProblem
from discover.errors import FitError, InputError
from discover.fitting import fit
from discover.formula import FormulaError, parse, symbol, to_text
from discover.law import Law
from discover.selection.choosing import PRICE

KEPT = 3  # baselines, and laws that were found
STARTS = 8  # of a baseline
MORE_STARTS = 1  # of a law that was found, besides where it was
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
        Number of processes that simplify what was found.

    Returns
    -------
    Formulas over the features in the units of the dataset, up to three known ones and up to three that were found, the
    best of each first.
    """
    rows = _largest_group(problem)
    short = [law for law in laws if law.columns and law.complexity <= problem.max_complexity]
    known = _best([_guess(law, rows, None, STARTS) for law in short], [])
    proposals = distil(
        _front(candidates),
        dict.fromkeys(problem.features, ""),
        max_constants=problem.max_constants,
        max_complexity=problem.max_complexity,
        jobs=jobs,
    )
    found = _best([_guess(proposal.law, rows, proposal.start, MORE_STARTS) for proposal in proposals], known)
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


def _best(made: Sequence[Guess | None], besides: Sequence[Guess]) -> list[Guess]:
    """The best few guesses that are no twins of one another, nor of others."""
    kept: list[Guess] = []
    for guess in sorted(filter(None, made), key=lambda one: (one.score, one.formula)):
        others = [other.prediction for other in (*besides, *kept)]
        if not any(np.allclose(guess.prediction, other, rtol=TWINS, atol=0.0) for other in others):
            kept.append(guess)
    return kept[:KEPT]


def _guess(law: Law, rows: SearchProblem, first: Mapping[str, float] | None, starts: int) -> Guess | None:
    """A law fitted to the rows; `None` when it cannot be."""
    try:
        fitted = fit(law, rows.features, rows.target, objective=rows.objective, starts=starts, retries=0, first=first)
        formula = with_numbers(law, fitted.values)
        length = complexity(parse(formula, features=rows.features, constants=()))
    except (FitError, InputError):
        return None
    if length > rows.max_complexity:  # its sums are written out now
        return None
    with np.errstate(divide="ignore"):  # of a law that meets the rows exactly
        score = float(np.log(fitted.loss)) + PRICE * len(law.parameters)
    return Guess(formula, score, fitted.predict(rows.features))
