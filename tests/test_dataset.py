"""Datasets: a table becomes rows that can be trusted, or an error that names file, row and column."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discover.dataset import Dataset, Largest, describe_hold_out, list_datasets, load_dataset, read_dataset_card
from discover.errors import CardError, DataError, InputError
from discover.law import load_law

CARD = """\
title = "My runs"
[[files]]
path = "runs.csv"
[features]
N = { column = "params" }
D = { column = "tokens", kind = "tokens" }
[target]
column = "loss"
"""

ROWS = """\
params,tokens,loss,router
1e6,1e9,4.0,Dense
2e6,2e9,3.5,Hash
4e6,4e9,3.1,Hash
8e6,8e9,2.8,Dense
"""


def write(folder: Path, card: str = CARD, rows: str | None = ROWS, name: str = "runs.csv") -> Path:
    """Write a card and its table; the path of the card."""
    if rows is not None:
        (folder / name).write_text(rows, encoding="utf-8")
    path = folder / "mine.toml"
    path.write_text(card.replace("runs.csv", name), encoding="utf-8")
    return path


def load(folder: Path, card: str = CARD, rows: str | None = ROWS, name: str = "runs.csv") -> Dataset:
    return load_dataset(write(folder, card, rows, name))


def says(folder: Path, card: str = CARD, rows: str | None = ROWS, name: str = "runs.csv") -> str:
    """What the error says after the name of the table's file."""
    with pytest.raises(DataError) as caught:
        load(folder, card, rows, name)
    assert str(caught.value).startswith(f"{folder / name}: ")
    return str(caught.value).removeprefix(f"{folder / name}: ")


def cell(row: int, column: str, value: str, rows: str = ROWS) -> str:
    """The table with one cell replaced; rows count from 1 below the header."""
    lines = [line.split(",") for line in rows.splitlines()]
    lines[row][lines[0].index(column)] = value
    return "\n".join(",".join(line) for line in lines) + "\n"


# ---- a table and a card of nine lines


def test_a_short_card_beside_a_table_is_a_dataset(tmp_path: Path) -> None:
    assert len(CARD.splitlines()) < 10
    dataset = load(tmp_path)
    assert dataset.name == dataset.label == "mine"
    assert list(dataset.table.columns) == ["N", "D", "L"]
    assert dataset.table.index.tolist() == [1, 2, 3, 4]
    assert dataset.columns()["N"].tolist() == [1e6, 2e6, 4e6, 8e6]
    assert dataset.losses().tolist() == [4.0, 3.5, 3.1, 2.8]
    assert dataset.sources == {str(tmp_path / "runs.csv"): hashlib.sha256(ROWS.encode()).hexdigest()}
    assert dataset.generated == ""


def test_a_card_is_named_relative_to_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset("mine.toml").table) == 4
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(load_dataset("../mine.toml").table) == 4  # the table is looked for beside the card


def test_rows_are_chosen_by_booleans(tmp_path: Path) -> None:
    dataset = load(tmp_path)
    large = dataset.held_out_rows("N >= 4e6")
    assert dataset.columns(large)["D"].tolist() == [4e9, 8e9]
    assert dataset.losses(~large).tolist() == [4.0, 3.5]


def test_symbol_and_unit_of_the_target_are_the_cards(tmp_path: Path) -> None:
    dataset = load(tmp_path, CARD + 'symbol = "bpc"\nunit = "bits/character"\n')
    assert list(dataset.table.columns) == ["N", "D", "bpc"]
    assert dataset.target.unit == "bits/character"


# ---- what is wrong with a table


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert says(tmp_path, rows=None) == "there is no such file"


def test_a_format_is_named_where_the_ending_does_not_tell(tmp_path: Path) -> None:
    assert "say format = one of csv, tsv, jsonl, parquet" in says(tmp_path, name="runs.dat")
    named = CARD.replace('path = "runs.csv"', 'path = "runs.csv"\nformat = "csv"')
    assert len(load(tmp_path, named, name="runs.dat").table) == 4


def test_a_missing_column_gets_the_nearest(tmp_path: Path) -> None:
    card = CARD.replace('"params"', '"param"')
    assert says(tmp_path, card) == "there is no column 'param': did you mean 'params'?"
    card = CARD.replace('"loss"', '"zzz"')
    assert says(tmp_path, card) == "there is no column 'zzz': legal are: loss, params, router, tokens"


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (2, "params", "7B", "row 2, column 'params': '7B' is not a number"),
        (2, "params", '"1,000"', "row 2, column 'params': '1,000' is not a number"),
        (4, "loss", "", "row 4, column 'loss': the value is missing"),
        (4, "loss", "nan", "row 4, column 'loss': the value is missing"),
        (1, "loss", "inf", "row 1, column 'loss': inf is infinite"),
        (3, "tokens", "-inf", "row 3, column 'tokens': -inf is infinite"),
        (3, "tokens", "0", "row 3, column 'tokens': 0.0 is not positive"),
        (1, "params", "-1e6", "row 1, column 'params': -1000000.0 is not positive"),
        (1, "loss", "0", "row 1, column 'loss': 0.0 is not positive (else say target.positive = false)"),
        (1, "loss", "-2", "row 1, column 'loss': -2.0 is not positive"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path: Path, row: int, column: str, value: str, message: str) -> None:
    assert says(tmp_path, rows=cell(row, column, value)).startswith(message)


