"""Quantities derived from the constants of a law, as the exponent ``beta/(alpha + beta)`` of optimal allocation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy

from discover.compiled import compile_formula
from discover.errors import InputError
from discover.formula import FormulaError, parse, symbol
from discover.law import Law


@dataclass(frozen=True)
class Derived:
    """A quantity with its standard error.

    Attributes
    ----------
    text
        The formula.
    value, error
        Its value, and its standard error by the delta method.
    """

    text: str
    value: float
    error: float


def values_of(law: Law, quantity: str, constants: np.ndarray) -> np.ndarray:
    """A formula over constants at sets of them: shape (sets,) from (sets, constants).

    Raises
    ------
    InputError
        When the formula cannot be read, or has a name that is no constant of the law.
    """
    names = tuple(law.parameters)
    compiled = compile_formula(_parsed(law, quantity), (), names)
    return np.asarray(compiled.predict([], constants)[:, 0])


def derived(law: Law, quantity: str, values: Mapping[str, float], covariance: np.ndarray) -> Derived:
    """A formula over constants with its standard error by the delta method.

    Parameters
    ----------
    values
        Value of each constant, by name.
    covariance
        Of the constants, in the order of ``law.parameters``, shape (constants, constants).

    Returns
    -------
    The quantity; its error is NaN where it depends on a constant that is not determined.

    Raises
    ------
    InputError
        When the formula cannot be read, has a name that is no constant of the law, or has no finite real value here.
    """
    expression = _parsed(law, quantity)
    numbers = {symbol(name): value for name, value in values.items()}
    value = expression.subs(numbers)
    if not (value.is_real and value.is_finite):
        raise InputError(f"{quantity!r} has no finite real value at the constants of the fit: take another formula")
    slopes = [float(sympy.diff(expression, symbol(name)).subs(numbers)) for name in law.parameters]
    moved = [k for k, slope in enumerate(slopes) if slope]
    slope = np.array([slopes[k] for k in moved])
    variance = float(slope @ covariance[np.ix_(moved, moved)] @ slope)
    return Derived(quantity, float(value), float(np.sqrt(np.maximum(variance, 0.0))))


def _parsed(law: Law, quantity: str) -> sympy.Expr:
    try:
        return parse(quantity, constants=law.parameters)
    except FormulaError as error:
        legal = ", ".join(law.parameters)
        raise InputError(
            f"{quantity!r} is no formula over the constants of law {law.name!r} ({legal}): {error}"
        ) from None
