"""Limits by SymPy, within a time limit, in a child process that can be stopped."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import sympy

from discover.child import Child
from discover.errors import DiscoverError
from discover.formula import FormulaError, parse, to_text
from discover.sanity.subject import Subject

TIME_LIMIT = 2.0  # seconds for one limit
TOTAL = 6.0  # seconds for all limits of a card
SHOWN = 60  # characters of a limit that is shown as a formula


@dataclass(frozen=True)
class ExactLimit:
    """What a law tends to when sizes grow without end.

    Attributes
    ----------
    expression
        The limit, over the features that do not grow and the constants: a number, or infinite, where SymPy says so.
    text
        The limit as a formula; empty where it is a number, infinite, or too long to be read.
    """

    expression: sympy.Expr
    text: str = ""

    def at(self, subject: Subject, grid: Mapping[str, np.ndarray]) -> np.ndarray:
        """The limit at the points of a grid, in its shape."""
        if self.expression.is_infinite:
            value = math.inf if self.expression is sympy.oo else -math.inf
            return np.full(next(iter(grid.values())).shape, value)
        return subject.evaluate(self.expression, grid)


class ExactLimits:
    """Asks SymPy for limits, while there is time; the child process starts with the first question.

    Parameters
    ----------
    time_limit, total
        Seconds for one limit, and for all.
    """

    def __init__(self, time_limit: float = TIME_LIMIT, total: float = TOTAL) -> None:
        self._child = Child("discover.limiting", "limits cannot be computed", time_limit)
        self._left = total
        self._known: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> ExactLimits:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.__exit__(kind, error, trace)

    def __call__(self, subject: Subject, along: Sequence[str]) -> ExactLimit | None:
        """The limit as the features `along` grow together, in their proportions; `None` when SymPy has none in time.

        Asked first with open constants, of which only the signs are given: then the limit is a formula, and groups
        with constants of the same signs share the answer. Where that is undecided, asked with their values.
        """
        if subject.law.expanded.has(sympy.Min, sympy.Max):
            return None  # SymPy takes seconds over those, and has no limit in the end
        values = {name: subject.law.value_of(name, subject.values) for name in subject.law.parameters}
        signs = {name: float(np.sign(value)) for name, value in values.items()}
        for constants in (signs, values):
            answer = self._ask(
                {
                    "formula": to_text(subject.law.expanded),
                    "features": list(subject.law.columns),
                    "constants": constants,
                    "along": list(along),
                    "open": constants is signs,
                }
            )
            if "infinite" in answer:
                return ExactLimit(sympy.oo * answer["infinite"])
            if "limit" in answer:
                try:
                    limit = parse(answer["limit"], features=subject.law.columns, constants=values)
                except FormulaError:  # what the language cannot say
                    continue
                # With values put in, it is no formula to be read.
                readable = constants is signs and limit.free_symbols and len(answer["limit"]) <= SHOWN
                return ExactLimit(limit, answer["limit"] if readable else "")
        return None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        key = json.dumps(request)
        if key not in self._known:
            if self._left <= 0:
                return {}
            start = time.monotonic()
            try:
                self._known[key] = self._child.ask(request) or {}
            except DiscoverError:  # it does not start: there are the numbers
                self._left = 0.0
                return {}
            self._left -= time.monotonic() - start
        return self._known[key]
