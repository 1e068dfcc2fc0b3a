"""What the command prints: tables on a terminal, plain lines elsewhere, JSON for programs."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from discover.runs import RunFolder, json_ready

if TYPE_CHECKING:
    from discover.cite import Cite
    from discover.dataset import Dataset, DatasetCard
    from discover.doctor import Finding
    from discover.experiment import ExperimentCard
    from discover.fitted import Fitted
    from discover.fitting import AnyFit, Fit
    from discover.law import Law
    from discover.result import Result

FOUND_SHOWN = 8  # found laws of a leaderboard on the terminal; the file has all
GROUPS_SHOWN = 6
T = TypeVar("T")
Report = Callable[[str], None]


def _console() -> Console:
    # Elsewhere than on a terminal, lines are as long as they need to be: nothing is folded or cut.
    return Console() if sys.stdout.isatty() else Console(width=200, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON; NaN and infinities are null."""
    print(json.dumps(json_ready(value), indent=2, ensure_ascii=False))


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Where progress goes: a line that changes on a terminal, plain lines on standard error elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda message: print(message, file=sys.stderr, flush=True)
        return
    with console.status("starting") as status:

        def report(message: str) -> None:
            console.print(f"[dim]{escape(message)}[/dim]")
            status.update(escape(message))

        yield report


def told(report: Report, function: Callable[[str], T], name: str) -> T:
    """Call `function` with `name`, after saying so."""
    report(name)
    return function(name)


