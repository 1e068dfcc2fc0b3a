"""Run a benchmark: each of its tasks is an experiment, scored by the benchmark's rules.

Finished tasks are kept in ``bench.json`` of the benchmark's folder, so that a benchmark that was stopped goes on with
those that are left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from discover.bench_card import BenchCard, BenchTask, find_bench
from discover.bench_score import WORST, held_out_r2, inner_r2
from discover.cards import read_card
from discover.engines import Budget, load_engine
from discover.errors import DiscoverError, InputError, Interrupted, one_of
from discover.experiment import Experiment, load_experiment
from discover.result import Result
from discover.running import resume, run
from discover.runs import RunFolder, json_ready, open_run, write_text

FILE = "bench.json"
INNER = "inner scores flatter the law, and cannot be compared with the published ones, which are of held-out rows"
Report = Callable[[str], None]


@dataclass(frozen=True)
class TaskScore:
    """What became of a task.

    Attributes
    ----------
    heldout_r2
        R2 on the official held-out rows; `None` when these were not scored.
    inner_r2
        R2 on the largest training sizes, predicted from the smaller ones; `None` when it is not defined.
    formula, n_constants
        The chosen law, and its constants (of one group); empty and `None` when none was chosen.
    cap
        The most constants that the task allows; `None` for as many as the project's laws have.
    seconds
        What the task took.
    run
        Its run folder, inside the benchmark's.
    note
        Why there is no score, or a poor one; empty otherwise.
    failed
        Whether the task ended with an error: its score is -1, and it is tried again when the benchmark goes on.
    """

    task: str
    heldout_r2: float | None = None
    inner_r2: float | None = None
    formula: str = ""
    n_constants: int | None = None
    cap: int | None = None
    seconds: float = 0.0
    run: str = ""
    note: str = ""
    failed: bool = False


@dataclass(frozen=True)
class BenchResult:
    """The scores of a benchmark, beside the published ones.

    Attributes
    ----------
    name, card
        The benchmark.
    folder
        Where the runs and ``bench.json`` are.
    settings
        What was asked for: engines, seeds, budget, whether held-out rows are scored.
    tasks
        The tasks that are done, in the order of the card.
    """

    name: str
    card: BenchCard = field(repr=False)
    folder: Path
    settings: Mapping[str, Any]
    tasks: tuple[TaskScore, ...] = ()

    @property
    def scores(self) -> str:
        """``held-out`` when every task that did not fail was scored on its held-out rows, else ``inner``."""
        done = [task for task in self.tasks if not task.failed]
        return "held-out" if done and all(task.heldout_r2 is not None for task in done) else "inner"

    def r2(self, task: TaskScore) -> float:
        """The score of a task: of the kind that `scores` says."""
        score = task.heldout_r2 if self.scores == "held-out" else task.inner_r2
        return WORST if task.failed or score is None else score

    @property
    def mean_r2(self) -> float:
        """Mean of the scores of the tasks that are done; NaN before any is."""
        return float(np.mean([self.r2(task) for task in self.tasks])) if self.tasks else float("nan")

    def published(self, task: str) -> dict[str, float | None]:
        """Published scores of a task, by column; `None` where there is none."""
        known = next(each.published for each in self.card.tasks if each.name == task)
        return {column: known.get(column) for column in self.card.columns}

    def published_means(self) -> dict[str, float | None]:
        """Mean of each published column over the tasks that are done; `None` where one of these has no score."""
        columns = {column: [self.published(task.task)[column] for task in self.tasks] for column in self.card.columns}
        return {
            column: None if not scores or None in scores else float(np.mean([s for s in scores if s is not None]))
            for column, scores in columns.items()
        }

    def as_record(self) -> dict[str, Any]:
        """All of it, ready for JSON; published scores stand in each task's row under the names of their columns."""
        rows = []
        for task in self.tasks:
            entry = asdict(task)
            rows.append({"task": entry.pop("task"), "r2": self.r2(task), **entry, **self.published(task.task)})
        return {
            "bench": self.name,
            "scores": self.scores,
            "note": INNER if self.scores == "inner" else "",
            "mean_r2": self.mean_r2,
            "published_means": self.published_means(),
            "settings": dict(self.settings),
            "tasks": rows,
        }


