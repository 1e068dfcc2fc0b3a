"""Laws: a formula over features with named constants, read from and written to cards.

A law card says everything that is known of a law: formula, features with units, constants with the range in which a
fit starts, the paper, and the constants that were published, each with a number of the source that the formula must
reproduce. A law that was found is written as the same card, and so is a baseline of the next experiment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sympy

from discover.cards import card_paths, find_card, read_card
from discover.cite import Cite
from discover.compiled import Compiled, compile_formula
from discover.complexity import complexity
from discover.differentiable import Differentiable, differentiable
from discover.errors import CardError, InputError, one_of
from discover.formula import FormulaError, parse, symbol, to_text
from discover.law_card import Check, Constant, FittedValues, LawCard, LawKind, Protocol, Published, Reproduction
from discover.mixture import component, expand_mixtures, scalars, vectors

ValueT = TypeVar("ValueT")

__all__ = ["Check", "Constant", "FittedValues", "Law", "LawCard", "Published", "law_from_card", "list_laws", "load_law"]


@dataclass(frozen=True, repr=False)
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
    mixtures
        Features that are vectors: in the formula they stand inside ``sum(...)``.
    components
        Names of the components of each mixture, once the law is bound to those of a dataset (`bind`). A mixture r of
        the components code and web is the two columns ``r_code`` and ``r_web``, and a constant t inside its sum is
        the two parameters ``t_code`` and ``t_web``.
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
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    reproductions: tuple[Reproduction, ...] = ()
    fits: tuple[FittedValues, ...] = ()
    notes: str = ""
    unverified: bool = False
    any_feature: bool = False
    mixtures: tuple[str, ...] = ()
    components: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Law({self.name!r}, {self.formula!r})"

    def __getstate__(self) -> dict[str, Any]:
        # What is computed from the formula is left out: compiled functions cannot be pickled.
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def parts(self) -> dict[str, sympy.Expr]:
        """SymPy expression of each named part."""
        parts: dict[str, sympy.Expr] = {}
        for name, text in self.let.items():
            parts[name] = self.parsed(text, parts)
        return parts

    @cached_property
    def expression(self) -> sympy.Expr:
        """The formula as a SymPy expression: features positive, constants real symbols, mixtures inside sums."""
        return self.parsed(self.formula, self.parts)

    def parsed(self, text: str, parts: Mapping[str, sympy.Expr]) -> sympy.Expr:
        """A text over the law's features and constants, and over `parts`, as a SymPy expression."""
        features = [name for name in self.features if name not in self.mixtures]
        return parse(text, features=features, mixtures=self.mixtures, constants=self.constants, parts=parts)

    @cached_property
    def expanded(self) -> sympy.Expr:
        """The formula over columns and parameters: every sum is written out over the components of its mixture."""
        return expand_mixtures(self.expression, self._bound())

    @cached_property
    def columns(self) -> dict[str, str]:
        """Meaning of each column that the law needs: a feature, or a component of a mixture."""
        columns: dict[str, str] = {}
        for name, meaning in self.features.items():
            if name in self.mixtures:
                for part in self._bound()[name]:
                    columns[component(name, part)] = f"{meaning}: {part}" if meaning else part
            else:
                columns[name] = meaning
        return columns

    @cached_property
    def parameters(self) -> dict[str, Constant]:
        """What a fit determines: each constant, or its value for each component of a mixture."""
        inside = vectors(self.expression)
        parameters: dict[str, Constant] = {}
        for name, constant in self.constants.items():
            if name in inside:
                for part in self._bound()[inside[name]]:
                    meaning = f"{constant.meaning}: {part}" if constant.meaning else part
                    parameters[component(name, part)] = constant.model_copy(update={"meaning": meaning})
            else:
                parameters[name] = constant
        return parameters

    @property
    def bound(self) -> bool:
        """Whether all components of its mixtures are known, so that the law can be evaluated."""
        return set(self.mixtures) <= set(self.components)

    def bind(self, components: Mapping[str, Sequence[str]]) -> Law:
        """The law over mixtures of these components; what is known of other mixtures is left aside.

        Raises
        ------
        InputError
            When a mixture of the law has no components here, or two columns or parameters would get one name.
        """
        for name in self.mixtures:
            if len(components.get(name, ())) < 2:
                raise InputError(f"law {self.name!r} needs the components of the mixture {name!r}: two or more names")
        if not self.mixtures:
            return self
        law = replace(self, components={name: tuple(components[name]) for name in self.mixtures})
        vector = {*vectors(law.expression), *self.mixtures}
        named = [name for name in (*self.features, *self.constants, *self.let, self.target) if name not in vector]
        named += [component(name, part) for name in self.mixtures for part in components[name]]
        named += [component(name, part) for name, of in vectors(law.expression).items() for part in components[of]]
        for name in named:
            if named.count(name) > 1:
                raise InputError(f"law {self.name!r} cannot be bound: it would have two names {name!r}")
        return law

    def _bound(self) -> Mapping[str, tuple[str, ...]]:
        if not self.bound:
            raise InputError(
                f"law {self.name!r} has a mixture, {', '.join(self.mixtures)}: bind it to components first"
            )
        return self.components

    @cached_property
    def compiled(self) -> Compiled:
        """The formula, compiled for NumPy."""
        return compile_formula(self.expanded, tuple(self.columns), tuple(self.parameters))

    @cached_property
    def differentiable(self) -> Differentiable:
        """The formula with its exact derivatives, in the parameters in which fits move."""
        logs = {name: constant.log for name, constant in self.parameters.items()}
        positive = {name: constant.positive for name, constant in self.parameters.items()}
        return differentiable(self.expanded, tuple(self.columns), logs, positive)

    @cached_property
    def complexity(self) -> int:
        """Number of nodes of the formula."""
        return complexity(self.expression)

    def predict(self, features: Mapping[str, Any], values: Mapping[str, float]) -> np.ndarray:
        """Evaluate the law.

        Parameters
        ----------
        features
            Value or array of each column, by symbol, in the units of the card; arrays of one shape.
        values
            Value of each parameter, by name.

        Returns
        -------
        The target, in the shape of the features; NaN or infinite where the formula has no finite real value.
        """
        missing = [name for name in self.columns if name not in features]
        if missing:
            raise InputError(f"law {self.name!r} needs the feature {missing[0]!r}: give {', '.join(self.columns)}")
        constants = np.array([self.value_of(name, values) for name in self.parameters], dtype=float)
        columns = np.broadcast_arrays(*(np.asarray(features[name], dtype=float) for name in self.columns))
        shape = columns[0].shape if columns else ()
        flat = [column.ravel() for column in columns]
        return np.asarray(self.compiled.predict(flat, constants[None, :])[0].reshape(shape))

    def check(self, check: Check, values: Mapping[str, float]) -> float:
        """The number that the law gives where `check` has the source's; they agree within ``check.allowed()``."""
        if check.of is None:
            return float(self.predict(check.at, values))
        quantity = self.parsed(check.of, self.parts)
        if self.mixtures:
            quantity = expand_mixtures(quantity, self._bound())
        numbers = {symbol(name, positive=True): value for name, value in check.at.items()}
        numbers |= {symbol(name): self.value_of(name, values) for name in self.parameters}
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
        """A law of any one feature (a null law), put on `feature`; a constant of that name gets an underscore."""
        if not self.any_feature:
            raise InputError(f"law {self.name!r} has the fixed features {', '.join(self.features)}")
        if feature in self.constants:
            return self._with_constant(feature, f"{feature}_").on(feature, meaning)
        (old,) = self.features
        renamed = self.expression.xreplace({symbol(old, positive=True): symbol(feature, positive=True)})
        name = f"{self.name}_{feature}"
        return replace(
            self, name=name, formula=to_text(renamed), let={}, features={feature: meaning}, any_feature=False
        )

    def _with_constant(self, old: str, new: str) -> Law:
        """The law with another name of one of its constants."""
        published = tuple(
            one.model_copy(update={"values": _renamed(one.values, old, new), "errors": _renamed(one.errors, old, new)})
            for one in self.published
        )
        formula = to_text(self.expression.xreplace({symbol(old): symbol(new)}))
        constants = _renamed(self.constants, old, new)
        return replace(self, formula=formula, let={}, constants=constants, published=published)


