"""The loss that laws are fitted with, chosen as laws are: by how well what was fitted predicts larger sizes.

The field's Huber loss with delta = 1e-3 is close to the absolute error; where the noise is normal a larger delta, or
the squared loss, uses the rows better, and where some runs went wrong it does not. The same loss is taken for all laws,
found and published, so that no law is fitted better than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from discover.objective import Objective
from discover.selection.choosing import clearly_better, score
from discover.selection.judging import LIGHTLY, Judged, few_groups, first_values, in_processes, judge
from discover.selection.rows import Rows

LAWS = 5  # by which losses are compared
DELTAS = (10.0, 30.0)  # times the default delta


@dataclass(frozen=True)
class ObjectiveChoice:
    """A chosen loss, and how the others did.

    Attributes
    ----------
    objective
        The one chosen: the default unless another is clearly better.
    errors
        Inner error with each: the geometric mean over the laws compared.
    """

    objective: Objective
    errors: dict[str, float]


def alternatives(default: Objective) -> list[Objective]:
    """The default loss and those it is compared with."""
    if default.shape != "huber":
        return [default]
    squared = Objective("log_squared" if default.logarithmic else "squared")
    return [default, *(replace(default, delta=times * default.delta) for times in DELTAS), squared]


def choose_objective(
    lightly: Sequence[Judged], rows: Rows, default: Objective, *, seed: int, jobs: int
) -> ObjectiveChoice:
    """Choose the loss by the best few of the laws that were judged lightly with the default one."""
    sane = [one for one in lightly if one.sane and np.isfinite(one.inner_error)]
    best = sorted(sane, key=score)[:LAWS]
    others = alternatives(default)
    if not best or len(others) < 2:
        return ObjectiveChoice(default, {})
    some = few_groups(rows)
    tasks = [
        (one.law, first_values(one.fit), one.engine, one.searches, some, objective, seed, LIGHTLY)
        for objective in others
        for one in best
    ]
    judged = in_processes(judge, tasks, jobs)
    logs = []
    for k in range(len(others)):
        own = [one.log_errors for one in judged[k * len(best) : (k + 1) * len(best)] if one is not None]
        logs.append(np.mean(own, axis=0) if len(own) == len(best) else np.full_like(best[0].log_errors, np.inf))
    means = [float(np.mean(errors)) for errors in logs]
    winner = int(np.argmin(means))
    if winner and not clearly_better(logs[winner], logs[0], standard_errors=1.0):
        winner = 0
    errors = {str(objective): float(np.exp(mean)) for objective, mean in zip(others, means, strict=True)}
    return ObjectiveChoice(others[winner], errors)
