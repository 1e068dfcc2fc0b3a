"""The choice: the simplest of the laws that extrapolate about as well as the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from discover.complexity import functions
from discover.formula import symbol
from discover.law import Law
from discover.selection.judging import Judged
from discover.selection.rule import RULE, Evidence, chosen_place, clearly_better

__all__ = ["PRICE", "choose", "clearly_better", "evidence", "score"]

PRICE = RULE.price  # of a constant: part of the error that it must save


def score(judged: Judged) -> float:
    """What laws are ordered by: the mean logarithm of the inner errors, and a price for each constant."""
    if not len(judged.inner_errors):
        return float("inf")
    return float(np.mean(judged.log_errors)) + PRICE * len(judged.law.parameters)


def choose(judged: Sequence[Judged]) -> Judged | None:
    """The law that the rule chooses (`discover.selection.rule.chosen_place`); `None` when none is sane."""
    place = chosen_place(evidence(judged)) if judged else None
    return None if place is None else judged[place]


def evidence(judged: Sequence[Judged]) -> Evidence:
    """What the rule is told of laws that were judged on the same inner hold-outs."""
    everywhere = all(len(one.beyond) for one in judged)
    return Evidence(
        np.array([one.log_errors for one in judged]),
        np.array([len(one.law.parameters) for one in judged]),
        np.array([written(one.law) for one in judged]),
        np.array([functions(one.law.expanded) for one in judged]),
        np.array([one.law.complexity for one in judged]),
        np.array([one.sane for one in judged]),
        np.array([one.determined for one in judged]),
        np.array([one.beyond if everywhere else () for one in judged], dtype=float),
        np.array([one.train_error for one in judged]),
        judged[0].axes if judged else 1,
    )


def written(law: Law) -> int:
    """Number of places in a found law's formula where a constant stands; the number of constants of another law.

    The formulas of other laws may be written out from shorter ones, in which a constant stands once.
    """
    if law.kind != "found":
        return len(law.parameters)
    names = {symbol(name) for name in law.parameters}
    return sum(1 for part in sympy.preorder_traversal(law.expanded) if part in names)
