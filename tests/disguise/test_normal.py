"""Formulas that differ in how they are written have one shape."""

from __future__ import annotations

import pytest
import sympy

from discover.disguise.normal import Formula, constant, constants_of, features_of, normal, plain_name, shape


def of(text: str, constants: str, features: str = "N D", mixtures: str = "") -> Formula:
    return Formula(text, tuple(features.split()), tuple(mixtures.split()), tuple(constants.split()))


def shape_of(text: str, constants: str, *, expand: bool = False, **names: str) -> str:
    return shape(normal(of(text, constants, **names).expression("x"), expand=expand)).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("E0 + A/N**alpha", "E0 A alpha"), ("(c/N)**k + b", "c k b")),
        (("A*N**a", "A a"), ("exp(k + a*log(N))", "k a")),
        (("A*N**a", "A a"), ("10**(d + b*log(N)/log(10))", "d b")),
        (("A*N**a*D**b*exp(c*log(N)*log(D))", "A a b c"), ("exp(k*(p + log(N))*(q + log(D)))*N**u", "k p q u")),
        (("a/N**k + b/D**k + c", "a b c k"), ("(p*(D/N)**s + q*(N/D)**s)/(6*N*D)**s + z", "p q s z")),
        (("(a + b/N)**k", "a b k"), ("c*(1/N + d)**k", "c d k")),
        (("a - b*log(N)", "a b"), ("log(c/N**k)", "c k")),
        (("a*log(N) + b*log(N) + c", "a b c"), ("k*log(N) + d", "k d")),
        (("sqrt(a/N + b/D)", "a b"), ("c*(1/N + k/D)**0.5", "c k")),
        (("min(a*N, b)", "a b"), ("min(c, k*N)", "c k")),
    ],
)
def test_ways_of_writing_one_family_have_one_shape(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert shape_of(*one) == shape_of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a + b/N", "a b"), ("a + b/N**c", "a b c")),
        (("a + b/N", "a b"), ("a + b/D", "a b")),
        (("a + b*exp(c*N)", "a b c"), ("a + b*N**c", "a b c")),
        (("(a + b/N)**2", "a b"), ("(a + b/N)**3", "a b")),
    ],
)
def test_different_families_have_different_shapes(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert shape_of(*one) != shape_of(*other)


def test_products_of_sums_are_multiplied_out_on_demand() -> None:
    product, terms = ("k*(a + N)*(b + D)", "k a b"), ("p + q*N + r*D + s*N*D", "p q r s")
    assert shape_of(*product) != shape_of(*terms)
    assert shape_of(*product, expand=True) == shape_of(*terms, expand=True)


@pytest.mark.parametrize(
    ("text", "constants", "values"),
    [
        ("((N_c/N)**(p/q) + D_c/D)**q", "N_c D_c p q", [3.0, 2.0, 0.4, 0.7]),
        ("k*(a + N)*(b + log(D))/N**c", "k a b c", [3.0, 2.0, 0.4, 0.7]),
        ("10**(a + b*log(N) + c*log(1/(1/(D + k) + 0.2)))", "a b c k", [0.1, 0.2, 0.3, 0.4]),
        ("(a - b*N)**2 + c*exp(-k/N)", "a b c k", [0.5, 0.2, 0.3, 0.4]),
    ],
)
@pytest.mark.parametrize("expand", [False, True])
def test_the_normal_form_has_the_values_of_the_expression(
    text: str, constants: str, values: list[float], expand: bool
) -> None:
    expression = of(text, constants).expression("x")
    numbers: dict[sympy.Symbol, float] = {sympy.Symbol("N", positive=True): 1.7, sympy.Symbol("D", positive=True): 2.3}
    numbers |= {constant(name, "x"): value for name, value in zip(constants.split(), values, strict=True)}
    found = normal(expression, expand=expand).subs(numbers)
    assert float(found) == pytest.approx(float(expression.subs(numbers)), rel=1e-12)


def test_sums_over_components_keep_what_differs_between_them_inside() -> None:
    names = {"features": "", "mixtures": "r"}
    assert shape_of("c + k*sum(exp(t*r))", "c k t", **names) == "(+ # (* # (Over (exp (* #[] r[])))))"
    assert shape_of("c + sum(k*exp(t*r))", "c k t", **names) == "(+ # (Over (* #[] (exp (* #[] r[])))))"


def test_names_of_constants_and_features_are_told_apart() -> None:
    expression = of("E0 + E/N", "E0 E").expression("mine")
    assert [plain_name(name) for name in constants_of(expression)] == ["E", "E0"]
    assert features_of(expression) == {"N"}
