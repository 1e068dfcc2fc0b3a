"""Operon: its candidates are formulas of the language that predict what it says, within its budget."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator

import numpy as np
import pytest

from discover.compiled import compile_formula
from discover.distil import distil
from discover.engines import Budget, Candidate, SearchProblem, load_engine
from discover.engines import operon as module
from discover.errors import EngineError, InputError
from discover.fitting import Objective
from discover.formula import parse

if importlib.util.find_spec("pyoperon") is None:
    pytest.skip("pyoperon has no wheels here", allow_module_level=True)

N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 5e9, 8), np.geomspace(1e9, 3e11, 6)))
LOSSES = (1.8 + 480 / N**0.35 + 2000 / D**0.37) * np.exp(0.005 * np.random.default_rng(0).normal(size=48))
ALL = ("+", "-", "*", "/", "**", "log", "exp")


def a_problem(budget: Budget, **changes: object) -> SearchProblem:
    wanted = {"features": {"N": N, "D": D}, "target": LOSSES, "objective": Objective(), "operators": ALL, **changes}
    return SearchProblem(budget=budget, **wanted)


def search(budget: str, **changes: object) -> list[Candidate]:
    return list(load_engine("operon").search(a_problem(Budget.parse(budget), **changes)))


@pytest.fixture(scope="module")
def candidates() -> list[Candidate]:
    return search("900000evals")  # one short search of each of the six settings


def predictions(candidate: Candidate, features: dict[str, np.ndarray]) -> np.ndarray:
    expression = parse(candidate.formula, features=features, constants=())
    return compile_formula(expression, tuple(features), ()).predict(list(features.values()), np.zeros((1, 0)))[0]


def of_logarithm(candidate: Candidate) -> bool:
    """Whether the search that found a candidate had the logarithm of the loss as its target."""
    return module._SETTINGS[candidate.seed % 10_000 % 6].logarithm


def test_candidates_predict_with_the_error_that_operon_reports(candidates):
    """Operon reports the mean square error, of every second setting's logarithm; the features are in their own unit."""
    assert len(candidates) > 40
    for candidate in candidates:
        predicted = predictions(candidate, {"N": N, "D": D})
        residual = np.log(predicted / LOSSES) if of_logarithm(candidate) else predicted - LOSSES
        assert np.mean(residual**2) == pytest.approx(candidate.loss, rel=2e-3), candidate  # single precision inside
        assert candidate.engine == "operon"


def test_the_front_holds_simple_laws_and_good_ones(candidates):
    assert min(candidate.complexity for candidate in candidates) <= 5
    best = min((c for c in candidates if not of_logarithm(c)), key=lambda c: c.loss)
    assert np.std(predictions(best, {"N": N, "D": D}) - LOSSES) < 0.02  # the noise is 0.015


def test_the_form_of_the_law_is_among_the_candidates(candidates):
    short = [candidate for candidate in candidates if candidate.complexity <= 12]
    formulas = [proposal.law.formula for proposal in distil(short, {"N": "", "D": ""}, jobs=2)]
    assert "E0 + A/N**alpha + B/D**beta" in formulas


def test_a_budget_of_evaluations_is_repeatable_whatever_the_threads():
    one, again, threads = (search("160000evals", threads=threads) for threads in (1, 1, 2))
    assert one == again
    assert one == threads


def test_another_seed_is_another_search():
    assert search("5000evals", seed=0) != search("5000evals", seed=1)
    assert {candidate.seed // 10_000 for candidate in search("5000evals", seed=3)} == {3}


def test_a_budget_of_time_is_kept_within_seconds():
    start = time.monotonic()
    found = search("1s")
    assert 1.0 <= time.monotonic() - start < 5.0
    assert found


def test_features_are_divided_by_powers_of_ten_and_never_standardised(monkeypatch):
    seen = []
    original = module._one_search

    def spy(inputs, *arguments):
        seen.append(inputs)
        return original(inputs, *arguments)

    monkeypatch.setattr(module, "_one_search", spy)
    search("1000evals")
    expected = np.column_stack([np.log(N / 1e8), np.log(D / 1e10)])
    assert np.array_equal(seen[0], expected)


def test_a_search_does_not_depend_on_the_unit_of_a_feature():
    # With N in millions the engine sees the same numbers; the formulas say the same of the same models.
    plain = search("20000evals")
    millions = search("20000evals", features={"N": N / 1e6, "D": D})
    assert [candidate.loss for candidate in plain] == [candidate.loss for candidate in millions]
    for one, other in zip(plain, millions, strict=True):
        assert predictions(other, {"N": N / 1e6, "D": D}) == pytest.approx(predictions(one, {"N": N, "D": D}), rel=1e-9)


def test_targets_may_be_negative():
    target = 14 - 0.7 * np.log(N)
    found = search("300000evals", target=target)
    assert min(np.abs(predictions(c, {"N": N, "D": D}) - target).max() for c in found) < 1e-4


def test_one_feature_is_enough():
    found = search("20000evals", features={"E": N})
    assert all("E" in c.formula or c.complexity < 5 for c in found)
    assert parse(found[-1].formula, features=["E"], constants=())


def names_of(candidates: list[Candidate]) -> Iterator[str]:
    for candidate in candidates:
        yield from (name for name in ("log(", "exp(", "**") if name in candidate.formula)


@pytest.mark.parametrize(
    ("operators", "allowed"),
    [
        (("+", "-", "*", "/", "**"), {"**"}),
        (("+", "-", "*", "log"), {"log("}),
        (("+", "*", "/", "**", "exp"), {"**", "exp("}),
    ],
)
def test_formulas_hold_no_function_that_is_not_allowed(operators, allowed):
    found = search("150000evals", operators=operators)
    assert found
    assert set(names_of(found)) <= allowed


def test_operators_that_leave_operon_nothing_are_refused():
    with pytest.raises(InputError, match=r"operon works on logarithms: it needs the operator '\*\*' or 'log'"):
        search("1000evals", operators=("+", "*"))


def test_without_pyoperon_the_engine_says_how_to_get_it(monkeypatch):
    engine = load_engine("operon")
    assert engine.missing() is None
    assert set(engine.versions()) == {"pyoperon"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert engine.missing().endswith("pip install pyoperon")
    with pytest.raises(EngineError, match="needs pyoperon, which has wheels for Linux x86-64 and macOS arm64"):
        next(engine.search(a_problem(Budget(seconds=1))))
