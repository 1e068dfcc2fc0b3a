"""What was published of laws on datasets that are at hand, computed anew: constants, errors, digits that agree.

Law cards say what was published (`discover.law_card.Reproduction`); nothing here is typed from a paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from discover.condition import rows_where
from discover.dataset import Dataset, load_dataset
from discover.errors import InputError
from discover.fitting import AnyFit, Objective, fit_rows
from discover.law import Law, Published, list_laws
from discover.law_card import Reproduction, half_of_last_digit
from discover.matching import match
from discover.scoring import score


@dataclass(frozen=True)
class Number:
    """A published number beside ours.

    Attributes
    ----------
    error
        Standard error of the published number, where its source gives one.
    """

    name: str
    published: float | None
    ours: float
    error: float | None = None
    shown: str = ""  # the published number with its digits, where it ends in zeros

    def agrees(self) -> bool:
        """Whether ours is the published number to the digits that it shows."""
        if self.published is None:
            return False
        return abs(self.ours - self.published) <= half_of_last_digit(self.shown or self.published)

    def text(self) -> str:
        """The published number as it is shown; empty when there is none."""
        return self.shown or ("" if self.published is None else f"{self.published:g}")

    def digits(self) -> int | None:
        """Leading digits in which the numbers agree; `None` when nothing was published.

        >>> Number("rmse", 0.0218, 0.02182).digits()
        3
        """
        if self.published is None:
            return None
        if self.published == 0 or not math.isfinite(self.ours):
            return 0
        off = abs(self.ours / self.published - 1)
        text = self.shown or f"{abs(self.published):.15g}".rstrip("0")
        shown = len(text.split("e")[0].replace(".", "").replace("-", "").lstrip("0")) or 1
        return shown if self.agrees() else max(0, min(shown, math.floor(-math.log10(2 * off))))

    def in_errors(self) -> float | None:
        """The difference in published standard errors."""
        if self.published is None or not self.error:
            return None
        return (self.ours - self.published) / self.error


@dataclass(frozen=True)
class Reproduced:
    """One reproduction: the errors of the published constants, and the constants of a fit to the same rows."""

    law: Law
    published: Published | None
    reproduction: Reproduction
    n_rows: int
    errors: tuple[Number, ...]
    refit_errors: tuple[Number, ...] = ()
    constants: tuple[Number, ...] = ()
    fit: AnyFit | None = field(default=None, repr=False)


def reproductions(names: Sequence[str] = ()) -> Iterator[tuple[Law, Published | None, Reproduction]]:
    """All reproductions that law cards speak of, or those of the laws `names`."""
    laws = list_laws()
    known = {law.name for law in laws}
    for name in names:
        if name not in known:
            raise InputError(f"unknown law {name!r} (discover laws lists them)")
    for law in laws:
        if names and law.name not in names:
            continue
        for published in law.published:
            yield from ((law, published, each) for each in published.reproductions)
        yield from ((law, None, each) for each in law.reproductions)


def reproduce(law: Law, published: Published | None, reproduction: Reproduction) -> Reproduced:
    """Compute a reproduction.

    Raises
    ------
    InputError
        When the dataset's rows, group or constants are not what the card says.
    """
    dataset = _narrowed(load_dataset(reproduction.dataset), reproduction, law.name)
    law = match(law, dataset)
    objective = Objective.suited_to(dataset.losses(), reproduction.objective, reproduction.delta)
    errors: tuple[Number, ...] = ()
    if published is not None:
        prediction = law.predict(dataset.columns(), published.values)
        errors = _errors(reproduction, dataset, prediction, objective)
    if not reproduction.refit:
        return Reproduced(law, published, reproduction, len(dataset.table), errors)
    values = {} if published is None else dict(published.values)
    fit = fit_rows(
        law,
        dataset.columns(),
        dataset.losses(),
        dataset.groups(),
        objective=objective,
        first={name: value for name, value in values.items() if name not in reproduction.fixed} or None,
        fixed={name: values[name] for name in reproduction.fixed},
    )
    prediction = fit.predict(dataset.columns(), dataset.groups())
    constants: tuple[Number, ...] = ()
    if published is not None:
        if dataset.grouped:
            where = f"law {law.name!r}: reproduction on {dataset.name!r}"
            raise InputError(f"{where}: its rows are in groups: name the group that the published constants hold for")
        ours = fit.parts[""].values
        constants = tuple(
            Number(name, published.values[name], ours[name], published.errors.get(name))
            for name in law.parameters
            if name not in reproduction.fixed
        )
    refit_errors = _errors(reproduction, dataset, prediction, objective)
    return Reproduced(law, published, reproduction, len(dataset.table), errors, refit_errors, constants, fit)


def _narrowed(dataset: Dataset, reproduction: Reproduction, law: str) -> Dataset:
    rows = np.ones(len(dataset.table), dtype=bool)
    if reproduction.rows is not None:
        rows &= rows_where(dataset.table, reproduction.rows)
    if reproduction.group:
        groups = dataset.groups()
        if groups is None:
            raise InputError(f"law {law!r}: reproduction: dataset {dataset.name!r} has no groups")
        rows &= groups == reproduction.group
    if not rows.any():
        raise InputError(f"law {law!r}: reproduction: no row of {dataset.name!r} is left")
    dataset = dataset.narrowed(rows)
    return replace(dataset, grouped=False) if reproduction.group else dataset


def _errors(
    reproduction: Reproduction, dataset: Dataset, prediction: np.ndarray, objective: Objective
) -> tuple[Number, ...]:
    """The metrics that the card names; R2 and the relative error where it names none."""
    target = dataset.losses()
    found = score(prediction, target)
    values = {"rmse": found.rmse, "mae": found.mae, "mape": found.mape, "r2": found.r2}
    if np.all(target > 0) and np.all(prediction > 0):
        squared = (np.log(prediction) - np.log(target)) ** 2
        groups = dataset.groups()
        labels = np.zeros(len(target), dtype=object) if groups is None else groups
        means = [float(np.sqrt(squared[labels == name].mean())) for name in dict.fromkeys(labels.tolist())]
        values |= {"rmse_log": float(np.sqrt(squared.mean())), "rmse_log_of_groups": float(np.mean(means))}
    values["loss"] = float(objective.loss(objective.residual(prediction, target)))
    if not reproduction.errors:
        return tuple(Number(metric, None, values[metric]) for metric in ("mape", "r2"))
    return tuple(
        Number(metric, float(known), values[metric], shown=known if isinstance(known, str) else "")
        for metric, known in reproduction.errors.items()
    )
