"""What `discover optimal` answers: the compute-optimal models of a law's card, by published or fitted constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discover.allocation import RATIOS, Allocation, allocate
from discover.errors import InputError
from discover.law import Law, load_law


@dataclass(frozen=True)
class Optimal:
    """The optima of a law with constants of its card.

    Attributes
    ----------
    origin
        Where the constants come from, and what they hold for.
    allocations
        By group; one, under an empty name, where the constants are those of all rows.
    at, flop_per
        Features that were fixed, and FLOP for each parameter and token.
    """

    law: Law
    origin: str
    allocations: Mapping[str, Allocation]
    at: Mapping[str, float]
    flop_per: float

    def as_record(self) -> dict[str, Any]:
        """All of it, ready for JSON: one entry for each group and budget."""
        return {
            "law": self.law.name,
            "formula": self.law.formula,
            "target": self.law.target,
            "unit": self.law.unit,
            "constants": self.origin,
            "at": dict(self.at),
            "flop_per": self.flop_per,
            "optima": [
                {"group": group, **entry}
                for group, allocation in self.allocations.items()
                for entry in _entries(allocation)
            ],
        }


def _entries(found: Allocation) -> list[dict[str, Any]]:
    return [
        {
            "compute": found.compute[k],
            "N": found.N[k],
            "D": found.D[k],
            "tokens_per_parameter": found.tokens_per_parameter[k],
            "loss": found.loss[k],
            "a": found.a[k],
            "b": found.b[k],
            "interior": found.interior[k],
            "reason": found.reason[k],
        }
        for k in range(len(found.compute))
    ]


def optimal(
    source: str | Path,
    compute: Sequence[float],
    *,
    number: int | None = None,
    at: Mapping[str, float] | None = None,
    flop_per: float = 6.0,
    tokens_per_parameter: tuple[float, float] = RATIOS,
) -> Optimal:
    """The compute-optimal models of a law that has a card.

    Parameters
    ----------
    source
        Name of a law, or path of its card.
    compute
        Budgets in FLOP.
    number
        Which of the card's sets of published constants, or of the fits of a law that was found, counted from 1. By
        default the first set, or the last fit: of each group where there are groups.
    at, flop_per, tokens_per_parameter
        As of `discover.allocation.allocate`.

    Raises
    ------
    InputError
        When the card has no such constants, or the law is not one of N and D.
    """
    law = load_law(source)
    origin, groups = _constants(law, number)
    at = dict(at or {})
    allocations = {
        group: allocate(law, values, list(compute), at=at, flop_per=flop_per, tokens_per_parameter=tokens_per_parameter)
        for group, values in groups.items()
    }
    return Optimal(law, origin, allocations, at, flop_per)


def _constants(law: Law, number: int | None) -> tuple[str, dict[str, Mapping[str, float]]]:
    """Where the constants come from, and their values by group."""
    sets, word = (law.published, "sets of published constants") if law.published else (law.fits, "fits")
    if not sets:
        raise InputError(
            f"law {law.name!r} has no constants: none were published, and its card has no fit. Fit it in Python "
            "(discover.fit, then discover.allocate), or name a law that has some"
        )
    if number is not None and not 1 <= number <= len(sets):
        raise InputError(f"law {law.name!r} has {len(sets)} {word}, no number {number}: they count from 1")
    if law.published:
        chosen = law.published[(number or 1) - 1]
        holds_for = "; ".join(filter(None, (chosen.source, chosen.on)))
        mark = " [unverified]" if chosen.unverified or law.unverified else ""
        return f"{holds_for} (set {number or 1} of {len(sets)}){mark}", {"": chosen.values}
    last = law.fits[(number or len(sets)) - 1]
    if number is None and last.group:
        same = [fit for fit in law.fits if (fit.dataset, fit.run) == (last.dataset, last.run)]
        return f"fits to the groups of {last.dataset}", {fit.group: fit.values for fit in same}
    of_group = f", group {last.group}" if last.group else ""
    return f"fit to {last.dataset}{of_group}, {last.rows} rows (fit {number or len(sets)} of {len(sets)})", {
        "": last.values
    }
