"""The choice of a run: the loss of its fits, the law among those found, and what is written down of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from discover.distil import Proposal
from discover.experiment import Experiment
from discover.fitting import Objective
from discover.law import Law
from discover.selection import (
    Ensemble,
    Judged,
    ObjectiveChoice,
    Rows,
    choose,
    choose_objective,
    ensemble,
    judge_baselines,
    judge_carefully,
    judge_lightly,
    score,
    stability,
)


@dataclass(frozen=True)
class Choice:
    """What judging found, on training rows alone.

    Attributes
    ----------
    found, baselines
        Laws with their fits, found ones in the order of their score.
    selected
        The chosen law: a found one, a null law, or a published one that the
        training rows prefer to these; `None` when none is sane.
    average
        The average of the best found laws, which is no law; `None` when there are too few.
    objective
        The loss that all are fitted with.
    """

    found: list[Judged]
    baselines: list[Judged]
    selected: Judged | None
    average: Ensemble | None
    objective: ObjectiveChoice

    @property
    def judged(self) -> list[Judged]:
        """All laws."""
        return [*self.found, *self.baselines]


def choose_law(
    experiment: Experiment,
    proposals: Sequence[Proposal],
    laws: Sequence[Law],
    rows: Rows,
    objective: Objective,
    *,
    jobs: int,
    say: Callable[[str], None],
) -> Choice:
    """Choose the loss, unless the card names one; fit all laws with it, and choose among them.

    Parameters
    ----------
    proposals, laws
        The laws that were found, and the baselines.
    objective
        The default loss, or the card's.
    jobs
        Number of processes that fit.
    say
        Called with a line of progress now and then.
    """
    chosen = ObjectiveChoice(objective, {})
    lightly = judge_lightly(proposals, rows, objective, seed=0, jobs=jobs)
    if experiment.card.objective is None and experiment.card.delta is None:
        chosen = choose_objective(lightly, rows, objective, seed=0, jobs=jobs)
        say(f"laws are fitted with {chosen.objective}")
    baselines = judge_baselines(laws, rows, chosen.objective, seed=0, jobs=jobs)
    taken = {law.name for law in laws}
    found = _named(judge_carefully(lightly, rows, chosen.objective, seed=0, jobs=jobs), taken)
    selected = choose([*found, *_allowed(experiment, baselines)])
    average = ensemble(found, selected, rows, chosen.objective)
    return Choice(found, baselines, selected, average, chosen)


def choice_entry(experiment: Experiment, rows: Rows, choice: Choice, searches: Sequence[str]) -> dict[str, Any]:
    """How the law was chosen, and how stable the choice is, for the manifest of a run."""
    entry: dict[str, Any] = {
        "objective": str(choice.objective.objective),
        "objectives": choice.objective.errors,
        "inner_hold_outs": [split.name for split in rows.splits],
    }
    if choice.selected is not None:
        rivals = [*choice.found, *_allowed(experiment, choice.baselines)]
        steady = stability(rivals, choice.selected, searches)
        entry |= {
            "selected": choice.selected.law.name,
            "chosen_again": steady.shares,
            "proposed_by": list(steady.searches),
            "searches": steady.of_searches,
        }
    if choice.average is not None:
        entry["ensemble"] = [one.law.name for one in choice.average.members]
    return entry


def _allowed(experiment: Experiment, baselines: Sequence[Judged]) -> list[Judged]:
    """The baselines that may be chosen: with no more constants than the card allows."""
    most = experiment.card.max_constants or np.inf
    return [one for one in baselines if len(one.law.parameters) <= most]


def _named(found: list[Judged], taken: Collection[str]) -> list[Judged]:
    """Found laws in the order of their score, named by it; baselines, found once themselves, keep their names."""
    ordered = sorted(found, key=score)
    free = (name for number in itertools.count(1) if (name := f"found_{number:02d}") not in taken)
    return [
        replace(judged, fit=replace(judged.fit, law=replace(judged.law, name=name)))
        for judged, name in zip(ordered, free, strict=False)
    ]