def show_result(result: Result, *, as_json: bool = False) -> None:
    """The leaderboard, the chosen law, the verdict, and what to do next."""
    board = result.leaderboard
    if as_json:
        print_json(
            {
                "run": str(result.folder.path),
                "dataset": result.dataset.name,
                "generated": bool(result.dataset.generated),
                "selected": result.selected.law.name if result.selected else None,
                "verdict": result.verdict(),
                "leaderboard": [
                    {**row, "constants": json.loads(row["constants"])} for row in board.to_dict(orient="records")
                ],
            }
        )
        return
    console = _console()
    table = Table(title=f"{escape(result.dataset.label)}: held-out rows, best first", title_justify="left")
    for heading in ("law", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("formula", overflow="fold", max_width=60)
    for heading in ("const.", "train", "inner", "held-out", "MAPE %"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = _shown(board)
    for row in shown.to_dict(orient="records"):
        mark = "* " if row["selected"] else "  "
        insane = "" if row["sane"] else " (not sane)"
        cells = [mark + row["law"], row["kind"] + insane, row["formula"], str(row["n_constants"])]
        cells += [_error(row[key]) for key in ("train_rmse", "inner_rmse", "heldout_rmse")] + [
            _percent(row["heldout_mape"])
        ]
        table.add_row(*map(escape, cells), style="bold green" if row["selected"] else None)
    console.print(table)
    hidden = len(board) - len(shown)
    if hidden:
        console.print(
            f"and {hidden} more found laws in leaderboard.csv; errors are RMSE in {escape(result.dataset.target.unit)}"
        )
    if result.dataset.generated:
        console.print(f"These rows were not measured: they were {escape(result.dataset.generated)}.")
    if result.selected is not None:
        fit = result.selected.fit
        console.print(f"\nchosen (*): {result.dataset.target.symbol} = {escape(fit.law.formula)}", highlight=False)
        for group, part in _some_parts(fit, console):
            if group:
                console.print(f"  {escape(group)}:", highlight=False)
            for name, value in part.values.items():
                console.print(f"  {name} = {_with_error(value, part.errors[name])}", highlight=False)
    console.print(escape(result.verdict()), highlight=False)
    console.print(f"\nrun folder: {escape(str(result.folder.path))}", highlight=False)
    console.print(f"LaTeX:      discover export {escape(str(result.folder.path))} --format latex", highlight=False)


def _some_parts(fit: AnyFit, console: Console) -> list[tuple[str, Fit]]:
    """The fits of the first groups, after saying how many there are."""
    parts = list(fit.parts.items())
    if len(parts) > GROUPS_SHOWN:
        console.print(f"constants of the first {GROUPS_SHOWN} of {len(parts)} groups (--json has all)", highlight=False)
    return parts[:GROUPS_SHOWN]


def _shared(fit: AnyFit) -> Sequence[str]:
    return getattr(fit, "shared", ())


def _shown(board: Any) -> Any:
    """The chosen law, all baselines, and the best few other found laws."""
    others = board[(board["kind"] == "found") & ~board["selected"] & board["sane"]].head(FOUND_SHOWN - 1)
    return board[(board["kind"] != "found") | board["selected"] | board.index.isin(others.index)]


def _error(value: float) -> str:
    return f"{value:.4f}" if value < 1e4 else "inf"


def _percent(value: float) -> str:
    return f"{value:.2f}" if value < 1e4 else "inf"


def _with_error(value: float, error: float | None) -> str:
    from discover.export import rounded

    return str(rounded(value, error))


def show_experiments(cards: Mapping[str, ExperimentCard], *, as_json: bool = False) -> None:
    """All experiments, a line each."""
    entries = [{"name": name, **card.model_dump(exclude_none=True)} for name, card in cards.items()]
    _list(entries, ("name", "dataset", "title"), as_json)


def show_runs(folders: Sequence[RunFolder], *, as_json: bool = False) -> None:
    """All runs, a line each."""
    entries = []
    for folder in folders:
        manifest = folder.manifest
        dataset = folder.dataset
        entries.append(
            {
                "run": str(folder.path),
                "state": manifest.get("state", "unknown"),
                "start": manifest.get("start", ""),
                "dataset": f"{dataset.get('name', '')}{' (generated)' if dataset.get('generated') else ''}",
            }
        )
    _list(entries, ("run", "state", "start", "dataset"), as_json)


def show_laws(laws: Sequence[Law], *, as_json: bool = False) -> None:
    """All laws, a line each."""
    entries = [law_entry(law) for law in laws]
    if as_json:
        print_json(entries)
    else:
        rows = [{**entry, "features": ", ".join(entry["features"])} for entry in entries]
        _list(rows, ("name", "kind", "features", "formula", "source"), False)


def law_entry(law: Law) -> dict[str, Any]:
    """A law as one object for programs."""
    return {
        "name": law.name,
        "title": law.title,
        "kind": law.kind,
        "target": law.target,
        "unit": law.unit,
        "formula": law.formula,
        "let": dict(law.let),
        "features": dict(law.features),
        "constants": {name: constant.model_dump(exclude_none=True) for name, constant in law.constants.items()},
        "published": [published.model_dump(exclude_none=True) for published in law.published],
        "source": law.cite.short() if law.cite else "",
        "cite": law.cite.model_dump(exclude_none=True) if law.cite else None,
        "unverified": law.unverified,
        "complexity": law.complexity,
        "notes": law.notes.strip(),
    }


def show_law(law: Law, *, as_json: bool = False) -> None:
    """One law in full."""
    if as_json:
        print_json(law_entry(law))
        return
    console = _console()
    console.print(f"[bold]{escape(law.name)}[/bold]: {escape(law.title)} ({law.kind})", highlight=False)
    console.print(f"\n  {law.target} = {escape(law.formula)}", highlight=False)
    for name, text in law.let.items():
        console.print(f"  {name} = {escape(text)}", highlight=False)
    console.print(f"\n{law.target} in {escape(law.unit)}", highlight=False)
    for name, meaning in law.features.items():
        console.print(f"  {name}: {escape(meaning)}", highlight=False)
    table = Table("constant", "meaning", *[f"({number})" for number in range(1, len(law.published) + 1)])
    for name, constant in law.constants.items():
        values = [_with_error(p.values[name], p.errors.get(name)) for p in law.published]
        table.add_row(name, escape(constant.meaning), *values)
    console.print(table)
    for number, published in enumerate(law.published, start=1):
        mark = " [unverified]" if published.unverified or law.unverified else ""
        console.print(escape(f"({number}) {published.source}; {published.on}{mark}"), highlight=False)
    _print_source(console, law.cite, law.notes)


def _print_source(console: Console, cite: Cite | None, notes: str) -> None:
    if cite is not None:
        address = f" arXiv:{cite.arxiv}" if cite.arxiv else ""
        console.print(escape(f"\n{cite.authors} ({cite.year}). {cite.title}.{address}"), highlight=False)
    if notes:
        console.print(escape(f"\n{notes.strip()}"), highlight=False)


def show_datasets(cards: Mapping[str, DatasetCard], *, as_json: bool = False) -> None:
    """All datasets, a line each; no file is read."""
    entries = []
    for name, card in cards.items():
        entries.append(
            {
                "name": name,
                "title": card.title,
                "rows": card.rows.count,
                "features": {key: feature.model_dump(exclude_none=True) for key, feature in card.features.items()},
                "target": card.target.model_dump(),
                "hold_out": card.hold_out
                if card.hold_out is None or isinstance(card.hold_out, str)
                else card.hold_out.model_dump(),
                "generated": card.generate is not None,
                "licence": card.licence,
                "source": card.cite.short() if card.cite else "",
                "files": [file.model_dump(exclude_none=True) for file in card.files],
            }
        )
    if as_json:
        print_json(entries)
        return
    rows = []
    for entry in entries:
        origin = "generated" if entry["generated"] else entry["source"]
        rows.append({**entry, "features": ", ".join(cards[str(entry["name"])].features), "source": origin})
    _list(rows, ("name", "rows", "features", "hold_out", "source", "title"), False)


def show_dataset(dataset: Dataset, *, as_json: bool = False) -> None:
    """One dataset in full."""
    from discover.dataset_card import OwnFiles, describe_hold_out

    columns = {
        name: {"min": float(c.min()), "max": float(c.max()), "distinct": len(set(c))}
        for name, c in dataset.columns().items()
    }
    losses = dataset.losses()
    groups = None if not dataset.grouped else list(dataset.groups())  # type: ignore[arg-type]
    if as_json:
        print_json(
            {
                "name": dataset.name,
                "title": dataset.title,
                "rows": len(dataset.table),
                "features": {
                    name: {**feature.model_dump(exclude_none=True), **columns.get(name, {})}
                    for name, feature in dataset.features.items()
                },
                "columns": columns,
                "components": {name: list(parts) for name, parts in dataset.components.items()},
                "groups": None if groups is None else {name: groups.count(name) for name in dict.fromkeys(groups)},
                "target": {**dataset.target.model_dump(), "min": float(losses.min()), "max": float(losses.max())},
                "hold_out": dataset.hold_out
                if dataset.hold_out is None or isinstance(dataset.hold_out, str)
                else dataset.hold_out.model_dump(),
                "generated": dataset.generated,
                "licence": dataset.licence,
                "sources": dict(dataset.sources),
            }
        )
        return
    console = _console()
    console.print(f"[bold]{escape(dataset.label)}[/bold]: {escape(dataset.title)}", highlight=False)
    if dataset.generated:
        console.print(f"not measured: {escape(dataset.generated)}", highlight=False)
    table = Table("symbol", "kind", "unit", "meaning", "min", "max", "distinct")
    for name, feature in dataset.scalars.items():
        found = columns[name]
        table.add_row(
            name,
            feature.kind,
            escape(feature.unit),
            escape(feature.meaning),
            f"{found['min']:.4g}",
            f"{found['max']:.4g}",
            str(found["distinct"]),
        )
    target = dataset.target
    table.add_row(
        target.symbol,
        "target",
        escape(target.unit),
        "",
        f"{losses.min():.4g}",
        f"{losses.max():.4g}",
        str(len(set(losses))),
    )
    console.print(table)
    if groups is not None:
        names = list(dict.fromkeys(groups))
        shown = ", ".join(f"{name} ({groups.count(name)} rows)" for name in names[:GROUPS_SHOWN])
        more = f" and {len(names) - GROUPS_SHOWN} more" if len(names) > GROUPS_SHOWN else ""
        console.print(f"{len(names)} groups, each with constants of its own: {escape(shown)}{more}", highlight=False)
    rule = dataset.hold_out
    if isinstance(rule, OwnFiles):
        console.print(f"{len(dataset.table)} rows; held out: files of their own, not read here", highlight=False)
    elif rule is not None:
        held = int(dataset.held_out_rows().sum())
        console.print(f"{len(dataset.table)} rows; held out: {describe_hold_out(rule)} ({held} rows)", highlight=False)
    else:
        console.print(f"{len(dataset.table)} rows; no hold-out", highlight=False)
    for source in dataset.sources:
        console.print(escape(source), highlight=False)
    if dataset.licence:
        console.print(f"licence: {escape(dataset.licence)}", highlight=False)
    _print_source(console, dataset.cite, dataset.notes)


def show_fetched(datasets: Sequence[Dataset], *, as_json: bool = False) -> None:
    """Datasets whose files are here and agree with their cards."""
    _list(
        [{"name": d.label, "rows": len(d.table), "files": len(d.sources)} for d in datasets],
        ("name", "rows", "files"),
        as_json,
    )


def show_fit(fitted: Fitted, *, as_json: bool = False) -> None:
    """A fit as a report: constants with errors, quality, and what to beware of."""
    if as_json:
        print_json(fitted.as_record())
        return
    console, fit, unit = _console(), fitted.fit, escape(fitted.dataset.target.unit)
    console.print(
        f"[bold]{escape(fit.law.name)}[/bold] on {escape(fitted.dataset.label)}: {fit.n_rows} rows", highlight=False
    )
    console.print(f"\n  {fit.law.target} = {escape(fit.law.formula)}", highlight=False)
    for name, text in fit.law.let.items():
        console.print(f"  {name} = {escape(text)}", highlight=False)
    for group, part in _some_parts(fit, console):
        title = f"{escape(group)}: {part.n_rows} rows" if group else None
        table = Table("constant", "value", "standard error", "meaning", title=title, title_justify="left")
        for name, value in part.values.items():
            meaning = fit.law.parameters[name].meaning + (", shared by all groups" if name in _shared(fit) else "")
            table.add_row(name, f"{value:.6g}", f"{part.errors[name]:.2g}", escape(meaning))
        console.print(table)
    console.print(
        f"{fit.objective}: {fit.loss:.6g}; {fit.agreement:.0%} of {fit.n_starts} starts agree", highlight=False
    )
    for label, score in (("fit", fitted.score), ("held out", fitted.held_out)):
        if score is not None:
            text = f"RMSE {score.rmse:.4g} {unit}, MAPE {score.mape:.3g} %, R2 {score.r2:.4f} ({score.n_rows} rows)"
            console.print(f"{label}: {text}", highlight=False)
    for warning in fit.warnings:
        console.print(f"[yellow]warning[/yellow]: {escape(warning.message)}", highlight=False)


def show_findings(findings: Sequence[Finding], *, as_json: bool = False) -> None:
    """What the doctor found."""
    entries = [{"name": f.name, "status": f.status, "detail": f.detail, "advice": f.advice} for f in findings]
    _list(entries, ("name", "status", "detail", "advice"), as_json)


def _list(entries: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print_json(list(entries))
        return
    table = Table(*columns)
    for entry in entries:
        table.add_row(*[escape("" if entry.get(column) is None else str(entry.get(column))) for column in columns])
    _console().print(table)
