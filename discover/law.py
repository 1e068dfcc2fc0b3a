"""Laws: a formula over features with named constants, read from and written to cards.

A law card says everything that is known of a law: formula, features with units, constants with the range in which a
fit starts, the paper, and the constants that were published, each with a number of the source that the formula must
reproduce. A law that was found is written as the same card, and so is a baseline of the next experiment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sympy
from pydantic import field_validator, model_validator

from discover.cards import Card, card_paths, find_card, read_card
from discover.compiled import Compiled, compile_formula
from discover.errors import CardError, InputError, one_of
from discover.formula import FormulaError, complexity, is_name, parse, symbol, to_text

LawKind = Literal["published", "found", "null"]


class Cite(Card):
    """Where a law or a dataset was published."""

    key: str
    authors: str
    title: str
    year: int
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None

    def short(self) -> str:
        """As one cites in a sentence: ``Hoffmann et al. 2022``."""
        return f"{self.authors} {self.year}"


class Constant(Card):
    """A constant of a law: where its starts are drawn, and which values are legal."""

    range: tuple[float, float]
    positive: bool = False
    log: bool = False  # starts are drawn evenly in the logarithm
    min: float | None = None
    max: float | None = None
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
        exponent = Decimal(repr(self.value)).normalize().as_tuple().exponent
        return 0.5 * 10.0 ** int(exponent)


class Published(Card):
    """Constants as a source printed them, and what they hold for."""

    source: str
    on: str = ""
    values: dict[str, float]
    errors: dict[str, float] = {}  # standard errors, where the source gives them
    unverified: bool = False  # quoted from memory, not seen in a source
    note: str = ""
    checks: list[Check] = []


class FittedValues(Card):
    """A fit of a law as its card keeps it."""

    dataset: str
    rows: int
    values: dict[str, float]
    errors: dict[str, float | None] = {}
    objective: float | None = None
    run: str = ""


class LawCard(Card):
    """The keys of a law card."""

    title: str
    kind: LawKind = "published"
    cite: Cite | None = None
    target: str = "L"
    unit: str = "nats/token"
    formula: str
    let: dict[str, str] = {}
    features: dict[str, str]
    any_feature: bool = False  # the law's one feature stands for any feature of the dataset
    constants: dict[str, Constant]
    notes: str = ""
    unverified: bool = False
    published: list[Published] = []
    fits: list[FittedValues] = []

    @field_validator("features", "constants", "let")
    @classmethod
    def _names(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if not is_name(name):
                raise ValueError(
                    f"{name!r} is not a legal name: letters, digits and underscores, not a function's name"
                )
        return value


@dataclass(frozen=True)
class Law:
    """A formula over features with named constants.

    Attributes
    ----------
    name
        How the law is called: the stem of its card.
    formula, let
        The text of the formula, and of the parts that it names, in order.
    features
        What each feature of the formula means, with its unit, by symbol.
    constants
        What is known of each constant, by name, in the order of the card.
    target, unit
        Symbol and unit of what the law predicts.
    """

    name: str
    title: str
    formula: str
    features: Mapping[str, str]
    constants: Mapping[str, Constant]
    kind: LawKind = "published"
    target: str = "L"
    unit: str = "nats/token"
    let: Mapping[str, str] = field(default_factory=dict)
    cite: Cite | None = None
    published: tuple[Published, ...] = ()
    fits: tuple[FittedValues, ...] = ()
    notes: str = ""
    unverified: bool = False
    any_feature: bool = False

    @cached_property
    def parts(self) -> dict[str, sympy.Expr]:
        """SymPy expression of each named part."""
        parts: dict[str, sympy.Expr] = {}
        for name, text in self.let.items():
            parts[name] = parse(text, features=self.features, constants=self.constants, parts=parts)
        return parts

    @cached_property
    def expression(self) -> sympy.Expr:
        """The formula as a SymPy expression: features positive, constants real symbols."""
        return parse(self.formula, features=self.features, constants=self.constants, parts=self.parts)

    @cached_property
    def compiled(self) -> Compiled:
        """The formula and its exact derivatives in the constants, compiled for NumPy."""
        return compile_formula(self.expression, tuple(self.features), tuple(self.constants))

    @cached_property
    def complexity(self) -> int:
        """Number of nodes of the formula."""
        return complexity(self.expression)

    def predict(self, features: Mapping[str, Any], values: Mapping[str, float]) -> np.ndarray:
        """Evaluate the law.

        Parameters
        ----------
        features
            Value or array of each feature, by symbol, in the units of the card; arrays of one shape.
        values
            Value of each constant, by name.

        Returns
        -------
        The target, in the shape of the features; NaN or infinite where the formula has no finite real value.
        """
        missing = [name for name in self.features if name not in features]
        if missing:
            raise InputError(f"law {self.name!r} needs the feature {missing[0]!r}: give {', '.join(self.features)}")
        constants = np.array([self.value_of(name, values) for name in self.constants], dtype=float)
        columns = np.broadcast_arrays(*(np.asarray(features[name], dtype=float) for name in self.features))
        shape = columns[0].shape if columns else ()
        flat = [column.ravel() for column in columns]
        return np.asarray(self.compiled.predict(flat, constants[None, :])[0].reshape(shape))

    def check(self, check: Check, values: Mapping[str, float]) -> float:
        """The number that the law gives where `check` has the source's; they agree within ``check.allowed()``."""
        if check.of is None:
            return float(self.predict(check.at, values))
        quantity = parse(check.of, features=self.features, constants=self.constants, parts=self.parts)
        numbers = {symbol(name, positive=True): value for name, value in check.at.items()}
        numbers |= {symbol(name): self.value_of(name, values) for name in self.constants}
        result = quantity.subs(numbers)
        if not result.is_number:
            raise InputError(f"law {self.name!r}: the check {check.of!r} needs a value of {result.free_symbols}")
        return float(result)

    def value_of(self, name: str, values: Mapping[str, float]) -> float:
        """Value of the constant `name` among `values`, or an error that names it."""
        try:
            return float(values[name])
        except KeyError:
            raise InputError(f"law {self.name!r} needs a value of the constant {name!r}") from None

    def on(self, feature: str, meaning: str = "") -> Law:
        """A law of any one feature (a null law), put on `feature`."""
        if not self.any_feature:
            raise InputError(f"law {self.name!r} has the fixed features {', '.join(self.features)}")
        (old,) = self.features
        if feature in self.constants:
            raise InputError(f"law {self.name!r} cannot be put on {feature!r}: it has a constant of that name")
        renamed = self.expression.xreplace({symbol(old, positive=True): symbol(feature, positive=True)})
        name = f"{self.name}_{feature}"
        return replace(
            self, name=name, formula=to_text(renamed), let={}, features={feature: meaning}, any_feature=False
        )


