"""The way from random starts to the best optimum: screen, descend roughly, merge, descend to the end.

Most starts of a law that is well behaved meet after a few steps. Those that did are followed as one from there on,
and those that lag behind are dropped, so that the many steps of the robust objective are spent on few points. Each
start is still counted: a point that stands for fifty starts speaks for fifty when it reaches the best objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discover.fitting import starts as starts_of
from discover.fitting.equations import LawEquations
from discover.fitting.solver import FINE, FINER, HOPPING, LAST, descend, roughly, to_the_end

AGREE = 1e-4  # relative difference of objectives below which two starts agree
ENOUGH = 0.2  # share of starts that must agree
FINISHED = 6  # of them that are followed along narrow valleys
FOLLOWED = 0.75  # part of the starts of a problem that are followed to the end
MET = 1e-4  # part of the loss that may lie between two points that have met
NEARLY = 0.02  # part of the loss within which another optimum is nearly as good
HOPS, SCATTERED = 8, 24  # how often at most, and how many points, look around the best optimum then
FLATTEST = 1e-8  # of the eigenvalues of the scaled matrix: points are not scattered further
SAMPLED = 4096  # rows of which a sample is searched first where there are more


@dataclass(frozen=True)
class Found:
    """What the search found for one problem.

    Attributes
    ----------
    points
        The distinct optima, the best first, shape (optima, parameters); none when no start was finite.
    losses
        Their objectives, shape (optima,).
    counts
        Number of starts that ended at each, shape (optima,).
    tried
        Number of starts.
    agreement
        Share of the starts that reached the best objective.
    """

    points: np.ndarray
    losses: np.ndarray
    counts: np.ndarray
    tried: int
    agreement: float


def search(
    equations: LawEquations,
    batches: Sequence[int],
    seed: int,
    given: Sequence[np.ndarray | None],
    *,
    thorough: bool = True,
) -> list[Found]:
    """The optima of every problem.

    Parameters
    ----------
    batches
        Number of random starts at first, and of those added while fewer than a fifth agree.
    given
        For each problem: points to start from besides, shape (any, parameters), or `None`.
    thorough
        Whether the best points are followed to the very end of narrow valleys, and other optima nearby looked for.
    """
    sample = equations
    if equations.rows > SAMPLED:
        rows = np.sort(np.random.default_rng(seed).choice(equations.rows, SAMPLED // 2, replace=False))
        sample = equations.part(rows)
    found = [Found(np.zeros((0, len(equations.lower))), np.zeros(0), np.zeros(0), 0, 0.0) for _ in given]
    linear = linear_places(equations) if batches[0] else []
    left = np.arange(len(given))
    for attempt, count in enumerate(batches):
        if not len(equations.lower):
            count = 0  # noqa: PLW2901 - nothing to draw
        points, which = _begin(sample, linear, left, count, seed + 1000 * attempt, given if attempt == 0 else None)
        for place, new in zip(left, _optima(sample, points, which, left, thorough=thorough), strict=True):
            found[place] = _joined(sample, int(place), found[place], new)
        if thorough:
            _hop(sample, found, left, seed + attempt)
        left = np.array([k for k in left if found[k].agreement < ENOUGH], dtype=int)
        if not count or not len(left):
            break
    if sample is not equations:
        found = [_polished(equations, place, one) for place, one in enumerate(found)]
    return found


def agree(losses: np.ndarray, floor: float) -> np.ndarray:
    """Which objectives agree with the lowest: relative to it, or to `floor`, that of mere rounding."""
    lowest = losses.min()
    return np.asarray(losses <= lowest + max(AGREE * lowest, floor))


def linear_places(equations: LawEquations) -> list[int]:
    """Places of the parameters in which the law is linear; tied ones are not among them."""
    space = equations.space
    alone = [name for k, name in enumerate(space.free) if np.sum(space.index == k) == 1]
    return [space.free.index(name) for name in starts_of.linear_constants(equations.law, alone)]


def _begin(
    equations: LawEquations,
    linear: Sequence[int],
    problems: np.ndarray,
    count: int,
    seed: int,
    given: Sequence[np.ndarray | None] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """The starts of every problem: those given, and the best of many that are drawn."""
    points, which = [], []
    for place in problems:
        own = None if given is None else given[place]
        if own is not None or not len(equations.lower):
            own = np.zeros((1, 0)) if own is None else own
            points.append(np.clip(own, equations.lower, equations.upper))
            which.append(np.full(len(own), place))
    if count and len(equations.lower):
        drawn = starts_of.draw(equations.space.low, equations.space.high, starts_of.DRAWN * count, seed)
        rows = equations.rows
        few = equations
        if rows > starts_of.SCREENED and equations.data.problems == 1:
            few = equations.part(np.unique(np.linspace(0, rows - 1, starts_of.SCREENED).astype(int)))
        all_points = np.tile(drawn, (len(problems), 1))
        all_which = np.repeat(problems, len(drawn))
        all_points = starts_of.solve_linear(few, all_points, all_which, linear)
        size = few.sizes(all_points, all_which).reshape(len(problems), len(drawn))
        best = starts_of.winners(size, count)
        points.append(all_points.reshape(len(problems), len(drawn), -1)[np.arange(len(problems))[:, None], best])
        points[-1] = points[-1].reshape(-1, len(equations.lower))
        which.append(np.repeat(problems, best.shape[1]))
    if not points:
        return np.zeros((0, len(equations.lower))), np.zeros(0, dtype=int)
    return np.concatenate(points), np.concatenate(which)


def _optima(
    equations: LawEquations, points: np.ndarray, which: np.ndarray, problems: np.ndarray, *, thorough: bool = True
) -> list[Found]:
    """Descend from every start; what each problem found."""
    tried = {place: int(np.sum(which == place)) for place in problems}
    finite = np.isfinite(equations.losses(points, which))
    points, which, counts = points[finite], which[finite], np.ones(int(finite.sum()))
    fine = FINER if equations.objective.shape == "mae" else FINE
    if points.shape[1]:
        points = descend(equations, points, which, roughly(points.shape[1]))
        points, which, counts = _merged(equations, points, which, counts, rough=True)
        points = descend(equations, points, which, fine)
        points, which, counts = _merged(equations, points, which, counts, rough=False)
        if thorough:
            points = _finished(equations, points, which)
        points, which, counts = _merged(equations, points, which, counts, rough=False)
    losses = equations.losses(points, which)
    found = []
    for place in problems:
        own = np.flatnonzero(which == place)
        own = own[np.argsort(losses[own], kind="stable")]
        found.append(_found(equations, int(place), points[own], losses[own], counts[own], tried[place]))
    return found


def _hop(equations: LawEquations, found: list[Found], problems: np.ndarray, seed: int) -> None:
    """Look around the best optimum of those problems that have several nearly as good, for a better one.

    A robust loss far below the noise has many local optima in one valley. Points are scattered around the best as far
    as the loss there rises by parts of itself, and descend again, as long as that finds a better one. They are no
    starts: they do not count as agreeing.
    """
    random = np.random.default_rng(seed)
    doubtful = [place for place in problems if _several(found[place])]
    for _ in range(HOPS):
        if not doubtful:
            return
        which = np.repeat(doubtful, SCATTERED)
        best = np.array([found[place].points[0] for place in which])
        points = _scattered(equations, best, which, random)
        points = np.where(np.isfinite(equations.losses(points, which))[:, None], points, best)
        points = descend(equations, points, which, HOPPING)
        points, which, _ = _merged(equations, points, which, np.zeros(len(points)), rough=False)
        points = _finished(equations, points, which)
        losses = equations.losses(points, which)
        improved = []
        for place in doubtful:
            own, one = np.flatnonzero(which == place), found[place]
            better = own[losses[own] < one.losses[0] * (1 - MET)]
            new = Found(points[better], losses[better], np.zeros(len(better)), 0, 0.0)
            found[place] = _joined(equations, int(place), one, new)
            improved += [place] if len(better) else []
        doubtful = improved


def _several(found: Found) -> bool:
    """Whether there are other optima nearly as good as the best."""
    return len(found.losses) > 1 and bool(found.losses[1] <= found.losses[0] * (1 + NEARLY))


def _scattered(
    equations: LawEquations, points: np.ndarray, which: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Points around others, as far as the quadratic model of the loss rises by a random part of the loss."""
    delta = np.maximum(equations.objective.delta, np.nan_to_num(equations.typical(points, which)))
    normal = equations.normal(points, which, delta, curvature=False)
    with np.errstate(all="ignore"):
        matrix = normal.matrix / normal.scale[:, :, None] / normal.scale[:, None, :]
    usable = np.isfinite(matrix).all(axis=(1, 2))
    matrix = np.where(usable[:, None, None], matrix, np.eye(points.shape[1]))
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, FLATTEST * values[:, -1:])
    rise = normal.loss * 10.0 ** random.uniform(-3, 0, len(points))
    direction = random.normal(size=points.shape)
    with np.errstate(divide="ignore", invalid="ignore"):  # where nothing bends, there is no step
        direction *= np.sqrt(2 * rise / (direction**2).sum(axis=1))[:, None]
        step = np.einsum("skl,sl->sk", vectors, direction / np.sqrt(values)) / normal.scale
    return np.asarray(np.clip(points + np.where(np.isfinite(step), step, 0.0), equations.lower, equations.upper))


