"""The pipeline of a run without its folder: propose, judge, choose; and ways to take a piece out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path

import numpy as np

from discover.choice import Choice, choose_law
from discover.dataset import Dataset
from discover.distil import Proposal
from discover.engines import Candidate, load_engine
from discover.errors import EngineError, FitError
from discover.experiment import Experiment
from discover.fitting import Objective, fit
from discover.law import Law
from discover.rolling import Split
from discover.runs import RunFolder
from discover.sanity import merged, sanity_of_groups
from discover.scoring import score
from discover.searching import Setup, problems
from discover.selection import Judged, Rows, choose
from discover.selection.judging import inner_errors

__all__ = ["FirstSplit", "candidates", "judge", "judged_as_found"]


class FirstSplit(Rows):
    """Rows of which there is one inner hold-out only, the largest sizes."""

    @classmethod
    def of(cls, rows: Rows) -> FirstSplit:
        """The same rows."""
        return cls(**{part.name: getattr(rows, part.name) for part in fields(rows)})

    @cached_property
    def splits(self) -> list[Split]:
        """The first inner hold-out."""
        return super().splits[:1]


def candidates(
    experiment: Experiment, dataset: Dataset, rows: Rows, objective: Objective, *, ranked: bool = True
) -> list[Candidate]:
    """What the engines of an experiment find on its training rows, one thread each.

    Without `ranked`, an engine that ranks by the inner hold-outs is not given the rows of the first one either.
    """
    found: list[Candidate] = []
    for name in experiment.card.engines:
        engine = load_engine(name)
        reason = engine.missing()
        if reason is not None:
            raise EngineError(reason)
        seen = rows if ranked or not engine.extrapolates else rows.part(~rows.splits[0].test)
        # Problems are made from rows alone: the folder of a run is not touched.
        setup = Setup(experiment, dataset, seen, objective, [], RunFolder(Path()), 1, lambda _: None)
        for seed in experiment.card.seeds:
            for _, problem in problems(setup, engine, seed):
                found += engine.search(problem)
    return found


def judge(
    experiment: Experiment, proposed: Sequence[Proposal], known: Sequence[Law], rows: Rows, objective: Objective
) -> Choice:
    """Fit and judge what was proposed and known laws, and choose, as a run does."""
    return choose_law(experiment, proposed, known, rows, objective, jobs=1, say=lambda _: None)


def judged_as_found(proposed: Sequence[Proposal], rows: FirstSplit, objective: Objective) -> Judged | None:
    """The choice among laws that keep the constants that the engine found; rows are in no groups.

    Their errors are those on the first inner hold-out, whose rows the engine had not seen; the null laws, which have no
    constants before a fit, do not take part.
    """
    return choose([one for each in proposed if (one := _as_found(each, rows, objective)) is not None])


def _as_found(proposal: Proposal, rows: FirstSplit, objective: Objective) -> Judged | None:
    law, (split,) = proposal.law, rows.splits
    try:
        fitted = fit(law, rows.columns, rows.target, objective=objective, fixed=proposal.start)
    except FitError:
        return None
    large = rows.part(split.test)
    prediction = np.asarray(fitted.predict(large.columns))
    parts = {"": fitted.values}
    checks = sanity_of_groups(law, parts, rows.columns, rows.target, None, rows.kinds, positive=rows.positive)
    return Judged(
        fitted,
        inner_errors([prediction], rows, objective),
        score(prediction, large.target).rmse,
        merged(checks),
        proposal.engine,
        proposal.searches,
        (prediction,),
        residuals=np.abs(objective.residual(np.asarray(fitted.predict(rows.columns)), rows.target)),
    )
