"""A fit as a report: constants with errors, quality, and what to beware of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from discover.terminal.printing import console, new_table, print_json, write

if TYPE_CHECKING:
    from discover.fitted import Fitted
    from discover.fitting import AnyFit, Fit

GROUPS_SHOWN = 6


def show_fit(fitted: Fitted, *, as_json: bool = False) -> None:
    """A fit as a report."""
    if as_json:
        print_json(fitted.as_record())
        return
    to, fit, unit = console(), fitted.fit, fitted.dataset.target.unit
    write(to, f"{fit.law.name} on {fitted.dataset.label}: {fit.n_rows} rows", style="bold")
    if fitted.held_out is None and isinstance(fitted.dataset.hold_out, str):
        write(to, f"(those that {fitted.dataset.hold_out!r} would hold out are among them; --hold-out leaves rows out)")
    write(to, f"\n  {fit.law.target} = {fit.law.formula}")
    for name, text in fit.law.let.items():
        write(to, f"  {name} = {text}")
    for group, part in some_parts(fit, to):
        title = f"{escape(group)}: {part.n_rows} rows" if group else None
        table = new_table(to, "constant", "value", "standard error", "meaning", title=title)
        for name, value in part.values.items():
            meaning = fit.law.parameters[name].meaning + (", shared by all groups" if name in shared(fit) else "")
            table.add_row(name, f"{value:.6g}", f"{part.errors[name]:.2g}", escape(meaning))
        to.print(table)
    write(to, f"{fit.objective}: {fit.loss:.6g}; {fit.agreement:.0%} of {fit.n_starts} starts agree")
    for label, score in (("fit", fitted.score), ("held out", fitted.held_out)):
        if score is not None:
            text = f"RMSE {score.rmse:.4g} {unit}, MAPE {score.mape:.3g} %, R2 {score.r2:.4f} ({score.n_rows} rows)"
            write(to, f"{label}: {text}")
    for warning in fit.warnings:
        to.print(f"[yellow]warning[/yellow]: {escape(warning.message)}", highlight=False)


def some_parts(fit: AnyFit, to: Console) -> list[tuple[str, Fit]]:
    """The fits of the first groups, after saying how many there are."""
    parts = list(fit.parts.items())
    if len(parts) > GROUPS_SHOWN:
        write(to, f"constants of the first {GROUPS_SHOWN} of {len(parts)} groups (--json has all)")
    return parts[:GROUPS_SHOWN]


def shared(fit: AnyFit) -> Sequence[str]:
    """Names of the constants with one value for all groups."""
    return getattr(fit, "shared", ())
