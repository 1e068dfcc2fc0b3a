"""The engine `grammar`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import metadata

from discover.complexity import complexity
from discover.engines.allowed import allows
from discover.engines.base import Candidate, Engine, SearchProblem
from discover.engines.grammar.beam import plain, search
from discover.engines.grammar.ranking import Ranked
from discover.engines.grammar.shape import Shape
from discover.engines.grammar.writing import formula_of
from discover.formula import FormulaError, parse

KEPT = 8  # laws of each number of constants that are yielded, by rank
CLOSEST = 4  # and those that fit the rows best


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
        found = [one for one in search(problem) if one.sane and one.shape.terms]
        always = plain(problem) | _closest(found)  # judged whatever their rank, as the plainest laws are
        for one in found:
            size = one.shape.n_constants
            if counts.get(size, 0) >= KEPT and one.shape not in always:
                continue
            try:
                formula = formula_of(one.shape, one.points[0], problem.scales)
                expression = parse(formula, features=list(problem.features), constants=())
            except FormulaError:  # a constant overflows
                continue
            if not allows(problem.operators, expression):
                continue
            counts[size] = counts.get(size, 0) + 1
            yield Candidate(formula, complexity(expression), one.loss, self.name, problem.seed)


def _closest(found: Iterable[Ranked]) -> set[Shape]:
    """The shapes that fit best, a few of each number of constants."""
    by_size: dict[int, list[Ranked]] = {}
    for one in sorted(found, key=lambda one: round(one.loss, 12)):
        by_size.setdefault(one.shape.n_constants, []).append(one)
    return {one.shape for each in by_size.values() for one in each[:CLOSEST]}


ENGINE = Grammar()
