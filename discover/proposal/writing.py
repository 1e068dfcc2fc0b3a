"""The text of a proposed card: its keys in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discover.export.toml import dumps
from discover.proposal.features import Trait

LONG = 4  # entries of a table that fit on one line


def card_text(head: Mapping[str, Any], file: Mapping[str, Any], tables: Mapping[str, Any], traits: Mapping[str, Trait],
              tail: Mapping[str, Any]) -> str:  # fmt: skip
    """The card: `head` (plain keys), the file, `tables`, the features, and the tables of `tail`."""
    parts = [dumps(head), "\n" + dumps({"files": [dict(file)]})]
    for name, table in tables.items():
        parts += _section(name, table)
    short = {symbol: _feature(trait) for symbol, trait in traits.items() if not _is_long(trait)}
    if short:
        parts.append("\n" + dumps({"features": short}))
    for symbol, trait in traits.items():
        if _is_long(trait):
            parts += _section(f"features.{symbol}", _feature(trait))
    for name, table in tail.items():
        parts += _section(name, table)
    return "".join(parts)


def _section(name: str, table: Mapping[str, Any]) -> list[str]:
    """A table of the card; a long table in it follows as a table of its own."""
    long = {key: value for key, value in table.items() if isinstance(value, Mapping) and len(value) > LONG}
    rest = {key: value for key, value in table.items() if key not in long}
    parts = ["\n" + dumps({name: rest})] if "." not in name else [f"\n[{name}]\n" + dumps(rest)]
    return parts + [f"\n[{name}.{key}]\n" + dumps(value) for key, value in long.items()]


def _is_long(trait: Trait) -> bool:
    return trait.columns is not None and len(trait.columns) > LONG


def _feature(trait: Trait) -> dict[str, Any]:
    columns: Any = None
    if trait.columns is not None:
        plain = all(part == column for part, column in trait.columns.items())
        columns = list(trait.columns) if plain else dict(trait.columns)
    return {
        "column": trait.column if trait.formula is None else None,
        "formula": trait.formula,
        "kind": trait.kind,
        "unit": trait.unit or None,
        "meaning": trait.meaning or None,
        "tolerance": trait.tolerance,
        "normalise": True if trait.normalise else None,
        "columns": columns,
    }
