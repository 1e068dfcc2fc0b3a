"""Shapes as formulas: numbers for constants, over features in the units of the dataset.

The unit in which the search saw a feature is folded into the constants exactly: log(N/1e9) is log(N) less a number,
and what a product of two logarithms leaves over goes to the terms of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from discover.engines.grammar.shape import Point, Shape, Term
from discover.engines.grammar.variables import Variable
from discover.formula import FormulaError

DIGITS = 12
LARGEST = 690.0  # of the logarithm of a constant
STEEPEST = 20.0  # of a power: of the largest feature, about 1e15, it is still a number


@dataclass(frozen=True)
class _Raw:
    """A variable as factor*text + shift; `base` is the text of what it is the logarithm of, if it is one."""

    text: str
    factor: float = 1.0
    shift: float = 0.0
    base: str = ""


def formula_of(shape: Shape, point: Point, scales: Mapping[str, float]) -> str:
    """The text of a law in the language of `discover.formula`, with numbers for constants.

    Raises
    ------
    FormulaError
        When a constant is too large or too small for a floating-point number in the units of the dataset.
    """
    raw = {variable: _raw(variable, point.own.get(variable, 0.0), scales) for variable in shape.variables}
    text = ""
    for term, numbers in zip(shape.terms, point.terms, strict=True):
        values = (0.0, *numbers[1:]) if shape.without_offset(term) else numbers
        part = _term(term, values, raw)
        if part.startswith("-"):
            text = f"{text} - {part[1:]}" if text else part
        else:
            text = f"{text} + {part}" if text else part
    if shape.inverse:
        text = f"1/({text})"
    if shape.outer:
        text = f"({text})**{_number(float(np.exp(point.outer)))}"
    if shape.floor:
        text = f"{_number(point.floor)} + {text}".replace("+ -", "- ") if text else _number(point.floor)
    return text


def _number(value: float) -> str:
    return f"{value:.{DIGITS}g}"


def _signed(value: float) -> str:
    text = _number(value)
    return f"({text})" if text.startswith("-") else text


def _raw(variable: Variable, p: float, scales: Mapping[str, float]) -> _Raw:
    name, scale = variable.feature, scales[variable.feature]
    shift = -float(np.log(scale))
    match variable.kind:
        case "log":
            return _Raw(f"log({name})", shift=shift, base=name)
        case "share":
            return _Raw(name)
        case "shifted" | "log_share":
            base = f"({name} + {_number(scale * float(np.exp(p)))})"
            return _Raw(f"log{base}", shift=shift, base=base)
        case "capped":
            base = f"(1/{name} + {_number(float(np.exp(p)) / scale)})"
            return _Raw(f"log{base}", factor=-1.0, shift=shift, base=base)
        case "slow":
            base = f"(1 + {_number(float(np.exp(p)))}*log({name}))"
            return _Raw(f"log{base}", base=base)
        case "power":
            return _Raw(f"{name}**{_signed(p)}", factor=float(scale**-p))
        case "repeated":
            other, worth = variable.other, _number(float(np.exp(p)))
            base = f"({other}*(1 + {worth}*(1 - exp((1 - {name}/{other})/{worth}))))"
            return _Raw(f"log{base}", shift=-float(np.log(scales[other])), base=base)


def _term(term: Term, numbers: tuple[float, ...], raw: Mapping[Variable, _Raw]) -> str:
    """A term: its polynomial in the raw variables, inside its function."""
    constant, powers = numbers[0], defaultdict[tuple[Variable, ...], float](float)
    for monomial, a in zip(term.monomials, numbers[1:], strict=True):
        if len(monomial) == 1:
            (v,) = monomial
            powers[(v,)] += a * raw[v].factor
            constant += a * raw[v].shift
            continue
        v, w = monomial
        powers[(v, w)] += a * raw[v].factor * raw[w].factor
        for one, other in ((v, w), (w, v)):
            if raw[other].shift:
                powers[(one,)] += a * raw[one].factor * raw[other].shift
        constant += a * raw[v].shift * raw[w].shift
    sign = "-" if term.sign < 0 else ""
    if term.function == "exp":
        steepest = max((abs(a) for m, a in powers.items() if len(m) == 1 and raw[m[0]].base), default=0.0)
        if abs(constant) > LARGEST or steepest > STEEPEST:
            raise FormulaError("a constant is no floating-point number", " ".join(v.feature for v in raw))
        factors = [_number(float(np.exp(constant)))]
        inside = []
        for monomial, a in powers.items():
            if len(monomial) == 1 and raw[monomial[0]].base:
                factors.append(f"{raw[monomial[0]].base}**{_signed(a)}")
            else:
                inside.append(f"{_signed(a)}*{_product(monomial, raw)}")
        if inside:
            factors.append(f"exp({' + '.join(inside)})")
        return sign + "*".join(factors)
    parts = [f"{_signed(a)}*{_product(monomial, raw)}" for monomial, a in powers.items()]
    total = " + ".join([*([_signed(constant)] if constant else []), *parts])
    return f"{sign}({total})**2" if term.function == "square" else f"{sign}({total})"


def _product(monomial: tuple[Variable, ...], raw: Mapping[Variable, _Raw]) -> str:
    return "*".join(raw[v].text for v in monomial)
