"""Which columns may be features at all, and why each of the others is left aside."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.formula import is_name
from discover.proposal.columns import Column, listed
from discover.proposal.features import SYMBOLS, Draft, Trait
from discover.proposal.quantities import EPOCHS, LENGTH, PER_PARAMETER, WIDTH
from discover.proposal.rows import UNKNOWN, Rows
from discover.proposal.targets import Found

_HELPERS = (EPOCHS, LENGTH, PER_PARAMETER, WIDTH)


def free_columns(draft: Draft, found: Found, named: Mapping[str, str], group: str | None) -> dict[str, Column]:
    """The columns that may be features; the others are left aside, each with its reason."""
    taken = {*found.columns.values(), *found.others}
    if found.others:
        draft.aside("a loss that was not taken (target = COLUMN takes it)", *found.others)
    free = {}
    kept: list[Column] = []
    for name, column in draft.columns.items():
        if name in taken:
            continue
        if name in named.values() or name == group:
            free[name] = column
            continue
        copy = next((other for other in kept if _same(column, other)), None)
        if column.missing.all():
            draft.aside("empty", name)
        elif column.nested:
            draft.aside("nested values: give what they hold columns of its own", name)
        elif column.numbers is not None and column.counts_rows and not any(q.rank(column) for q in _HELPERS):
            if set(column.words) & {"index", "id", "row", "unnamed", "idx", "no", "nr"} or not column.words:
                draft.aside("it numbers the rows", name)
            else:
                free[name] = column
        elif copy is not None:
            draft.aside(f"a copy of {copy.name!r}", name)
        else:
            free[name] = column
            if column.distinct > 1:
                kept.append(column)
    return free


def _same(column: Column, other: Column) -> bool:
    """Whether two columns hold the same values."""
    if column.distinct != other.distinct or column.nested or other.nested:
        return False
    if column.numbers is not None and other.numbers is not None:
        return bool(np.array_equal(column.numbers, other.numbers, equal_nan=True))
    return column.numbers is None and other.numbers is None and list(map(str, column.values)) == list(
        map(str, other.values)
    )  # fmt: skip


def unnamed_features(draft: Draft, left: Rows, free: Mapping[str, Column]) -> None:
    """Where no feature was seen, take every positive number that varies, under its own name."""
    if draft.traits:
        return
    for name in free:
        now = left.column(name)
        if now.numbers is None or now.odd or now.distinct < 3 or len(now.finite) < len(now.values):
            continue
        if now.finite.min() <= 0 or now.counts_rows or set(now.words) & {"seed", "id", "index"}:
            continue
        symbol = name if is_name(name) and name not in SYMBOLS | {"group"} else draft.short(name)
        if symbol != name and symbol not in left.table:
            left.table = left.table.assign(**{symbol: left.table[name]})
        draft.aliases.pop(name, None)
        why = f"{name!r} is a feature {symbol}: its name says no quantity, and there is no other"
        draft.traits[symbol] = Trait(symbol, "count", "1", name, (name,), column=name, why=why)
        draft.checks.append(f"{symbol} ({name!r}): say its kind and unit; where it is parameters, call it N")


def no_feature(draft: Draft) -> str:
    """What to say of a table in which no feature was found."""
    sized = [column for column in draft.columns.values() if column.is_size_in_words]
    if sized:
        return (
            f"the column {sized[0].name!r} says sizes in words such as {sized[0].texts[0]!r}, and there is no other "
            "feature: write numbers (1.3e9 for 1.3B) in the table"
        )
    return (
        f"no column looks like parameters, tokens or another quantity: name one (features: N = COLUMN); the "
        f"columns are {listed(draft.columns, 30)}"
    )


def leftover(draft: Draft, left: Rows, free: Mapping[str, Column], chosen: list[str]) -> None:
    """Note why each column that nothing was made of was left aside."""
    used = {*chosen, *(name for trait in draft.traits.values() for name in trait.inputs)}
    last = left.keys.get("last") or left.keys.get("best") or {}
    of = last.get("of", [])
    used |= {*([of] if isinstance(of, str) else of), str(last.get("by", ""))}
    for name, column in free.items():
        if name in used:
            continue
        if column.is_size_in_words:
            if not any(repr(name) in line for line in draft.checks) and not {"N", "N_nv"} & set(draft.traits):
                draft.checks.append(column.size_in_words)
            draft.aside("sizes in words", name)
        elif column.distinct < 2:
            draft.aside("one value in all rows", name)
        elif "seed" in column.words:
            draft.aside("a seed", name)
        else:
            draft.aside(UNKNOWN if column.numbers is not None else "names things", name)
