"""Interactions: the sign of mixed derivatives that are known by hand, or by differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sanity_subjects import COLUMNS, GOOD, KINDS, subject, witness_of

from discover.law import load_law
from discover.sanity.interaction import interactions
from discover.sanity.subject import Subject


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (GOOD, "none"),
        ("1.8 + 480/N**0.35", None),
        ("1.8 + 400*(N*D)**-0.1", "positive"),
        ("1.8 + (480/N**0.35 + 2000/D**0.37)**0.8", "negative"),  # a concave function of two falling terms
        ("1.8 + (480/N**0.35 + 2000/D**0.37)**1.2", "positive"),  # a convex one
        ("9 - 0.1*log(N*D)", "none"),
        ("1.8 + (N**-0.1 + D**-0.1)**2 - N**-0.2 - D**-0.2 - 2*N**-0.1*D**-0.1", "none"),
    ],
)
def test_what_a_law_claims(formula, said):
    lines = interactions(subject(formula))
    assert len(lines) == (said is not None)
    for line in lines:
        assert (line.name, line.verdict) == ("interaction of N and D", "pass")
        assert line.witness.startswith(said)


def test_where_it_changes_its_sign_the_derivative_is_zero():
    # With n = log(N/1e7), d = log(D/1e9): the mixed derivative of exp(n*(0.02*d - 0.3)) is zero at n*(0.3 - 0.02*d) = 1
    (line,) = interactions(subject("1.8 + (N/1e7)**(0.02*log(D/1e9) - 0.3)"))
    assert line.verdict == "unknown"
    assert line.witness.startswith("changes its sign at")
    n, d = np.log(witness_of(line, "N") / 1e7), np.log(witness_of(line, "D") / 1e9)
    assert n * (0.3 - 0.02 * d) == pytest.approx(1, abs=0.02)


def test_the_kinks_of_min_and_max_are_left_out():
    (line,) = interactions(subject("1.8 + 480/min(N, D)**0.35"))
    assert (line.verdict, line.witness) == ("unknown", "only at the kinks of min and max")


def test_muennighoffs_law_agrees_with_differences():
    law = load_law("muennighoff")
    values = law.published[0].values
    lines = {
        line.name: line
        for line in interactions(Subject(law, values, {key: COLUMNS[key] for key in law.features}, KINDS))
    }
    assert lines["interaction of N and D"].witness.startswith("none")
    for repeats in (1.1, 3.0, 10.0, 50.0):  # D and uD, at one N
        step, start = 1e-3, np.log([repeats * 1e9, 1e9])
        corners = [
            sign * law.predict({"N": 1e8, "D": np.exp(start[0] + a), "uD": np.exp(start[1] + b)}, values)
            for sign, a, b in ((1, step, step), (-1, step, -step), (-1, -step, step), (1, -step, -step))
        ]
        assert sum(corners) < 0
    assert lines["interaction of D and uD"].witness.startswith("negative everywhere")


def test_three_sizes_have_three_pairs():
    names = [line.name for line in interactions(subject("1.8 + 480/N**0.35 + 2000/D**0.37 + 9/uD**0.3"))]
    assert names == ["interaction of N and D", "interaction of N and uD", "interaction of D and uD"]
    assert all(one != other for one, other in pairwise(names))
