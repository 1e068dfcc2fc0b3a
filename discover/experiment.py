"""Experiments: everything that is needed to repeat a run, and `run`, the whole pipeline.

An experiment card names a dataset and may narrow features and rows, override the hold-out, and list baselines, engines,
seeds, budget and operators; a card of three lines is a good experiment.
"""

from __future__ import annotations

import itertools
import os
import platform
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

import discover
from discover.cards import Card, card_paths, find_card, kind_of, read_card, validate
from discover.comparison import leaderboard
from discover.condition import names_in, rows_where
from discover.dataset import (
    Dataset,
    HoldOut,
    OwnFiles,
    describe_hold_out,
    load_dataset,
    read_dataset_card,
)
from discover.dataset_card import GROUP, ZERO_IS_LEGAL
from discover.distil import Proposal, distil
from discover.engines import Budget, SearchProblem, load_engine
from discover.engines.base import Engine
from discover.errors import DiscoverError, EngineError, InputError, Interrupted, UnreachableError, one_of
from discover.fitting import Objective
from discover.law import Law, list_laws, load_law
from discover.matching import baselines_for, is_default_baseline
from discover.mixture import component
from discover.objective import Name as ObjectiveName
from discover.paired import paired_comparison
from discover.result import Result
from discover.runs import RunFolder
from discover.sanity import bent_features
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
from discover.selection.rows import LARGER
from discover.shuffling import shuffled

Report = Callable[[str], None]
MAX_SEED = 2**31
MIN_COMPLEXITY = 5
UNWANTED = "the run was asked to leave them alone"
SEARCHED_GROUPS = 3  # groups on which engines search
FEWEST_CONSTANTS, MOST_CONSTANTS = 5, 15  # of a found law, unless the card says how many
MOST_NODES = 80  # of a found law
OPERATORS = ("+", "-", "*", "/", "**", "log", "exp", "sqrt", "min", "max")


