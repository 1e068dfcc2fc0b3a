"""One case of the ablations: an experiment, run with a piece of the pipeline taken out, scored on the held-out rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import peer_choice
import pipeline
from finished import Case, Record

from discover.choice import Choice
from discover.dataset import Dataset
from discover.engines import Budget
from discover.errors import EngineError
from discover.experiment import Experiment, load_experiment
from discover.fitting import Objective
from discover.hold_out import held_out_rows, training_rows
from discover.running import baselines_of, distilled
from discover.scoring import score
from discover.selection import Judged, Rows, judge_baselines

BOTH = ["grammar", "operon"]
FULL, GPLEARN = "full", "gplearn"


@dataclass(frozen=True)
class Task:
    """What a variant works with: an experiment, its rows, and what is held out."""

    experiment: Experiment
    dataset: Dataset
    held: np.ndarray
    rows: Rows
    objective: Objective

    @classmethod
    def of(cls, experiment: Experiment) -> Task:
        """The task of an experiment."""
        dataset = experiment.load()
        held = held_out_rows(experiment, dataset)
        rows = training_rows(dataset, held, experiment.card.hold_out)
        return cls(experiment, dataset, held, rows, experiment.objective(dataset, rows.target))

    def error(self, selected: Judged | None) -> float:
        """Held-out RMSE of a law; infinite where none was chosen."""
        if selected is None:
            return float("inf")
        prediction = selected.fit.predict(self.dataset.columns(self.held), self.dataset.groups(self.held))
        return score(prediction, self.dataset.losses(self.held)).rmse

    def searching(self, engines: list[str]) -> Task:
        """The task with these engines, which share the budget of the experiment."""
        share = str(Budget.parse(self.experiment.card.budget).divided(len(engines)))
        return Task.of(self.experiment.but(engines=engines, budget=share))


def measure(case: Case, *, peer_python: str) -> Record:
    """Run a variant of an experiment.

    Parameters
    ----------
    case
        ``experiment``, ``variant`` (of `VARIANTS`, or gplearn), ``seed`` and ``budget``; perhaps ``baselines`` and
        ``max_constants``.
    peer_python
        Interpreter that has gplearn.

    Returns
    -------
    ``formula`` of the chosen law, its ``heldout_rmse`` and the ``seconds`` from the rows to the choice. Of the full
    pipeline, also the best published law (``published``, ``published_rmse``), fitted as the found ones were.
    """
    changes: dict[str, Any] = {"seeds": [case["seed"]], "budget": case["budget"]}
    changes |= {key: case.get(key) for key in ("baselines", "max_constants")}
    task = Task.of(load_experiment(case["experiment"]).but(**changes))
    if case["variant"] == GPLEARN:
        return peer_choice.measure(
            task.rows, task.dataset, task.held, Budget.parse(case["budget"]), case["seed"], peer_python
        )
    return VARIANTS[case["variant"]](task)


def _full(task: Task) -> Record:
    told, judging = _run(task.searching(BOTH))
    known = [law for law in baselines_of(task.experiment, task.dataset) if law.kind == "published"]
    published = judge_baselines(known, task.rows, judging.objective.objective, seed=0, jobs=1)
    errors = {one.law.name: task.error(one) for one in published}
    best = min(errors, key=lambda name: errors[name]) if errors else None
    return told | {"published": best, "published_rmse": errors[best] if best else None}


def _first_split(task: Task) -> Record:
    both = task.searching(BOTH)
    return _run(both, pipeline.FirstSplit.of(both.rows))[0]


def _no_refit(task: Task) -> Record:
    if task.dataset.grouped:
        raise EngineError("an engine gives one set of constants: groups have their own only from the fit")
    both = task.searching(BOTH)
    begun = perf_counter()
    found = pipeline.candidates(both.experiment, both.dataset, both.rows, both.objective, ranked=False)
    proposed = distilled(both.experiment, both.dataset, both.rows, found)
    selected = pipeline.judged_as_found(proposed, pipeline.FirstSplit.of(both.rows), both.objective)
    return _told(both, selected, perf_counter() - begun)


def _log_squared(task: Task) -> Record:
    both = task.searching(BOTH)
    return _run(Task.of(both.experiment.but(objective="log_squared")))[0]


def _alone(engine: str) -> Callable[[Task], Record]:
    def alone(task: Task) -> Record:
        return _run(task.searching([engine]))[0]

    return alone


VARIANTS: dict[str, Callable[[Task], Record]] = {
    FULL: _full,
    "first split": _first_split,
    "no refit": _no_refit,
    "log_squared": _log_squared,
    "grammar": _alone("grammar"),
    "operon": _alone("operon"),
}


def _run(task: Task, rows: Rows | None = None) -> tuple[Record, Choice]:
    rows = task.rows if rows is None else rows
    begun = perf_counter()
    found = pipeline.candidates(task.experiment, task.dataset, rows, task.objective)
    proposed = distilled(task.experiment, task.dataset, rows, found)
    judging = pipeline.judge(
        task.experiment, proposed, baselines_of(task.experiment, task.dataset), rows, task.objective
    )
    return _told(task, judging.selected, perf_counter() - begun), judging


def _told(task: Task, selected: Judged | None, seconds: float) -> Record:
    formula = None if selected is None else selected.law.formula
    return {"formula": formula, "heldout_rmse": task.error(selected), "seconds": seconds}
