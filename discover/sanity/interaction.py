"""What interaction of two sizes a law claims: the sign of its mixed derivative.

A positive one says that the more there is of one size, the less the other buys; a negative one that they reinforce each
other. The sum of a term in N and one in D, as Chinchilla's law, claims none. Which is right is for the reader to judge:
the line passes where the law claims the same everywhere, and is unknown where it does not.
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import combinations

import numpy as np
import sympy

from discover.formula import symbol
from discover.sanity.check import SanityCheck
from discover.sanity.crossing import crossing
from discover.sanity.grid import BEYOND, LEVELS, at, first, mesh, shown, spread
from discover.sanity.subject import Subject

POINTS = 25  # along each of the two
ROUNDING = 1e-12  # of the law's value: a smaller derivative, of logarithms, is none


def interactions(subject: Subject) -> list[SanityCheck]:
    """A line for each pair of sizes, from the data to 100 times beyond."""
    return [_interaction(subject, one, other) for one, other in combinations(subject.sizes, 2)]


def _interaction(subject: Subject, one: str, other: str) -> SanityCheck:
    label = f"interaction of {one} and {other}"
    slope = _mixed(subject.law.expanded, one, other)
    # At the kinks of min and max the slope jumps: there is no second derivative to speak of.
    kinks = {step.args[0] for step in slope.atoms(sympy.DiracDelta, sympy.Heaviside)}
    slope = slope.replace(sympy.DiracDelta, lambda *_: sympy.S.Zero)
    if slope == 0 and not kinks:
        return SanityCheck(label, "pass", f"none: the law is a sum of what {one} and {other} do")
    axes = {name: spread(subject.columns[name], POINTS, BEYOND) for name in (one, other)}
    grid = mesh(axes, subject.without(one, other), subject.kinds, LEVELS, 1.0)
    evaluate = partial(subject.evaluate, slope)
    slopes, size = evaluate(grid), np.abs(subject.predict(grid))
    known = np.isfinite(slopes) & np.isfinite(size)
    if not known.all():
        return SanityCheck(label, "unknown", f"it cannot be computed at {shown(at(grid, first(~known)))}")
    signs = np.where(np.abs(slopes) <= ROUNDING * size, 0, np.sign(slopes))
    for kink in kinks:
        terms = [subject.evaluate(term, grid) for term in sympy.Add.make_args(kink)]
        signs[np.abs(np.sum(terms, axis=0)) <= ROUNDING * np.sum(np.abs(terms), axis=0)] = 0
    if not signs.any() and kinks:
        return SanityCheck(label, "unknown", "only at the kinks of min and max")
    smooth = ", but for the kinks of min and max" if kinks else ""
    if not signs.any():
        return SanityCheck(label, "pass", f"none: the law is a sum of what {one} and {other} do, but for rounding")
    if (signs >= 0).all():
        return SanityCheck(label, "pass", f"positive everywhere: the larger {one}, the less {other} buys{smooth}")
    if (signs <= 0).all():
        return SanityCheck(label, "pass", f"negative everywhere: the larger {one}, the more {other} buys{smooth}")
    turn = crossing(evaluate, grid, signs, other) or crossing(evaluate, grid, signs, one, axis=-2)
    if turn is not None:
        return SanityCheck(label, "unknown", f"changes its sign at {shown(turn)}")
    ends = (shown(at(grid, first(signs == sign))) for sign in (1, -1))
    return SanityCheck(label, "unknown", "changes its sign: positive at {}, negative at {}".format(*ends))


@lru_cache(maxsize=64)
def _mixed(expression: sympy.Expr, one: str, other: str) -> sympy.Expr:
    """Mixed derivative in the logarithms of two features: it has the sign of that in the features themselves."""
    first_symbol, second_symbol = symbol(one, positive=True), symbol(other, positive=True)
    return sympy.diff(expression, first_symbol, second_symbol) * first_symbol * second_symbol
