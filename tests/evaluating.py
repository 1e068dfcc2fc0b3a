"""Laws at points, and expressions that are equal: for the tests of what laws are limits of."""

from __future__ import annotations

import sympy

from discover.law import Law


def constants(law: Law, number: int = 0) -> dict[str, float]:
    """One of the sets of published constants."""
    return dict(law.published[number].values)


def at(law: Law, values: dict[str, float], **features: float) -> float:
    """The prediction at one point."""
    return float(law.predict(features, values))


def same(one: sympy.Expr, other: sympy.Expr) -> bool:
    """Whether two expressions are equal, as SymPy can tell."""
    return sympy.simplify(one - other) == 0
