"""What the reader of a fit must know: warnings, and one word on how far the constants can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from discover.fitting.space import LARGEST, Space
from discover.law import Law

Code = Literal["few_rows", "starts_disagree", "at_bound", "flat", "vague", "unfinished", "ill_conditioned"]
State = Literal["certain", "at_bound", "starts_disagree", "undetermined"]
STATES: dict[Code, State] = {  # the worst first
    "flat": "undetermined",
    "vague": "undetermined",
    "few_rows": "undetermined",
    "unfinished": "undetermined",
    "starts_disagree": "starts_disagree",
    "at_bound": "at_bound",
}
VAGUE = 100.0  # factor by which a constant may be wrong within one standard error, above which it says nothing
FALLS = 1e-6  # part of the loss that a step still promises, above which a descent had not ended
ILL = 1e5  # condition number of the scaled Jacobian above which digits of the constants mean little


@dataclass(frozen=True)
class FitWarning:
    """Something about a fit that its reader must know.

    Attributes
    ----------
    code, message
        What kind of thing, and the sentence.
    names
        The constants that it is about; none when it is about all.
    """

    code: Code
    message: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """How far the constants of a fit can be trusted.

    Attributes
    ----------
    state
        ``certain``: the starts agree and the rows determine every constant (how precisely is for their errors to say);
        ``at_bound``: a constant wants to lie beyond its legal values, or a constraint decides; ``starts_disagree``: a
        better optimum may exist; ``undetermined``: other constants fit as well.
    reason
        Why, in a sentence.
    """

    state: State
    reason: str


def status_of(warnings: Sequence[FitWarning], agreement: float, tried: int) -> Status:
    """The worst that the warnings say; that of a large condition number alone leaves a fit certain."""
    for code, state in STATES.items():
        said = [warning.message for warning in warnings if warning.code == code]
        if said:
            return Status(state, "; ".join(said))
    if tried <= 1:
        return Status("certain", "the rows determine every constant; one start was tried")
    return Status("certain", f"{agreement:.0%} of {tried} starts agree and the rows determine every constant")


def of_few_rows(n_rows: int, n_free: int) -> FitWarning:
    """That there are hardly more rows than constants."""
    return FitWarning("few_rows", f"{n_rows} rows hardly determine {n_free} constants")


def of_flat(names: Sequence[str]) -> FitWarning:
    """That the rows do not determine some constants, or not apart."""
    rest = "trade off: the rows do not determine them apart" if len(names) > 1 else "is not determined by the rows"
    return FitWarning("flat", f"{' and '.join(names)} {rest}", tuple(names))


def of_vague(name: str, error: float) -> FitWarning:
    """That a constant is known to its order of magnitude at best; `error` is that of its logarithm."""
    powers = error / np.log(10)
    factor = f"1e{powers:.0f}" if powers < 100 else "more than 1e100"
    message = f"{name} is not determined by the rows: one standard error is a factor of {factor}"
    return FitWarning("vague", message, (name,))


def of_unfinished() -> FitWarning:
    """That the solver's last step was not at an optimum."""
    message = "the objective still fell at the last step, as where a constant runs to infinity: its value says nothing"
    return FitWarning("unfinished", message)


def of_starts(agreement: float, tried: int) -> FitWarning:
    """That few starts reached the best objective."""
    message = f"only {agreement:.0%} of {tried} starts reached the best objective: a better one may exist"
    return FitWarning("starts_disagree", message)


def of_condition(condition: float) -> FitWarning:
    """That the constants are determined by the last digits of the data."""
    return FitWarning("ill_conditioned", f"the constants all but trade off: condition number {condition:.1g}")


def of_constraint(text: str) -> FitWarning:
    """That a constraint decides the fit."""
    return FitWarning("at_bound", f"the constraint {text} holds with equality")


def of_bounds(law: Law, space: Space, point: np.ndarray) -> list[FitWarning]:
    """Which parameters lie at a bound; `point` is in the solver's units, shape (parameters,)."""
    found = []
    constants = space.constants(point[None])[0]
    for k, name in enumerate(space.free):
        value = constants[space.names.index(name)]
        limits = np.array([limit for limit in (space.lower[k], space.upper[k]) if np.isfinite(limit)])
        low, _ = law.parameters[name].range
        near_zero = law.parameters[name].positive and value < 1e-9 * low
        # A logarithm near a bound is as near as its constant is, relative to the bound.
        tolerance = 1e-9 if law.parameters[name].log else 1e-9 * np.abs(limits)
        if near_zero or (np.abs(point[k] - limits) <= tolerance).any():
            shown = 0.0 if law.parameters[name].log and point[k] <= -LARGEST else value
            found.append(FitWarning("at_bound", f"{name} = {shown:.3g} lies at its bound", (name,)))
    return found
