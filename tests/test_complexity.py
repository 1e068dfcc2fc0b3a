"""The length of a formula, counted as it reads."""

from __future__ import annotations

import pytest

from discover.complexity import complexity
from discover.formula import parse

FEATURES = ("N", "D")


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("c", 1),
        ("3", 1),
        ("-c", 1),  # a sign is part of its term
        ("a - b", 3),
        ("1/N", 3),
        ("A/N**alpha", 5),
        ("A*N**(-alpha)", 5),  # the same expression
        ("E0 + A/N**alpha", 7),
        ("E0 + A/N**alpha + B/D**beta", 13),
        ("((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D", 13),  # N_c / N ** a / b + D_c / D ** c
        ("E0 + K*N**(-a)*E**(-b)", 11),
        ("k*(A/N**alpha + B/D**beta)", 13),  # 2 more than the 11 inside: no common denominator is made
        ("sqrt(N)", 2),
        ("exp(-N)", 2),
        ("log(N)", 2),
        ("max(N, D)", 3),
        ("min(N, D, c)", 5),
        ("2*N/3", 5),
        ("c + k*exp(sum(t*r))", 9),  # c + k * exp sum t * r
    ],
)
def test_complexity_counts_what_a_reader_sees(text: str, nodes: int) -> None:
    assert complexity(parse(text, features=FEATURES, mixtures=["r"])) == nodes
