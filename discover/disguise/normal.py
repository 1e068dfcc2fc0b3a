"""Formulas in a normal form, so that two that differ in how they are written, and in their constants, become alike.

Products are multiplied out where one factor is a sum, powers and exponentials split into factors, logarithms into
terms, and whatever multiplies or adds constants only is put into one place. What is left of a formula is its shape, a
text in which every such place is a ``#``, and what stands in each of them. ``(A/N)**alpha`` and ``B*N**(-2*beta)`` have
one shape, with ``A**alpha, -alpha`` in its places, and ``B, -2*beta``.

Constants are taken to be positive; a sign is part of what stands in a place.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from operator import not_

import sympy

from discover.formula import COMPONENT, N_COMPONENTS, parse

EACH = "[]"  # ends the name of what has a value for each component
MARK = ":"  # ends the prefix of constants, which no name of a formula contains


class Over(sympy.Function):  # type: ignore[misc]
    """A sum over the components of a mixture."""

    is_real = True

    @classmethod
    def eval(cls, term: sympy.Expr) -> sympy.Expr | None:
        """The sum of nothing is zero, and that of what is infinite is so."""
        if term == 0:
            return sympy.S.Zero
        return sympy.zoo if term.has(sympy.zoo) else None


@dataclass(frozen=True)
class Shape:
    """A formula without its constants.

    Attributes
    ----------
    text
        The shape; equal for formulas that are alike.
    places
        What stands in its places: expressions of constants, in the order of the text.
    """

    text: str
    places: tuple[sympy.Expr, ...]


@dataclass(frozen=True)
class Formula:
    """The text of a formula and what its names are: all that is compared of a law.

    Attributes
    ----------
    text
        In the language of `discover.formula`, without named parts.
    features, mixtures, constants
        Its names.
    signed
        Those of its constants that may be negative.
    """

    text: str
    features: tuple[str, ...]
    mixtures: tuple[str, ...]
    constants: tuple[str, ...]
    signed: tuple[str, ...] = ()

    def expression(self, prefix: str) -> sympy.Expr:
        """The formula with positive constants, their names after `prefix`, and `Over` for its sums."""
        parsed = parse(self.text, features=self.features, mixtures=self.mixtures, constants=self.constants)
        parsed = parsed.replace(
            lambda part: isinstance(part, sympy.Sum), lambda total: Over(_without_index(total.function, prefix))
        )
        named = parsed.xreplace({sympy.Symbol(name, real=True): constant(name, prefix) for name in self.constants})
        # SymPy takes its time over powers of a number, every time that it makes one.
        return named.replace(
            lambda part: part.is_Pow and part.base.is_Number and not part.exp.is_Number,
            lambda power: sympy.exp(sympy.expand_mul(sympy.log(power.base) * power.exp)),
        )


def constant(name: str, prefix: str) -> sympy.Symbol:
    """The symbol of a constant."""
    return sympy.Symbol(f"{prefix}{MARK}{name}", positive=True)


def is_constant(name: sympy.Symbol) -> bool:
    """Whether a symbol is one of a constant."""
    return MARK in name.name


def plain_name(name: sympy.Symbol) -> str:
    """Name of a constant as its law has it."""
    return str(name.name).partition(MARK)[2].removesuffix(EACH)


def constants_of(expression: sympy.Expr) -> list[sympy.Symbol]:
    """The constants of an expression, by name."""
    return sorted((name for name in expression.free_symbols if is_constant(name)), key=lambda name: str(name.name))


def features_of(expression: sympy.Expr) -> set[str]:
    """Names of the features of an expression."""
    return {str(name.name) for name in expression.free_symbols if not is_constant(name)}


def _without_index(term: sympy.Expr, prefix: str) -> sympy.Expr:
    """A term of a sum with a plain symbol for what has a value for each component."""
    replaced = {}
    for indexed in term.atoms(sympy.Indexed):
        name = f"{indexed.base}{EACH}"
        feature = indexed.base.label.is_positive
        replaced[indexed] = sympy.Symbol(name, positive=True) if feature else constant(name, prefix)
    return term.xreplace(replaced).xreplace({COMPONENT: sympy.S.One, N_COMPONENTS: sympy.S.One})


def normal(expression: sympy.Expr, *, expand: bool = False) -> sympy.Expr:
    """The normal form of an expression; `expand` multiplies out products of several sums too."""
    return _Normal(expand)(expression)


def shape(expression: sympy.Expr) -> Shape:
    """The shape of an expression in normal form."""
    places: list[sympy.Expr] = []
    text = _text(expression, places)
    return Shape(text, tuple(places))


def _fixed(expression: sympy.Expr) -> bool:
    """Whether an expression has no feature."""
    return all(is_constant(name) for name in expression.free_symbols)


def _split(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """What of a product is constant, and the rest."""
    factors = sympy.Mul.make_args(term)
    fixed = [_fixed(factor) for factor in factors]
    return sympy.Mul(*itertools.compress(factors, fixed)), sympy.Mul(*itertools.compress(factors, map(not_, fixed)))


class _Normal:
    """The rules, innermost first."""

    def __init__(self, expand: bool) -> None:
        self.expand = expand

    def __call__(self, expression: sympy.Expr) -> sympy.Expr:
        if expression.is_Atom or _fixed(expression):
            return expression
        if expression.is_Add:
            return _sum(self(part) for part in expression.args)
        if expression.is_Mul:
            return self._product([self(part) for part in expression.args])
        if expression.is_Pow:
            return self._power(self(expression.args[0]), expression.args[1])
        if isinstance(expression, sympy.exp):
            return self._exponential(expression.args[0])
        if isinstance(expression, sympy.log):
            return _logarithm(self(expression.args[0]))
        if isinstance(expression, Over):
            return _sum(_over(term) for term in sympy.Add.make_args(self(expression.args[0])))
        return expression.func(*[self(part) for part in expression.args])

    def _product(self, factors: Iterable[sympy.Expr]) -> sympy.Expr:
        flat = sympy.Mul.make_args(sympy.Mul(*factors))
        sums = [factor for factor in flat if factor.is_Add and not _fixed(factor)]
        rest = sympy.Mul(*[factor for factor in flat if factor not in sums])
        if len(sums) == 1 or (sums and self.expand):
            others = sympy.Mul(*sums[1:])
            return _sum(self._product([term, rest, others]) for term in sums[0].args)
        for total in sums:
            number, scaled = _scaled(total)
            rest = rest * number * scaled
        return _gathered(rest)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
        if not _fixed(exponent):
            return self._exponential(exponent * sympy.log(base))
        if base.is_Mul:
            return self._product([self._power(factor, exponent) for factor in base.args])
        if base.is_Pow and _fixed(base.args[1]):
            return self._power(base.args[0], base.args[1] * exponent)
        if isinstance(base, sympy.exp):
            return self._exponential(base.args[0] * exponent)
        if base.is_Add and exponent != 1:
            number, scaled = _scaled(base)
            return number**exponent * scaled**exponent
        return base**exponent

    def _exponential(self, exponent: sympy.Expr) -> sympy.Expr:
        factors, left = [], []
        for term in sympy.Add.make_args(_Normal(True)(exponent)):
            number, rest = _split(term)
            if isinstance(rest, sympy.log):
                factors.append(self._power(rest.args[0], number))
            elif rest == 1:
                factors.append(sympy.exp(number))
            else:
                left.append(term)
        return self._product([*factors, sympy.exp(sympy.Add(*left))])


def _gathered(product: sympy.Expr) -> sympy.Expr:
    """A product with one power of each base, which SymPy leaves apart where exponents are symbols."""
    exponents: dict[sympy.Expr, list[sympy.Expr]] = {}
    for factor in sympy.Mul.make_args(product):
        base, exponent = (factor, sympy.S.One) if _fixed(factor) else factor.as_base_exp()
        exponents.setdefault(base, []).append(exponent)
    return sympy.Mul(*[base ** sympy.Add(*own) for base, own in exponents.items()])


def _sum(parts: Iterable[sympy.Expr]) -> sympy.Expr:
    """A sum in which terms that differ in their constants only are one."""
    numbers: dict[sympy.Expr, list[sympy.Expr]] = {}
    for part in parts:
        for term in sympy.Add.make_args(part):
            number, rest = _split(term)
            numbers.setdefault(rest, []).append(number)
    return sympy.Add(*[_times(sympy.Add(*number), rest) for rest, number in numbers.items()])


def _times(number: sympy.Expr, rest: sympy.Expr) -> sympy.Expr:
    """A product whose number is not multiplied into a sum, as SymPy would do by itself."""
    return sympy.Mul(number, rest, evaluate=False) if number.is_Number and rest.is_Add else number * rest


def _scaled(total: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """A sum as a positive number, times a sum whose first term with features has no number but perhaps a sign."""
    terms = [_split(term) for term in sympy.Add.make_args(total)]
    first = min((rest for _, rest in terms if rest != 1), key=lambda rest: _text(rest, []))
    number = next(number for number, rest in terms if rest is first)
    number = -number if number.could_extract_minus_sign() else number  # a power of what is negative is not real
    return number, sympy.Add(*[own / number * rest for own, rest in terms])


def _logarithm(argument: sympy.Expr) -> sympy.Expr:
    terms = []
    for factor in sympy.Mul.make_args(argument):
        if isinstance(factor, sympy.exp):
            terms.append(factor.args[0])
        elif factor.is_Pow and not _fixed(factor):
            base, exponent = factor.args
            terms += [sympy.expand_mul(exponent * term) for term in sympy.Add.make_args(_logarithm(base))]
        elif factor.is_Add and not _fixed(factor):
            number, scaled = _scaled(factor)
            terms += [sympy.log(number), sympy.log(scaled)]
        else:
            terms.append(sympy.log(factor))
    return _sum(terms)


def _over(term: sympy.Expr) -> sympy.Expr:
    """A sum over components with what is the same for all of them in front."""
    factors = sympy.Mul.make_args(term)
    alike = [_fixed(factor) and not any(_each(name) for name in factor.free_symbols) for factor in factors]
    own = sympy.Mul(*itertools.compress(factors, map(not_, alike)))
    return sympy.Mul(*itertools.compress(factors, alike)) * Over(own)


def _each(name: sympy.Symbol) -> bool:
    return str(name.name).endswith(EACH)


def _text(expression: sympy.Expr, places: list[sympy.Expr]) -> str:
    """The shape of an expression; what stands in its places is appended to `places`, in the order of the text."""
    if _fixed(expression):
        if not expression.free_symbols:
            return f"{float(expression):.12g}" if expression.is_real else str(expression)
        places.append(expression)
        return "#" + EACH * any(_each(name) for name in expression.free_symbols)
    if expression.is_Symbol:
        return str(expression.name)
    if expression.is_Add:
        fixed = sympy.Add(*[term for term in expression.args if _fixed(term)])
        parts = [term for term in expression.args if not _fixed(term)]
        return _listed("+", [*([fixed] if fixed != 0 else []), *parts], places)
    if expression.is_Mul:
        number, rest = _split(expression)
        return _listed("*", [*([number] if number != 1 else []), *sympy.Mul.make_args(rest)], places)
    own: list[sympy.Expr] = []
    parts_text = " ".join(_text(part, own) for part in expression.args)
    if isinstance(expression, sympy.Min | sympy.Max):
        return _listed(type(expression).__name__, expression.args, places)
    places += own
    return f"({type(expression).__name__} {parts_text})"


def _listed(word: str, parts: Collection[sympy.Expr], places: list[sympy.Expr]) -> str:
    """Parts whose order says nothing, in the order of their shapes."""
    if len(parts) == 1:
        (only,) = parts
        return _text(only, places)
    told: list[tuple[str, list[sympy.Expr]]] = []
    for part in parts:
        own: list[sympy.Expr] = []
        told.append((_text(part, own), own))
    told.sort(key=lambda item: item[0])
    for _, own in told:
        places += own
    return f"({word} {' '.join(text for text, _ in told)})"