def test_further_bad_rows_are_counted(tmp_path: Path) -> None:
    rows = cell(4, "loss", "diverged", cell(2, "loss", "diverged"))
    assert says(tmp_path, rows=rows) == "row 2, column 'loss': 'diverged' is not a number (and 1 more rows)"


def test_rows_keep_their_number_when_others_are_dropped(tmp_path: Path) -> None:
    card = CARD + "[rows]\nkeep = \"router == 'Hash'\"\n"
    assert load(tmp_path, card).table.index.tolist() == [2, 3]
    assert says(tmp_path, card, cell(3, "loss", "0")).startswith("row 3, column 'loss'")
    assert len(load(tmp_path, card, cell(4, "loss", "diverged")).table) == 2  # what is not kept need not be right


def test_a_target_may_be_negative_where_the_card_says_so(tmp_path: Path) -> None:
    # a loss relative to that of a unigram model is below zero
    rows = cell(1, "loss", "-4.5")
    assert load(tmp_path, CARD + "positive = false\n", rows).losses()[0] == -4.5


def test_numbers_written_as_words_in_json_are_numbers(tmp_path: Path) -> None:
    rows = '{"params": "1e6", "tokens": 1000000000, "loss": 4}\n'
    assert load(tmp_path, rows=rows, name="runs.jsonl").columns()["N"].tolist() == [1e6]


def test_a_changed_file_is_refused_where_the_card_gives_its_checksum(tmp_path: Path) -> None:
    right = hashlib.sha256(ROWS.encode()).hexdigest()
    card = CARD.replace('path = "runs.csv"', f'path = "runs.csv"\nsha256 = "{right}"')
    assert load(tmp_path, card).sources == {str(tmp_path / "runs.csv"): right}
    assert says(tmp_path, card, ROWS + "\n").startswith("the checksum is wrong: sha256 ")


# ---- what is wrong with a card


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[target]", '[[rows.drop]]\nwhere = "a > 1"\n[target]', "the key 'rows.drop.0.because' is missing"),
        ("[target]", '[[rows.drop]]\nbecause = "x"\n[target]', "say either where = 'rule', or largest = how many"),
        ("[target]", '[[rows.drop]]\nlargest = -1\nof = "loss"\nbecause = "x"\n[target]', "rows.drop.0.largest"),
        ('{ column = "params" }', "{ }", "features.N: a feature needs either a column or a formula"),
        ('{ column = "params" }', '{ column = "a", formula = "b" }', "features.N: a feature needs either"),
        ('{ column = "params" }', '{ colum = "a" }', "unknown key 'features.N.colum': did you mean 'column'?"),
        ('kind = "tokens"', 'kind = "token"', "features.D.kind: input should be 'size', 'tokens', 'count', 'rate'"),
        ('path = "runs.csv"', "", "files.0: a file needs either a url or a path beside the card"),
        ('path = "runs.csv"', 'url = "https://a.b/c.csv"', "files.0: a url needs its sha256"),
        ('[[files]]\npath = "runs.csv"\n', "", "a dataset needs either files or a [generate] table"),
        ("D = ", "L = ", "the symbol 'L' is both a feature and the target"),
        ("D = ", "log = ", "'log' is not a legal symbol"),
        ("D = ", "lambda = ", "'lambda' is not a legal symbol: letters a to z, digits"),
    ],
)
def test_a_wrong_card_is_told_key_and_value(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CARD
    with pytest.raises(CardError) as caught:
        load(tmp_path, CARD.replace(old, new))
    assert str(caught.value).startswith(f"{tmp_path / 'mine.toml'}: ")
    assert message in str(caught.value)


# ---- hold-outs


def test_rows_are_held_out_by_a_rule_or_as_the_largest_sizes(tmp_path: Path) -> None:
    dataset = load(tmp_path, 'hold_out = "N >= 8e6"\n' + CARD)
    assert dataset.held_out_rows().tolist() == [False, False, False, True]
    assert dataset.held_out_rows("D > 1e9 and L < 3.4").tolist() == [False, False, True, True]
    assert dataset.held_out_rows(Largest(largest=3, of="D")).tolist() == [False, True, True, True]
    table = load(tmp_path, 'hold_out = { largest = 2, of = "N" }\n' + CARD)
    assert table.held_out_rows().tolist() == [False, False, True, True]
    assert describe_hold_out(Largest(largest=2, of="N")) == "the 2 largest N"


def test_the_largest_sizes_are_sizes_and_not_rows(tmp_path: Path) -> None:
    dataset = load(tmp_path, rows="params,tokens,loss\n1,1,3\n2,1,2\n2,2,2\n1,2,3\n2,3,1\n")
    assert dataset.held_out_rows(Largest(largest=1, of="N")).tolist() == [False, True, True, False, True]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("N > 1e9", "the hold-out 'N > 1e9' holds out none of the 4 rows of mine: lower it"),
        ("N > 1", "the hold-out 'N > 1' leaves none of the 4 rows of mine to train on"),
        (Largest(largest=4, of="N"), "the hold-out of the 4 largest N leaves no size of mine to train on: it has 4"),
        (Largest(largest=1, of="n"), "hold-out: unknown feature 'n': legal are: D, N"),
        ("params > 1e6", "unknown column 'params': legal are: D, L, N"),
        ("N", "is not a row rule"),
        (None, "dataset 'mine' has no hold-out: give one"),
    ],
)
def test_a_hold_out_must_leave_rows_on_either_side(tmp_path: Path, rule: str | Largest | None, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path).held_out_rows(rule)
    assert message in str(caught.value)


