"""Proof by interval arithmetic that a part of a formula keeps its sign in a box, which sampling cannot give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy
from mpmath import iv

from discover.formula import symbol

Box = dict[str, tuple[float, float]]  # ends of each feature
BOXES = 200  # that are looked at before the answer is "not known"
NARROW = 1e-6  # relative width of a box that is a point


def unproven(
    part: sympy.Expr, box: Box, constants: Mapping[str, float], *, either_sign: bool, zero: bool
) -> dict[str, float] | None:
    """A point near which the part may break its rule, or `None` where it is proven that there is no such point.

    The box is halved along its widest side, in the logarithm, until the part has one sign in every piece.

    Parameters
    ----------
    part
        An expression over the features of the box and the constants.
    either_sign
        Whether it may be negative too, but not zero.
    zero
        Whether it may be zero.
    """
    box = {name: ends for name, ends in box.items() if symbol(name, positive=True) in part.free_symbols}
    evaluate = _interval_function(part, tuple(box), constants)
    pieces, looked = [box], 0
    while pieces:
        piece, looked = pieces.pop(), looked + 1
        value = evaluate(piece)
        if value > 0 or (zero and value >= 0) or (either_sign and value < 0):  # of intervals: everywhere in them
            continue
        widths = {name: math.log(ends[1] / ends[0]) if ends[0] > 0 else 0.0 for name, ends in piece.items()}
        widest = max(widths, key=lambda name: widths[name], default="")
        if looked >= BOXES or not widest or widths[widest] < NARROW:
            return {name: math.sqrt(ends[0] * ends[1]) for name, ends in piece.items()}
        start, end = piece[widest]
        middle = math.sqrt(start * end)
        pieces += [{**piece, widest: (middle, end)}, {**piece, widest: (start, middle)}]
    return None


def _interval_function(
    part: sympy.Expr, features: tuple[str, ...], constants: Mapping[str, float]
) -> Callable[[Box], Any]:
    """A function of a box: an interval that holds all values of the part in it; endless where it may have none."""
    endless = iv.mpf([-math.inf, math.inf])
    functions = {"log": iv.log, "exp": iv.exp, "sqrt": iv.sqrt, "Abs": abs, "Max": _largest, "Min": _smallest}
    names = [name for name in constants if symbol(name) in part.free_symbols]
    symbols = [*(symbol(name, positive=True) for name in features), *(symbol(name) for name in names)]
    function = sympy.lambdify(symbols, part, modules=[functions], dummify=True)
    # A whole exponent must be whole for mpmath too, which else takes a logarithm of the base.
    fixed = [int(constants[name]) if float(constants[name]).is_integer() else iv.mpf(constants[name]) for name in names]

    def evaluate(box: Box) -> Any:
        try:
            value = iv.convert(function(*(iv.mpf(box[name]) for name in features), *fixed))
            return value if isinstance(value, type(endless)) else endless  # else it is complex
        except (ArithmeticError, ValueError, TypeError, NotImplementedError):
            return endless  # of a part that is not real everywhere in the box

    return evaluate


def _largest(*arguments: Any) -> Any:
    parts = [iv.convert(argument) for argument in arguments]
    return iv.mpf([max(part.a for part in parts), max(part.b for part in parts)])


def _smallest(*arguments: Any) -> Any:
    parts = [iv.convert(argument) for argument in arguments]
    return iv.mpf([min(part.a for part in parts), min(part.b for part in parts)])
