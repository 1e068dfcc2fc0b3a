"""Shapes: the laws that the grammar can say, without the values of their constants.

A shape is

    L = E0 + (sum_k f_k(c_k + sum_i a_ki * phi_i(x)))**kappa

where a term's `f` is an exponential (a product of powers, where `phi` is a logarithm), a square (a bowl) or the sum
itself; `phi` is a variable, or the product of two. The floor E0 and the outer power kappa may be missing. Nearly all
published scaling laws are of this shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Literal

from discover.engines.grammar.variables import Variable

Monomial = tuple[Variable, ...]
Function = Literal["exp", "square", "sum"]


@dataclass(frozen=True, order=True)
class Term:
    """One term: what it is a function of, which function, and its sign.

    In one that is `shared` all monomials have the first one's coefficient: (N*(1 + k*log(P)))**(-alpha). In one that is
    `unit` the coefficient of the only monomial is the number -1: A/D.
    """

    monomials: tuple[Monomial, ...]
    function: Function = "exp"
    sign: int = 1
    shared: bool = False
    unit: bool = False

    @property
    def is_power(self) -> bool:
        """Whether it is a power of one variable."""
        return self.function == "exp" and len(self.monomials) == 1 and len(self.monomials[0]) == 1

    @property
    def is_product(self) -> bool:
        """Whether it is a product of powers of several variables."""
        return self.function == "exp" and len(self.monomials) > 1 and all(len(m) == 1 for m in self.monomials)


@dataclass(frozen=True)
class Shape:
    """A law with its constants open; the terms are in order, so that equal shapes are equal.

    In a shape that is `tied` all terms have the first one's exponent: the coefficient of their first monomial. In one
    that is `common` a variable has the same exponent in every term: E0 + (a + b/G**gamma)/N**alpha. In one that is
    `inverse` the outer power is -1: E0 + 1/(a + b*D**beta), the rectified and the sigmoid laws.
    """

    terms: tuple[Term, ...]
    floor: bool = True
    outer: bool = False
    tied: bool = False
    inverse: bool = False
    common: bool = False

    @property
    def frame(self) -> dict[str, bool]:
        """What stands around the terms."""
        around = {"floor": self.floor, "outer": self.outer, "inverse": self.inverse}
        return around | {"tied": self.tied, "common": self.common}

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of all terms, each once, in order."""
        return tuple(sorted({v for term in self.terms for monomial in term.monomials for v in monomial}))

    @property
    def n_constants(self) -> int:
        """Number of constants that a fit finds."""
        own = sum(1 for variable in self.variables if variable.has_constant)
        offsets = sum(not self.without_offset(term) for term in self.terms)
        coefficients = {place for term in self.leaders for place in term if place is not None}
        return self.floor + self.outer + own + offsets + len(coefficients)

    @cached_property
    def leaders(self) -> tuple[tuple[tuple[int, int] | None, ...], ...]:
        """Whose value each coefficient has, as the places of a term and a monomial; `None` for the number -1."""
        first: dict[Variable, tuple[int, int]] = {}
        found: list[tuple[tuple[int, int] | None, ...]] = []
        for k, term in enumerate(self.terms):
            own: list[tuple[int, int] | None] = []
            for j, monomial in enumerate(term.monomials):
                leader: tuple[int, int] | None = (k, j)
                if term.unit:
                    leader = None
                elif self.tied and k and not j:
                    leader = found[0][0]
                elif term.shared:
                    leader = (k, 0)
                elif self.common and len(monomial) == 1:
                    leader = first.setdefault(monomial[0], (k, j))
                own.append(leader)
            found.append(tuple(own))
        return tuple(found)

    def without_offset(self, term: Term) -> bool:
        """Whether a term has no constant of its own, because the floor does its work."""
        return term.function == "sum" and self.floor and not (self.outer or self.inverse)


@dataclass(frozen=True)
class Point:
    """Values of a shape's constants, in the units in which the search works.

    Attributes
    ----------
    floor
        E0, in units of the target.
    outer
        Logarithm of kappa.
    own
        The constant of each variable that has one.
    terms
        Of each term, in order: its offset c, and the coefficient of each of its monomials.
    """

    floor: float = 0.0
    outer: float = 0.0
    own: Mapping[Variable, float] = field(default_factory=dict)
    terms: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Start:
    """A shape, and a point from which its fit may start."""

    shape: Shape
    point: Point


def start_of(
    pairs: list[tuple[Term, tuple[float, ...]]],
    like: Point,
    *,
    floor: bool,
    outer: bool = False,
    tied: bool = False,
    inverse: bool = False,
    common: bool = False,
) -> Start:
    """A shape of terms with their values, everything put in order; the other values are those of `like`.

    What is said of exponents is forgotten where there are no such exponents.
    """
    tied = tied and len(pairs) > 1 and all(term.is_power for term, _ in pairs)
    ordered = []
    for given, values in pairs:
        unit = given.unit and given.is_power and outer and not tied
        term = replace(given, shared=given.shared and given.is_product, unit=unit)
        places = sorted(range(len(term.monomials)), key=lambda k, term=term: term.monomials[k])  # type: ignore[misc]
        monomials = tuple(term.monomials[k] for k in places)
        ordered.append((replace(term, monomials=monomials), (values[0], *(values[1 + k] for k in places))))
    ordered.sort(key=lambda pair: pair[0])
    terms = tuple(term for term, _ in ordered)
    shape = Shape(terms, floor, outer, tied, inverse, common and not tied and has_common(terms))
    own = {variable: like.own.get(variable, variable.start) for variable in shape.variables if variable.has_constant}
    every = tuple(numbers for _, numbers in ordered)
    return Start(shape, Point(like.floor if floor else 0.0, like.outer if outer else 0.0, own, every))


def has_common(terms: Sequence[Term]) -> bool:
    """Whether a variable stands in several of the terms, each time with a coefficient that moves."""
    single = [{m[0] for m in term.monomials if len(m) == 1} for term in terms if not (term.unit or term.shared)]
    return any(one & other for one, other in combinations(single, 2))


def pairs_of(start: Start) -> Iterator[tuple[Term, tuple[float, ...]]]:
    """The terms of a shape with their values."""
    yield from zip(start.shape.terms, start.point.terms, strict=True)
