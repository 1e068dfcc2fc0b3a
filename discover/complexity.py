"""How long a formula is, and how much it claims: what a search limits, and what a choice prefers small."""

from __future__ import annotations

from collections.abc import Collection

import sympy


def complexity(expression: sympy.Expr) -> int:
    """Number of nodes of the expression: names, numbers, operations and functions.

    A quotient and a difference count as one operation, as they read, not as SymPy's power or product by -1.

    >>> from discover.formula import parse
    >>> complexity(parse("E0 + A/N**alpha", features=["N"]))
    7
    """
    if expression.is_Atom or isinstance(expression, sympy.Indexed):
        return 1
    if isinstance(expression, sympy.Sum):
        return 1 + complexity(expression.function)
    if isinstance(expression, sympy.exp):
        return 1 + complexity(expression.args[0])
    if expression.is_Add:
        return sum(complexity(_without_sign(term)) for term in expression.args) + len(expression.args) - 1
    if expression.is_Mul or expression.is_Pow:
        return _product_complexity(expression)
    return sum(complexity(argument) for argument in expression.args) + max(1, len(expression.args) - 1)


def _without_sign(expression: sympy.Expr) -> sympy.Expr:
    return -expression if expression.could_extract_minus_sign() else expression


def _product_complexity(expression: sympy.Expr) -> int:
    if expression.is_Pow:
        base, exponent = expression.args
        if exponent == -1:
            return 2 + complexity(base)
        if exponent == sympy.Rational(1, 2):
            return 1 + complexity(base)
        return 1 + complexity(base) + complexity(_without_sign(exponent))
    numerator, denominator = sympy.fraction(expression)  # of the factors alone: no sum is brought to one denominator
    factors = [f for f in (*sympy.Mul.make_args(numerator), *sympy.Mul.make_args(denominator)) if f not in (1, -1)]
    if not factors:
        return 1
    return sum(complexity(factor) for factor in factors) + len(factors) - 1


def functions(expression: sympy.Expr) -> int:
    """Number of functions beyond sums, products and powers: logarithms, and exponentials of them or of powers.

    An exponential of a sum of shares is what a power is to sizes, and does not count.

    >>> from discover.formula import parse
    >>> functions(parse("E0 + A/N**alpha + B*exp(c/D**beta)", features=["N", "D"]))
    1
    """
    exponentials = [one for one in expression.atoms(sympy.exp) if one.args[0].atoms(sympy.log, sympy.Pow)]
    outside = expression.xreplace({one: sympy.Dummy() for one in exponentials})
    return len(exponentials) + len(outside.atoms(sympy.log))


def ties(expression: sympy.Expr, constants: Collection[str]) -> int:
    """How often an exponent is that of another power too: that two features have one exponent is a claim of its own.

    >>> from discover.formula import parse
    >>> ties(parse("E0 + A/N**alpha + B/D**alpha", features=["N", "D"]), ["E0", "A", "B", "alpha"])
    1
    """
    bases: dict[str, set[sympy.Expr]] = {}
    for power in expression.atoms(sympy.Pow):
        names = [symbol.name for symbol in power.exp.free_symbols]
        if len(names) == 1 and names[0] in constants:
            bases.setdefault(names[0], set()).add(power.base)
    return sum(len(own) - 1 for own in bases.values())
