"""A TOML writer for cards: strings, numbers, booleans, lists and tables (the standard library reads TOML only).

Nested data are laid out as a person would write a card: a mapping at the top is a ``[table]``, a list of mappings
is ``[[a list of tables]]``, and a mapping further in is an inline table on one line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from discover.errors import InputError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def dumps(data: Mapping[str, Any]) -> str:
    """TOML text of `data`; `tomllib.loads` of it gives equal data.

    Parameters
    ----------
    data
        Strings, booleans, integers, floats (infinite and NaN too), lists and mappings with text keys. A key whose
        value is `None` is left out, for TOML has no null.

    Raises
    ------
    InputError
        When a value is of another type, or a text has a surrogate that UTF-8 cannot hold; the message names the key.

    Examples
    --------
    >>> print(dumps({"title": "A law", "constants": {"A": {"range": [1.0, 1e10], "log": True}}}), end="")
    title = "A law"
    <BLANKLINE>
    [constants]
    A = { range = [1.0, 10000000000.0], log = true }
    """
    return "\n".join(_table(data, ())).lstrip("\n") + "\n"


def _table(data: Mapping[str, Any], path: tuple[str, ...], *, inline_tables: bool = False) -> Iterator[str]:
    """Lines of one table: its own keys first, then the tables in it, as TOML demands."""
    present = {key: value for key, value in data.items() if value is not None}
    tables = {key: value for key, value in present.items() if isinstance(value, Mapping) and not inline_tables}
    lists = {key: value for key, value in present.items() if _is_list_of_tables(value)}
    for key, value in present.items():
        if key not in tables and key not in lists:
            yield f"{_key(key)} = {_value(value, (*path, key), multiline=True)}"
    for key, table in tables.items():
        yield from ("", f"[{_dotted((*path, key))}]")
        yield from _table(table, (*path, key), inline_tables=True)
    for key, items in lists.items():
        for item in items:
            yield from ("", f"[[{_dotted((*path, key))}]]")
            yield from _table(item, (*path, key), inline_tables=True)


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _dotted(path: Sequence[str]) -> str:
    return ".".join(_key(key) for key in path)


def _key(key: str) -> str:
    return key if _BARE_KEY.match(key) else _string(key, (key,))


def _value(value: Any, path: tuple[str, ...], *, multiline: bool = False) -> str:
    if isinstance(value, str):
        return _lines(value, path) if multiline and "\n" in value else _string(value, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # `float` first: the repr of a NumPy number names its type.
        return repr(float(value)) if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    if isinstance(value, Mapping):
        pairs = [f"{_key(k)} = {_value(v, (*path, k))}" for k, v in value.items() if v is not None]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item, path) for item in value) + "]"
    kind = type(value).__name__
    raise InputError(f"{'.'.join(path)}: a {kind} cannot be written as TOML: legal are text, numbers, lists and tables")


def _string(text: str, path: tuple[str, ...]) -> str:
    return f'"{_escaped(text, path)}"'


def _lines(text: str, path: tuple[str, ...]) -> str:
    """A string over several lines; the line break after the opening quotes is not part of it."""
    return '"""\n' + "\n".join(_escaped(line, path) for line in text.split("\n")) + '"""'


def _escaped(text: str, path: tuple[str, ...]) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        place = error.start
        raise InputError(
            f"{'.'.join(path)}: the character {text[place]!r} at {place} is half of a pair and has no UTF-8"
        ) from None
    return "".join(_ESCAPES.get(character) or _control(character) for character in text)


def _control(character: str) -> str:
    """TOML allows no control character in a string, and none but these few has a short escape."""
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 or ord(character) == 0x7F else character
