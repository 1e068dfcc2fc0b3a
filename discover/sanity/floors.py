"""What a law tends to when each size, and all of them together, grow without end: its floor.

SymPy's limit where it has one that the numbers bear out, else the numbers at 1e100 times the data and beyond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discover.sanity.check import SanityCheck
from discover.sanity.exact import ExactLimit, ExactLimits
from discover.sanity.far import FAR
from discover.sanity.grid import BEYOND, LEVELS, Grid, at, first, mesh, shown
from discover.sanity.shape import TOLERANCE
from discover.sanity.subject import Subject

SETTLED = 1e-3  # relative change from 1e100 to 1e200 times the data below which the numbers are at their limit
APPROACH = 0.9  # of the distance to a limit that may be left when the sizes grow by another 1e100


def floors(subject: Subject, limits: ExactLimits, *, positive: bool) -> list[SanityCheck]:
    """A line for each size that grows alone, the others over the data, and one for all sizes together.

    Together, they grow in the proportions of the largest model. Where the target need not be positive, a law that
    falls without end may be right, and is for the reader to judge.
    """
    sizes = subject.sizes
    together = [sizes] if len(sizes) > 1 else []
    return [_floor(subject, limits, along, positive=positive) for along in [*([name] for name in sizes), *together]]


def _floor(subject: Subject, limits: ExactLimits, along: Sequence[str], *, positive: bool) -> SanityCheck:
    label = f"limit in {along[0] if len(along) == 1 else 'all sizes'}"
    others = mesh({}, subject.without(*along), subject.kinds, LEVELS, 1.0)
    like = next(iter(others.values()), np.zeros(1))
    edge = {**others, **{name: np.full(like.shape, BEYOND * subject.columns[name].max()) for name in along}}
    near, far, farther = (subject.predict(_grown(edge, along, factor)) for factor in (1.0, FAR, FAR**2))
    if not np.isfinite(near).all():
        return SanityCheck(label, "unknown", f"the law is not finite at {shown(at(edge, first(~np.isfinite(near))))}")
    exact = limits(subject, along)
    limit = None if exact is None else exact.at(subject, edge)
    if limit is None or not _borne_out(limit, far, farther):
        exact, limit = None, far
    place = tuple(size - 1 for size in limit.shape)  # where the others are largest
    if np.isnan(limit).any():
        where = shown(at(_grown(edge, along, FAR), first(np.isnan(limit))))
        return SanityCheck(label, "unknown", f"the law cannot be computed at {where}")
    endless = np.isneginf(limit)
    rising = limit > near + TOLERANCE * np.abs(near)
    wrong = [(rising, "rises"), (limit < 0, "negative")] if positive else [(rising, "rises")]
    for bad, what in wrong:
        if bad.any():
            place = first(bad)
            said = _said(exact, limit, far, farther, others, place)
            return SanityCheck(
                label, "fail", said if np.isinf(limit[place]) else f"{what}: {said}", float(limit[place])
            )
    said = _said(exact, limit, far, farther, others, place)
    return SanityCheck(label, "unknown" if endless.any() else "pass", said, float(limit[place]))


def _grown(edge: Mapping[str, np.ndarray], along: Sequence[str], factor: float) -> Grid:
    return {name: column * factor if name in along else column for name, column in edge.items()}


def _borne_out(limit: np.ndarray, far: np.ndarray, farther: np.ndarray) -> bool:
    """Whether the numbers come closer to a limit, wherever they can be computed: SymPy's are not always right."""
    if np.isnan(limit).any():
        return False
    known = np.isfinite(far) & np.isfinite(farther)
    ends = np.isinf(limit) & known
    with np.errstate(invalid="ignore"):
        runs_off = np.sign(limit) * (farther - far) > 0
        left, before = np.abs(farther - limit), np.abs(far - limit)
    arrives = (left <= TOLERANCE * np.abs(limit)) | (left <= APPROACH * before)
    return bool(np.where(ends, runs_off, arrives)[known].all())


def _said(
    exact: ExactLimit | None,
    limit: np.ndarray,
    far: np.ndarray,
    farther: np.ndarray,
    others: Mapping[str, np.ndarray],
    place: tuple[int, ...],
) -> str:
    """What the law tends to at one point of the other features."""
    point = at(others, place)
    where = f" at {shown(point)}" if point else ""
    value = float(limit[place])
    if np.isinf(value):
        return f"{'rises' if value > 0 else 'falls'} without end{where}"
    if exact is not None:
        # Of the features that do not grow, those that the limit does not depend on say nothing.
        left = {name: size for name, size in point.items() if name in {str(s) for s in exact.expression.free_symbols}}
        where = f" at {shown(left)}" if left and exact.text not in left else ""
        return f"tends to {exact.text} = {value:.4g}{where}" if exact.text else f"tends to {value:.4g}{where}"
    if abs(farther[place] - value) <= SETTLED * abs(value):
        return f"tends to about {value:.4g}{where}"
    return f"is {value:.4g} where the sizes are {FAR:g} times larger, and still changes{where}"
