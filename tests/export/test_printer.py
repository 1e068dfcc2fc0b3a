"""Formulas are printed as papers write them, and the LaTeX says the same as the formula."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discover.export.printer import exact_number, to_latex
from discover.formula import FormulaError, parse


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        ("E0 + A/N**alpha + B/D**beta", r"E_{0} + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}"),
        # However a power law is written, its exponent is printed positive.
        ("B*D**(-beta) + E0", r"\frac{B}{D^{\beta}} + E_{0}"),
        ("(N_c/N)**(alpha_N/alpha_D)", r"\left(\frac{N_{c}}{N}\right)^{\alpha_{N} / \alpha_{D}}"),
        ("A/N**(1/3)", r"\frac{A}{N^{1 / 3}}"),
        ("(A/B)**(1/(2*alpha))", r"\left(\frac{A}{B}\right)^{1 / \left(2 \alpha\right)}"),
        ("N**(-(a + b))", r"\frac{1}{N^{a + b}}"),
        ("1 - exp(-R/R_star)", r"1 - \exp\left(- \frac{R}{R^{*}}\right)"),
        ("D/uD - 1", r"\frac{D}{U_{D}} - 1"),
        ("-a*x - b", "- a x - b"),
        ("sqrt(a/N)*3**k", r"\sqrt{\frac{a}{N}} \cdot 3^{k}"),
        ("log(N)/log(10) + log(N/D)**2", r"\log_{10} N + \left(\ln\left(\frac{N}{D}\right)\right)^{2}"),
        # A fraction of a fraction of a fraction would be too small to read.
        ("1/(a + 1/(b + c))", r"\frac{1}{a + \left(b + c\right)^{-1}}"),
        ("min(N, uD*G**2)", r"\min\left(N, U_{D} G^{2}\right)"),
        # A name with a superscript of its own gets parentheses, for LaTeX refuses a double superscript.
        ("exp(1)*R_star**2", r"\exp\left(1\right) \left(R^{*}\right)^{2}"),
        ("2.5*x**0.25/1e9", r"2.5 \times 10^{-9} x^{0.25}"),
    ],
)
def test_formulas_read_as_in_papers(formula, latex):
    assert to_latex(parse(formula), formula) == latex


def test_a_sum_over_a_mixture_is_a_sum_sign():
    formula = "c + k*exp(sum(t*r))"
    latex = to_latex(parse(formula, mixtures=["r"]), formula)
    assert latex == r"c + k \exp\left(\sum_{i=1}^{M} {t}_{i} {r}_{i}\right)"


@pytest.mark.parametrize(
    ("value", "latex"),
    [(0.25, "0.25"), (-3.0, "-3"), (0.0, "0"), (1e9, "10^{9}"), (6.4e13, r"6.4 \times 10^{13}"), (1 / 3, repr(1 / 3))],
)
def test_a_number_of_the_formula_keeps_all_its_digits(value, latex):
    assert exact_number(value) == latex


class LatexCalculator:
    """Computes the number that LaTeX of the printer's kind stands for; reads it as a person would, symbol by symbol."""

    TOKEN = re.compile(r"\\left\(|\\right\)|\\[a-z]+(?:_\{10\})?|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|[-+/^{},]")

    def __init__(self, latex: str, values: dict[str, float]) -> None:
        self.tokens = self.TOKEN.findall(latex)
        assert "".join(self.tokens) == latex.replace(" ", "")
        self.values = values

    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected: str) -> str:
        token = self.tokens.pop(0)
        assert not expected or token in expected
        return token

    def sum(self) -> float:
        sign = -1.0 if self.next() == "-" else 1.0
        if sign < 0:
            self.take("-")
        total = sign * self.product()
        while self.next() in ("+", "-"):
            total += self.product() if self.take() == "+" else -self.product()
        return total

    def product(self) -> float:
        result = self.power()
        while self.next() not in ("", "+", "-", ",", "}", r"\right)"):
            if self.next() == "/":  # a slash divides by the one factor after it
                self.take()
                result /= self.power()
            else:
                if self.next() in (r"\cdot", r"\times"):
                    self.take()
                result *= self.power()
        return result

    def power(self) -> float:
        base = self.factor()
        if self.next() != "^":
            return base
        self.take()
        return base ** self.group()

    def group(self, close: str = "}") -> float:
        self.take("{", r"\left(")
        value = self.sum()
        self.take(close)
        return value

    def factor(self) -> float:
        if self.next() == r"\left(":
            return self.group(r"\right)")
        token = self.take()
        return self.function(token) if token.startswith("\\") else self.values.get(token) or float(token)

    def function(self, token: str) -> float:
        if token == r"\frac":
            above = self.group()
            return above / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == r"\exp":
            return math.exp(self.group(r"\right)"))
        if token in (r"\ln", r"\log_{10}"):
            return (math.log if token == r"\ln" else math.log10)(self.factor())
        assert token == r"\max"
        self.take(r"\left(")
        arguments = [self.sum()]
        while self.next() == ",":
            self.take()
            arguments.append(self.sum())
        self.take(r"\right)")
        return max(arguments)


VALUES = {"N": 1.7, "D": 2.3, "a": 0.6, "b": 1.3, "c": 0.45}


def operations(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    powers = st.tuples(inner, st.sampled_from(["a", "(-b)", "(a/b)", "2", "(-1/3)", "(b - a)", "(-a - b)", "0.5"]))
    calls = st.tuples(st.sampled_from(["exp(-{})", "log(1 + {}**2)/log(10)", "max(a, {})", "sqrt(1 + {}**2)"]), inner)
    return st.one_of(
        pairs,
        powers.map(lambda t: f"max({t[0]}, 0.1)**{t[1]}"),
        powers.map(lambda t: f"N**{t[1]}*{t[0]}"),
        calls.map(lambda t: t[0].format(t[1])),
    )


@given(st.recursive(st.sampled_from([*VALUES, "2", "0.5", "10"]), operations, max_leaves=6))
def test_the_latex_has_the_value_of_the_formula(formula):
    try:
        expression = parse(formula)
        expected = float(expression.subs({symbol: VALUES[symbol.name] for symbol in expression.free_symbols}))
    except (TypeError, OverflowError):
        return  # it is not real, or too large
    except FormulaError:
        return  # it divides by zero
    if not 1e-6 < abs(expected) < 1e6:
        return  # a difference that cancels has no digits to compare
    latex = to_latex(expression, formula)
    assert LatexCalculator(latex, VALUES).sum() == pytest.approx(expected, rel=1e-6), latex
