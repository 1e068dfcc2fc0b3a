"""Bootstrap: the same fit to many resamples of the rows, all in one batch.

Runs of one model size share their initialisation, data order and faults, so rows are not always independent:
`by` resamples whole clusters of them (by size, by sweep), which gives wider and more honest intervals
(Cameron, Gelbach & Miller 2008).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from discover.errors import InputError
from discover.fitting.constraints import keep
from discover.fitting.derived import values_of
from discover.fitting.equations import LawEquations
from discover.fitting.grouped import GroupedFit
from discover.fitting.levels import check_level
from discover.fitting.result import Fit
from discover.fitting.rows import Rows, batched
from discover.fitting.shared import SharedEquations
from discover.fitting.solver import FINER, LAST, NEARBY, Stage, descend
from discover.fitting.tangent import TangentEquations
from discover.law import Law

HELD = 4_000_000  # weights that are held at once
# A resample's optimum is near that of all rows: it needs no rough descent.
ON_TANGENT = (Stage(0.0, 20, curvature=True, enough=1e-6, damping=NEARBY),)
NEAR = (Stage(0.0, 60, curvature=True, damping=NEARBY),)
LARGEST_TANGENT = 4_000_000  # products of derivatives that a tangent may hold
NARROW = 1e3  # condition number from which on the valley of the optimum may be narrow and bent


@dataclass(frozen=True)
class Bootstrap:
    """Constants of a law fitted to resamples.

    Attributes
    ----------
    law
        The law.
    values
        Shape (resamples, constants), in the order of ``law.parameters``; NaN where a resample could not be fitted.
    clusters
        Number of rows, or of clusters of rows, of which each resample draws as many.
    weights
        How often each row is drawn in each resample, shape (resamples, rows).
    """

    law: Law
    values: np.ndarray = field(repr=False)
    clusters: int
    _count: int = field(repr=False)
    _seed: int = field(repr=False)
    _label: np.ndarray = field(repr=False)

    @cached_property
    def weights(self) -> np.ndarray:
        """How often each row is drawn in each resample, shape (resamples, rows)."""
        return np.concatenate(list(_weights(self._label, self._count, self._seed)))

    def of(self, quantity: str) -> np.ndarray:
        """A constant, or a formula over constants as ``"beta/(alpha + beta)"``, in each resample."""
        if quantity in self.law.parameters:
            return np.asarray(self.values[:, list(self.law.parameters).index(quantity)])
        return values_of(self.law, quantity, self.values)

    def interval(self, quantity: str, level: float = 0.95) -> tuple[float, float]:
        """Percentile interval of a constant, or of a formula over constants: the middle `level` of its resamples.

        Raises
        ------
        InputError
            When the level is not between 0 and 1, or the formula has a name that is no constant.
        """
        check_level(level)
        tail = 50 * (1 - level)
        low, high = np.nanpercentile(self.of(quantity), [tail, 100 - tail])
        return float(low), float(high)

    def error(self, quantity: str) -> float:
        """Standard deviation of a constant, or of a formula over constants, over the resamples."""
        return float(np.nanstd(self.of(quantity), ddof=1))

    def predictions(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predictions of every resample's law, shape (resamples, rows)."""
        columns = [np.atleast_1d(np.asarray(features[name], dtype=float)) for name in self.law.columns]
        columns = columns or [np.zeros(np.broadcast_shapes(*map(np.shape, features.values())))]
        return self.law.compiled.predict(columns, self.values)


def bootstrap(
    fit: Fit | GroupedFit, *, count: int = 1000, by: np.ndarray | None = None, seed: int = 0
) -> Bootstrap | dict[str, Bootstrap]:
    """Fit a law again to resamples of its rows.

    Every resample starts at the optimum of all rows and minimises the same objective, with the same delta, fixed and
    tied constants, bounds and constraints. Along a direction that the rows do not determine the resamples hardly move:
    there the spread says nothing, and `discover.fitting.profile` does.

    Parameters
    ----------
    fit
        The fit. Of a fit of groups each group is resampled by itself, and constants that groups share are fitted to
        the resamples of all.
    count
        Number of resamples, two or more.
    by
        Label of each row, shape (rows,): rows of one label are drawn together. By default each row by itself. Of a fit
        of groups: the labels of the first group's rows, then those of the second, in the order of ``fit.parts``.
    seed
        Seed of the resamples: the same ones for every law on the same rows.

    Returns
    -------
    The constants of every resample; of groups, by the group's name.

    Raises
    ------
    InputError
        When `count` is below two, or `by` has another length than the rows or fewer than two labels (in some group).

    Examples
    --------
    >>> from discover.fitting import fit
    >>> from discover.law import load_law
    >>> N = np.geomspace(1e7, 1e10, 30)
    >>> noise = np.random.default_rng(0).normal(scale=0.01, size=30)
    >>> fitted = fit(load_law("powerlaw_one_feature").on("N"), {"N": N}, (8.8e13 / N) ** 0.076 * np.exp(noise))
    >>> low, high = bootstrap(fitted, count=200).interval("alpha")
    >>> low < 0.076 < high
    True
    """
    if count < 2:
        raise InputError(f"a bootstrap needs two or more resamples, not {count}")
    if isinstance(fit, Fit):
        label = _labels(by, fit.rows.count)
        values = np.concatenate([_refit(fit, weights) for weights in _weights(label, count, seed)])
        return Bootstrap(fit.law, values, int(label.max()) + 1, count, seed, label)
    labels = _labels_of_groups(fit, by)
    if fit.shared:
        return _shared(fit, labels, count, seed)
    return {
        name: Bootstrap(
            fit.law,
            np.concatenate([_refit(part, weights) for weights in _weights(labels[name], count, seed + k)]),
            int(labels[name].max()) + 1,
            count,
            seed + k,
            labels[name],
        )
        for k, (name, part) in enumerate(fit.parts.items())
    }


