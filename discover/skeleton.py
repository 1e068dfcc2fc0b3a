"""From an expression with numbers to a skeleton: the same formula with its constants open and named.

Two expressions have one skeleton when they differ in the numbers only. The numbers of an expression are its
constants, except the whole numbers and halves that belong to its shape (a square, a root, a quotient). Scales that
an engine worked with (``N/1e9``) are folded into the constants exactly: ``2.1*(N/1e9)**-0.3`` becomes ``A/N**alpha``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from discover.formula import symbol, to_text
from discover.law import Constant

EXPONENTS = ("alpha", "beta", "gamma", "delta", "eta", "kappa", "mu", "nu", "xi", "rho", "tau", "omega")
COEFFICIENTS = ("A", "B", "K", "G", "H", "P", "R", "T", "U", "W", "X", "Y", "Z")
EXPONENT, COEFFICIENT, FLOOR, OFFSET = "exponent", "scale", "irreducible loss", "offset"  # meanings
SHIFTS = ("a", "b", "c", "d", "f", "g", "h", "k", "m", "p", "q", "s", "t", "u", "v", "w")


@dataclass(frozen=True)
class Skeleton:
    """A formula with its constants open.

    Attributes
    ----------
    formula
        Text in the language of `discover.formula`, with constants by name.
    constants
        What is known of each constant: the range in which a fit starts is wide around the value found.
    values
        The value that each constant had in the expression.
    """

    formula: str
    constants: dict[str, Constant]
    values: dict[str, float]


def canonical(expression: sympy.Expr) -> sympy.Expr:
    """Rewrite an expression so that numbers merge: one constant where several would do the same work.

    ``exp(a + x)`` becomes ``exp(a)*exp(x)``, ``(a*x)**b`` becomes ``a**b*x**b``, ``a**x`` becomes ``exp(log(a)*x)``,
    ``log(a*x)`` becomes ``log(a) + log(x)``, and a sum inside a power has one or minus one as its leading coefficient.
    Wherever the expression is real, the result is equal to it if the factors inside powers and logarithms are positive;
    where two factors are negative, it may have no real value.
    """
    previous = None
    for _ in range(6):
        if expression == previous:
            break
        previous = expression
        expression = _bottom_up(expression)
    return expression


def _bottom_up(expression: sympy.Expr) -> sympy.Expr:
    """One pass of the rules of `canonical`, innermost first."""
    if expression.is_Atom:
        return expression
    arguments = [_bottom_up(argument) for argument in expression.args]
    expression = expression.func(*arguments)
    if isinstance(expression, sympy.exp):
        return sympy.expand_power_exp(expression)
    if isinstance(expression, sympy.log):
        return _log(expression)
    if expression.is_Pow:
        return _power(*expression.args)
    if expression.is_Mul:
        return _product(expression)
    return expression


def _product(expression: sympy.Expr) -> sympy.Expr:
    """One number in front; sums in it have one as their leading coefficient."""
    number, rest = expression.as_coeff_Mul()
    factors = sympy.Mul.make_args(rest)
    if len(factors) > 1:
        leading = [_leading(factor) if factor.is_Add else (sympy.S.One, factor) for factor in factors]
        number = sympy.Mul(number, *[first for first, _ in leading])
        rest = sympy.Mul(*[factor for _, factor in leading])
    return number * rest


def _log(expression: sympy.Expr) -> sympy.Expr:
    number, rest = _leading(expression.args[0])
    total = sympy.expand_log(sympy.log(rest), force=True)
    return total if number == 1 else sympy.log(number) + total


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    if base.is_Number:
        if exponent.is_Number or not base.is_positive:
            return base**exponent
        return sympy.expand_power_exp(sympy.exp(sympy.log(base) * exponent))
    if base.is_Pow:
        return _power(base.args[0], base.args[1] * exponent)
    if isinstance(base, sympy.exp):
        return sympy.exp(base.args[0] * exponent)
    if base.is_Mul:
        return sympy.Mul(*[_power(factor, exponent) for factor in base.args])
    number, rest = _leading(base)
    return rest**exponent if number == 1 else number**exponent * rest**exponent


def _leading(total: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """A positive number and the sum divided by it: its first term with names has the coefficient one or minus one."""
    for term in sorted(sympy.Add.make_args(total), key=_shape):
        number, rest = term.as_coeff_Mul()
        if rest == 1:
            continue
        if not _is_constant(number):
            break
        size = abs(number)
        others = [argument / size for argument in sympy.Add.make_args(total) if argument is not term]
        return size, sympy.Add(rest if number.is_positive else -rest, *others)
    return sympy.S.One, total


def _is_constant(number: sympy.Expr) -> bool:
    """Whether a number is a constant of the law rather than part of its shape."""
    return bool(number.is_Float or (number.is_Rational and number not in _SHAPE))


CHANCE = 10  # characters of a number that two constants do not share by chance
_SHAPE = {sympy.Integer(k) for k in range(-4, 5)} | {sympy.Rational(1, 2), sympy.Rational(-1, 2)}


def _shape(expression: sympy.Expr, signed: bool = False) -> str:
    """A text to order terms by, equal where only numbers differ (and, if `signed`, their signs agree)."""
    if expression.is_Number:
        if not _is_constant(expression):
            return str(expression)
        return "~#" if signed and expression.is_negative else "#"  # "~" comes after letters
    if expression.is_Atom:
        return str(expression)
    if expression.is_Mul:
        number, rest = expression.as_coeff_Mul()
        if _is_constant(number) or number == -1:
            # The sign belongs to the constant, and a missing coefficient is the constant one.
            return ("~" if signed and number.is_negative else "") + _shape(rest, signed)
    parts = [_shape(argument, signed) for argument in expression.args]
    if expression.is_Add or expression.is_Mul:
        parts.sort()
    return f"{type(expression).__name__}({','.join(parts)})"


def skeleton(expression: sympy.Expr, features: Sequence[str]) -> Skeleton:
    """Name the constants of a canonical expression, in an order that depends on its shape only.

    A floor, a constant added to terms that are no logarithms, is ``E0``; exponents have Greek names, coefficients
    capital ones, the rest small ones. Exponents and coefficients are kept positive, with the sign in the formula.
    Exponents, or offsets, that are the same number to more digits than chance allows are one constant: the law ties
    them.
    """
    # Terms are ordered by their features as the dataset lists them, so that N comes before D.
    codes = {symbol(name, positive=True): sympy.Symbol(f"!{k:02d}") for k, name in enumerate(features)}
    namer = _Namer(features, codes)
    terms = [to_text(term) for term in namer.terms(expression)]
    text = " + ".join(terms).replace("+ -", "- ")
    return Skeleton(text, namer.constants, namer.values)


def _digits(value: float) -> str:
    """The digits of a number by which it is known again: eleven at most, no zeros at the end."""
    return f"{value:.10e}".split("e")[0].rstrip("0") + f"{value:.10e}".split("e")[1]


class _Namer:
    """Walks an expression in the order of its shape and puts names for numbers."""

    def __init__(self, features: Sequence[str], codes: dict[sympy.Symbol, sympy.Symbol]) -> None:
        self.taken, self.codes = set(features), codes
        self.constants: dict[str, Constant] = {}
        self.values: dict[str, float] = {}
        self.tied: dict[tuple[str, str], str] = {}  # name of a constant by its meaning and digits

    def terms(self, expression: sympy.Expr, top: bool = True) -> list[sympy.Expr]:
        """The terms of a sum with names for numbers, the constant first."""
        terms = sympy.Add.make_args(expression)
        floor = top and not any(isinstance(f, sympy.log) for term in terms for f in sympy.Mul.make_args(term))
        ordered = sorted(terms, key=lambda term: (not term.is_Number, self._order(term)))
        return [self.name(term, floor) for term in ordered]

    def name(self, expression: sympy.Expr, top: bool = False) -> sympy.Expr:
        if expression.is_Number:
            return self._shift(expression, top) if _is_constant(expression) else expression
        if expression.is_Atom:
            return expression
        if expression.is_Add:
            return sympy.Add(*self.terms(expression, top))
        if expression.is_Mul:
            number, rest = expression.as_coeff_Mul()
            factors = sorted(sympy.Mul.make_args(rest), key=self._order)
            named = sympy.Mul(*[self.name(factor) for factor in factors])
            return self._signed(number, COEFFICIENTS) * named if _is_constant(number) else number * named
        if expression.is_Pow:
            base, exponent = expression.args
            if _is_constant(base):
                return self._signed(base, SHIFTS) ** self.name(exponent)
            named = self.name(base)
            return named ** (self._signed(exponent, EXPONENTS) if _is_constant(exponent) else self.name(exponent))
        return expression.func(*[self.name(argument) for argument in expression.args])

    def _order(self, expression: sympy.Expr) -> tuple[str, str]:
        coded = expression.xreplace(self.codes)
        return _shape(coded), _shape(coded, signed=True)

    def _signed(self, number: sympy.Expr, names: Iterable[str]) -> sympy.Expr:
        """A positive constant for the number's size, with its sign in the formula."""
        value = float(number)
        size = abs(value) or 1e-6
        spread, meaning = (5.0, EXPONENT) if names is EXPONENTS else (100.0, COEFFICIENT)
        key = (meaning, _digits(size))
        if meaning == EXPONENT and key in self.tied:
            return -symbol(self.tied[key]) if value < 0 else symbol(self.tied[key])
        name = self._free(names)
        if len(key[1]) > CHANCE:
            self.tied[key] = name
        self.constants[name] = Constant(range=(size / spread, size * spread), positive=True, log=True, meaning=meaning)
        self.values[name] = size
        return -symbol(name) if value < 0 else symbol(name)

    def _shift(self, number: sympy.Expr, top: bool) -> sympy.Expr:
        """A constant that is added: the floor at the top, which cannot be negative when it was found positive."""
        value = float(number)
        if top and value > 0:
            name = "E0" if "E0" not in self.taken else self._free(SHIFTS)
            self.taken.add(name)
            self.constants[name] = Constant(range=(value / 10, value * 3), positive=True, meaning=FLOOR)
        else:
            key = (OFFSET, _digits(value))
            if key in self.tied:
                return symbol(self.tied[key])
            name = self._free(SHIFTS)
            if len(key[1]) > CHANCE:
                self.tied[key] = name
            reach = 3 * max(abs(value), 1e-3)
            self.constants[name] = Constant(range=(value - reach, value + reach), meaning=OFFSET)
        self.values[name] = value
        return symbol(name)

    def _free(self, names: Iterable[str]) -> str:
        count = 0
        candidates = list(names)
        while True:
            for name in candidates:
                full = f"{name}{count}" if count else name
                if full not in self.taken:
                    self.taken.add(full)
                    return full
            count += 1
