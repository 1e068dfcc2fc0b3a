"""From files to rows: several files, joined and held-out files, renamed columns, wide tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_card import card, error, load, tidied

from discover.dataset import Dataset
from discover.errors import InputError

RUNS = "N,loss\n1e6,4.0\n2e6,3.5\n4e6,3.1\n"
MORE = "loss,N\n2.9,8e6\n2.7,16e6\n"
NUMBERS = st.floats(1e-3, 1e3)


def sizes(dataset: Dataset) -> list[float]:
    return dataset.columns()["N"].tolist()


# ---- several files

TWO = '[[files]]\npath = "runs.csv"\n[[files]]\npath = "more.csv"'


def test_several_files_are_one_table_and_rows_are_counted_through_them(tmp_path: Path) -> None:
    dataset = load(tmp_path, card(files=TWO), RUNS, {"more.csv": MORE})  # columns in another order
    assert sizes(dataset) == [1e6, 2e6, 4e6, 8e6, 16e6]
    assert dataset.table.index.tolist() == [1, 2, 3, 4, 5]
    assert [Path(source).name for source in dataset.sources] == ["runs.csv", "more.csv"]


def test_an_error_names_the_file_of_several_and_the_row_in_it(tmp_path: Path) -> None:
    wrong = MORE.replace("2.7", "oops")
    assert error(tmp_path, card(files=TWO), RUNS, {"more.csv": wrong}) == (
        "more.csv: row 2, column 'loss': 'oops' is not a number"
    )
    other = MORE.replace("N", "params")
    assert error(tmp_path, card(files=TWO), RUNS, {"more.csv": other}) == (
        "more.csv: row 1, column 'N': the value is missing (and 1 more rows)"
    )


def test_an_error_of_a_whole_table_names_few_files(tmp_path: Path) -> None:
    names = [f"runs{number}.csv" for number in range(9)]
    files = "\n".join(f'[[files]]\npath = "{name}"' for name in names)
    said = error(tmp_path, card("[rows]\ncount = 1", files=files), "", dict.fromkeys(names, RUNS))
    assert said == "runs0.csv and 8 more files: 27 rows remain, the card says 1"
    assert error(tmp_path, card("[rows]\ncount = 1", files=TWO), RUNS, {"more.csv": MORE}) == (
        "runs.csv, more.csv: 5 rows remain, the card says 1"
    )


def test_a_file_may_set_columns_for_its_rows(tmp_path: Path) -> None:
    files = TWO.replace('"runs.csv"', '"runs.csv"\nset = { D = 1e9, corpus = "web" }')
    files += '\nset = { D = 2e9, corpus = "code" }'
    text = card("[rows]\nkeep = \"corpus == 'code' or N < 2e6\"", files=files, features='D = { column = "D" }')
    assert load(tmp_path, text, RUNS, {"more.csv": MORE}).columns()["D"].tolist() == [1e9, 2e9, 2e9]


def test_a_file_cannot_set_a_column_that_it_has(tmp_path: Path) -> None:
    files = '[[files]]\npath = "runs.csv"\nset = { loss = 1.0 }'
    assert error(tmp_path, card(files=files), RUNS) == "runs.csv: the card sets the column 'loss', which the file has"


# ---- joined files

JOIN = '[[files]]\npath = "runs.csv"\n[[files]]\npath = "losses.csv"\njoin = "run"'
LEFT = "run,N\na,1e6\nb,2e6\nc,4e6\n"
RIGHT = "run,loss\nc,3.1\na,4.0\nb,3.5\n"


def test_a_joined_file_stands_beside_the_one_before_it(tmp_path: Path) -> None:
    dataset = load(tmp_path, card(files=JOIN), LEFT, {"losses.csv": RIGHT})
    assert dict(zip(sizes(dataset), dataset.losses(), strict=True)) == {1e6: 4.0, 2e6: 3.5, 4e6: 3.1}
    assert dataset.table.index.tolist() == [1, 2, 3]
    assert len(dataset.sources) == 2
    # the row is that of the first file: b is its second
    assert error(tmp_path, card(files=JOIN), LEFT, {"losses.csv": RIGHT.replace("3.5", "x")}).startswith(
        "runs.csv: row 2, column 'loss': 'x' is not a number"
    )


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ("run,loss\nc,3.1\na,4.0\n", "it has no row with run = 'b'"),
        ("run,loss\nc,3.1\na,4.0\nd,9\n", "it has no row with run = 'b'"),
        (RIGHT + "b,3.6\n", "the column 'run' has the value 'b' in two rows"),
        (RIGHT + "d,9\n", "it has 4 rows for 3"),
        (RIGHT.replace("run", "id"), "there is no column 'run': legal are: id, loss"),
        ("run,loss,N\nc,3.1,1\na,4.0,1\nb,3.5,1\n", "both files have a column 'N'"),
    ],
)
def test_a_join_is_of_exactly_one_row_each(tmp_path: Path, losses: str, message: str) -> None:
    assert error(tmp_path, card(files=JOIN), LEFT, {"losses.csv": losses}) == f"losses.csv: join: {message}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"runs.csv"', '"runs.csv"\njoin = "run"', "the first file can neither join another nor be held out"),
        ('"runs.csv"', '"runs.csv"\nheld_out = true', "the first file can neither join another nor be held out"),
        ('join = "run"', 'join = "run"\nset = { D = 1.0 }', "files.1: a file that joins another goes with it"),
        ('join = "run"', 'join = "run"\nheld_out = true', "files.1: a file that joins another goes with it"),
        ('join = "run"', "held_out = true", 'a hold_out of files = "held_out" and files with held_out = true belong'),
    ],
)
def test_files_that_cannot_be_put_together_are_errors_of_the_card(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    said = error(tmp_path, card(files=JOIN.replace(old, new)), LEFT)
    assert said.startswith("mine.toml: ")
    assert message in said


# ---- held-out files

HELD = '[[files]]\npath = "runs.csv"\n[[files]]\npath = "larger.csv"\nheld_out = true'
OWN = 'hold_out = { files = "held_out", of = "N" }'
LARGER = "N,loss\n1e9,2.0\n2e9,1.9\n"


def test_held_out_files_are_not_read_unless_asked_for(tmp_path: Path) -> None:
    text = card("[rows]\ncount = 3", head=OWN, files=HELD)
    dataset = load(tmp_path, text, RUNS)  # the held-out file is not even there
    assert sizes(dataset) == [1e6, 2e6, 4e6]
    with pytest.raises(InputError, match=r"files of their own, which were not read"):
        dataset.held_out_rows()
    assert error(tmp_path, text, RUNS, held_out=True) == "larger.csv: there is no such file"
    both = load(tmp_path, text, RUNS, {"larger.csv": LARGER}, held_out=True)  # count is of training rows
    assert sizes(both) == [1e6, 2e6, 4e6, 1e9, 2e9]
    assert both.held_out_rows().tolist() == [False, False, False, True, True]
    assert len(both.sources) == 2


def test_held_out_files_are_larger_in_a_feature(tmp_path: Path) -> None:
    said = error(tmp_path, card(head=OWN.replace('"N"', '"params"'), files=HELD), RUNS)
    assert said == "mine.toml: (card): hold_out.of: 'params' is no feature: legal are: N"


def test_a_file_joined_to_a_held_out_one_is_held_out_with_it(tmp_path: Path) -> None:
    files = JOIN + '\n[[files]]\npath = "large.csv"\nheld_out = true\n[[files]]\npath = "large2.csv"\njoin = "run"'
    text = card(head=OWN, files=files)
    small = load(tmp_path, text, LEFT, {"losses.csv": RIGHT})
    assert len(small.table) == 3
    others = {"large.csv": "run,N\nz,1e9\n", "large2.csv": "run,loss\nz,2.0\n"}
    dataset = load(tmp_path, text, LEFT, {"losses.csv": RIGHT, **others}, held_out=True)
    assert dataset.columns(dataset.held_out_rows())["N"].tolist() == [1e9]
    pd.testing.assert_frame_equal(dataset.table[~dataset.held_out_rows()], small.table)


@pytest.mark.parametrize(
    "rules",
    [
        "unique = true",
        'last = { of = "run", by = "step" }',
        'keep = "step > 1"',
        'drop = [{ where = "step == 1", because = "x", count = 2 }]',
        'drop = [{ largest = 1, of = "loss", because = "x" }]',
        'best = { of = ["run"], by = "loss" }',
        'best = { of = ["run"], by = "loss", within = 0.2 }',
    ],
)
def test_held_out_rows_have_no_say_in_which_training_rows_count(tmp_path: Path, rules: str) -> None:
    runs = "run,step,N,loss\na,1,1e6,4.0\na,2,1e6,3.5\nb,1,2e6,3.9\nb,2,2e6,3.0\n"
    # the same runs at later steps and with smaller and larger losses, and a row that repeats a training row
    larger = "run,step,N,loss\na,3,1e6,1.0\nb,3,2e6,9.0\nb,2,2e6,3.0\n"
    text = card(f"[rows]\n{rules}", head=OWN, files=HELD)
    alone = load(tmp_path, text, runs)
    both = load(tmp_path, text, runs, {"larger.csv": larger}, held_out=True)
    pd.testing.assert_frame_equal(both.table[~both.held_out_rows()], alone.table)


def test_the_largest_held_out_rows_are_not_dropped_with_the_largest(tmp_path: Path) -> None:
    text = card('[rows]\ndrop = [{ largest = 1, of = "loss", because = "outlier", count = 1 }]', head=OWN, files=HELD)
    dataset = load(tmp_path, text, RUNS, {"larger.csv": LARGER}, held_out=True)
    assert dataset.held_out_rows().tolist() == [False, False, True, True]


# ---- columns


def test_columns_get_names_that_formulas_can_use(tmp_path: Path) -> None:
    text = card('[columns]\nflop = "Training FLOP"', features='C = { formula = "2*flop" }')
    assert load(tmp_path, text, "Training FLOP,loss\n1e18,3\n").columns()["C"].tolist() == [2e18]
    assert error(tmp_path, text, "training flop,loss\n1e18,3\n").startswith(
        "runs.csv: columns: there is no column 'Training FLOP': did you mean 'training flop'?"
    )


def test_a_name_does_not_take_the_place_of_a_column(tmp_path: Path) -> None:
    # to swap two headers, read each as what it is: features name their columns
    text = card('[columns]\nN = "loss"')
    assert error(tmp_path, text, RUNS) == (
        "runs.csv: columns: the new column 'N' would take the place of the file's: choose another"
    )
    assert sizes(load(tmp_path, card('[columns]\nN = "N"'), RUNS)) == [1e6, 2e6, 4e6]


# ---- wide tables

WIDE = "model,params,1e9,2e9\na,1e6,4.0,3.8\nb,2e6,3.6,3.5\n"
TWO_FEATURES = 'N = { column = "params" }\nD = { column = "tokens" }'


def test_a_wide_row_becomes_one_row_a_column(tmp_path: Path) -> None:
    # headers that are numbers are a feature
    wide = '[wide]\ncolumns = ["1e9", "2e9"]\nnames = "tokens"\nvalues = "loss"'
    dataset = load(tmp_path, card(wide, features=TWO_FEATURES), WIDE)
    assert dataset.table.to_dict("list") == {
        "N": [1e6, 1e6, 2e6, 2e6],
        "D": [1e9, 2e9, 1e9, 2e9],
        "L": [4.0, 3.8, 3.6, 3.5],
    }
    assert dataset.table.index.tolist() == [1, 1, 2, 2], "a row keeps the number that it has in the file"


def test_wide_columns_may_be_named(tmp_path: Path) -> None:
    wide = '[wide]\ncolumns = { web = "1e9", code = "2e9" }\nnames = "corpus"\nvalues = "loss"\n'
    text = card(wide + "[group]\ncolumns = ['corpus']", features='N = { column = "params" }')
    assert load(tmp_path, text, WIDE).groups().tolist() == ["web", "code", "web", "code"]


def test_an_error_in_a_wide_table_names_the_row_of_the_file(tmp_path: Path) -> None:
    wide = '[wide]\ncolumns = ["1e9", "2e9"]\nnames = "tokens"\nvalues = "loss"'
    text = card(wide, features=TWO_FEATURES)
    assert error(tmp_path, text, WIDE.replace("3.5", "x")) == "runs.csv: row 2, column 'loss': 'x' is not a number"
    assert error(tmp_path, text, WIDE.replace("2e9", "many")).startswith("runs.csv: wide: there is no column '2e9'")
    text = card(wide.replace('"2e9"', '"model"'), features=TWO_FEATURES)
    assert error(tmp_path, text, WIDE).startswith("runs.csv: row 1, column 'tokens': 'model' is not a number")


@pytest.mark.parametrize(
    ("wide", "message"),
    [
        ('columns = ["1e9"]\nnames = "tokens"\nvalues = "model"', "runs.csv: wide: the new column 'model' would take"),
        ('columns = ["1e9"]\nnames = "2e9"\nvalues = "loss"', "runs.csv: wide: the new column '2e9' would take"),
        ('columns = ["1e9"]\nnames = "loss"\nvalues = "loss"', "mine.toml: wide: names and values are two new columns"),
        ('columns = []\nnames = "tokens"\nvalues = "loss"', "mine.toml: wide: columns names no column"),
    ],
)
def test_wide_columns_take_no_others_place(tmp_path: Path, wide: str, message: str) -> None:
    assert error(tmp_path, card(f"[wide]\n{wide}", features=TWO_FEATURES), WIDE).startswith(message)


def test_a_wide_column_may_give_its_name_to_the_values(tmp_path: Path) -> None:
    wide = '[wide]\ncolumns = { web = "loss", code = "code_loss" }\nnames = "corpus"\nvalues = "loss"'
    assert load(tmp_path, card(wide), "N,loss,code_loss\n1e6,3,2\n").losses().tolist() == [3.0, 2.0]


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_long_table_turned_wide_again_is_the_file(rows: list[tuple[float, float, float]]) -> None:
    table = pd.DataFrame(rows, columns=["10", "20", "30"]).assign(N=1e6)
    wide = {"columns": ["10", "20", "30"], "names": "D", "values": "loss"}
    features = {"N": {"column": "N"}, "D": {"column": "D"}}
    long = tidied(table, wide=wide, features=features).table
    again = long.pivot(columns="D", values="L")
    assert np.array_equal(again.to_numpy(), table[["10", "20", "30"]].to_numpy())
