"""What a run found, as one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from discover.comparison import SAME_AS
from discover.dataset import Dataset
from discover.runs import RunFolder
from discover.selection import Ensemble, Judged

TIE = 0.005  # relative difference of held-out errors that is none


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes
    ----------
    folder
        The run folder.
    dataset
        The rows, narrowed as the experiment says.
    leaderboard
        One row a law, the best on the held-out rows first; columns in `discover.comparison.COLUMNS`.
    judged
        The laws behind it, with their fits.
    selected
        The law that was chosen without seeing held-out rows: a found one, or a null law where none found is clearly
        better; `None` when none passed.
    average
        The average of the best found laws, which is no law; `None` when there are too few.
    """

    folder: RunFolder
    dataset: Dataset
    leaderboard: pd.DataFrame
    judged: Sequence[Judged]
    selected: Judged | None
    average: Ensemble | None = None

    def best(self, kind: str) -> Judged | None:
        """The law of a kind (``published``, ``null``, ``found``) with the smallest held-out error."""
        rank = {name: number for number, name in enumerate(self.leaderboard["law"])}
        laws = [judged for judged in self.judged if judged.law.kind == kind]
        return min(laws, key=lambda judged: rank[judged.law.name]) if laws else None

    def verdict(self) -> str:
        """What to say honestly of the chosen law: against the best published and null laws on the held-out rows."""
        if self.selected is None:
            return "No found law passed the sanity checks, so none was chosen."
        if self.selected.law.kind == "null":
            simple = f"No found law predicts larger sizes clearly better than the null law {self.selected.law.name}."
            return f"{simple} {self._against(['published'])}{self._of_average()}"
        return self._against(["published", "null"]) + self._of_average()

    def _against(self, kinds: Sequence[str]) -> str:
        """The chosen law against the best laws of some kinds."""
        assert self.selected is not None
        errors = dict(zip(self.leaderboard["law"], self.leaderboard["heldout_rmse"], strict=True))
        notes = dict(zip(self.leaderboard["law"], self.leaderboard["note"], strict=True))
        name = self.selected.law.name
        parts, lost = [], []
        for kind in kinds:
            other = self.best(kind)
            if other is not None:
                ratio = _ratio(errors[name], errors[other.law.name])
                parts.append(f"{ratio:.2f} times that of the best {kind} law ({other.law.name})")
                lost += [other.law.name] if ratio > 1 + TIE else []
        if not parts:
            return "There was no law to compare it with."
        sentences = [f"Its held-out error is {' and '.join(parts)}."]
        first = str(notes[name]).split(";")[0]
        if first.startswith(SAME_AS):
            sentences.append(f"It {first}: a known law, found again.")
        if lost:
            sentences.append(f"It does not beat {' and '.join(lost)}.")
        return " ".join(sentences)

    def _of_average(self) -> str:
        """What to say of the average of the best laws, where it is clearly better on the inner hold-outs."""
        if self.average is None or not self.average.better or self.selected is None:
            return ""
        errors = dict(zip(self.leaderboard["law"], self.leaderboard["heldout_rmse"], strict=True))
        ratio = _ratio(errors[self.average.name], errors[self.selected.law.name])
        count = len(self.average.members)
        return (
            f" The median of the {count} best laws, which is no formula, predicted the inner hold-outs clearly better; "
            f"its held-out error is {ratio:.2f} times that of the chosen law."
        )

    def _repr_html_(self) -> str:
        return str(self.leaderboard.drop(columns="constants").to_html())


def _ratio(mine: float, other: float) -> float:
    """How many times `other` an error is; rows without noise can be met exactly, and some laws have no value there."""
    if mine == other:
        return 1.0
    return mine / other if other else float("inf")
