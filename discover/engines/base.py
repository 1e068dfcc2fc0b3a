"""What every search engine takes and gives."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from discover.errors import InputError
from discover.objective import Objective
from discover.rolling import Split

_BUDGET = re.compile(r"\s*(?P<number>\d+(?:\.\d*)?(?:e\d+)?)\s*(?P<unit>[a-z]*)\s*\Z", re.IGNORECASE)
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0}
_EVALUATIONS = {"e", "evals", "evaluations"}


@dataclass(frozen=True)
class Budget:
    """How long an engine may search: seconds, or evaluations of expressions (the same work on every machine)."""

    seconds: float | None = None
    evaluations: int | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.evaluations is None):
            raise InputError("a budget is either seconds or evaluations")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``30s``, ``5min``, ``1h`` or ``2e6 evals``.

        >>> Budget.parse("5min").seconds
        300.0
        """
        match = _BUDGET.match(str(text))
        unit = match["unit"].lower() if match else ""
        known = match is not None and (unit in _SECONDS or unit in _EVALUATIONS)
        if match is None or not known or not 0 < float(match["number"]) < math.inf:
            raise InputError(f"budget {text!r} is not one: write for example 30s, 5min, 1h or 1000000evals")
        number = float(match["number"])
        return cls(seconds=number * _SECONDS[unit]) if unit in _SECONDS else cls(evaluations=max(1, int(number)))

    def divided(self, parts: int) -> Budget:
        """The share of one of several searches."""
        if self.seconds is not None:
            return Budget(seconds=self.seconds / parts)
        return Budget(evaluations=max(1, int(self.evaluations or 0) // parts))

    def __str__(self) -> str:
        return f"{self.seconds:g}s" if self.seconds is not None else f"{self.evaluations}evals"


@dataclass(frozen=True)
class SearchProblem:
    """What an engine searches on.

    Attributes
    ----------
    features
        Columns by symbol, in the units of the dataset; engines divide them by `scales`, and never standardise them.
    target
        The column to predict.
    objective
        What a fit minimises; an engine uses the nearest that it has.
    operators
        Operators and functions that formulas may use, in the language of formulas.
    max_complexity
        Largest number of nodes of a formula.
    folder
        Where an engine may keep its own files; `None` for none.
    plain
        Features that are shares: zero is legal, and an engine sees them as they are, without a unit or a logarithm.
    falling
        Features in which the target must fall: sizes and tokens of a loss.
    bent
        Those of them in which the measured losses are flat first and fall then, as those of fine-tuning.
    groups
        Name of each row's group, shape (rows,), for an engine that is `grouped`: one form, constants of each group.
        `None` where rows are in no groups.
    splits
        Inner hold-outs: rows that a law shall predict from others. An engine may rank by them.
    max_constants
        Largest number of constants of a law.
    mixtures
        Features that are the shares of one mixture, and sum to one; each mixture's.
    guesses
        Known laws fitted to the rows, as formulas with numbers over features in the units of the dataset: where a
        search may begin.
    options
        What a card says to this engine alone, as `Engine.check_options` takes it.
    """

    features: Mapping[str, np.ndarray]
    target: np.ndarray
    objective: Objective
    budget: Budget
    seed: int = 0
    operators: tuple[str, ...] = ("+", "-", "*", "/", "**", "log", "exp")
    max_complexity: int = 25
    threads: int = 1
    folder: Path | None = None
    scales: Mapping[str, float] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()
    falling: frozenset[str] = frozenset()
    bent: frozenset[str] = frozenset()
    groups: np.ndarray | None = None
    splits: tuple[Split, ...] = ()
    max_constants: int = 9
    mixtures: tuple[tuple[str, ...], ...] = ()
    guesses: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scales = {name: 1.0 if name in self.plain else power_of_ten(column) for name, column in self.features.items()}
        object.__setattr__(self, "scales", {**scales, **self.scales})


@dataclass(frozen=True)
class Candidate:
    """A raw expression from an engine.

    Attributes
    ----------
    formula
        Text in the language of formulas, with numbers for constants, over features in the units of the dataset.
    complexity, loss
        As the engine counts them; the loss is in the engine's own unit.
    """

    formula: str
    complexity: int
    loss: float
    engine: str
    seed: int


class Engine(ABC):
    """A search engine.

    Attributes
    ----------
    name
        As it is asked for.
    grouped
        Whether it searches one form for all groups of a problem; one that does not is given a group at a time.
    extrapolates
        Whether it ranks by the inner hold-outs of a problem; one that does not is given no row of the largest sizes.
    guided
        Whether it can begin at known laws.
    """

    name: str
    grouped: bool = False
    extrapolates: bool = False
    guided: bool = False

    @abstractmethod
    def missing(self) -> str | None:
        """Why the engine cannot run here and what to do, in one sentence; `None` when it can."""

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check what a card says to this engine alone; an engine without options refuses all.

        Raises
        ------
        InputError
            When a key is not known, or its value is not legal.
        """
        if options:
            raise InputError(f"the engine {self.name} has no options; it was given {', '.join(options)}")

    @abstractmethod
    def search(self, problem: SearchProblem) -> Iterator[Candidate]:
        """Yield candidates as they are found, until the budget is spent.

        Raises
        ------
        EngineError
            When the engine cannot run, or fails.
        """

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of what the engine runs on, for the manifest of a run."""


def power_of_ten(column: np.ndarray) -> float:
    """The power of ten nearest to the geometric mean of a positive column: the unit in which an engine sees it."""
    positive = np.asarray(column, dtype=float)
    positive = positive[positive > 0]
    return float(10.0 ** np.round(np.mean(np.log10(positive)))) if len(positive) else 1.0
