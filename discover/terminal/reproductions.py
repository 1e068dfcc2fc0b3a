"""Published numbers beside ours, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from discover.terminal.printing import print_json, print_list

if TYPE_CHECKING:
    from discover.reproductions import Number, Reproduced


def show_reproductions(results: Sequence[Reproduced], *, as_json: bool = False) -> None:
    """All numbers of reproductions: errors of the published constants, and errors and constants of fits."""
    if as_json:
        print_json([_entry(result) for result in results])
        return
    lines = [line for result in results for line in _lines(result)]
    columns = ("law", "source", "dataset", "number", "published", "ours", "digits")
    print_list(lines, columns, cut=("source",))


def _entry(result: Reproduced) -> dict[str, Any]:
    return {
        "law": result.law.name,
        "source": result.published.source if result.published else None,
        "dataset": result.reproduction.dataset,
        "group": result.reproduction.group,
        "rows": result.n_rows,
        "errors": {number.name: _numbers(number) for number in result.errors},
        "refit_errors": {number.name: _numbers(number) for number in result.refit_errors},
        "constants": {number.name: _numbers(number) for number in result.constants},
        "because": result.reproduction.because,
    }


def _numbers(number: Number) -> dict[str, Any]:
    return {"published": number.published, "ours": number.ours, "digits": number.digits(), "agrees": number.agrees()}


def _lines(result: Reproduced) -> Iterator[dict[str, str]]:
    where = " ".join(filter(None, [result.reproduction.dataset, result.reproduction.group]))
    source = result.published.source if result.published else ""
    kinds = ((result.errors, ""), (result.refit_errors, " (fitted here)"), (result.constants, ""))
    for numbers, mark in kinds:
        for number in numbers:
            digits = number.digits()
            yield {
                "law": result.law.name,
                "source": source,
                "dataset": where,
                "number": f"{number.name}{mark}",
                "published": number.text(),
                "ours": f"{number.ours:.5g}",
                "digits": "" if digits is None else "all" if number.agrees() else str(digits),
            }
