"""A law fitted to a dataset: the fit, and how well it describes the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from discover.dataset import Dataset
from discover.errors import InputError
from discover.fitting import Fit, Objective, fit
from discover.law import Law
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
    fit: Fit
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
            "constants": {
                name: {"value": value, "stderr": fitted.errors[name]} for name, value in fitted.values.items()
            },
            "objective": {"name": fitted.objective.name, "delta": fitted.objective.delta, "value": fitted.loss},
            "rows": fitted.n_rows,
            "rmse": self.score.rmse,
            "mape": self.score.mape,
            "r2": self.score.r2,
            "held_out": None if self.held_out is None else vars(self.held_out),
            "agreement": fitted.agreement,
            "starts": fitted.n_starts,
            "warnings": [{"code": warning.code, "message": warning.message} for warning in fitted.warnings],
        }


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
    law = _fitting(law, dataset)
    held = dataset.held_out_rows(hold_out) if hold_out is not None else np.zeros(len(dataset.table), dtype=bool)
    target = dataset.losses(~held)
    chosen = Objective.suited_to(target) if objective is None else Objective(objective)  # type: ignore[arg-type]
    if delta is not None:
        chosen = replace(chosen, delta=delta)
    fitted = fit(law, dataset.columns(~held), target, objective=chosen, starts=starts, seed=seed)
    train = score(fitted.predict(dataset.columns(~held)), target)
    outside = score(fitted.predict(dataset.columns(held)), dataset.losses(held)) if held.any() else None
    return Fitted(dataset, fitted, train, outside)


def _fitting(law: Law, dataset: Dataset) -> Law:
    """The law as it fits the dataset: a law of any one feature goes on the first."""
    if law.any_feature:
        name, feature = next(iter(dataset.features.items()))
        return law.on(name, feature.meaning)
    missing = [name for name in law.features if name not in dataset.features]
    if missing:
        raise InputError(
            f"law {law.name!r} needs {', '.join(missing)}, which dataset {dataset.name!r} does not have "
            f"(it has {', '.join(dataset.features)})"
        )
    if law.target != dataset.target.symbol:
        raise InputError(
            f"law {law.name!r} predicts {law.target!r}, and the target of dataset {dataset.name!r} is "
            f"{dataset.target.symbol!r}"
        )
    return law
