"""Shapes: the laws that the grammar can say, without the values of their constants.

A shape is

    L = E0 + (sum_k f_k(c_k + sum_i a_ki * phi_i(x)))**kappa

where a term's `f` is an exponential (a product of powers, where `phi` is a logarithm), a square (a bowl) or the sum
itself; `phi` is a variable, or the product of two. The floor E0 and the outer power kappa may be missing. Nearly all
published scaling laws are of this shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from discover.engines.grammar.variables import Variable

Monomial = tuple[Variable, ...]
Function = Literal["exp", "square", "sum"]


@dataclass(frozen=True, order=True)
class Term:
    """One term: what it is a function of, which function, and its sign."""

    monomials: tuple[Monomial, ...]
    function: Function = "exp"
    sign: int = 1


@dataclass(frozen=True)
class Shape:
    """A law with its constants open; the terms are in order, so that equal shapes are equal.

    In a shape that is `tied` all terms have the first one's exponent: the coefficient of their first monomial. In one
    that is `inverse` the outer power is -1: E0 + 1/(a + b*D**beta), the rectified and the sigmoid laws.
    """

    terms: tuple[Term, ...]
    floor: bool = True
    outer: bool = False
    tied: bool = False
    inverse: bool = False

    @property
    def frame(self) -> dict[str, bool]:
        """What stands around the terms."""
        return {"floor": self.floor, "outer": self.outer, "tied": self.tied, "inverse": self.inverse}

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of all terms, each once, in order."""
        return tuple(sorted({v for term in self.terms for monomial in term.monomials for v in monomial}))

    @property
    def n_constants(self) -> int:
        """Number of constants that a fit finds."""
        own = sum(1 for variable in self.variables if variable.has_constant)
        terms = sum(len(term.monomials) + (not self.without_offset(term)) for term in self.terms)
        return self.floor + self.outer + own + terms - self.tied * (len(self.terms) - 1)

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
) -> Start:
    """A shape of terms with their values, everything put in order; the other values are those of `like`."""
    ordered = []
    for term, values in pairs:
        places = sorted(range(len(term.monomials)), key=lambda k, term=term: term.monomials[k])  # type: ignore[misc]
        monomials = tuple(term.monomials[k] for k in places)
        ordered.append((replace(term, monomials=monomials), (values[0], *(values[1 + k] for k in places))))
    ordered.sort(key=lambda pair: pair[0])
    shape = Shape(tuple(term for term, _ in ordered), floor, outer, tied, inverse)
    own = {variable: like.own.get(variable, variable.start) for variable in shape.variables if variable.has_constant}
    every = tuple(numbers for _, numbers in ordered)
    return Start(shape, Point(like.floor if floor else 0.0, like.outer if outer else 0.0, own, every))


def pairs_of(start: Start) -> Iterator[tuple[Term, tuple[float, ...]]]:
    """The terms of a shape with their values."""
    yield from zip(start.shape.terms, start.point.terms, strict=True)
