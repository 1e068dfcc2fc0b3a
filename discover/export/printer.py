r"""SymPy's LaTeX printer, taught to write laws as papers do.

SymPy keeps sums and products in an order of its own; here they come in the order of the formula's text, floor first if
it was written first. A power with a negative exponent goes below the fraction bar (``A/N**alpha`` is
``\frac{A}{N^{\alpha}}``, whichever way it was written), and fractions in exponents are written with a slash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE

from discover.export.names import latex_names
from discover.export.rounding import times_power_of_ten

_NAME = re.compile(r"\b[A-Za-z]\w*")
_MOVED_TO_FRONT = -1  # place of a number: no name of the text is in it


class Log10(sympy.Function):  # type: ignore[misc]
    """The decimal logarithm, for which formulas have no function: they write ``log(x)/log(10)``."""


class LawPrinter(LatexPrinter):  # type: ignore[misc]
    """Prints the expression of one formula.

    Parameters
    ----------
    text
        The formula's text; its names give the order in which terms and factors are printed.
    names
        LaTeX of each name.
    variables
        Names of what varies, features and parts: in a product they come after the constants.
    """

    printmethod = "_law_latex"  # not SymPy's "_latex", by which Euler's number would print itself as a plain e

    def __init__(self, text: str, names: Mapping[str, str], variables: Iterable[str] = ()) -> None:
        super().__init__({"ln_notation": True})
        self._names, self._variables = names, frozenset(variables)
        places: dict[str, int] = {}
        for name in _NAME.findall(text):
            places.setdefault(name, len(places))
        self._places = places
        self._in_exponent = False
        self._fractions = 0  # in how many fractions the current expression stands

    def terms(self, expression: sympy.Expr) -> list[str]:
        """LaTeX of the terms of a sum (or of the one expression), each but a leading positive one with its sign."""
        ordered = sorted(sympy.Add.make_args(expression), key=self._place)
        first = next((k for k, term in enumerate(ordered) if not _is_negative(term)), 0)
        ordered.insert(0, ordered.pop(first))  # "1 - x", not "-x + 1"
        texts = []
        for number, term in enumerate(ordered):
            sign = "- " if _is_negative(term) else "+ " if number else ""
            texts.append(f"{sign}{self._print(-term if sign == '- ' else term)}")
        return texts

    def _place(self, expression: sympy.Expr) -> tuple[int, int]:
        """Where an expression stands in the text: at the last of its names to appear, simple ones first."""
        names = _names_in(expression)
        return max((self._places.get(name, _MOVED_TO_FRONT) for name in names), default=_MOVED_TO_FRONT), len(names)

    def _place_in_product(self, factor: sympy.Expr) -> tuple[bool, bool, int, int]:
        return not factor.is_Number, not self._variables.isdisjoint(_names_in(factor)), *self._place(factor)

    @contextmanager
    def _exponent(self) -> Iterator[None]:
        before, self._in_exponent = self._in_exponent, True
        try:
            yield
        finally:
            self._in_exponent = before

    def _print_Symbol(self, expr: sympy.Symbol, style: str = "plain") -> str:
        return self._names.get(expr.name) or super()._print_Symbol(expr, style)

    def _print_Add(self, expr: sympy.Add, order: Any = None) -> str:
        return " ".join(self.terms(expr))

    def _print_Mul(self, expr: sympy.Mul) -> str:
        if _is_negative(expr):
            return f"- {self._print(-expr)}"
        above, below = _above_and_below(_with_log10(expr.args))
        return self._fraction(above, below)

    def _fraction(self, above: list[sympy.Expr], below: list[sympy.Expr]) -> str:
        if not below:
            return self._product(above)
        if self._in_exponent:
            divisor = self._product(below)
            alone = len(below) == 1 and (below[0].is_Symbol or below[0].is_Integer)
            return f"{self._product(above)} / {divisor if alone else self._bracketed(divisor)}"
        if self._fractions and not above and len(below) == 1 and below[0].is_Add:
            return f"{self._bracketed(self._print(below[0]))}^{{-1}}"  # fractions in fractions become too small to read
        self._fractions += 1
        # Alone above or below a bar, a sum needs no parentheses.
        text = rf"\frac{{{self._product(above, alone=True)}}}{{{self._product(below, alone=True)}}}"
        self._fractions -= 1
        return text

    def _product(self, factors: list[sympy.Expr], *, alone: bool = False) -> str:
        if not factors:
            return "1"
        if len(factors) == 1 and alone:
            return str(self._print(factors[0]))
        text = ""
        for factor in sorted(factors, key=self._place_in_product):
            dot = r"\cdot " if text and (factor.is_Number or (factor.is_Pow and factor.base.is_Number)) else ""
            text += (" " if text else "") + dot + self.parenthesize(factor, PRECEDENCE["Mul"])
        return text

    def _print_Pow(self, expr: sympy.Pow) -> str:
        base, exponent = expr.args
        if _is_negative(exponent):
            return self._fraction([], [sympy.Pow(base, -exponent, evaluate=False) if exponent != -1 else base])
        if exponent == 1:
            return str(self._print(base))
        if exponent == sympy.Rational(1, 2):
            return rf"\sqrt{{{self._print(base)}}}"
        with self._exponent():
            above = self._print(exponent)
        return f"{self._base(base)}^{{{above}}}"

    def _base(self, base: sympy.Expr) -> str:
        if base.is_Function or (base.is_Float and abs(Decimal(repr(float(base))).adjusted()) > 3):
            return self._bracketed(self._print(base))
        text = self.parenthesize(base, PRECEDENCE["Pow"])
        return str(self.parenthesize_super(text)) if base.is_Symbol else str(text)

    def _bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def _print_exp(self, expr: sympy.exp) -> str:
        return rf"\exp{self._bracketed(self._print(expr.args[0]))}"

    def _print_Exp1(self, expr: sympy.Expr, exp: Any = None) -> str:
        return r"\exp\left(1\right)"  # "e" may be a name of the law

    def _print_Max(self, expr: sympy.Max, exp: Any = None) -> str:
        return rf"\max{self._bracketed(self._list(expr.args))}"

    def _print_Min(self, expr: sympy.Min, exp: Any = None) -> str:
        return rf"\min{self._bracketed(self._list(expr.args))}"

    def _list(self, expressions: Iterable[sympy.Expr]) -> str:
        return ", ".join(self._print(expression) for expression in sorted(expressions, key=self._place))

    def _print_log(self, expr: sympy.log, exp: Any = None) -> str:
        return self._logarithm(r"\ln", expr)

    def _print_Log10(self, expr: Log10, exp: Any = None) -> str:
        return self._logarithm(r"\log_{10}", expr)

    def _logarithm(self, function: str, expr: sympy.Expr) -> str:
        argument = expr.args[0]
        text = self._print(argument)
        return f"{function} {text}" if argument.is_Symbol else f"{function}{self._bracketed(text)}"

    def _print_Rational(self, expr: sympy.Rational) -> str:
        if expr.q == 1:
            return str(expr.p)
        sign = "- " if expr.p < 0 else ""
        return sign + (f"{abs(expr.p)} / {expr.q}" if self._in_exponent else rf"\frac{{{abs(expr.p)}}}{{{expr.q}}}")

    def _print_Float(self, expr: sympy.Float) -> str:
        return exact_number(float(expr))


def to_latex(expression: sympy.Expr, text: str, names: Mapping[str, str] | None = None) -> str:
    r"""LaTeX of the `expression` of a formula, in the order of the formula's `text`.

    Parameters
    ----------
    expression
        What `discover.formula.parse` made of the text.
    text
        The formula.
    names
        LaTeX of each name; by default `discover.export.names.latex_names` of all names in the expression.

    Examples
    --------
    >>> from discover.formula import parse
    >>> print(to_latex(parse("E0 + A*N**(-alpha)"), "E0 + A*N**(-alpha)"))
    E_{0} + \frac{A}{N^{\alpha}}
    """
    if names is None:
        names = latex_names(sorted(str(symbol) for symbol in expression.free_symbols))
    return str(LawPrinter(text, names).doprint(expression))


def exact_number(value: float) -> str:
    r"""LaTeX of a finite number with all its digits: ``0.25``, ``10^{9}``, ``6.4 \times 10^{13}``."""
    number = Decimal(repr(value)).normalize()
    top = number.adjusted()
    if not number or -4 <= top <= 4:
        return f"{number:f}"
    return times_power_of_ten(f"{number.scaleb(-top):f}", top)


def _names_in(expression: sympy.Expr) -> set[str]:
    return {str(atom) for atom in expression.free_symbols}


def _is_negative(expression: sympy.Expr) -> bool:
    """Whether an expression reads as minus something."""
    if expression.is_Add:
        return all(_is_negative(term) for term in expression.args)
    return bool(expression.as_coeff_Mul()[0].is_negative)


def _above_and_below(factors: Iterable[sympy.Expr]) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
    """The factors of a product above the fraction bar, and those below it with positive exponents."""
    above, below = [], []
    for factor in factors:
        if factor.is_Rational:
            above += [sympy.Integer(factor.p)] if factor.p != 1 else []
            below += [sympy.Integer(factor.q)] if factor.q != 1 else []
        elif factor.is_Pow and _is_negative(factor.exp):
            below.append(factor.base if factor.exp == -1 else sympy.Pow(factor.base, -factor.exp))
        else:
            above.append(factor)
    return above, below


def _with_log10(factors: Iterable[sympy.Expr]) -> list[sympy.Expr]:
    """The factors of a product, with ``log(x)/log(10)`` written as one decimal logarithm."""
    rest = list(factors)
    divisor = 1 / sympy.log(10)
    logarithm = next((factor for factor in rest if isinstance(factor, sympy.log)), None)
    if divisor in rest and logarithm is not None:
        rest.remove(divisor)
        rest[rest.index(logarithm)] = Log10(logarithm.args[0])
    return rest