def run_bench(
    name: str | Path = "sldbench",
    *,
    tasks: Sequence[str] = (),
    engines: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    budget: str | None = None,
    held_out: bool = True,
    out: str | Path | None = None,
    jobs: int | None = None,
    report: Report = lambda message: None,
) -> BenchResult:
    """Run the tasks of a benchmark and score them.

    Parameters
    ----------
    name
        Name of the benchmark, or path of its card.
    tasks
        Names of tasks; all without any.
    engines, seeds, budget
        Instead of those of the experiments' cards.
    held_out
        Whether to score on the held-out rows, where these can be reached. Without, they are not even read.
    out
        The benchmark's folder. Where it holds one with the same settings, this goes on with what is left; tasks that
        failed are tried again. By default a new folder below ``runs``.
    jobs, report
        As `discover.run` takes them.

    Raises
    ------
    InputError
        When there is no such benchmark, task, engine or budget, or the folder holds a benchmark with other settings.
    Interrupted
        On Ctrl-C; tasks that ended are kept.
    """
    path = find_bench(name)
    card = read_card(path, BenchCard)
    legal = [task.name for task in card.tasks]
    for wanted in tasks:
        if wanted not in legal:
            raise InputError(f"benchmark {path.stem} has no task {wanted!r}: {one_of(wanted, legal)}")
    for engine in engines or ():
        load_engine(engine)
    if budget is not None:
        Budget.parse(budget)
    chosen = [task for task in card.tasks if not tasks or task.name in tasks]
    changes = {"engines": list(engines) if engines else None, "seeds": list(seeds) if seeds else None, "budget": budget}
    experiments = {task.name: _experiment(task, path).but(**changes) for task in chosen}
    folder = RunFolder.create(Path("runs"), f"bench-{path.stem}").path if out is None else Path(out)
    result = _begun(BenchResult(path.stem, card, folder, {**changes, "held_out": held_out}))
    try:
        for number, task in enumerate(chosen):
            if any(done.task == task.name and not done.failed for done in result.tasks):
                report(f"{task.name}: already done")
                continue
            report(f"task {number + 1} of {len(chosen)}: {task.name}")
            score = _score(task, experiments[task.name], folder, held_out, jobs, report)
            others = {done.task: done for done in result.tasks} | {task.name: score}
            result = replace(result, tasks=tuple(others[each] for each in legal if each in others))
            write_text(folder / FILE, json.dumps(json_ready(result.as_record()), indent=2) + "\n")
    except (KeyboardInterrupt, Interrupted):
        done = sum(not each.failed for each in result.tasks)
        advice = f"the same command with --out {folder} goes on"
        raise Interrupted(f"interrupted; {done} of {len(chosen)} tasks are done and kept: {advice}") from None
    return result


def _experiment(task: BenchTask, card: Path) -> Experiment:
    """The experiment of a task; a path starts from the card's folder."""
    beside = card.parent / task.experiment
    return load_experiment(beside if task.experiment.endswith(".toml") else task.experiment)


def _begun(result: BenchResult) -> BenchResult:
    """The benchmark with the tasks that its folder says are done."""
    path = result.folder / FILE
    if not path.is_file():
        return result
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        name, settings = record["bench"], dict(record["settings"])
        fields = TaskScore.__dataclass_fields__
        kept = [TaskScore(**{key: row[key] for key in fields}) for row in record["tasks"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is not what a benchmark left: give another --out") from None
    wanted: dict[str, Any] = {"benchmark": result.name, **result.settings}
    for key, value in {"benchmark": name, **settings}.items():
        if wanted.get(key) != value:
            raise InputError(
                f"{path} is of other settings: {key} was {value!r}, and is {wanted.get(key)!r}; give another --out"
            )
    legal = {task.name for task in result.card.tasks}
    return replace(result, tasks=tuple(task for task in kept if task.task in legal))


def _score(
    task: BenchTask, experiment: Experiment, folder: Path, held_out: bool, jobs: int | None, report: Report
) -> TaskScore:
    """Run a task and score it; one that fails says why."""
    start = time.monotonic()
    score = TaskScore(task.name, cap=experiment.card.max_constants)
    try:
        result = _run(experiment, folder, held_out, jobs, report)
        score = replace(score, run=str(result.folder.path.relative_to(folder)))
        if result.selected is not None:
            law = result.selected.law
            score = replace(score, formula=law.formula, n_constants=len(law.parameters))
        else:
            score = replace(score, note=result.verdict())
        score = replace(score, heldout_r2=held_out_r2(experiment, result, task.dimension))
        score = _with_inner(score, experiment, result, task.dimension)
    except (KeyboardInterrupt, Interrupted):
        raise
    except Exception as error:  # whatever it is, the other tasks go on
        kind = "" if isinstance(error, DiscoverError) else f"{type(error).__name__}: "
        report(f"{task.name}: failed: {kind}{error}")
        score = replace(score, heldout_r2=None, inner_r2=None, note=f"{kind}{error}", failed=True)
    return replace(score, seconds=round(time.monotonic() - start, 1))


def _with_inner(score: TaskScore, experiment: Experiment, result: Result, dimension: str | None) -> TaskScore:
    """The score with that on inner rows, which some laws do not have."""
    try:
        return replace(score, inner_r2=inner_r2(experiment, result, dimension))
    except DiscoverError as error:
        return replace(score, note="; ".join(filter(None, [score.note, f"no inner score: {error}"])))


def _run(experiment: Experiment, folder: Path, held_out: bool, jobs: int | None, report: Report) -> Result:
    """Run the experiment of a task, or go on with the run that was stopped."""
    try:
        last = open_run(folder / experiment.name)
    except InputError:
        last = None
    if last is not None and last.manifest.get("state") in ("searching", "judging", "interrupted"):
        return resume(last, jobs=jobs, report=report)
    return run(experiment, out=folder, jobs=jobs, held_out=held_out, report=report)
