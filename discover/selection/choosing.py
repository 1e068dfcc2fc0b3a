"""The choice: the simplest of the laws that extrapolate about as well as the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discover.complexity import functions
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
        np.array([functions(one.law.expanded) for one in judged]),
        np.array([one.law.complexity for one in judged]),
        np.array([one.sane for one in judged]),
        np.array([one.determined for one in judged]),
        np.array([one.beyond if everywhere else () for one in judged], dtype=float),
    )
