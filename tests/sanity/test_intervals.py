"""Interval proofs: never of what is not so."""

from __future__ import annotations

import numpy as np
import pytest

from discover.formula import parse
from discover.sanity.intervals import unproven

BOX = {"N": (1e7, 1e12), "D": (1e9, 1e14)}


def point(text: str, box: dict[str, tuple[float, float]] = BOX, **rule: bool) -> dict[str, float] | None:
    part = parse(text, features=box, constants=["a"])
    return unproven(part, box, {"a": 2.0}, **{"either_sign": False, "zero": False, **rule})


def test_quadratics_are_proven_exactly_where_their_roots_lie_elsewhere():
    random = np.random.default_rng(0)
    for _ in range(60):
        low, high = np.sort(10 ** random.uniform(-1, 3, 2)).tolist()
        box = {"x": (1.0, 100.0)}
        inside = 1 <= low <= 100 or 1 <= high <= 100
        found = point(f"(x - {low!r})*(x - {high!r})", box, either_sign=True)
        assert (found is not None) == inside


def test_a_box_that_must_be_divided_is():
    assert point("(log(N) - 20)**2 - (log(N) - 20) + 0.3") is None  # a discriminant of -0.2
    assert point("(log(N) - 20)**2 - (log(N) - 20) + 0.2") is not None
    assert point("N**(-0.3) - D**(-0.5)*1e-6") is None


@pytest.mark.parametrize(
    ("text", "zero", "proven"),
    [
        ("log(D/1e9)", True, True),
        ("log(D/1e9)", False, False),
        ("max(N, D) - 1e8", False, True),
        ("min(N, D) - 1e8", False, False),
        ("sqrt(N - 1e6)", False, True),
        ("sqrt(N - 1e8)", False, False),
        ("N**a - 1e13", False, True),
        ("exp(-N)", False, True),
        ("-N", False, False),
    ],
)
def test_edges_functions_and_signs(text, zero, proven):
    assert (point(text, zero=zero) is None) == proven
