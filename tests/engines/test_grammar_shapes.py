"""Shapes of the grammar: their derivatives, their formulas, and which published laws they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from generated import grid
from grammar_problems import SIZES, a_problem, a_start, shape_of, term, v

from discover.compiled import compile_formula
from discover.distil import distil
from discover.engines import Candidate
from discover.engines.grammar.equations import Layout, ShapeEquations
from discover.engines.grammar.ranking import fitted
from discover.engines.grammar.shape import Shape, Start, Term
from discover.engines.grammar.table import ROWS, table_of
from discover.engines.grammar.variables import Variable, needless
from discover.engines.grammar.writing import formula_of
from discover.formula import parse
from discover.law import load_law
from discover.objective import Objective

RATES = grid(N=np.geomspace(1e7, 1e9, 4), eta=np.geomspace(1e-4, 1e-2, 4), P=np.array([1.0, 2.0, 4.0, 8.0]))
REPEATED = {
    "N": np.tile([1e8, 4e8, 1e9, 3e9], 6),
    "D": np.repeat([1e10, 2e10, 4e10, 8e10, 1.6e11, 3.2e11], 4),
    "uD": np.full(24, 1e10),
}

STARTS = {
    "sum of powers": a_start(term("N"), term("D")),
    "product of powers": a_start(term("N", "D")),
    "interaction": a_start(term("N", "D", "N*D")),
    "square": a_start(term("N", "N*N"), term("D")),
    "shifted and capped": a_start(term("N", kinds={"N": "shifted"}), term("D", kinds={"D": "capped"})),
    "power in the exponent": a_start(term("N"), Term(((v("log", "D"),), (v("log", "D"), v("power", "N"))))),
    "outer power": a_start(term("N"), term("D"), outer=True),
    "tied": a_start(term("N"), term("D"), tied=True),
    "tied with an outer power": a_start(term("N"), term("D"), tied=True, outer=True),
    "one exponent fixed": a_start(term("N"), replace(term("D"), unit=True), floor=False, outer=True),
    "one exponent in a term": a_start(replace(term("N", "D"), shared=True)),
    "one exponent of a feature": a_start(term("N"), term("N", "D"), common=True),
    "inverse": a_start(term(), term("N"), slope=0.3, inverse=True),
    "negative term": a_start(term("N"), term("D", sign=-1), floor=5.0, slope=-0.1),
    "bowl": a_start(term("N"), term("D", function="square"), slope=0.1),
    "sum": a_start(term("N"), term("D", function="sum"), slope=-0.05),
    "no floor": a_start(term("N"), term("D"), floor=False),
}


def moved(start: Start, seed: int = 0) -> Start:
    """The same shape at a point where no two constants are alike, unless they are tied."""
    generator = np.random.default_rng(seed)
    layout = Layout.of([start.shape])
    packed = layout.pack(start.shape, start.point)
    factor = np.exp(0.2 * generator.normal(size=len(packed)))
    shift = 0.03 * generator.normal(size=len(packed))
    return Start(start.shape, layout.unpack(start.shape, packed * factor + shift))


def equations_of(shape: Shape, problem=None) -> tuple[ShapeEquations, Layout]:
    problem = problem or a_problem()
    layout = Layout.of([shape])
    return ShapeEquations([shape], table_of(problem), problem.objective, np.array([(0, 0, 0)]), layout), layout


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("objective", [Objective(), Objective("squared")])
def test_the_derivatives_are_those_of_the_residuals(name, objective):
    start = moved(STARTS[name])
    equations, layout = equations_of(start.shape, a_problem(objective=objective))
    point = layout.pack(start.shape, start.point)[None]
    which, rows = np.array([0]), slice(0, 48)
    residual, slopes = equations.linearised(point, which, rows)
    assert np.isfinite(residual).all()
    assert residual == pytest.approx(equations.residuals(point, which, rows))
    for k in range(layout.size):
        step = 1e-6 * max(1.0, abs(point[0, k]))
        ahead, behind = point.copy(), point.copy()
        ahead[0, k] += step
        behind[0, k] -= step
        moved_by = equations.residuals(ahead, which, rows) - equations.residuals(behind, which, rows)
        assert slopes[0, k] == pytest.approx(moved_by[0] / (2 * step), rel=1e-4, abs=1e-7), k


OWN = {
    "slow": (a_start(Term(((v("log", "N"),), (v("slow", "P"),)))), RATES),
    "repeated": (a_start(Term(((v("repeated", "D", "uD"),),)), term("N")), REPEATED),
    "share": (a_start(Term(((v("share", "eta"),), (v("log", "N"),)))), RATES),
    "log of a share": (a_start(Term(((v("log_share", "eta"),), (v("log", "N"),)))), RATES),
}


@pytest.mark.parametrize("name", [*STARTS, *OWN])
def test_the_formula_of_a_shape_predicts_what_the_shape_does(name):
    start, features = OWN.get(name, (STARTS.get(name), SIZES))
    start = moved(start)
    plain = frozenset({"eta"}) if "share" in name else frozenset()
    problem = a_problem(features=features, target=np.ones(len(features["N"])), plain=plain)
    equations, layout = equations_of(start.shape, problem)
    rows = slice(0, len(features["N"]))
    own = equations.value(layout.pack(start.shape, start.point)[None], np.array([0]), rows)[0]
    text = formula_of(start.shape, start.point, problem.scales)
    expression = parse(text, features=features, constants=())
    said = compile_formula(expression, tuple(features), ()).predict(list(features.values()), np.zeros((1, 0)))[0]
    assert said == pytest.approx(own, rel=1e-9), text


def test_distilling_a_shape_keeps_its_number_of_constants():
    shapes = ["sum of powers", "tied", "interaction", "outer power", "inverse", "shifted and capped"]
    shapes += ["one exponent fixed", "one exponent in a term", "one exponent of a feature"]
    starts = [moved(STARTS[name]) for name in shapes]
    texts = [formula_of(start.shape, start.point, a_problem().scales) for start in starts]
    found = distil([Candidate(text, 9, 0.1, "grammar", 0) for text in texts], {"N": "", "D": ""})
    counts = {proposal.origins[0].formula: len(proposal.law.constants) for proposal in found}
    assert [counts[text] for text in texts] == [start.shape.n_constants for start in starts]


def test_equal_shapes_are_equal_however_they_were_made():
    assert shape_of(term("N"), term("D")) == shape_of(term("D"), term("N"))
    assert shape_of(term("N", "D")) == shape_of(term("D", "N"))
    assert shape_of(term("N"), term("D")) != shape_of(term("N"), term("D"), tied=True)


def test_what_is_said_of_exponents_that_are_not_there_is_forgotten():
    unit, shared = replace(term("D"), unit=True), replace(term("N"), shared=True)
    assert shape_of(term("N"), tied=True) == shape_of(term("N"))
    assert shape_of(term("N"), term("D"), common=True) == shape_of(term("N"), term("D"))
    assert shape_of(term("N"), unit) == shape_of(term("N"), term("D"))  # without an outer power
    assert shape_of(shared) == shape_of(term("N"))


def test_constants_are_counted():
    assert shape_of(term("N"), term("D")).n_constants == 5
    assert shape_of(term("N"), term("D"), tied=True).n_constants == 4
    assert shape_of(term("N", "D", "N*D"), floor=False).n_constants == 4
    assert shape_of(term("N"), replace(term("D"), unit=True), floor=False, outer=True).n_constants == 4
    assert shape_of(replace(term("N", "D"), shared=True)).n_constants == 3
    assert shape_of(term("N"), term("N", "D"), common=True).n_constants == 5
    assert shape_of(term("N", kinds={"N": "shifted"})).n_constants == 4
    assert shape_of(term(), term("N"), inverse=True).n_constants == 4
    assert shape_of(term("N", function="sum")).n_constants == 2  # its offset would do the floor's work


def test_a_constant_that_does_nothing_is_needless():
    x = np.geomspace(1e-2, 1e2, 20)
    shifted, capped, power = Variable("shifted", "N"), Variable("capped", "N"), Variable("power", "N")
    assert needless(shifted, np.log(1e-6), x, x)  # x + 1e-6 is x
    assert needless(shifted, np.log(1e6), x, x)  # x + 1e6 is 1e6
    assert not needless(shifted, 0.0, x, x)
    assert needless(capped, np.log(1e-6), x, x)
    assert not needless(capped, 0.0, x, x)
    assert needless(power, 0.001, x, x)
    assert not needless(power, -0.3, x, x)
    assert not needless(Variable("log", "N"), 0.0, x, x)


def test_a_group_with_many_rows_is_searched_by_a_sample():
    N = np.repeat(np.geomspace(1e7, 1e9, 12), ROWS // 4)
    table = table_of(a_problem(features={"N": N}, target=1 / N))
    assert table.rows == ROWS
    assert table.target * table.columns["N"] * table.scales["N"] == pytest.approx(np.ones((1, ROWS)))
    assert np.allclose(table.asked.sum(axis=2), 1.0)


# Published laws that are shapes: fitted to rows that the law generates, the shape meets them.

EXPERTS = grid(N=np.geomspace(1e7, 1e9, 6), E=np.array([1.0, 2, 8, 32, 128, 512]))
STREAMS = grid(N=np.geomspace(5e8, 5e9, 5), P=np.array([1.0, 2.0, 4.0, 8.0]))
GRAINS = grid(N=np.geomspace(1e8, 4e9, 4), D=np.geomspace(1e10, 1e11, 4), G=np.array([1.0, 2.0, 4.0, 16.0]))
LATENTS = grid(n=np.geomspace(8, 13, 5), k=np.geomspace(1.5, 5, 5))
ONE = {"N": np.geomspace(1e6, 1e10, 25)}
REACHED: dict[str, tuple[dict[str, np.ndarray], list[Start]]] = {
    "hoffmann": (SIZES, [a_start(term("N"), term("D"))]),
    "kaplan_nd": (SIZES, [a_start(term("N"), replace(term("D"), unit=True), floor=False, outer=True)]),
    "skaling": (SIZES, [a_start(term("N"), term("D"), outer=True)]),
    "clark_separable": (EXPERTS, [a_start(term("N", "E"), floor=False, slope=-0.1)]),
    "clark_bilinear": (EXPERTS, [a_start(term("N", "E", "N*E"), floor=False, slope=-0.1)]),
    "moe_powerlaw_floor": (EXPERTS, [a_start(term("N", "E"), slope=-0.1)]),
    "moe_bilinear_floor": (EXPERTS, [a_start(term("N", "E", "N*E"), slope=-0.1)]),
    "parscale": (
        STREAMS,
        [a_start(Term(((v("log", "N"),), (v("slow", "P"),)), shared=True), slope=-0.2, own=own) for own in (-1.0, 1.0)],
    ),
    "krajewski_granular": (GRAINS, [a_start(term("N"), term("N", "G"), term("D"), common=True)]),
}


@pytest.mark.parametrize("name", REACHED)
def test_published_laws_are_shapes(name):
    features, starts = REACHED[name]
    law = load_law(name)
    values = dict(law.published[0].values) if law.published else {}
    if not values:
        values = {key: float(np.sqrt(np.prod(one.range))) for key, one in law.constants.items()}
    target = law.predict({column: features[column] for column in law.columns}, values)
    problem = a_problem(features=features, target=target, objective=Objective("log_squared"))
    ((start, loss),) = fitted([starts], table_of(problem), problem.objective)[0]
    assert loss < 2e-3, (start, loss)  # of a rough fit: the shape's own error is none


def test_a_rectified_law_is_an_inverse_shape():
    D = np.geomspace(100, 1e6, 25)
    target = 1.2 + 900.0 / (300.0 + D**0.7)
    problem = a_problem(features={"D": D}, target=target, objective=Objective("log_squared"))
    start = a_start(term(), term("D"), slope=0.3, inverse=True)
    ((_, loss),) = fitted([[start]], table_of(problem), problem.objective)[0]
    assert loss < 2e-3
    assert replace(start.shape, inverse=False) != start.shape


def test_repeated_tokens_are_worth_less():
    truth = 1.9 + 500 / REPEATED["N"] ** 0.35
    unique, again = REPEATED["uD"], REPEATED["D"] / REPEATED["uD"] - 1
    target = truth + 1500 / (unique * (1 + 15.4 * (1 - np.exp(-again / 15.4)))) ** 0.35
    problem = a_problem(features=REPEATED, target=target, objective=Objective("log_squared"))
    start = a_start(Term(((v("repeated", "D", "uD"),),)), term("N"))
    ((found, loss),) = fitted([[start]], table_of(problem), problem.objective)[0]
    assert loss < 1e-3
    (own,) = found.point.own.values()
    assert 5 < np.exp(own) < 40  # of a rough fit