def _labels(by: np.ndarray | None, rows: int) -> np.ndarray:
    if by is None:
        return np.arange(rows)
    by = np.asarray(by)
    if by.shape != (rows,):
        raise InputError(f"`by` must have a label for each of the {rows} rows, not {by.shape}")
    _, label = np.unique(by, return_inverse=True)
    if label.max() == 0:
        raise InputError("`by` has one label only: there is nothing to resample")
    return np.asarray(label)


def _labels_of_groups(fit: GroupedFit, by: np.ndarray | None) -> dict[str, np.ndarray]:
    counts = [part.rows.count for part in fit.parts.values()]
    if by is None:
        return {name: np.arange(count) for name, count in zip(fit.parts, counts, strict=True)}
    if np.shape(by) != (sum(counts),):
        raise InputError(f"`by` must have a label for each of the {sum(counts)} rows, not {np.shape(by)}")
    parts = np.split(np.asarray(by), np.cumsum(counts)[:-1])
    return {name: _labels(part, len(part)) for name, part in zip(fit.parts, parts, strict=True)}


def _weights(label: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """How often each row is drawn, a piece of the resamples at a time; the pieces do not change what is drawn."""
    clusters = int(label.max()) + 1
    random = np.random.default_rng(seed)
    step = max(1, HELD // len(label))
    for first in range(0, count, step):
        drawn = random.multinomial(clusters, np.full(clusters, 1 / clusters), size=min(step, count - first))
        yield drawn[:, label].astype(float)


def _refit(fit: Fit, weights: np.ndarray) -> np.ndarray:
    """Constants of each resample, shape (resamples, constants)."""
    own = fit.rows.weight
    rows = Rows(fit.rows.columns, fit.rows.target, weights if own is None else weights * own)
    equations = fit.equations(rows)
    which = np.arange(len(weights))
    points, lost = np.repeat(fit.point[None], len(weights), axis=0), np.zeros(0, dtype=int)
    if points.shape[1]:
        points = _descended(fit, equations, points, which)
        lost = np.flatnonzero(~np.isfinite(equations.losses(points, which)))
        points[lost] = descend(equations, np.repeat(fit.point[None], len(lost), axis=0), which[lost], NEAR)
        if fit.constraints is not None:
            points = keep(equations, points, which, fit.constraints, (fit.point, fit.loss))
    values = fit.space.constants(points)
    failed = np.zeros(len(points), dtype=bool)
    failed[lost] = ~np.isfinite(equations.losses(points[lost], which[lost]))
    # As many different rows as constants, or the resample determines nothing.
    failed |= (weights > 0).sum(axis=1) < points.shape[1]
    values[failed] = np.nan
    return values


def _descended(fit: Fit, equations: LawEquations, points: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The optima of resamples, from that of all rows."""
    if fit.objective.shape == "mae":
        return descend(equations, points, which, FINER)
    if equations.data.problems > 1 and equations.rows * points.shape[1] ** 2 <= LARGEST_TANGENT:
        points = descend(TangentEquations(equations, fit.point), points, which, ON_TANGENT)
    return descend(equations, points, which, NEAR if fit.condition < NARROW else (*NEAR, *LAST))


def _shared(fit: GroupedFit, labels: Mapping[str, np.ndarray], count: int, seed: int) -> dict[str, Bootstrap]:
    parts = list(fit.parts.values())
    rows = batched([part.rows for part in parts])
    length, groups = rows.count, len(parts)
    found: list[np.ndarray] = []
    pieces = [_weights(labels[name], count, seed + k) for k, name in enumerate(fit.parts)]
    for weights in zip(*pieces, strict=True):  # a piece of the resamples of each group
        size = len(weights[0])
        joint = np.zeros((size, groups, length))
        for k, one in enumerate(weights):
            joint[:, k, : one.shape[1]] = one
        if rows.weight is not None:
            joint *= rows.weight
        columns = [np.tile(np.broadcast_to(column, (groups, length)), (size, 1)) for column in rows.columns]
        target = np.tile(np.broadcast_to(rows.target, (groups, length)), (size, 1))
        some = parts[0]
        apart = LawEquations(fit.law, Rows(columns, target, joint.reshape(-1, length)), some.objective, some.space)
        equations = SharedEquations(apart, fit.shared, groups)
        start = np.zeros(len(equations.names))
        start[equations.index] = [part.point for part in parts]
        which = np.arange(size)
        stages = FINER if some.objective.shape == "mae" else (*NEAR, *LAST)
        points = descend(equations, np.repeat(start[None], size, axis=0), which, stages)
        values = np.stack([some.space.constants(points[:, place]) for place in equations.index], axis=1)
        values[~np.isfinite(equations.losses(points, which))] = np.nan
        found.append(values)
    values = np.concatenate(found)
    return {
        name: Bootstrap(fit.law, values[:, k], int(labels[name].max()) + 1, count, seed + k, labels[name])
        for k, name in enumerate(fit.parts)
    }
