"""PySR's hall of fame: real files that PySR wrote, files caught half-written, and text that is no formula."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from discover.dataset import load_dataset
from discover.download import fetch
from discover.engines.hall_of_fame import (
    EquationError,
    Row,
    candidate_formula,
    parse_hall_of_fame,
    read_hall_of_fame,
    read_template,
    shape_of,
)
from discover.formula import parse

RECORDED = Path(__file__).parent / "recorded"
PLAIN = ("chinchilla", "chinchilla_guess", "routed_moe_sbase")
FEATURES = {"x_N": "N", "x_D": "D", "x_E": "E"}
SCALES = {"N": 1e9, "D": 1e9, "E": 1.0}


def values(formula: str, columns: dict[str, np.ndarray]) -> np.ndarray:
    expression = parse(formula, features=columns, constants=())
    names = sorted(expression.free_symbols, key=str)
    with np.errstate(all="ignore"):
        value = sympy.lambdify(names, expression, "numpy")(*[columns[str(name)] for name in names])
    return np.broadcast_to(np.asarray(value, dtype=float), len(next(iter(columns.values()))))


def recorded_loss(prediction: np.ndarray, target: np.ndarray) -> float:
    """The loss of the recorded searches, whose Julia text has Float32 numbers: 1f-3 is 0.0010000000474974513."""
    delta, half = float(np.float32(1e-3)), float(np.float32(5e-4))
    residual = np.abs(np.log(prediction) - np.log(target))
    return float(np.mean(np.where(residual < delta, residual**2 / 2, delta * (residual - half))))


@pytest.mark.parametrize("name", PLAIN)
def test_every_recorded_equation_is_a_formula(name: str) -> None:
    rows = read_hall_of_fame(RECORDED / f"{name}.csv")
    assert len(rows) >= 12
    assert [row.complexity for row in rows] == sorted(row.complexity for row in rows)
    columns = {"N": np.array([1e8, 1e9, 7e10]), "D": np.array([2e9, 2e10, 1.4e12]), "E": np.array([1.0, 8.0, 512.0])}
    for row in rows:
        assert np.isfinite(values(candidate_formula(row.equation, FEATURES, SCALES), columns)).any(), row


def test_the_table_that_pysr_prints_holds_the_same_rows() -> None:
    rows, whole = parse_hall_of_fame((RECORDED / "chinchilla_equations.csv").read_text())
    assert whole
    assert rows == read_hall_of_fame(RECORDED / "chinchilla.csv")


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("name", "dataset", "below", "rows", "scales"),
    [
        ("chinchilla", "chinchilla_epoch", 4e9, 217, {"N": 1e9, "D": 1e9}),
        ("chinchilla_guess", "chinchilla_epoch", 4e9, 217, {"N": 1e9, "D": 1e9}),
        ("routed_moe_sbase", "routed_moe_s_base", 1e9, 51, {"N": 1e8}),
    ],
)
@pytest.mark.usefixtures("mirror")
def test_a_translated_equation_has_the_loss_that_pysr_printed(
    name: str, dataset: str, below: float, rows: int, scales: dict[str, float]
) -> None:
    table = load_dataset(dataset).table
    table = table[table["N"] < below]
    columns = {symbol: table[symbol].to_numpy(dtype=float) for symbol in table.columns if symbol != "L"}
    assert len(table) == rows
    for row in read_hall_of_fame(RECORDED / f"{name}.csv"):
        formula = candidate_formula(row.equation, {f"x_{symbol}": symbol for symbol in columns}, scales)
        loss = recorded_loss(values(formula, columns), table["L"].to_numpy(dtype=float))
        assert loss == pytest.approx(row.loss, rel=1e-12), row.equation


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_a_template_has_the_loss_that_pysr_printed() -> None:
    """Also the one recorded with `-0.72 ^ #2`, which is the power of a negative number, not the negative of a power."""
    ((url, sha256),) = load_dataset("routed_moe").sources.items()
    runs = pd.read_csv(fetch(url, sha256))
    runs = runs.sort_values("step").groupby("hyper_id").tail(1)
    runs = runs[(runs.k == 1) & (runs.routing_frequency == 0.5) & (runs.flop_increase == 1)]
    routers = {"Hash": 0, "RL-R": 1, "S-Base": 2}
    runs = runs[runs.router_type.isin(list(routers)) & (runs.dense_parameter_count < 1e9)]
    assert len(runs) == 131
    router = runs.router_type.map(routers).to_numpy(dtype=int)
    columns = {"N": runs.dense_parameter_count.to_numpy(dtype=float), "E": runs.num_experts.to_numpy(dtype=float)}
    for row in read_hall_of_fame(RECORDED / "routed_moe_template.csv"):
        template = read_template(row.equation)
        inner = values(template.formula("f", ["N/1e8", "E"]), columns)
        a, b = (np.array(template.parameters[name])[router] for name in "ab")
        loss = recorded_loss(a + b * inner, runs.loss_validation.to_numpy(dtype=float))
        assert loss == pytest.approx(row.loss, rel=1e-12), row.equation


def test_recorded_templates_are_taken_apart() -> None:
    rows = read_hall_of_fame(RECORDED / "routed_moe_template.csv")
    assert len(rows) == 14
    for row in rows:
        template = read_template(row.equation)
        assert list(template.expressions) == ["f"]
        assert {name: len(vector) for name, vector in template.parameters.items()} == {"a": 3, "b": 3}
        parse(template.formula("f", ["N/1e8", "E"]), features=["N", "E"], constants=())
    first = read_template(rows[0].equation)
    assert first.expressions["f"] == "#1"
    assert first.parameters["b"][2] == -0.10977358039429679


@pytest.mark.parametrize(
    "equation",
    ["x_N ^ 2", "f = x_N; f = x_N", "f = x_N.a", "f = __import__('os')", "f = #1; a = [1, two]", "f = #1; a = [1"],
)
def test_what_is_no_template_is_refused(equation: str) -> None:
    with pytest.raises(EquationError, match="cannot be read"):
        read_template(equation)


def test_a_template_needs_all_its_arguments_and_has_no_other_expression() -> None:
    template = read_template("f = #1 + #2")
    with pytest.raises(EquationError, match="'#2' is not known"):
        template.formula("f", ["N"])
    with pytest.raises(EquationError, match="no expression 'g': there are f"):
        template.formula("g", ["N", "E"])


def test_a_file_cut_off_anywhere_gives_the_lines_that_are_whole() -> None:
    text = (RECORDED / "routed_moe_sbase.csv").read_text()
    rows, whole = parse_hall_of_fame(text)
    assert whole
    assert len(rows) == 13
    for end in range(len(text)):
        some, cut_is_whole = parse_hall_of_fame(text[:end])
        assert some == rows[: len(some)]
        assert len(some) == max(0, text[:end].count("\n") - 1)
        # A file cut off exactly at the end of a line cannot be told from a whole one.
        assert not cut_is_whole or text[end - 1] == "\n"


def test_the_file_that_is_whole_is_read(tmp_path: Path) -> None:
    text = (RECORDED / "chinchilla.csv").read_text()
    path, backup = tmp_path / "hall_of_fame.csv", tmp_path / "hall_of_fame.csv.bak"
    assert read_hall_of_fame(path) == []
    path.write_text("")  # opened for writing, nothing written yet
    assert read_hall_of_fame(path) == []
    backup.write_text(text)
    assert len(read_hall_of_fame(path)) == 12
    path.write_text(text[:500])
    assert len(read_hall_of_fame(path)) == 12
    backup.write_text(text[:300])
    assert read_hall_of_fame(path) == parse_hall_of_fame(text[:500])[0]
    path.unlink()
    assert read_hall_of_fame(path) == parse_hall_of_fame(text[:300])[0]


def test_numbers_are_read_as_julia_prints_them() -> None:
    text = 'Complexity,Loss,Equation\n1,Inf,"NaN"\n2,NaN,"1.0f-5"\n3,1.5f-3,"max(x_N, ""1"")"\n4,two,"x_N"\n'
    rows, whole = parse_hall_of_fame(text)
    assert not whole  # the fourth line is none
    assert [row.complexity for row in rows] == [1, 2, 3]
    assert rows[0] == Row(1, float("inf"), "NaN")
    assert np.isnan(rows[1].loss)
    assert rows[2] == Row(3, 1.5e-3, 'max(x_N, "1")')


def test_text_that_is_no_hall_of_fame_has_no_rows() -> None:
    for text in ("", "\n", "Complexity;Loss;Equation\n", "\x00\n1,2,3\n", 'a,"b\n'):
        assert parse_hall_of_fame(text) == ([], False)


@pytest.mark.parametrize(
    ("equation", "n", "expected"),
    [
        ("1.5f0 / x_N", 2e9, 0.75),
        ("x_N ^ -1.0f0", 2e9, 0.5),
        ("-2.0 ^ x_N", 2e9, 4.0),  # of the tree (-2)^2: Julia prints no parentheses
        ("1.0 - -2.0 ^ x_N", 3e9, 9.0),
        ("2.0 ^ 3.0 ^ 2.0", 1e9, 512.0),
        ("sqrt(x_N) + min(x_N, 1.0e1) * max(x_N, .5)", 4e9, 18.0),
        ("exp(log(x_N) - 1e-300)", 3e9, 3.0),
    ],
)
def test_julia_text_keeps_its_meaning(equation: str, n: float, expected: float) -> None:
    formula = candidate_formula(equation, FEATURES, SCALES)
    assert values(formula, {"N": np.array([n]), "D": np.array([1e9])})[0] == pytest.approx(expected, rel=1e-12)


def printed(tree: object) -> str:
    """A tree as DynamicExpressions.jl prints it: binary operators with spaces, in parentheses where they are inside."""
    if not isinstance(tree, tuple):
        return str(tree)
    name, *inner = tree
    texts = [f"({printed(t)})" if isinstance(t, tuple) and t[0] in "+-*/^" else printed(t) for t in inner]
    return f" {name} ".join(texts) if name in "+-*/^" else f"{name}({', '.join(texts)})"


def worth(tree: object, at: dict[str, float]) -> float:
    if not isinstance(tree, tuple):
        return at[tree] if isinstance(tree, str) else float(tree)  # type: ignore[arg-type]
    name, *inner = tree
    functions = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.float_power}
    function = functions.get(name) or getattr(np, name)
    return float(function(*[worth(t, at) for t in inner]))


leaves = st.one_of(
    st.sampled_from(["x_N", "x_D"]),
    st.floats(0.01, 3.0),
    st.floats(-3.0, -0.01),  # PySR's constants have any sign
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner),
        st.tuples(st.just("^"), inner, leaves),
        st.tuples(st.sampled_from(["exp", "log"]), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(trees)
def test_a_printed_tree_is_read_back(tree: object) -> None:
    at = {"x_N": 0.7, "x_D": 1.9}
    with np.errstate(all="ignore"):
        expected = worth(tree, at)
    assume(np.isfinite(expected) and 1e-6 < abs(expected) < 1e6)
    try:
        formula = candidate_formula(printed(tree), FEATURES, SCALES)
    except EquationError:  # refused although its value is real, as log(-(-x)) of two numbers may be: no harm
        assume(False)
    value = values(formula, {"N": np.array([0.7e9]), "D": np.array([1.9e9])})[0]
    assume(np.isfinite(value))
    assert value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "equation",
    [
        "x_N.__class__",
        "__import__('os').system('true')",
        "9^9^9",
        "9.0 ^ 9.0 ^ 9.0 ^ 9.0",
        "x_N ^ 1e9",
        "(" * 5000 + "x_N" + ")" * 5000,
        "x_N" + " + x_N" * 5000,
        "exp(exp(exp(exp(9.0))))",
        "NaN",
        "x_N * Inf",
        "x_Q + 1",
        "sin(x_N)",
        "exp",
        "exp x_N",
        "#1 + 1",
        "f = #1; a = [1.0]",
        "2x_N",
        "1 2",
        "x_N; x_N",
        "[x_N]",
        "x_N\n; run(`true`)",
        "lambda: 1",
        "1/(x_N - x_N)",
        "log(-1.0)",
        "x\u2099",
        "",
    ],
)
def test_what_is_no_formula_is_refused_at_once(equation: str) -> None:
    start = time.monotonic()
    with pytest.raises(EquationError) as caught:
        candidate_formula(equation, FEATURES, SCALES)
    assert time.monotonic() - start < 1.0
    assert "cannot be read" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_equations_of_one_shape_differ_in_numbers_only() -> None:
    assert shape_of("1.5 / (x_N ^ -0.25)") == shape_of("3.2f0/(x_N^-1e-3)")
    assert shape_of("1.5 / x_N") != shape_of("1.5 / x_D")