def _finished(equations: LawEquations, points: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The best few points of each problem, moved along the valley that they are in to its end."""
    if equations.objective.shape == "mae" or not len(points):
        return points
    losses = equations.losses(points, which)
    order = np.lexsort((losses, which))
    begins = np.concatenate([[True], which[order][1:] != which[order][:-1]])
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    best = order[rank < FINISHED]
    moved = points.copy()
    moved[best] = descend(equations, points[best], which[best], LAST)
    return moved


def _found(
    equations: LawEquations, place: int, points: np.ndarray, losses: np.ndarray, counts: np.ndarray, tried: int
) -> Found:
    agreement = 0.0
    if len(losses) and tried:
        agreement = float(counts[agree(losses, equations.floor(np.array([place]))[0])].sum() / tried)
    return Found(points, losses, counts, tried, agreement)


def _joined(equations: LawEquations, place: int, one: Found, other: Found) -> Found:
    points = np.concatenate([one.points, other.points])
    losses = np.concatenate([one.losses, other.losses])
    counts = np.concatenate([one.counts, other.counts])
    order = np.argsort(losses, kind="stable")
    return _found(equations, place, points[order], losses[order], counts[order], one.tried + other.tried)


def _polished(equations: LawEquations, place: int, found: Found) -> Found:
    """The best optima of a sample of the rows, moved to those of all rows."""
    points, counts = found.points[:3], found.counts[:3]
    which = np.full(len(points), place)
    if points.shape[1]:
        points = descend(equations, points, which, to_the_end(equations.objective))
    losses = equations.losses(points, which)
    order = np.argsort(losses, kind="stable")
    return _found(equations, place, points[order], losses[order], counts[order], found.tried)


def _merged(
    equations: LawEquations, points: np.ndarray, which: np.ndarray, counts: np.ndarray, *, rough: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One point in place of those that met; of the others the best few.

    Two points have met when the quadratic models of the objective at both change by less than a small part of the
    loss between them. Directions that matter to neither do not keep them apart.
    """
    if not len(points):
        return points, which, counts
    delta = np.full(len(points), equations.objective.delta)
    if rough or equations.objective.shape == "mae":
        delta = np.maximum(delta, np.nan_to_num(equations.typical(points, which)))
    normal = equations.normal(points, which, delta, curvature=False)
    order = np.lexsort((normal.loss, which))
    followed = FOLLOWED * np.bincount(which).max()
    left, kept, totals = order, [], []
    while len(left):
        head = np.concatenate([[True], which[left[1:]] != which[left[:-1]]])  # the best one left of each problem
        leader = left[head][np.cumsum(head) - 1]
        apart = points[left] - points[leader]
        with np.errstate(all="ignore"):
            seen = [np.einsum("sk,skl,sl->s", apart, normal.matrix[one], apart) for one in (leader, left)]
            between = 0.5 * np.maximum(*seen)
            met = between <= MET * normal.loss[leader] + equations.floor(which[left])
        met |= head
        total = np.zeros(len(points))
        np.add.at(total, leader[met], counts[left[met]])
        kept.append(left[head])
        totals.append(total[left[head]])
        left = left[~met]
        if rough and len(kept) >= followed:
            break
    index = np.concatenate(kept)
    return points[index], which[index], np.concatenate(totals)
