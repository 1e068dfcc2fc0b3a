"""How sure a comparison of held-out errors is: a paired bootstrap by size.

Runs of one size are not independent, so the held-out sizes are drawn with replacement, each with all of its rows, and
both laws are scored on the same draw. What is drawn are rows: the constants stay as they were fitted to the training
rows. An interval says how far the difference depends on which large models were held out, and nothing of how far the
constants depend on the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from discover.comparison import SAME
from discover.fitting.levels import check_level
from discover.selection import Judged, Rows
from discover.sizes import size_ranks

RESAMPLES = 2000
LEVEL = 0.95
ENDLESS = 1e200  # a squared error from which on sums would overflow
FEW = 5  # units below which the ends of an interval are rough
COLUMNS = (
    *("law", "kind", "rmse", "ratio", "difference", "low", "high", "wins"),
    *("log_difference", "log_low", "log_high", "log_wins"),
    *("interval", "level", "resamples", "resampled", "units", "note"),
)


@dataclass(frozen=True)
class Units:
    """What is drawn together.

    Attributes
    ----------
    kind
        ``size``, ``setting`` (where the held-out rows are not larger in a feature), or ``row``, where each group has
        one size only.
    places
        Number of each row's unit, shape (rows,).
    strata
        Number of the stratum that each unit is drawn within, shape (units,): its group, where rows are in groups.
    note
        What a reader of the intervals must know; may be empty.
    """

    kind: str
    places: np.ndarray
    strata: np.ndarray
    note: str = ""


def paired_comparison(
    selected: Judged | None,
    judged: Sequence[Judged],
    held_out: Rows,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """The chosen law's held-out error against that of each published and null law, with intervals.

    The laws are not fitted again in the resamples (see the module). Within groups, sizes are drawn apart from those of
    other groups; the losses of one run in several groups count as independent there.

    Parameters
    ----------
    selected
        The chosen law; without one there is nothing to compare.
    judged
        All laws; those of the kind ``found`` are left out, and the chosen one.
    held_out
        The held-out rows.
    resamples, level, seed
        Number of resamples, confidence level of the intervals, seed of the draws.

    Returns
    -------
    One row a law, the best first, with the columns `COLUMNS`. ``rmse`` is that law's; ``ratio`` is how many times it
    the chosen law's is. ``difference`` is that of the RMSE (chosen less other, unit of the target), with the percentile
    interval from ``low`` to ``high`` and the share of the resamples in which the chosen law ``wins`` (a difference of
    up to 1e-4 of the error is a tie, and counts half). The columns ``log_...`` are the same of the mean absolute error
    of the logarithm, empty where target or prediction is not positive throughout. The rest say what was ``resampled``,
    and how many ``units`` of it there are; of a single row there are no intervals.

    Raises
    ------
    InputError
        When the level is no number between 0 and 1.
    """
    check_level(level)
    others = [other for other in judged if other.law.kind != "found" and other is not selected]
    if selected is None or not others:
        return pd.DataFrame(columns=list(COLUMNS))
    units = units_of(held_out)
    laws = [selected, *others]
    predictions = np.column_stack(
        [np.broadcast_to(each.fit.predict(held_out.columns, held_out.groups), len(held_out.target)) for each in laws]
    )
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        squared = (predictions - held_out.target[:, None]) ** 2
        logs = np.abs(np.log(predictions) - np.log(held_out.target)[:, None])
    draws = _draws(units, resamples, np.random.default_rng(seed))
    rmse, log = (_Means.of(values, units, draws) for values in (squared, logs))
    has_log = held_out.positive and bool((held_out.target > 0).all())
    whole, drawn = np.sqrt(rmse.whole), np.sqrt(rmse.drawn)
    lines = []
    for number, other in enumerate(others, start=1):
        line = {
            "law": other.law.name,
            "kind": other.law.kind,
            "rmse": whole[number],
            "ratio": ratio(float(whole[0]), float(whole[number])),
            **_difference(whole, drawn, number, level),
        }
        if has_log and np.isfinite(log.whole[[0, number]]).all():
            line |= {f"log_{key}": value for key, value in _difference(log.whole, log.drawn, number, level).items()}
        how = {"interval": "percentile", "level": level, "resamples": resamples}
        lines.append({**line, **how, "resampled": units.kind, "units": len(units.strata)})
    table = pd.DataFrame(lines, columns=list(COLUMNS)).assign(note=units.note)
    if len(units.strata) == 1:
        table[["low", "high", "wins", "log_low", "log_high", "log_wins"]] = np.nan
    return table.sort_values(["rmse", "law"], kind="stable").reset_index(drop=True)


def units_of(rows: Rows) -> Units:
    """What of these rows is drawn together: sizes, or settings; rows where there is one size only."""
    kind = "setting" if rows.axis is None else "size"
    if rows.axis is None:
        where = np.unique(np.column_stack(list(rows.columns.values())), axis=0, return_inverse=True)[1].ravel()
    else:
        where = size_ranks(rows.columns[rows.axis])
    count = len(rows.target)
    names = np.full(count, "") if rows.groups is None else rows.groups.astype(str)
    strata = np.unique(names, return_inverse=True)[1].ravel()
    alone = _of_one(strata, where)
    where = np.where(alone, where.max() + 1 + np.arange(count), where)
    if rows.groups is not None:  # a group of one row cannot vary within itself: such groups are drawn among themselves
        strata = np.where(_of_one(strata, where), strata.max() + 1, strata)
    pairs, places = np.unique(np.column_stack([strata, where]), axis=0, return_inverse=True)
    kind, note = _told(kind, alone, len(pairs), rows.groups)
    return Units(kind, places.ravel(), pairs[:, 0], note)


def ratio(mine: float, other: float) -> float:
    """How many times `other` an error is; rows without noise can be met exactly, and some laws have no value there."""
    if mine == other:
        return 1.0
    return mine / other if other else float("inf")


def _of_one(strata: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Which rows lie in a stratum that has one place only, as booleans."""
    pairs = np.unique(np.column_stack([strata, where]), axis=0)
    return np.asarray(np.bincount(pairs[:, 0])[strata] == 1)


