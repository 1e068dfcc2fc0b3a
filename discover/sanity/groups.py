"""The sanity card of a law whose rows are in groups with constants of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discover.dataset_card import FeatureKind
from discover.law import Law
from discover.sanity.bends import bent_features
from discover.sanity.check import SanityCheck, Verdict
from discover.sanity.exact import ExactLimits
from discover.sanity.lines import full_lines, gate_lines, subject_of

MISBEHAVED = 0.25  # share of the groups in which a law may fail a sanity check


def sanity_of_groups(
    law: Law,
    parts: Mapping[str, Mapping[str, float]],
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray | None,
    kinds: Mapping[str, FeatureKind],
    *,
    positive: bool = True,
    full: bool = False,
) -> dict[str, list[SanityCheck]]:
    """The lines of each group, by its name; one, under an empty name, where rows are in no groups.

    Parameters
    ----------
    parts
        The constants of each group.
    columns, target
        The training rows, shape (rows,) each. The target only says in which features measured losses bend.
    groups
        Name of each row's group; `None` when rows are in no groups.
    """
    bent = bent_features(columns, target, groups, kinds)
    found = {}
    with ExactLimits() as limits:  # starts nothing unless it is asked
        for name, values in parts.items():
            own = columns if groups is None else {key: column[groups == name] for key, column in columns.items()}
            subject = subject_of(law, values, own, kinds)
            if full:
                found[name] = full_lines(subject, limits, positive=positive, bent=bent)
            else:
                found[name] = gate_lines(subject, positive=positive, bent=bent)
    return found


def merged(cards: Mapping[str, Sequence[SanityCheck]]) -> list[SanityCheck]:
    """One card for all groups: a check fails when it fails in more than a quarter of them."""
    if len(cards) == 1:
        return list(next(iter(cards.values())))
    lines = []
    for same in zip(*cards.values(), strict=True):
        failed = [(name, line) for name, line in zip(cards, same, strict=True) if line.verdict == "fail"]
        if failed:
            verdict: Verdict = "fail" if len(failed) > MISBEHAVED * len(same) else "unknown"
            name, line = failed[0]
            where = f"in {len(failed)} of {len(same)} groups, as {name}: {line.witness}"
            lines.append(SanityCheck(line.name, verdict, where))
            continue
        name, line = next(
            ((name, line) for name, line in zip(cards, same, strict=True) if line.verdict == "unknown"),
            (next(iter(cards)), same[0]),
        )
        lines.append(SanityCheck(line.name, line.verdict, f"as {name}: {line.witness}" if line.witness else ""))
    return lines
