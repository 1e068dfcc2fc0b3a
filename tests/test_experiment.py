"""Experiments: the whole pipeline on small tables, what it leaves behind, and its engines."""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_experiment import CARD, COLUMNS, FOUND, TABLE_CARD, TOLD, a_table, write

from discover.errors import EngineError, InputError, Interrupted
from discover.experiment import load_experiment
from discover.export import law_card
from discover.law import Law, load_law
from discover.result import Result
from discover.running import resume, run
from discover.runs import RunFolder, open_run


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Result:
    """A run on the small table."""
    folder = tmp_path_factory.mktemp("plain")
    return run(write(folder), out=folder / "runs", jobs=1)


TRUE_FORM = "E0 + A/N**alpha + B/D**beta"  # of the law that made the rows

# The promise of the project


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory) -> Result:
    """The same run, but every held-out loss is a thousand times what it was, and one held-out model another."""
    folder = tmp_path_factory.mktemp("poisoned")
    table = a_table()
    held = table.params >= 1e9
    assert held.sum() == 12
    table.loc[held, "loss"] *= 1000
    table.loc[table.index[held][-1], ["params", "tokens"]] = [7e12, 3.3e6]  # still held out by the rule
    return run(write(folder, table), out=folder / "runs", jobs=1)


def without_run(folder: Path) -> dict[str, str]:
    """Text of every law card, without the line that names the run."""
    return {
        path.name: "\n".join(line for line in path.read_text().splitlines() if not line.startswith("run = "))
        for path in sorted((folder / "laws").iterdir())
    }


def test_poisoned_held_out_rows_change_no_candidate_no_fit_and_no_choice(plain, poisoned):
    ours, theirs = plain.folder.path, poisoned.folder.path
    assert (ours / "candidates.jsonl").read_bytes() == (theirs / "candidates.jsonl").read_bytes()
    assert plain.selected.law == poisoned.selected.law
    assert plain.selected.fit.values == poisoned.selected.fit.values
    assert without_run(ours) == without_run(theirs)  # formulas, constants, errors, objectives of all laws
    for one, other in zip(plain.judged, poisoned.judged, strict=True):
        assert one.law == other.law
        assert np.array_equal(one.inner_errors, other.inner_errors)
        assert np.array_equal(one.fit.covariance, other.fit.covariance, equal_nan=True)
        assert one.checks == other.checks
    # The note also says which known law makes the same predictions, on the held-out rows too.
    seen = [name for name in COLUMNS if not name.startswith("heldout") and name != "note"]
    boards = [result.leaderboard.set_index("law").sort_index() for result in (plain, poisoned)]
    pd.testing.assert_frame_equal(boards[0][seen[1:]], boards[1][seen[1:]], check_exact=True)
    assert (boards[1]["heldout_rmse"] > 1000 * boards[0]["heldout_rmse"]).all()  # the poison was there
    training = [
        pd.read_csv(folder / "predictions.csv").query("split == 'training'").reset_index(drop=True)
        for folder in (ours, theirs)
    ]
    pd.testing.assert_frame_equal(*training, check_exact=True)


def test_poisoned_held_out_rows_do_not_change_the_objective_of_a_target_that_may_be_negative(tmp_path, told):
    # Its delta is of the order of the losses' spread: of the training rows' alone.
    card = TOLD.replace('"hoffmann", ', "")
    table_card = TABLE_CARD.replace('column = "loss"', 'column = "loss"\npositive = false')
    table = a_table().assign(loss=lambda each: each.loss - 2.5)
    poisoned = table.assign(loss=np.where(table.params >= 1e9, 1000 * table.loss, table.loss))
    one, other = (
        run(write(tmp_path / str(number), rows, card, table_card), out=tmp_path / "runs", jobs=1)
        for number, rows in enumerate((table, poisoned))
    )
    assert [(each.law.name, each.fit.objective, each.fit.values) for each in one.judged] == [
        (each.law.name, each.fit.objective, each.fit.values) for each in other.judged
    ]
    assert one.selected.fit.objective.name == "huber"


# What a run leaves behind


def against(result: Result, law: str) -> str:
    """What the verdict says of the difference from a law, from the file of the run."""
    line = pd.read_csv(result.folder.path / "comparison.csv", keep_default_na=False).set_index("law").loc[law]
    interval = f"95 % interval {float(line['low']):+.2g} to {float(line['high']):+.2g}"
    wins = f"it wins in {100 * float(line['wins']):.0f} % of the resamples"
    return f"difference {float(line['difference']):+.2g}, {interval}; {wins}"


