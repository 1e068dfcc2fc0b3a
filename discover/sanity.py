"""Does a law behave: over the data and far beyond, the way losses of larger models do.

A law that fits and diverges beyond the data is the usual failure of a search. The checks sample the law densely on a
grid that reaches from the smallest values of the data to 100 times the largest:

- it falls in every size (`size` and `tokens` features; shares of a mixture are taken as the data has them);
- its returns diminish: a doubling of a size never buys more than the doubling before (a law that first is flat and then
  dives was bent to the data). Where the measured losses themselves are flat first and then fall, as those of
  fine-tuning, this holds beyond the data only (`bent`);
- it is finite and positive;
- far out it neither turns upwards nor below zero: a loss has a floor.

Each check is pass, fail or unknown, with the point that shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from discover.dataset_card import ZERO_IS_LEGAL, FeatureKind
from discover.law import Law

BEYOND = 100.0  # times the largest value of the data
POINTS = 41  # along the feature that varies
LEVELS = 5  # of each other feature
TOLERANCE = 1e-6  # relative rise that is taken for rounding
BEND = 1e-4  # relative change of the slope, between steps of the grid, that is taken for straight
BENT = 0.25  # share of the curves that must bend; of pre-training losses none or few do, of fine-tuning most
ROUNDING = 1e-3  # of a curve's fall: a smaller bend is none
CURVE = 4  # sizes of a measured curve whose bend counts
FAR = 1e100  # "without end"; powers of it are still numbers

Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class SanityCheck:
    """One line of the sanity card."""

    name: str
    verdict: Verdict
    witness: str = ""


def sanity(
    law: Law,
    values: Mapping[str, float],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    *,
    positive: bool = True,
    bent: Collection[str] = (),
) -> list[SanityCheck]:
    """Check a fitted law over the data and 100 times beyond.

    Parameters
    ----------
    columns
        The training rows' features: they say where the data lie. No target is looked at.
    kinds
        Kind of each feature: the law must fall in `size` and `tokens`.
    positive
        Whether the target must be positive.
    bent
        Features in which the measured losses fall faster and faster (`bent_features`).
    """
    checks = []
    used = [name for name in law.columns if name in columns]
    for name in used:
        if kinds.get(name) in ("size", "tokens"):
            checks += _shape(law, values, columns, kinds, name, bent=name in bent)
            if positive:
                checks.append(_limit(law, values, columns, kinds, name))
    checks.append(_finite(law, values, {key: columns[key] for key in used}, kinds, positive))
    return checks


def bent_features(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray | None,
    kinds: Mapping[str, FeatureKind],
) -> frozenset[str]:
    """The sizes in which measured losses fall faster and faster, along many of the curves that the rows hold.

    A curve is the rows of one group that differ in one size only, at four sizes or more; it bends downwards when its
    parabola in the logarithm of the size does.
    """
    labels = np.zeros(len(target)) if groups is None else np.unique(groups.astype(str), return_inverse=True)[1]
    bent = set()
    for name in columns:
        if kinds.get(name) not in ("size", "tokens"):
            continue
        others = np.column_stack([labels, *(column for other, column in columns.items() if other != name)])
        curve = np.unique(others, axis=0, return_inverse=True)[1].ravel()
        bends = []
        for number in np.unique(curve):
            rows = curve == number
            size = np.log(columns[name][rows])
            if len(np.unique(size)) >= CURVE:
                drop, fall = (
                    np.polyfit(size - size.mean(), target[rows], 2)[0] * np.ptp(size) ** 2,
                    np.ptp(target[rows]),
                )
                bends.append(drop < -ROUNDING * fall < 0)
        if bends and np.mean(bends) > BENT:
            bent.add(name)
    return frozenset(bent)


def passes(checks: Sequence[SanityCheck]) -> bool:
    """Whether no check failed."""
    return all(check.verdict != "fail" for check in checks)


def _grid(
    columns: Mapping[str, np.ndarray], kinds: Mapping[str, FeatureKind], along: str, reach: float
) -> dict[str, np.ndarray]:
    """A grid: `along` varies in the last axis up to `reach` times its largest value, the others over the data."""
    others = {name: column for name, column in columns.items() if name != along}
    size = np.geomspace(columns[along].min(), columns[along].max() * reach, POINTS)
    return _mesh({along: size}, others, kinds, LEVELS, 1.0)


def _mesh(
    last: Mapping[str, np.ndarray],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    levels: int,
    reach: float,
) -> dict[str, np.ndarray]:
    """All combinations of levels of `columns` and of the axes `last`, which vary in the last axes.

    Shares are not varied one by one, since those of a mixture sum to one: settings of the data are taken.
    """
    shares = [name for name in columns if kinds.get(name) in ZERO_IS_LEGAL]
    axes = {name: np.geomspace(c.min(), c.max() * reach, levels) for name, c in columns.items() if name not in shares}
    settings = np.unique(np.column_stack([columns[name] for name in shares]), axis=0) if shares else np.zeros((1, 0))
    chosen = settings[np.unique(np.linspace(0, len(settings) - 1, levels).round().astype(int))]
    number, *mesh = np.meshgrid(np.arange(len(chosen)), *axes.values(), *last.values(), indexing="ij")
    grid = dict(zip([*axes, *last], mesh, strict=True))
    return grid | {name: chosen[number, k] for k, name in enumerate(shares)}


def _shape(
    law: Law,
    values: Mapping[str, float],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    name: str,
    *,
    bent: bool,
) -> list[SanityCheck]:
    """Whether the law falls in a feature, and whether its returns diminish."""
    falls, diminishes = f"falls in {name}", f"returns diminish in {name}"
    grid = _grid({key: columns[key] for key in law.columns}, kinds, name, BEYOND)
    prediction = law.predict(grid, values)
    if not np.isfinite(prediction).all():
        witness = f"not finite at {_point(grid, ~np.isfinite(prediction))}"
        return [SanityCheck(falls, "fail", witness), SanityCheck(diminishes, "unknown", witness)]
    steps = np.diff(prediction, axis=-1)
    size = np.abs(prediction)
    rises = steps > TOLERANCE * size[..., :-1]
    # The grid is even in the logarithm: convex there means that each equal factor buys less.
    bends = np.diff(steps, axis=-1) < -BEND * size[..., 1:-1]
    if bent:
        bends &= grid[name][..., :-2] >= columns[name].max()
    return [_check(falls, rises, grid, 1, "rises at"), _check(diminishes, bends, grid, 2, "falls faster at")]


def _check(label: str, bad: np.ndarray, grid: Mapping[str, np.ndarray], skip: int, what: str) -> SanityCheck:
    if not bad.any():
        return SanityCheck(label, "pass")
    at = {key: column[..., skip:] for key, column in grid.items()}
    return SanityCheck(label, "fail", f"{what} {_point(at, bad)}")


def _limit(
    law: Law,
    values: Mapping[str, float],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    name: str,
) -> SanityCheck:
    """Whether the law stays between zero and its value beyond the data when a feature grows without end (by 1e100)."""
    label = f"limit in {name}"
    grid = _grid({key: columns[key] for key in law.columns}, kinds, name, BEYOND)
    last = {key: column[..., -1] for key, column in grid.items()}
    far = {**last, name: last[name] * FAR}
    near_value, far_value = law.predict(last, values), law.predict(far, values)
    if np.isnan(far_value).any() or not np.isfinite(near_value).all():
        return SanityCheck(label, "unknown", f"the law cannot be computed at {_point(far, np.isnan(far_value))}")
    for bad, what in ((far_value < 0, "negative"), (far_value > near_value * (1 + TOLERANCE), "rising")):
        if bad.any():
            return SanityCheck(label, "fail", f"{what} at {_point(far, bad)}")
    return SanityCheck(label, "pass")


def _finite(
    law: Law,
    values: Mapping[str, float],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    positive: bool,
) -> SanityCheck:
    label = "finite and positive" if positive else "finite"
    if not columns:
        return SanityCheck(label, "pass")
    grid = _mesh({}, columns, kinds, 2 * LEVELS, BEYOND)
    prediction = law.predict(grid, values)
    bad = ~np.isfinite(prediction)
    if positive:
        bad |= ~(prediction > 0)
    return SanityCheck(label, "fail", f"not at {_point(grid, bad)}") if bad.any() else SanityCheck(label, "pass")


def _point(grid: Mapping[str, np.ndarray], bad: np.ndarray) -> str:
    index = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return ", ".join(f"{name} = {column[index]:.3g}" for name, column in grid.items())