class ExperimentCard(Card):
    """The keys of an experiment card."""

    dataset: str
    title: str = ""
    notes: str = ""
    features: list[str] | None = None
    rows: str | None = None
    hold_out: HoldOut | None = None
    baselines: list[str] | None = None
    engines: list[str] = ["operon"]
    seeds: list[int] = [0]
    budget: str = "60s"
    operators: list[str] = ["+", "-", "*", "/", "**", "log", "exp"]
    objective: ObjectiveName | None = None
    delta: float | None = None
    max_complexity: int = 25
    max_constants: int | None = Field(default=None, ge=1)
    shuffle_seed: int | None = Field(default=None, ge=0)
    options: dict[str, dict[str, Any]] = {}

    @field_validator("operators")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for operator in value:
            if operator not in OPERATORS:
                raise ValueError(f"unknown operator {operator!r}: {one_of(operator, OPERATORS)}")
        return value

    @field_validator("engines", "seeds", "operators")
    @classmethod
    def _some(cls, value: list[Any]) -> list[Any]:
        if not value:
            raise ValueError("the list is empty")
        return list(dict.fromkeys(value))

    @field_validator("seeds")
    @classmethod
    def _legal_seeds(cls, value: list[int]) -> list[int]:
        for seed in value:
            if not 0 <= seed < MAX_SEED:
                raise ValueError(f"a seed is a whole number from 0 to {MAX_SEED - 1}, not {seed}")
        return value

    @field_validator("options")
    @classmethod
    def _taken(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for engine, options in value.items():
            load_engine(engine).check_options(options)
        return value

    @field_validator("max_complexity")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if value < MIN_COMPLEXITY:
            raise ValueError(f"formulas need at least {MIN_COMPLEXITY} nodes")
        return value


@dataclass(frozen=True)
class Experiment:
    """A checked experiment: its name, its card, and the folder that paths of the card start from."""

    name: str
    card: ExperimentCard
    folder: Path

    def but(self, **changes: Any) -> Experiment:
        """The same experiment with some keys of its card changed; what is `None` stays."""
        kept = {key: value for key, value in changes.items() if value is not None}
        data = {**self.card.model_dump(exclude_unset=True), **kept}
        return replace(self, card=validate(data, ExperimentCard, where=f"experiment {self.name}"))

    def beside(self, name: str) -> str:
        """A name as it is, or the path of the card that `name` points at from the experiment's folder."""
        inside = self.folder / name
        return str(inside.resolve()) if name.endswith(".toml") and inside.is_file() else name

    def load(self, *, held_out: bool = True) -> Dataset:
        """The dataset, narrowed to the features and rows of the card; files of held-out rows only with `held_out`."""
        name = self.beside(self.card.dataset)
        own = held_out and isinstance(self.card.hold_out or read_dataset_card(name)[1].hold_out, OwnFiles)
        dataset = load_dataset(name, held_out=own)
        if self.card.rows is not None:
            chosen = rows_where(dataset.table, self.card.rows)
            if not chosen.any():
                raise InputError(f"experiment {self.name}: the rule rows = {self.card.rows!r} leaves no rows")
            dataset = dataset.narrowed(chosen)
        if self.card.features is not None:
            for feature in self.card.features:
                if feature not in dataset.features:
                    near = one_of(feature, dataset.features)
                    raise InputError(
                        f"experiment {self.name}: dataset {dataset.name} has no feature {feature!r}: {near}"
                    )
            dataset = replace(dataset, features={name: dataset.features[name] for name in self.card.features})
        return dataset

    def objective(self, dataset: Dataset, training: np.ndarray) -> Objective:
        """What fits minimise: the logarithm's Huber loss, or the residual's where the target may be negative.

        The scale of a residual is that of the `training` rows' target: held-out rows have no say in it.
        """
        name = self.card.objective or ("log_huber" if dataset.target.positive else "huber")
        return Objective.suited_to(training, name, self.card.delta)


def load_experiment(name: str | Path) -> Experiment:
    """Load an experiment by name (``"chinchilla"``) or by the path of its card."""
    path = find_card("experiments", name)
    if kind_of(path) == "data":
        raise InputError(
            f'{path} is a dataset card: write an experiment card beside it with the line dataset = "{path.name}"'
        )
    return Experiment(path.stem, read_card(path, ExperimentCard), path.parent)


def list_experiments() -> dict[str, ExperimentCard]:
    """The cards of all experiments, by name."""
    return {name: read_card(path, ExperimentCard) for name, path in card_paths("experiments").items()}


def run(
    experiment: Experiment | str | Path,
    *,
    out: str | Path = "runs",
    resume: RunFolder | None = None,
    jobs: int | None = None,
    held_out: bool = True,
    report: Report = lambda message: None,
) -> Result:
    """Run an experiment: search, distil, fit, choose, and only then score on the held-out rows.

    Parameters
    ----------
    experiment
        The experiment, its name, or the path of its card.
    out
        Folder under which the run folder is made.
    resume
        A run folder to go on with instead.
    jobs
        Number of processes that fit laws, and of threads that search; all cores by default.
    held_out
        Whether to score on the held-out rows. Without, and where their files cannot be reached, the run ends with the
        choice, and what would say how the laws do on these rows stays empty.
    report
        Called with a line of progress now and then.

    Returns
    -------
    The leaderboard and the chosen law; everything is in the run folder too.
    """
    from discover.report import write_results  # figures need matplotlib, which nothing before this does

    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment)
    jobs = jobs or os.cpu_count() or 1
    dataset, unscored = _load(experiment, held_out)
    held = held_out_rows(experiment, dataset)
    if experiment.card.shuffle_seed is not None:
        dataset = shuffled(dataset, held, experiment.card.shuffle_seed)
    rows = training_rows(dataset, held, experiment.card.hold_out)
    if unscored:
        dataset, held = dataset.narrowed(~held), held[~held]
    objective = experiment.objective(dataset, rows.target)
    laws = _baselines(experiment, dataset)
    engines, without = _ready(experiment.card.engines)
    Budget.parse(experiment.card.budget)  # a wrong one shall not wait for the first search

    folder = resume or RunFolder.create(Path(out), experiment.name)
    say = _teller(folder, report)
    try:
        _open(folder, experiment, dataset, held, _references(experiment, dataset), objective, unscored)
        say(f"{dataset.label}: {len(rows.target)} training rows, {held.sum()} held out")
        if unscored:
            say(f"no held-out row will be scored: {unscored}")
        for line in without:
            say(line)
        for engine in engines:
            for seed in experiment.card.seeds:
                for part, problem in _problems(experiment, engine, dataset, rows, objective, seed, jobs):
                    _search(engine, problem, folder, say, part=part, alone=len(engines) == 1)
        folder.update(state="judging")
        candidates = folder.candidates()
        proposals = distil(
            candidates,
            dataset.meanings,
            target=dataset.target.symbol,
            unit=dataset.target.unit,
            max_constants=max_constants(experiment, rows),
            max_complexity=MOST_NODES,
            jobs=jobs,
        )
        say(f"{len(candidates)} candidates, {len(proposals)} forms: fitting them and {len(laws)} baselines")
        judging = _judge(experiment, proposals, laws, rows, objective, jobs, say)
        searches = sorted({f"{candidate.engine}-{candidate.seed}" for candidate in candidates})
        _note_choice(experiment, folder, rows, judging, searches)
        say("scoring on the held-out rows" if not unscored else "no held-out rows to score on")
        outside = None if unscored else _rows(dataset, held, rows.axis)
        result = _compared(folder, dataset, judging, rows, outside)
        write_results(result, held, rows)
        folder.update(state="done", end=_now())
        return result
    except KeyboardInterrupt:
        folder.update(state="interrupted", end=_now())
        raise Interrupted(f"interrupted; what was found is kept: discover resume {folder.path}") from None
    except OSError as error:
        _note_failure(folder, error)
        where = f"{error.filename}: " if error.filename else ""
        advice = f"when that is mended: discover resume {folder.path}"
        raise DiscoverError(f"{where}{error.strerror or error}; what was found is kept, {advice}") from error
    except Exception as error:
        _note_failure(folder, error)
        raise