def test_the_form_that_made_the_rows_is_found_and_chosen(plain):
    assert plain.selected.law.formula == TRUE_FORM
    for name, value in {"E0": 1.8, "alpha": 0.35, "beta": 0.37}.items():
        fit = plain.selected.fit
        assert abs(fit.values[name] - value) < 3 * fit.errors[name]
    published = plain.best("published")
    errors = plain.leaderboard.set_index("law")["heldout_rmse"]
    assert errors[plain.selected.law.name] == pytest.approx(errors[published.law.name], rel=1e-3)  # it is the same law
    null = plain.best("null").law.name
    ratio = errors[plain.selected.law.name] / errors[null]
    assert plain.verdict() == (
        "Its held-out error is 1.00 times that of the best published law (hoffmann) and "
        f"{ratio:.2f} times that of the best null law ({null}; {against(plain, null)}). "
        "It makes the predictions of hoffmann: a known law, found again. "
        "3 sizes are held out: the ends of the intervals are rough."
    )


def the_laws(result: Result) -> list[str]:
    """Names on the leaderboard; an average of laws is none."""
    return result.leaderboard.query("kind != 'ensemble'")["law"].tolist()


def test_the_run_folder_holds_every_file_and_nothing_temporary(plain):
    folder = plain.folder.path
    assert folder.parent.name == "first"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    laws = {f"laws/{name}.toml" for name in the_laws(plain)}
    assert names - laws == {
        "experiment.toml",
        "manifest.json",
        "candidates.jsonl",
        "leaderboard.csv",
        "comparison.csv",
        "predictions.csv",
        "report.html",
        "equations.tex",
        "log.txt",
        *(f"figures/{figure}.{ending}" for figure in ("loss_against_size", "parity") for ending in ("png", "pdf")),
    }
    assert laws <= names


def test_the_leaderboard_has_its_columns_the_best_first_and_one_law_selected(plain):
    # Without `keep_default_na=False`, pandas reads the word null as a missing value.
    board = pd.read_csv(plain.folder.path / "leaderboard.csv", keep_default_na=False)
    assert list(board.columns) == COLUMNS
    assert board["heldout_rmse"].is_monotonic_increasing
    assert board["selected"].sum() == 1
    selected = board[board["selected"]].iloc[0]
    assert (selected["kind"], selected["engine"], bool(selected["sane"])) == ("found", "grammar", True)
    assert set(board["kind"]) == {"found", "published", "null", "ensemble"}
    (average,) = board[board["kind"] == "ensemble"].to_dict("records")
    assert (average["formula"], average["note"].split(" found_")[0]) == ("", "no law: the median of")
    assert {"hoffmann", "constant", "powerlaw_one_feature_N", "powerlaw_one_feature_D"} <= set(board["law"])
    assert json.loads(selected["constants"]) == plain.selected.fit.values
    insane = board[~board["sane"].astype(bool)]
    assert insane["note"].str.contains("negative|rises|falls faster|not ", regex=True).all()  # each says why


def test_law_cards_load_again_and_predict_what_the_table_of_predictions_says(plain):
    predictions = pd.read_csv(plain.folder.path / "predictions.csv")
    assert (predictions["split"] == np.where(predictions["N"] >= 1e9, "held_out", "training")).all()
    assert predictions["row"].tolist() == list(range(1, 45))
    rows = {name: predictions[name].to_numpy() for name in ("N", "D")}
    for name in the_laws(plain):
        law = load_law(plain.folder.path / "laws" / f"{name}.toml")
        (kept,) = law.fits
        assert (kept.dataset, kept.rows) == ("mine", 32)
        predicted = np.broadcast_to(law.predict(rows, kept.values), 44)  # of the constant law, one number
        assert predicted == pytest.approx(predictions[name].to_numpy(), rel=1e-9), name


def test_the_held_out_error_is_that_of_the_predictions(plain):
    predictions = pd.read_csv(plain.folder.path / "predictions.csv")
    board = plain.leaderboard.set_index("law")
    for split, column in (("training", "train_rmse"), ("held_out", "heldout_rmse")):
        part = predictions[predictions["split"] == split]
        for name in board.index:
            assert np.sqrt(np.mean((part[name] - part["L"]) ** 2)) == pytest.approx(board[column][name], rel=1e-9)


