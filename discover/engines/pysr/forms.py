"""The form of the equations of a search: how they are read, and how a known law is said in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from discover.engines.base import SearchProblem
from discover.engines.hall_of_fame import candidate_formula, julia_equation, shape_of
from discover.engines.pysr.expressions import UnsayableError, expression_in_units, julia_text, size, tree_of
from discover.engines.pysr.operators import Operators

Guess = str | dict[str, Any]


class Form(ABC):
    """The form of the equations of a search.

    Attributes
    ----------
    nodes
        Nodes that a formula has besides those of the equation, which PySR counts.
    """

    nodes: int = 0

    def __init__(self, problem: SearchProblem) -> None:
        self.problem = problem
        self.names = names_for_pysr(problem.features)

    @property
    def template(self) -> dict[str, Any] | None:
        """The arguments of a `TemplateExpressionSpec`; `None` for plain expressions."""
        return None

    def columns(self) -> dict[str, np.ndarray]:
        """What PySR sees of each variable, by its name there.

        Units only: features are never standardised, which would destroy a power law.
        """
        features, scales = self.problem.features, self.problem.scales
        return {name: np.asarray(features[symbol], dtype=float) / scales[symbol] for name, symbol in self.names.items()}

    @abstractmethod
    def shape(self, equation: str) -> str:
        """The equation without its numbers."""

    @abstractmethod
    def formula(self, equation: str) -> str:
        """The equation in the language of formulas, over features in the units of the dataset.

        Raises
        ------
        EquationError
            When it is none.
        """

    @abstractmethod
    def guess(self, formula: str, largest: int) -> Guess:
        """A formula over features in the units of the dataset as PySR takes it, with at most `largest` nodes.

        Raises
        ------
        UnsayableError
            When PySR cannot be given it.
        """

    @abstractmethod
    def again(self, equation: str) -> Guess:
        """An equation of a hall of fame as PySR takes it.

        Raises
        ------
        EquationError
            When it is none.
        """


class Plain(Form):
    """One expression over the features."""

    def shape(self, equation: str) -> str:
        """The equation without its numbers."""
        return shape_of(equation)

    def formula(self, equation: str) -> str:
        """The equation in the language of formulas."""
        return candidate_formula(equation, self.names, self.problem.scales)

    def guess(self, formula: str, largest: int) -> Guess:
        """The text of a formula in Julia."""
        places = {symbol: name for name, symbol in self.names.items()}
        tree = tree_of(expression_in_units(formula, self.problem.scales), places, Operators.of(self.problem.operators))
        refuse_large(size(tree), largest)
        return julia_text(tree)

    def again(self, equation: str) -> Guess:
        """The text of an equation, as Julia reads it back."""
        return julia_equation(equation, self.names)


def names_for_pysr(features: Mapping[str, Any]) -> dict[str, str]:
    """Symbol by the name that PySR is given: it takes N, E, S and others for functions and refuses them."""
    return {f"x_{symbol}": symbol for symbol in features}


def refuse_large(nodes: int, largest: int) -> None:
    """Raise where an expression has more nodes than PySR may search."""
    if nodes > largest:
        raise UnsayableError(f"it has {nodes} nodes, and this search at most {largest}")
