"""Which rows of a table count, and rows that become one: the last, the best, the mean of several."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_card import card, error, load, tidied

from discover.dataset import Dataset

NUMBERS = st.floats(1e-3, 1e3)

CURVES = """\
run,seed,step,N,loss
a,1,100,1e6,4.0
a,1,300,1e6,3.0
b,1,100,2e6,3.9
a,2,200,1e6,3.5
a,1,200,1e6,3.4
b,1,200,2e6,3.2
"""


def kept(folder: Path, rules: str, runs: str = CURVES) -> list[int]:
    return load(folder, card(f"[rows]\n{rules}"), runs).table.index.tolist()


@pytest.mark.parametrize(
    ("rules", "rows"),
    [
        ('last = { of = "run", by = "step" }\ncount = 2', [2, 6]),
        ('last = { of = ["run", "seed"], by = "step" }', [2, 4, 6]),
        ('keep = "step < 250"', [1, 3, 4, 5, 6]),
        ("keep = \"run == 'b' or loss < 3.1\"", [2, 3, 6]),
        ('drop = [{ where = "N < 2e6", because = "small", count = 4 }]', [3, 6]),
        ('drop = [{ largest = 2, of = "loss", because = "outliers", count = 2 }]', [2, 4, 5, 6]),
        ('drop = [{ where = "seed == 2", because = "x" }, { largest = 1, of = "N", because = "y" }]', [1, 2, 5, 6]),
        ('best = { of = ["run"], by = "loss" }', [2, 6]),
        ('best = { of = ["run", "seed"], by = "loss" }', [2, 4, 6]),
        # keep comes before the choice of the best; and what comes near it is less than so much above
        ('keep = "step < 250"\nbest = { of = ["run"], by = "loss" }', [5, 6]),
        ('best = { of = ["N"], by = "loss", within = 0.15 }', [2, 5, 6]),
        ('best = { of = ["N"], by = "loss", within = 0.21 }', [2, 4, 5, 6]),
    ],
)
def test_rules_choose_rows(tmp_path: Path, rules: str, rows: list[int]) -> None:
    assert kept(tmp_path, rules) == rows


def test_of_equal_rows_the_first_is_the_best_and_the_last_is_the_last(tmp_path: Path) -> None:
    ties = "run,step,N,loss\na,1,1e6,3\na,1,2e6,3\nb,2,1e6,4\nb,2,3e6,4\n"
    assert kept(tmp_path, 'best = { of = ["run"], by = "loss" }', ties) == [1, 3]
    assert kept(tmp_path, 'last = { of = "run", by = "step" }', ties) == [2, 4]


def test_rows_that_repeat_others_are_dropped(tmp_path: Path) -> None:
    repeated = "run,N,loss\na,1e6,3\nb,1e6,3\na,1e6,3\na,1e6,3.1\n"
    assert kept(tmp_path, "unique = true\ncount = 3", repeated) == [1, 2, 4]
    lines = '{"N": 1, "loss": 3, "tags": ["x"]}\n' * 2 + '{"N": 1, "loss": 3, "tags": ["y"]}\n'
    files = '[[files]]\npath = "runs.jsonl"'
    nested = load(tmp_path, card("[rows]\nunique = true", files=files), "", {"runs.jsonl": lines})
    assert nested.table.index.tolist() == [1, 3]


def test_what_is_near_the_best_is_near_below_zero_too(tmp_path: Path) -> None:
    text = card('[rows]\nbest = { of = ["N"], by = "loss", within = 0.1 }', target='column = "loss"\npositive = false')
    below = "N,loss\n1,-5\n1,-4.8\n1,-4\n2,0\n2,0.1\n"
    assert load(tmp_path, text, below).losses().tolist() == [-5.0, -4.8, 0.0]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("count = 5", "runs.csv: 6 rows remain, the card says 5"),
        ('drop = [{ where = "N < 2e6", because = "too small", count = 3 }]', "runs.csv: 4 rows were to be dropped (too small), the card says 3"),  # noqa: E501
        ('keep = "N > 1e9"', "runs.csv: the card's rules leave no rows"),
        ('drop = [{ largest = 9, of = "loss", because = "x" }]', "runs.csv: the card's rules leave no rows"),
        ('keep = "ste > 1e9"', "runs.csv: rows: 'ste > 1e9': unknown column 'ste': did you mean 'step'?"),
        ('keep = "N > "', "runs.csv: rows: 'N > ' is not a row rule"),
        ('drop = [{ largest = 1, of = "los", because = "x" }]', "runs.csv: there is no column 'los': did you mean 'loss'?"),  # noqa: E501
        ('drop = [{ largest = 1, of = "run", because = "x" }]', "runs.csv: row 1, column 'run': 'a' is not a number"),
        ('last = { of = "runs", by = "loss" }', "runs.csv: rows.last: there is no column 'runs'"),
        ('last = { of = "run", by = "stp" }', "runs.csv: rows.last: there is no column 'stp'"),
        ('last = { of = [], by = "step" }', "mine.toml: rows.last.of: "),
        ('best = { of = ["M"], by = "loss" }', "runs.csv: rows.best: there is no column 'M'"),
        ('best = { of = ["N"], by = "run" }', "runs.csv: row 1, column 'run': 'a' is not a number"),
        ('best = { of = [], by = "loss" }', "mine.toml: rows.best.of: "),
        ('best = { of = ["N"], by = "loss", within = -0.1 }', "mine.toml: rows.best.within: "),
    ],
)  # fmt: skip
def test_rules_that_do_not_fit_the_table_are_errors(tmp_path: Path, rules: str, message: str) -> None:
    assert error(tmp_path, card(f"[rows]\n{rules}"), CURVES).startswith(message)


@pytest.mark.parametrize(
    "rules",
    [
        'last = { of = "run", by = "step" }',
        'best = { of = ["run"], by = "loss" }',
        'best = { of = ["run"], by = "loss", within = 0.5 }',
    ],
)
def test_rows_without_a_name_are_not_lost_in_silence(tmp_path: Path, rules: str) -> None:
    runs = CURVES.replace("b,1,100", ",1,100")
    assert error(tmp_path, card(f"[rows]\n{rules}"), runs) == "runs.csv: row 3, column 'run': the value is missing"


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), NUMBERS), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_the_best_of_each_grid_is_its_smallest_loss(rows: list[tuple[int, int, float]]) -> None:
    table = pd.DataFrame(rows, columns=["N", "D", "loss"])
    features = {"N": {"column": "N"}, "D": {"column": "D"}}
    best = tidied(table, features=features, rows={"best": {"of": ["N", "D"], "by": "loss"}}).table
    expected = table.groupby(["N", "D"])["loss"].min()
    assert best.set_index(["N", "D"])["L"].sort_index().to_dict() == expected.to_dict()
    near = tidied(table, features=features, rows={"best": {"of": ["N", "D"], "by": "loss", "within": 0.5}}).table
    lowest = table.groupby(["N", "D"])["loss"].transform("min").to_numpy()
    assert near.index.tolist() == (np.flatnonzero(table["loss"].to_numpy() - lowest < 0.5 * lowest) + 1).tolist()


# ---- averages over rows

PARTS = """\
run,domain,N,loss
a,web,1e6,4.0
a,code,1e6,2.0
a,law,1e6,3.0
b,law,2e6,2.5
b,web,2e6,3.5
b,code,2e6,1.5
"""
AVERAGE = """
[average]
column = "loss"
of = ["run"]
over = "domain"
into = "part"
weights = { path = "weights.json" }
parts = { text = ["web", "law"], code = ["code"] }
"""
WEIGHTS = {"weights.json": json.dumps({"web": 3, "law": 1})}


def averaged(folder: Path, average: str = AVERAGE, runs: str = PARTS, weights: str = "") -> Dataset:
    others = {"weights.json": weights} if weights else WEIGHTS
    return load(folder, card(average, head='labels = ["part"]'), runs, others)


def test_rows_of_a_part_become_their_weighted_mean(tmp_path: Path) -> None:
    dataset = averaged(tmp_path)  # code has no weight, and needs none: it is alone
    means = dataset.table.set_index(["N", "part"])["L"].to_dict()
    text = {1e6: (3 * 4.0 + 3.0) / 4, 2e6: (3 * 3.5 + 2.5) / 4}
    assert means == {(n, "text"): text[n] for n in text} | {(1e6, "code"): 2.0, (2e6, "code"): 1.5}
    assert [Path(source).name for source in dataset.sources] == ["runs.csv", "weights.json"]


def test_without_weights_the_mean_is_plain_and_without_parts_it_is_of_all(tmp_path: Path) -> None:
    plain = AVERAGE.replace('weights = { path = "weights.json" }\n', "")
    whole = plain.replace('parts = { text = ["web", "law"], code = ["code"] }\n', "")
    assert averaged(tmp_path, plain).table.set_index(["N", "part"])["L"][(1e6, "text")] == 3.5
    assert averaged(tmp_path, whole).losses().tolist() == [3.0, 2.5]
    assert averaged(tmp_path, whole).table["part"].unique().tolist() == ["average"]


def test_a_value_of_no_part_is_left_out(tmp_path: Path) -> None:
    some = AVERAGE.replace(', code = ["code"]', "")
    assert averaged(tmp_path, some).losses().tolist() == [15 / 4, 13 / 4]


def test_the_count_is_of_the_rows_after_averaging(tmp_path: Path) -> None:
    text = card("[rows]\ncount = 4\n" + AVERAGE)
    assert len(load(tmp_path, text, PARTS, WEIGHTS).table) == 4


@pytest.mark.parametrize(
    ("old", "new", "runs", "weights", "message"),
    [
        ("", "", PARTS.replace("b,law,2e6,2.5\n", ""), "", "runs.csv: average: the part 'text' of run = b takes 2 values of 'domain' and finds 1 rows (see 'law')"),  # noqa: E501
        ("", "", PARTS + "a,web,1e6,4.1\n", "", "runs.csv: average: the part 'text' of run = a takes 2 values of 'domain' and finds 3 rows (see 'web')"),  # noqa: E501
        ("", "", PARTS.replace("b,law,", "b,,"), "", "runs.csv: row 4, column 'domain': the value is missing"),
        ("", "", PARTS.replace("b,law,", ",law,"), "", "runs.csv: row 4, column 'run': the value is missing"),
        ("", "", PARTS.replace("3.5", "x"), "", "runs.csv: row 5, column 'loss': 'x' is not a number"),
        ("", "", PARTS, '{"web": 1}', "runs.csv: average: there is no weight of 'law': legal are: web"),
        ("", "", PARTS, '{"web": 0, "law": 0}', "runs.csv: average: the weights of the part 'text' add up to nothing"),
        ("", "", PARTS, '{"web": -1, "law": 2}', "weights.json: average.weights: the weight of 'web' is -1"),
        ("", "", PARTS, '{"web": NaN, "law": 2}', "weights.json: average.weights: the weight of 'web' is nan"),
        ("", "", PARTS, "[1, 2]", "weights.json: average.weights: this is not a JSON object of numbers"),
        ("", "", PARTS, "{", "weights.json: average.weights: this is not a JSON object of numbers"),
        ('"weights.json"', '"no.json"', PARTS, "", "no.json: average.weights: there is no such file"),
        ('"part"', '"N"', PARTS, "", "runs.csv: average.into: the new column 'N' would take the place"),
        ('over = "domain"', 'over = "domian"', PARTS, "", "runs.csv: average: there is no column 'domian'"),
        ('["run"]', '["ru"]', PARTS, "", "runs.csv: average: there is no column 'ru': did you mean 'run'?"),
        ('["run"]', "[]", PARTS, "", "mine.toml: average.of: "),
        ('["web", "law"], code = ["code"]', '["other"]', PARTS, "", "runs.csv: average: no row belongs to any part"),
    ],
)  # fmt: skip
def test_an_average_that_cannot_be_taken_is_an_error(
    tmp_path: Path, old: str, new: str, runs: str, weights: str, message: str
) -> None:
    text = card(AVERAGE.replace(old, new) if old else AVERAGE)
    said = error(tmp_path, text, runs, {"weights.json": weights} if weights else WEIGHTS)
    assert said.startswith(message)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6), st.integers(1, 4), st.randoms())
@settings(max_examples=30, deadline=None)
def test_a_weighted_mean_is_that_of_numpy(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[float, float]], runs: int, random: Random
) -> None:
    folder = tmp_path_factory.mktemp("average")
    weights = {f"d{place}": weight for place, (weight, _) in enumerate(members)}
    rows = [(run, f"d{place}", run * value) for run in range(1, runs + 1) for place, (_, value) in enumerate(members)]
    random.shuffle(rows)
    table = "".join(f"{run},{domain},{loss!r}\n" for run, domain, loss in rows)
    average = AVERAGE.split("parts", maxsplit=1)[0].replace('["run"]', '["N"]')
    dataset = load(folder, card(average), "N,domain,loss\n" + table, {"weights.json": json.dumps(weights)})
    mean = np.average([value for _, value in members], weights=[weight for weight, _ in members])
    assert dict(zip(dataset.columns()["N"], dataset.losses(), strict=True)) == pytest.approx(
        {float(run): run * mean for run in range(1, runs + 1)}, rel=1e-12
    )
