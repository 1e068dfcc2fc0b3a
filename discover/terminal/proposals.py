"""The card that is proposed for a user's own table: what was seen, the card, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from discover.terminal.printing import console, print_json, write

if TYPE_CHECKING:
    from discover.dataset import Dataset
    from discover.law import Law
    from discover.proposal import Proposal


def show_proposal(proposal: Proposal, dataset: Dataset | None, laws: Sequence[Law], *, as_json: bool = False) -> None:
    """What was seen, the card, and what to do next; `dataset` is what the card gave, `None` where none was written."""
    if as_json:
        entry = {**asdict(proposal), "path": str(proposal.path), "table": str(proposal.table)}
        print_json({**entry, "written": dataset is not None})
        return
    to = console()
    for reason in proposal.reasons:
        mark = "!" if reason in proposal.checks else "-"
        write(to, f"{mark} {reason}", "yellow" if mark == "!" else None)
    write(to, f"\n{proposal.card.strip()}\n")
    if dataset is None:
        write(to, f"nothing was written: without --dry-run the card goes to {proposal.path}")
        return
    write(to, f"written: {proposal.path} ({len(dataset.table)} rows)")
    if proposal.checks:
        write(to, "check the lines marked ! above; the card is text, and may be changed")
    for line in _next(proposal, dataset, laws):
        write(to, line)


def _next(proposal: Proposal, dataset: Dataset, laws: Sequence[Law]) -> Iterator[str]:
    """What a user may do with the new card."""
    from discover.export.toml import dumps
    from discover.matching import why_not

    card = shlex.quote(str(proposal.path))
    fits = [law for law in laws if not why_not(law, dataset.features, dataset.target.symbol)]
    yield "\nnext:"
    yield f"  discover data {card}"
    if fits:
        best = max(
            fits, key=lambda law: (law.name == "hoffmann", law.name == "ye_m4", len(law.features), not law.any_feature)
        )
        yield f"  discover fit {best.name} {card}"
    experiment = proposal.path.with_name(f"{proposal.path.stem}_search.toml")
    yield f"\nto search for laws, write {experiment}:"
    lines = {"dataset": proposal.path.name, "budget": "5min"}
    if proposal.hold_out:
        lines["hold_out"] = proposal.hold_out
    for line in dumps(lines).splitlines():
        yield f"  {line}"
    if not proposal.hold_out:
        yield "with a hold_out of your own: the rows, the largest models or unseen mixtures, by which laws are judged"
    yield f"and run it: discover run {shlex.quote(str(experiment))}"
