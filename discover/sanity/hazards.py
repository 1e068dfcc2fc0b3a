"""The parts of a formula that must keep a sign for it to have a value: denominators, and what logs and roots are of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import sympy

from discover.dataset_card import ZERO_IS_LEGAL
from discover.formula import symbol, to_text
from discover.sanity.subject import Subject

Rule = Literal["positive", "not negative", "not zero"]
SHOWN = 60  # characters of a part that is quoted


@dataclass(frozen=True)
class Hazard:
    """A part of a formula, and what it must be for the formula to have a value.

    Attributes
    ----------
    part
        The part, over columns and parameters of the law.
    rule
        What it must be.
    use
        What the formula does with it, as ``division by``.
    """

    part: sympy.Expr
    rule: Rule
    use: str

    def __str__(self) -> str:
        text = to_text(self.part)
        return f"{self.use} {text if len(text) <= SHOWN else 'a part of the formula'}"

    def broken(self, values: np.ndarray) -> np.ndarray:
        """Where values of the part break the rule; NaN does not, since a hazard further inside makes it."""
        with np.errstate(invalid="ignore"):
            if self.rule == "positive":
                return np.asarray(values <= 0)
            return np.asarray(values < 0 if self.rule == "not negative" else values == 0)


def hazards(subject: Subject) -> list[Hazard]:
    """The hazards of a law, the innermost first, but for those that its signs alone rule out."""
    signs = _signs(subject)
    found = dict.fromkeys(_hazards(subject))
    return [hazard for hazard in found if not hazard.part.xreplace(signs).is_positive]


def _hazards(subject: Subject) -> Iterator[Hazard]:
    for part in sympy.postorder_traversal(subject.law.expanded):
        if isinstance(part, sympy.log):
            yield Hazard(part.args[0], "positive", "log of")
        elif part.is_Pow:  # SymPy's exp is none
            base, exponent = part.args
            power = _power(subject, exponent)
            if power is None or not power.is_integer():
                yield Hazard(base, "not negative" if power is not None and power > 0 else "positive", "power of")
            elif power < 0:
                yield Hazard(base, "not zero", "division by")


def _power(subject: Subject, exponent: sympy.Expr) -> float | None:
    """The exponent's value; `None` where it depends on features."""
    if exponent.free_symbols & {symbol(name, positive=True) for name in subject.law.columns}:
        return None
    return float(subject.evaluate(exponent, {name: np.ones(1) for name in subject.law.columns or ("",)})[0])


def _signs(subject: Subject) -> dict[sympy.Symbol, sympy.Expr]:
    """Symbols of which SymPy knows the signs that constants and features have here."""
    signs: dict[sympy.Symbol, sympy.Expr] = {}
    for name in subject.law.parameters:
        value = subject.law.value_of(name, subject.values)
        signs[symbol(name)] = int(np.sign(value)) * sympy.Dummy(name, positive=True)
    for name in subject.law.columns:
        if subject.kinds.get(name) in ZERO_IS_LEGAL:
            signs[symbol(name, positive=True)] = sympy.Dummy(name, nonnegative=True)
    return signs
