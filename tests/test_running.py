"""The whole pipeline with the engine `grammar`, which runs everywhere and has the same answer every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_experiment import without_figures, write

from discover.engines import Candidate
from discover.errors import InputError
from discover.export import table
from discover.exporting import export
from discover.result import Result
from discover.running import run
from discover.terminal import show_result

SIZES = np.geomspace(2e7, 4e9, 14)
LARGE = SIZES[8]  # from which the first inner hold-out holds out: of the ten sizes below 1e9 it takes an eighth or more
CARD = """
dataset = "mine.toml"
engines = ["grammar"]
budget = "300evals"
max_constants = 3
baselines = ["constant", "powerlaw_one_feature"]
"""
OF_SIZE = """
title = "Made up"
hold_out = "N >= 1e9"
files = [{ path = "runs.csv" }]
[features]
N = { column = "params", kind = "size" }
[target]
column = "loss"
"""
OF_MIXTURE = """
title = "Made up"
hold_out = "run >= 20"
labels = ["run"]
files = [{ path = "runs.csv" }]
[features]
r = { kind = "mixture", columns = ["code", "web"] }
[target]
column = "loss"
"""


def a_table(floor: float = 1.8, scale: float = 480.0, power: float = 0.35, seed: int = 0) -> pd.DataFrame:
    """14 runs of one size each: a power law with a floor and 0.2 % noise."""
    noise = np.exp(0.002 * np.random.default_rng(seed).normal(size=len(SIZES)))
    return pd.DataFrame({"params": SIZES, "loss": (floor + scale / SIZES**power) * noise})


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Result, Result]]:
    """The same run in two folders."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    with pytest.MonkeyPatch.context() as patch:
        without_figures(patch)
        one, other = (run(write(folder, a_table(), CARD, OF_SIZE), out=folder / "runs", jobs=1) for folder in folders)
        yield one, other


def test_the_law_that_made_the_rows_is_found_and_chosen(twice) -> None:
    chosen = twice[0].selected
    assert chosen.law.formula == "E0 + A/N**alpha"
    for name, value in {"E0": 1.8, "alpha": 0.35}.items():
        assert abs(chosen.fit.values[name] - value) < 4 * chosen.fit.errors[name]
    assert chosen.engine == "grammar"
    assert {one.engine for one in twice[0].folder.candidates()} == {"grammar"}


