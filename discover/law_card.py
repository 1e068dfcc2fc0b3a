"""The keys of a law card: what is written down of a law, and checked when it is read."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from discover.cards import Card
from discover.cite import Cite
from discover.formula import LEGAL_NAMES, is_name
from discover.objective import Name
from discover.units import Unit

LawKind = Literal["published", "found", "null"]


class Constant(Card):
    """A constant of a law: where its starts are drawn, and which values are legal.

    A constant that stands only inside ``sum(...)`` has one value a component of the mixture; this holds for each.
    """

    range: tuple[float, float]
    positive: bool = False
    log: bool = False  # starts are drawn evenly in the logarithm
    min: float | None = None
    max: float | None = None
    shared: bool = False  # one value for all groups of a dataset
    meaning: str = ""

    @model_validator(mode="after")
    def _check(self) -> Constant:
        low, high = self.range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"range must be two finite numbers, the smaller first, not {list(self.range)}")
        if (self.log or self.positive) and low <= 0:
            raise ValueError(f"a positive or log constant needs a range above zero, not {list(self.range)}")
        if not self.lower <= low < high <= self.upper:
            raise ValueError(f"the range {list(self.range)} lies outside min = {self.lower} and max = {self.upper}")
        return self

    @property
    def lower(self) -> float:
        """Smallest legal value."""
        if self.min is not None:
            return max(self.min, 0.0) if self.positive else self.min
        return 0.0 if self.positive else -math.inf

    @property
    def upper(self) -> float:
        """Largest legal value."""
        return math.inf if self.max is None else self.max


class Check(Card):
    """A number of the source that the law must reproduce.

    Either the target at given features (``at``), or a quantity derived from the constants (``of``, a formula over
    constants, features and named parts), to the digits printed or within a relative ``tolerance`` that ``because``
    explains.
    """

    value: float
    at: dict[str, float] = {}
    of: str | None = None
    tolerance: float | None = None
    because: str = ""

    def allowed(self) -> float:
        """Largest difference from `value` that still agrees with it: half of its last printed digit."""
        if self.tolerance is not None:
            return self.tolerance * abs(self.value)
        return half_of_last_digit(self.value)


def half_of_last_digit(value: float | str) -> float:
    """Half of the last digit that a number shows; a number with zeros at its end is given as text.

    >>> half_of_last_digit(0.0218), half_of_last_digit("0.0080")
    (5e-05, 5e-05)
    """
    number = Decimal(value) if isinstance(value, str) else Decimal(repr(value)).normalize()
    return 0.5 * 10.0 ** int(number.as_tuple().exponent)


def _number(value: float | str) -> float | str:
    if isinstance(value, str):
        try:
            Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{value!r} is no number") from None
    return value


Shown = Annotated[float | str, AfterValidator(_number)]  # a number with the digits that are printed
Metric = Literal["rmse", "mae", "mape", "r2", "rmse_log", "rmse_log_of_groups", "loss"]


class Reproduction(Card):
    """What is known of a law on a dataset that is at hand; `discover.reproductions` computes it anew.

    Attributes
    ----------
    dataset
        Name of the dataset.
    rows
        Row rule that narrows it, as in ``"E <= 64"``.
    group
        The group whose rows are meant; empty for all rows.
    refit
        Whether the constants are fitted anew to these rows: because the published ones come from a fit to them, or
        because there are none.
    fixed
        Constants that keep their published values in that fit.
    objective, delta
        What that fit minimised; the usual one by default.
    errors
        Published errors: of the published constants, or of the source's own fits where there are none. rmse, mae, mape
        (percent), r2, rmse_log (of the logarithm), rmse_log_of_groups (its mean over groups), loss (the objective).
        A number that ends in zeros is written as text: ``"0.0080"``.
    printed
        Whether the source prints these errors; `false` for an independent computation with its constants.
    because
        Why ours differs, where it does.
    """

    dataset: str
    rows: str | None = None
    group: str = ""
    refit: bool = False
    fixed: list[str] = []
    objective: Name | None = None
    delta: float | None = None
    errors: dict[Metric, Shown] = {}
    printed: bool = True
    because: str = ""


class Published(Card):
    """Constants as a source printed them, and what they hold for."""

    source: str
    on: str = ""
    values: dict[str, float]
    errors: dict[str, float] = {}  # standard errors, where the source gives them
    unverified: bool = False  # quoted from memory, not seen in a source
    note: str = ""
    checks: list[Check] = []
    reproductions: list[Reproduction] = []


class FittedValues(Card):
    """A fit of a law as its card keeps it; one of each group where there are groups."""

    dataset: str
    group: str = ""
    rows: int
    values: dict[str, float]
    errors: dict[str, float | None] = {}
    objective: float | None = None
    run: str = ""


class Protocol(Card):
    """How a source fitted the law, step by step, for replication.

    Attributes
    ----------
    grid, log_grid
        Starts of each constant: its values, or those of its natural logarithm, which is what then moves. All
        combinations are tried.
    method
        Of `scipy.optimize.minimize`, with its own tolerances.
    """

    source: str
    objective: Name
    delta: float = 1e-3
    method: Literal["L-BFGS-B", "BFGS"]
    grid: dict[str, list[float]] = {}
    log_grid: dict[str, list[float]] = {}


class LawCard(Card):
    """The keys of a law card."""

    title: str
    kind: LawKind = "published"
    cite: Cite | None = None
    target: str = "L"
    unit: Unit = "nats/token"
    formula: str
    let: dict[str, str] = {}
    features: dict[str, str]
    any_feature: bool = False  # the law's one feature stands for any feature of the dataset
    mixtures: list[str] = []  # features that are vectors: they stand inside sum(...)
    components: dict[str, list[str]] = Field(default={}, description="names of the components of each mixture")
    constants: dict[str, Constant]
    notes: str = ""
    unverified: bool = False
    published: list[Published] = []
    protocols: dict[str, Protocol] = {}
    reproductions: list[Reproduction] = []  # of fits whose constants were not published
    fits: list[FittedValues] = []

    @field_validator("features", "constants", "let")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not is_name(name):
                raise ValueError(f"{name!r} is not a legal name: {LEGAL_NAMES}")
        return value

    @model_validator(mode="after")
    def _mixtures(self) -> LawCard:
        for name in self.mixtures:
            if name not in self.features:
                raise ValueError(f"mixtures: {name!r} is not among the features {', '.join(self.features)}")
        for name, protocol in self.protocols.items():
            starts = [*protocol.grid, *protocol.log_grid]
            if sorted(starts) != sorted(self.constants):
                raise ValueError(
                    f"protocols.{name}: grid and log_grid must have starts of each constant once: "
                    f"{', '.join(self.constants)}"
                )
        for name, parts in self.components.items():
            if name not in self.mixtures:
                raise ValueError(f"components: {name!r} is not among the mixtures {', '.join(self.mixtures) or 'none'}")
            if len(parts) < 2 or len(set(parts)) < len(parts):
                raise ValueError(f"components.{name}: a mixture has two or more components, each of its own name")
        return self
