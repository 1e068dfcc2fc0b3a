"""Values are rounded to their errors as the Particle Data Group prints them."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discover.errors import InputError
from discover.export.rounding import Rounded, latex_number, rounded


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        # The rule's own examples (Review of Particle Physics, Introduction): 0.827 with these errors.
        (0.119, ("0.83", "0.12")),
        (0.367, ("0.8", "0.4")),
        # The rule's borders, 354 | 355 and 949 | 950.
        (0.0354, ("0.827", "0.035")),
        (0.0355, ("0.83", "0.04")),
        (0.0949, ("0.83", "0.09")),
        (0.0951, ("0.83", "0.10")),
    ],
)
def test_an_error_keeps_one_or_two_digits_by_the_rule_of_the_particle_data_group(error, printed):
    number = rounded(0.827, error)
    assert (number.value_text, number.error_text, number.exponent) == (*printed, 0)


@pytest.mark.parametrize(
    ("value", "error", "latex"),
    [
        (1.81724, 0.0243, r"1.817 \pm 0.024"),
        (2085.43, 612.0, r"(2.1 \pm 0.6) \times 10^{3}"),
        # Besiroglu et al. 2024: 480 +- 120 would claim that the last zero is known.
        (482.01, 124.58, r"(4.8 \pm 1.2) \times 10^{2}"),
        (1.2e-5, 4e-6, r"(1.2 \pm 0.4) \times 10^{-5}"),
        (-0.078, 0.001, r"-0.0780 \pm 0.0010"),
        # The power of ten is that of the larger number, here the error; minus zero has no sign.
        (-12.0, 3000.0, r"(0.0 \pm 3.0) \times 10^{3}"),
        (0.0, 0.02, r"0.000 \pm 0.020"),
        (9.999, 0.5, r"10.0 \pm 0.5"),
        (123456.0, 3.0, r"123456.0 \pm 3.0"),
    ],
)
def test_value_and_error_end_at_the_same_decimal_place(value, error, latex):
    assert latex_number(value, error) == latex


@pytest.mark.parametrize("no_error", [None, math.nan, math.inf, 0.0, 1e-19])
def test_a_value_without_a_known_error_has_five_significant_digits(no_error):
    assert latex_number(0.34, no_error) == "0.34"
    assert latex_number(1.86914367840549, no_error) == "1.8691"
    assert latex_number(6.4e13, no_error) == r"6.4 \times 10^{13}"
    assert latex_number(99999.9, no_error) == "10^{5}"
    assert latex_number(-1e-9, no_error) == "-10^{-9}"
    assert latex_number(12000, no_error) == "12000"


def test_zero_is_zero():
    assert rounded(0.0) == Rounded("0", None)
    assert latex_number(-0.0) == "0"


def test_a_constant_whose_logarithm_ran_to_its_end_is_zero():
    end = math.exp(-690.0)  # where the fitter stops: a term that the rows do not want
    assert latex_number(end) == "0"
    assert latex_number(-end, 3 * end) == "0"
    assert latex_number(end, 0.02) == r"0.000 \pm 0.020"
    assert latex_number(2.5e-100) == r"2.5 \times 10^{-100}"


def test_numbers_that_are_not_finite_have_a_sign_of_their_own():
    assert latex_number(math.nan, 0.1) == r"\text{--}"
    assert latex_number(math.inf) == r"\infty"
    assert latex_number(-math.inf, 1.0) == r"-\infty"


def test_plain_text_reads_like_the_number():
    assert str(rounded(1.81724, 0.0243)) == "1.817 ± 0.024"
    assert str(rounded(2085.43, 612.0)) == "(2.1 ± 0.6)e3"
    assert str(rounded(6.4e13)) == "6.4e13"


def test_a_negative_error_is_refused():
    with pytest.raises(InputError, match="negative"):
        rounded(1.0, -0.1)


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.floats(1e-12, 1e12, allow_nan=False),
)
def test_rounding_moves_a_number_by_half_a_unit_of_its_last_place_at_most(value, error):
    number = rounded(value, error)
    if number.error_text is None:  # the error is below 1e-9 of the value
        assert error <= 1e-9 * abs(value)
        return
    last = Decimal(number.error_text).as_tuple().exponent
    assert Decimal(number.value_text).as_tuple().exponent == last
    half = Decimal(5).scaleb(int(last) - 1 + number.exponent)
    for text, exact in ((number.value_text, value), (number.error_text, error)):
        assert abs(Decimal(text).scaleb(number.exponent) - Decimal(repr(exact))) <= half
    digits = number.error_text.replace(".", "").lstrip("0")
    assert len(digits) in (1, 2)
    assert 3 <= int(digits) <= 9 or 10 <= int(digits) <= 35
