"""A law's formula drawn in lines of characters, with fractions, powers and Greek letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sympy
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import pretty_use_unicode
from sympy.printing.pretty.stringpict import prettyForm

from discover.formula import parse
from discover.law import Law


def drawn(law: Law, *, width: int, unicode: bool = True) -> list[str]:
    """Lines that show the formula, then each of its named parts; empty where a line would be longer than `width`.

    A mixture is a vector: a sum over its components is drawn as one, with an index.

    >>> from discover.law import load_law
    >>> print("\\n".join(drawn(load_law("hoffmann"), width=40)))
             A    B
    L = E₀ + ── + ──
              α    β
             N    D
    """
    lines: list[str] = []
    for name, text in {law.target: law.formula, **law.let}.items():
        lines += [*([""] if lines else []), *_equation(law, name, text, unicode)]
    return lines if max(map(len, lines)) <= width else []


def _equation(law: Law, name: str, text: str, unicode: bool) -> list[str]:
    known = [*(feature for feature in law.features if feature not in law.mixtures), *law.let]
    expression = parse(text, features=known, mixtures=law.mixtures, constants=law.constants)
    indices = {i: sympy.Symbol(f"{i.base}_i", positive=True) for i in expression.atoms(sympy.Indexed)}
    equality = sympy.Eq(sympy.Symbol(name), expression.xreplace(indices), evaluate=False)
    before = pretty_use_unicode(unicode)
    try:
        printer = _Drawing(text)
        return [line.rstrip() for line in printer.doprint(equality).splitlines()]
    finally:
        pretty_use_unicode(before)


class _Drawing(PrettyPrinter):  # type: ignore[misc]
    """SymPy's drawing, with terms in the order of the text, and negative powers below the fraction bar."""

    def __init__(self, text: str) -> None:
        super().__init__({"wrap_line": False, "full_prec": False, "num_columns": 10_000})
        names = re.findall(r"[A-Za-z]\w*", text)
        self._places: Mapping[str, int] = {name: place for place, name in reversed(list(enumerate(names)))}

    def _as_ordered_terms(self, expr: sympy.Expr, order: Any = None) -> list[sympy.Expr]:
        terms = sorted(sympy.Add.make_args(expr), key=self._place)
        first = next((k for k, term in enumerate(terms) if not term.could_extract_minus_sign()), 0)
        return [terms[first], *terms[:first], *terms[first + 1 :]]

    def _place(self, expr: sympy.Expr) -> tuple[int, int]:
        """Where a term stands in the text: at the last of its names to appear; bare numbers first."""
        names = [free.name.removesuffix("_i") for free in expr.free_symbols]
        return max((self._places.get(name, len(self._places)) for name in names), default=-1), len(names)

    def _print_Mul(self, expr: sympy.Mul) -> prettyForm:
        above: list[sympy.Expr] = []
        below: list[sympy.Expr] = []
        for factor in expr.args:
            if factor.is_Rational:
                above, below = [*above, sympy.Integer(factor.p)], [*below, sympy.Integer(factor.q)]
            elif factor.is_Pow and factor.exp.could_extract_minus_sign():
                below.append(1 / factor)
            else:
                above.append(factor)
        below = [factor for factor in below if factor != 1]
        if not below:
            return super()._print_Mul(expr)
        return self._print(sympy.Mul(*above)) / self._print(sympy.Mul(*below))

    def _print_Pow(self, power: sympy.Pow) -> prettyForm:
        if power.exp.could_extract_minus_sign():
            return self._print(sympy.S.One) / self._print(1 / power)
        return super()._print_Pow(power)

    def _print_Max(self, expr: sympy.Max) -> prettyForm:
        return self._helper_print_function(expr.func, expr.args, func_name="max")

    def _print_Min(self, expr: sympy.Min) -> prettyForm:
        return self._helper_print_function(expr.func, expr.args, func_name="min")
