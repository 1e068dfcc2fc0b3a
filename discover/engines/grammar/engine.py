"""The engine `grammar`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from discover.complexity import complexity
from discover.engines.allowed import allows
from discover.engines.base import Candidate, Engine, SearchProblem
from discover.engines.grammar.beam import plain, search
from discover.engines.grammar.writing import formula_of
from discover.formula import FormulaError, parse

KEPT = 8  # laws of each number of constants that are yielded


class Grammar(Engine):
    """A deterministic beam search over the shapes of scaling laws; needs nothing but NumPy."""

    name = "grammar"
    grouped = True
    extrapolates = True

    def missing(self) -> str | None:
        """It runs everywhere."""
        return None

    def versions(self) -> dict[str, str]:
        """Version of NumPy."""
        return {"numpy": metadata.version("numpy")}

    def search(self, problem: SearchProblem) -> Iterator[Candidate]:
        """Search until nothing better comes or the budget is spent, and yield the best laws of each size.

        With a budget of evaluations, or one of seconds that is not used up, the same problem has the same answer. An
        evaluation is a shape that is fitted.
        """
        counts: dict[int, int] = {}
        always = plain(problem)  # the plainest laws are judged whatever their rank
        for one in search(problem):
            size = one.shape.n_constants
            if not one.sane or not one.shape.terms or (counts.get(size, 0) >= KEPT and one.shape not in always):
                continue
            formula = formula_of(one.shape, one.points[0], problem.scales)
            try:
                expression = parse(formula, features=list(problem.features), constants=())
            except FormulaError:  # a constant overflowed
                continue
            if not allows(problem.operators, expression):
                continue
            counts[size] = counts.get(size, 0) + 1
            yield Candidate(formula, complexity(expression), one.loss, self.name, problem.seed)


ENGINE = Grammar()
