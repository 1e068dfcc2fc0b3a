"""From a table to a proposed card, and from the card to a dataset that loads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from discover.dataset import Dataset, load_dataset
from discover.errors import DataError, DiscoverError, InputError, one_of
from discover.proposal import groups, rows
from discover.proposal.columns import listed, look
from discover.proposal.features import Draft, Trait, assign
from discover.proposal.holding_out import hold_out
from discover.proposal.leaving import free_columns, leftover, no_feature, unnamed_features
from discover.proposal.mixtures import find_mixtures
from discover.proposal.rows import Rows
from discover.proposal.targets import ERROR, LOSS, PERPLEXED, Found, find_target
from discover.proposal.writing import card_text
from discover.reading import Format, read_table
from discover.reading.tables import COMPRESSIONS, format_of
from discover.runs import write_text
from discover.tidying import HELD_OUT

_STAGE = {0: "training ", 1: "", 2: "validation "}
_AMOUNTS = {
    "samples": ("D", "tokens", "samples"),
    "tokens": ("D", "tokens", "tokens"),
    "steps": ("S", "count", "steps"),
}


@dataclass(frozen=True)
class Proposal:
    """A proposed card.

    Attributes
    ----------
    card
        Text of the card.
    path
        Where it goes: beside the table, with its stem.
    table
        The table.
    target
        What the laws would predict: the column, or how it is computed.
    features
        What each symbol is read from.
    groups
        The columns whose words divide the rows.
    rows
        How many rows the dataset has.
    hold_out
        The rule for the held-out rows; `None` where there can be none.
    reasons
        What each column was taken for and why, what was left aside, and what to check, a line each.
    checks
        Those of the reasons that ask for a look, word for word; they stand last.
    """

    card: str = field(repr=False)
    path: Path
    table: Path
    target: str
    features: Mapping[str, str]
    groups: tuple[str, ...]
    rows: int
    hold_out: str | None
    reasons: tuple[str, ...] = field(repr=False)
    checks: tuple[str, ...] = field(repr=False)


def propose(
    path: str | Path,
    *,
    target: str | None = None,
    features: Mapping[str, str] | None = None,
    group: str | None = None,
) -> Proposal:
    """Look at a table and propose its card; nothing is written.

    Parameters
    ----------
    path
        The table: csv, tsv, jsonl or parquet, compressed or not.
    target
        The column that laws are to predict, where its name does not say so.
    features
        Columns by the symbol that they are to have (``{"N": "width"}``); they go before what is seen.
    group
        The column whose words divide the rows into groups with constants of their own.

    Raises
    ------
    InputError
        When a column that was named is not there.
    DataError
        When the file is no table, or has no numbers, no target, too few rows, or a target that never changes.
    """
    path = Path(path).expanduser()
    table, table_format = _read(path)
    table = table.reset_index(drop=True).copy()  # in one piece: a table of a thousand columns comes in a thousand
    if len(table) < 2:
        raise DataError(f"{path}: the table has one row: a law needs several")
    columns = {str(name): look(str(name), table[name]) for name in table.columns}
    if group is not None and group not in columns:
        raise InputError(f"group: there is no column {group!r}: {one_of(group, columns)}")
    draft = Draft(columns, taken=set(columns))
    if HELD_OUT in columns:
        raise DataError(f"{path}: the column {HELD_OUT!r} has a name that the reader uses: rename it, as in held_out")
    try:
        found = find_target(columns, target)
        return _proposed(path, table, table_format, draft, found, dict(features or {}), group)
    except DiscoverError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from None


def add(
    path: str | Path,
    *,
    target: str | None = None,
    features: Mapping[str, str] | None = None,
    group: str | None = None,
    force: bool = False,
) -> tuple[Proposal, Dataset]:
    """Propose a card, write it beside the table, and load the dataset from it.

    Parameters are those of `propose`; `force` overwrites a card that is there.

    Raises
    ------
    InputError
        When there is a card already, or when the dataset cannot be loaded from the one that was written: then nothing
        of it is left behind.
    """
    proposal = propose(path, target=target, features=features, group=group)
    there = proposal.path.exists()
    if there and not force:
        raise InputError(
            f"{proposal.path}: there is a card already: --force overwrites it, --dry-run shows the new one only"
        )
    before = proposal.path.read_bytes() if there else None
    try:
        write_text(proposal.path, proposal.card)
    except OSError as error:
        raise InputError(f"{proposal.path}: the card cannot be written ({error.strerror})") from None
    try:
        return proposal, load_dataset(proposal.path)
    except BaseException as error:
        if before is None:
            proposal.path.unlink(missing_ok=True)
        else:
            proposal.path.write_bytes(before)
        if isinstance(error, DiscoverError):
            message = f"no card was written, for it could not be loaded: {error}; mend the table, or name target "
            raise DataError(message + "and features yourself") from None
        raise


def _read(path: Path) -> tuple[pd.DataFrame, Format | None]:
    """The table, and its format where the name is wrong about it."""
    table = read_table(path)
    if len(table.columns) == 1 and format_of(path) in ("csv", "tsv"):
        header, named = str(table.columns[0]), format_of(path)
        other: Format = "tsv" if named == "csv" else "csv"
        if ("\t" if other == "tsv" else ",") in header:
            return read_table(path, other), other
    return table, None


def card_path(table: Path) -> Path:
    """Where the card of a table goes: beside it, with its stem.

    >>> str(card_path(Path("sweeps/runs.csv.gz")))
    'sweeps/runs.toml'
    """
    name = table.name
    while Path(name).suffix in COMPRESSIONS:
        name = Path(name).stem
    return table.with_name((Path(name).stem or name) + ".toml")


def _proposed(
    path: Path, table: pd.DataFrame, table_format: Format | None, draft: Draft, found: Found, named: dict[str, str],
    group: str | None,
) -> Proposal:  # fmt: skip
    draft.lines += found.reasons
    free = free_columns(draft, found, named, group)
    for number, shares in enumerate(find_mixtures([c for c in free.values() if c.name not in named.values()])):
        symbol = "r" if not number else f"r{number + 1}"
        columns = tuple(shares.columns.values())
        how = "they are divided by their sum" if shares.normalise else "they sum to one on every row"
        if shares.tolerance:
            how = f"they sum to one within {shares.tolerance:g} (tolerance)"
        draft.traits[symbol] = Trait(
            symbol, "mixture", "1", "share of the training data", columns, columns=shares.columns,
            tolerance=shares.tolerance, normalise=shares.normalise,
            why=f"{len(columns)} columns are the shares of a mixture {symbol}: {how}: {listed(columns)}",
        )  # fmt: skip
        free = {name: column for name, column in free.items() if name not in columns}
    if found.names in _AMOUNTS:
        _amount(draft, found.names)
    amount = set(draft.traits) & {"D", "S"}
    assign(draft, free, named)
    if found.names in _AMOUNTS and "D" in amount and "uD" in draft.traits:
        draft.drop_trait("uD", "the tokens stand in the header")
    wide, values, long = _long(table, draft, found)
    left = Rows(long)
    for column, short in draft.aliases.items():
        left.table = left.table.assign(**{short: table[column].reindex(left.table.index)})
    rows.unique(draft, left)
    rows.checkpoints(draft, left, values)
    rows.unfinished(draft, left)
    positive = _positive(draft, left, values, found)
    rows.complete(draft, left, values, positive=positive)
    if len(left.table) < 2:
        raise DataError(f"the table has {len(left.table)} rows with a loss and features: a law needs several")
    losses = left.column(values).finite
    if len(np.unique(losses)) < 2:
        raise DataError(
            f"the target {values!r} is {losses[0]:g} in all {len(losses)} rows: there is nothing to explain"
        )
    unnamed_features(draft, left, free)
    rows.varied(draft, left)
    numbers = rows.computed(draft.traits, left.table)
    fixed = [found.names] if found.names == "domain" else []
    chosen = groups.divide(draft, left, numbers, fixed, group)
    numbers = {symbol: value for symbol, value in numbers.items() if symbol in draft.traits}
    if not draft.traits:
        raise DataError(no_feature(draft))
    rule = hold_out(draft, numbers)
    leftover(draft, left, free, chosen)
    words = [*chosen, *(str(t.column) for t in draft.traits.values() if t.kind == "category")]
    rows.repeated(draft, left, numbers, words)
    return _written(path, table_format, draft, found, left, values, wide, chosen, rule, positive)


def _amount(draft: Draft, names: str) -> None:
    symbol, kind, unit = _AMOUNTS[names]
    name = _unused(draft, names)
    why = f"{symbol} is the number that heads each column of losses"
    draft.traits[symbol] = Trait(symbol, kind, unit, f"training {unit}", (name,), column=name, why=why)  # type: ignore[arg-type]
    draft.taken.add(name)


def _unused(draft: Draft, name: str) -> str:
    """The name, or one like it that no column has."""
    return name if name not in draft.columns else next(
        f"{name}_{number}" for number in range(2, 10_000) if f"{name}_{number}" not in draft.columns
    )  # fmt: skip


def _long(table: pd.DataFrame, draft: Draft, found: Found) -> tuple[dict[str, Any] | None, str, pd.DataFrame]:
    """The key ``wide`` of the card, the column that holds the target, and the table with one row a loss."""
    if not found.wide:
        return None, next(iter(found.columns.values())), table
    named = found.names
    if named in _AMOUNTS:
        named = str(draft.traits[_AMOUNTS[named][0]].column)
    stem = {LOSS: "loss", PERPLEXED: "ppl"}.get(found.metric, "loss" if found.metric.order == 1 else "error")
    names, values = _unused(draft, named), _unused(draft, stem)
    if found.names == "domain" and names != "domain":
        names = _unused(draft, "validation_domain")
    plain = all(name == column for name, column in found.columns.items())
    key = {"names": names, "values": values, "columns": list(found.columns) if plain else dict(found.columns)}
    rest = table.drop(columns=list(found.columns.values()))
    parts = [rest.assign(**dict[str, Any]({names: n, values: table[c]})) for n, c in found.columns.items()]
    long = pd.concat(parts)
    draft.taken |= {names, values}
    order = np.arange(len(long)).reshape(len(parts), len(table)).T.ravel()
    return key, values, long.iloc[order]


def _positive(draft: Draft, left: Rows, values: str, found: Found) -> bool:
    """Whether the target is positive; a few marks such as -1 or 0 for a run that failed do not make it negative."""
    numbers = left.column(values).finite
    low = numbers[numbers <= 0]
    if not len(low):
        return True
    if len(np.unique(low)) == 1 and low[0] in (0, -1) and len(low) <= 0.1 * len(numbers):
        draft.checks.append(f"{len(low)} rows have {values!r} = {low[0]:g}: taken for runs that failed")
        return True
    if found.metric is PERPLEXED:
        raise DataError(f"{values!r} is a perplexity by its name, and has values that are not positive")
    draft.lines.append(f"{values!r} has values that are not positive: target.positive = false")
    return False


def _written(
    path: Path, table_format: Format | None, draft: Draft, found: Found, left: Rows, values: str,
    wide: dict[str, Any] | None, chosen: list[str], rule: str | None, positive: bool,
) -> Proposal:  # fmt: skip
    """The proposal, with the text of its card."""
    where = card_path(path)
    target: dict[str, Any] = {"column": values}
    if found.metric is PERPLEXED:
        short = draft.short(values) if values in draft.columns else values
        target = {"formula": f"log({short})"}
        draft.lines.append("perplexity is no loss: its logarithm is, and laws are of that")
        positive = positive and bool(left.column(values).finite.min() > 1)
    what = "loss" if found.metric.order in (0, 2) else found.metric.name
    target |= {
        "unit": found.metric.unit,
        "meaning": _STAGE[found.stage] + what if found.metric.order < ERROR.order else found.metric.name,
        "positive": None if positive else False,
    }
    if found.metric.order < ERROR.order:
        known = "so the name says" if found.metric.order == 1 else "the usual one, which the name does not say"
        draft.lines.append(f"the target's unit is {found.metric.unit}: {known}")
    else:
        draft.checks.append("the target is no loss by its name: say its unit and meaning in [target]")
    _needed_names(draft, f"{target.get('formula')} {left.drops}")
    count = len(left.table)
    head = {
        "title": where.stem.replace("_", " "),
        "hold_out": rule,
        "labels": [name for name in draft.labels if name not in draft.traits] or None,
        "notes": "Proposed by `discover data add` from the columns of the table: check meanings and units.",
    }
    kept: dict[str, Any] = {**left.keys, "count": count, "drop": left.drops or None}
    tables: dict[str, Any] = {}
    if draft.aliases:
        tables["columns"] = {short: column for column, short in draft.aliases.items()}
    if wide is not None:
        tables["wide"] = wide
    tables["rows"] = kept
    tail: dict[str, Any] = {"group": {"columns": chosen}} if chosen else {}
    tail["target"] = target
    text = card_text(head, {"path": path.name, "format": table_format}, tables, draft.traits, tail)
    draft.lines[:0] = [trait.why for trait in draft.traits.values() if trait.why]
    aside = [f"left aside, {reason}: {listed(names)}" for reason, names in draft.asides.items() if names]
    reasons = (*draft.lines, *aside, f"{count} rows count (rows.count: change it as the table grows)")
    checks = tuple(draft.checks)
    return Proposal(
        text, where, path, target.get("formula") or repr(values), {s: t.source for s, t in draft.traits.items()},
        tuple(chosen), count, rule, (*reasons, *checks), checks,
    )  # fmt: skip


def _needed_names(draft: Draft, rules: str) -> None:
    """Keep the short names that a formula or a rule says."""
    said = set(
        re.findall(r"[A-Za-z0-9_]+", f"{rules} " + " ".join(str(trait.formula) for trait in draft.traits.values()))
    )
    draft.aliases = {column: short for column, short in draft.aliases.items() if short in said}
    for column, short in draft.aliases.items():
        draft.lines.append(f"{column!r} has the short name {short} in formulas and rules")
