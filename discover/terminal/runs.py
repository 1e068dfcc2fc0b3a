"""Lists of what is not knowledge: experiments, runs, and what the doctor found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from discover.errors import InputError
from discover.terminal.printing import print_json, print_list

if TYPE_CHECKING:
    from discover.doctor import Finding
    from discover.experiment import ExperimentCard
    from discover.runs import RunFolder


def show_experiments(cards: Mapping[str, ExperimentCard], *, as_json: bool = False) -> None:
    """All experiments, a line each."""
    entries = [{"name": name, **card.model_dump(exclude_none=True)} for name, card in cards.items()]
    _show(entries, ("name", "dataset", "title"), as_json)


def show_runs(folders: Sequence[RunFolder], *, as_json: bool = False) -> None:
    """All runs, a line each; one whose manifest cannot be read hides none of the others."""
    entries = []
    for folder in folders:
        try:
            manifest, dataset = folder.manifest, folder.dataset
        except InputError:
            manifest, dataset = {"state": "unreadable"}, {}
        entries.append(
            {
                "run": str(folder.path),
                "state": manifest.get("state", "unknown"),
                "start": manifest.get("start", ""),
                "dataset": f"{dataset.get('name', '')}{' (generated)' if dataset.get('generated') else ''}",
            }
        )
    _show(entries, ("run", "state", "start", "dataset"), as_json)


def show_findings(findings: Sequence[Finding], *, as_json: bool = False) -> None:
    """What the doctor found."""
    entries = [{"name": f.name, "status": f.status, "detail": f.detail, "advice": f.advice} for f in findings]
    _show(entries, ("name", "status", "detail", "advice"), as_json)


def _show(entries: list[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    if as_json:
        print_json(entries)
    else:
        print_list(entries, columns)
