"""One line of the sanity card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class SanityCheck:
    """One line of the sanity card.

    Attributes
    ----------
    name
        What was asked, as ``falls in N``.
    verdict
        The answer; ``unknown`` where it cannot be told, or is for the reader to judge.
    witness
        The point that shows it, or what was found there.
    value
        The number that was found, where the line is about one: a limit, or an optimum.
    """

    name: str
    verdict: Verdict
    witness: str = ""
    value: float | None = None


def passes(checks: Sequence[SanityCheck]) -> bool:
    """Whether no check failed."""
    return all(check.verdict != "fail" for check in checks)
