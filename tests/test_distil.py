"""Candidates become laws with open constants: within a time limit, once each, whatever their order."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from discover.distil import Proposal, Simplifier, distil
from discover.engines import Candidate
from discover.engines.hall_of_fame import candidate_formula

FEATURES = {"N": "parameters", "D": "tokens"}
SLOW = "(N + 1.5)**19*(D + 2.5)**19*(N + D + 3.5)**19"  # SymPy's simplify works on it for seconds

# Equations that a real PySR found on Chinchilla's training rows, with x_N = N/1e9 and x_D = D/1e9.
PYSR = (
    "exp(0.998162347497081 ^ x_D)",
    "3.3412085569029952 / (x_D ^ 0.08305455176110295)",
    "((x_D * x_N) ^ -0.23814941945021106) + 2.046039598093807",
    "((x_D ^ -0.42237074626029997) + 1.247358988075098) + (x_N ^ -0.15112550922809848)",
    "(((1.1794790200928482 ^ x_N) / x_D) ^ 0.40257373599832696) + (1.2080280133812908 + (x_N ^ -0.15996614683644855))",
    "((0.4072140229347817 / (x_N ^ 0.31723214867690025)) + (1.0500696721168332 / (x_D ^ 0.3821038258030111)))"
    " + 1.785878575165456",
    "exp((x_D ^ -0.09988091438414466) + 0.20069193436358249)",
    "((0.9759099588347585 / ((x_D - 0.3576160269258401) ^ 0.9686014505438223)) ^ 0.35544318190500046)"
    " + ((0.3958596107789418 / (x_N ^ 0.32472764546010185)) + 1.7761899935225076)",
)


def laws(candidates: list[Candidate], **options: float | str) -> list[Proposal]:
    """Distilled with time enough, on a busy machine too."""
    return distil(candidates, FEATURES, **{"time_limit": 60.0, **options})


def candidate(formula: str, complexity: int = 5, loss: float = 1e-5, engine: str = "pysr", seed: int = 0) -> Candidate:
    return Candidate(formula, complexity, loss, engine, seed)


@pytest.fixture(scope="module")
def recorded():
    scales, names = {"N": 1e9, "D": 1e9}, {"x_N": "N", "x_D": "D"}
    return [candidate(candidate_formula(text, names, scales), complexity=k) for k, text in enumerate(PYSR)]


@pytest.fixture(scope="module")
def proposals(recorded):
    return laws(recorded)


def test_recorded_equations_become_laws_with_the_same_predictions(recorded, proposals):
    # Of the fourth and the sixth equation one form is left: in N/1e9 and D/1e9, coefficients may be one.
    assert sorted(len(proposal.origins) for proposal in proposals) == [1] * (len(PYSR) - 2) + [2]
    random = np.random.default_rng(0)
    rows = {"N": 1e9 * random.uniform(0.1, 4, 20), "D": 1e9 * random.uniform(1, 300, 20)}
    for proposal in proposals:
        equation = PYSR[recorded.index(proposal.origins[0])]
        names = {"x_N": rows["N"] / 1e9, "x_D": rows["D"] / 1e9, "exp": np.exp}
        expected = eval(equation.replace("^", "**"), {"__builtins__": {}}, names)
        assert proposal.law.predict(rows, proposal.start) == pytest.approx(expected, rel=1e-9), equation


def test_the_published_form_is_recognised_among_recorded_equations(proposals):
    by_formula = {proposal.law.formula: proposal for proposal in proposals}
    found = by_formula["E0 + A/N**alpha + B/D**beta"]
    assert [origin.complexity for origin in found.origins] == [3, 5]
    alpha, beta = 0.15112550922809848, 0.42237074626029997
    expected = {"E0": 1.247358988075098, "A": 1e9**alpha, "alpha": alpha, "B": 1e9**beta, "beta": beta}
    assert found.start == pytest.approx(expected, rel=1e-12)  # of the simpler equation
    assert found.law.features == FEATURES
    assert found.law.kind == "found"


def test_the_simplest_law_comes_first(proposals):
    sizes = [(len(proposal.law.constants), proposal.law.complexity) for proposal in proposals]
    assert sizes == sorted(sizes)


def test_a_law_has_the_features_it_uses_and_the_target_of_the_dataset():
    (found,) = laws([candidate("2.5*N**-0.3 + 1.1")], target="bpb", unit="bits/byte")
    assert found.law.features == {"N": "parameters"}
    assert (found.law.target, found.law.unit) == ("bpb", "bits/byte")


def test_forms_that_are_one_are_merged_and_keep_the_best_values():
    (found,) = laws(
        [
            candidate("5.0*(N/1e9)**-0.1 + 1.0", complexity=7, loss=1.0, engine="pysr"),
            candidate("exp(0.7 - 0.3*log(N)) + 2.0", complexity=7, loss=0.5, engine="operon", seed=3),
            candidate("2.0 + 3.0/N**0.2", complexity=9, loss=0.1, engine="pysr"),
            candidate("exp(0.7 - 0.3*log(N)) + 2.0", complexity=7, loss=0.5, engine="operon", seed=4),
        ]
    )
    assert found.law.formula == "E0 + A/N**alpha"
    assert found.start == pytest.approx({"E0": 2.0, "A": np.exp(0.7), "alpha": 0.3})  # the simplest, then the best
    assert found.engine == "operon+pysr"
    assert [(origin.engine, origin.seed) for origin in found.origins] == [
        ("operon", 3),
        ("operon", 4),
        ("pysr", 0),
        ("pysr", 0),
    ]


def test_what_is_no_law_over_the_features_is_left_out_and_the_others_stay():
    wrong = (
        "2.5 + Q**-0.3",  # an unknown name
        "N +",
        "__import__('os').system('true')",
        "9**9**9 + N",
        "log(-2.5) + N",
        "(0.0 - 2.5)**0.5 + N",
        "1e200*exp(690.0)*N",  # a constant that is no number
        "",
        "2.5",  # a law without features
        "N/N",
    )
    found = laws([*map(candidate, wrong), candidate("2.5*N**-0.3", complexity=9)])
    assert [proposal.law.formula for proposal in found] == ["A/N**alpha"]


def test_no_candidates_give_no_laws():
    assert laws([], jobs=2) == []


def test_laws_with_too_many_constants_or_nodes_are_left_out():
    six = "1.5 + 2.5*N**-0.3 + 3.5*D**-0.4 + 0.1*D/N"
    (found,) = laws([candidate(six)], max_constants=6, max_complexity=19)
    assert (len(found.law.constants), found.law.complexity) == (6, 19)
    assert laws([candidate(six)], max_constants=5) == []
    assert laws([candidate(six)], max_complexity=18) == []


def test_neither_order_nor_number_of_children_change_the_result(recorded, proposals):
    doubled = [*recorded, *(Candidate(c.formula, c.complexity, c.loss, "operon", 7) for c in recorded)]
    forward = laws(doubled)
    assert laws(doubled[::-1], jobs=2) == forward
    assert [proposal.law.formula for proposal in forward] == [proposal.law.formula for proposal in proposals]
    assert {proposal.engine for proposal in forward} == {"operon+pysr"}


def test_an_expression_that_takes_too_long_keeps_its_raw_form_and_the_next_is_simplified():
    found = laws([candidate(SLOW), candidate("(2.0*N + 3.0)**0.5", complexity=9)], time_limit=2.0)
    assert len(found) == 2
    assert found[0].law.formula == "A*(N + a)**alpha"
    assert sorted(found[1].start.values()) == [1.5, 2.5, 3.5, 19, 19, 19]


def test_without_time_every_expression_keeps_its_raw_form():
    (raw,) = laws([candidate("(2.0*N + 3.0)**0.5")], time_limit=0.0)
    assert raw.law.formula == "(A*N + a)**alpha"
    assert raw.start == {"A": 2.0, "a": 3.0, "alpha": 0.5}
    (merged,) = laws([candidate("(2.0*N + 3.0)**0.5")])
    assert merged.law.formula == "A*(N + a)**alpha"
    assert merged.start == pytest.approx({"A": 2**0.5, "a": 1.5, "alpha": 0.5})


def test_the_child_that_took_too_long_is_gone():
    with Simplifier(time_limit=30.0) as simplifier:
        assert simplifier("N*N/N", ["N"]) == "N"
        child = simplifier._child
        simplifier.time_limit = 0.1
        assert simplifier(SLOW, ["N", "D"]) is None
        assert child.poll() is not None
        simplifier.time_limit = 30.0
        assert simplifier("exp(log(N))", ["N"]) == "N"
        last = simplifier._child
    assert last.poll() is not None


def test_a_child_that_dies_while_it_works_costs_one_expression():
    with Simplifier(time_limit=60.0) as simplifier:
        assert simplifier("N*N/N", ["N"]) == "N"
        threading.Timer(0.3, simplifier._child.kill).start()
        start = time.monotonic()
        assert simplifier(SLOW, ["N", "D"]) is None
        assert time.monotonic() - start < 20  # it is not waited for
        assert simplifier("N*D/N", ["N", "D"]) == "D"


def test_a_child_that_died_between_expressions_costs_none():
    with Simplifier(time_limit=60.0) as simplifier:
        assert simplifier("N*N/N", ["N"]) == "N"
        simplifier._child.kill()
        simplifier._child.wait()
        assert simplifier("N*D/N", ["N", "D"]) == "D"
