"""Poles and domain errors, from the data to 100 times beyond: where a law divides by zero or has no real value.

A pole between two points of a grid leaves no trace in the law's values there; the denominator's sign does. So the parts
of the formula are looked at, not the law: first on a dense grid, which finds a point that shows it, then by interval
arithmetic, which proves that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from discover.dataset_card import ZERO_IS_LEGAL
from discover.sanity.check import SanityCheck
from discover.sanity.crossing import crossing
from discover.sanity.grid import BEYOND, LEVELS, Grid, at, first, mesh, shown, spread
from discover.sanity.hazards import Hazard, hazards
from discover.sanity.intervals import Box, unproven
from discover.sanity.subject import Subject

LABEL = "no pole, no domain error"
DENSE = 161  # points along the feature that varies


def poles(subject: Subject) -> SanityCheck:
    """Whether the law has neither a pole nor a point without a real value."""
    doubts = []
    for hazard in hazards(subject):
        columns = _columns_of(subject, hazard)
        seen = _seen(subject, hazard, columns)
        if seen:
            return SanityCheck(LABEL, "fail", f"{hazard}, which {seen}")
        doubt = _doubt(subject, hazard, columns)
        if doubt:
            doubts.append(f"{hazard}, which may {doubt}")
    return SanityCheck(LABEL, "unknown", doubts[0]) if doubts else SanityCheck(LABEL, "pass")


def _columns_of(subject: Subject, hazard: Hazard) -> dict[str, np.ndarray]:
    used = {free.name for free in hazard.part.free_symbols}
    return {name: column for name, column in subject.columns.items() if name in used}


def _seen(subject: Subject, hazard: Hazard, columns: Mapping[str, np.ndarray]) -> str:
    """What the grid shows of a hazard, with the point; empty where it keeps its rule."""
    evaluate = partial(_evaluate, subject, hazard)
    varied = [name for name in columns if name in subject.varied]
    for name in varied or [""]:
        axis = {name: spread(columns[name], DENSE, BEYOND)} if name else {}
        others = {other: column for other, column in columns.items() if other != name}
        grid = mesh(axis, others, subject.kinds, LEVELS, BEYOND)
        if not grid:  # constants only
            grid = {"": np.ones(1)}
        values = evaluate(grid)
        broken = hazard.broken(values)
        signs = np.nan_to_num(np.sign(values))
        turn = crossing(evaluate, grid, signs, name) if name else None
        if turn is not None:
            return f"changes its sign at {shown(turn)}"
        if broken.any():
            place = first(broken & (values == 0) if (broken & (values == 0)).any() else broken)  # where it begins
            where = shown({key: value for key, value in at(grid, place).items() if key})
            return f"is {values[place]:.3g}" + (f" at {where}" if where else "")
    return ""


def _evaluate(subject: Subject, hazard: Hazard, grid: Mapping[str, np.ndarray]) -> np.ndarray:
    like = next(iter(grid.values()))
    missing = {name: np.ones_like(like) for name in subject.columns if name not in grid}
    return subject.evaluate(hazard.part, {**grid, **missing} if subject.columns else {"": like})


def _doubt(subject: Subject, hazard: Hazard, columns: Mapping[str, np.ndarray]) -> str:
    """Where it is not proven that a hazard keeps its rule; empty where it is."""
    constants = {name: subject.law.value_of(name, subject.values) for name in subject.law.parameters}
    either, zero = hazard.rule == "not zero", hazard.rule == "not negative"
    for box in _boxes(subject, columns):
        point = unproven(hazard.part, box, constants, either_sign=either, zero=zero)
        if point is not None:
            return f"be {'negative' if zero else 'zero'} near {shown(point)}"
    return ""


def _boxes(subject: Subject, columns: Mapping[str, np.ndarray]) -> list[Box]:
    """From the data to 100 times beyond; a box for each setting of the shares that the grids have."""
    ranges = {
        name: (float(column.min()), float(column.max()) * BEYOND)
        for name, column in columns.items()
        if name in subject.varied
    }
    shares = {name: column for name, column in columns.items() if subject.kinds.get(name) in ZERO_IS_LEGAL}
    if not shares:
        return [ranges]
    settings: Grid = mesh({}, shares, subject.kinds, LEVELS, 1.0)
    points = [at(settings, index) for index in np.ndindex(next(iter(settings.values())).shape)]
    return [{**{name: (value, value) for name, value in point.items()}, **ranges} for point in points]
