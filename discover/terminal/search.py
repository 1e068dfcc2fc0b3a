"""Which entries of a list hold the words that a reader looks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from discover.errors import InputError

WHOLE = 2  # letters: a word as short as a symbol must be a word of its own


def holds(entry: Mapping[str, Any], keys: Iterable[str], text: str) -> bool:
    """Whether each word of `text` stands in one of the entry's `keys`, whatever the case.

    A word of up to two letters, as a symbol is, must stand alone.

    >>> entry = {"name": "hoffmann", "features": {"N": "total parameters", "D": "training tokens"}}
    >>> holds(entry, ["name", "features"], "TOKEN hoffmann"), holds(entry, ["features"], "uD")
    (True, False)

    Raises
    ------
    InputError
        When the text has no word.
    """
    words = text.casefold().split()
    if not words:
        raise InputError("--search needs a word, as in --search 'learning rate'")
    inside = " ".join(word for key in keys for word in _texts(entry.get(key))).casefold()
    return all(_stands_in(word, inside) for word in words)


def _stands_in(word: str, text: str) -> bool:
    if len(word) > WHOLE:
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
