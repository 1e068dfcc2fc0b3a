"""The searches of a run: which engines can search, what each is given, and what is kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from discover.dataset import Dataset
from discover.dataset_card import ZERO_IS_LEGAL
from discover.engines import Budget, SearchProblem, load_engine
from discover.engines.base import Engine
from discover.errors import EngineError
from discover.experiment import Experiment
from discover.fitting import Objective
from discover.guesses import guesses
from discover.law import Law
from discover.mixture import component
from discover.runs import RunFolder
from discover.sanity import bent_features
from discover.selection import Rows
from discover.selection.rows import LARGER

SEARCHED_GROUPS = 3  # groups on which engines search
FEWEST_CONSTANTS, MOST_CONSTANTS = 5, 15  # of a found law, unless the card says how many
GROUP_PART = "-group"  # in the name of a search of one group


@dataclass(frozen=True)
class Setup:
    """What a run works with, whichever engine searches.

    Attributes
    ----------
    rows
        The training rows.
    objective
        What an engine shall minimise.
    laws
        The baselines, at which an engine that is guided may begin.
    jobs
        Threads of a search, and processes that fit.
    say
        Called with a line of progress now and then.
    """

    experiment: Experiment
    dataset: Dataset
    rows: Rows
    objective: Objective
    laws: Sequence[Law]
    folder: RunFolder
    jobs: int
    say: Callable[[str], None]


def ready_engines(names: Sequence[str]) -> tuple[list[Engine], list[str]]:
    """The engines that can run here, and what to say of those that cannot when others can.

    Those that can begin at known laws come last, so that they begin at what the others found, too.

    Raises
    ------
    EngineError
        When none can.
    """
    engines = {name: load_engine(name) for name in names}
    missing = {name: why for name, engine in engines.items() if (why := engine.missing()) is not None}
    ready = [engine for name, engine in engines.items() if name not in missing]
    if not ready:
        raise EngineError("; ".join(missing.values()))
    lines = [f"going on without {name}: {why}" for name, why in missing.items()]
    return sorted(ready, key=lambda engine: engine.guided), lines


def max_constants(experiment: Experiment, rows: Rows) -> int:
    """Largest number of constants of a found law: more features need more, and rows must be there to tell them."""
    if experiment.card.max_constants is not None:
        return experiment.card.max_constants
    smallest = min(int(rows.of_group(name).sum()) for name in rows.group_names())
    return max(FEWEST_CONSTANTS, min(FEWEST_CONSTANTS + 2 * len(rows.columns), MOST_CONSTANTS, smallest // 2))


def search_all(setup: Setup, engines: Sequence[Engine]) -> None:
    """Search with every engine, from every seed; searches that the run already did are not done again."""
    for engine in engines:
        given: dict[str, tuple[str, ...]] = {}  # guesses for each part, the same from every seed
        for seed in setup.experiment.card.seeds:
            for part, problem in problems(setup, engine, seed):
                key, done = f"{engine.name}-{seed}{part}", setup.folder.manifest.get("searches", {})
                if key in done:
                    setup.say(f"{key}: already searched, {done[key]['candidates']} candidates")
                    continue
                if engine.guided and part not in given:
                    given[part] = _guesses(setup, engine, problem)
                guided = replace(problem, guesses=given.get(part, ()))
                _search(engine, guided, setup.folder, setup.say, part=part, alone=len(engines) == 1)


def _guesses(setup: Setup, engine: Engine, problem: SearchProblem) -> tuple[str, ...]:
    """Where an engine begins: at baselines, and at what the other engines of the run found."""
    others = [candidate for candidate in setup.folder.candidates() if candidate.engine != engine.name]
    found = guesses(problem, setup.laws, others, jobs=setup.jobs)
    setup.say(f"{engine.name} begins with {len(found)} laws: the best baselines, and the best that were found so far")
    return found


def searches_of(folder: RunFolder) -> list[str]:
    """The searches of a run by engine and seed, those that found nothing too.

    An engine that makes many short searches gives each a seed of its own.
    """
    done: dict[str, dict[str, Any]] = folder.manifest.get("searches", {})
    empty = {key.partition(GROUP_PART)[0] for key, entry in done.items() if not entry["candidates"]}
    return sorted(empty | {f"{candidate.engine}-{candidate.seed}" for candidate in folder.candidates()})


def problems(setup: Setup, engine: Engine, seed: int) -> Iterator[tuple[str, SearchProblem]]:
    """What an engine searches, one after the other, each with what its name ends in.

    One that ranks by the inner hold-outs is given them with all rows; the others search below the largest training
    sizes, so that the first inner hold-out is new to the form of what they find. Of many groups a few are enough to
    propose a form, which is common to all; all judge it. They are searched together, or one after the other, each
    with its share of the budget.
    """
    card, rows = setup.experiment.card, setup.rows
    searched = _searched_groups(rows)
    budget = Budget.parse(card.budget)
    options = _options(setup, engine, seed)
    seen = rows if engine.extrapolates else rows.part(~rows.splits[0].test)
    if engine.grouped:
        chosen = np.any([seen.of_group(name) for name in searched], axis=0)
        part = seen if chosen.all() else seen.part(chosen)
        splits = tuple(part.splits) if engine.extrapolates else ()
        yield "", SearchProblem(part.columns, part.target, budget=budget, groups=part.groups, splits=splits, **options)
        return
    for number, name in enumerate(searched):
        part = seen.part(seen.of_group(name))
        share = budget.divided(len(searched))
        place = "" if rows.groups is None else f"{GROUP_PART}{number + 1}"
        yield place, SearchProblem(part.columns, part.target, budget=share, **options)


def _searched_groups(rows: Rows) -> list[str]:
    """A few groups, of those that have many rows and of those that have few; each with sizes enough to be split."""
    largest = sorted(rows.splittable_groups(), key=lambda name: -int(rows.of_group(name).sum()))
    spread = np.linspace(0, len(largest) - 1, min(len(largest), SEARCHED_GROUPS)).round().astype(int)
    return [largest[k] for k in spread]


def _options(setup: Setup, engine: Engine, seed: int) -> dict[str, Any]:
    """What of a problem is the same for all rows."""
    card, dataset, rows = setup.experiment.card, setup.dataset, setup.rows
    kinds = rows.kinds
    return {
        "objective": setup.objective,
        "seed": seed,
        "operators": tuple(card.operators),
        "max_complexity": card.max_complexity,
        "max_constants": max_constants(setup.experiment, setup.rows),
        "threads": setup.jobs,
        "options": card.options.get(engine.name, {}),
        "plain": frozenset(key for key, kind in kinds.items() if kind in ZERO_IS_LEGAL),
        "falling": frozenset(key for key, kind in kinds.items() if kind in LARGER),
        "bent": bent_features(rows.columns, rows.target, rows.groups, rows.kinds),
        "mixtures": tuple(
            tuple(component(name, part) for part in dataset.components[name])
            for name, feature in dataset.features.items()
            if feature.kind == "mixture"
        ),
    }


def _search(
    engine: Engine,
    problem: SearchProblem,
    folder: RunFolder,
    say: Callable[[str], None],
    *,
    part: str,
    alone: bool,
) -> None:
    """Search once; candidates are kept as they come.

    An engine that fails beside others ends its own search only, visibly.
    """
    key = f"{engine.name}-{problem.seed}{part}"
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
    folder.update(searches={**folder.manifest.get("searches", {}), key: entry})
    say(f"{key}: {count} candidates in {entry['seconds']} s")
