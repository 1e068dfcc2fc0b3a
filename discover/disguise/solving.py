"""Which constants make one law another: the equations between what stands in the places of one shape, solved.

Each place gives an equation, a few constants of the one law on its left, those of the other on its right. They are
solved one after the other by turning operations round; what is left over must hold by itself, which is checked at
random values of the constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

TRIED = 3  # sets of random constants at which an identity is checked
EXACT = 1e-9  # relative difference below which two numbers are one
SEED = 20


@dataclass(frozen=True)
class Solution:
    """Values of unknowns.

    Attributes
    ----------
    values
        Value of each unknown that is determined; some of those in `any` may stand in it.
    any
        The unknowns for which any value will do.
    """

    values: Mapping[sympy.Symbol, sympy.Expr]
    any: tuple[sympy.Symbol, ...] = ()


def solved(
    wanted: Sequence[sympy.Expr], places: Sequence[sympy.Expr], unknowns: Sequence[sympy.Symbol]
) -> Solution | None:
    """Values of `unknowns` at which each of `places` is what is `wanted` of it; `None` where none were found."""
    found: dict[sympy.Symbol, sympy.Expr] = {}
    left = [(place, goal) for place, goal in zip(places, wanted, strict=True)]
    while left:
        # The equation with the fewest unknowns says most.
        left.sort(key=lambda pair: len(pair[0].free_symbols & set(unknowns)))
        place, goal = left.pop(0)
        for name in sorted(place.free_symbols & set(unknowns), key=str):
            value = turned_round(place, name, goal)
            if value is not None:
                one = {name: value}
                found = {key: known.xreplace(one) for key, known in found.items()} | one
                left = [(other.xreplace(one), aim.xreplace(one)) for other, aim in left]
                break
        else:
            if place.free_symbols & set(unknowns):
                return None
    rest = dict.fromkeys(set(unknowns) - set(found), sympy.S.One)
    chosen = {key: value.xreplace(rest) for key, value in found.items()} | rest
    holds = all(_equal(place.xreplace(chosen), goal) for place, goal in zip(places, wanted, strict=True))
    # The exponential of what is not real may be negative: no law has such constants.
    holds = holds and all(_equal(sympy.im(value), sympy.S.Zero) for value in chosen.values())
    return Solution(found, tuple(sorted(rest, key=str))) if holds else None


def turned_round(expression: sympy.Expr, name: sympy.Symbol, value: sympy.Expr) -> sympy.Expr | None:
    """The `name` for which `expression` is `value`; `None` unless it stands in one place of plain operations.

    >>> a, b, c = sympy.symbols("a b c", positive=True)
    >>> turned_round(2 * a**b, b, c)
    (log(c) - log(2))/log(a)
    """
    while expression != name:
        inside = [part for part in expression.args if name in part.free_symbols]
        if len(inside) != 1:
            return None
        (part,) = inside
        if expression.is_Add:
            value = value - (expression - part)
        elif expression.is_Mul:
            value = value / (expression / part)
        elif isinstance(expression, sympy.exp):
            value = _log(value)
        elif isinstance(expression, sympy.log):
            value = sympy.exp(value)
        elif expression.is_Pow and part == expression.args[0]:
            value = value ** (1 / expression.args[1])
        elif expression.is_Pow:
            value = _log(value) / _log(expression.args[0])
        else:
            return None
        if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            return None
        expression = part
    return value


def _log(value: sympy.Expr) -> sympy.Expr:
    return sympy.expand_log(sympy.log(value), force=True)


def _equal(one: sympy.Expr, other: sympy.Expr) -> bool:
    """Whether two expressions have one value, whatever their constants are."""
    if one == other:
        return True
    names = sorted(one.free_symbols | other.free_symbols, key=str)
    generator = np.random.default_rng(SEED)
    for _ in range(TRIED):
        values = {name: sympy.Float(generator.uniform(0.3, 1.7)) for name in names}
        try:
            left, right = (complex(side.xreplace(values).evalf()) for side in (one, other))
        except (TypeError, ValueError, OverflowError):
            return False
        if not abs(left - right) <= EXACT * max(abs(left), abs(right)):
            return False
    return True
