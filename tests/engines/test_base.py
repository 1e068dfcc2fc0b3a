"""Budgets as people write them, and the units in which engines see features."""

from __future__ import annotations

import numpy as np
import pytest

from discover.engines import Budget, SearchProblem, load_engine
from discover.engines.base import power_of_ten
from discover.errors import InputError
from discover.fitting import Objective


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("0.5 s", 0.5), ("5min", 300), ("2m", 120), ("1h", 3600), ("1.5 hours", 5400)]
)
def test_budgets_of_time(text, seconds):
    assert Budget.parse(text) == Budget(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "evaluations"), [("2e6 evals", 2_000_000), ("20000evals", 20_000), ("1 evaluations", 1), ("0.5evals", 1)]
)
def test_budgets_of_evaluations(text, evaluations):
    assert Budget.parse(text) == Budget(evaluations=evaluations)


@pytest.mark.parametrize(
    "text", ["", "s", "30", "-3s", "0s", "five minutes", "30 parsecs", "1e999evals", "1e999s", "nan s", "3s 4s", "0e0s"]
)
def test_what_is_no_budget_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="write for example 30s, 5min, 1h or 1000000evals"):
        Budget.parse(text)


def test_a_budget_has_one_end():
    for wrong in ({}, {"seconds": 1.0, "evaluations": 10}):
        with pytest.raises(InputError, match="either seconds or evaluations"):
            Budget(**wrong)


@pytest.mark.parametrize("text", ["30s", "0.5s", "20000evals"])
def test_a_budget_is_printed_as_it_is_read(text):
    assert str(Budget.parse(text)) == text


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ([1e9, 1e9], 1e9),
        ([1e7, 1e11], 1e9),  # the geometric mean
        ([3.2e8, 3.2e8], 1e9),  # above the root of ten, the next power
        ([3.1e8, 3.1e8], 1e8),
        ([1.0, 2.0, 3.0], 1.0),
        ([0.0, 0.002], 1e-3),  # zero has no logarithm
        ([0.0, -1.0], 1.0),
    ],
)
def test_the_unit_of_a_column_is_the_nearest_power_of_ten(column, unit):
    assert power_of_ten(np.array(column)) == pytest.approx(unit, rel=1e-12)


def test_a_problem_keeps_units_that_it_is_given():
    features = {"N": np.array([1e8, 1e10]), "D": np.array([1e10, 1e12])}
    problem = SearchProblem(features, np.ones(2), Objective(), Budget(seconds=1), scales={"N": 1e6})
    assert problem.scales == {"N": 1e6, "D": 1e11}


def test_an_unknown_engine_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown engine 'operom': did you mean 'operon'\?"):
        load_engine("operom")
