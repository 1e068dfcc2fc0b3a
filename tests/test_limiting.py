"""What the child says of limits."""

from __future__ import annotations

import io
import json

import pytest

from discover import limiting
from discover.limiting import limit_of

CONSTANTS = {"E0": 1.8, "A": 480.0, "B": -2.0, "alpha": 0.35, "beta": -0.2, "k": 0.0}


@pytest.mark.parametrize(
    ("formula", "along", "open_", "answer"),
    [
        ("E0 + A/N**alpha + 9/D**0.3", ["N"], True, {"limit": "E0 + 9/D**(3/10)"}),
        ("E0 + A/N**alpha + 9/D**0.3", ["N", "D"], True, {"limit": "E0"}),
        ("E0 + A*N**beta + k*N", ["N"], True, {"limit": "E0"}),  # the signs are those of the values
        ("E0 + A*N**alpha", ["N"], True, {"infinite": 1}),
        ("E0 + B*N**alpha", ["N"], True, {"infinite": -1}),
        ("E0 - A/(N/D + 1)", ["N", "D"], False, {"limit": "9/5 - 480/(1 + N/D)"}),  # in their proportions
        ("((E0/N)**(alpha/A) + A/D)**A", ["N", "D"], False, {"limit": "0"}),  # Kaplan's form has no floor
        ("E0 + B*D/N**2", ["N", "D"], False, {"limit": "9/5"}),
    ],
)
def test_limits(formula, along, open_, answer):
    assert limit_of(formula, ["N", "D"], _used(formula), along, open_=open_) == answer


def _used(formula: str) -> dict[str, float]:
    return {name: value for name, value in CONSTANTS.items() if name in formula}


def test_what_depends_on_sizes_of_constants_is_decided_by_their_values():
    formula, constants = "E0 + A*N**alpha/D**gamma", {"E0": 1.8, "A": 480.0, "alpha": 0.3, "gamma": 0.4}
    with pytest.raises(NotImplementedError):
        limit_of(formula, ["N", "D"], constants, ["N", "D"], open_=True)
    assert limit_of(formula, ["N", "D"], constants, ["N", "D"], open_=False) == {"limit": "9/5"}


def test_the_child_answers_every_line(monkeypatch, capsys):
    first = {"formula": "E0 + 1/N", "features": ["N"], "constants": {"E0": 1.0}, "along": ["N"], "open": True}
    requests = [first, {**first, "formula": "E0 + Q"}, {**first, "formula": "N"}]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(request) + "\n" for request in requests)))
    limiting.main()
    ready, one, two, three = map(json.loads, capsys.readouterr().out.splitlines())
    assert (ready, one, three) == ({"ready": True}, {"limit": "E0"}, {"infinite": 1})
    assert two["error"].startswith("FormulaError: unknown name 'Q'")
