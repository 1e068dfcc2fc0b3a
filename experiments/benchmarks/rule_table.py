"""The tables of the benchmark of choice: other rules beside the project's, and where that was far from the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from finished import FAILED, Record
from outer import OFFICIAL
from part import Part
from rules import AVERAGE, NAMES, ORACLE, OWN, RULES, Laws, held_out_error

RESAMPLES = 4000
FAR = 1.5  # times the error of the best law, from which a choice is listed
LISTED = 15
COLUMNS = (
    *("rule", "held-out error", "95 % interval", "official hold-outs", "95 % interval", "other data", "worst task"),
    "other law in",
)
FAR_COLUMNS = ("task", "chosen", "held out", "best of all", "held out", "times", "why it was not chosen")


@dataclass(frozen=True)
class Outcome:
    """How all rules did on one outer hold-out: the errors of what they chose, and which laws these are."""

    experiment: str
    hold_out: str
    origin: str
    laws: Laws
    errors: Mapping[str, float]
    places: Mapping[str, int | None]

    @classmethod
    def of(cls, record: Record, origin: str) -> Outcome:
        """From what was kept of a case, and the name of the measurements that it is of."""
        laws = Laws.of(record)
        errors = {name: held_out_error(laws, name) for name in NAMES}
        places = {name: choice(laws) for name, choice in RULES.items()}
        return cls(record["experiment"], record["hold_out"], origin, laws, errors, places)

    def ratio(self, name: str) -> float:
        """Error of a rule's choice, relative to that of the project's rule."""
        return self.errors[name] / self.errors[OWN]

    @property
    def task(self) -> str:
        """Its name."""
        return f"`{self.experiment}`, {self.hold_out}"


def outcomes(records: Sequence[Record], origins: Mapping[str, str]) -> list[Outcome]:
    """Those of the cases that ended well."""
    done = [record for record in records if FAILED not in record]
    return [Outcome.of(record, origins.get(record["experiment"], record["experiment"])) for record in done]


def geometric_mean(tasks: Sequence[Outcome], name: str) -> tuple[float, float, float] | None:
    """Of a rule's ratios, and the ends of its 95 % interval: tasks of one origin have together one vote.

    The interval is that of a bootstrap of the origins; `None` where there are none.
    """
    logs = [
        float(np.mean([np.log(one.ratio(name)) for one in tasks if one.origin == origin]))
        for origin in sorted({one.origin for one in tasks})
    ]
    if not logs:
        return None
    drawn = np.random.default_rng(0).choice(logs, (RESAMPLES, len(logs))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(np.exp(np.mean(logs))), float(np.exp(low)), float(np.exp(high))


def rules_part(tasks: Sequence[Outcome], fresh: Sequence[str], said: Sequence[str]) -> Part:
    """A line for each rule; `fresh` are the experiments whose data had no part in fixing the rule."""
    fixed = [one for one in tasks if one.experiment not in fresh]
    others = [one for one in tasks if one.experiment in fresh]
    official = [one for one in fixed if one.hold_out == OFFICIAL]
    rows = []
    for name in NAMES:
        worst = max(tasks, key=lambda one, name=name: one.ratio(name), default=None)  # type: ignore[misc]
        differ = sum(one.places.get(name) != one.places[OWN] for one in tasks)
        rows.append(
            [
                f"**{name}**" if name == OWN else name,
                *_shown(geometric_mean(fixed, name)),
                *_shown(geometric_mean(official, name)),
                _shown(geometric_mean(others, name))[0],
                "-" if worst is None or worst.ratio(name) <= 1 else f"{worst.ratio(name):.3g} ({worst.task})",
                "-" if name in (OWN, AVERAGE) else f"{differ} of {len(tasks)}",
            ]
        )
    counts = [f"{len(some)} of {len({one.origin for one in some})}" for some in (fixed, official, others)]
    return Part("choosing", "Rules compared", _compared(*counts), {}, COLUMNS, rows, said)


def far_part(tasks: Sequence[Outcome]) -> Part:
    """The tasks where the chosen law does much worse than the best that was there, the worst first."""
    far = sorted((one for one in tasks if one.ratio(ORACLE) * FAR <= 1), key=lambda one: one.ratio(ORACLE))
    rows = [
        [
            one.task,
            _formula(one, OWN),
            f"{one.errors[OWN]:.3g}",
            _formula(one, ORACLE),
            f"{one.errors[ORACLE]:.3g}",
            f"{1 / one.ratio(ORACLE):.3g}",
            why_not(one),
        ]
        for one in far[:LISTED]
    ]
    compared = (
        f"On {len(far)} of {len(tasks)} outer hold-outs the error of the chosen law is {FAR:g} times that of the best "
        f"law that was there, or more; the {len(rows)} worst. *Inner error* is that of the best law relative to that "
        "of the chosen one, the geometric mean over the sizes: above 1, the training rows spoke against it."
    )
    return Part("far", "Where the choice was far from the best", compared, {}, FAR_COLUMNS, rows)


def why_not(outcome: Outcome) -> str:
    """What spoke against the best of all laws."""
    own, best = outcome.places[OWN], outcome.places[ORACLE]
    known = outcome.laws.evidence
    assert best is not None
    said = [] if known.sane[best] else ["fails a sanity check"]
    if own is not None:
        inner = float(np.exp(known.log_errors[best].mean() - known.log_errors[own].mean()))
        said.append(f"inner error {inner:.3g}")
        worse = float(known.criterion()[best] - known.criterion()[own])
        said += [f"criterion higher by {worse:.0f}"] if worse > 0 else []
    return ", ".join(said)


def _formula(outcome: Outcome, name: str) -> str:
    place = outcome.places[name]
    return "none" if place is None else f"`{outcome.laws.formulas[place]}`"


def _shown(mean: tuple[float, float, float] | None) -> tuple[str, str]:
    return ("-", "-") if mean is None else (f"{mean[0]:.3f}", f"{mean[1]:.2f} to {mean[2]:.2f}")


def _compared(fixed: str, official: str, others: str) -> str:
    return (
        "RMSE on the held-out rows of what each rule chooses, relative to what the project's rule chooses from the "
        "same laws: below 1 is better. The geometric mean, in which the hold-outs of the same measurements have "
        f"together one vote (hold-outs: {fixed} sets of measurements; the official ones alone: {official}), and a "
        f"bootstrap of the measurements beside it. *Other data* (hold-outs: {others}) had no part in fixing the rule. "
        "*Worst task* is the largest ratio above 1, and the last column counts where another law was chosen."
    )
