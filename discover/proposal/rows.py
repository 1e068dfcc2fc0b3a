"""Which rows count: copies, checkpoints, runs that did not finish, values that are missing; and which are held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from discover.compiled import compile_formula
from discover.dataset_card import ZERO_IS_LEGAL
from discover.errors import DataError
from discover.formula import parse
from discover.proposal.columns import Column, listed, look, vocabulary
from discover.proposal.features import Draft, Trait
from discover.proposal.quantities import QUANTITIES

FEW = 0.2  # share of rows that may be dropped for the sake of a feature
CORE = ("N", "N_nv", "D", "H", "C", "r")  # for the sake of these, half of them
LEFT = 3  # sizes that must be left for final rows to do
_RUN = vocabulary("run exp experiment hyper job trial uuid wandb")
_ID = _RUN | vocabulary("id name model config label")
_STATE = vocabulary("state status")
_FINISHED = ("finished", "completed", "complete", "done", "success", "succeeded", "ok")


@dataclass
class Rows:
    """The rows that are left as rules take some away, and the rules as the card says them."""

    table: pd.DataFrame
    keys: dict[str, Any] = field(default_factory=dict)
    drops: list[dict[str, Any]] = field(default_factory=list)

    def drop(self, bad: np.ndarray, where: str, because: str) -> None:
        """Drop rows by a rule."""
        self.drops.append({"where": where, "count": int(bad.sum()), "because": because})
        self.table = self.table[~bad]

    def column(self, name: str) -> Column:
        """A column, as its values are now."""
        return look(name, self.table[name])


def unique(draft: Draft, rows: Rows) -> None:
    """Drop the rows that repeat another in every column."""
    try:
        twice = rows.table.duplicated().to_numpy(dtype=bool)
    except TypeError:  # nested values cannot be compared
        return
    if twice.any():
        rows.keys["unique"] = True
        rows.table = rows.table[~twice]
        draft.lines.append(f"{twice.sum()} rows repeat another in every column and are dropped (rows.unique)")


def checkpoints(draft: Draft, rows: Rows, target: str) -> None:
    """Keep the last row of each run where runs have many rows, by a column of steps (or of tokens)."""
    steps = next(q for q in QUANTITIES if q.symbol == "S")
    axes = [c for name in rows.table if (c := rows.column(str(name))) and c.numbers is not None and c.distinct > 2
            and not c.odd and not c.missing.any() and steps.rank(c) is not None and name in draft.columns]  # fmt: skip
    axes.sort(key=lambda column: (steps.rank(column) or (9, 9), -column.distinct))
    tokens = draft.traits.get("D")
    if not axes and tokens is not None and tokens.column is not None:
        axes = [rows.column(tokens.column)]
    axis = axes[0].name if axes else ""
    moving = {c for s in ("S", "D", "C", "uD", "H", "eta") if s in draft.traits for c in draft.traits[s].inputs}
    fixed = [c for trait in draft.traits.values() for c in trait.inputs if c not in moving and c != axis]
    runs = [c for name in draft.columns if axis and name not in (axis, target) and name in rows.table
            and _is_run(c := rows.column(name), rows.table[axis], tokens_only=axes[0].name in moving and
                        steps.rank(axes[0]) is None)]  # fmt: skip
    runs = [c for c in runs if all(_constant(rows.table, c.name, other) for other in fixed)]
    if not runs:
        if (
            axes
            and steps.rank(axes[0]) is not None
            and len(rows.table) > 3 * _combinations(rows.table, fixed)
            and (_combinations(rows.table, [*fixed, axis]) >= 0.95 * len(rows.table))
        ):
            draft.checks.append(
                f"there are many rows for each size, by {axis!r}: where these are checkpoints of the same runs, a "
                "column that names the run lets rows.last keep the final ones"
            )
        return
    run = max(runs, key=lambda column: column.distinct)
    order = np.argsort(pd.to_numeric(rows.table[axis]).to_numpy(dtype=float), kind="stable")
    last = ~rows.table.iloc[order].duplicated([run.name], keep="last").to_numpy()
    kept = rows.table.iloc[np.sort(order[last])]
    if kept[target].isna().mean() > 1 / 3:
        rows.keys["best"] = (run.name, target)  # turned into rows.best once the rows without a loss are dropped
        draft.checks.append(
            f"the last rows of many runs ({run.name!r} by {axis!r}) have no {target!r}: each run's lowest is kept"
        )
        return
    varied = max((look(c, kept[c]).distinct for c in [*fixed, *moving] if c in kept), default=0)
    if len(kept) < 4 or varied < LEFT:
        draft.checks.append(
            f"rows are checkpoints of {len(kept)} runs ({run.name!r} by {axis!r}), too few for final rows alone: all "
            "are kept, and a law of them is a law of training curves"
        )
        return
    draft.lines.append(
        f"rows are checkpoints: of each {run.name!r} only the last by {axis!r} counts, {len(kept)} of "
        f"{len(rows.table)} (rows.last), for a run on its way is not a trained model"
    )
    rows.keys["last"] = {"of": run.name, "by": axis}
    rows.table = kept
    ends = kept[axis].value_counts(normalize=True)
    if "S" in draft.traits and draft.traits["S"].column == axis and 0.8 <= ends.iloc[0] < 1:
        early = int((pd.to_numeric(kept[axis]) < float(ends.index[0])).sum())
        draft.drop_trait("S", f"nearly all runs end at {ends.index[0]}")
        draft.checks.append(
            f"{early} runs end before {axis!r} = {ends.index[0]}: did they finish? rows.drop takes them out"
        )


def _is_run(column: Column, axis: pd.Series, *, tokens_only: bool) -> bool:
    """Whether a column names runs, of which each has several rows that the axis tells apart."""
    words = set(column.words)
    named = words & (_RUN if tokens_only else _ID) or (not tokens_only and column.numbers is None)
    if not named or column.nested or column.missing.any() or not 1 < column.distinct <= len(column.values) / 3:
        return False
    pairs = pd.DataFrame({"run": column.values.to_numpy(), "axis": axis.to_numpy()})
    return bool(pairs.duplicated().mean() <= 0.01 and pairs.groupby("run").size().median() >= 3)


def _constant(table: pd.DataFrame, run: str, column: str) -> bool:
    """Whether a column has one value a run, on nearly all runs."""
    if column == run or column not in table:
        return True
    return bool((table.groupby(run)[column].nunique(dropna=True) <= 1).mean() >= 0.95)


def _combinations(table: pd.DataFrame, columns: Iterable[str]) -> int:
    names = [column for column in dict.fromkeys(columns) if column in table]
    return len(table[names].drop_duplicates()) if names else 1


def unfinished(draft: Draft, rows: Rows) -> None:
    """Drop the runs whose state is not finished."""
    for name, column in draft.columns.items():
        if not set(column.words) & _STATE or column.numbers is not None or name not in rows.table:
            continue
        done = [text for text in column.texts if text.lower() in _FINISHED]
        bad = (~rows.table[name].isin(done)).to_numpy(dtype=bool)
        if not done or column.missing.any() or not bad.any() or bad.mean() > 0.5:
            continue
        short = draft.short(name)
        where = f"{short} != {done[0]!r}" if len(done) == 1 else f"{short} not in ({', '.join(map(repr, done))})"
        _alias(draft, rows)
        rows.drop(bad, where, "the run did not finish")
        draft.lines.append(f"{bad.sum()} rows are dropped: {name!r} does not say {done[0]!r}")


def legal(draft: Draft, rows: Rows, column: str, *, positive: bool, what: str, limit: float) -> bool:
    """Drop the rows where a column has no legal number; `False` where there are too many, and none is dropped."""
    found = rows.column(column)
    numbers = found.numbers
    if numbers is None:
        return False
    missing = found.missing
    infinite = np.isinf(numbers)
    odd = np.isnan(numbers) & ~missing
    low = (numbers <= 0) & ~infinite if positive else np.zeros(len(numbers), dtype=bool)
    bad = missing | infinite | odd | low
    if not bad.any():
        return True
    if bad.mean() > limit or bad.all():
        return False
    short = draft.short(column)
    _alias(draft, rows)
    if found.is_text:  # a row rule compares text with words only
        words = list(dict.fromkeys(rows.table.loc[bad & ~missing, column].astype(str)))
        cases = [(missing, f"{short} != {short}", "is missing"), (bad & ~missing, _among(short, words), "is no number")]
    else:
        cases = [
            (missing, f"{short} != {short}", "is missing"),
            (infinite, f"{short} > 1e300 or {short} < -1e300", "is infinite"),
            (low, f"{short} <= 0", "is not positive"),
        ]
    left = np.ones(len(rows.table), dtype=bool)
    for mask, where, why in cases:
        here = (mask & left)[left]
        if here.any():
            rows.drop(here, where, f"{what} {why}")
            draft.lines.append(f"{here.sum()} rows are dropped: {column!r} {why}")
            left &= ~mask
    return True


def _among(short: str, words: Sequence[str]) -> str:
    return f"{short} == {words[0]!r}" if len(words) == 1 else f"{short} in ({', '.join(map(repr, words))})"


def _alias(draft: Draft, rows: Rows) -> None:
    for column, short in draft.aliases.items():
        if short not in rows.table and column in rows.table:
            rows.table = rows.table.assign(**{short: rows.table[column]})


def complete(draft: Draft, rows: Rows, target: str, *, positive: bool) -> None:
    """Drop the rows whose target or features have no legal number; leave a feature aside that would cost too many."""
    found = rows.column(target)
    if found.numbers is None or not len(found.finite):
        raise DataError(f"the target {target!r} has no number")
    legal(draft, rows, target, positive=positive, what="the loss", limit=1.0)
    for symbol, trait in list(draft.traits.items()):
        if symbol not in draft.traits or trait.kind == "category":
            continue
        limit = 1.0 if trait.named else 0.5 if symbol in CORE else FEW
        above_zero = trait.kind not in ZERO_IS_LEGAL and "log" not in "".join(trait.inputs).lower()
        for column in trait.inputs:
            if column in rows.table and not legal(
                draft, rows, column, positive=above_zero, what=f"{symbol}", limit=limit
            ):
                _leave(draft, symbol, f"too many rows have no {'positive ' if above_zero else ''}number")
                break
    if "best" in rows.keys:
        run, by = rows.keys.pop("best")
        order = np.argsort(pd.to_numeric(rows.table[by]).to_numpy(dtype=float), kind="stable")
        first = ~rows.table.iloc[order].duplicated([run]).to_numpy()
        rows.table = rows.table.iloc[np.sort(order[first])]
        rows.keys["best"] = {"of": [run], "by": by}


def _leave(draft: Draft, symbol: str, reason: str) -> None:
    """Leave a feature aside, and those that are computed from it."""
    lost = set(draft.traits[symbol].inputs) if draft.traits[symbol].formula is None else set()
    draft.drop_trait(symbol, reason)
    for other, trait in list(draft.traits.items()):
        if trait.formula is not None and lost & set(trait.inputs):
            draft.drop_trait(other, f"{symbol}, from which {other} is computed, is left aside")


def varied(draft: Draft, rows: Rows) -> None:
    """Leave aside the features that have one value in the rows that are left."""
    values = computed(draft.traits, rows.table)
    for symbol in [s for s, v in values.items() if draft.traits[s].formula and not (np.isfinite(v) & (v > 0)).all()]:
        draft.drop_trait(symbol, f"{draft.traits[symbol].formula} is no positive number in some rows")
    for symbol, trait in list(draft.traits.items()):
        if symbol in values and len(np.unique(values[symbol])) < 2:
            used = any(trait.formula is None and set(trait.inputs) & set(other.inputs) and other is not trait
                       for other in draft.traits.values())  # fmt: skip
            if trait.named:
                draft.checks.append(f"{symbol} has one value in the rows that are left")
            elif used and any(other.formula and symbol in other.formula for other in draft.traits.values()):
                draft.checks.append(f"{symbol} has one value in the rows that are left; others are computed from it")
            else:
                draft.drop_trait(symbol, "one value in the rows that are left")
    values = computed(draft.traits, rows.table)
    if {"D", "uD"} <= values.keys() and np.allclose(values["D"], values["uD"], rtol=1e-9):
        draft.drop_trait("uD", "unique tokens are all tokens")
    if {"D", "C"} <= values.keys() and not draft.traits["C"].named and not _used(draft, "C"):
        ratio = values["C"] / values["D"]
        if ratio.max() <= 1.001 * ratio.min():
            draft.drop_trait("C", "FLOP are in proportion to D")
    size = values.get("N", values.get("N_nv"))
    for symbol in ("eta", "B"):
        if size is None or symbol not in values or draft.traits[symbol].named:
            continue
        pairs = pd.DataFrame({"size": size, "value": values[symbol]}).drop_duplicates()
        if len(pairs) == len(np.unique(size)) <= len(size) / 3 and not _used(draft, symbol):
            draft.drop_trait(symbol, "one value for each size, so that a law cannot tell the two apart")


def _used(draft: Draft, symbol: str) -> bool:
    inputs = set(draft.traits[symbol].inputs)
    return any(inputs & set(t.inputs) for s, t in draft.traits.items() if s != symbol)


def computed(traits: Mapping[str, Trait], table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Values of the features that are plain numbers, in the rows of a table."""
    values: dict[str, np.ndarray] = {}
    for symbol, trait in traits.items():
        if trait.vector:
            continue
        if trait.column is not None:
            values[symbol] = pd.to_numeric(table[trait.column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            continue
        known = {str(name): table[name] for name in table.columns} | {s: pd.Series(v) for s, v in values.items()}
        expression = parse(str(trait.formula), features=[n for n in known if n.isidentifier()], constants=())
        names = sorted(free.name for free in expression.free_symbols)
        columns = [pd.to_numeric(known[n], errors="coerce").to_numpy(dtype=float, na_value=np.nan) for n in names]
        with np.errstate(all="ignore"):
            result = compile_formula(expression, tuple(names), ()).predict(columns, np.zeros((1, 0)))[0]
        values[symbol] = np.broadcast_to(result, len(table)).copy()
    return values


def repeated(draft: Draft, rows: Rows, values: Mapping[str, np.ndarray], words: Sequence[str]) -> None:
    """Say where rows have the same features as others: seeds, or a quantity that no feature says."""
    mixtures = [c for t in draft.traits.values() if t.columns for c in t.columns.values()]
    inputs = {**values, **{c: rows.table[c].to_numpy() for c in (*mixtures, *words)}}
    if not inputs:
        return
    twice = pd.DataFrame(inputs).duplicated(keep=False).to_numpy()
    if twice.sum() > max(2, 0.1 * len(twice)):
        unknown = draft.asides.get(UNKNOWN, [])
        hint = f": is it one of {listed(unknown)}?" if unknown else " (seeds?)"
        draft.checks.append(f"{twice.sum()} of {len(twice)} rows have the same features as another{hint}")


UNKNOWN = "no quantity that laws are written in, by its name (features: X = COLUMN takes it)"
