"""The choice among laws that were judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discover.complexity import functions, ties
from discover.law import Law
from discover.selection.judging import Judged
from discover.selection.rule import RULE, Evidence, chosen_place, clearly_better

__all__ = ["PRICE", "choose", "claims", "clearly_better", "evidence", "score"]

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
        log_errors=np.array([one.log_errors for one in judged]),
        constants=np.array([len(one.law.parameters) for one in judged]),
        claims=np.array([claims(one.law) for one in judged]),
        complexity=np.array([one.law.complexity for one in judged]),
        sane=np.array([one.sane for one in judged]),
        published=np.array([one.law.kind == "published" for one in judged], dtype=bool),
        beyond=np.array([one.beyond if everywhere else () for one in judged], dtype=float),
        residual=np.array([np.mean(one.residuals) if len(one.residuals) else 1.0 for one in judged]),
        rows=max((len(one.residuals) for one in judged), default=0),
        groups=max((len(one.fit.parts) for one in judged), default=1),
        axes=judged[0].axes if judged else 1,
    )


def claims(law: Law) -> int:
    """How much a law claims: its constants, and for a found one its ties and its functions.

    That two features have one exponent, or that there is a logarithm where a power would do, is a claim as a constant
    is. The forms of published laws were not made for the rows.
    """
    more = functions(law.expanded) + ties(law.expanded, law.parameters) if law.kind == "found" else 0
    return len(law.parameters) + more
