"""Known laws as formulas with numbers, for an engine that can begin at them."""

from __future__ import annotations

import numpy as np
import pytest
from generated import RUNS, TRUTH, noise

from discover.compiled import compile_formula
from discover.engines import Budget, Candidate, SearchProblem
from discover.formula import FormulaError, parse
from discover.guesses import guesses, with_numbers
from discover.law import Constant, Law, load_law
from discover.objective import Objective

HOFFMANN = load_law("hoffmann")
LAWS = [HOFFMANN, load_law("constant"), *(load_law("powerlaw_one_feature").on(name) for name in ("N", "D"))]
LOSSES = HOFFMANN.predict(RUNS, TRUTH) * noise(0.003, 64)


def a_problem(**changes: object) -> SearchProblem:
    given = {"features": RUNS, "target": LOSSES, "objective": Objective(), "budget": Budget(evaluations=1), **changes}
    return SearchProblem(**given)  # type: ignore[arg-type]


def values(formula: str, features: dict[str, np.ndarray]) -> np.ndarray:
    compiled = compile_formula(parse(formula, features=features, constants=()), tuple(features), ())
    return np.broadcast_to(compiled.predict(list(features.values()), np.empty((1, 0)))[0], len(features["N"]))


@pytest.mark.parametrize("name", ["hoffmann", "muennighoff", "kaplan_nd", "clark_saturating", "ye_m4"])
def test_a_formula_with_numbers_predicts_what_the_law_does(name: str) -> None:
    law = load_law(name).bind({"r": ("code", "web")})
    drawn = np.random.default_rng(0)
    columns = {column: drawn.uniform(0.2, 0.9, 5) for column in law.columns}
    constants = {name: drawn.uniform(0.2, 0.9) for name in law.parameters}
    expected = law.predict(columns, constants)
    assert np.isfinite(expected).all()
    text = with_numbers(law, constants)
    compiled = compile_formula(parse(text, features=columns, constants=()), tuple(columns), ())
    assert compiled.predict(list(columns.values()), np.empty((1, 0)))[0] == pytest.approx(expected, rel=1e-12)


def test_constants_that_leave_no_real_value_are_an_error() -> None:
    free = Constant(range=(-1, 1))
    law = Law("mine", "mine", "(a + b*N)**alpha + log(a)", {"N": ""}, dict.fromkeys(("a", "b", "alpha"), free))
    with pytest.raises(FormulaError, match="no real value with these constants"):
        with_numbers(law, {"a": -1.0, "b": 0.0, "alpha": 0.5})


def test_the_best_baseline_is_first_with_constants_that_fit_the_rows() -> None:
    first, *others = guesses(a_problem(), LAWS, [])
    assert values(first, RUNS) == pytest.approx(LOSSES, rel=0.015)  # five times the noise
    assert len(others) == 2  # power laws; the constant law has no feature to search on
    errors = [np.abs(np.log(values(each, RUNS) / LOSSES)).sum() for each in (first, *others)]
    assert errors == sorted(errors)


def test_what_other_engines_found_follows_refitted_and_each_law_comes_once() -> None:
    found = [
        Candidate("1.0 + 300.0*N**-0.3 + 900.0*D**-0.3", 13, 0.1, "grammar", 0),  # the baseline's form: its twin
        Candidate("5.0 + 300.0*N**-0.4 - 0.05*log(D)", 12, 0.2, "grammar", 0),
        Candidate("9.0*N**-0.05", 5, 0.3, "grammar", 0),
        Candidate("2.0 + sinh(N)", 6, 0.01, "grammar", 0),  # no formula
    ]
    alone = guesses(a_problem(), LAWS[:1], [])
    both = guesses(a_problem(), LAWS[:1], found)
    assert both[:1] == alone
    assert len(both) == 3
    assert "log(D)" in both[1]  # the better of the two comes first
    error = np.abs(np.log(values(both[1], RUNS) / LOSSES)).mean()
    assert error < 0.2 * np.abs(np.log(values(found[1].formula, RUNS) / LOSSES)).mean()


def test_of_laws_that_are_too_long_for_the_search_none_is_handed_over() -> None:
    assert HOFFMANN.complexity > 9
    assert len(guesses(a_problem(max_complexity=9), LAWS, [])) == 2
    assert guesses(a_problem(), [], []) == ()


def test_of_groups_the_one_with_the_most_rows_is_fitted() -> None:
    groups = np.where(np.arange(64) < 20, "few", "many")
    poisoned = np.where(groups == "few", 100 * LOSSES, LOSSES)
    (one,) = guesses(a_problem(target=poisoned, groups=groups), LAWS[:1], [])
    many = {name: column[20:] for name, column in RUNS.items()}
    assert values(one, many) == pytest.approx(LOSSES[20:], rel=0.015)
