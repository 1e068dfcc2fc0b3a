"""`discover compare`: a run's found laws against its baselines, laws on a dataset, and what cannot be compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calling import Said, calling
from small_experiment import TOLD, write
from told_engines import tell_engines

import discover
from discover.compared import Comparison
from discover.comparing import compare
from discover.dataset import load_dataset
from discover.errors import InputError
from discover.law import load_law
from discover.result import Result
from discover.running import run
from discover.runs import RunFolder
from discover.saved import read_differences
from discover.terminal import show_comparison

GONE = """
title = "A law of what the data have not"
kind = "found"
formula = "a + b/Z"
[features]
Z = "nobody knows"
[constants]
a = { range = [0, 5] }
b = { range = [0, 5] }
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command in this process."""
    return calling(monkeypatch, capsys)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    """A run on 44 rows of Chinchilla's law with noise, whose engine proposes that law and a few others."""
    folder = tmp_path_factory.mktemp("told")
    with pytest.MonkeyPatch.context() as monkeypatch:
        tell_engines(folder, monkeypatch)
        yield run(write(folder, card=TOLD), out=folder / "runs", jobs=1)


@pytest.fixture(scope="module")
def compared(told: Result) -> Comparison:
    """The chosen law of that run and one more, with the difference from Chinchilla's law that the run has told."""
    path = told.folder.path / "comparison.csv"
    line = {"law": "hoffmann", "difference": -0.0061, "low": -0.011, "high": 0.001, "wins": 0.93, "level": 0.95}
    pd.DataFrame([line]).to_csv(path, index=False)
    made = compare(told.folder.path, found=2, seconds=0.5)
    path.unlink()
    return made


def test_what_a_run_found_is_laid_beside_its_baselines(told: Result, compared: Comparison) -> None:
    table = compared.table[compared.table["selected"]].set_index("other")
    assert told.selected is not None
    assert set(table["law"]) == {told.selected.law.name}
    assert set(table.index) == {"hoffmann", "constant", "powerlaw_one_feature_N", "powerlaw_one_feature_D"}
    assert table.loc["hoffmann", ["by_formula", "by_predictions"]].tolist() == ["same", "same"]
    assert table.loc["constant", ["by_formula", "by_predictions"]].tolist() == ["generalisation", "generalisation"]
    assert table.loc["powerlaw_one_feature_N", "settings"] == ["B = 0", "E0 = 0"]
    board = told.leaderboard.set_index("law")["heldout_rmse"]
    for other in table.index:
        assert table.loc[other, "other_heldout_rmse"] == pytest.approx(board[other], rel=1e-12)
    assert "hoffmann" in compared._repr_html_()


def test_the_best_other_found_law_comes_after_the_chosen_one(told: Result, compared: Comparison) -> None:
    board = told.leaderboard
    others = board[(board["kind"] == "found") & ~board["selected"] & board["sane"]]["law"]
    assert told.selected is not None
    assert list(dict.fromkeys(compared.table["law"])) == [told.selected.law.name, others.iloc[0]]


def test_differences_that_a_run_has_told_are_those_of_the_chosen_law(
    compared: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    show_comparison(compared)
    assert capsys.readouterr().out.count("-0.0061 (-0.0110 to +0.0010)") == 1
    show_comparison(compared, as_json=True)
    pairs = json.loads(capsys.readouterr().out)["pairs"]
    wins = {pair["other"]: pair["wins"] for pair in pairs if pair["selected"]}
    assert (wins["hoffmann"], wins["constant"]) == (0.93, None)


def test_a_run_that_has_told_no_differences_has_none(tmp_path: Path) -> None:
    assert read_differences(RunFolder(tmp_path)) == {}


def test_a_comparison_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "comparison.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"comparison.csv: this is not the comparison of a run"):
        read_differences(RunFolder(tmp_path))


def test_laws_are_fitted_to_the_rows_that_a_dataset_does_not_hold_out() -> None:
    dataset = load_dataset("synthetic_chinchilla")
    compared = compare("gadre", "hoffmann", on=dataset)
    (pair,) = compared.pairs
    held = dataset.held_out_rows()
    fitted = discover.fit(load_law("hoffmann"), dataset.columns(~held), dataset.losses(~held))
    assert pair.other.values[""] == fitted.values
    wrong = fitted.predict(dataset.columns(held)) - dataset.losses(held)
    assert pair.other.heldout_rmse == pytest.approx(np.sqrt(np.mean(wrong**2)), rel=1e-12)
    assert (pair.symbolic.relation, pair.symbolic.settings) == ("special case", ("alpha = beta",))
    assert pair.numeric is not None
    assert pair.numeric.relation == "special case"
    assert pair.numeric.met.residual < 1e-12
    assert compared.on == "synthetic_chinchilla (generated)"


def test_without_a_dataset_formulas_alone_are_compared_and_a_run_stands_for_what_it_chose(
    told: Result, call: Callable[..., Said]
) -> None:
    said = call("compare", str(told.folder.path), "skaling", "gadre")
    assert said.returncode == 0
    assert told.selected is not None
    lines = [line.split() for line in said.stdout.splitlines()]
    assert [told.selected.law.name, *["skaling", "special", "case", "k", "=", "1"], *["-"] * 5] in lines
    assert ["skaling", *["gadre", "generalisation", "k", "=", "1,", "alpha", "=", "beta"], *["-"] * 5] in lines


WRONG = [
    (["hofmann", "gadre"], "did you mean 'hoffmann'?"),
    (["hoffmann"], "name a run, or two or more laws"),
    (["hoffmann", "hoffmann"], "two of the laws are called 'hoffmann'"),
    (["hoffmann", "clark_bilinear", "--on", "synthetic_chinchilla"], "law 'clark_bilinear' does not fit"),
    (["hoffmann", "gone.toml", "--on", "synthetic_chinchilla"], "the law needs Z, and the features are N, D"),
    (["hoffmann", "gadre", "--on", "nodata"], "unknown dataset 'nodata'"),
    (["nothing"], "there is no run at nothing"),
    (["empty"], "has no leaderboard (it is searching)"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(case[0]) for case in WRONG])
def test_wrong_input_is_one_sentence_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, call: Callable[..., Said]
) -> None:
    (tmp_path / "gone.toml").write_text(GONE)
    (tmp_path / "empty" / "1").mkdir(parents=True)
    (tmp_path / "empty" / "1" / "manifest.json").write_text('{"state": "searching"}')
    said = call("compare", *arguments, cwd=tmp_path)
    assert said.returncode == 2
    assert message in said.stderr
    assert "Traceback" not in said.stderr
    assert said.stdout == ""


def test_a_run_without_found_laws_has_nothing_to_compare(told: Result, tmp_path: Path) -> None:
    board = pd.read_csv(told.folder.path / "leaderboard.csv", keep_default_na=False)
    (tmp_path / "manifest.json").write_text("{}")
    board[board["kind"] != "found"].to_csv(tmp_path / "leaderboard.csv", index=False)
    with pytest.raises(InputError, match="found no law to compare: discover compare LAW LAW"):
        compare(tmp_path)


def test_a_run_is_compared_on_its_own_dataset(told: Result) -> None:
    with pytest.raises(InputError, match="leave out --on"):
        compare(told.folder.path, on="synthetic_chinchilla")
