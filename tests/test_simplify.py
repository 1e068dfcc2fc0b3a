"""What the simplifying child makes of an expression."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import sympy

from discover import simplify
from discover.complexity import complexity
from discover.formula import parse, to_text
from discover.simplify import simplified
from discover.skeleton import skeleton


def short(text: str) -> str:
    return to_text(simplified(parse(text, features=["N", "D"], constants=())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(N**2 - D**2)/(N + D)", "N - D"),
        ("exp(log(N) + log(D))", "N*D"),
        ("log(exp(2.5*N))", "2.5*N"),
        ("N**0.5*D/(N**0.5*D)", "1"),
    ],
)
def test_what_cancels_is_gone(text, expected):
    assert simplified(parse(text, features=["N", "D"])) - parse(expected, features=["N", "D"]) == 0


def test_the_shorter_of_both_forms_is_taken():
    # Expanding this would make it longer; the canonical form stays.
    text = "(N + 2.5)**3*(D + 1.5)**3"
    assert complexity(simplified(parse(text, features=["N", "D"]))) <= complexity(parse(text, features=["N", "D"]))


@pytest.mark.parametrize(
    "text",
    [
        "(N**0.3 + D**0.7)**0.5/(exp(N) + exp(-N))*(N - D)",  # SymPy prefers cosh
        "sqrt((N - 2.5)**2)",  # ... and Abs
        "(exp(N) - exp(-N))/(exp(N) + exp(-N))",  # ... and tanh
    ],
)
def test_the_simple_form_is_one_that_the_language_can_say(text):
    expression = parse(text, features=["N", "D"])
    again = parse(short(text), features=["N", "D"], constants=())
    point = {sympy.Symbol("N", positive=True): 1.7, sympy.Symbol("D", positive=True): 0.4}
    assert complex(again.subs(point)) == pytest.approx(complex(expression.subs(point)), rel=1e-12)


def test_an_interaction_of_exponents_has_no_constant_that_only_shifts_another():
    """Clark's bilinear law as Operon writes it, each logarithm in a unit of its own."""
    text = "exp(1.0 - 0.3*log(N/1e8) - 0.1*log(D/1e1) + 0.02*log(N/1e8)*log(D/1e1))"
    found = skeleton(simplified(parse(text, features=["N", "D"])), ["N", "D"])
    assert parse(found.formula) - parse("B*exp(A*log(N)*log(D))*N**(-alpha)*D**(-beta)") == 0
    units = np.log(1e8), np.log(1e1)
    assert found.values == pytest.approx(
        {
            "A": 0.02,
            "alpha": 0.3 + 0.02 * units[1],
            "beta": 0.1 + 0.02 * units[0],
            "B": np.exp(1 + 0.3 * units[0] + 0.1 * units[1] + 0.02 * units[0] * units[1]),
        }
    )


def test_products_in_an_exponent_stay_where_they_are_shorter():
    text = "exp(0.5*(log(N) + 3.0)*(log(D) + 4.0))"
    assert short(text) == to_text(simplify.canonical(parse(text, features=["N", "D"])))


def test_large_expressions_are_only_made_canonical():
    text = " + ".join(f"{k + 0.5}*N**-{k / 10}" for k in range(1, 9))
    assert complexity(parse(text, features=["N"])) > simplify.LARGE
    assert short(text) == to_text(simplify.canonical(parse(text, features=["N"])))


def test_the_child_says_when_it_is_ready_and_answers_every_line(monkeypatch, capsys):
    requests = [
        {"formula": "exp(log(N) + log(2.5))", "features": ["N"]},
        {"formula": "N + Q", "features": ["N"]},
        {"formula": "N*N/N", "features": ["N"]},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(request) + "\n" for request in requests)))
    simplify.main()
    ready, first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready == {"ready": True}
    assert first == {"formula": "2.5*N"}
    assert second["error"].startswith("FormulaError: unknown name 'Q'")
    assert third == {"formula": "N"}
