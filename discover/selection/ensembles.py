"""The average of a few best laws: often a better prediction than any of them, but not a law.

Which of several good laws extrapolates best cannot be known from the small sizes; their median is seldom the best and
seldom far off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.objective import Objective
from discover.selection.choosing import clearly_better, score
from discover.selection.judging import RESOLUTION, Judged, inner_errors
from discover.selection.rows import Rows

MEMBERS = 15
FEWEST = 3


@dataclass(frozen=True)
class Ensemble:
    """Several laws, of which the median prediction is taken.

    Attributes
    ----------
    members
        The laws, the best first.
    inner_errors
        As those of `Judged`.
    better
        Whether it predicts the inner hold-outs clearly better than the law that was chosen.
    """

    members: tuple[Judged, ...]
    inner_errors: np.ndarray
    inner_rmse: float
    better: bool
    name: str = "ensemble"

    @property
    def inner_error(self) -> float:
        """Geometric mean of the inner errors."""
        return float(np.exp(np.mean(np.log(np.maximum(self.inner_errors, RESOLUTION)))))

    def predict(self, columns: Mapping[str, np.ndarray], groups: np.ndarray | None) -> np.ndarray:
        """Median of the members' predictions, shape (rows,)."""
        return _median([one.fit.predict(columns, groups) for one in self.members])


def ensemble(judged: Sequence[Judged], chosen: Judged | None, rows: Rows, objective: Objective) -> Ensemble | None:
    """The ensemble of the best sane laws; `None` when there are fewer than three."""
    sane = [one for one in judged if one.sane and np.isfinite(one.inner_error) and one.predictions]
    members = sorted(sane, key=score)[:MEMBERS]
    if len(members) < FEWEST:
        return None
    predictions = [_median(each) for each in zip(*(one.predictions for one in members), strict=True)]
    errors = inner_errors(predictions, rows, objective)
    first = predictions[0] - rows.target[rows.splits[0].test]
    logs = np.log(np.maximum(errors, RESOLUTION))
    better = chosen is not None and clearly_better(logs, chosen.log_errors, repeated=chosen.axes)
    return Ensemble(tuple(members), errors, float(np.sqrt(np.mean(first**2))), better)


def _median(predictions: Sequence[np.ndarray]) -> np.ndarray:
    """The median of those that are finite on every row; NaN where none is."""
    finite = [one for one in predictions if np.isfinite(one).all()]
    return np.asarray(np.median(finite, axis=0)) if finite else np.full_like(predictions[0], np.nan)
