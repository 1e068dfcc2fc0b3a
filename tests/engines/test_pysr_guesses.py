"""Known laws as Julia's text: the same numbers, in the operators and within the constraints of the search."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from pysr_search import make_problem, on_the_stand_in, seen

from discover.engines.hall_of_fame import julia_equation, read_hall_of_fame
from discover.engines.pysr import ENGINE
from discover.engines.pysr.arguments import form_of
from discover.engines.pysr.earlier import Earlier
from discover.engines.pysr.expressions import UnsayableError, size, tree_of
from discover.engines.pysr.guesses import beginning
from discover.engines.pysr.operators import Operators
from discover.formula import parse

RECORDED = Path(__file__).parent / "recorded"
CHINCHILLA = "1.69 + 406.4/N**0.34 + 410.7/D**0.28"
AT = {"N": np.array([3e7, 2e9, 7e10]), "D": np.array([1e9, 4e10, 1.4e12])}


def worth(formula: str) -> np.ndarray:
    expression = parse(formula, features=AT, constants=())
    names = sorted(expression.free_symbols, key=str)
    return np.broadcast_to(sympy.lambdify(names, expression, "numpy")(*[AT[str(name)] for name in names]), 3)


def read_as_julia(text: str, variables: dict[str, np.ndarray]) -> np.ndarray:
    """Value of Julia's text by Python's grammar, which agrees where everything is in parentheses."""
    functions: dict[str, Any] = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt, "min": np.minimum, "max": np.maximum}
    code = re.sub(r"#(\d+)", r"argument_\1", text).replace("^", "**")
    names = {name.replace("#", "argument_"): value for name, value in variables.items()}
    with np.errstate(all="ignore"):
        return np.asarray(eval(code, {"__builtins__": {}}, {**functions, **names}))  # text of our own, in a test


def nodes(text: str) -> int:
    """Numbers, names and operators of a text in which every operation is in parentheses."""
    numbers = re.sub(r"\(-([\d.e+-]+)\)", r"\1", text)
    return len(re.findall(r"[A-Za-z_]\w*|#\d+|\d[\d.]*(?:e[+-]?\d+)?|[-+*/^]", numbers))


def the_guess(formula: str, **changes: Any) -> str:
    problem = make_problem(scales={"N": 1e9, "D": 1e9}, **changes)
    guess = form_of(problem).guess(formula, 60)
    assert isinstance(guess, str)
    return guess


EVERYTHING = ("+", "-", "*", "/", "**", "log", "exp", "sqrt", "min", "max")


@pytest.mark.parametrize(
    ("formula", "operators"),
    [
        (CHINCHILLA, EVERYTHING),
        (CHINCHILLA, ("+", "*", "**")),
        (CHINCHILLA, ("+", "*", "log", "exp")),  # a power without one
        (CHINCHILLA, ("-", "*", "/", "**")),
        ("((1.5e9/N)**0.8 + 3e9/D)**0.1", EVERYTHING),  # Kaplan's: a power in a power
        ("exp(2.0 - 0.1*log(N) - 0.04*log(D) + 0.001*log(N)*log(D))", EVERYTHING),
        ("3.0*N**(-0.1 + 0.002*log(D))", EVERYTHING),  # an exponent that is an expression
        ("1.2**(-D/1e12) + 2.0", EVERYTHING),
        ("1.8 - 0.1*log(N/1e12) - 5.0/D**0.2", EVERYTHING),
        ("2.0 - D**-0.1 - 1e4/N", EVERYTHING),
        ("max(1.9, 20.0*N**-0.1, 30.0*D**-0.1) - min(0.1, 1e8/N)", EVERYTHING),
        ("1.7 + 1e4/sqrt(N) + 1e9/D", ("+", "*", "/", "sqrt")),
        ("1.7 + (1e9/N)**2 + (1e9/D)**-0.5", ("+", "*", "/", "sqrt")),
        ("-0.5 + N**0.05", EVERYTHING),
        ("-1/D**0.3", EVERYTHING),
        ("2.5", EVERYTHING),
    ],
)
def test_a_guess_is_the_formula_in_the_units_and_operators_of_the_search(
    formula: str, operators: tuple[str, ...]
) -> None:
    text = the_guess(formula, operators=operators)
    variables = {f"x_{name}": column / 1e9 for name, column in AT.items()}
    np.testing.assert_allclose(np.broadcast_to(read_as_julia(text, variables), 3), worth(formula), rtol=1e-12)
    of_julia = {operator.replace("**", "^") for operator in operators}
    without_negatives = re.sub(r"\(-[\d.e+-]+\)|e[+-]\d+", "", text)
    assert set(re.findall(r"[-+*/^]|\b(?:log|exp|sqrt|min|max)\b", without_negatives)) <= of_julia


def test_chinchillas_law_has_as_many_nodes_as_pysr_counted() -> None:
    """The recorded search was given this law and reports it with complexity 13."""
    assert 13 in {row.complexity for row in read_hall_of_fame(RECORDED / "chinchilla_guess.csv")}
    problem = make_problem()
    places = {"N": "x_N", "D": "x_D"}
    tree = tree_of(parse(CHINCHILLA, features=AT, constants=()), places, Operators.of(problem.operators))
    assert size(tree) == nodes(the_guess(CHINCHILLA)) == 13


@pytest.mark.parametrize(
    ("formula", "operators", "reason"),
    [
        ("1.7 + E**-0.1", EVERYTHING, "unknown name 'E'"),
        ("__import__('os')", EVERYTHING, "'__import__' is not a function"),
        ("log(N - 3*N)", EVERYTHING, "is not real"),
        ("1.7 + log(N)", ("+", "*", "**"), "it needs the operator log, which this search has not"),
        ("1.7*N", ("+", "-"), r"it needs the operator \*"),
        ("N**0.3", ("+", "*", "exp"), r"it needs the operator \^"),
        ("N**log(D)", ("+", "*", "**"), "exp and log, for an exponent that is an expression"),
        ("exp(-exp(-N*D/1e18))", EVERYTHING, "exp stands inside exp, which this search does not allow"),
        ("log(1 + log(N))", EVERYTHING, "log stands inside log"),
        ("(1 + (1 + (1 + N)**0.3)**0.4)**0.5", EVERYTHING, r"\^ stands 2 times inside \^"),
        ("1.7 + N**-0.1 + D**-0.1 + N**-0.2", EVERYTHING, "it has 19 nodes, and this search at most 18"),
    ],
)
def test_what_cannot_be_said_is_left_out_with_the_reason(formula: str, operators: tuple[str, ...], reason: str) -> None:
    problem = make_problem(operators=operators, guesses=(formula, "2.0"))
    begin = beginning(problem, form_of(problem), 18, Earlier())
    assert begin.guesses == ("2.0",)
    assert re.match(f"left out: {re.escape(formula)}: .*(?:{reason})", begin.notes[0]), begin.notes[0]
    assert begin.notes[1] == "given: 2.0: 2.0"


def test_a_law_that_two_sources_share_is_given_once() -> None:
    problem = make_problem(guesses=("2.0 + 1e4/N", "2.0 + 1e4/N", "1e4/N + 2.0"))
    begin = beginning(problem, form_of(problem), 20, Earlier())
    assert len(begin.guesses) == 1
    assert [note.split(": ")[0] for note in begin.notes] == ["given", "left out", "left out"]


@pytest.mark.parametrize("name", ["chinchilla", "chinchilla_guess", "routed_moe_sbase"])
def test_a_formula_that_pysr_found_can_be_said_to_it_again(name: str) -> None:
    columns = {"N": np.geomspace(3e7, 7e9, 9), "D": np.geomspace(1e9, 1e12, 9), "E": np.geomspace(1.5, 512, 9)}
    problem = make_problem(features=columns, target=np.ones(9), scales={"N": 1e9, "D": 1e9, "E": 1.0})
    form = form_of(problem)
    seen_by_pysr = form.columns()
    for row in read_hall_of_fame(RECORDED / f"{name}.csv"):
        text = form.guess(form.formula(row.equation), 60)
        assert isinstance(text, str)
        expected = read_as_julia(julia_equation(row.equation, form.names), seen_by_pysr)
        np.testing.assert_allclose(read_as_julia(text, seen_by_pysr), expected, rtol=1e-12)


def test_an_exponential_of_one_feature_is_a_power() -> None:
    assert the_guess("exp(-0.5*N/1e9)") == f"({math.exp(-0.5)!r} ^ x_N)"
    assert the_guess("exp(1e-6*N/1e9)").startswith("exp((1.0")  # a base of 1.000001 would lose six digits


@pytest.mark.parametrize("name", ["chinchilla", "chinchilla_guess", "routed_moe_sbase"])
def test_a_recorded_equation_is_read_back_with_as_many_nodes(name: str) -> None:
    for row in read_hall_of_fame(RECORDED / f"{name}.csv"):
        again = julia_equation(row.equation, ["x_N", "x_D", "x_E"])
        assert nodes(again) == row.complexity
        assert not re.search(r"(?<!\()-\s*[\d.]+ \^", again)  # Julia would take the power first


def test_a_negative_base_stays_one_number() -> None:
    again = julia_equation("1.5f0 - -0.72 ^ x_N", ["x_N"])
    assert read_as_julia(again, {"x_N": np.array([2.0])})[0] == pytest.approx(1.5 - 0.72**2)


def test_pysr_begins_where_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on_the_stand_in(monkeypatch)
    problem = make_problem(folder=tmp_path, guesses=(CHINCHILLA, "1.7 + V**-0.2"))
    list(ENGINE.search(problem))
    given = seen(tmp_path)
    ((text,),) = given["guesses"]
    columns = dict(zip(given["names"], np.array(given["x"]), strict=True))
    expected = 1.69 + 406.4 / problem.features["N"] ** 0.34 + 410.7 / problem.features["D"] ** 0.28
    np.testing.assert_allclose(read_as_julia(text, columns), expected, rtol=1e-12)
    notes = (tmp_path / "search-1" / "guesses.txt").read_text().splitlines()
    assert notes[0] == f"given: {CHINCHILLA}: {text}"
    assert notes[1].startswith("left out: 1.7 + V**-0.2: unknown name 'V'")


def test_a_constant_that_no_float_holds_is_refused() -> None:
    form: Callable[..., Any] = form_of(make_problem(scales={"N": 1e9, "D": 1e9})).guess
    with pytest.raises(UnsayableError, match="not a real number"):
        form("2.0 + N**60/1e9", 60)
