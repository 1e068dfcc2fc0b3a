"""What one law is to another."""

from __future__ import annotations

from typing import Literal

Relation = Literal["same", "special case", "generalisation", "different", "could not tell"]
Answer = Literal["yes", "no", "unknown"]


def relation(is_special: Answer, has_special: Answer) -> Relation:
    """What a law is to another one, from whether it is a special case of it, and whether that is one of its own.

    Where only one of the two answers is known, and it is yes, that much is said: the laws may be the same.

    >>> relation("yes", "no"), relation("unknown", "no")
    ('special case', 'could not tell')
    """
    if is_special == "yes":
        return "same" if has_special == "yes" else "special case"
    if has_special == "yes":
        return "generalisation"
    return "different" if (is_special, has_special) == ("no", "no") else "could not tell"
