"""A fit as a report: constants with errors, quality, and what to beware of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from discover.terminal.printing import console, new_table, print_json, with_error, write
from discover.terminal.sanity import show_sanity

if TYPE_CHECKING:
    from discover.fitted import Fitted
    from discover.fitting import AnyFit, Fit
    from discover.sanity import SanityCard

GROUPS_SHOWN = 6
STATES = {
    "certain": "green",
    "at_bound": "yellow",
    "starts_disagree": "yellow",
    "undetermined": "red",
}


def show_fit(fitted: Fitted, sanity: SanityCard | None = None, *, as_json: bool = False) -> None:
    """A fit as a report, with the sanity card where it is wanted."""
    record = fitted.as_record()
    if sanity is not None:
        record["sanity"] = sanity.as_record()
    if as_json:
        print_json(record)
        return
    to, fit, unit = console(), fitted.fit, fitted.dataset.target.unit
    write(to, f"{fit.law.name} on {fitted.dataset.label}: {fit.n_rows} rows", style="bold")
    if fitted.held_out is None and isinstance(fitted.dataset.hold_out, str):
        write(to, f"(those that {fitted.dataset.hold_out!r} would hold out are among them; --hold-out leaves rows out)")
    if fitted.protocol:
        write(to, f"by the protocol {fitted.protocol}: {fit.law.protocols[fitted.protocol].source}")
    write(to, f"\n  {fit.law.target} = {fit.law.formula}")
    for name, text in fit.law.let.items():
        write(to, f"  {name} = {text}")
    write(to)
    for group, part in some_parts(fit, to):
        own = record["groups"][group] if group else record
        _show_constants(to, fitted, part, own, group)
    write(to, f"{fit.objective}: {fit.loss:.6g}; {fit.agreement:.0%} of {fit.n_starts} starts agree")
    for label, score in (("fit", fitted.score), ("held out", fitted.held_out)):
        if score is not None:
            text = f"RMSE {score.rmse:.4g} {unit}, MAPE {score.mape:.3g} %, R2 {score.r2:.4f} ({score.n_rows} rows)"
            write(to, f"{label}: {text}")
    if len(fit.parts) == 1:
        _show_residuals(to, record)
        _show_worst(to, fit, record["worst_rows"])
    if sanity is not None:
        show_sanity(sanity, to)
    for warning in fit.warnings:
        to.print(f"[yellow]warning[/yellow]: {escape(warning.message)}", highlight=False)


def _show_constants(to: Console, fitted: Fitted, part: Fit, record: Mapping[str, Any], group: str) -> None:
    fit, intervals = fitted.fit, fitted.intervals
    ended = any(entry["low"] is not None for entry in record["constants"].values())
    title = f"{escape(group)}: {part.n_rows} rows" if group else None
    headings = ["constant", "value ± standard error", *([str(intervals)] if ended else []), "meaning"]
    table = new_table(to, *headings, title=title)
    for name, entry in record["constants"].items():
        meaning = fit.law.parameters[name].meaning + (", shared by all groups" if name in shared(fit) else "")
        remark = {True: "", False: " (not determined)"}[math.isfinite(entry["stderr"])]
        if name not in part.free:
            remark = " (tied)" if ended and entry["low"] is not None else " (fixed)"
            remark = remark if entry["stderr"] == 0 or remark == " (tied)" else ""
        cells = [name, with_error(entry["value"], entry["stderr"]) + remark]
        table.add_row(*cells, *([_interval(entry)] if ended else []), escape(meaning))
    for text, entry in record["derived"].items():
        table.add_row(
            escape(text), with_error(entry["value"], entry["stderr"]), *([_interval(entry)] if ended else []), ""
        )
    to.print(table)
    best = record["optimal"]
    if best:
        spread = f" ({best['low']:.3f} to {best['high']:.3f})" if "low" in best else ""
        write(
            to,
            f"compute-optimal at C = 6 N D = {best['compute']:.3g}: N = {best['N']:.3g}, D = {best['D']:.3g}; "
            f"N grows as C**a, a = {with_error(best['a'], best['stderr'])}{spread}",
        )
    status = record["status"]
    to.print(f"[{STATES[status['state']]}]{status['state']}[/]: {escape(status['reason'])}", highlight=False)
    strong = ", ".join(f"{pair['one']} and {pair['other']} {pair['value']:+.3f}" for pair in record["correlations"])
    write(to, f"condition number {record['condition']:.3g}; correlations above 0.9: {strong or 'none'}")


def _interval(entry: Mapping[str, float | None]) -> str:
    low, high = entry.get("low"), entry.get("high")
    if low is None or high is None:
        return ""
    # As many digits as tell the ends apart.
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return f"{low:.5g} to {high:.5g}"
    digits = max(3, 3 + math.floor(math.log10(max(abs(low), abs(high), 1e-300))) - math.floor(math.log10(width)))
    return f"{low:.{digits}g} to {high:.{digits}g}"


def _show_residuals(to: Console, record: Mapping[str, Any]) -> None:
    own = record["residuals"]
    kind = "residuals of the logarithm" if own["logarithmic"] else "residuals"
    write(
        to,
        f"{kind}: median {own['median']:+.2g}, robust deviation {own['spread']:.3g}, deviation {own['deviation']:.3g}, "
        f"largest {own['largest']:.3g}; {own['outliers']} rows beyond 5 robust deviations",
    )


def _show_worst(to: Console, fit: AnyFit, worst: Sequence[Mapping[str, Any]]) -> None:
    if not worst or not fit.law.columns:
        return
    names = list(fit.law.columns)
    if len(names) > 5:  # a mixture: its components do not fit beside the rest
        names = names[:5]
    table = new_table(to, "row", *names, fit.law.target, "by the law", "robust deviations", title="rows that fit worst")
    for row in worst:
        features = [f"{row['features'][name]:.4g}" for name in names]
        table.add_row(
            str(row["row"]), *features, f"{row['target']:.5g}", f"{row['prediction']:.5g}", f"{row['spreads']:+.1f}"
        )
    to.print(table)


def some_parts(fit: AnyFit, to: Console) -> list[tuple[str, Fit]]:
    """The fits of the first groups, after saying how many there are."""
    parts = list(fit.parts.items())
    if len(parts) > GROUPS_SHOWN:
        write(to, f"constants of the first {GROUPS_SHOWN} of {len(parts)} groups (--json has all)")
    return parts[:GROUPS_SHOWN]


def shared(fit: AnyFit) -> Sequence[str]:
    """Names of the constants with one value for all groups."""
    return getattr(fit, "shared", ())
