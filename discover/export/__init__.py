"""Laws and leaderboards in the formats that papers, other programs and the next experiment read."""

from discover.export.card import fitted_values, law_card
from discover.export.groups import group_constants
from discover.export.latex import document, equation, part_definitions, right_hand_side, table
from discover.export.record import record
from discover.export.rounding import Rounded, latex_number, rounded

__all__ = [
    "Rounded",
    "document",
    "equation",
    "fitted_values",
    "group_constants",
    "latex_number",
    "law_card",
    "part_definitions",
    "record",
    "right_hand_side",
    "rounded",
    "table",
]
