"""What to say of a choice to a reader: the loss of the fits, how stable the choice is, and what is no law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RIVALS = 2  # laws chosen from other resamples that are named
ENSEMBLE = "ensemble"  # the kind of a leaderboard's row that is no law


def choice_lines(entry: Mapping[str, Any]) -> list[str]:
    """What the manifest's entry ``choice`` says, a line for the loss and one for the law.

    Empty for a run that wrote down nothing; one line where no law was chosen.
    """
    return [line for line in (_of_loss(entry), _of_law(entry)) if line]


def no_law(note: str) -> str:
    """What stands in the place of the formula of an average of laws, from the leaderboard's note on it.

    >>> no_law("no law: the median of found_01, found_02, found_03")
    'no law: the median of 3 laws'
    """
    return f"no law: the median of {note.count(',') + 1} laws"


def _of_loss(entry: Mapping[str, Any]) -> str:
    """The loss that laws were fitted with, and the inner error of the best laws with each."""
    name, errors = entry.get("objective"), dict(entry.get("objectives") or {})
    if not name:
        return ""
    if name not in errors:
        return f"All laws are fitted with the loss {name}."
    own = _number(errors.pop(name))
    others = ", ".join(f"with {other} {_number(error)}" for other, error in errors.items())
    return f"All laws are fitted with the loss {name}: inner error of the best few {own}; {others}."


def _of_law(entry: Mapping[str, Any]) -> str:
    """How often the law is chosen again, which else, and how many searches proposed it."""
    name, shares = entry.get("selected"), dict(entry.get("chosen_again") or {})
    if not name:
        return ""
    others = [f"{law} in {_percent(share)}" for law, share in shares.items() if law != name]
    more = [f"{len(others) - RIVALS} others in the rest"] if len(others) > RIVALS else []
    instead = f" ({', '.join([*others[:RIVALS], *more])})" if others else ""
    said = f"From resamples of the inner hold-outs {name} is chosen again in {_percent(shares.get(name, 0.0))}{instead}"
    proposed = list(entry.get("proposed_by") or ())
    if not proposed:  # a null law, which no search proposes
        return f"{said}."
    return f"{said}; {len(proposed)} of {entry.get('searches')} searches proposed it ({', '.join(proposed)})."


def _number(value: float | None) -> str:
    """An error; JSON has no infinity."""
    return "infinite" if value is None else f"{value:.3g}"


def _percent(share: float) -> str:
    return "less than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
