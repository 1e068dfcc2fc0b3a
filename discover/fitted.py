"""A law fitted to a dataset: the fit, how sure its constants are, and how well it describes the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from discover.allocation import allocate, exponent_error
from discover.dataset import Dataset
from discover.diagnostics import correlations, residuals, worst_rows
from discover.errors import InputError, one_of
from discover.fitting import AnyFit, Fit, GroupedFit, fit_rows
from discover.fitting.bootstraps import Bootstrap, bootstrap
from discover.fitting.derived import derived
from discover.fitting.levels import check_level
from discover.fitting.profiles import profile
from discover.fitting.protocol import fit_by_protocol
from discover.formula import FormulaError, parse
from discover.law import Law
from discover.matching import match
from discover.sanity import SanityCard, sanity_card
from discover.scoring import Score, score
from discover.sizes import size_ranks

Kind = Literal["bootstrap", "profile", "none"]
KINDS: tuple[Kind, ...] = ("bootstrap", "profile", "none")
RESAMPLES = 1000  # of a bootstrap
FLOP_PER = 6.0  # for each parameter and token


@dataclass(frozen=True)
class Intervals:
    """How intervals of the constants are made.

    Attributes
    ----------
    kind
        ``bootstrap``: the spread of fits to resamples; ``profile``: how far a constant moves before the objective
        rises too much; ``none``.
    level
        Confidence level, between 0 and 1.
    resamples
        Number of resamples of the bootstrap.
    by
        What the bootstrap draws: ``row``, or a feature, of which rows of one size (within 1 %) are drawn together.
    """

    kind: Kind = "bootstrap"
    level: float = 0.95
    resamples: int = RESAMPLES
    by: str = "row"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"unknown intervals {self.kind!r}: {one_of(self.kind, KINDS)}")
        check_level(self.level)

    def __str__(self) -> str:
        if self.kind == "bootstrap":
            drawn = "rows" if self.by == "row" else f"sizes of {self.by}"
            return f"{self.level:.0%} interval, {self.resamples} resamples of {drawn}"
        return f"{self.level:.0%} interval, {self.kind}"


@dataclass(frozen=True)
class Known:
    """How sure the constants of one fit are.

    Attributes
    ----------
    ends
        Interval of each constant that was fitted.
    derived
        Value, standard error and interval of quantities that follow from the constants, by formula.
    optimal
        The compute-optimal model at the largest compute of the rows, for laws of N and D that have one.
    """

    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    derived: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    optimal: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """A law fitted to the rows of a dataset.

    Attributes
    ----------
    score
        Errors on the rows of the fit.
    held_out
        Errors on the rows that were left out; `None` when none were.
    intervals
        How the intervals were made.
    known
        How sure the constants are, by group; one, under an empty name, when rows are in no groups.
    numbers
        Number of each row in its file, by group.
    protocol
        The published protocol that was followed; empty for the project's own fitter.
    """

    dataset: Dataset
    fit: AnyFit
    score: Score
    held_out: Score | None
    intervals: Intervals
    known: Mapping[str, Known]
    numbers: Mapping[str, np.ndarray] = field(repr=False)
    protocol: str = ""

    def sanity_card(self) -> SanityCard:
        """How the law behaves over the rows of the fit and beyond: all lines of the card."""
        rows = self.dataset.table.index.isin(np.concatenate(list(self.numbers.values())))
        return sanity_card(self.fit, self.dataset, rows=rows)

    def as_record(self) -> dict[str, Any]:
        """All of it, ready for JSON; of groups, what holds for one stands under its name."""
        fitted = self.fit
        parts = {group: self._part(group, part) for group, part in fitted.parts.items()}
        return {
            "law": fitted.law.name,
            "formula": fitted.law.formula,
            "dataset": self.dataset.name,
            "generated": bool(self.dataset.generated),
            "protocol": self.protocol or None,
            "intervals": asdict(self.intervals),
            **(parts[""] if list(parts) == [""] else {"groups": parts, "shared": getattr(fitted, "shared", ())}),
            "objective": {"name": fitted.objective.name, "delta": fitted.objective.delta, "value": fitted.loss},
            "rows": fitted.n_rows,
            "rmse": self.score.rmse,
            "mae": self.score.mae,
            "mape": self.score.mape,
            "r2": self.score.r2,
            "held_out": None if self.held_out is None else vars(self.held_out),
            "agreement": fitted.agreement,
            "starts": fitted.n_starts,
            "warnings": [asdict(warning) for warning in fitted.warnings],
        }

    def _part(self, group: str, part: Fit) -> dict[str, Any]:
        known = self.known[group]
        constants = {}
        for name, value in part.values.items():
            low, high = known.ends.get(name, (None, None))
            constants[name] = {"value": value, "stderr": part.errors[name], "low": low, "high": high}
        worst = [
            {**asdict(row), "row": int(self.numbers[group][row.row])} for row in worst_rows(part)
        ]  # its number in the file
        return {
            "constants": constants,
            "derived": dict(known.derived),
            "optimal": dict(known.optimal) or None,
            "status": asdict(part.status),
            "condition": part.condition,
            "at_bounds": part.at_bounds,
            "flat": part.flat,
            "correlations": [asdict(pair) for pair in correlations(part)],
            "residuals": asdict(residuals(part)),
            "worst_rows": worst,
        }


def fit_dataset(
    law: Law,
    dataset: Dataset,
    *,
    hold_out: str | None = None,
    objective: str | None = None,
    delta: float | str | None = None,
    weights: str | None = None,
    protocol: str | None = None,
    intervals: Intervals | None = None,
    derive: Sequence[str] = (),
    **options: Any,
) -> Fitted:
    """Fit a law to all rows of a dataset, or to those that `hold_out` leaves.

    Parameters
    ----------
    hold_out
        Row rule of those left out, as ``"N >= 4e9"``.
    objective, delta
        Name of the objective, and where it turns linear: a number, or ``"noise"``; see `discover.fitting.fit`.
    weights
        Weight of each row in the objective: a formula over features, as ``"sqrt(N)"``.
    protocol
        A published way to fit this law, by the name on its card, instead of the project's own.
    intervals
        How intervals of the constants are made; by default by a bootstrap of 1,000 resamples of the rows.
    derive
        Formulas over constants that are wanted too, as ``"beta/(alpha + beta)"``.
    options
        Further arguments of `discover.fitting.fit`: starts, seed, fixed, tied, bounds, constraints.

    Raises
    ------
    InputError
        When dataset and law do not go together: other features, or another target.
    """
    law = match(law, dataset)
    held = dataset.held_out_rows(hold_out) if hold_out is not None else np.zeros(len(dataset.table), dtype=bool)
    target, columns, groups = dataset.losses(~held), dataset.columns(~held), dataset.groups(~held)
    intervals = intervals or Intervals()
    fitted: AnyFit
    weight = None
    if protocol is None:
        weight = None if weights is None else _weights(weights, columns, len(target))
        fitted = fit_rows(law, columns, target, groups, objective=objective, delta=delta, weights=weight, **options)
    elif groups is not None:
        raise InputError(f"a protocol fits rows in one group: {dataset.name} has several")
    else:
        _refuse_beside_protocol(objective=objective, delta=delta, weights=weights, **options)
        fitted = fit_by_protocol(law, columns, target, protocol)
    train = score(fitted.predict(columns, groups), target)
    outside = None
    if held.any():
        outside = score(fitted.predict(dataset.columns(held), dataset.groups(held)), dataset.losses(held))
    numbers = dataset.table.index.to_numpy()[~held]
    if weight is not None:  # rows that weigh nothing are not part of the fit
        counted = weight > 0
        numbers, groups = numbers[counted], None if groups is None else groups[counted]
        columns = {name: column[counted] for name, column in columns.items()}
    places = {"": np.arange(len(numbers))} if groups is None else _places(groups)
    known = _known(fitted, intervals, columns, places, derive)
    rows = {name: numbers[place] for name, place in places.items()}
    return Fitted(dataset, fitted, train, outside, intervals, known, rows, protocol or "")


def _refuse_beside_protocol(**options: Any) -> None:
    for name, value in options.items():
        if value and name not in {"starts", "seed"}:
            raise InputError(f"a protocol says how a law is fitted: leave out {name}")


def _weights(text: str, columns: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    from discover.compiled import compile_formula

    try:
        expression = parse(text, features=list(columns), constants=())
    except FormulaError as error:
        raise InputError(f"weights {text!r}: {error}") from None
    made = compile_formula(expression, tuple(columns), ()).predict(list(columns.values()), np.zeros((1, 0)))[0]
    return np.broadcast_to(made, (count,)).copy()


def _places(groups: np.ndarray) -> dict[str, np.ndarray]:
    return {str(name): np.flatnonzero(groups == name) for name in dict.fromkeys(groups.tolist())}


def _known(
    fitted: AnyFit,
    intervals: Intervals,
    columns: Mapping[str, np.ndarray],
    places: Mapping[str, np.ndarray],
    derive: Sequence[str],
) -> dict[str, Known]:
    samples: Mapping[str, Bootstrap] = {}
    if intervals.kind == "bootstrap":
        by = None
        if intervals.by != "row":
            if intervals.by not in columns:
                raise InputError(f"unknown feature {intervals.by!r}: {one_of(intervals.by, ['row', *columns])}")
            ranks = size_ranks(columns[intervals.by])
            by = np.concatenate([ranks[place] for place in places.values()])
        drawn = bootstrap(fitted, count=intervals.resamples, by=by)
        samples = {"": drawn} if isinstance(drawn, Bootstrap) else drawn
    found = {}
    for name, part in fitted.parts.items():
        sample = samples.get(name)
        ends: dict[str, tuple[float, float]] = {}
        if sample is not None:
            ends = {constant: sample.interval(constant, intervals.level) for constant in _determined(part)}
        elif intervals.kind == "profile" and isinstance(fitted, GroupedFit) and fitted.shared:
            raise InputError("constants that groups share have no profile: use intervals of the kind bootstrap")
        elif intervals.kind == "profile":
            ends = {one.name: (one.low, one.high) for one in profile(part, level=intervals.level).values()}
        own = {key: column[places[name]] for key, column in columns.items()}
        found[name] = Known(
            ends,
            {text: _derived(part, text, sample, intervals.level) for text in derive},
            _optimal(part, own, sample, intervals.level),
        )
    return found


def _determined(part: Fit) -> list[str]:
    """The constants that the rows determine: resamples of others stay where they began, which is no certainty."""
    moved = [name for name, place in zip(part.space.names, part.space.index, strict=True) if place >= 0]
    return [name for name in moved if np.isfinite(part.errors[name])]


def _derived(part: Fit, text: str, sample: Bootstrap | None, level: float) -> dict[str, float]:
    found = derived(part.law, text, part.values, part.covariance)
    record = {"value": found.value, "stderr": found.error}
    if sample is not None and np.isfinite(found.error):  # else its constants are not determined, nor is its spread
        record["low"], record["high"] = sample.interval(text, level)
    return record


def _optimal(part: Fit, columns: Mapping[str, np.ndarray], sample: Bootstrap | None, level: float) -> dict[str, float]:
    """The compute-optimal model at the largest compute of the rows; empty where the law has none."""
    if set(part.law.columns) != {"N", "D"} or part.law.target != "L":
        return {}
    compute = FLOP_PER * float(np.max(columns["N"] * columns["D"]))
    best = allocate(part.law, part.values, compute, flop_per=FLOP_PER)
    if not bool(best.interior) or not np.isfinite(best.a):
        return {}
    record = {"compute": compute, "N": float(best.N), "D": float(best.D), "a": float(best.a)}
    record["stderr"] = float(exponent_error(part.law, part.values, part.covariance, compute, flop_per=FLOP_PER))
    if sample is not None and np.isfinite(record["stderr"]):
        usable = sample.values[np.isfinite(sample.values).all(axis=1)]
        if len(usable) > 1:
            spread = allocate(part.law, usable, compute, flop_per=FLOP_PER).interval(level)
            record |= {"low": float(spread.low["a"]), "high": float(spread.high["a"])}
    return record
