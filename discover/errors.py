"""The errors that `discover` raises for a person to read.

Every one is a `DiscoverError`, so a caller can catch one class. The message is one sentence that says what is
wrong, where, and what to do; the command line prints it alone, without a traceback. Those about what a caller handed
over are a `ValueError` too, which is what Python, and scikit-learn's contract, call a value that is not legal.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 25  # names that a message lists


class DiscoverError(Exception):
    """Something failed that the user can read about and mend; exit status 1."""

    exit_status = 1


class InputError(DiscoverError, ValueError):
    """The user's input is wrong: an option, a name, a card, a table; exit status 2."""

    exit_status = 2


class CardError(InputError):
    """A card cannot be read: the message names file, key, value and what is legal."""


class DataError(InputError):
    """A table does not hold what its card says: the message names file, row and column."""


class UnreachableError(DiscoverError):
    """A file is neither at hand nor can it be downloaded: nothing is wrong with what was asked for."""


class EngineError(DiscoverError):
    """A search engine is missing or failed: the message says how to get it or what it said."""


class FitError(DiscoverError, ValueError):
    """A law cannot be fitted to the rows it was given."""


class Interrupted(DiscoverError):  # noqa: N818 - it is no error of anybody's
    """The user stopped a run; the message says how to go on."""


def one_of(value: str, legal: Iterable[str]) -> str:
    """Say what would have been legal instead of `value`: the nearest name first, else all of them (or the first).

    >>> one_of("hofmann", ["hoffmann", "kaplan_nd"])
    "did you mean 'hoffmann'?"
    >>> one_of("x", ["a", "b"])
    'legal are: a, b'
    """
    names = sorted(legal)
    near = difflib.get_close_matches(value, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    if len(names) > LISTED:
        return f"legal are: {', '.join(names[:LISTED])} and {len(names) - LISTED} more"
    return "legal are: " + ", ".join(names) if names else "there are none"
