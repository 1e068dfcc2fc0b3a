"""From rows to columns of numbers: formulas, mixtures, categories, shares, groups, labels and the target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_card import card, error, load, tidied

from discover.errors import CardError

RUNS = """\
N,flop,web,code,corpus,router,loss
1e6,6e15,0.75,0.25,web,Hash,4.0
2e6,24e15,0.5,0.5,code,S-Base,3.5
4e6,96e15,0,1,code,Hash,3.1
8e6,384e15,1,0,web,Dense,2.8
"""


def with_features(*features: str, more: str = "", target: str = 'column = "loss"') -> str:
    return card(more, features="\n".join(features), target=target)


# ---- features by formula

SIZE = 'N = { column = "N" }'


def test_a_feature_may_be_a_formula_of_columns_and_features(tmp_path: Path) -> None:
    text = with_features(SIZE, 'D = { formula = "flop/(6*N)" }', 'H = { formula = "4*D" }')
    columns = load(tmp_path, text, RUNS).columns()
    assert columns["D"].tolist() == [1e9, 2e9, 4e9, 8e9]
    assert columns["H"].tolist() == [4e9, 8e9, 16e9, 32e9]


def test_a_formula_without_columns_is_one_number_for_all_rows(tmp_path: Path) -> None:
    assert load(tmp_path, with_features('N = { formula = "2**20" }'), RUNS).columns()["N"].tolist() == [2.0**20] * 4


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("flops/(6*N)", "features.D.formula: unknown name 'flops': did you mean 'flop'?\n  flops/(6*N)\n  ^"),
        ("flop.sum()", "features.D.formula: what is called here is not a function"),
        ("D*2", "features.D.formula: unknown name 'D'"),
    ],
)
def test_a_wrong_formula_is_an_error_of_the_card(tmp_path: Path, formula: str, message: str) -> None:
    said = error(tmp_path, with_features(SIZE, f'D = {{ formula = "{formula}" }}'), RUNS)
    assert said.startswith(f"mine.toml: {message}")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("log(flop - 6e15)", "row 1, column 'D': the value is not finite (it is computed as log(flop - 6e15))"),
        ("flop/code", "row 4, column 'D': the value is not finite (it is computed as flop/code)"),
        ("router*2", "row 1, column 'router': 'Hash' is not a number (and 3 more rows)"),
        ("N - 4e6", "row 1, column 'D': -3000000.0 is not positive (and 2 more rows)"),
    ],
)
def test_a_formula_that_fails_on_a_row_names_the_row(tmp_path: Path, formula: str, message: str) -> None:
    said = error(tmp_path, with_features(SIZE, f'D = {{ formula = "{formula}" }}'), RUNS)
    assert said.replace("-inf", "the value").replace("inf", "the value") == f"runs.csv: {message}"


# ---- mixtures

MIXTURE = 'r = { kind = "mixture", columns = ["web", "code"] }'


def test_a_mixture_is_a_column_a_component(tmp_path: Path) -> None:
    dataset = load(tmp_path, with_features(SIZE, MIXTURE), RUNS)
    assert dataset.components == {"r": ("web", "code")}
    assert list(dataset.table.columns) == ["N", "r_web", "r_code", "L"]
    assert dataset.columns()["r_code"].tolist() == [0.25, 0.5, 1.0, 0.0]  # a share of zero is legal
    named = load(tmp_path, with_features('r = { kind = "mixture", columns = { text = "web", py = "code" } }'), RUNS)
    assert list(named.columns()) == ["r_text", "r_py"]


def test_a_mixture_that_does_not_sum_to_one_is_an_error_with_the_keys_that_allow_it(tmp_path: Path) -> None:
    rounded = RUNS.replace("0.5,0.5", "0.5,0.502")
    said = error(tmp_path, with_features(MIXTURE), rounded)
    assert said == (
        "runs.csv: row 2, column 'r': 1.002 is the sum of the mixture, which differs from 1 by more than 0.001 "
        "(features.r: normalise = true divides by it, tolerance allows it)"
    )
    allowed = MIXTURE.replace("kind", "tolerance = 0.003, kind")
    assert load(tmp_path, with_features(allowed), rounded).columns()["r_code"][1] == 0.502  # as it is written
    divided = load(tmp_path, with_features(MIXTURE.replace("kind", "normalise = true, kind")), rounded)
    assert divided.columns()["r_code"][1] == 0.502 / 1.002


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "0.75,0.25",
            "1.25,-0.25",
            "runs.csv: row 1, column 'code': -0.25 is negative: it is a share of the mixture r",
        ),
        ("0.75,0.25", "0.75,", "runs.csv: row 1, column 'code': the value is missing"),
        ("web,code,corpus", "web,cod,corpus", "runs.csv: there is no column 'code': did you mean 'cod'?"),
    ],
)
def test_a_share_that_is_none_is_an_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert error(tmp_path, with_features(MIXTURE), RUNS.replace(old, new)) == message


def test_a_mixture_of_nothing_cannot_be_normalised(tmp_path: Path) -> None:
    text = with_features(MIXTURE.replace("kind", "normalise = true, kind"))
    said = error(tmp_path, text, RUNS.replace("0.75,0.25", "0,0"))
    assert said == "runs.csv: row 1, column 'r': 0.0 is the sum of a mixture that has no shares"


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (['r = { kind = "mixture", columns = ["web"] }'], "features.r: a mixture needs columns = the names of two"),
        (['r = { kind = "mixture", columns = ["web", "web"] }'], "features.r: a mixture needs columns = the names of"),
        (['r = { kind = "mixture", column = "web" }'], "features.r: a mixture needs columns = the names of two"),
        (['r = { kind = "mixture", columns = ["web", "py-code"] }'], "r.columns: 'py-code' cannot name a component"),
        ([MIXTURE, 'r_web = { column = "N" }'], "features.r: its component 'r_web' has another's symbol"),
        ([MIXTURE, SIZE.replace("N =", "r_code =")], "features.r: its component 'r_code' has another's symbol"),
        (['r = { columns = ["web", "code"] }'], "features.r: a feature needs either a column or a formula"),
        (['r = { by = "corpus", column = "web" }'], "features.r: by = a column of words needs columns"),
        (['r = { by = "corpus", kind = "mixture", columns = ["web", "code"] }'], "features.r: by = a column of words"),
        (['m = { kind = "category", columns = ["router", "corpus"] }'], "features.m: a category needs a column"),
        (['group = { column = "N" }'], "'group' is not a legal symbol"),
        (["N = { column = 'N', unit = 'token' }"], "features.N.unit: unknown unit 'token': did you mean 'tokens'?"),
        (["N = { column = 'N', unit = 'qqq' }"], "features.N.unit: unknown unit 'qqq': legal are: 1, FLOP, "),
    ],
)
def test_features_that_the_card_cannot_mean_are_errors_of_the_card(
    tmp_path: Path, features: list[str], message: str
) -> None:
    said = error(tmp_path, with_features(*features), RUNS)
    assert said.startswith("mine.toml: ")
    assert message in said


def test_components_of_two_vectors_do_not_share_a_column(tmp_path: Path) -> None:
    mixtures = ['r = { kind = "mixture", columns = { a_web = "web", a_code = "code" } }']
    mixtures += ['r_a = { kind = "mixture", columns = { web = "code", other = "web" } }']
    said = error(tmp_path, with_features(*mixtures), RUNS)
    assert said == "mine.toml: features.r_a: its component 'r_a_web' has another's symbol"


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_normalised_mixture_sums_to_one_and_keeps_its_proportions(rows: list[list[float]]) -> None:
    table = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(loss=1.0)
    r = {"kind": "mixture", "columns": ["a", "b", "c"], "normalise": True}
    shares = tidied(table, features={"r": r}).table[["r_a", "r_b", "r_c"]].to_numpy()
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-15)
    assert shares[:, 0] * table["b"].to_numpy() == pytest.approx(shares[:, 1] * table["a"].to_numpy(), rel=1e-14)


# ---- categories

CATEGORY = 'm = { kind = "category", column = "router" }'


def test_a_category_is_a_column_of_zeros_and_ones_a_word_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    dataset = load(tmp_path, with_features(SIZE, CATEGORY), RUNS)
    assert dataset.components == {"m": ("Dense", "Hash", "S_Base")}  # a word becomes a name
    assert dataset.columns()["m_S_Base"].tolist() == [0, 1, 0, 0]
    assert dataset.columns()["m_Dense"].tolist() == [0, 0, 0, 1]
    assert dataset.held_out_rows("m == 'S-Base'").tolist() == [False, True, False, False]  # rules see the word


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",Hash,", ",,", "row 1, column 'router': the value is missing (and 1 more rows)"),
        ("Dense", "S Base", "column 'router': the word 'S-Base' cannot name a column of its own"),
        ("S-Base", "Größe", "column 'router': the word 'Größe' cannot name a column of its own"),
    ],
)
def test_a_word_that_is_no_name_of_its_own_is_an_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert error(tmp_path, with_features(CATEGORY), RUNS.replace(old, new)).startswith(f"runs.csv: {message}")


def test_a_category_of_one_word_is_an_error(tmp_path: Path) -> None:
    text = with_features(SIZE, CATEGORY, more="[rows]\nkeep = \"router == 'Hash'\"")
    said = error(tmp_path, text, RUNS)
    assert said == "runs.csv: column 'router': a category needs two or more words, it has 1"


@given(st.lists(st.sampled_from(["a", "b", "c", "d-e", "7"]), min_size=2, max_size=20).filter(lambda w: len({*w}) > 1))
@settings(max_examples=30, deadline=None)
def test_the_columns_of_a_category_sum_to_one(words: list[str]) -> None:
    made = tidied(pd.DataFrame({"w": words, "loss": 1.0}), features={"m": {"kind": "category", "column": "w"}})
    columns = made.table[[f"m_{part}" for part in made.components["m"]]].to_numpy()
    assert (columns.sum(axis=1) == 1).all()
    assert len(made.components["m"]) == len({*words})
    assert ((columns == 0) | (columns == 1)).all()


# ---- shares, and a column that a word names


@pytest.mark.parametrize(("cell", "shown"), [("1.01", "1.01"), ("-0.01", "-0.01"), ("75", "75.0")])
def test_a_share_lies_between_zero_and_one(tmp_path: Path, cell: str, shown: str) -> None:
    text = with_features('s = { column = "web", kind = "share" }')
    assert load(tmp_path, text, RUNS).columns()["s"].tolist() == [0.75, 0.5, 0.0, 1.0]
    said = error(tmp_path, text, RUNS.replace("0.75", cell))
    assert said == f"runs.csv: row 1, column 'web': {shown} is no share: it must lie between 0 and 1"


def test_a_word_names_the_column_of_each_row(tmp_path: Path) -> None:
    own = 'r_own = { by = "corpus", columns = { web = "web", code = "code" }, kind = "share" }'
    assert load(tmp_path, with_features(own), RUNS).columns()["r_own"].tolist() == [0.75, 0.5, 1.0, 1.0]
    said = error(tmp_path, with_features(own.replace('code = "code"', 'law = "code"')), RUNS)
    assert said == "runs.csv: row 2, column 'corpus': 'code' has no column in features.r_own.columns (and 1 more rows)"
    assert error(tmp_path, with_features(own.replace('"corpus"', '"corpora"')), RUNS).startswith(
        "runs.csv: there is no column 'corpora'"
    )


def test_only_the_cells_that_are_named_need_be_right(tmp_path: Path) -> None:
    own = 'r_own = { by = "corpus", columns = { web = "web", code = "code" }, kind = "share" }'
    assert load(tmp_path, with_features(own), RUNS.replace("0.75,0.25", "0.75,")).columns()["r_own"][0] == 0.75
    wrong = error(tmp_path, with_features(own), RUNS.replace("0.5,0.5", "0.5,x"))
    assert wrong == "runs.csv: row 2, column 'code': 'x' is not a number"


# ---- groups

GROUPED = """\
task,model,N,loss
a,7,1e6,4.0
b,7,1e6,3.0
a,7,2e6,3.5
b,7,2e6,2.5
"""


def test_rows_that_agree_in_the_columns_are_a_group(tmp_path: Path) -> None:
    one = load(tmp_path, card('[group]\ncolumns = ["task"]'), GROUPED)
    assert one.grouped
    assert one.groups().tolist() == ["a", "b", "a", "b"]
    two = load(tmp_path, card('[group]\ncolumns = ["model", "task"]'), GROUPED)
    assert two.groups().tolist() == ["7 / a", "7 / b", "7 / a", "7 / b"]
    halves = GROUPED.replace(",7,", ",0.5,")
    assert set(load(tmp_path, card('[group]\ncolumns = ["model"]'), halves).groups()) == {"0.5"}


def test_rows_of_every_group_are_put_into_each(tmp_path: Path) -> None:
    text = card("[group]\ncolumns = ['router']\neverywhere = \"router == 'Dense'\"")
    runs = "router,N,loss\nHash,1,4\nDense,2,3\nS-Base,3,2\nHash,4,1\nDense,5,0.5\n"
    dataset = load(tmp_path, text, runs)
    groups = {name: part["N"].tolist() for name, part in dataset.table.groupby("group")}
    assert groups == {"Hash": [1, 2, 4, 5], "S-Base": [2, 3, 5]}
    assert sorted(dataset.table.index) == [1, 2, 2, 3, 4, 5, 5]  # a row keeps its number in each


def test_held_out_rows_of_every_group_are_held_out_in_each(tmp_path: Path) -> None:
    files = '[[files]]\npath = "runs.csv"\n[[files]]\npath = "larger.csv"\nheld_out = true'
    text = card(
        "[group]\ncolumns = ['router']\neverywhere = \"router == 'Dense'\"",
        head='hold_out = { files = "held_out" }',
        files=files,
    )
    runs = "router,N,loss\nHash,1,4\nDense,2,3\nS-Base,3,2\n"
    dataset = load(tmp_path, text, runs, {"larger.csv": "router,N,loss\nDense,9,1\nHash,8,1\n"}, held_out=True)
    held = dataset.table[dataset.held_out_rows()]
    assert sorted(zip(held["group"], held["N"], strict=True)) == [("Hash", 8), ("Hash", 9), ("S-Base", 9)]


@pytest.mark.parametrize(
    ("group", "runs", "message"),
    [
        ('columns = ["task"]', GROUPED + "c,7,1e6,3\n", "mine.toml: group: the group 'c' has 1 row, and constants of its own need more: drop it by rows.drop, or choose other columns than task"),  # noqa: E501
        ('columns = ["task"]', GROUPED.replace("b,7,1e6", ",7,1e6"), "runs.csv: row 2, column 'task': the value is missing, and is the row's group"),  # noqa: E501
        ('columns = ["tasks"]', GROUPED, "runs.csv: group: there is no column 'tasks': did you mean 'task'?"),
        ("columns = []", GROUPED, "mine.toml: group.columns: "),
        ('columns = ["task"]\neverywhere = "tas == 1"', GROUPED, "runs.csv: group.everywhere: 'tas == 1': unknown column 'tas'"),  # noqa: E501
        ('columns = ["task"]\neverywhere = "model == 7"', GROUPED, "runs.csv: group.everywhere: 'model == 7' holds for every row: no group is left"),  # noqa: E501
    ],
)  # fmt: skip
def test_groups_that_cannot_be_are_errors(tmp_path: Path, group: str, runs: str, message: str) -> None:
    assert error(tmp_path, card(f"[group]\n{group}"), runs).startswith(message)


def test_a_group_needs_two_rows_to_train_on_whatever_is_held_out(tmp_path: Path) -> None:
    files = '[[files]]\npath = "runs.csv"\n[[files]]\npath = "larger.csv"\nheld_out = true'
    text = card('[group]\ncolumns = ["task"]', head='hold_out = { files = "held_out" }', files=files)
    larger = {"larger.csv": GROUPED + "c,7,1e9,2\n"}
    said = error(tmp_path, text, GROUPED + "c,7,1e6,3\n", larger, held_out=True)
    assert said.startswith("mine.toml: group: the group 'c' has 1 row,")


# ---- labels


def test_a_label_is_kept_beside_the_features_for_row_rules(tmp_path: Path) -> None:
    text = card(head="labels = ['router', 'corpus']\nhold_out = \"router == 'Dense'\"")
    dataset = load(tmp_path, text, RUNS)
    assert dataset.held_out_rows().tolist() == [False, False, False, True]
    assert dataset.held_out_rows("corpus == 'web' and N > 1e6").tolist() == [False, False, False, True]
    assert "router" not in dataset.columns(), "a label is no feature"
    said = error(tmp_path, card(head="labels = ['routers']"), RUNS)
    assert said == "runs.csv: labels: there is no column 'routers': did you mean 'router'?"


# ---- the target


def test_the_target_may_be_a_formula(tmp_path: Path) -> None:
    text = with_features(SIZE, target='formula = "loss*N/1e6"\nsymbol = "Y"\nunit = "1"')
    dataset = load(tmp_path, text, RUNS)
    assert dataset.losses().tolist() == [4.0, 7.0, 3.1 * 4, 2.8 * 8]
    assert list(dataset.table.columns) == ["N", "Y"]
    said = error(tmp_path, with_features(SIZE, target='formula = "los*2"'), RUNS)
    assert said.startswith("mine.toml: target.formula: unknown name 'los': did you mean 'loss'?")


def test_a_target_below_zero_needs_the_cards_word(tmp_path: Path) -> None:
    target = 'formula = "loss - 4"'
    said = error(tmp_path, with_features(SIZE, target=target), RUNS)
    assert said == (
        "runs.csv: row 1, column 'L': 0.0 is not positive (else say target.positive = false) (and 3 more rows)"
    )
    below = load(tmp_path, with_features(SIZE, target=target + "\npositive = false"), RUNS)
    assert below.losses() == pytest.approx([0, -0.5, -0.9, -1.2])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ('column = "loss"\nformula = "loss"', "target: the target needs either a column or a formula of columns"),
        ('symbol = "L"', "target: the target needs either a column or a formula of columns"),
        ('column = "loss"\nsymbol = "log"', "target.symbol: a symbol is letters a to z, digits"),
        ('column = "loss"\nsymbol = "N"', "the symbol 'N' is both a feature and the target"),
        ('column = "loss"\nunit = "nats per token"', "target.unit: unknown unit 'nats per token': did you mean 'nats/token'?"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_target_that_is_none_is_an_error_of_the_card(tmp_path: Path, target: str, message: str) -> None:
    said = error(tmp_path, with_features(SIZE, target=target), RUNS)
    assert said.startswith("mine.toml: ")
    assert message in said


def test_a_component_does_not_take_the_targets_symbol() -> None:
    table = pd.DataFrame({"web": [1.0], "code": [0.0], "loss": [2.0]})
    r = {"kind": "mixture", "columns": ["web", "code"]}
    with pytest.raises(CardError, match=r"features\.r: its component 'r_web' has another's symbol"):
        tidied(table, features={"r": r}, target={"column": "loss", "symbol": "r_web"})


def test_a_word_of_held_out_rows_alone_is_an_error_and_no_column(tmp_path: Path) -> None:
    files = '[[files]]\npath = "runs.csv"\n[[files]]\npath = "more.csv"\nheld_out = true'
    text = card(head='hold_out = { files = "held_out" }', files=files, features=f'N = {{ column = "N" }}\n{CATEGORY}')
    runs = "N,router,loss\n1e8,Hash,3.0\n2e8,Dense,2.9\n"
    more = {"more.csv": "N,router,loss\n1e9,Switch,2.5\n"}
    assert load(tmp_path, text, runs, more).components == {"m": ("Dense", "Hash")}
    said = error(tmp_path, text, runs, more, held_out=True)
    assert said == "more.csv: row 1, column 'router': 'Switch' is a word of 'm' that no training row has"