def _told(kind: str, alone: np.ndarray, units: int, groups: np.ndarray | None) -> tuple[str, str]:
    """What was drawn, and what to say of it."""
    if units == 1:
        return "row", "one row is held out: there is no interval"
    if alone.all():
        where = " of each group" if groups is not None else ""
        return "row", f"one {kind}{where} is held out: rows were resampled, which says nothing of other {kind}s"
    said = []
    if alone.any() and groups is not None:
        single = len(set(groups[alone].tolist()))
        said.append(f"{single} of {len(set(groups.tolist()))} groups have one {kind} only: their rows were resampled")
    if units < FEW:
        said.append(f"{units} {kind}s are held out: the ends of the intervals are rough")
    return kind, "; ".join(said)


def _draws(units: Units, count: int, random: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """The units of each stratum, and how often each comes in each resample, shape (resamples, units of the stratum)."""
    drawn = []
    for stratum in np.unique(units.strata):
        members = np.flatnonzero(units.strata == stratum)
        drawn.append((members, random.multinomial(len(members), np.full(len(members), 1 / len(members)), size=count)))
    return drawn


@dataclass(frozen=True)
class _Means:
    """Mean of a column a law: over all rows, shape (laws,), and in each resample, shape (resamples, laws)."""

    whole: np.ndarray
    drawn: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, units: Units, draws: Sequence[tuple[np.ndarray, np.ndarray]]) -> _Means:
        """The means; a value that is not finite, or all but infinite, makes every mean infinite that it is part of."""
        bad = ~(values < ENDLESS)
        columns = np.column_stack([np.ones(len(values)), np.where(bad, 0.0, values), bad])
        totals = np.column_stack([np.bincount(units.places, column, len(units.strata)) for column in columns.T])
        drawn = np.sum([times @ totals[members] for members, times in draws], axis=0)
        return cls(*(cls._means(sums, values.shape[1]) for sums in (totals.sum(axis=0), drawn)))

    @staticmethod
    def _means(sums: np.ndarray, laws: int) -> np.ndarray:
        rows, good, bad = sums[..., :1], sums[..., 1 : laws + 1], sums[..., laws + 1 :]
        return np.asarray(np.where(bad > 0, np.inf, good / rows))


def _difference(whole: np.ndarray, drawn: np.ndarray, number: int, level: float) -> dict[str, float]:
    """Difference of the first law's error and another's, its interval, and how often it is the smaller one."""
    with np.errstate(invalid="ignore"):  # two infinite errors are a tie
        difference = np.nan_to_num(whole[0] - whole[number], nan=0.0, posinf=np.inf, neginf=-np.inf)
        resampled = np.nan_to_num(drawn[:, 0] - drawn[:, number], nan=0.0, posinf=np.inf, neginf=-np.inf)
    # Of the resamples' own values: between two infinite ones nothing can be interpolated.
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    tie = np.isfinite(resampled) & (np.abs(resampled) <= SAME * drawn[:, number])
    wins = np.mean((resampled < 0) & ~tie) + np.mean(tie) / 2
    return {"difference": float(difference), "low": float(low), "high": float(high), "wins": float(wins)}
