"""Poles and domain errors: found where they are known to be, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from sanity_subjects import COLUMNS, GOOD, KINDS, subject, witness_of

from discover.law import Constant, Law
from discover.sanity.poles import poles
from discover.sanity.subject import Subject


@pytest.mark.parametrize("place", np.geomspace(1.07e7, 9.3e11, 9).tolist())
def test_a_pole_that_leaves_no_trace_on_a_grid_is_found_where_it_is(place):
    law = subject(f"{GOOD} + 1e-20/(N - {place!r})")
    line = poles(law)
    assert line.verdict == "fail"
    assert witness_of(line, "N") == pytest.approx(place, rel=5e-3)  # as printed, to three digits


@pytest.mark.parametrize("place", [9.9e6, 1.01e12, 1e15])
def test_a_pole_outside_the_data_and_what_is_beyond_them_does_not_count(place):
    assert poles(subject(f"{GOOD} + 1e-20/(N - {place!r})")).verdict == "pass"


@pytest.mark.parametrize(
    ("formula", "feature", "place", "what"),
    [
        ("1/(1 - N/1e12)", "N", 1e12, "division by"),
        ("2 + 1/(1 - N/1e11)**2", "N", 1e11, "division by"),
        ("log(1e9 - N)", "N", 1e9, "log of"),
        ("2 + sqrt(N - 2e7)", "N", 2e7, "power of"),
        ("2 + (3 - log(E))**0.5", "E", np.exp(3), "power of"),
        ("2 + 1e-9/log(E)", "E", 1, "division by"),
        ("2 + exp(1/(log(E) - 4))", "E", np.exp(4), "division by"),  # inside something that has a value again
        ("1.8 + 1/(1 + E/100 - E**2/1e5)", "E", 500 + np.sqrt(350000), "division by"),
        ("2 + (N - 1e8)**(0.1*log(D))", "N", 1e8, "power of"),
    ],
)
def test_each_kind_is_named_with_its_place(formula, feature, place, what):
    line = poles(subject(formula))
    assert line.verdict == "fail"
    assert line.witness.startswith(what)
    assert witness_of(line, feature) == pytest.approx(place, rel=5e-3)


def test_a_pole_along_a_line_of_two_features_has_a_point_on_it():
    line = poles(subject(f"{GOOD} + 1e-3/(log(N) - 1.05*log(D) + 1)"))
    assert line.verdict == "fail"
    n, d = witness_of(line, "N"), witness_of(line, "D")
    assert np.log(n) - 1.05 * np.log(d) + 1 == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(
    "formula",
    [
        GOOD,
        "2.5",
        "3.0 - 1.5/(1 + (1e9/N)**2.5)",
        "1.8 + (0.1 + log(E))**0.5",
        "1.8 + log(E)**0.5",  # the root of zero is a number
        "2 + 1/(2.5 - N/5e11)",  # the pole is at 1.25e12, a quarter beyond
        "2 + log(N - 8e6)/100",
        "2 + 1/(N - 1e12/D)**2",  # at least 1e7 less 1e3
        "2 + (N - 1e8)**3/1e40",
        "1.8 + 480/min(N, D)**0.35 + 1/(1 + max(E, 3) - 2)",
        "2 + 1/(100 + N**0.1 - D**0.1)",
    ],
)
def test_it_is_proven_of_a_law_without_any(formula):
    assert poles(subject(formula)).verdict == "pass"


def test_where_a_denominator_touches_zero_it_is_not_known():
    line = poles(subject(f"{GOOD} + 1e-20/(N**2 - 6.6e11*N + 1.089e23)"))  # (N - 3.3e11)**2
    assert line.verdict == "unknown"
    assert witness_of(line, "N") == pytest.approx(3.3e11, rel=0.05)


def test_signs_of_constants_count():
    law = Law(
        "mine", "mine", "E0 + (a*N)**alpha", {"N": ""}, {c: Constant(range=(-1, 1)) for c in ("E0", "a", "alpha")}
    )
    columns = {"N": COLUMNS["N"]}
    assert poles(Subject(law, {"E0": 2, "a": 3, "alpha": -0.5}, columns, KINDS)).verdict == "pass"
    assert poles(Subject(law, {"E0": 2, "a": -3, "alpha": -2}, columns, KINDS)).verdict == "pass"  # a whole power
    wrong = poles(Subject(law, {"E0": 2, "a": -3, "alpha": -0.5}, columns, KINDS))
    assert (wrong.verdict, wrong.witness.split(",")[0]) == ("fail", "power of N*a")
    zero = poles(Subject(law, {"E0": 2, "a": 0, "alpha": -0.5}, columns, KINDS))
    assert zero.verdict == "fail"


def test_shares_are_taken_as_the_data_have_them():
    shares = np.random.default_rng(0).dirichlet([1.0, 1.0], size=30)
    columns = {"N": np.geomspace(1e7, 1e9, 30), "r_code": shares[:, 0], "r_web": shares[:, 1]}
    kinds = {"N": "size", "r_code": "mixture", "r_web": "mixture"}
    assert poles(subject("1.0 + 1/(1.5 - r_code - r_web)", columns, kinds)).verdict == "pass"  # two ones never meet
    assert poles(subject("1.0 + 1/(r_code - 2)", columns, kinds)).verdict == "pass"
    assert poles(subject("1.0 + log(r_code - 0.5)", columns, kinds)).verdict == "fail"
    zero = {**columns, "r_code": np.zeros(30), "r_web": np.ones(30)}
    line = poles(subject("1.0 + 100/N**0.3 + r_code**-0.5", zero, kinds))
    assert (line.verdict, line.witness) == ("fail", "power of r_code, which is 0 at r_code = 0")