def test_the_manifest_says_what_is_needed_to_repeat_the_run(plain):
    manifest = plain.folder.manifest
    table = plain.folder.path.parents[2] / "runs.csv"
    assert manifest["state"] == "done"
    assert manifest["dataset"]["sha256"] == {str(table): hashlib.sha256(table.read_bytes()).hexdigest()}
    assert (manifest["dataset"]["rows"], manifest["dataset"]["held_out_rows"]) == (44, 12)
    assert manifest["dataset"]["generated"] == ""
    assert manifest["seeds"] == [0]
    assert {"discover", "python", "numpy", "scipy", "sympy"} <= set(manifest["versions"])
    search = manifest["searches"]["grammar-0"]
    assert search["candidates"] == len(plain.folder.candidates()) > 0
    assert "numpy" in search["versions"]
    assert manifest["start"] <= manifest["end"]


def test_the_resolved_card_repeats_the_run(plain, tmp_path):
    again = load_experiment(plain.folder.path / "experiment.toml")
    assert again.card.hold_out == "N >= 1e9"  # the dataset's default, written down
    assert Path(again.card.dataset).is_absolute()
    repeated = run(again, out=tmp_path, jobs=1)
    assert (repeated.folder.path / "candidates.jsonl").read_bytes() == (
        plain.folder.path / "candidates.jsonl"
    ).read_bytes()
    assert repeated.selected.fit.values == plain.selected.fit.values


def test_the_report_shows_the_choice_and_the_rows(plain):
    html = (plain.folder.path / "report.html").read_text()
    assert "32 training rows, 12 held out" in html
    assert TRUE_FORM in html
    assert plain.verdict() in html
    assert "not measured" not in html
    floor = dict(plain.selected.fit.values)["E0"]
    assert re.search(rf"<td>limit in all sizes</td><td>pass</td>\n<td>tends to (E0 = )?{floor:.4g}</td>", html)
    tex = (plain.folder.path / "equations.tex").read_text()
    assert r"\frac{A}{N^{\alpha}}" in tex or "N^{" in tex
    assert "generated" not in tex


def test_generated_rows_are_called_generated_wherever_they_are_shown(tmp_path, told):
    table_card = """
        title = "Made up"
        hold_out = "N >= 1e9"
        [generate]
        law = "hoffmann"
        published = 2
        noise = 0.005
        seed = 0
        [generate.grid]
        N = [2e7, 5e7, 1e8, 2e8, 5e8, 1e9]
        D = [1e9, 1e10, 1e11]
        [features]
        N = { column = "N", kind = "size" }
        D = { column = "D", kind = "tokens" }
        [target]
        column = "loss"
    """
    path = write(tmp_path, card=TOLD, table_card=textwrap.dedent(table_card))
    folder = run(path, out=tmp_path / "runs", jobs=1).folder.path
    made = "generated from Besiroglu et al. 2024"
    assert json.loads((folder / "manifest.json").read_text())["dataset"]["generated"].startswith(made)
    html = (folder / "report.html").read_text()
    assert "mine (generated)" in html
    assert f"These rows were not measured: they were {made}" in html
    assert "mine (generated)" in (folder / "equations.tex").read_text()
    assert tomllib.loads((folder / "laws" / "hoffmann.toml").read_text())["fits"][-1]["dataset"] == "mine (generated)"
    assert "mine (generated)" in (folder / "log.txt").read_text()


def test_rows_without_noise_can_be_met_exactly(tmp_path, told):
    told.FORMULAS[:] = ["1.0 + 40.0*N**-0.1", "3.0*N**-0.1*D**-0.1"]
    table = a_table().assign(loss=lambda each: 1.0 + 4.0 * (each.params / 1e9) ** -0.125)
    card = TOLD.replace('"hoffmann", ', "")
    result = run(write(tmp_path, table, card), out=tmp_path / "runs", jobs=1)
    assert result.leaderboard["heldout_rmse"].min() < 1e-9
    # Whichever of the two is exact, and whichever is off by a rounding error: there is a verdict.
    board = result.leaderboard
    for mine, other, said in ((0.0, 0.0, "1.00"), (0.1, 0.0, "inf"), (np.inf, np.inf, "1.00"), (0.0, 0.1, "0.00")):
        errors = np.where(board["kind"] == "found", mine, other)
        verdict = replace(result, leaderboard=board.assign(heldout_rmse=errors)).verdict()
        assert verdict.startswith(f"Its held-out error is {said} times that of the best null law")


