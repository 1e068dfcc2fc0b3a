"""Laws searched and judged on the rows of an outer hold-out, as numbers that any rule can choose from.

The engine grammar searches; the best shapes of each number of constants, sane or not, are judged as in the second round
of a run: fitted to all rows and to those that each inner hold-out leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from outer import OuterTask

from discover.distil import Proposal
from discover.engines import Candidate, load_engine
from discover.engines.grammar.beam import Beam, score
from discover.engines.grammar.ranking import Ranked
from discover.engines.grammar.writing import formula_of
from discover.errors import EngineError
from discover.fitting import Objective
from discover.formula import FormulaError
from discover.rolling import Split
from discover.running import baselines_of, distilled
from discover.runs import RunFolder
from discover.searching import Setup, problems
from discover.selection import Judged, Rows
from discover.selection.choosing import evidence
from discover.selection.judging import (
    FINALISTS,
    LIGHTLY,
    LIGHTLY_IN_GROUPS,
    in_processes,
    inner_errors,
    judge,
    judge_baselines,
    without_twins,
)

INSANE = 3  # shapes of each number of constants that misbehave: some of them only a gate keeps out
DIGITS = 8  # of numbers that are kept


@dataclass(frozen=True)
class _OneSplit(Rows):
    """Rows with one of their inner hold-outs alone."""

    split: Split | None = None

    @cached_property
    def splits(self) -> list[Split]:
        """That one."""
        return [] if self.split is None else [self.split]


def judged_laws(task: OuterTask) -> dict[str, Any]:
    """Search the training rows of a task, judge what was found, and predict its held-out rows.

    Returns
    -------
    ``laws``: of each its ``formula``, ``kind`` and what `discover.selection.rule.Evidence` has of it; its inner errors
    as a run has them (``errors``), those of the sizes of the first inner hold-out (``first``) and the median over the
    sizes of each (``by_split``); predictions beyond the data (``beyond``) and of the held-out rows (``held_out``). Also
    ``target``, of these rows, ``axes``, the numbers of rows and of shapes that were asked, and seconds.
    """
    begun = perf_counter()
    experiment, dataset, rows = task.experiment, task.dataset, task.training
    objective = experiment.objective(dataset, rows.target)
    setup = Setup(experiment, dataset, rows, objective, [], RunFolder(Path()), 1, lambda _: None)
    found, proposals = _proposed(setup)
    searched = perf_counter()
    care = LIGHTLY if rows.groups is None else LIGHTLY_IN_GROUPS
    todo = [(one.law, one.start, one.engine, one.searches, rows, objective, 0, care) for one in proposals]
    judged = [one for one in in_processes(judge, todo, 1) if one is not None]
    judged += judge_baselines(baselines_of(experiment, dataset), rows, objective, seed=0, jobs=1)
    judged = without_twins(judged, rows)
    return {
        "laws": _kept(judged, task, objective),
        "axes": judged[0].axes,
        "groups": len(rows.group_names()),
        "target": _numbers(task.outside.target),
        "rows": len(rows.target),
        "rows_held_out": len(task.outside.target),
        "inner_hold_outs": [split.name for split in rows.splits],
        "shapes": len(found),
        "seconds_search": searched - begun,
        "seconds": perf_counter() - begun,
    }


def _kept(judged: Sequence[Judged], task: OuterTask, objective: Objective) -> list[dict[str, Any]]:
    """What is kept of each law."""
    rows, outside, known = task.training, task.outside, evidence(judged)
    kept = []
    for place, one in enumerate(judged):
        pairs = zip(one.predictions, rows.splits, strict=True)
        own = [inner_errors([predicted], _one_split(rows, split), objective) for predicted, split in pairs]
        kept.append(
            {
                "formula": one.law.formula,
                "kind": one.law.kind,
                "name": one.law.name,
                "constants": int(known.constants[place]),
                "claims": int(known.claims[place]),
                "complexity": int(known.complexity[place]),
                "sane": one.sane,
                "errors": _numbers(one.inner_errors),
                "first": _numbers(own[0]),
                "by_split": _numbers([np.median(errors) for errors in own]),
                "residual": float(known.residual[place]),
                "beyond": _numbers(one.beyond),
                "held_out": _numbers(one.fit.predict(outside.columns, outside.groups)),
            }
        )
    return kept


def _proposed(setup: Setup) -> tuple[list[Ranked], list[Proposal]]:
    """The shapes that a search asked, and the best of them as laws."""
    grammar = load_engine("grammar")
    reason = grammar.missing()
    if reason is not None:
        raise EngineError(reason)
    ((_, problem),) = problems(setup, grammar, seed=0)
    beam = Beam.of(problem)
    beam.run()
    found = beam.found()
    candidates = []
    for one in best_of_each_size(found):
        with suppress(FormulaError):  # a constant overflows
            text = formula_of(one.shape, one.points[0], problem.scales)
            candidates.append(Candidate(text, 1, one.loss, grammar.name, 0))
    proposals = distilled(setup.experiment, setup.dataset, setup.rows, candidates)
    return found, proposals


def best_of_each_size(found: list[Ranked]) -> list[Ranked]:
    """The best few shapes of each number of constants, of those that behave and of the others."""
    kept: list[Ranked] = []
    counts: dict[tuple[int, bool], int] = {}
    for one in sorted(found, key=score):
        size = one.shape.n_constants, one.sane
        if one.shape.terms and counts.get(size, 0) < (FINALISTS if one.sane else INSANE):
            counts[size] = counts.get(size, 0) + 1
            kept.append(one)
    return kept


def _one_split(rows: Rows, split: Split) -> Rows:
    return _OneSplit(rows.columns, rows.target, rows.kinds, rows.axis, rows.positive, rows.groups, split)


def _numbers(values: Any) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, dtype=float)]
