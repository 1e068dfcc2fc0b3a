"""The columns of a table as they are looked at: the words of their names, their numbers, what is odd in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

MOSTLY = 0.8  # share of a column's values that are numbers, for the others to be taken for marks such as 'diverged'
MANY_WORDS = 10  # a column of numbers with more different words among them is a column of words
_SIZE = re.compile(r"\s*\d+(?:[.,]\d+)*\s*[kKmMbBgGtT](?:illions?|n|p)?\s*\Z")
_THOUSANDS = re.compile(r"\s*\d{1,3}(?:[,_ ]\d{3})+\s*\Z")
_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d|\s*\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\Z")


def vocabulary(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, in small letters.

    >>> words_of("eval/valLoss (bits per byte)")
    ('eval', 'val', 'loss', 'bits', 'per', 'byte')
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(word.lower() for word in re.findall(r"[^\W_]+", apart))


@dataclass(frozen=True)
class Column:
    """A column: its name, the words of the name, and its values.

    ``numbers`` is `None` for words; else it has NaN where a value is missing or is one of the few words in ``odd``.
    """

    name: str
    words: tuple[str, ...]
    values: pd.Series
    numbers: np.ndarray | None
    odd: tuple[str, ...] = ()
    nested: bool = False

    @cached_property
    def missing(self) -> np.ndarray:
        """Where it has no value."""
        return self.values.isna().to_numpy(dtype=bool)

    @cached_property
    def finite(self) -> np.ndarray:
        """Its finite numbers, in order of the rows; empty for words."""
        return np.zeros(0) if self.numbers is None else self.numbers[np.isfinite(self.numbers)]

    @cached_property
    def distinct(self) -> int:
        """How many different values it has, missing ones aside."""
        if self.nested:
            return len(self.values)
        return len(np.unique(self.finite)) + len(self.odd) if self.numbers is not None else int(self.values.nunique())

    @property
    def is_text(self) -> bool:
        """Whether its cells are text, which row rules compare with words only."""
        return not pd.api.types.is_numeric_dtype(self.values.dtype) or pd.api.types.is_bool_dtype(self.values.dtype)

    @cached_property
    def texts(self) -> list[str]:
        """Its different values as text, for a column of words."""
        return [str(value) for value in self.values.dropna().unique()] if not self.nested else []

    @property
    def is_size_in_words(self) -> bool:
        """Whether it says sizes as in ``1.3B`` or ``1,300,000``, which are no numbers to the reader."""
        written = [text for text in self.texts if _SIZE.match(text) or _THOUSANDS.match(text)]
        return self.numbers is None and bool(self.texts) and len(written) >= MOSTLY * len(self.texts)

    @property
    def size_in_words(self) -> str:
        """What to tell the reader of a column of sizes in words."""
        return (
            f"{self.name!r} says sizes in words ({self.texts[0]!r}), which are no numbers to the reader: write 1.3e9 "
            "for 1.3B in the table and it can be a feature"
        )

    @property
    def is_date(self) -> bool:
        """Whether it says dates or times."""
        if pd.api.types.is_datetime64_any_dtype(self.values.dtype) or self.values.dtype.kind == "m":
            return True
        return self.numbers is None and bool(self.texts) and all(_DATE.match(text) for text in self.texts[:20])

    @property
    def is_path(self) -> bool:
        """Whether it says addresses of files or pages."""
        starts = ("/", "./", "~/", "http://", "https://", "s3://", "gs://", "hdfs://")
        return self.numbers is None and bool(self.texts) and all(text.startswith(starts) for text in self.texts[:20])

    @property
    def is_record(self) -> bool:
        """Whether it holds settings as text: ``{'lr': 0.1}``."""
        return (
            self.numbers is None and bool(self.texts) and all(text.startswith(("{", "[")) for text in self.texts[:20])
        )

    @property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows."""
        numbers = self.numbers
        if numbers is None or len(numbers) < 2 or not np.isfinite(numbers).all():
            return False
        return bool(numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())


def look(name: str, values: pd.Series) -> Column:
    """A column, looked at."""
    words = words_of(name)
    dtype = values.dtype
    if dtype.kind == "c" or values.map(lambda value: isinstance(value, list | dict | tuple | set | np.ndarray)).any():
        return Column(name, words, values, None, nested=True)
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype) or dtype.kind == "m":
        return Column(name, words, values, None)
    if pd.api.types.is_numeric_dtype(dtype):
        return Column(name, words, values, pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan))
    given = values.notna().to_numpy(dtype=bool)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if values[given].map(lambda value: isinstance(value, bool | np.bool_)).any():
        return Column(name, words, values, None)
    other = given & np.isnan(numbers)
    odd = tuple(dict.fromkeys(str(value) for value in values[other]))
    if not given.any() or other.sum() > (1 - MOSTLY) * given.sum() or len(odd) > MANY_WORDS:
        return Column(name, words, values, None)
    return Column(name, words, values, numbers, odd)


def differing(names: Sequence[str]) -> dict[str, str]:
    """What each of several names has that the others do not: words at the start and end that all share are cut off.

    >>> differing(["loss_c4", "loss_the_pile"])
    {'loss_c4': 'c4', 'loss_the_pile': 'the_pile'}
    """
    parts = {name: re.findall(r"[^\W_]+", name) for name in names}
    shared, shortest = [0, 0], min(len(words) for words in parts.values())
    for side in (0, 1):
        while shared[0] + shared[1] < shortest:
            place = shared[0] if side == 0 else -1 - shared[1]
            if len({words[place].lower() for words in parts.values()}) > 1:
                break
            shared[side] += 1
    return {name: "_".join(words[shared[0] : len(words) - shared[1]]) or name for name, words in parts.items()}


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names of columns for a message: the first few, and how many more."""
    shown = [repr(name) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more