# Engines


def test_an_engine_sees_the_smaller_training_rows_only(tmp_path, told):
    told.INTERRUPTED.add(0)  # what comes after the search is not looked at
    experiment = load_experiment(write(tmp_path, card=TOLD)).but(operators=["+", "*", "**"], max_complexity=17)
    with pytest.raises(Interrupted):
        run(experiment, out=tmp_path / "runs", jobs=1)
    ((_, seed, problem),) = told.CALLS
    assert seed == 0
    assert problem.features["N"].max() == 5e8  # 8e8 is the first inner hold-out, 1e9 and more are held out
    assert len(problem.target) == 28
    assert problem.splits == ()
    assert problem.operators == ("+", "*", "**")
    assert problem.max_complexity == 17
    assert problem.budget.evaluations == 120


def test_an_interrupted_run_keeps_what_it_has_and_goes_on_without_repeating_it(tmp_path, told):
    told.INTERRUPTED.add(1)
    path = write(tmp_path, card=TOLD + "seeds = [0, 1, 2]\n")
    with pytest.raises(Interrupted, match="what was found is kept: discover resume"):
        run(path, out=tmp_path / "runs", jobs=1)
    folder = open_run("first", tmp_path / "runs")
    assert folder.manifest["state"] == "interrupted"
    assert [candidate.seed for candidate in folder.candidates()] == [0] * 4 + [1] * 2
    assert not (folder.path / "leaderboard.csv").exists()
    kept = folder.path / "candidates.jsonl"
    kept.write_bytes(kept.read_bytes()[:-20])  # as if it had been killed while it wrote the last line
    told.INTERRUPTED.clear()
    lines: list[str] = []
    result = resume(folder, jobs=1, report=lines.append)
    assert [seed for _, seed, _ in told.CALLS] == [0, 1, 1, 2]  # the first search is not done again
    assert "told-0: already searched, 4 candidates" in lines
    assert [candidate.seed for candidate in folder.candidates()] == [0] * 4 + [1] * 5 + [2] * 4
    assert result.folder.path == folder.path
    assert folder.manifest["state"] == "done"
    assert result.selected.law.formula == TRUE_FORM
    whole = run(path, out=tmp_path / "other", jobs=1)
    assert whole.selected.fit.values == result.selected.fit.values
    assert list(whole.leaderboard["law"]) == list(result.leaderboard["law"])


def test_a_run_is_not_resumed_on_other_training_rows_than_it_searched(tmp_path, told):
    """What was found when 8e8 was a training size has seen it: it may not be held out afterwards."""
    told.INTERRUPTED.add(1)
    with pytest.raises(Interrupted):
        run(write(tmp_path, card=TOLD + "seeds = [0, 1]\n"), out=tmp_path / "runs", jobs=1)
    folder = open_run("first", tmp_path / "runs")
    card = folder.path / "experiment.toml"
    card.write_text(card.read_text().replace("N >= 1e9", "N >= 8e8"))
    before = folder.manifest
    with pytest.raises(InputError, match=r"cannot be resumed: it searched other training rows than its experiment"):
        resume(folder, jobs=1)
    assert folder.manifest == before
    assert not (folder.path / "leaderboard.csv").exists()


def test_a_folder_without_its_card_cannot_be_resumed(tmp_path):
    folder = RunFolder.create(tmp_path, "first")
    with pytest.raises(InputError, match=r"cannot be resumed: it has no experiment\.toml"):
        resume(folder)


def test_a_missing_engine_beside_one_that_works_is_named_and_passed_over(tmp_path, told):
    told.MISSING["absent"] = "the engine absent needs a thing: install it"
    told.INTERRUPTED.add(0)  # what comes after the search is not looked at
    lines: list[str] = []
    path = write(tmp_path, card=CARD.replace('["grammar"]', '["absent", "told"]'))
    with pytest.raises(Interrupted):
        run(path, out=tmp_path / "runs", jobs=1, report=lines.append)
    said = "going on without absent: the engine absent needs a thing: install it"
    folder = open_run("first", tmp_path / "runs")
    assert said in lines
    assert said in (folder.path / "log.txt").read_text()
    assert {candidate.engine for candidate in folder.candidates()} == {"told"}


