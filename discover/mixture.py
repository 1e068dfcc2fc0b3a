"""Mixtures in formulas: which names are vectors, and sums written out over the components.

A mixture is several columns that sum to one, or a category as columns of 0 and 1; `discover.formula` reads ``sum(t*r)``
as a sum over its components, which are known once a law meets a dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from discover.formula import COMPONENT, N_COMPONENTS, symbol


def component(vector: str, part: str) -> str:
    """Name of one component of a vector: ``r_code`` of ``r``."""
    return f"{vector}_{part}"


def vectors(expression: sympy.Expr) -> dict[str, str]:
    """The constants that have one value a component, each with the mixture whose components these are."""
    found: dict[str, str] = {}
    for total in expression.atoms(sympy.Sum):
        mixture = _mixture_of(total)
        for indexed in total.function.atoms(sympy.Indexed):
            if str(indexed.base) != mixture:
                found[str(indexed.base)] = mixture
    return found


def scalars(expression: sympy.Expr) -> set[str]:
    """Names of the expression that are no vectors."""
    without = expression.xreplace(dict.fromkeys(expression.atoms(sympy.Indexed), sympy.S.One))
    return {free.name for free in without.atoms(sympy.Symbol) - {COMPONENT, N_COMPONENTS}}


def expand_mixtures(expression: sympy.Expr, components: Mapping[str, Sequence[str]]) -> sympy.Expr:
    """Write every ``sum(...)`` out over the components of its mixture.

    >>> from discover.formula import parse
    >>> total = parse("c + k*exp(sum(t*r))", mixtures=["r"])
    >>> expand_mixtures(total, {"r": ["code", "web"]})
    c + k*exp(r_code*t_code + r_web*t_web)
    """
    replaced = {}
    for total in expression.atoms(sympy.Sum):
        mixture = _mixture_of(total)
        terms = [
            total.function.xreplace(
                {
                    indexed: symbol(component(str(indexed.base), part), positive=str(indexed.base) == mixture)
                    for indexed in total.function.atoms(sympy.Indexed)
                }
            )
            for part in components[mixture]
        ]
        replaced[total] = sympy.Add(*terms)
    return expression.xreplace(replaced)


def _mixture_of(total: sympy.Sum) -> str:
    """Name of the mixture over whose components a sum runs: its one positive vector."""
    return next(str(i.base) for i in total.function.atoms(sympy.Indexed) if i.base.label.is_positive)