def resume(folder: RunFolder, *, jobs: int | None = None, report: Report = lambda message: None) -> Result:
    """Go on with a run that was stopped: searches that ended are not done again."""
    path = folder.path / "experiment.toml"
    if not path.is_file():
        raise InputError(f"the run {folder.path} cannot be resumed: it has no experiment.toml")
    card = read_card(path, ExperimentCard)
    experiment = Experiment(folder.manifest.get("experiment", "experiment"), card, folder.path)
    scored = folder.manifest.get("unscored") != UNWANTED
    known, now = folder.dataset.get("sha256"), dict(_load(experiment, scored)[0].sources)
    # Files of held-out rows may have come within reach, or gone out of it.
    if known is not None and not (known.items() <= now.items() or now.items() <= known.items()):
        raise InputError(
            f"the run {folder.path} cannot be resumed: the files of its dataset have changed; start a new run"
        )
    return run(experiment, resume=folder, jobs=jobs, held_out=scored, report=report)


def _load(experiment: Experiment, held_out: bool) -> tuple[Dataset, str]:
    """The dataset, and why its held-out rows are not scored; empty when they are."""
    if not held_out:
        return experiment.load(held_out=False), UNWANTED
    try:
        return experiment.load(), ""
    except UnreachableError as error:
        return experiment.load(held_out=False), str(error)  # the training rows may be in reach all the same


def held_out_rows(experiment: Experiment, dataset: Dataset) -> np.ndarray:
    """Which rows are held out, as booleans; none where these are files of their own that were not read."""
    rule = dataset.hold_out if experiment.card.hold_out is None else experiment.card.hold_out
    unread = isinstance(dataset.hold_out, OwnFiles) and dataset.of_held_out_files is None
    if unread and isinstance(rule, OwnFiles):
        return np.zeros(len(dataset.table), dtype=bool)
    return dataset.held_out_rows(experiment.card.hold_out)


def training_rows(dataset: Dataset, held: np.ndarray, hold_out: HoldOut | None) -> Rows:
    """The rows that search, fitting and selection may see; the held-out rows are not among them."""
    rows = _rows(dataset, ~held, _axis(dataset, held, hold_out if hold_out is not None else dataset.hold_out))
    _refuse_overlap(dataset, held)
    _ = rows.splits  # too few sizes is the plainer thing to say
    if np.ptp(rows.target) == 0:
        raise InputError(f"the target of {dataset.name} is the same on all {len(rows.target)} training rows")
    if dataset.grouped:
        left_out = set(dataset.groups(held).tolist()) - set(rows.group_names())  # type: ignore[union-attr]
        if left_out:
            raise InputError(f"the hold-out leaves no training row of the group {min(left_out)!r} of {dataset.name}")
    return rows


