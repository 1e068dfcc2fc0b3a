"""A formula compiled for NumPy: values for many sets of constants at once (`discover.differentiable` has derivatives).

The generated code comes from a parsed expression, never from text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy.codegen.cfunctions import expm1
from sympy.printing.numpy import NumPyPrinter

from discover.formula import symbol


class _Printer(NumPyPrinter):  # type: ignore[misc]
    """NumPy code of a formula, in which `min` and `max` broadcast, and their slopes."""

    def _nested(self, function: str, arguments: Sequence[sympy.Expr]) -> str:
        code = self._print(arguments[0])
        for argument in arguments[1:]:
            code = f"{self._module_format(f'numpy.{function}')}({code}, {self._print(argument)})"
        return str(code)

    def _print_Max(self, expr: sympy.Max) -> str:
        return self._nested("maximum", expr.args)

    def _print_Min(self, expr: sympy.Min) -> str:
        return self._nested("minimum", expr.args)

    def _print_Integer(self, expr: sympy.Integer) -> str:
        # Beyond 64 bits NumPy 1 would calculate with Python objects, which have no logarithm.
        return str(expr.p) if abs(expr.p) < 2**53 else repr(float(expr))

    def _print_Heaviside(self, expr: sympy.Heaviside) -> str:
        # The slope of min and max. SymPy's own piecewise form of it does not broadcast.
        return f"{self._module_format('numpy.heaviside')}({self._print(expr.args[0])}, 0.5)"


@dataclass(frozen=True)
class Compiled:
    """Value of a formula.

    Attributes
    ----------
    features, constants
        Names in the order in which the arrays are given.
    """

    features: tuple[str, ...]
    constants: tuple[str, ...]
    _value: Callable[..., Any]

    def predict(self, columns: Sequence[np.ndarray], constants: np.ndarray) -> np.ndarray:
        """Predictions, shape (sets, rows), for `constants` of shape (sets, constants).

        Columns beyond the features (a formula may have none) only say how many rows there are.
        """
        with np.errstate(all="ignore"):
            value = self._value(
                *columns[: len(self.features)], *(constants[:, k, None] for k in range(constants.shape[1]))
            )
        rows = columns[0].shape[0] if columns else 1
        return np.array(np.broadcast_to(value, (len(constants), rows)), dtype=float)


def compile_formula(expression: sympy.Expr, features: tuple[str, ...], constants: tuple[str, ...]) -> Compiled:
    """Compile `expression`."""
    symbols = [symbol(name, positive=True) for name in features] + [symbol(name) for name in constants]
    return Compiled(features, constants, compile_expressions(symbols, expression))


def compile_expressions(
    symbols: Sequence[sympy.Symbol], expressions: sympy.Expr | Sequence[sympy.Expr]
) -> Callable[..., Any]:
    """A NumPy function of arrays, one a symbol: the value of the expression, or a list of those of several.

    Common subexpressions are computed once.
    """
    several = not isinstance(expressions, sympy.Basic)
    exact = [_with_expm1(one) for one in expressions] if several else _with_expm1(expressions)
    printer = _Printer({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
    made: Callable[..., Any] = sympy.lambdify(symbols, exact, modules="numpy", printer=printer, cse=True, dummify=True)
    return made


def _with_expm1(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every 1 - exp(x) as -expm1(x), which keeps its digits where x is small.

    A form that saturates, as effective data does, is fitted with x near zero where the rows hardly saturate.
    """
    if not expression.has(sympy.exp):
        return expression
    return expression.replace(lambda part: part.is_Add and _decay(part) is not None, _exactly)


def _decay(total: sympy.Add) -> tuple[sympy.Expr, sympy.exp] | None:
    """A one and an exponential of the other sign among the terms of a sum."""
    for one in (sympy.S.One, sympy.S.NegativeOne):
        for term in total.args:
            if one in total.args and isinstance(-one * term, sympy.exp):
                return one, -one * term
    return None


def _exactly(total: sympy.Add) -> sympy.Expr:
    found = _decay(total)
    if found is None:
        return total
    one, power = found
    return total - one + one * power - one * expm1(power.args[0])
