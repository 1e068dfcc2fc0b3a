"""Reproductions of published numbers as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from discover.reproductions import Number, Reproduced

_OPENING = """# Published numbers, computed anew

Made by `discover reproduce --output docs/reproductions.md`; no number on this page is typed. For each law with a published figure on a
dataset that can be downloaded: what its source gives, what the law gives here with the published constants, and what a fit to the same rows gives.
*Digits* are the leading digits in which ours agrees with the published number, of those that it shows. RMSE and MAE are in the
unit of the target, MAPE in percent; *loss* is the objective that was minimised, summed over rows; *RMSE of log, mean over groups* is the root mean squared
error of the logarithm within each group, averaged over the groups. The published numbers stand on the law cards in `baselines/`.
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
    lines = ["| error | published | with the published constants | digits | fitted here | digits |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name in with_published or with_fit:
        one, other = with_published.get(name), with_fit.get(name)
        known = one or other
        shown = "" if known is None or known.published is None else f"{known.published:g}"
        lines.append(f"| {_METRICS[name]} | {shown} | {_ours(one)} | {_digits(one)} | {_ours(other)} | {_digits(other)} |")
    return lines


def _constants(constants: Sequence[Number]) -> list[str]:
    lines = ["| constant | published | fitted here | digits | difference in published errors |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for number in constants:
        off = number.in_errors()
        shown = "" if off is None else f"{off:+.2f}"
        lines.append(f"| {number.name} | {number.published:g} | {_ours(number)} | {_digits(number)} | {shown} |")
    return lines


def _ours(number: Number | None) -> str:
    return "" if number is None else f"{number.ours:.5g}"


def _digits(number: Number | None) -> str:
    if number is None or number.published is None:
        return ""
    return "all" if number.agrees() else str(number.digits())
