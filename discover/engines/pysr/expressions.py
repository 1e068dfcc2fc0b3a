"""A formula as the expression tree that PySR would search, and its text in Julia.

A tree is a number, the name of a variable, or a tuple of an operator and its arguments. It has only the operators of
the search and keeps to its constraints: PySR throws away a guess that does not, without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import sympy

from discover.engines.pysr.operators import Operators
from discover.formula import FormulaError, parse, symbol

Tree = float | str | tuple["str | Tree", ...]

_RATES = (1e-4, 300.0)  # of exponentials whose base a Float64 holds with enough digits
_MAX_REPEATED = 3  # the largest power that is written as a product where there is no `^`


class UnsayableError(ValueError):
    """A formula cannot be said to PySR; the message says why, without the formula."""


def expression_in_units(formula: str, scales: Mapping[str, float]) -> sympy.Expr:
    """The formula over features that were divided by their scales, under the same names.

    >>> expression_in_units("2.0 + N**-0.5", {"N": 100.0})
    0.1/N**0.5 + 2.0

    Raises
    ------
    FormulaError
        When the text is not a formula over these features.
    UnsayableError
        When it has no real value.
    """
    symbols = {name: symbol(name, positive=True) for name in scales}
    units = {symbols[name]: scale * symbols[name] for name, scale in scales.items() if scale != 1.0}
    try:
        return parse(formula, features=scales, constants=()).xreplace(units)
    except FormulaError:
        raise
    except (ValueError, TypeError, ArithmeticError):  # SymPy's own, e.g. of the smaller of two complex numbers
        raise UnsayableError("it has no real value") from None


def tree_of(expression: sympy.Expr, names: Mapping[str, str], operators: Operators) -> Tree:
    """The tree of an expression.

    Parameters
    ----------
    expression
        The expression.
    names
        What PySR calls each feature.
    operators
        What the tree may be made of.

    Raises
    ------
    UnsayableError
        When these operators cannot say it, or the constraints on their nesting forbid it.
    """
    tree = _Writer(names, operators).tree(expression)
    _refuse_nested(tree, operators)
    return tree


def size(tree: Tree) -> int:
    """Number of nodes, as PySR counts them.

    >>> size(("+", 1.8, ("^", "x_N", -0.3)))
    5
    """
    return 1 + sum(size(argument) for argument in tree[1:]) if isinstance(tree, tuple) else 1


def julia_text(tree: Tree) -> str:
    """Text that Julia reads as this tree: every operation and every negative number is in parentheses.

    >>> julia_text(("+", 1.8, ("^", "x_N", -0.3)))
    '(1.8 + (x_N ^ (-0.3)))'
    """
    if isinstance(tree, str):
        return tree
    if not isinstance(tree, tuple):
        return repr(tree) if tree >= 0 else f"({tree!r})"
    operator, *arguments = tree
    texts = [julia_text(argument) for argument in arguments]
    if operator in ("+", "-", "*", "/", "^"):
        return f"({texts[0]} {operator} {texts[1]})"
    return f"{operator}({', '.join(texts)})"


class _Writer:
    """Writes SymPy's expressions as trees of binary and unary operators."""

    def __init__(self, names: Mapping[str, str], operators: Operators) -> None:
        self.names, self.operators = names, operators

    def tree(self, expression: sympy.Expr) -> Tree:
        if not expression.free_symbols:
            return _number(expression)
        if expression.is_Symbol:
            return self.names[expression.name]
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            return self._product(expression)
        if expression.is_Pow:
            return self._power(*expression.args)
        if isinstance(expression, sympy.exp):
            return self._exponential(expression.args[0])
        if isinstance(expression, sympy.log):
            return self._make("log", self.tree(expression.args[0]))
        if isinstance(expression, sympy.Max | sympy.Min):
            name = "max" if isinstance(expression, sympy.Max) else "min"
            return self._joined(name, map(self.tree, expression.args))
        if isinstance(expression, sympy.Abs):  # what SymPy made of sqrt(x**2)
            return self._power(sympy.Pow(expression.args[0], 2, evaluate=False), sympy.Rational(1, 2))
        raise UnsayableError(f"PySR has no {type(expression).__name__}")

    def _make(self, operator: str, *arguments: Tree) -> Tree:
        if operator not in self.operators:
            raise UnsayableError(f"it needs the operator {operator}, which this search has not")
        return (operator, *arguments)

    def _joined(self, operator: str, trees: Iterable[Tree]) -> Tree:
        return reduce(lambda left, right: self._make(operator, left, right), trees)

    def _sum(self, expression: sympy.Expr) -> Tree:
        # Terms with a plain minus come last, so that there is something to take them from.
        terms = sorted(expression.args, key=lambda term: term.as_coeff_Mul()[0] == -1)
        total = self.tree(terms[0])
        for term in terms[1:]:
            negative = term.as_coeff_Mul()[0] == -1
            if "-" in self.operators and (negative or "+" not in self.operators):
                total = ("-", total, self.tree(-term))
            else:
                total = self._make("+", total, self.tree(term))
        return total

    def _product(self, expression: sympy.Expr) -> Tree:
        above: list[sympy.Expr] = []
        below: list[sympy.Expr] = []
        for factor in expression.args:
            falls = factor.is_Pow and factor.args[1].is_number and factor.args[1].is_negative
            if falls and "/" in self.operators:
                below.append(sympy.Pow(factor.args[0], -factor.args[1]))
            else:
                above.append(factor)
        product = self._joined("*", map(self.tree, above)) if above else 1.0
        return reduce(lambda left, right: self._make("/", left, self.tree(right)), below, product)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Tree:
        power = None if exponent.free_symbols else _number(exponent)
        if power == 1.0:
            return self.tree(base)
        if power == -1.0 and "/" in self.operators:
            return ("/", 1.0, self.tree(base))
        if "^" in self.operators and (exponent.is_Symbol or power is not None):
            return ("^", self.tree(base), self.tree(exponent))
        if power == 0.5 and "sqrt" in self.operators:
            return ("sqrt", self.tree(base))
        if power is not None and power.is_integer() and 0 < abs(power) <= _MAX_REPEATED:
            product = self._joined("*", [self.tree(base)] * int(abs(power)))
            return product if power > 0 else self._make("/", 1.0, product)
        if not base.free_symbols or ("exp" in self.operators and "log" in self.operators):
            return self._exponential(exponent * sympy.log(base))
        missing = "^" if power is not None else "exp and log, for an exponent that is an expression"
        raise UnsayableError(f"it needs the operator {missing}, which this search has not")

    def _exponential(self, argument: sympy.Expr) -> Tree:
        rate, variable = argument.as_coeff_Mul()
        if "^" in self.operators and variable.is_Symbol and _RATES[0] < abs(rate) < _RATES[1]:
            return ("^", float(sympy.exp(rate)), self.tree(variable))  # a node less, and it may stand inside an exp
        return self._make("exp", self.tree(argument))


def _number(expression: sympy.Expr) -> float:
    try:
        value = float(expression)
    except (TypeError, OverflowError, ValueError):
        value = float("nan")  # a complex number
    if not abs(value) <= 1e300:
        raise UnsayableError("one of its constants is not a real number that Float64 holds")
    return value


def _refuse_nested(tree: Tree, operators: Operators) -> None:
    """Raise where an operator stands more often inside another than the search allows."""
    if not isinstance(tree, tuple):
        return
    for inner, limit in operators.nested.get(str(tree[0]), {}).items():
        if max(_depth(argument, inner) for argument in tree[1:]) > limit:
            often = f"{limit + 1} times " if limit else ""
            raise UnsayableError(f"{inner} stands {often}inside {tree[0]}, which this search does not allow")
    for argument in tree[1:]:
        _refuse_nested(argument, operators)


def _depth(tree: Tree, operator: str) -> int:
    """How many of an operator stand one inside the other."""
    if not isinstance(tree, tuple):
        return 0
    return (tree[0] == operator) + max(_depth(argument, operator) for argument in tree[1:])
