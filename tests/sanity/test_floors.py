"""Floors: what laws tend to, against limits worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import sympy
from sanity_subjects import COLUMNS, GOOD, KINDS, subject, witness_of

from discover.law import load_law
from discover.sanity import sanity
from discover.sanity.exact import ExactLimit, ExactLimits
from discover.sanity.floors import floors
from discover.sanity.subject import Subject


@pytest.fixture(scope="module")
def limits() -> Iterator[ExactLimits]:
    with ExactLimits(time_limit=60.0, total=600.0) as limits:  # time enough, on a busy machine too
        yield limits


@pytest.fixture(scope="module")
def numbers() -> ExactLimits:
    return ExactLimits(total=0.0)  # there is no time for SymPy


def published(name: str) -> Subject:
    law = load_law(name)
    return Subject(law, law.published[0].values, {key: COLUMNS[key] for key in law.features}, KINDS)


def test_chinchillas_floor_is_e0_and_that_of_one_size_has_what_the_other_leaves(limits):
    law = published("hoffmann")
    of_n, of_d, of_all = floors(law, limits, positive=True)
    assert [line.verdict for line in (of_n, of_d, of_all)] == ["pass"] * 3
    assert (of_all.name, of_all.witness, of_all.value) == ("limit in all sizes", "tends to E0 = 1.69", 1.69)
    assert of_n.value == pytest.approx(1.69 + 410.7 / 1e12**0.28)
    assert of_d.value == pytest.approx(1.69 + 406.4 / 1e10**0.34)
    assert of_n.witness == "tends to B/D**beta + E0 = 1.869 at D = 1e+12"


def test_without_sympy_the_numbers_come_to_the_same_floor(limits, numbers):
    for name in ("hoffmann", "muennighoff"):
        for exact, about in zip(
            floors(published(name), limits, positive=True), floors(published(name), numbers, positive=True), strict=True
        ):
            assert about.verdict == exact.verdict == "pass"
            assert about.value == pytest.approx(exact.value, rel=1e-3, abs=1e-5)
    about = floors(published("hoffmann"), numbers, positive=True)[2]
    assert about.witness == "tends to about 1.69"


@pytest.mark.parametrize(
    ("formula", "verdict", "said"),
    [
        ("N**0.2", "fail", "rises without end"),
        ("20 - 0.5*log(N)", "fail", "falls without end"),
        ("1.8 - 480/N**0.35", "fail", "rises: tends to 1.8"),
        ("480/N**0.35 - 0.5", "fail", "negative: tends to -0.5"),
        ("2.5 + 1/log(N)", "pass", "tends to 2.5"),  # slower than any power
        ("1.8 + 480/N**0.35 + 1e-40*N**3*exp(-N/1e9)", "pass", "tends to 1.8"),  # for numbers, zero times infinity
    ],
)
def test_ways_to_end(limits, formula, verdict, said):
    (line,) = floors(subject(formula), limits, positive=True)
    assert (line.verdict, line.witness) == (verdict, said)


def test_a_fall_without_end_that_the_gate_cannot_see_is_seen(limits):
    law = subject("2 - 1e-9*log(N)")
    assert {line.verdict for line in sanity(law.law, {}, law.columns, KINDS)} == {"pass"}
    (line,) = floors(law, limits, positive=True)
    assert (line.verdict, line.witness) == ("fail", "falls without end")


def test_a_target_that_may_be_negative_may_fall_without_end_but_not_rise(limits):
    (down,) = floors(subject("20 - 0.5*log(N)"), limits, positive=False)
    assert (down.verdict, down.witness) == ("unknown", "falls without end")
    assert floors(subject("0.5*log(N) - 20"), limits, positive=False)[0].verdict == "fail"
    (low,) = floors(subject("480/N**0.35 - 0.5"), limits, positive=False)
    assert (low.verdict, low.value) == ("pass", -0.5)


def test_a_rise_at_some_level_of_another_feature_is_found_there(numbers):
    line = floors(subject("2.0 + 0.1*N**(0.05 - log(D)/450)"), numbers, positive=True)[0]
    assert line.verdict == "fail"
    assert witness_of(line, "D") < np.exp(0.05 * 450)  # the exponent is positive below


def test_limits_that_the_numbers_contradict_are_not_believed():
    def wrong(subject: Subject, along: list[str]) -> ExactLimit:
        return ExactLimit(sympy.Integer(0))

    lines = floors(published("hoffmann"), wrong, positive=True)  # type: ignore[arg-type]
    assert lines[2].value == pytest.approx(1.69, rel=1e-6)
    infinite = floors(subject(GOOD), lambda *_: ExactLimit(sympy.oo), positive=True)  # type: ignore[arg-type]
    assert infinite[2].value == pytest.approx(1.8, rel=1e-6)


def test_where_the_law_has_no_value_nothing_is_said_of_its_limit(numbers):
    (line,) = floors(subject("2 + log(1e11 - N)"), numbers, positive=True)
    assert (line.verdict, line.witness) == ("unknown", "the law is not finite at N = 1e+12")
    (later,) = floors(subject("2 + 1e-3*log(1e15 - N)"), numbers, positive=True)
    assert (later.verdict, later.witness) == ("unknown", "the law cannot be computed at N = 1e+112")


def test_what_still_changes_far_out_is_said_to():
    (line,) = floors(subject("2 + 10/log(N)"), ExactLimits(total=0.0), positive=True)
    assert line.witness.endswith("and still changes")
    assert line.verdict == "pass"
