"""The search: a beam of shapes grows from the best parents, ranked by how well they predict larger sizes.

A shape's score is the logarithm of its error on the trials, plus a price for each constant; the beam keeps the best of
each number of constants, so that a simple law is not crowded out by its own variations.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from discover.engines.base import SearchProblem
from discover.engines.grammar.moves import Vocabulary, children, seeds
from discover.engines.grammar.ranking import Ranked, fitted, ranked
from discover.engines.grammar.shape import Point, Shape, Start
from discover.engines.grammar.table import Table, table_of
from discover.engines.grammar.variables import needless

PRICE = 0.03  # of a constant: part of the error that it must save
INSANE = 1.0  # added to the score of a shape that misbehaves: it may still have better children
PARENTS = 10  # of a round
PER_SIZE = 3  # parents of one number of constants in a round
PROMISING = 1.3  # error of fitting, relative to the best of its number of constants, up to which a shape is asked
CLOSE = 1.05  # the same, up to which a shape is simplified
BATCH = 64
ROUNDS = 40
SAME = 0.02  # difference of the logarithms of all errors below which two shapes do the same
TINY = 1e-12  # smallest error
PATIENCE = 4  # rounds without a better shape after which the search ends


@dataclass
class Beam:
    """A search under way."""

    problem: SearchProblem
    table: Table
    words: Vocabulary
    end: float | None = None
    left: int | None = None
    known: dict[Shape, Ranked | None] = field(default_factory=dict)
    expanded: set[Shape] = field(default_factory=set)
    simplified: set[Shape] = field(default_factory=set)
    best_loss: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: SearchProblem) -> Beam:
        """A search that has not begun."""
        end = None if problem.budget.seconds is None else time.monotonic() + problem.budget.seconds
        return cls(problem, table_of(problem), Vocabulary.of(problem), end, problem.budget.evaluations)

    def run(self) -> None:
        """Search until nothing better comes, or the budget is spent."""
        self.add([[start] for start in seeds(self.words)])
        best, idle = np.inf, 0
        for _ in range(ROUNDS):
            parents = self.parents()
            if not parents or self.over:
                return
            for parent in parents:
                self.expanded.add(parent.shape)
            self.add(self.unknown(parents))
            self.add(self.unknown(self.unsimplified(), simpler=True))
            now = min((score(one) for one in self.found()), default=np.inf)
            idle = 0 if now < best - 1e-3 else idle + 1
            best = min(best, now)
            if idle >= PATIENCE:
                return

    @property
    def over(self) -> bool:
        """Whether the budget is spent."""
        return (self.end is not None and time.monotonic() >= self.end) or (self.left is not None and self.left <= 0)

    def found(self) -> list[Ranked]:
        """All shapes that were asked."""
        return [one for one in self.known.values() if one is not None and np.isfinite(one.errors).all()]

    def parents(self) -> list[Ranked]:
        """The best shapes that have not been expanded, a few of each number of constants."""
        chosen: list[Ranked] = []
        counts: dict[int, int] = {}
        for one in sorted(self.found(), key=lambda one: round(score(one), 6)):
            size = one.shape.n_constants
            if one.shape not in self.expanded and counts.get(size, 0) < PER_SIZE:
                counts[size] = counts.get(size, 0) + 1
                chosen.append(one)
        return chosen[:PARENTS]

    def unsimplified(self) -> list[Ranked]:
        """The shapes that fit about as well as any of their number of constants, whose simpler children nobody saw.

        Of the many shapes that meet noisy rows equally well few become parents, and the one with the simplest child
        need not be among them.
        """
        close = [one for one in self.found() if one.loss <= CLOSE * self.best_loss[one.shape.n_constants]]
        new = [one for one in close if one.shape not in self.expanded and one.shape not in self.simplified]
        self.simplified.update(one.shape for one in new)
        return new

    def unknown(self, parents: Sequence[Ranked], *, simpler: bool = False) -> list[list[Start]]:
        """The children of parents that are new, each shape with its starts; perhaps only those with fewer constants."""
        starts: dict[Shape, list[Start]] = {}
        for parent in parents:
            for child in children(parent.start, self.words):
                shape = child.shape
                if simpler and shape.n_constants >= parent.shape.n_constants:
                    continue
                if shape not in self.known and shape.n_constants <= self.problem.max_constants and shape.terms:
                    own = starts.setdefault(shape, [])
                    if len(own) < 3:
                        own.append(child)
        return list(starts.values())

    def needless(self, start: Start) -> bool:
        """Whether a fitted shape has a variable whose constant does nothing."""
        for variable, p in start.point.own.items():
            x = self.table.columns[variable.feature][0]
            y = self.table.columns[variable.other][0] if variable.other else x
            if variable.kind in ("slow", "repeated"):
                x = x * self.table.scales[variable.feature]
                y = y * self.table.scales[variable.other] if variable.other else y
            if needless(variable, p, x, y):
                return True
        return False

    def add(self, starts: Sequence[Sequence[Start]]) -> None:
        """Fit and ask new shapes, in batches of about one size."""
        starts = [each for each in starts if each[0].shape.n_constants <= self.problem.max_constants]
        order = sorted(range(len(starts)), key=lambda k: (_size(starts[k][0].shape), k))
        for first in range(0, len(order), BATCH):
            if self.over:
                return
            batch = [starts[k] for k in order[first : first + BATCH]]
            if self.left is not None:
                self.left -= len(batch)
            self._add(batch)

    def _add(self, batch: Sequence[Sequence[Start]]) -> None:
        promising: list[tuple[Shape, list[Point], float]] = []
        for each, groups in zip(batch, fitted(batch, self.table, self.problem.objective), strict=True):
            shape = each[0].shape
            self.known[shape] = None
            loss = float(np.mean([loss for _, loss in groups]))
            size = shape.n_constants
            self.best_loss[size] = min(self.best_loss.get(size, np.inf), loss)
            idle = any(self.needless(start) for start, _ in groups[:1])
            if np.isfinite(loss) and loss <= PROMISING * self.best_loss[size] and not idle:
                promising.append((shape, [start.point for start, _ in groups], loss))
        if promising:
            shapes, points, losses = zip(*promising, strict=True)
            for one in ranked(
                shapes,
                points,
                losses,
                self.table,
                self.problem.objective,
                sorted(self.problem.falling),
                self.problem.bent,
                self.words.positive,
            ):
                self.known[one.shape] = one


def score(one: Ranked) -> float:
    """What shapes are ranked by; lower is better."""
    with np.errstate(divide="ignore"):
        errors = np.log(np.maximum(one.errors, TINY))
    return float(np.mean(errors)) + PRICE * one.shape.n_constants + (0.0 if one.sane else INSANE)


def _size(shape: Shape) -> tuple[int, int, int]:
    return len(shape.terms), max((len(term.monomials) for term in shape.terms), default=0), len(shape.variables)


def search(problem: SearchProblem) -> Iterator[Ranked]:
    """Search, and yield the best shapes, the best first; of shapes that do the same only the best."""
    beam = Beam.of(problem)
    beam.run()
    kept: dict[tuple[int, ...], Ranked] = {}
    for one in sorted(beam.found(), key=lambda one: round(score(one), 6)):
        with np.errstate(divide="ignore"):
            seen = np.log(np.maximum([one.loss, *one.errors], TINY))
        key = tuple(np.round(seen / SAME).astype(int).tolist())
        if key not in kept:
            kept[key] = one
            yield one


def plain(problem: SearchProblem) -> set[Shape]:
    """The shapes that every search begins with: powers of the features, as products and as sums."""
    return {start.shape for start in seeds(Vocabulary.of(problem))}
