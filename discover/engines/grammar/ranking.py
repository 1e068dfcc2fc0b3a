"""How good a shape is: its errors on rows that its constants have not seen, and whether it behaves beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from discover.engines.grammar.equations import Layout, ShapeEquations
from discover.engines.grammar.shape import Point, Shape, Start
from discover.engines.grammar.table import Table
from discover.fitting.solver import Stage, descend
from discover.objective import Objective

ROUGH = (Stage(1.0, 10, enough=1e-4), Stage(1.0, 8, curvature=True, enough=1e-5))
WARM = (Stage(1.0, 5, enough=1e-4), Stage(1.0, 5, curvature=True, enough=1e-5))
FAR = (4.6, 21.5, 100.0)  # times the data, in equal steps, where a law must behave
RISE = 1e-6
MISBEHAVED = 0.25  # share of the groups in which a law may


@dataclass(frozen=True)
class Ranked:
    """A shape with its fits.

    Attributes
    ----------
    shape
        The shape.
    points
        Its point for each group, fitted to all rows.
    loss
        Mean absolute residual of all rows, averaged over groups.
    errors
        Error of each trial (an inner hold-out), shape (trials,): the mean absolute residual over sizes that are asked
        for, averaged over groups; infinite where a prediction is not finite.
    sane
        Whether it falls where it must, over the data and a hundred times beyond.
    """

    shape: Shape
    points: tuple[Point, ...]
    loss: float
    errors: np.ndarray
    sane: bool

    @property
    def start(self) -> Start:
        """From where a child starts."""
        return Start(self.shape, self.points[0])


def fitted(starts: Sequence[Sequence[Start]], table: Table, objective: Objective) -> list[list[tuple[Start, float]]]:
    """Fit shapes to all rows of every group, from each of their starts: the best of each group, with its loss."""
    shapes = [each[0].shape for each in starts]
    layout = Layout.of(shapes)
    problems = np.array([(s, g, 0) for s in range(len(shapes)) for g in range(table.groups)])
    equations = ShapeEquations(shapes, table, objective, problems, layout)
    which, begin = [], []
    for s, each in enumerate(starts):
        for g in range(table.groups):
            for start in each:
                which.append(s * table.groups + g)
                begin.append(layout.pack(start.shape, start.point))
    where = np.array(which)
    points = np.clip(np.array(begin), equations.lower, equations.upper)
    points = descend(equations, points, where, ROUGH)
    losses = equations.mean_residuals(points, where)
    best: list[list[tuple[Start, float]]] = [[] for _ in shapes]
    for problem, (s, _, _) in enumerate(problems):
        own = np.flatnonzero(where == problem)
        winner = own[int(np.argmin(losses[own]))]
        best[s].append((Start(shapes[s], layout.unpack(shapes[s], points[winner])), float(losses[winner])))
    return best


def ranked(
    shapes: Sequence[Shape],
    points: Sequence[Sequence[Point]],
    losses: Sequence[float],
    table: Table,
    objective: Objective,
    falling: Sequence[str],
    bent: frozenset[str],
    positive: bool,
) -> list[Ranked]:
    """Ask fitted shapes in every trial; each trial's fit starts from that of all rows."""
    layout = Layout.of(shapes)
    problems = np.array(
        [(s, g, t) for s in range(len(shapes)) for g in range(table.groups) for t in range(1, table.trials + 1)]
    )
    equations = ShapeEquations(shapes, table, objective, problems, layout)
    begin = np.array([layout.pack(shapes[s], points[s][g]) for s, g, _ in problems])
    which = np.arange(len(problems))
    begin = np.clip(begin, equations.lower, equations.upper)
    ended = descend(equations, begin, which, WARM)
    errors = equations.asked(ended, which).reshape(len(shapes), table.groups, table.trials)
    shares = (table.asked.sum(axis=2) > 0).T  # groups that a trial asks, shape (groups, trials)
    with np.errstate(invalid="ignore"):
        means = np.where(shares, errors, 0.0).sum(axis=1) / np.maximum(shares.sum(axis=0), 1)
    sane = behave(shapes, points, table, objective, falling, bent, positive)
    return [
        Ranked(shape, tuple(own), loss, mean, bool(good))
        for shape, own, loss, mean, good in zip(shapes, points, losses, means, sane, strict=True)
    ]


def behave(
    shapes: Sequence[Shape],
    points: Sequence[Sequence[Point]],
    table: Table,
    objective: Objective,
    falling: Sequence[str],
    bent: frozenset[str],
    positive: bool,
) -> np.ndarray:
    """Which shapes fall as they must, and with returns that diminish, at the data's rows and far beyond.

    Shape (shapes,). In features that are `bent` the returns may grow first.
    """
    layout = Layout.of(shapes)
    problems = np.array([(s, g, 0) for s in range(len(shapes)) for g in range(table.groups)])
    packed = np.array([layout.pack(shapes[s], points[s][g]) for s, g, _ in problems])
    which, everything = np.arange(len(problems)), slice(0, table.rows)

    def at(**factors: float) -> np.ndarray:
        moved = {name: column * factors.get(name, 1.0) for name, column in table.columns.items()}
        other = Table(moved, table.scales, table.target, table.learnt, table.asked)
        return ShapeEquations(shapes, other, objective, problems, layout).value(packed, which, everything)

    good = np.ones(len(problems), dtype=bool)
    here = at()
    with np.errstate(invalid="ignore"):
        for name in falling:
            steps = [here, *(at(**{name: factor}) for factor in FAR)]
            rises = [(after > before + RISE * np.abs(before)).any(axis=1) for before, after in pairwise(steps)]
            gains = [before - after for before, after in pairwise(steps)]
            # What a step buys must not be more than what the step before bought; measured losses may be flat first.
            slack = RISE * np.abs(here)
            dives = [(later > sooner + slack).any(axis=1) for sooner, later in pairwise(gains)]
            lost = [~np.isfinite(step).all(axis=1) for step in steps]
            bad = [*rises, *lost, *(dives if name not in bent else [])]
            if positive:
                bad += [(step <= 0).any(axis=1) for step in steps]
            good &= ~np.any(bad, axis=0)
    share = 1 - good.reshape(len(shapes), table.groups).mean(axis=1)
    return np.asarray(share <= MISBEHAVED)