def _refuse_overlap(dataset: Dataset, held: np.ndarray) -> None:
    """A run that belongs to every group must be held out of all of them, or of none."""
    runs = dataset.table.reset_index()[["row", *dataset.scalars, dataset.target.symbol]]
    both = runs[held].merge(runs[~held], how="inner")
    if dataset.grouped and len(both):
        row = int(both["row"].iloc[0])
        raise InputError(f"the hold-out puts row {row} of {dataset.name}, a run of every group, on both sides")


def _rows(dataset: Dataset, chosen: np.ndarray, axis: str | None) -> Rows:
    return Rows(
        columns=dataset.columns(chosen),
        target=dataset.losses(chosen),
        kinds=dataset.falling_kinds,
        axis=axis,
        positive=dataset.target.positive,
        groups=dataset.groups(chosen),
    )


def _axis(dataset: Dataset, held: np.ndarray, rule: HoldOut | None) -> str | None:
    """The feature along which the held-out rows are larger; `None` when they are other settings, not larger ones."""
    if rule is None:
        return None
    named = names_in(rule) if isinstance(rule, str) else [rule.of]
    for name in named:
        if name in dataset.scalars and dataset.kinds[name] not in ZERO_IS_LEGAL:
            column = dataset.columns()[name]
            if not isinstance(rule, str) or column[held].max() > column[~held].max():
                return name
    settings = {*dataset.labels, *dataset.scalars, *dataset.features, GROUP, ""}
    if any(name not in settings for name in named):
        shown = f"the hold-out {describe_hold_out(rule)!r} names no feature of {dataset.name}"
        raise InputError(f"{shown}: {', '.join(dataset.features)}")
    return None


