"""Where a search begins: known laws, and what a search that was killed had found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from discover.engines.base import SearchProblem
from discover.engines.hall_of_fame import EquationError
from discover.engines.pysr.earlier import Earlier
from discover.engines.pysr.expressions import UnsayableError
from discover.engines.pysr.forms import Form, Guess
from discover.formula import FormulaError


@dataclass(frozen=True)
class Beginning:
    """Where a search begins.

    Attributes
    ----------
    guesses
        As PySR takes them, each once.
    notes
        For a person to read: a line for each guess, given or left out, with the reason.
    """

    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]


def beginning(problem: SearchProblem, form: Form, largest: int, earlier: Earlier) -> Beginning:
    """The guesses of a search, with at most `largest` nodes each: what was found before, then the problem's."""
    notes = []
    if earlier.names:
        found = f"{len(earlier.rows)} equations, {earlier.seconds:g} s of searching"
        notes.append(f"going on from {', '.join(earlier.names)}: {found}")
    guesses: dict[str, Guess] = {}

    def add(name: str, make: Callable[[], Guess]) -> None:
        try:
            guess = make()
        except FormulaError as error:
            notes.append(f"left out: {name}: {error.reason}")
        except (UnsayableError, EquationError) as error:
            notes.append(f"left out: {name}: {error}")
        else:
            text = guess if isinstance(guess, str) else json.dumps(guess)
            notes.append(f"given: {name}: {text}" if text not in guesses else f"left out: {name}: given already")
            guesses.setdefault(text, guess)

    for row in earlier.rows:
        if row.complexity <= largest:
            add(row.equation, lambda row=row: form.again(row.equation))  # type: ignore[misc]
    for formula in problem.guesses:
        add(formula, lambda formula=formula: form.guess(formula, largest))  # type: ignore[misc]
    return Beginning(tuple(guesses.values()), tuple(notes))
