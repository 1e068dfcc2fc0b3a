"""Columns of words: which make groups of rows, which are categories, and which only name things."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from discover.dataset_card import GROUP
from discover.formula import is_name
from discover.proposal.columns import Column, look, vocabulary
from discover.proposal.features import SYMBOLS, Draft, Trait
from discover.proposal.holding_out import AXES
from discover.proposal.rows import Rows

ROWS = 8  # of a group at least
SIZES = 3  # that a group spans at least
MANY = 200  # groups, more are names
CATEGORY = (2, 6)  # words of a category
_PARTS = vocabulary(
    "domain task corpus dataset data language lang router family arch architecture optimizer group "
    "schedule tokenizer activation method variant recipe split benchmark setup"
)  # fmt: skip
_NO_PART = vocabulary(
    "user host hostname notes note tags tag sweep created commit gpu node machine path dir directory "
    "checkpoint date time timestamp url id uuid state status hash color colour hex seed comment author "
    "entity project version"
)  # fmt: skip


def divide(
    draft: Draft, rows: Rows, values: Mapping[str, np.ndarray], fixed: Sequence[str], named: str | None
) -> list[str]:
    """The columns whose words divide rows into groups (`fixed` first); categories are added to the features.

    `values` are the features that are numbers; `named` is the user's group.
    """
    chosen = [*fixed, *([named] if named is not None else [])]
    for name in chosen:
        words = look(name, rows.table[name])
        draft.lines.append(f"{name!r} makes {words.distinct} groups of rows, each with constants of its own")
    used = {name for trait in draft.traits.values() for name in trait.inputs}
    used |= {str((rows.keys.get("last") or {}).get("of", ""))}  # each row is a run of its own
    candidates = []
    for name, column in draft.columns.items():
        if name in chosen or name in used or name not in rows.table or column.nested:
            continue
        now = rows.column(name)
        if (now.numbers is not None and not set(now.words) & _PARTS) or _other(draft, now, values):
            continue
        candidates.append(now)
    if named is not None:
        draft.aside("words that are neither group nor size", *(c.name for c in candidates))
        return chosen
    candidates.sort(key=lambda column: (not set(column.words) & _PARTS, column.distinct))
    frozen = []
    for column in candidates:
        if any(_refines(rows.table, column.name, other) for other in chosen):
            continue
        verdict = _divides(rows.table, [*chosen, column.name], values)
        if verdict == "all":
            chosen.append(column.name)
            draft.lines.append(
                f"{column.name!r} makes {column.distinct} groups of rows, each with constants of its own: all have "
                f"{ROWS} rows or more and span {SIZES} sizes or more"
            )
            _say_sizes(draft, column)
        elif verdict == "some":
            frozen.append(column)
    if len(chosen) == len(fixed) and frozen:
        chosen.append(_freeze(draft, rows, values, frozen[0]))
    for column in candidates:
        if column.name not in chosen:
            _category(draft, rows, column)
    return chosen


def _other(draft: Draft, column: Column, values: Mapping[str, np.ndarray]) -> bool:
    """Whether a column of words is neither group nor category, with the reason noted."""
    name = column.name
    if column.distinct < 2:
        draft.aside("one value in all rows", name)
    elif column.is_record:
        draft.aside("nested values: give what they hold columns of its own", name)
    elif column.is_date or column.is_path:
        draft.aside("dates and addresses", name)
    elif column.distinct > max(CATEGORY[1], len(column.values) / 2) or column.distinct > MANY:
        _label(draft, column)
    elif set(column.words) & _NO_PART and not set(column.words) & _PARTS:
        draft.aside("says how a run was made, not what was trained", name)
    elif column.missing.any():
        draft.aside("words that are missing in some rows", name)
    elif (same := _same_as(column, values)) is not None:
        draft.aside(f"says the same as {same}", name)
    else:
        return False
    return True


def _label(draft: Draft, column: Column) -> None:
    """Keep a name of runs for row rules, which may hold out runs by it."""
    if is_name(column.name) and column.name not in draft.traits and column.name != GROUP:
        draft.labels.append(column.name)
        draft.lines.append(f"{column.name!r} is kept as a label: no feature, but row rules may name it")
    else:
        draft.aside("a name or a note: nearly every row has its own", column.name)


def _same_as(column: Column, values: Mapping[str, np.ndarray]) -> str | None:
    """The feature that has one value for each of the column's, and the reverse."""
    for symbol, numbers in values.items():
        pairs = pd.DataFrame({"word": column.values.astype(str).to_numpy(), "number": numbers}).drop_duplicates()
        if len(pairs) == column.distinct == pairs["number"].nunique():
            return symbol
    return None