def _renamed(named: Mapping[str, ValueT], old: str, new: str) -> dict[str, ValueT]:
    return {new if name == old else name: value for name, value in named.items()}


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
        protocols=card.protocols,
        reproductions=tuple(card.reproductions),
        fits=tuple(card.fits),
        notes=card.notes,
        unverified=card.unverified,
        any_feature=card.any_feature,
        mixtures=tuple(card.mixtures),
        components={name: tuple(parts) for name, parts in card.components.items()},
    )
    where = where or name
    if law.any_feature and len(law.features) != 1:
        raise CardError(f"{where}: any_feature: such a law has one feature, this one has {len(law.features)}")
    try:
        inside, outside = vectors(law.expression), scalars(law.expression)
    except FormulaError as error:
        at = next((f"let.{part}" for part, text in law.let.items() if text == error.text), "formula")
        raise CardError(f"{where}: {at}: {error}") from None
    both = [name for name in inside if name in outside]
    if both:
        raise CardError(f"{where}: constants.{both[0]}: {both[0]!r} stands inside one sum, and outside too")
    unused = [constant for constant in law.constants if constant not in inside and constant not in outside]
    if unused:
        raise CardError(f"{where}: constants.{unused[0]}: the formula does not use the constant {unused[0]!r}")
    for number, published in enumerate(law.published):
        _check_published(law, published, f"{where}: published.{number}")
    return law


def _check_published(law: Law, published: Published, where: str) -> None:
    if not law.bound:
        raise CardError(f"{where}: constants of a law with a mixture need the card's components: see docs/laws.md")
    for constant in (*published.values, *published.errors):
        if constant not in law.parameters:
            near = one_of(constant, law.parameters)
            raise CardError(f"{where}.values: unknown constant {constant!r}: {near}")
    missing = [constant for constant in law.parameters if constant not in published.values]
    if missing:
        raise CardError(f"{where}.values: the constant {missing[0]!r} has no value")


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
