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
from discover.fitting.constraints import constrained, constraints_of
from discover.fitting.equations import LawEquations, Rows
from discover.fitting.fitter import NOISE, ROUNDS, Fit, Options, check_count, check_target, fit_of, rows_of, start_of
from discover.fitting.search import SAMPLED, search
from discover.fitting.shared import fit_shared
from discover.fitting.space import Space, space_of
from discover.fitting.warnings import FitWarning
from discover.law import Law
from discover.objective import Objective, noise_delta

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
    objective: Objective | None = None,
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
) -> GroupedFit:
    """Fit the constants of `law` to each group of rows.

    Parameters
    ----------
    groups
        Name of the group of each row, shape (rows,).
    first
        As `fit` has it, or starts by group: a mapping of the group's name to constants.
    law, features, target, objective, delta, weights, starts, retries, seed, fixed, tied, bounds, constraints
        As `fit` has them; a delta of ``"noise"`` is one for all groups.

    Raises
    ------
    FitError
        When a group cannot be fitted; the message names it.
    InputError
        As `fit` has it; also when constants are shared and there are constraints.
    """
    rows = rows_of(law, features, target, weights)
    objective = objective or Objective.suited_to(rows.counted)
    check_target(objective, rows.counted)
    if delta is not None and delta != NOISE:
        objective = replace(objective, delta=float(delta))
    space = space_of(law, fixed=fixed, tied=tied, bounds=bounds)
    options = Options(
        starts, retries, seed, fixed, tied, bounds, constraints_of(law, constraints) if constraints else None
    )
    names = [str(name) for name in dict.fromkeys(groups.tolist())]
    own = {name: rows.part(np.flatnonzero(groups == name)) for name in names}
    begin: dict[str, np.ndarray | None] = {}
    for name in names:
        given: Any = first.get(name) if first and isinstance(next(iter(first.values())), Mapping) else first
        begin[name] = start_of(law, space, given)
        try:
            check_count(law, space, own[name])
        except FitError as error:
            raise FitError(f"group {name!r}: {error}") from None
    result = _fit_groups(law, own, objective, space, options, begin)
    if delta != NOISE:
        return result
    for _ in range(ROUNDS):
        parts = result.parts.values()
        weight = (
            None if weights is None else np.concatenate([p.rows.weight for p in parts if p.rows.weight is not None])
        )
        residual = np.concatenate([part.residuals for part in parts])
        estimate = noise_delta(residual, len(parts) * len(space.free), weight)
        if not estimate > 0:
            break
        options = replace(options, starts=min(options.starts, 8), retries=0)
        begin = {name: part.point[None] for name, part in result.parts.items()}
        result = _fit_groups(law, own, replace(objective, delta=estimate), space, options, begin)
    return result


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
        found = search(equations, options.batches, options.seed, [begin[name] for name in names])
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


def batched(parts: Sequence[Rows]) -> Rows:
    """Rows of groups as problems of one length: short ones are filled up with rows that weigh nothing."""
    if len(parts) == 1:
        return parts[0]
    length = max(part.count for part in parts)
    index = [np.minimum(np.arange(length), part.count - 1) for part in parts]
    weight = None
    if any(part.weight is not None or part.count < length for part in parts):
        ones = [np.ones(part.count) if part.weight is None else part.weight for part in parts]
        weight = np.stack([one[k] * (np.arange(length) < len(one)) for one, k in zip(ones, index, strict=True)])
    columns = [
        np.stack([part.columns[place][k] for part, k in zip(parts, index, strict=True)])
        for place in range(len(parts[0].columns))
    ]
    return Rows(columns, np.stack([part.target[k] for part, k in zip(parts, index, strict=True)]), weight)