# ---- generated data

GENERATED = """\
title = "Made from Chinchilla's law"
[generate]
law = "hoffmann"
published = 2
noise = 0.005
seed = 3
[generate.grid]
N = [{sizes}]
D = [{sizes}]
[features]
N = {{ column = "N" }}
D = {{ column = "D" }}
[target]
column = "loss"
"""


def generated(folder: Path, count: int = 60, **changes: str) -> Dataset:
    text = GENERATED.format(sizes=", ".join(f"{size:.6g}" for size in np.geomspace(1e7, 1e11, count)))
    for old, new in changes.items():
        text = "\n".join(f"{old} = {new}" if line.startswith(f"{old} =") else line for line in text.splitlines())
    return load(folder, text, rows=None)


def test_generated_rows_say_so(tmp_path: Path) -> None:
    dataset = generated(tmp_path)
    assert dataset.label == "mine (generated)"
    assert dataset.generated == (
        "generated from Besiroglu et al. 2024 (arXiv 2404.10102), refit with 0.5 % noise, seed 3"
    )
    assert load_dataset("synthetic_chinchilla").label == "synthetic_chinchilla (generated)"
    assert "(generated)" in dataset._repr_html_()


def test_generated_rows_are_the_same_every_time_and_other_with_another_seed(tmp_path: Path) -> None:
    first, again, other = generated(tmp_path), generated(tmp_path), generated(tmp_path, seed="4")
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    assert (first.table[["N", "D"]] == other.table[["N", "D"]]).all(axis=None)
    assert (first.losses() != other.losses()).all()


def test_generated_rows_follow_the_law_with_the_noise_that_is_said(tmp_path: Path) -> None:
    dataset = generated(tmp_path)
    assert len(dataset.table) == 3600
    law = load_law("hoffmann")
    relative = dataset.losses() / law.predict(dataset.columns(), law.published[2].values) - 1
    # 3600 draws: the standard deviation is known to 1.2 %, the mean to 0.005/60; five times that is allowed
    assert np.std(relative) == pytest.approx(0.005, rel=0.06)
    assert abs(np.mean(relative)) < 5 * 0.005 / 60
    assert abs(np.mean(relative**3)) / 0.005**3 < 0.25  # not skewed
    exact = generated(tmp_path, noise="0")
    assert exact.losses() == pytest.approx(law.predict(exact.columns(), law.published[2].values), rel=1e-15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"published": "9"}, "generate.published: law hoffmann has 9 sets of published constants"),
        ({"published": "-1"}, "generate.published: law hoffmann has 9"),
        ({"law": '"kaplan"'}, "unknown law 'kaplan': did you mean 'kaplan_n'?"),
        ({"law": '"clark_bilinear"', "published": "0"}, "generate.grid: it must have exactly the features N, E"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_told_why(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        generated(tmp_path, **changes)
    assert message in str(caught.value)


# ---- the project's own datasets


def test_the_project_lists_its_datasets_without_a_file_or_a_network() -> None:
    cards = list_datasets()
    assert {"chinchilla_epoch", "datablations", "farseer", "routed_moe", "synthetic_chinchilla"} <= set(cards)
    assert all(card.title and card.licence and card.hold_out for card in cards.values())
    assert read_dataset_card("farseer")[1].target.unit == "bits/character"
