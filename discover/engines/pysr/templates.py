"""Rows in groups: one shape for all, with a floor and a scale for each group, ``a[g] + b[g] * f(...)``.

What differs between routers, corpora or validation domains is first of all the loss that no model gets below and the
size of what is above it; exponents differ less, and `f` has those. The search only finds the shape: every law is then
fitted with constants of its own for each group, exponents included.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np
import sympy

from discover.compiled import compile_formula
from discover.engines.base import SearchProblem
from discover.engines.hall_of_fame import (
    EquationError,
    Template,
    formula_of,
    julia_equation,
    read_template,
    shape_of,
    units,
)
from discover.engines.pysr.expressions import UnsayableError, expression_in_units, julia_text, size, tree_of
from discover.engines.pysr.forms import Form, Guess, refuse_large
from discover.engines.pysr.operators import Operators

GROUP = "row_group"  # the variable that holds a row's group; a feature's begins with x_
PARAMETERS_SINCE = (2, 3)  # the release of PySR from which a guess may hold a template's parameters


class Grouped(Form):
    """A floor ``a`` and a scale ``b`` for each group, and one expression ``f`` over the features.

    Attributes
    ----------
    groups
        Their names, in the order of PySR's parameters.
    index
        Place of each row's group among them, shape (rows,).
    """

    nodes = 4  # a + b * f

    def __init__(self, problem: SearchProblem) -> None:
        super().__init__(problem)
        names, index = np.unique(np.asarray(problem.groups).astype(str), return_inverse=True)
        self.groups: tuple[str, ...] = tuple(names.tolist())
        self.index: np.ndarray = index
        self.main = int(np.argmax(np.bincount(index)))

    @property
    def template(self) -> dict[str, Any]:
        """The arguments of the `TemplateExpressionSpec`."""
        return {
            "expressions": ["f"],
            "variable_names": [*self.names, GROUP],
            "parameters": {"a": len(self.groups), "b": len(self.groups)},
            "combine": f"a[{GROUP}] + b[{GROUP}] * f({', '.join(self.names)})",
        }

    def columns(self) -> dict[str, np.ndarray]:
        """The features, and the group of each row: Julia counts from one."""
        return {**super().columns(), GROUP: self.index + 1.0}

    def shape(self, equation: str) -> str:
        """The expression without its numbers."""
        return shape_of(self._read(equation).expressions["f"])

    def formula(self, equation: str) -> str:
        """The formula of the common form, with the floor and the scale of the largest group."""
        template = self._read(equation)
        inner = template.formula("f", list(units(self.names, self.problem.scales).values()))
        floor, scale = (template.parameters[name][self.main] for name in "ab")
        if not np.isfinite([floor, scale]).all():
            where = f"of the group {self.groups[self.main]!r}"
            raise EquationError(f"equation {equation[:60]!r} has the floor {floor} and the scale {scale} {where}")
        return formula_of(f"({floor!r}) + ({scale!r}) * ({inner})", equation, self.problem.features)

    def guess(self, formula: str, largest: int) -> Guess:
        """A formula less its floor as ``f``, with the floor and the scale that suit each group.

        Releases of PySR before 2.3 take no parameters in a guess: there it finds them itself.
        """
        expression = expression_in_units(formula, self.problem.scales)
        _, rest = expression.as_independent(*expression.free_symbols, as_Add=True)
        if not expression.free_symbols:
            raise UnsayableError("it is a constant, which every group has in this search")
        places = {name: f"#{number}" for number, name in enumerate(self.names.values(), start=1)}
        tree = tree_of(rest, places, Operators.of(self.problem.operators))
        refuse_large(size(tree), largest)
        return self._guess(julia_text(tree), *self._floors_and_scales(rest))

    def again(self, equation: str) -> Guess:
        """The expression and the parameters of an equation, as PySR reads them back."""
        template = self._read(equation)
        expression = julia_equation(template.expressions["f"], [f"#{k + 1}" for k in range(len(self.names))])
        return self._guess(expression, template.parameters["a"], template.parameters["b"])

    def _guess(self, expression: str, floors: Sequence[float], scales: Sequence[float]) -> Guess:
        parameters = {"a": list(floors), "b": list(scales)} if takes_parameters() else {}
        return {"f": expression, **parameters}

    def _read(self, equation: str) -> Template:
        """The parts of an equation, which has the expression and the parameters of this template."""
        template = read_template(equation)
        lengths = {name: len(values) for name, values in template.parameters.items()}
        if list(template.expressions) != ["f"] or lengths != self.template["parameters"]:
            raise EquationError(f"equation {equation[:60]!r} is not f with {len(self.groups)} a and b")
        return template

    def _floors_and_scales(self, rest: sympy.Expr) -> tuple[list[float], list[float]]:
        """The floor and the scale of each group that are nearest to its rows by least squares, errors being relative.

        They are where PySR's own optimisation begins, under the robust loss.
        """
        scaled = [np.asarray(self.problem.features[name]) / scale for name, scale in self.problem.scales.items()]
        worth = compile_formula(rest, tuple(self.problem.scales), ()).predict(scaled, np.empty((1, 0)))[0]
        target = np.asarray(self.problem.target, dtype=float)
        weight = 1 / target if self.problem.objective.logarithmic else np.ones_like(target)
        design = np.column_stack([weight, weight * worth])
        if not np.isfinite(design).all():
            raise UnsayableError("it has no value on some of the rows")
        found = [
            np.linalg.lstsq(design[rows], (weight * target)[rows], rcond=None)[0]
            for rows in (self.index == number for number in range(len(self.groups)))
        ]
        floors, slopes = np.array(found).T
        return floors.tolist(), slopes.tolist()


def takes_parameters() -> bool:
    """Whether a guess may hold a template's parameters in the release of PySR that is installed."""
    major, minor = metadata.version("pysr").split(".")[:2]
    return (int(major), int(minor)) >= PARAMETERS_SINCE
