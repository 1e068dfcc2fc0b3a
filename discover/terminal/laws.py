"""Laws: all of them a line each, or one in full."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from discover.terminal.printing import (
    BORDER,
    console,
    new_table,
    print_json,
    print_list,
    print_source,
    with_error,
    write,
)
from discover.terminal.search import holds

if TYPE_CHECKING:
    from discover.dataset_card import DatasetCard
    from discover.law import Law
    from discover.law_card import Constant, Published

SEARCHED = ("name", "title", "notes", "source", "cite", "features", "formula", "let", "target")
AS_COLUMNS = 3  # published sets that stand beside the constants; more are a table of their own
MEANING = 65  # columns of a terminal that names, meanings, starts and bounds take
UNVERIFIED = "unverified"


def show_laws(
    laws: Sequence[Law],
    datasets: Mapping[str, DatasetCard] | None = None,
    *,
    search: str | None = None,
    as_json: bool = False,
) -> int:
    """Laws, a line each, those that hold the words of `search`; how many there were.

    Parameters
    ----------
    datasets
        Cards of datasets, to say in JSON which of them a law can be fitted to.
    """
    entries = [law_entry(law, datasets) for law in laws]
    if search is not None:
        entries = [entry for entry in entries if holds(entry, SEARCHED, search)]
    if as_json:
        print_json(entries)
    elif entries:
        rows = [
            {
                **entry,
                "features": ", ".join(_feature(name, entry) for name in entry["features"]),
                "mark": UNVERIFIED if _doubtful(entry) else "",
            }
            for entry in entries
        ]
        print_list(
            rows,
            ("name", "kind", "target", "features", "formula", "source", "mark"),
            cut=("formula",),
            optional=("kind", "source", "mark", "target", "features"),
            headings={"mark": ""},
        )
    return len(entries)


def law_entry(law: Law, datasets: Mapping[str, DatasetCard] | None = None) -> dict[str, Any]:
    """A law as one object for programs; with the `datasets` that it can be fitted to, where their cards are given."""
    from discover.export.record import head
    from discover.verification import n_checks

    entry = {
        "name": law.name,
        **head(law),
        "mixtures": list(law.mixtures),
        "components": {name: list(parts) for name, parts in law.components.items()},
        "constants": {name: constant.model_dump(exclude_none=True) for name, constant in law.constants.items()},
        "published": [published.model_dump(exclude_none=True) for published in law.published],
        "checks": n_checks(law),
        "source": law.cite.short() if law.cite else "",
        "cite": law.cite.model_dump(exclude_none=True) if law.cite else None,
        "unverified": law.unverified,
        "complexity": law.complexity,
        "notes": law.notes.strip(),
    }
    return entry if datasets is None else {**entry, "datasets": fitting_datasets(law, datasets)}


def fitting_datasets(law: Law, datasets: Mapping[str, DatasetCard]) -> list[str]:
    """Names of the datasets that have what the law needs."""
    from discover.matching import why_not

    return [name for name, card in datasets.items() if not why_not(law, card.features, card.target.symbol)]


def show_law(
    law: Law, datasets: Mapping[str, DatasetCard], wrong: Sequence[str] = (), *, as_json: bool = False
) -> None:
    """One law in full; `wrong` says which of its numbers are not reproduced."""
    from discover.verification import n_checks

    if as_json:
        print_json({**law_entry(law, datasets), "problems": list(wrong)})
        return
    to = console()
    write(to, f"{law.name}: {law.title}", style="bold")
    write(to, law.kind + (f", {UNVERIFIED}: quoted from memory, not seen in a source" if law.unverified else ""))
    _show_formula(law, to)
    _show_symbols(law, to)
    sets = [
        [with_error(published.values[name], published.errors.get(name)) for name in law.parameters]
        for published in law.published
    ]
    beside = len(sets) <= AS_COLUMNS and (not to.is_terminal or to.width >= MEANING + _width(sets))
    _show_constants(law, sets if beside else [], to)
    _show_sets(law, [] if beside else sets, to)
    if law.published:
        checks, failed = n_checks(law), sum(".checks." in problem for problem in wrong)
        state = f"{checks - failed} of {checks} reproduced" if checks else "none is known"
        write(to, f"\nnumbers of the sources to check by: {state}")
    fits = fitting_datasets(law, datasets)
    write(to, f"\ncan be fitted to: {', '.join(fits) or 'no dataset of the registry'}")
    print_source(to, law.cite, law.notes)


def _show_formula(law: Law, to: Console) -> None:
    from discover.terminal.drawing import drawn

    lines = drawn(law, width=to.width - 2, unicode="utf" in (sys.stdout.encoding or "").lower())
    if lines and (law.let or lines != [f"{law.target} = {law.formula}"]):
        write(to, "\n" + "\n".join(f"  {line}".rstrip() for line in lines))
    write(to, f"\n  {law.target} = {law.formula}")
    for name, text in law.let.items():
        write(to, f"  {name} = {text}")


def _show_symbols(law: Law, to: Console) -> None:
    write(to, f"\n{law.target} in {law.unit or 'no unit'}")
    for name, meaning in law.features.items():
        vector = "a vector: " if name in law.mixtures else ""
        parts = f" ({', '.join(law.components[name])})" if name in law.components else ""
        write(to, f"{name}: {vector}{meaning}{parts}")
    if law.any_feature:
        write(to, f"{next(iter(law.features))} stands for any one feature")


def _show_constants(law: Law, sets: Sequence[Sequence[str]], to: Console) -> None:
    from discover.mixture import vectors

    constants: Mapping[str, Constant] = law.parameters if law.bound else law.constants
    inside = {} if law.bound else vectors(law.expression)
    table = new_table(to)
    table.add_column("constant", no_wrap=True)
    for number in range(1, len(sets) + 1):
        table.add_column(f"({number})", no_wrap=True)
    for heading in ("meaning", "starts", "bounds"):
        table.add_column(heading, overflow="fold")
    for place, (name, constant) in enumerate(constants.items()):
        remarks = [constant.meaning, f"one a component of {inside[name]}" if name in inside else ""]
        remarks.append("shared by all groups" if constant.shared else "")
        meaning = "; ".join(filter(None, remarks))
        table.add_row(name, *(values[place] for values in sets), escape(meaning), _starts(constant), _bounds(constant))
    write(to)
    to.print(table)


def _starts(constant: Constant) -> str:
    low, high = constant.range
    return f"{low:g} to {high:g}{' (log)' if constant.log else ''}"


def _bounds(constant: Constant) -> str:
    low, high = constant.lower, constant.upper
    if math.isfinite(high):
        return f"{low:g} to {high:g}" if math.isfinite(low) else f"<= {high:g}"
    return "" if not math.isfinite(low) else "> 0" if constant.positive and low == 0 else f">= {low:g}"


def _show_sets(law: Law, sets: Sequence[Sequence[str]], to: Console) -> None:
    """What each published set holds for; before it, a row a set where the values do not stand beside the constants."""
    in_a_table = bool(sets) and (
        not to.is_terminal or _width(list(zip(law.parameters, *sets, strict=True))) <= to.width
    )
    if in_a_table:
        table = new_table(to)
        for name in ("", *law.parameters):
            table.add_column(name, no_wrap=True)
        for number, values in enumerate(sets, start=1):
            table.add_row(f"({number})", *values)
        write(to)
        to.print(table)
    for number, published in enumerate(law.published, start=1):
        write(to, f"({number}) {_holds_for(law, published)}")
        if sets and not in_a_table:
            pairs = zip(law.parameters, sets[number - 1], strict=True)
            write(to, f"    {', '.join(f'{name} = {value}' for name, value in pairs)}")
        if published.note:
            write(to, f"    {published.note.strip()}")


def _width(columns: Sequence[Sequence[str]]) -> int:
    """Of a table with these columns, and one of the numbers of the sets."""
    return sum(max(map(len, column)) + BORDER for column in columns) + len("(10)") + BORDER + 1


def _holds_for(law: Law, published: Published) -> str:
    mark = f" [{UNVERIFIED}]" if published.unverified or law.unverified else ""
    return f"{'; '.join(filter(None, (published.source, published.on)))}{mark}"


def _feature(name: str, entry: Mapping[str, Any]) -> str:
    return f"{name} (vector)" if name in entry["mixtures"] else name


def _doubtful(entry: Mapping[str, Any]) -> bool:
    """Whether the form, or every set of its constants, was not seen in a source."""
    sets = entry["published"]
    return bool(entry["unverified"] or (sets and all(published["unverified"] for published in sets)))
