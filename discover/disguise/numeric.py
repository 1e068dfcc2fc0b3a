"""Can one law make the predictions of another: each is fitted to the other's, at the constants that it has.

What is asked is about the laws as they were fitted, on the range of the data. A law that can meet every prediction of
another one has that one as a special case there, however its formula is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from discover.disguise.points import points
from discover.disguise.relation import Answer, Relation, relation
from discover.errors import FitError, InputError
from discover.fitting import Fit, Objective, fit
from discover.fitting.search import ENOUGH
from discover.law import Law

# Measured on pairs of published laws (docs/comparing.md): a law meets its special case to 1e-15, or to 1e-7 in a limit
# that its constants run to, and once, from poor starts, to 1e-5 only; what is not its special case to no better than
# 1.4e-4 on measurements. Between the two nothing is said.
EQUAL = 1e-6  # residual below which one law makes the predictions of another
UNEQUAL = 1e-4  # residual above which it does not
GROUPS = 3  # of the rows, the largest, on which laws are compared
STARTS, MORE = 16, 128  # of a fit, and of a second one where few of them agree

Values = Mapping[str, float]


@dataclass(frozen=True)
class Met:
    """How well a law meets the predictions of another one.

    Attributes
    ----------
    answer
        Whether it makes them.
    residual
        Root mean square of the logarithm of the quotient of the two laws' predictions; where predictions may be
        negative, of their difference, relative to the standard deviation of those to be met. The worst of the groups.
    reason
        Why the answer is not known.
    """

    answer: Answer
    residual: float
    reason: str = ""


@dataclass(frozen=True)
class Numeric:
    """What the predictions of a law are to those of another one.

    Attributes
    ----------
    relation
        ``same``, ``special case`` (of the other one), ``generalisation``, ``different`` or ``could not tell``.
    met
        How well the other law meets the predictions of this one.
    meets
        How well this law meets those of the other one.
    n_points
        Number of points at which they were compared, those of all groups.
    groups
        The groups of rows on which they were compared; none where there are no groups.
    """

    relation: Relation
    met: Met
    meets: Met
    n_points: int
    groups: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it could not be told."""
        return "; ".join(dict.fromkeys(filter(None, (self.met.reason, self.meets.reason))))


@dataclass(frozen=True)
class Place:
    """The rows over whose range laws are compared.

    Attributes
    ----------
    columns
        Features by symbol, each of shape (rows,).
    groups
        Name of each row's group, shape (rows,); `None` where there are none.
    linear, whole
        Columns between whose values are no geometric means, as `discover.disguise.points.points` has them.
    """

    columns: Mapping[str, np.ndarray]
    groups: np.ndarray | None = None
    linear: Collection[str] = ()
    whole: Collection[str] = ()

    def points(self) -> dict[str, dict[str, np.ndarray]]:
        """Points over the range of each of the largest groups, by its name; under an empty one where there are none."""
        if self.groups is None:
            return {"": points(self.columns, linear=self.linear, whole=self.whole)}
        names, counts = np.unique(self.groups.astype(str), return_counts=True)
        largest = names[np.argsort(-counts, kind="stable")][:GROUPS]
        return {
            str(name): points(
                {key: column[self.groups.astype(str) == name] for key, column in self.columns.items()},
                linear=self.linear,
                whole=self.whole,
            )
            for name in largest
        }


def numerically(
    one: Law, of_one: Mapping[str, Values], other: Law, of_other: Mapping[str, Values], place: Place
) -> Numeric:
    """What the predictions of `one` are to those of `other`, over the range of some rows.

    Parameters
    ----------
    one, of_one
        A law, and its constants: by group, under an empty name where there are no groups.
    other, of_other
        Another one, and its constants.
    place
        The rows.
    """
    where = place.points()
    met = [_met(one, of_one[group], other, at, group) for group, at in where.items()]
    meets = [_met(other, of_other[group], one, at, group) for group, at in where.items()]
    all_met, all_meet = _together(met), _together(meets)
    count = sum(len(next(iter(at.values()))) for at in where.values())
    found = relation(all_met.answer, all_meet.answer)
    return Numeric(found, all_met, all_meet, count, tuple(filter(None, where)))


def _met(one: Law, values: Values, other: Law, at: Mapping[str, np.ndarray], group: str) -> Met:
    """How well `other` meets the predictions of `one` at some points."""
    where = f" in group {group}" if group else ""
    wanted = np.broadcast_to(one.predict(at, values), len(next(iter(at.values()))))
    usable = np.isfinite(wanted)
    if not usable.all():
        lost = f"{one.name} has no finite value at {np.sum(~usable)} of {len(usable)} points{where}"
        return Met("unknown", float("nan"), lost)
    objective = Objective("log_squared" if (wanted > 0).all() else "squared")
    try:
        found = fit(other, at, wanted, objective=objective, starts=STARTS, retries=0)
        residual = _residual(found, at, wanted)
        if residual >= EQUAL and _doubt(found):
            found = fit(other, at, wanted, objective=objective, starts=MORE, retries=0, seed=1, first=found.values)
            residual = _residual(found, at, wanted)
    except (FitError, InputError) as error:
        return Met("unknown", float("nan"), f"{error}{where}")
    if residual < EQUAL:
        return Met("yes", residual)
    doubt = "that is neither equal nor clearly not" if residual < UNEQUAL else _doubt(found)
    if not doubt:
        return Met("no", residual)
    return Met("unknown", residual, f"{other.name} meets {one.name} to {residual:.1e}{where}, but {doubt}")


def _residual(found: Fit, at: Mapping[str, np.ndarray], wanted: np.ndarray) -> float:
    difference = found.objective.residual(found.predict(at), wanted)
    scale = 1.0 if found.objective.logarithmic else float(np.std(wanted)) or float(np.abs(wanted).max()) or 1.0
    return float(np.sqrt(np.mean(difference**2))) / scale


def _doubt(found: Fit) -> str:
    """Why a better fit may exist; empty when none is likely to."""
    if found.agreement < ENOUGH:
        return f"only {found.agreement:.0%} of {found.n_starts} starts reached that"
    return "the fit was still improving" if any(warning.code == "unfinished" for warning in found.warnings) else ""


def _together(parts: list[Met]) -> Met:
    """Of all groups: yes where each says so, no where one does."""
    worst = max((part.residual for part in parts), key=lambda value: (np.isnan(value), value))
    answers = {part.answer for part in parts}
    answer: Answer = "no" if "no" in answers else ("unknown" if "unknown" in answers else "yes")
    reasons = [part.reason for part in parts if part.reason] if answer == "unknown" else []
    return Met(answer, float(worst), "; ".join(reasons))
