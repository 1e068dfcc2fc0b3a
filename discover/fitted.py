"""A law fitted to a dataset: the fit, and how well it describes the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from discover.dataset import Dataset
from discover.fitting import AnyFit, Objective, fit_rows
from discover.law import Law
from discover.matching import match
from discover.scoring import Score, score


@dataclass(frozen=True)
class Fitted:
    """A law fitted to the rows of a dataset.

    Attributes
    ----------
    score
        Errors on the rows of the fit.
    held_out
        Errors on the rows that were left out; `None` when none were.
    """

    dataset: Dataset
    fit: AnyFit
    score: Score
    held_out: Score | None = None

    def as_record(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        fitted = self.fit
        return {
            "law": fitted.law.name,
            "formula": fitted.law.formula,
            "dataset": self.dataset.name,
            "generated": bool(self.dataset.generated),
            **self._constants(),
            "objective": {"name": fitted.objective.name, "delta": fitted.objective.delta, "value": fitted.loss},
            "rows": fitted.n_rows,
            "rmse": self.score.rmse,
            "mae": self.score.mae,
            "mape": self.score.mape,
            "r2": self.score.r2,
            "held_out": None if self.held_out is None else vars(self.held_out),
            "agreement": fitted.agreement,
            "starts": fitted.n_starts,
            "warnings": [{"code": warning.code, "message": warning.message} for warning in fitted.warnings],
        }

    def _constants(self) -> dict[str, Any]:
        """The constants; of each group where there are groups."""
        groups = {
            group: {name: {"value": value, "stderr": part.errors[name]} for name, value in part.values.items()}
            for group, part in self.fit.parts.items()
        }
        return {"constants": groups[""]} if list(groups) == [""] else {"groups": groups}


def fit_dataset(
    law: Law,
    dataset: Dataset,
    *,
    hold_out: str | None = None,
    objective: str | None = None,
    delta: float | None = None,
    starts: int = 64,
    seed: int = 0,
) -> Fitted:
    """Fit a law to all rows of a dataset, or to those that `hold_out` leaves.

    Raises
    ------
    InputError
        When dataset and law do not go together: other features, or another target.
    """
    law = match(law, dataset)
    held = dataset.held_out_rows(hold_out) if hold_out is not None else np.zeros(len(dataset.table), dtype=bool)
    target = dataset.losses(~held)
    chosen = Objective.suited_to(target) if objective is None else Objective(objective)  # type: ignore[arg-type]
    if delta is not None:
        chosen = replace(chosen, delta=delta)
    groups = dataset.groups(~held)
    fitted = fit_rows(law, dataset.columns(~held), target, groups, objective=chosen, starts=starts, seed=seed)
    train = score(fitted.predict(dataset.columns(~held), groups), target)
    outside = None
    if held.any():
        outside = score(fitted.predict(dataset.columns(held), dataset.groups(held)), dataset.losses(held))
    return Fitted(dataset, fitted, train, outside)
