"""The loss as Julia's text, beside the objective that the fitter minimises."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pysr_search import make_problem

from discover.engines.pysr.loss import elementwise_loss, loss_factor
from discover.objective import NAMES, Objective


def julia(text: str) -> Callable[[float, float], float]:
    """A one-line Julia function of the kind written here, as a Python function."""
    head, body = text.split(" = ", 1)
    assert head == "discover_loss(prediction, target)"
    source = _python(body)
    names = {"log": np.log, "sqrt": np.sqrt, "abs": abs, "Inf": float("inf"), "__builtins__": {}}
    function = eval(f"lambda prediction, target: {source}", names)  # text of our own, in a test
    return function  # type: ignore[no-any-return]


def _python(text: str) -> str:
    """`c ? a : b` and `(name = value; body)` in Python."""
    text = text.strip()
    place = _outside(text, " ? ")
    if place >= 0:
        condition, rest = text[:place], text[place + 3 :]
        colon = _outside(rest, " : ")
        return f"({_python(rest[:colon])} if {_python(condition)} else {_python(rest[colon + 3 :])})"
    block = re.match(r"\((\w+) = ", text)
    if block and text.endswith(")"):
        inner = text[block.end() : -1]
        end = _outside(inner, "; ")
        return f"(lambda {block[1]}: {_python(inner[end + 2 :])})({_python(inner[:end])})"
    start = text.find("(")
    if start < 0:
        return text
    end = start + 1 + _outside(text[start + 1 :] + ")", ")")
    return f"{text[:start]}({_python(text[start + 1 : end])}){_python(text[end + 1 :])}"


def _outside(text: str, sought: str) -> int:
    """Where `sought` stands outside all parentheses, or -1."""
    depth = 0
    for place, character in enumerate(text):
        if depth == 0 and text.startswith(sought, place):
            return place
        depth += (character == "(") - (character == ")")
    return -1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("delta", [1e-3, 1e-5, 0.25])
def test_the_julia_loss_is_the_objective(name: Any, delta: float) -> None:
    objective = Objective(name, delta)
    loss = julia(elementwise_loss(objective, 7.0))
    for target in (0.9, 2.5):
        for residual in (0.0, 1e-6, delta / 2, -delta, 1.01 * delta, -3 * delta, 0.4):
            prediction = target * np.exp(residual) if objective.logarithmic else target + residual
            expected = objective.loss(objective.residual(np.array([prediction]), np.array([target])))
            assert loss(prediction, target) == pytest.approx(7.0 * float(expected), rel=1e-9, abs=1e-18)


def test_the_julia_loss_is_the_text_that_worked() -> None:
    """The recorded searches ran with this text in Float32 numbers, without the factor and with 1f3 as the guard."""
    assert elementwise_loss(Objective("log_huber", 1e-3), 2.0) == (
        "discover_loss(prediction, target) = prediction <= 0.0 ? (prediction < 0.0 ? Inf : 1.0) : "
        "(residual = abs(log(prediction) - log(target)); "
        "2.0 * (residual <= 0.001 ? 0.5 * residual * residual : 0.001 * (residual - 0.0005)))"
    )


@pytest.mark.parametrize("name", ["log_huber", "log_squared"])
def test_a_prediction_without_a_logarithm_is_guarded(name: Any) -> None:
    loss = julia(elementwise_loss(Objective(name)))
    assert loss(-1e-9, 2.0) == float("inf")
    assert loss(0.0, 2.0) == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_the_constant_law_has_a_loss_of_one(name: Any) -> None:
    problem = make_problem(objective=Objective(name))
    loss = julia(elementwise_loss(problem.objective, loss_factor(problem)))
    best = float(np.median(problem.target))
    assert np.mean([loss(best, target) for target in problem.target]) == pytest.approx(1.0, rel=1e-3)


def test_the_same_target_everywhere_leaves_the_loss_alone() -> None:
    assert loss_factor(make_problem(target=np.full(30, 2.0))) == 1.0
