"""What a run found, as one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from discover.comparison import SAME_AS
from discover.dataset import Dataset
from discover.paired import ratio
from discover.runs import RunFolder
from discover.selection import Ensemble, Judged

UNSCORED = "No held-out row was scored; the law was chosen by inner errors, which flatter it."
MOST_DIGITS = 4  # of a difference of errors
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
        The law that was chosen without seeing held-out rows: a found one or a null law, or a published one that the
        training rows prefer to these; `None` when none passed.
    comparison
        The chosen law's held-out error against that of each published and null law, with intervals; columns in
        `discover.paired.COLUMNS`. `None` when there were no held-out rows to score on: the leaderboard's held-out
        columns are empty then, and its order is that of the inner errors.
    average
        The average of the best found laws, which is no law; `None` when there are too few.
    """

    folder: RunFolder
    dataset: Dataset
    leaderboard: pd.DataFrame
    judged: Sequence[Judged]
    selected: Judged | None
    comparison: pd.DataFrame | None = None
    average: Ensemble | None = None

    @property
    def scored(self) -> bool:
        """Whether the laws were scored on held-out rows."""
        return self.comparison is not None

    def best(self, kind: str) -> Judged | None:
        """The law of a kind (``published``, ``null``, ``found``) with the smallest held-out (else inner) error."""
        rank = {name: number for number, name in enumerate(self.leaderboard["law"])}
        laws = [judged for judged in self.judged if judged.law.kind == kind]
        return min(laws, key=lambda judged: rank[judged.law.name]) if laws else None

    @property
    def choice(self) -> dict[str, Any]:
        """How the law was chosen, and how stable the choice is, as the manifest has it; empty for an older run."""
        entry = self.folder.manifest.get("choice")
        return entry if isinstance(entry, dict) else {}

    def verdict(self) -> str:
        """What to say honestly of the chosen law: against the best published and null laws on the held-out rows."""
        if self.selected is None:
            return "No found law passed the sanity checks, so none was chosen."
        if self.selected.law.kind == "null":
            simple = f"No found law predicts larger sizes clearly better than the null law {self.selected.law.name}."
            return " ".join(filter(None, [simple, self._against(["published"]), self._of_average()]))
        if self.selected.law.kind == "published":
            name, sane = self.selected.law.name, any(one.law.kind == "found" and one.sane for one in self.judged)
            known = f"The training rows prefer the published law {name} to what was found."
            known = known if sane else f"No found law passed the sanity checks; of the published ones {name} is chosen."
            return " ".join(filter(None, [known, self._against(["published", "found", "null"]), self._of_average()]))
        return " ".join(filter(None, [self._against(["published", "null"]), self._of_average()]))

    def _against(self, kinds: Sequence[str]) -> str:
        """The chosen law against the best laws of some kinds."""
        assert self.selected is not None
        where, column = ("held-out", "heldout_rmse") if self.scored else ("inner", "inner_rmse")
        errors = dict(zip(self.leaderboard["law"], self.leaderboard[column], strict=True))
        name = self.selected.law.name
        parts, others = [], {}
        for kind in kinds:
            other = self.best(kind)
            if other is not None and other is not self.selected:
                others[other.law.name] = times = ratio(errors[name], errors[other.law.name])
                parts.append(f"{times:.2f} times that of the best {kind} law ({self._beside(other)})")
        sentences = [] if self.scored else [UNSCORED]
        if not parts:
            return " ".join([*sentences, "There was no law to compare it with."])
        sentences.append(f"Its {where} error is {_listed(parts)}.")
        if self._again():
            sentences.append(f"It {SAME_AS} {self._again()}: a known law, found again.")
        lost = [law for law, times in others.items() if times > 1 + TIE and law != self._again()]
        if lost:
            sentences.append(f"It does not beat {_listed(lost)}.")
        return " ".join([*sentences, *self._doubts([law for law, times in others.items() if times < 1 - TIE])])

    def _again(self) -> str:
        """The known law that the chosen one repeats; empty when it is none."""
        notes = self.leaderboard.loc[self.leaderboard["selected"].astype(bool), "note"]
        first = str(notes.iloc[0]).split(";")[0] if len(notes) else ""
        return first.removeprefix(SAME_AS).strip() if first.startswith(SAME_AS) else ""

    def _line(self, law: str) -> dict[str, Any]:
        """What the comparison says of a law; empty when there is none."""
        if self.comparison is None:
            return {}
        lines = self.comparison[self.comparison["law"] == law].to_dict(orient="records")
        return {str(key): value for key, value in lines[0].items()} if lines else {}

    def _beside(self, other: Judged) -> str:
        """A law's name, and the difference of the chosen law's error from its error with the interval."""
        law = other.law.name
        line = self._line(law)
        named = law if other.sane else f"{law}, which fails a sanity check"
        if not line or self._again() == law:
            return named
        if not line["wins"] >= 0:  # one row has no interval
            return f"{named}; difference {line['difference']:+.2g}"
        difference, low, high = _told_apart(line["difference"], line["low"], line["high"])
        wins = f"it wins in {100 * line['wins']:.0f} % of the resamples"
        return f"{named}; difference {difference}, {100 * line['level']:g} % interval {low} to {high}; {wins}"

    def _doubts(self, beaten: Sequence[str]) -> list[str]:
        """Which laws of larger errors the intervals do not tell from the chosen one, and what they rest on."""
        open_ = [law for law in beaten if (line := self._line(law)) and line["high"] >= 0]
        said = [f"The intervals do not settle whether it beats {_listed(open_)}."] if open_ else []
        note = "" if self.comparison is None or not len(self.comparison) else str(self.comparison["note"].iloc[0])
        return [*said, *([f"{note[0].upper()}{note[1:]}."] if note else [])]

    def _of_average(self) -> str:
        """What to say of the average of the best laws, where it is clearly better on the inner hold-outs."""
        if self.average is None or not self.average.better or self.selected is None:
            return ""
        where, column = ("held-out", "heldout_rmse") if self.scored else ("inner", "inner_rmse")
        errors = dict(zip(self.leaderboard["law"], self.leaderboard[column], strict=True))
        times = ratio(errors[self.average.name], errors[self.selected.law.name])
        count = len(self.average.members)
        return (
            f"The median of the {count} best laws, which is no formula, predicted the inner hold-outs clearly better; "
            f"its {where} error is {times:.2f} times that of the chosen law."
        )

    def _repr_html_(self) -> str:
        return str(self.leaderboard.drop(columns="constants").to_html())


def _listed(parts: Sequence[str]) -> str:
    """The parts as one speaks them: a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _told_apart(value: float, low: float, high: float) -> list[str]:
    """A value and the ends of its interval with two digits, or as many more as tell the ends apart."""
    for digits in range(2, MOST_DIGITS + 1):
        texts = [f"{number:+.{digits}g}" for number in (value, low, high)]
        if texts[1] != texts[2]:
            break
    return texts