def test_a_missing_engine_alone_ends_the_run_before_it_begins(tmp_path, told):
    told.MISSING["absent"] = "the engine absent needs a thing: install it"
    with pytest.raises(EngineError, match="needs a thing: install it"):
        run(write(tmp_path, card=CARD.replace('["grammar"]', '["absent"]')), out=tmp_path / "runs", jobs=1)
    assert not (tmp_path / "runs").exists()


def test_engines_that_are_all_missing_end_the_run_too(tmp_path, told):
    told.MISSING.update(absent="the engine absent needs a thing", told="the engine told needs another")
    with pytest.raises(EngineError, match="absent needs a thing; the engine told needs another"):
        run(write(tmp_path, card=CARD.replace('["grammar"]', '["absent", "told"]')), out=tmp_path / "runs", jobs=1)


def test_a_run_in_which_no_law_is_sane_chooses_none_and_says_so(tmp_path, told):
    told.FORMULAS[:] = ["9.0 - 0.3*log(N)", "8.0 - 0.2*log(D)"]
    # A null law may be chosen, and so may a published one: not with more constants than the card allows.
    card = TOLD.replace(', "constant", "powerlaw_one_feature"', "") + "max_constants = 4\n"
    result = run(write(tmp_path, card=card), out=tmp_path / "runs", jobs=1)
    assert result.selected is None
    assert not result.leaderboard["selected"].any()
    assert result.verdict() == "No found law passed the sanity checks, so none was chosen."
    assert "No found law passed the sanity checks" in (result.folder.path / "report.html").read_text()
    assert (result.folder.path / "figures" / "parity.png").is_file()  # of the best published law


def test_where_nothing_is_found_a_null_law_is_chosen_and_called_that(tmp_path, told):
    told.FORMULAS.clear()
    result = run(write(tmp_path, card=TOLD + "max_constants = 4\n"), out=tmp_path / "runs", jobs=1)
    assert result.selected.law.kind == "null"  # the published law has five
    assert result.selected.law.name.startswith("powerlaw_one_feature")  # the constant is far worse
    assert set(result.leaderboard["kind"]) == {"published", "null"}
    name = result.selected.law.name
    assert result.verdict().startswith(f"No found law predicts larger sizes clearly better than the null law {name}.")
    assert result.choice["proposed_by"] == []


def test_a_published_law_that_is_clearly_better_than_all_others_is_chosen(tmp_path, told):
    told.FORMULAS[:] = ["20.0*N**-0.1"]
    result = run(write(tmp_path, card=TOLD), out=tmp_path / "runs", jobs=1)
    (found,) = (one for one in result.judged if one.law.kind == "found")
    assert found.sane
    assert result.selected.law.name == "hoffmann"
    assert result.leaderboard.query("selected")["law"].tolist() == ["hoffmann"]
    assert result.choice["proposed_by"] == []
    assert result.choice["chosen_again"] == {"hoffmann": 1.0}
    verdict = result.verdict()
    assert verdict.startswith("The training rows prefer the published law hoffmann to what was found.")
    assert f"times that of the best found law ({found.law.name})" in verdict
    assert verdict in (result.folder.path / "report.html").read_text()


def test_a_null_law_with_more_constants_than_the_card_allows_is_not_chosen(tmp_path, told):
    told.FORMULAS.clear()
    result = run(write(tmp_path, card=TOLD + "max_constants = 1\n"), out=tmp_path / "runs", jobs=1)
    assert result.selected.law.name == "constant"


def test_a_law_found_before_is_a_baseline_and_keeps_its_name(tmp_path, told):
    path = write(tmp_path, card=TOLD)
    before = Law("found_01", "Found on other rows", "A/N**alpha", {"N": ""}, FOUND, kind="found")
    (tmp_path / "found_01.toml").write_text(law_card(before))
    after = run(load_experiment(path).but(baselines=[str(tmp_path / "found_01.toml")]), out=tmp_path / "runs", jobs=1)
    assert after.leaderboard["law"].is_unique
    assert after.selected.law.name == "found_02"
    assert load_law(after.folder.path / "laws" / "found_01.toml").formula == before.formula
