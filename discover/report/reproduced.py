"""Reproductions of published numbers as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from discover.reproductions import Number, Reproduced

_OPENING = """# Published numbers, computed anew

Made by `discover reproduce --output docs/reproductions.md`; no number on this page is typed. For each law with a
published figure on a dataset that can be downloaded: what its source gives, what the law gives here with the published
constants, and what a fit to the same rows gives. *Digits* are the leading digits in which ours agrees with the
published number, of those that it shows. RMSE and MAE are in the unit of the target, MAPE in percent; *loss* is the
objective that was minimised, summed over rows; *RMSE of log, mean over groups* is the root mean squared error of the
logarithm within each group, averaged over the groups. *Computed before* stands above errors that the source does not
print: independent computations with its constants. The numbers stand on the law cards in `baselines/`.
"""
_METRICS = {
    "rmse": "RMSE",
    "mae": "MAE",
    "mape": "MAPE",
    "r2": "R2",
    "loss": "loss",
    "rmse_log": "RMSE of log",
    "rmse_log_of_groups": "RMSE of log, mean over groups",
}


def reproductions_page(results: Iterable[Reproduced]) -> str:
    """The page: a section a law, with its errors and constants."""
    sections = [_OPENING]
    for law, of_law in groupby(results, key=lambda result: result.law.name):
        first, *others = of_law
        sections.append(f"## `{law}`: {first.law.title}\n")
        sections += [_section(result) for result in (first, *others)]
    return "\n".join(sections)


def _section(result: Reproduced) -> str:
    reproduction = result.reproduction
    source = result.published.source if result.published is not None else _without_constants(result)
    where = f"`{reproduction.dataset}`"
    where += f", group {reproduction.group}" if reproduction.group else ""
    where += f", rows `{reproduction.rows}`" if reproduction.rows else ""
    lines = [f"**{source}**, on {where}: {result.n_rows} rows.", "", *_errors(result)]
    if result.constants:
        lines += ["", *_constants(result.constants)]
    if result.fit is not None:
        fixed = f", {' and '.join(reproduction.fixed)} held at the published values" if reproduction.fixed else ""
        lines += ["", f"The fit minimises {result.fit.objective}{fixed}; {_agreement(result)}"]
    if reproduction.because:
        lines += ["", f"Where they differ: {reproduction.because}."]
    return "\n".join(lines) + "\n"


def _without_constants(result: Reproduced) -> str:
    return result.law.cite.short() if result.law.cite is not None else result.law.title


def _agreement(result: Reproduced) -> str:
    fit = result.fit
    assert fit is not None  # asked for a fit only
    if list(fit.parts) == [""]:
        return f"{fit.agreement:.0%} of {fit.n_starts} starts agree."
    shares = sorted(part.agreement for part in fit.parts.values())
    return f"{len(shares)} groups, of whose starts {shares[len(shares) // 2]:.0%} agree at the median."


def _errors(result: Reproduced) -> list[str]:
    with_published = {number.name: number for number in result.errors}
    with_fit = {number.name: number for number in result.refit_errors}
    columns = [("with the published constants", with_published), ("fitted here", with_fit)]
    columns = [(heading, numbers) for heading, numbers in columns if numbers]
    origin = "published" if result.reproduction.printed else "computed before"
    cells = [["error", origin, *(text for heading, _ in columns for text in (heading, "digits"))]]
    cells.append(["---"] * len(cells[0]))
    for name, known in columns[0][1].items():
        row = [_METRICS[name], known.text()]
        cells.append(
            [*row, *(text for _, numbers in columns for text in (_ours(numbers[name]), _digits(numbers[name])))]
        )
    return [f"| {' | '.join(row)} |" for row in cells]


def _constants(constants: Sequence[Number]) -> list[str]:
    lines = ["| constant | published | fitted here | digits | difference in published errors |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for number in constants:
        off = number.in_errors()
        shown = "" if off is None else f"{off:+.2f}"
        lines.append(f"| {number.name} | {number.published:g} | {_ours(number)} | {_digits(number)} | {shown} |")
    return lines


def _ours(number: Number) -> str:
    return f"{number.ours:.5g}"


def _digits(number: Number) -> str:
    if number.published is None:
        return ""
    return "all" if number.agrees() else str(number.digits())
