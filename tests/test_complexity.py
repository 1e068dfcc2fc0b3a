"""The length of a formula, counted as it reads, and the ties that it claims."""

from __future__ import annotations

import pytest

from discover.complexity import complexity, ties
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


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("E0 + A/N**alpha + B/D**beta", 0),
        ("E0 + A/N**alpha + B/D**alpha", 1),
        ("A/N**alpha + B/D**(2*alpha)", 1),  # twice an exponent is as much of a claim
        ("A/N**alpha + B/D**alpha + K/E**alpha", 2),
        ("A/N**alpha + B/(N + a)**alpha", 1),
        ("A/N**alpha + B/D**alpha + K/N**beta + M/D**beta", 2),
        ("A/N**alpha + B/N**(2*alpha)", 0),  # of one feature alone
        ("A/N**alpha + B*D/N**alpha", 0),  # the same power
        ("E0 + A/(N*D)**alpha", 0),  # one power of a product
        ("(K/N)**alpha + B/D**beta", 0),
        ("A/sqrt(N) + B/sqrt(D)", 0),  # no constant is in the exponents
        ("A*N**D + B*E**D", 0),  # a feature is no constant
    ],
)
def test_ties_are_exponents_that_several_powers_share(text: str, count: int) -> None:
    constants = ["E0", "A", "B", "K", "M", "a", "alpha", "beta"]
    assert ties(parse(text, features=["N", "D", "E"]), constants) == count
