"""Datasets: all of them a line each, one in full, and what became of their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from discover.terminal.fits import GROUPS_SHOWN
from discover.terminal.printing import console, counted, new_table, print_json, print_list, print_source, write
from discover.terminal.search import holds

if TYPE_CHECKING:
    from discover.dataset import Dataset
    from discover.dataset_card import DatasetCard, HoldOut, Rows
    from discover.law import Law

SEARCHED = ("name", "title", "notes", "source", "cite", "features", "target", "group", "labels")


def show_datasets(
    cards: Mapping[str, DatasetCard],
    laws: Sequence[Law] | None = None,
    *,
    search: str | None = None,
    as_json: bool = False,
) -> int:
    """Datasets, a line each, those that hold the words of `search`; how many there were. No file is read.

    Parameters
    ----------
    laws
        Laws, to say in JSON which of them can be fitted to a dataset.
    """
    entries = [dataset_card_entry(name, card, laws) for name, card in cards.items()]
    if search is not None:
        entries = [entry for entry in entries if holds(entry, SEARCHED, search)]
    if as_json:
        print_json(entries)
    elif entries:
        print_list(
            [_row(entry, cards[str(entry["name"])]) for entry in entries],
            ("name", "rows", "target", "features", "groups", "hold-out", "source", "title"),
            cut=("features", "title", "hold-out"),
            optional=("source", "title", "groups", "hold-out", "target"),
        )
    return len(entries)


def dataset_card_entry(name: str, card: DatasetCard, laws: Sequence[Law] | None = None) -> dict[str, Any]:
    """What a dataset's card says, as one object for programs."""
    entry = {
        "name": name,
        "title": card.title,
        "rows": card.rows.count,
        "features": {key: feature.model_dump(exclude_none=True) for key, feature in card.features.items()},
        "target": card.target.model_dump(),
        "group": None if card.group is None else card.group.model_dump(exclude_none=True),
        "labels": list(card.labels),
        "hold_out": _plain_rule(card.hold_out),
        "generated": card.generate is not None,
        "licence": card.licence,
        "source": card.cite.short() if card.cite else "",
        "cite": card.cite.model_dump(exclude_none=True) if card.cite else None,
        "files": [file.model_dump(exclude_none=True) for file in card.files],
        "dropped": [drop.model_dump(exclude_none=True) for drop in card.rows.drop],
        "notes": card.notes.strip(),
    }
    return entry if laws is None else {**entry, "laws": fitting_laws(card, laws)}


def fitting_laws(card: DatasetCard, laws: Sequence[Law]) -> list[str]:
    """Names of the laws that can be fitted to the dataset."""
    from discover.matching import why_not

    return [law.name for law in laws if not why_not(law, card.features, card.target.symbol)]


def _plain_rule(rule: HoldOut | None) -> Any:
    return rule if rule is None or isinstance(rule, str) else rule.model_dump()


def _row(entry: Mapping[str, Any], card: DatasetCard) -> dict[str, Any]:
    from discover.dataset_card import describe_hold_out

    features = []
    for name, feature in card.features.items():
        vector = f" ({len(feature.sources())} shares)" if feature.kind == "mixture" else " (words)"
        features.append(f"{name}{vector}" if feature.vector else name)
    return {
        **entry,
        "target": card.target.symbol,
        "features": ", ".join(features),
        "groups": "" if card.group is None else " x ".join(card.group.columns),
        "hold-out": "" if card.hold_out is None else describe_hold_out(card.hold_out),
        "source": "generated" if entry["generated"] else entry["source"],
    }


def show_dataset(
    name: str, card: DatasetCard, dataset: Dataset | None, laws: Sequence[Law], *, as_json: bool = False
) -> None:
    """One dataset in full; without the numbers of its rows where its files could not be read."""
    if as_json:
        print_json({**dataset_card_entry(name, card, laws), **({} if dataset is None else _read_entry(dataset))})
        return
    to = console()
    generated = " (generated)" if card.generate is not None else ""
    write(to, f"{name}{generated}: {card.title}", style="bold")
    if dataset is not None and dataset.generated:
        write(to, f"not measured: {dataset.generated}")
    _show_columns(card, dataset, to)
    for line in _about_vectors(card, dataset):
        write(to, line)
    if card.group is not None:
        write(to, _groups(card, dataset))
    if card.labels:
        write(to, f"columns for row rules: {', '.join(card.labels)}")
    write(to, f"\n{_rows(card, dataset)}")
    for line in _chosen(card.rows):
        write(to, f"  {line}")
    for file in card.files:
        held = " (held out: fetched with --held-out)" if file.held_out else ""
        write(to, f"{file.url or file.path}{held}")
    if card.licence:
        write(to, f"licence: {card.licence}")
    null = {law.name for law in laws if law.kind == "null"}
    fits = fitting_laws(card, laws)
    write(to, f"\nlaws that can be fitted: {', '.join(law for law in fits if law not in null) or 'none'}")
    write(to, f"null laws: {', '.join(law for law in fits if law in null) or 'none'}")
    print_source(to, card.cite, card.notes)


