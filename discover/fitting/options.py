"""How a fit is to be made, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from discover.errors import FitError, InputError
from discover.fitting.constraints import Constraints, constraints_of
from discover.fitting.rows import Rows
from discover.fitting.space import Space
from discover.law import Law
from discover.objective import Name, Objective

NOISE = "noise"  # in place of a delta: the one that suits the noise of the rows


@dataclass(frozen=True)
class Options:
    """How a fit is made; see `discover.fitting.fit`."""

    starts: int = 64
    retries: int = 2
    seed: int = 0
    constraints: Constraints | None = None
    thorough: bool = True

    @property
    def batches(self) -> list[int]:
        """Number of starts, and of those added while too few agree."""
        return [self.starts << k for k in range(self.retries + 1)] if self.starts else [0]


def options_of(
    law: Law,
    space: Space,
    objective: Objective,
    starts: int,
    retries: int,
    seed: int,
    constraints: Sequence[str],
    *,
    given: bool,
) -> Options:
    """The options of a fit, checked; `given` says whether there is a start besides the random ones.

    Raises
    ------
    InputError
        When a number is negative, nothing says where to start, a constraint cannot be read, or the objective has no
        slope to weigh it against.
    """
    for name, number in (("starts", starts), ("retries", retries), ("seed", seed)):
        if number < 0:
            raise InputError(f"{name} must be zero or more, not {number}")
    if not starts and not given and space.free:
        raise InputError("starts=0 needs a start of your own: give `first`, with a value of each constant")
    if constraints and objective.shape == "mae":
        near = objective.name.replace("mae", "huber")
        raise InputError(f"the objective {objective.name} cannot be constrained: use {near} with a small delta")
    return Options(starts, retries, seed, constraints_of(law, constraints) if constraints else None)


def objective_for(rows: Rows, objective: Objective | Name | None, delta: float | str | None) -> Objective:
    """What a fit minimises: the objective given, or the one of that name that suits the rows' target.

    Raises
    ------
    InputError
        When the name or the delta is not legal.
    FitError
        When the target is not fit for it.
    """
    number: float | None = None
    if delta is not None and delta != NOISE:
        try:
            number = float(delta)
        except ValueError:
            raise InputError(f"delta must be a positive number or {NOISE!r}, not {delta!r}") from None
    if isinstance(objective, Objective):
        made = objective if number is None else replace(objective, delta=number)
    else:
        made = Objective.suited_to(rows.target, objective, number)
    if delta is not None and made.shape in {"squared", "mae"}:
        raise InputError(f"the objective {made.name} has no delta: leave it out, or use a huber or soft_l1")
    if made.logarithmic and np.any(rows.target <= 0):
        raise FitError(f"the objective {made.name} needs a positive target: use 'huber' or 'squared' instead")
    return made


def check_count(law: Law, space: Space, rows: Rows) -> None:
    """Whether there are as many rows as free constants; a `FitError` if not."""
    if rows.count < len(space.free):
        raise FitError(f"law {law.name!r} has {len(space.free)} free constants and there are only {rows.count} rows")


def start_of(law: Law, space: Space, first: Mapping[str, float] | None) -> np.ndarray | None:
    """The start that was given, in the solver's units, shape (1, parameters)."""
    if first is None:
        return None
    missing = [name for name in space.free if name not in first]
    if missing:
        raise InputError(f"the first start of law {law.name!r} has no value of the constant {missing[0]!r}")
    return space.points(np.array([[first.get(name, 1.0) for name in space.names]], dtype=float))
