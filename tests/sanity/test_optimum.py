"""Optima: at places that are known, of the kind that they are."""

from __future__ import annotations

import numpy as np
import pytest
from sanity_subjects import COLUMNS, GOOD, KINDS, subject

from discover.sanity.optimum import optima


def test_a_bowl_has_its_minimum_where_it_was_put():
    eta, batch = optima(subject(f"{GOOD} + 0.01*(log(eta) + 6.9)**2 + 0.02*(log(B) - 13)**2"))
    assert (eta.name, eta.verdict, batch.name, batch.verdict) == ("optimum in eta", "pass", "optimum in B", "pass")
    assert eta.value == pytest.approx(np.exp(-6.9), rel=1e-3)
    assert batch.value == pytest.approx(np.exp(13), rel=1e-3)
    assert eta.witness == "minimum at eta = 0.00101, inside the data (0.0001 to 0.01)"


def test_an_optimum_that_moves_with_a_size_is_a_range():
    (line,) = optima(subject(f"{GOOD} + 0.01*(log(eta) + log(N)/10 + 4.9)**2"))
    ends = [float(f"{np.exp(-4.9) / size**0.1:.3g}") for size in (1e10, 1e7)]
    assert line.witness == f"minimum at eta = {ends[0]:.3g} to {ends[1]:.3g}, inside the data (0.0001 to 0.01)"


@pytest.mark.parametrize(
    ("term", "verdict", "said"),
    [
        ("0.01*log(eta)", "unknown", "none: the law rises over the data"),
        ("-0.01*log(eta)", "unknown", "none: the law falls over the data"),
        ("-0.01*(log(eta) + 6.9)**2", "fail", "maximum at eta = 0.00101 "),
        ("0.01*(log(eta) + log(N) - 14)**2", "unknown", "minimum inside the data (0.0001 to 0.01) for some"),
        ("-0.01*(log(V) - 10)**2", "unknown", "maximum at V = 2.2e+04 "),
        ("0.01*(log(V) - 10)**2", "pass", "minimum at V = 2.2e+04"),
        ("1/V", "pass", "none: the law falls over the data"),  # an entry more may always help
        ("1/B", "unknown", "none: the law falls over the data"),  # a larger batch does not
        ("0.1*E**(0.1 - log(V)/100)", "pass", "none: the law falls or rises over the data"),
    ],
)
def test_what_else_there_may_be(term, verdict, said):
    line = optima(subject(f"{GOOD} + {term}"))[0]
    assert (line.verdict, line.witness[: len(said)]) == (verdict, said)


def test_sizes_and_shares_have_no_optimum():
    assert optima(subject(GOOD)) == []
    shares = {"r_code": np.linspace(0, 1, 9), "r_web": np.linspace(1, 0, 9)}
    assert optima(subject("1 + (r_code - 0.5)**2", shares, dict.fromkeys(shares, "mixture"))) == []


def test_one_value_or_no_value_is_no_optimum():
    one = {**COLUMNS, "eta": np.full(12, 1e-3)}
    (line,) = optima(subject(f"{GOOD} + 0.01*(log(eta) + 6.9)**2", one))
    assert (line.verdict, line.witness) == ("unknown", "the data have one eta, 0.001")
    (broken,) = optima(subject(f"{GOOD} + log(eta - 1e-3)", COLUMNS, KINDS))
    assert (broken.verdict, broken.witness) == ("unknown", "the law is not finite over the data")