def _read_entry(dataset: Dataset) -> dict[str, Any]:
    """What the rows say, over what the card says."""
    columns, losses, groups = _ranges(dataset), dataset.losses(), dataset.groups()
    return {
        "rows": len(dataset.table),
        "features": {
            name: {**feature.model_dump(exclude_none=True), **columns.get(name, {})}
            for name, feature in dataset.features.items()
        },
        "columns": columns,
        "components": {name: list(parts) for name, parts in dataset.components.items()},
        "groups": None if groups is None else _sizes(groups),
        "target": {**dataset.target.model_dump(), "min": float(losses.min()), "max": float(losses.max())},
        "generated": dataset.generated,
        "sources": dict(dataset.sources),
    }


def _ranges(dataset: Dataset) -> dict[str, dict[str, Any]]:
    return {
        name: {"min": float(column.min()), "max": float(column.max()), "distinct": len(set(column))}
        for name, column in dataset.columns().items()
    }


def _sizes(groups: Any) -> dict[str, int]:
    names = list(groups)
    return {name: names.count(name) for name in dict.fromkeys(names)}


def _show_columns(card: DatasetCard, dataset: Dataset | None, to: Console) -> None:
    """The features and the target; a vector in one row, over all of its components."""
    measured = ("min", "max", "distinct") if dataset is not None else ()
    table = new_table(to)
    table.add_column("symbol", no_wrap=True)
    for heading in ("kind", "unit", "meaning", *measured):
        table.add_column(heading, no_wrap=heading in measured, overflow="fold")
    for name, feature in card.features.items():
        cells = [name, feature.kind, feature.unit, feature.meaning]
        table.add_row(*map(escape, [*cells, *(_measured(dataset, name) if dataset is not None else [])]))
    target = card.target
    cells = [target.symbol, "target", target.unit, target.meaning]
    table.add_row(*map(escape, [*cells, *(_measured(dataset, target.symbol) if dataset is not None else [])]))
    to.print(table)


def _measured(dataset: Dataset, name: str) -> list[str]:
    from discover.mixture import component

    columns = [component(name, part) for part in dataset.components.get(name, ())] or [name]
    values = dataset.table[columns].to_numpy(dtype=float)
    if name in dataset.components and dataset.features[name].kind == "category":
        return ["", "", str(len(columns))]
    distinct = len({tuple(row) for row in values.tolist()})
    return [f"{values.min():.4g}", f"{values.max():.4g}", str(distinct)]


def _about_vectors(card: DatasetCard, dataset: Dataset | None) -> Iterator[str]:
    for name, feature in card.features.items():
        if not feature.vector:
            continue
        parts = list(dataset.components[name]) if dataset is not None else list(feature.sources())
        what = "components of the mixture" if feature.kind == "mixture" else "words of the category"
        yield f"{name}: {len(parts)} {what}: {', '.join(parts)}" if parts else f"{name}: {what} in a column"


def _groups(card: DatasetCard, dataset: Dataset | None) -> str:
    assert card.group is not None
    by = f"by {' and '.join(card.group.columns)}" + (f" ({card.group.meaning})" if card.group.meaning else "")
    if dataset is None or (groups := dataset.groups()) is None:
        return f"groups {by}, each with constants of its own"
    sizes = _sizes(groups)
    shown = ", ".join(f"{name} ({rows} rows)" for name, rows in list(sizes.items())[:GROUPS_SHOWN])
    more = f" and {len(sizes) - GROUPS_SHOWN} more (--json has all)" if len(sizes) > GROUPS_SHOWN else ""
    return f"{counted(len(sizes), 'group')} {by}, each with constants of its own: {shown}{more}"


def _rows(card: DatasetCard, dataset: Dataset | None) -> str:
    from discover.dataset_card import OwnFiles, describe_hold_out

    rows = f"{len(dataset.table) if dataset is not None else card.rows.count or 'unknown number of'} rows"
    if card.hold_out is None:
        return f"{rows}; no hold-out"
    if isinstance(card.hold_out, OwnFiles):
        return f"{rows}; held out: {describe_hold_out(card.hold_out)}, not read here"
    held = f" ({int(dataset.held_out_rows().sum())} rows)" if dataset is not None else ""
    return f"{rows}; held out: {describe_hold_out(card.hold_out)}{held}"


def _chosen(rows: Rows) -> Iterator[str]:
    """Which rows of the files count, and why others do not."""
    if rows.unique:
        yield "dropped: rows that repeat another in every column"
    if rows.last is not None:
        of = rows.last.of if isinstance(rows.last.of, str) else ", ".join(rows.last.of)
        yield f"kept: the last row of each {of}, by {rows.last.by}"
    if rows.keep is not None:
        yield f"kept: {' '.join(rows.keep.split())}"
    for drop in rows.drop:
        rule = drop.where if drop.where is not None else f"the {drop.largest} largest {drop.of}"
        count = f", {counted(drop.count, 'row')}" if drop.count is not None else ""
        yield f"dropped: {' '.join(rule.split())}{count}: {drop.because}"
    if rows.best is not None:
        yield f"kept: the row with the smallest {rows.best.by} of each {', '.join(rows.best.of)}"


def show_fetched(entries: Sequence[Mapping[str, Any]], *, as_json: bool = False) -> None:
    """What became of each dataset's files: rows, files, files left alone, and the error where there was one."""
    if as_json:
        print_json(list(entries))
        return
    rows = []
    for entry in entries:
        left = entry["held_out_files"]
        left = f"{counted(left, 'held-out file')} not fetched (--held-out fetches them)" if left else ""
        rows.append({**entry, "": entry["error"] or left})
    said = ("",) if any(row[""] for row in rows) else ()
    print_list(rows, ("name", "rows", "files", *said))
