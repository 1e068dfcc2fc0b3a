"""Does a law behave: over the data and far beyond, the way losses of larger models do.

`sanity` gives the lines that decide whether a found law may be chosen, quickly enough for hundreds of laws, or with
``full=True`` all of them; `sanity_card` the full card of a fitted law on its dataset, to be shown.
"""

from discover.sanity.bends import bent_features
from discover.sanity.card import SanityCard, card_of_rows, sanity_card
from discover.sanity.check import SanityCheck, Verdict, passes
from discover.sanity.groups import merged, sanity_of_groups
from discover.sanity.lines import sanity

__all__ = [
    "SanityCard",
    "SanityCheck",
    "Verdict",
    "bent_features",
    "card_of_rows",
    "merged",
    "passes",
    "sanity",
    "sanity_card",
    "sanity_of_groups",
]
