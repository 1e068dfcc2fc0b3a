"""How stable the choice is: what would have been chosen from other inner hold-outs, and how many searches found it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discover.selection.choosing import evidence
from discover.selection.judging import Judged
from discover.selection.rule import chosen_place

RESAMPLES = 200


@dataclass(frozen=True)
class Stability:
    """Stability of a choice.

    Attributes
    ----------
    shares
        Share of the resamples of the inner hold-outs in which each law was chosen, the largest first.
    searches
        The searches, by engine and seed, that proposed the chosen law.
    of_searches
        Number of searches that were made.
    """

    shares: dict[str, float]
    searches: tuple[str, ...]
    of_searches: int


def stability(
    judged: Sequence[Judged], chosen: Judged, searches: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Stability:
    """Choose again from resamples of the inner hold-outs, drawn with replacement."""
    generator = np.random.default_rng(seed)
    count = len(chosen.inner_errors)
    known = evidence(judged)
    chosen_names: Counter[str] = Counter()
    for _ in range(resamples):
        place = chosen_place(known.resampled(generator.integers(count, size=count)))
        if place is not None:
            chosen_names[judged[place].law.name] += 1
    shares = {name: number / resamples for name, number in chosen_names.most_common()}
    return Stability(shares, chosen.searches, len(searches))