def _divides(table: pd.DataFrame, columns: Sequence[str], values: Mapping[str, np.ndarray]) -> str:
    """Whether columns divide rows well: ``all`` sizes vary in every group, ``some`` do, or none (empty)."""
    keys = [table[column].astype(str).to_numpy() for column in columns]
    sizes = pd.Series(1, index=range(len(table))).groupby(keys).sum()
    if len(sizes) < 2 or sizes.min() < ROWS or len(sizes) > MANY:
        return ""
    axes = [symbol for symbol in AXES if symbol in values and len(np.unique(values[symbol])) >= SIZES]
    if not axes:
        return "all"
    spans = [bool(pd.Series(values[symbol]).groupby(keys).nunique().min() >= SIZES) for symbol in axes]
    return "all" if spans[0] else "some" if any(spans) else ""


def _refines(table: pd.DataFrame, fine: str, coarse: str) -> bool:
    """Whether each word of a column goes with one word of a coarser one, of which it only names parts."""
    return len(table[[fine, coarse]].astype(str).drop_duplicates()) == table[fine].astype(str).nunique()


def _freeze(draft: Draft, rows: Rows, values: Mapping[str, np.ndarray], column: Column) -> str:
    """Take a group within which some features do not vary: these leave the features."""
    keys = column.values.astype(str).to_numpy()
    draft.lines.append(
        f"{column.name!r} makes {column.distinct} groups of rows, each with constants of its own: it says more than "
        "sizes"
    )
    for symbol in list(values):
        if pd.Series(values[symbol]).groupby(keys).nunique().max() == 1 and symbol in draft.traits:
            if draft.traits[symbol].named:
                continue
            draft.drop_trait(symbol, f"one value in each group of {column.name!r}")
    _say_sizes(draft, column)
    return column.name


def _say_sizes(draft: Draft, column: Column) -> None:
    if column.is_size_in_words:
        draft.checks.append(f"{column.size_in_words}; until then each is a group")


def _category(draft: Draft, rows: Rows, column: Column) -> None:
    """Add a column of a few words as a category."""
    words = column.values.astype(str)
    parts = {re.sub(r"\W+", "_", word) for word in words.unique()}
    symbol = re.sub(r"[^A-Za-z0-9_]+", "_", column.name).strip("_")
    if not is_name(symbol) or symbol in SYMBOLS or symbol in draft.traits or symbol == GROUP:
        symbol = f"c_{symbol}" if is_name(f"c_{symbol}") else "category"
    legal = len(parts) == column.distinct and all(is_name(f"{symbol}_{part}") for part in parts)
    if column.is_size_in_words:
        draft.checks.append(column.size_in_words)
        draft.aside("sizes in words", column.name)
    elif symbol in draft.traits or not legal or not CATEGORY[0] <= column.distinct <= CATEGORY[1]:
        _label(draft, column)
    elif words.value_counts().min() < SIZES:
        draft.aside("words of which some have a row or two", column.name)
    else:
        why = f"{column.name!r} is the category {symbol}: {column.distinct} words, too few rows each to be groups"
        draft.traits[symbol] = Trait(symbol, "category", "", column.name, (column.name,), column=column.name, why=why)
