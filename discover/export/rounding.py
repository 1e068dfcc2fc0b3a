"""A value rounded to its standard error, the way physicists print it.

The rule is the Particle Data Group's (Review of Particle Physics, Introduction, "Rounding"): with the three
highest digits of the error between 100 and 354 the error keeps two digits, between 355 and 949 one; from 950 on it
rounds up to 1000 and keeps two. The value ends at the same decimal place as its error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from discover.errors import InputError

DIGITS = 5  # of a value without an error
# An error this small beside its value is that of a fit without noise: sixteen digits of the value would claim more
# than the arithmetic holds.
NEGLIGIBLE = 1e-9
# A constant that moves by its logarithm and wants to be zero ends near 1e-300: what is so small is printed as zero.
VANISHED = 1e-200
# Powers of ten of the first digit that are printed without a power of ten: 0.001 to 9999999.
SMALLEST_PLAIN, LARGEST_PLAIN = -3, 6


@dataclass(frozen=True)
class Rounded:
    """Digits of a value and of its error, both to be multiplied by one power of ten.

    Attributes
    ----------
    value_text
        Decimal digits of the value, or ``nan``, ``inf``, ``-inf``.
    error_text
        Decimal digits of the error, to the same decimal place; `None` when there is none to print.
    exponent
        The power of ten of both; 0 when the digits stand for themselves.
    """

    value_text: str
    error_text: str | None
    exponent: int = 0

    def __str__(self) -> str:
        """As plain text: ``1.817 ± 0.024``, ``(2.1 ± 0.6)e3``."""
        power = f"e{self.exponent}" if self.exponent else ""
        if self.error_text is None:
            return self.value_text + power
        both = f"{self.value_text} ± {self.error_text}"
        return f"({both}){power}" if power else both


def rounded(value: float, error: float | None = None) -> Rounded:
    """Round `value` to its standard error.

    Parameters
    ----------
    value, error
        The value and its standard error, in one unit. Without an error (`None`, NaN, infinite, zero, or below 1e-9
        of the value) the value gets five significant digits, fewer when the last ones are zeros. What is smaller than
        1e-200 is zero.

    Returns
    -------
    The digits, with a power of ten where plain digits would claim more than is known (``2100 ± 600``) or be hard to
    read (below 0.001, above 9999999).

    Raises
    ------
    InputError
        When the error is negative.

    Examples
    --------
    >>> print(rounded(1.81724, 0.0243))
    1.817 ± 0.024
    >>> print(rounded(2085.4, 612.0))
    (2.1 ± 0.6)e3
    >>> print(rounded(406.40103))
    406.4
    """
    value = float(value)
    error = 0.0 if error is None or not math.isfinite(error) else float(error)
    if error < 0:
        raise InputError(f"the standard error of {value!r} is negative: {error!r}; an error is zero or more")
    if not math.isfinite(value):
        return Rounded(str(value), None)
    value, error = (0.0 if abs(number) < VANISHED else number for number in (value, error))
    if error <= NEGLIGIBLE * abs(value):
        return _without_error(Decimal(repr(value)))
    exact, exact_error = Decimal(repr(value)), Decimal(repr(error))
    place = _last_place(exact_error)
    value_digits, error_digits = _round_to(exact, place), _round_to(exact_error, place)
    exponent = _power_of_ten(max(abs(value_digits), error_digits), place)
    return Rounded(_text(value_digits, place, exponent), _text(error_digits, place, exponent), exponent)


def latex_number(value: float, error: float | None = None) -> str:
    r"""Write `value`, rounded to its standard `error`, as LaTeX for math mode.

    A value that is not a number is an en dash, ``\text{--}`` (amsmath). Parameters and errors are those of `rounded`.

    Examples
    --------
    >>> print(latex_number(1.81724, 0.0243))
    1.817 \pm 0.024
    >>> print(latex_number(2085.4, 612.0))
    (2.1 \pm 0.6) \times 10^{3}
    >>> print(latex_number(1e9))
    10^{9}
    """
    number = rounded(value, error)
    special = {"nan": r"\text{--}", "inf": r"\infty", "-inf": r"-\infty"}
    if number.value_text in special:
        return special[number.value_text]
    if number.error_text is None:
        return times_power_of_ten(number.value_text, number.exponent)
    both = rf"{number.value_text} \pm {number.error_text}"
    return times_power_of_ten(f"({both})", number.exponent) if number.exponent else both


def times_power_of_ten(digits: str, exponent: int) -> str:
    r"""LaTeX of `digits` times a power of ten; a mantissa of one is left out: ``10^{9}``, ``-10^{9}``."""
    if not exponent:
        return digits
    power = f"10^{{{exponent}}}"
    return {"1": power, "-1": f"-{power}"}.get(digits, rf"{digits} \times {power}")


def _last_place(error: Decimal) -> int:
    """Power of ten of the last digit that the Particle Data Group's rule keeps of `error`."""
    top = error.adjusted()
    leading = int(error.scaleb(2 - top))  # the three highest digits
    # From 950 on the one digit kept rounds up to a new first digit, and so there are two.
    return top - 1 if leading < 355 else top


def _without_error(value: Decimal) -> Rounded:
    if not value:
        return Rounded("0", None)
    value = _round_to(value, value.adjusted() - DIGITS + 1)
    place = value.adjusted() - DIGITS + 1
    exponent = _power_of_ten(abs(value), place)
    text = _text(value, place, exponent)
    return Rounded(text.rstrip("0").rstrip(".") if "." in text else text, None, exponent)


def _round_to(value: Decimal, place: int) -> Decimal:
    # Not `quantize`, which fails where the value has more digits before the place than the decimal context holds.
    return value.scaleb(-place).to_integral_value().scaleb(place)


def _power_of_ten(largest: Decimal, place: int) -> int:
    """Power of ten to take out of numbers up to `largest` whose last significant digit stands at `place`."""
    top = largest.adjusted()
    return 0 if place <= 0 and SMALLEST_PLAIN <= top <= LARGEST_PLAIN else top


def _text(value: Decimal, place: int, exponent: int) -> str:
    """Digits of ``value / 10**exponent``, the last one at `place` of the value itself."""
    text = f"{value.scaleb(-exponent):.{max(0, exponent - place)}f}"
    return text.removeprefix("-") if not value else text  # no minus sign before a zero
