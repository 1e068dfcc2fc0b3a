"""A formula compiled for NumPy: values and exact derivatives for many sets of constants at once.

SymPy differentiates; common subexpressions of value and derivatives are computed once. The generated code comes
from a parsed expression, never from text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter

from discover.formula import symbol


class _Printer(NumPyPrinter):  # type: ignore[misc]
    """NumPy code in which `min` and `max` broadcast, and their slopes."""

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
    """Value and Jacobian of a formula.

    Attributes
    ----------
    features, constants
        Names in the order in which the arrays are given.
    """

    features: tuple[str, ...]
    constants: tuple[str, ...]
    _value: Callable[..., Any]
    _jacobian: Callable[..., Sequence[Any]]

    def predict(self, columns: Sequence[np.ndarray], constants: np.ndarray) -> np.ndarray:
        """Predictions, shape (sets, rows), for `constants` of shape (sets, constants) or (sets, rows, constants).

        Columns beyond the features (a formula may have none) only say how many rows there are.
        """
        with np.errstate(all="ignore"):
            value = self._value(*columns[: len(self.features)], *self._split(constants))
        return np.array(np.broadcast_to(value, self._shape(columns, constants)), dtype=float)

    def predict_with_jacobian(
        self, columns: Sequence[np.ndarray], constants: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predictions, shape (sets, rows), and their derivatives, shape (sets, rows, constants)."""
        shape = self._shape(columns, constants)
        with np.errstate(all="ignore"):
            value, *derivatives = self._jacobian(*columns[: len(self.features)], *self._split(constants))
        jacobian = np.empty((*shape, len(self.constants)))
        for k, derivative in enumerate(derivatives):
            jacobian[..., k] = derivative
        return np.array(np.broadcast_to(value, shape), dtype=float), jacobian

    def _split(self, constants: np.ndarray) -> list[np.ndarray]:
        if constants.ndim == 3:  # each row has its own
            return [constants[:, :, k] for k in range(len(self.constants))]
        return [constants[:, k, None] for k in range(len(self.constants))]

    def _shape(self, columns: Sequence[np.ndarray], constants: np.ndarray) -> tuple[int, int]:
        return constants.shape[0], columns[0].shape[0] if columns else 1


def compile_formula(expression: sympy.Expr, features: tuple[str, ...], constants: tuple[str, ...]) -> Compiled:
    """Compile `expression` and its derivatives in each of the `constants`."""
    symbols = [symbol(name, positive=True) for name in features] + [symbol(name) for name in constants]
    derivatives = [sympy.diff(expression, symbol(name)) for name in constants]
    printer = _Printer({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
    value = sympy.lambdify(symbols, expression, modules="numpy", printer=printer, cse=True, dummify=True)
    jacobian = sympy.lambdify(
        symbols, [expression, *derivatives], modules="numpy", printer=printer, cse=True, dummify=True
    )
    return Compiled(features, constants, value, jacobian)
