"""Rows in groups: one shape, with a floor and a scale for each group; recorded templates and the stand-in for Julia."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pysr_search import FLOORS, SCALES, make_problem, on_the_stand_in, seen, two_domains
from test_pysr_guesses import read_as_julia

from discover.engines import SearchProblem
from discover.engines.hall_of_fame import EquationError, read_hall_of_fame, read_template
from discover.engines.pysr import ENGINE
from discover.engines.pysr.arguments import arguments, form_of
from discover.engines.pysr.expressions import UnsayableError
from discover.engines.pysr.forms import Plain
from discover.engines.pysr.templates import Grouped, takes_parameters
from discover.formula import parse, symbol

RECORDED = Path(__file__).parent / "recorded" / "routed_moe_template.csv"
ROUTERS = ("Hash", "RL-R", "S-Base")  # in the order of the recorded parameters


def routed(largest: str) -> SearchProblem:
    """40 rows of three routers, most of them of one; scales as in the recorded search."""
    random = np.random.default_rng(0)
    names = [*ROUTERS, *[largest] * 37]
    columns = {"N": random.uniform(1e7, 1e9, 40), "E": random.uniform(1, 512, 40)}
    return make_problem(
        features=columns, target=random.uniform(2, 3, 40), groups=np.array(names), scales={"N": 1e8, "E": 1.0}
    )


@pytest.mark.parametrize("largest", ROUTERS)
def test_a_recorded_template_is_a_formula_with_the_constants_of_the_largest_group(largest: str) -> None:
    form = form_of(routed(largest))
    place = ROUTERS.index(largest)
    at = {"N": np.array([3e7, 4e8, 7e9]), "E": np.array([1.0, 8.0, 256.0])}
    for row in read_hall_of_fame(RECORDED):
        template = read_template(row.equation)
        a, b = (template.parameters[name][place] for name in "ab")
        formula = parse(form.formula(row.equation), features=at, constants=())
        inner = read_as_julia(form.again(row.equation)["f"], {"#1": at["N"] / 1e8, "#2": at["E"]})  # type: ignore[index]
        for k in range(3):
            value = formula.subs({symbol(name, positive=True): column[k] for name, column in at.items()})
            if np.isfinite(inner[k]):
                assert complex(value).real == pytest.approx(a + b * inner[k], rel=1e-9)


def test_the_simplest_recorded_template_by_hand() -> None:
    row = read_hall_of_fame(RECORDED)[0]
    assert row.equation.startswith("f = #1;")
    expression = parse(form_of(routed("S-Base")).formula(row.equation), features=["N", "E"], constants=())
    expected = 2.6110420309703515 - 0.10977358039429679 * 3.0  # the third a and b, at three units of N
    assert float(expression.subs(symbol("N", positive=True), 3e8)) == pytest.approx(expected, rel=1e-12)


def test_shapes_differ_in_the_expression_only() -> None:
    form = form_of(two_domains())
    assert form.shape("f = #1 ^ -0.3; a = [1.0, 2.0]; b = [3.0, 4.0]") == form.shape(
        "f = #1 ^ -0.1; a = [0.0, -1.0e-2]; b = [3.0, 4.0]"
    )


@pytest.mark.parametrize(
    "equation",
    [
        "x_N ^ -0.3",
        "f = #1; a = [1.0, 2.0]",
        "f = #1; a = [1.0, 2.0]; b = [1.0]",
        "f = #1; g = #2; a = [1.0, 2.0]; b = [1.0, 2.0]",
        "f = #3; a = [1.0, 2.0]; b = [1.0, 2.0]",
        "f = #1; a = [1.0, NaN]; b = [1.0, 2.0]",
        "f = sin(#1); a = [1.0, 2.0]; b = [1.0, 2.0]",
    ],
)
def test_what_is_not_of_the_template_is_refused(equation: str) -> None:
    with pytest.raises(EquationError, match=r"\Aequation '"):
        form_of(two_domains()).formula(equation)


def test_one_group_is_none() -> None:
    assert isinstance(form_of(make_problem(groups=np.full(30, "web"))), Plain)
    assert isinstance(form_of(make_problem()), Plain)
    assert isinstance(form_of(two_domains()), Grouped)


def test_what_stands_around_the_expression_is_part_of_the_formula(tmp_path: Path) -> None:
    assert arguments(two_domains(max_complexity=25), tmp_path)["maxsize"] == 21
    assert arguments(make_problem(max_complexity=25), tmp_path)["maxsize"] == 25


def test_a_guess_has_the_floor_and_the_scale_of_each_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2.7.2")
    problem = two_domains()
    law = "1.0 + 2.0*(N/1e9)**-0.3 + 2.4*(D/1e9)**-0.4"  # the shape times two
    guess = form_of(problem).guess(law, 25)
    assert isinstance(guess, dict)
    assert guess["a"] == pytest.approx([FLOORS["code"], FLOORS["web"]], rel=1e-9)
    assert guess["b"] == pytest.approx([SCALES["code"] / 2, SCALES["web"] / 2], rel=1e-9)
    at = {"#1": np.array([2e8]) / problem.scales["N"], "#2": np.array([3e10]) / problem.scales["D"]}
    assert read_as_julia(guess["f"], at)[0] == pytest.approx(2.0 * 0.2**-0.3 + 2.4 * 30.0**-0.4, rel=1e-12)


def test_releases_that_take_no_parameters_are_given_none(monkeypatch: pytest.MonkeyPatch) -> None:
    form = form_of(two_domains())
    for release, keys in (("2.0.0", {"f"}), ("2.2.1", {"f"}), ("2.3.0", {"f", "a", "b"}), ("2.10.1", {"f", "a", "b"})):
        monkeypatch.setattr("importlib.metadata.version", lambda _, release=release: release)
        assert set(form.guess("1.0 + N**-0.3", 25)) == keys
        assert set(form.again("f = #1; a = [1.0, 2.0]; b = [3.0, 4.0]")) == keys


@pytest.mark.parametrize(
    ("law", "reason"),
    [("2.5", "a constant, which every group has"), ("1.0 + log(N - 1e9)", "no value on some of the rows")],
)
def test_a_guess_that_says_nothing_of_groups_is_left_out(law: str, reason: str) -> None:
    with pytest.raises(UnsayableError, match=reason):
        form_of(two_domains()).guess(law, 25)


def test_a_search_of_groups_is_one_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [
        [1, "0.4", "f = #1; a = [1.0, 2.0]; b = [-0.1, -0.2]"],
        [7, "1e-2", "f = (#1 ^ -0.3) + (#2 ^ -0.4); a = [0.5, 1.5]; b = [2.0, 3.0]"],
        [9, "1e-3", "f = #1; a = [0.5]; b = [2.0, 3.0]"],
        [23, "1e-9", "f = #1; a = [1.0, 2.0]; b = [-0.1, -0.2]"],
    ]
    on_the_stand_in(monkeypatch, rows)
    problem = two_domains(folder=tmp_path, guesses=("1.0 + 2.0*(N/1e9)**-0.3",), max_complexity=25)
    assert ENGINE.grouped
    found = list(ENGINE.search(problem))
    # Four nodes stand around f; 23 + 4 are more than were asked for, and a row with one floor is none of this search.
    assert [candidate.complexity for candidate in found] == [5, 11]
    expression = parse(found[1].formula, features=["N", "D"], constants=())
    at = {symbol("N", positive=True): 2 * problem.scales["N"], symbol("D", positive=True): 3 * problem.scales["D"]}
    assert float(expression.subs(at)) == pytest.approx(1.5 + 3.0 * (2**-0.3 + 3**-0.4), rel=1e-12)  # web is the larger
    given = seen(tmp_path)
    assert given["names"] == ["x_N", "x_D", "row_group"]
    assert set(given["x"][2]) == {1.0, 2.0}
    assert np.mean(given["x"][2]) == pytest.approx(5 / 3)  # code is the first, in alphabetical order
    (template,) = [text for text in given["said"] if "@template_spec" in text]
    assert "parameters=(a=2, b=2,)" in template
    assert "do x_N, x_D, row_group" in template
    assert "a[row_group] + b[row_group] * f(x_N, x_D)" in template
    ((guess,),) = given["guesses"]
    assert set(guess) == ({"f", "a", "b"} if takes_parameters() else {"f"})
    assert "x_" not in guess["f"]  # PySR refuses the names of variables in it
    assert not any("pkl" in path.name for path in tmp_path.rglob("*"))