def law_from_card(card: LawCard, name: str, where: str = "") -> Law:
    """Build a law from its checked card; parse errors name the card."""
    law = Law(
        name=name,
        title=card.title,
        formula=card.formula,
        features=card.features,
        constants=card.constants,
        kind=card.kind,
        target=card.target,
        unit=card.unit,
        let=card.let,
        cite=card.cite,
        published=tuple(card.published),
        fits=tuple(card.fits),
        notes=card.notes,
        unverified=card.unverified,
        any_feature=card.any_feature,
    )
    where = where or name
    if law.any_feature and len(law.features) != 1:
        raise CardError(f"{where}: any_feature: such a law has one feature, this one has {len(law.features)}")
    try:
        free = {symbol.name for symbol in law.expression.free_symbols}
    except FormulaError as error:
        at = next((f"let.{part}" for part, text in law.let.items() if text == error.text), "formula")
        raise CardError(f"{where}: {at}: {error}") from None
    unused = [constant for constant in law.constants if constant not in free]
    if unused:
        raise CardError(f"{where}: constants.{unused[0]}: the formula does not use the constant {unused[0]!r}")
    for number, published in enumerate(law.published):
        for constant in published.values:
            if constant not in law.constants:
                near = one_of(constant, law.constants)
                raise CardError(f"{where}: published.{number}.values: unknown constant {constant!r}: {near}")
        missing = [constant for constant in law.constants if constant not in published.values]
        if missing:
            raise CardError(f"{where}: published.{number}.values: the constant {missing[0]!r} has no value")
    return law


def load_law(name: str | Path) -> Law:
    """Load a law by name (``"hoffmann"``) or by the path of its card.

    >>> load_law("hoffmann").formula
    'E0 + A/N**alpha + B/D**beta'
    """
    path = find_card("baselines", name)
    return law_from_card(read_card(path, LawCard), path.stem, where=str(path))


def list_laws() -> list[Law]:
    """All laws that have a card, by name."""
    return [load_law(path) for path in card_paths("baselines").values()]
