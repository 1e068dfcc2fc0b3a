"""Columns that are the shares of a mixture: each between 0 and 1, and on every row they sum to one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.proposal.columns import Column, differing, vocabulary

EXACT = 1e-3  # how far a sum may be from one
ROUNDED = 0.01  # and where shares were rounded to a few digits
COMPLETE = 0.8  # share of the rows that must have all shares
MOST_RUNS = 200  # columns among which a run of neighbours is looked for
_SHARE = vocabulary(
    "share shares proportion proportions prop ratio ratios mix mixture fraction fractions frac weight "
    "weights percent percentage pct p w r portion prob domain"
)  # fmt: skip


@dataclass(frozen=True)
class Shares:
    """A mixture: the column of each component by its name, and how the sums are."""

    columns: Mapping[str, str]
    tolerance: float | None = None
    normalise: bool = False


def find_mixtures(columns: Sequence[Column]) -> list[Shares]:
    """The mixtures among columns, the largest first; no column is in two."""
    usable = [c for c in columns if c.numbers is not None and not c.odd and len(c.finite) and c.finite.min() >= 0]
    found: list[Shares] = []
    taken: set[str] = set()
    for family in _families(usable):
        free = [column for column in family if column.name not in taken]
        if len(free) < 2 or len(free) < len(family):
            continue
        shares = _mixture(free)
        if shares is not None:
            found.append(shares)
            taken |= {column.name for column in free}
    return found


def _families(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """Sets of columns to try: those with words in common at the start or the end, then neighbours."""
    families: dict[tuple[int, tuple[str, ...]], list[Column]] = {}
    for column in columns:
        words = column.words
        for length in range(1, len(words)):
            families.setdefault((0, words[:length]), []).append(column)
            families.setdefault((1, words[-length:]), []).append(column)
    alike = [family for family in families.values() if len(family) > 1]
    yield from sorted(alike, key=len, reverse=True)
    named = [column for column in columns if _SHARE & set(column.words)]
    if len(named) > 1:
        yield named
    unit = [column for column in columns if column.finite.max() <= 1 and column.distinct > 1]
    yield from _runs(unit[:MOST_RUNS])


def _runs(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """Neighbours of three or more whose sum is one on every row, the longest first from each start."""
    start = 0
    while start < len(columns):
        total = np.zeros(len(columns[start].values))
        reached = 0
        for end in range(start, len(columns)):
            numbers = columns[end].numbers
            assert numbers is not None
            total = total + numbers
            if np.nanmax(total) > 1 + ROUNDED or np.isnan(total).all():
                break
            if end - start >= 2 and _off(total) <= EXACT:
                reached = end + 1
        if reached:
            yield list(columns[start:reached])
        start = reached or start + 1


def _mixture(columns: Sequence[Column]) -> Shares | None:
    numbers = np.array([column.numbers for column in columns], dtype=float)
    whole = np.isfinite(numbers).all(axis=0)
    if whole.mean() < COMPLETE or sum(column.distinct > 1 for column in columns) < 2:
        return None
    total = numbers.sum(axis=0)
    names = _components([column.name for column in columns])
    if numbers[:, whole].max() <= 1 and _off(total) <= ROUNDED:
        off = _off(total)
        return Shares(names, None if off <= EXACT else float(f"{np.ceil(off * 1000 + 1e-6) / 1000:.3g}"))
    if _off(total / 100) <= ROUNDED and total[whole].min() > 50:
        return Shares(names, normalise=True)
    return None


def _off(total: np.ndarray) -> float:
    """How far sums are from one at most, on rows that have one."""
    given = total[np.isfinite(total)]
    return float(np.abs(given - 1).max()) if len(given) else np.inf


def _components(columns: Sequence[str]) -> dict[str, str]:
    """A name for each component: what differs in the columns' names, as a formula can say it."""
    names: dict[str, str] = {}
    for place, (column, label) in enumerate(differing(columns).items(), start=1):
        name = re.sub(r"[^A-Za-z0-9_]+", "_", label).strip("_") or f"part{place}"
        while name in names:
            name = f"{name}_{place}"
        names[name] = column
    return names
