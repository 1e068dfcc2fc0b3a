"""Fits of rows in groups: a form common to all groups, constants of its own for each.

Constants that the law's card calls shared have one value for all groups. Without any, each group is a fit of its own.
With some, the groups are first fitted apart; then all constants move together, from several values of the shared ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from discover.errors import FitError, InputError
from discover.fitting.constraints import constrained
from discover.fitting.equations import LawEquations
from discover.fitting.fitter import ROUNDS
from discover.fitting.options import NOISE, Options, check_count, objective_for, options_of, start_of
from discover.fitting.result import Fit, fit_of
from discover.fitting.rows import Rows, batched, rows_of
from discover.fitting.search import SAMPLED, search
from discover.fitting.shared import fit_shared
from discover.fitting.space import Space, space_of
from discover.fitting.warnings import FitWarning
from discover.law import Law
from discover.objective import Name, Objective, noise_delta

UNEVEN = 1.5  # groups whose sizes differ by at most this factor are fitted in one batch
NAMED = 3  # groups that a warning names


@dataclass(frozen=True)
class GroupedFit:
    """A law with the values of its constants for each group of rows.

    Attributes
    ----------
    law
        The law that was fitted.
    parts
        The fit of each group, by the group's name; shared constants have one value in all.
    shared
        Names of the constants that all groups share.
    agreement
        Share of the starts that agree on the best objective: the smallest of any group; where groups share constants,
        that of the starts from which all groups moved together.
    """

    law: Law
    parts: Mapping[str, Fit] = field(repr=False)
    shared: tuple[str, ...] = ()
    agreement: float = 1.0

    @property
    def objective(self) -> Objective:
        """What was minimised."""
        return next(iter(self.parts.values())).objective

    @property
    def loss(self) -> float:
        """Value of the objective: a sum over all rows of all groups."""
        return float(sum(part.loss for part in self.parts.values()))

    @property
    def n_rows(self) -> int:
        """Number of rows of all groups."""
        return sum(part.n_rows for part in self.parts.values())

    @property
    def n_starts(self) -> int:
        """Largest number of starts of any group."""
        return max(part.n_starts for part in self.parts.values())

    @property
    def warnings(self) -> tuple[FitWarning, ...]:
        """What the reader must know: each warning once, with the groups that it is about."""
        groups: dict[FitWarning, list[str]] = {}
        first: dict[str, FitWarning] = {}  # of starts that disagree the messages differ in their numbers only
        for name, part in sorted(self.parts.items(), key=lambda item: item[1].agreement):
            for warning in part.warnings:
                merged = warning.code if warning.code == "starts_disagree" else warning.message
                groups.setdefault(first.setdefault(merged, warning), []).append(name)
        return tuple(
            FitWarning(w.code, f"{_named(names, len(self.parts))}: {w.message}", w.names) for w, names in groups.items()
        )

    def predict(self, features: Mapping[str, np.ndarray], groups: np.ndarray | None = None) -> np.ndarray:
        """Prediction at each row with the constants of its group.

        Raises
        ------
        InputError
            When a row's group was not among those fitted.
        """
        if groups is None:
            raise InputError(f"law {self.law.name!r} was fitted to groups: say the group of each row")
        groups = np.asarray(groups).astype(str).astype(object)
        prediction = np.full(len(groups), np.nan)
        for name in dict.fromkeys(groups.tolist()):
            if name not in self.parts:
                raise InputError(
                    f"law {self.law.name!r} has no constants for the group {name!r}: no row of it was fitted"
                )
            rows = groups == name
            prediction[rows] = self.parts[name].predict({key: column[rows] for key, column in features.items()})
        return prediction


def _named(names: list[str], total: int) -> str:
    if len(names) == total:
        return f"all {total} groups"
    shown = ", ".join(names[:NAMED])
    return (
        f"group {shown}" if len(names) == 1 else f"{len(names)} groups ({shown}{', ...' if len(names) > NAMED else ''})"
    )


def fit_groups(
    law: Law,
    features: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray,
    *,
    objective: Objective | Name | None = None,
    delta: float | str | None = None,
    weights: np.ndarray | None = None,
    starts: int = 64,
    retries: int = 2,
    seed: int = 0,
    first: Mapping[str, float] | Mapping[str, Mapping[str, float]] | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    constraints: Sequence[str] = (),
    thorough: bool = True,
) -> GroupedFit:
    """Fit the constants of `law` to each group of rows.

    Parameters
    ----------
    groups
        Name of the group of each row, shape (rows,).
    first
        As `fit` has it, or starts by group: a mapping of the group's name to constants.
    law, features, target, objective, delta, weights, starts, retries, seed, fixed, tied, bounds, constraints, thorough
        As `fit` has them; a delta of ``"noise"`` is one for all groups.

    Raises
    ------
    FitError
        When a group cannot be fitted; the message names it.
    InputError
        As `fit` has it; also when constants are shared and there are constraints.
    """
    rows = rows_of(law, features, target, weights)
    of_row = _names(groups, len(np.asarray(target)))
    of_row = of_row if weights is None else of_row[np.asarray(weights) > 0]
    made = objective_for(rows, objective, delta)
    space = space_of(law, fixed=fixed, tied=tied, bounds=bounds)
    own = {name: rows.part(np.flatnonzero(of_row == name)) for name in dict.fromkeys(of_row.tolist())}
    begin: dict[str, np.ndarray | None] = {}
    for name, part in own.items():
        given: Any = first.get(name) if first and isinstance(next(iter(first.values())), Mapping) else first
        begin[name] = start_of(law, space, given)
        try:
            check_count(law, space, part)
        except FitError as error:
            raise FitError(f"group {name!r}: {error}") from None
    every = all(start is not None for start in begin.values())
    options = options_of(law, space, made, starts, retries, seed, constraints, given=every)
    options = replace(options, thorough=thorough)
    if delta != NOISE:
        return _fit_groups(law, own, made, space, options, begin)
    few = replace(options, starts=min(options.starts, 8), retries=0)
    result = _fit_groups(law, own, made, space, options, begin)
    for number in range(ROUNDS):
        parts = list(result.parts.values())
        count = len(parts) * (len(space.free) - len(result.shared)) + len(result.shared)
        estimate = noise_delta(np.concatenate([part.residuals for part in parts]), count, result.objective)
        if not estimate > 0:
            break
        last = number == ROUNDS - 1  # a search as a fit does it, so that what it says of its starts is so
        near: Mapping[str, np.ndarray | None] = {name: part.point[None] for name, part in result.parts.items()}
        fresh = last and options.starts > 0
        chosen = replace(made, delta=estimate)
        result = _fit_groups(law, own, chosen, space, options if last else few, begin if fresh else near)
    return result


def _names(groups: Any, count: int) -> np.ndarray:
    """The group of each row as text."""
    names = np.asarray(groups).astype(str).astype(object)
    if names.shape != (count,):
        raise InputError(f"`groups` must have a name for each of the {count} rows, not {names.shape}")
    return names


def _fit_groups(
    law: Law,
    own: Mapping[str, Rows],
    objective: Objective,
    space: Space,
    options: Options,
    begin: Mapping[str, np.ndarray | None],
) -> GroupedFit:
    parts = _apart(law, own, objective, space, options, begin)
    shared = tuple(name for name in space.free if law.parameters[name].shared)
    if shared and len(parts) > 1 and options.constraints is not None:
        raise InputError(f"law {law.name!r} shares {', '.join(shared)} between groups: fit it without constraints")
    if not shared or len(parts) < 2:
        return GroupedFit(law, parts, (), min(part.agreement for part in parts.values()))
    parts, agreement = fit_shared(parts, shared, batched(list(own.values())))
    return GroupedFit(law, parts, shared, agreement)


def _apart(
    law: Law,
    own: Mapping[str, Rows],
    objective: Objective,
    space: Space,
    options: Options,
    begin: Mapping[str, np.ndarray | None],
) -> dict[str, Fit]:
    """Each group by itself, groups of about one size in one batch."""
    fits: dict[str, Fit] = {}
    for names in _batches(own):
        equations = LawEquations(law, batched([own[name] for name in names]), objective, space)
        found = search(
            equations, options.batches, options.seed, [begin[name] for name in names], thorough=options.thorough
        )
        for place, (name, one) in enumerate(zip(names, found, strict=True)):
            if options.constraints is not None:
                one = constrained(equations, place, one, options.constraints, options.seed)  # noqa: PLW2901
            try:
                fits[name] = replace(fit_of(equations, place, one, options.constraints), rows=own[name])
            except FitError as error:
                raise FitError(f"group {name!r}: {error}") from None
    return {name: fits[name] for name in own}


def _batches(own: Mapping[str, Rows]) -> Iterator[list[str]]:
    """Names of groups that are fitted together; a large group alone."""
    batch: list[str] = []
    for name in sorted(own, key=lambda name: own[name].count):
        if batch and (own[name].count > UNEVEN * own[batch[0]].count or own[name].count > SAMPLED // 2):
            yield batch
            batch = []
        batch.append(name)
    yield batch