def max_constants(experiment: Experiment, rows: Rows) -> int:
    """Largest number of constants of a found law: more features need more, and rows must be there to tell them."""
    if experiment.card.max_constants is not None:
        return experiment.card.max_constants
    smallest = min(int(rows.of_group(name).sum()) for name in rows.group_names())
    return max(FEWEST_CONSTANTS, min(FEWEST_CONSTANTS + 2 * len(rows.columns), MOST_CONSTANTS, smallest // 2))


def _problems(
    experiment: Experiment, engine: Engine, dataset: Dataset, rows: Rows, objective: Objective, seed: int, jobs: int
) -> Iterator[tuple[str, SearchProblem]]:
    """What an engine searches.

    One that ranks by the inner hold-outs is given them with all rows; the others search below the largest training
    sizes, so that the first inner hold-out is new to the form of what they find. Of many groups a few are enough to
    propose a form, which is common to all; all judge it. They are searched together, or one after the other, each
    with its share of the budget.
    """
    names = rows.group_names()
    largest = sorted(names, key=lambda name: -int(rows.of_group(name).sum()))
    spread = np.linspace(0, len(largest) - 1, min(len(largest), SEARCHED_GROUPS)).round().astype(int)
    searched = [largest[k] for k in spread]  # of groups that have many rows and of those that have few
    budget = Budget.parse(experiment.card.budget)
    options: dict[str, Any] = {
        "seed": seed,
        "operators": tuple(experiment.card.operators),
        "max_complexity": experiment.card.max_complexity,
        "max_constants": max_constants(experiment, rows),
        "threads": jobs,
        "options": experiment.card.options.get(engine.name, {}),
        "plain": frozenset(key for key, kind in rows.kinds.items() if kind in ZERO_IS_LEGAL),
        "falling": frozenset(key for key, kind in rows.kinds.items() if kind in LARGER),
        "bent": bent_features(rows.columns, rows.target, rows.groups, rows.kinds),
        "mixtures": tuple(
            tuple(component(name, part) for part in dataset.components[name])
            for name, feature in dataset.features.items()
            if feature.kind == "mixture"
        ),
    }
    seen = rows if engine.extrapolates else rows.part(~rows.splits[0].test)
    if engine.grouped:
        part = seen if len(searched) == len(names) else seen.part(np.isin(seen.groups, searched))  # type: ignore[arg-type]
        splits = tuple(part.splits) if engine.extrapolates else ()
        problem = SearchProblem(
            part.columns, part.target, objective, budget, groups=part.groups, splits=splits, **options
        )
        yield "", problem
        return
    for number, name in enumerate(searched):
        part = seen.part(seen.of_group(name))
        share = budget.divided(len(searched))
        problem = SearchProblem(part.columns, part.target, objective, share, **options)
        yield ("" if rows.groups is None else f"-group{number + 1}"), problem


@dataclass(frozen=True)
class _Judging:
    """What judging found: laws with their fits, and the choice among them."""

    found: list[Judged]
    baselines: list[Judged]
    selected: Judged | None
    average: Ensemble | None
    objective: ObjectiveChoice


def _judge(
    experiment: Experiment,
    proposals: Sequence[Proposal],
    laws: Sequence[Law],
    rows: Rows,
    objective: Objective,
    jobs: int,
    say: Report,
) -> _Judging:
    """Choose the loss, fit all laws with it, and choose among those found and the null laws."""
    chosen = ObjectiveChoice(objective, {})
    lightly = judge_lightly(proposals, rows, objective, seed=0, jobs=jobs)
    if experiment.card.objective is None and experiment.card.delta is None:
        chosen = choose_objective(lightly, rows, objective, seed=0, jobs=jobs)
        say(f"laws are fitted with {chosen.objective}")
    baselines = judge_baselines(laws, rows, chosen.objective, seed=0, jobs=jobs)
    taken = {law.name for law in laws}
    found = _named(judge_carefully(lightly, rows, chosen.objective, seed=0, jobs=jobs), taken)
    selected = choose([*found, *_nulls(experiment, baselines)])
    average = ensemble(found, selected, rows, chosen.objective)
    return _Judging(found, baselines, selected, average, chosen)


def _nulls(experiment: Experiment, baselines: Sequence[Judged]) -> list[Judged]:
    """The null laws that may be chosen: with no more constants than the card allows."""
    most = experiment.card.max_constants or np.inf
    return [one for one in baselines if one.law.kind == "null" and len(one.law.parameters) <= most]


def _note_choice(
    experiment: Experiment, folder: RunFolder, rows: Rows, judging: _Judging, searches: Sequence[str]
) -> None:
    """Write down in the manifest how the law was chosen, and how stable the choice is."""
    entry: dict[str, Any] = {
        "objective": str(judging.objective.objective),
        "objectives": judging.objective.errors,
        "inner_hold_outs": [split.name for split in rows.splits],
    }
    if judging.selected is not None:
        rivals = [*judging.found, *_nulls(experiment, judging.baselines)]
        steady = stability(rivals, judging.selected, searches)
        entry |= {
            "selected": judging.selected.law.name,
            "chosen_again": steady.shares,
            "proposed_by": list(steady.searches),
            "searches": steady.of_searches,
        }
    if judging.average is not None:
        entry["ensemble"] = [one.law.name for one in judging.average.members]
    folder.update(choice=entry)


def _baselines(experiment: Experiment, dataset: Dataset) -> list[Law]:
    """The baselines of the card, or all laws over the dataset's features and target."""
    if experiment.card.baselines is None:
        named = [law for law in list_laws() if is_default_baseline(law, dataset)]
    else:
        named = [load_law(experiment.beside(name)) for name in experiment.card.baselines]
    chosen: list[Law] = []
    for law in named:
        if law.name in {other.name for other in chosen}:
            raise InputError(f"two baselines are called {law.name!r}: name each once, or rename the card of one")
        chosen += baselines_for(law, dataset)
    return chosen


def _ready(names: Sequence[str]) -> tuple[list[Engine], list[str]]:
    """The engines that can run here, and what to say of those that cannot when others can."""
    engines = {name: load_engine(name) for name in names}
    missing = {name: why for name, engine in engines.items() if (why := engine.missing()) is not None}
    ready = [engine for name, engine in engines.items() if name not in missing]
    if not ready:
        raise EngineError("; ".join(missing.values()))
    return ready, [f"going on without {name}: {why}" for name, why in missing.items()]


def _search(engine: Engine, problem: SearchProblem, folder: RunFolder, say: Report, *, part: str, alone: bool) -> None:
    """Search once, unless the run already did; candidates are kept as they come.

    An engine that fails beside others ends its own search only, visibly.
    """
    key = f"{engine.name}-{problem.seed}{part}"
    done = folder.manifest.get("searches", {})
    if key in done:
        say(f"{key}: already searched, {done[key]['candidates']} candidates")
        return
    where = f", {part.lstrip('-')}" if part else ""
    say(f"searching with {engine.name}, seed {problem.seed}{where}, for {problem.budget}")
    start, count = time.monotonic(), 0
    try:
        for candidate in engine.search(replace(problem, folder=folder.path / "engines" / key)):
            folder.append_candidate(candidate)
            count += 1
    except EngineError as error:
        if alone and not count:
            raise
        say(f"{key} stopped after {count} candidates: {error}")
        return
    entry = {"candidates": count, "seconds": round(time.monotonic() - start, 1), "versions": engine.versions()}
    folder.update(searches={**done, key: entry})
    say(f"{key}: {count} candidates in {entry['seconds']} s")


def _compared(folder: RunFolder, dataset: Dataset, judging: _Judging, rows: Rows, outside: Rows | None) -> Result:
    """The laws side by side, and the chosen one against the known ones on the held-out rows, when there are such."""
    judged = [*judging.found, *judging.baselines]
    board = leaderboard(judged, judging.selected, rows, outside, judging.average)
    compared = None if outside is None else paired_comparison(judging.selected, judged, outside)
    return Result(folder, dataset, board, judged, judging.selected, compared, judging.average)


def _named(found: list[Judged], taken: Collection[str]) -> list[Judged]:
    """Found laws in the order of their score, named by it; baselines, found once themselves, keep their names."""
    ordered = sorted(found, key=score)
    free = (name for number in itertools.count(1) if (name := f"found_{number:02d}") not in taken)
    return [
        replace(judged, fit=replace(judged.fit, law=replace(judged.law, name=name)))
        for judged, name in zip(ordered, free, strict=False)
    ]


def _open(
    folder: RunFolder,
    experiment: Experiment,
    dataset: Dataset,
    held: np.ndarray,
    baselines: list[str],
    objective: Objective,
    unscored: str,
) -> None:
    """Write down what the run works with; a run that is resumed must find the same rows."""
    from discover.export.toml import dumps

    resolved = {
        **experiment.card.model_dump(exclude_none=True),
        "dataset": experiment.beside(experiment.card.dataset),
        "features": list(dataset.features),
        "baselines": baselines,
        "objective": objective.name,
        "delta": objective.delta,
    }
    if experiment.card.hold_out is None and dataset.hold_out is not None:
        rule = dataset.hold_out
        resolved["hold_out"] = rule if isinstance(rule, str) else rule.model_dump()
    folder.write("experiment.toml", dumps(resolved))
    packages = ("numpy", "scipy", "sympy", "pandas", "scikit-learn")
    folder.update(
        experiment=experiment.name,
        state="searching",
        start=folder.manifest.get("start") or _now(),
        command=" ".join(sys.argv),
        versions={"discover": discover.__version__, "python": platform.python_version()}
        | {name: metadata.version(name) for name in packages},
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        dataset={
            "name": dataset.name,
            "generated": dataset.generated,
            "rows": len(dataset.table),
            "held_out_rows": int(held.sum()),
            "sha256": dict(dataset.sources),
        },
        seeds=experiment.card.seeds,
        unscored=unscored,
    )


def _references(experiment: Experiment, dataset: Dataset) -> list[str]:
    """Names or paths under which the run's baselines are loaded again."""
    if experiment.card.baselines is not None:
        return [experiment.beside(name) for name in experiment.card.baselines]
    return [law.name for law in list_laws() if is_default_baseline(law, dataset)]


def _note_failure(folder: RunFolder, error: Exception) -> None:
    import contextlib

    with contextlib.suppress(OSError):  # the disk may be what failed
        folder.update(state="failed", end=_now(), error=str(error))
        folder.log(f"failed: {error}")


def _teller(folder: RunFolder, report: Report) -> Report:
    def say(message: str) -> None:
        folder.log(message)
        report(message)

    return say


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