def test_two_runs_are_the_same_to_the_last_bit(twice) -> None:
    one, other = (result.folder.path for result in twice)
    for name in ("candidates.jsonl", "leaderboard.csv", "predictions.csv", "comparison.csv", "equations.tex"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert twice[0].choice == twice[1].choice


def test_the_manifest_says_how_the_law_was_chosen(twice) -> None:
    result, choice = twice[0], twice[0].choice
    assert choice["selected"] == result.selected.law.name
    assert choice["objective"] == str(result.selected.fit.objective)
    assert len(choice["objectives"]) == 4  # the default, two larger deltas, and the squared loss
    assert all(0 < error < 0.05 for error in choice["objectives"].values())
    assert choice["inner_hold_outs"][0] == f"N >= {LARGE:.3g}"
    assert sum(choice["chosen_again"].values()) == pytest.approx(1)
    assert (choice["proposed_by"], choice["searches"]) == (["grammar-0"], 1)


def test_all_laws_of_a_run_are_fitted_with_the_loss_that_was_chosen(twice) -> None:
    assert {str(judged.fit.objective) for judged in twice[0].judged} == {twice[0].choice["objective"]}


def test_a_card_that_names_the_loss_leaves_nothing_to_choose(tmp_path: Path, told, monkeypatch) -> None:
    without_figures(monkeypatch)
    told.FORMULAS[:] = ["1.7 + 400.0*N**-0.34", "20.0*N**-0.1"]
    card = CARD.replace("grammar", "told") + 'objective = "log_squared"\n'
    result = run(write(tmp_path, a_table(), card, OF_SIZE), out=tmp_path / "runs", jobs=1)
    assert result.choice["objectives"] == {}
    assert {each.fit.objective.name for each in result.judged} == {"log_squared"}


def test_groups_have_one_form_and_constants_of_their_own(tmp_path: Path, monkeypatch) -> None:
    without_figures(monkeypatch)
    made = {"code": (0.8, 90.0, 0.3), "web": (1.9, 400.0, 0.35)}
    rows = [a_table(*truth, seed=k).assign(domain=name) for k, (name, truth) in enumerate(made.items())]
    card = OF_SIZE + '[group]\ncolumns = ["domain"]\n'
    path = write(tmp_path, pd.concat(rows), CARD, card)
    result = run(path, out=tmp_path / "runs", jobs=1)
    assert result.selected.law.formula == "E0 + A/N**alpha"
    assert list(result.folder.manifest["searches"]) == ["grammar-0"]  # all groups in one search
    for name, (floor, _, power) in made.items():
        part = result.selected.fit.parts[name]
        assert part.values["E0"] == pytest.approx(floor, abs=4 * part.errors["E0"])
        assert part.values["alpha"] == pytest.approx(power, abs=4 * part.errors["alpha"])


def test_a_law_of_a_mixture_is_found_and_judged_on_unseen_mixtures(tmp_path: Path, monkeypatch) -> None:
    without_figures(monkeypatch)
    code = np.random.default_rng(1).permutation(np.linspace(0.05, 0.95, 26))
    noise = np.exp(0.001 * np.random.default_rng(2).normal(size=26))
    rows = pd.DataFrame({"run": range(26), "code": code, "web": 1 - code})
    rows["loss"] = (1.0 + np.exp(0.5 - 2.0 * code)) * noise
    path = write(tmp_path, rows, CARD.replace("powerlaw_one_feature", "ye_m4"), OF_MIXTURE)
    result = run(path, out=tmp_path / "runs", jobs=1)
    assert [name[:4] for name in result.choice["inner_hold_outs"]] == ["fold"] * 4
    board = result.leaderboard.set_index("law")
    assert set(result.selected.law.features) <= {"r_code", "r_web"}
    assert board.loc[result.selected.law.name, "heldout_rmse"] < 0.005  # the noise is 0.002
    assert board.loc["constant", "heldout_rmse"] > 0.1


# What is shown


def test_the_terminal_says_how_the_law_was_chosen(twice, capsys: pytest.CaptureFixture[str]) -> None:
    show_result(twice[0])
    said = capsys.readouterr().out
    choice = twice[0].choice
    assert f"All laws are fitted with the loss {choice['objective']}: inner error of the best few" in said
    assert all(name in said for name in choice["objectives"])
    share = choice["chosen_again"][choice["selected"]]
    assert f"{choice['selected']} is chosen again in {100 * share:.0f} %" in said
    assert "1 of 1 searches proposed it (grammar-0)" in said
    show_result(twice[0], as_json=True)
    assert json.loads(capsys.readouterr().out)["choice"]["objective"] == choice["objective"]


def test_errors_of_a_target_in_small_units_have_digits_and_their_unit(
    twice, capsys: pytest.CaptureFixture[str]
) -> None:
    board = twice[0].leaderboard.copy()
    board["heldout_rmse"] = 1.234e-9
    show_result(replace(twice[0], leaderboard=board))
    said = capsys.readouterr().out
    assert said.count("1.2e-09") == len(board)
    assert "errors are RMSE in nats/token" in said


def test_a_run_has_no_sets_of_published_constants(twice) -> None:
    with pytest.raises(InputError, match="is a run; --set 2 names published constants"):
        export(str(twice[0].folder.path), number=2)


def test_the_report_has_each_loss_and_the_inner_hold_outs(twice) -> None:
    html = (twice[0].folder.path / "report.html").read_text()
    choice = twice[0].choice
    for name, error in choice["objectives"].items():
        assert f"<td>{name}</td><td>{error:.3g}</td>" in html
    assert "is chosen again in" in html
    assert choice["inner_hold_outs"][0].replace(">", "&gt;") in html


def test_an_average_of_laws_is_shown_and_exported_as_no_law(
    tmp_path: Path, told, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_figures(monkeypatch)
    told.FORMULAS[:] = ["1.7 + 400.0*N**-0.34", "20.0*N**-0.1", "1.7 + 20.0*exp(-0.2*log(N))/log(N)"]
    card = CARD.replace("grammar", "told") + 'objective = "log_huber"\n'
    result = run(write(tmp_path, a_table(), card, OF_SIZE), out=tmp_path / "runs", jobs=1)
    assert result.average is not None
    count = len(result.average.members)
    show_result(result)
    assert f"no law: the median of {count} laws" in capsys.readouterr().out
    folder = result.folder.path
    assert "no law: the median of found_01, found_02, found_03" in (folder / "report.html").read_text()
    assert "The ensemble is the median of the best found laws, and no law." in table(result.leaderboard)
    with pytest.raises(InputError, match="has no law 'ensemble'"):
        export(str(folder), law="ensemble")


# An engine that is guided


def test_a_guided_engine_comes_last_and_begins_at_known_laws_and_at_what_was_found(
    tmp_path: Path, told, monkeypatch
) -> None:
    without_figures(monkeypatch)
    asked = []

    class Guided(told.Told):
        guided = True

        def search(self, problem):
            asked.append(problem)
            yield Candidate("1.7 + 400.0*N**-0.34", 7, 0.1, self.name, problem.seed)

    monkeypatch.setattr("absent_engine.ENGINE", Guided("absent"), raising=False)
    told.FORMULAS[:] = ["1.7 + 400.0*N**-0.34"]
    card = CARD.replace('["grammar"]', '["absent", "told"]') + "seeds = [0, 1]\n"
    result = run(write(tmp_path, a_table(), card, OF_SIZE), out=tmp_path / "runs", jobs=1)
    assert list(result.folder.manifest["searches"]) == ["told-0", "told-1", "absent-0", "absent-1"]
    assert [problem.guesses for _, _, problem in told.CALLS] == [(), ()]
    first, second = asked
    assert first.guesses == second.guesses
    assert len(first.guesses) == 2  # the power law of N, and what was found
    assert first.features["N"].max() < LARGE  # so were the guesses fitted, too
