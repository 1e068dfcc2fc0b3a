"""The confidence level of an interval, checked."""

from __future__ import annotations

from discover.errors import InputError


def check_level(level: float) -> None:
    """Whether a confidence level lies between 0 and 1; an `InputError` if not."""
    if not 0 < level < 1:
        raise InputError(f"the level of an interval lies between 0 and 1, as 0.95 does: not {level}")
