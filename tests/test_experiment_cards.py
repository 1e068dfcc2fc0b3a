"""Cards of experiments: what they narrow and override, and what a wrong one is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_experiment import CARD, TOLD, a_table, write

from discover.dataset import load_dataset
from discover.errors import CardError, InputError
from discover.experiment import Experiment, load_experiment
from discover.running import run
from discover.runs import open_run


def an_experiment(folder: Path, card: str = CARD) -> Experiment:
    return load_experiment(write(folder, card=card))


def test_three_lines_are_a_good_experiment_with_all_laws_that_fit_the_table(tmp_path, told):
    card = 'dataset = "mine.toml"\nengines = ["told"]\nbudget = "1s"\n'
    result = run(an_experiment(tmp_path, card), out=tmp_path / "runs", jobs=1)
    known = set(result.leaderboard.query("kind != 'found'")["law"])
    # Laws of N and D; muennighoff and Clark's need columns that are not there.
    expected = {"hoffmann", "kaplan_nd", "constant", "powerlaw_one_feature_N", "powerlaw_one_feature_D"}
    assert expected <= known
    assert not known & {"muennighoff", "clark_bilinear", "clark_saturating"}


def test_an_override_changes_the_keys_it_names_only(tmp_path):
    experiment = an_experiment(tmp_path)
    changed = experiment.but(budget="5min", seeds=[1, 2], hold_out=None)
    assert (changed.card.budget, changed.card.seeds) == ("5min", [1, 2])
    assert changed.card.baselines == experiment.card.baselines
    assert (changed.name, changed.folder) == (experiment.name, experiment.folder)
    assert experiment.card.budget == "120evals"


def test_an_override_is_checked_as_the_card_is(tmp_path):
    experiment = an_experiment(tmp_path)
    with pytest.raises(CardError, match=r"experiment first: unknown key 'budgets': did you mean 'budget'\?"):
        experiment.but(budgets="5s")
    with pytest.raises(CardError, match="engines: the list is empty"):
        experiment.but(engines=[])


def test_an_engine_is_given_its_options_and_no_other(tmp_path, told, monkeypatch):
    monkeypatch.setattr(told.Told, "check_options", lambda self, options: None)
    card = TOLD + "[options.told]\nmaxdepth = 7\n[options.pysr]\nprocs = 2\n"
    result = run(an_experiment(tmp_path, card), out=tmp_path / "runs", jobs=1)
    assert told.CALLS[0][2].options == {"maxdepth": 7}
    again = load_experiment(result.folder.path / "experiment.toml")  # what resume reads
    assert again.card.options == {"told": {"maxdepth": 7}, "pysr": {"procs": 2}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "[options.pysr]\nclustermanager = 'slurm'\n",
            r"unknown key 'clustermanager': did you mean 'cluster_manager'\?",
        ),
        ("[options.operon]\nprocs = 2\n", "the engine operon has no options; it was given procs"),
        ("[options.pisr]\nprocs = 2\n", r"unknown engine 'pisr': did you mean 'pysr'\?"),
    ],
)
def test_an_option_that_an_engine_has_not_is_refused_with_the_card(tmp_path, options, message):
    with pytest.raises(CardError, match=rf"first\.toml: options: .*{message}"):
        an_experiment(tmp_path, CARD + options)


def test_the_dataset_stands_beside_the_card(tmp_path, monkeypatch):
    folder = tmp_path / "far" / "away"
    experiment = an_experiment(folder)
    monkeypatch.chdir(tmp_path)
    assert len(experiment.load().table) == 44
    (folder / "deeper").mkdir()
    (folder / "deeper" / "second.toml").write_text('dataset = "../mine.toml"\n')
    assert len(load_experiment(folder / "deeper" / "second.toml").load().table) == 44


def test_rows_and_features_are_narrowed(tmp_path):
    experiment = an_experiment(tmp_path).but(rows="D >= 1e10 and N < 2e9", features=["N"])
    dataset = experiment.load()
    assert (len(dataset.table), list(dataset.features)) == (30, ["N"])
    assert len(load_dataset(tmp_path / "mine.toml").table) == 44


def test_the_objective_and_its_delta_are_the_cards(tmp_path):
    experiment = an_experiment(tmp_path)
    dataset = experiment.load()
    losses = dataset.losses()
    assert str(experiment.objective(dataset, losses)) == "log_huber (delta 0.001)"
    changed = experiment.but(objective="huber", delta=0.5)
    assert str(changed.objective(dataset, losses)) == "huber (delta 0.5)"
    # Where the target may be negative, delta is a thousandth of the spread: here, the median distance from 4 is 2.
    signed = replace(dataset, target=dataset.target.model_copy(update={"positive": False}))
    assert str(experiment.objective(signed, np.array([1.0, 2.0, 4.0, 5.0, 9.0]))) == "huber (delta 0.002)"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('engines = ["operom"]', r"unknown engine 'operom': did you mean 'operon'\?"),
        ('features = ["N", "T"]', r"experiment first: dataset mine has no feature 'T': legal are: D, N"),
        ('baselines = ["hofmann"]', r"unknown law 'hofmann': did you mean 'hoffmann'\?"),
        (
            'baselines = ["muennighoff"]',
            "law 'muennighoff' does not fit dataset 'mine': the law needs uD, and the features are",
        ),
        ('operators = ["+", "sinh"]', "operators: unknown operator 'sinh'"),
        ('objective = "hubert"', "objective: .*'log_huber'"),
        ('budget = "five minutes"', "budget 'five minutes' is not one"),
        ('rows = "N > 1e15"', "the rule rows = 'N > 1e15' leaves no rows"),
        ('rows = "M > 1"', "unknown column 'M'"),
        ('hold_out = "N >= 1e6"', "the hold-out 'N >= 1e6' leaves none of the 44 rows of mine to train on"),
        ('hold_out = "N >= 1e15"', "the hold-out 'N >= 1e15' holds out none of the 44 rows of mine"),
        ("hold_out = { largest = 11, of = 'N' }", "the 11 largest N leaves no size of mine to train on: it has 11"),
        ('hold_out = "N >= 7e7"', "the training rows have too few sizes N: choosing a law needs at least 3"),
        (
            'rows = "N == 2e8"\nhold_out = "D >= 3e11"\nfeatures = ["N"]',
            "the hold-out 'D >= 3e11' names no feature of mine: N",
        ),
        ('rows = "N == 2e8"\nhold_out = "N >= 2e8"', "leaves none of the 4 rows"),
        ("seed = 3", r"unknown key 'seed': did you mean 'seeds'\?"),
    ],
)
def test_a_wrong_card_is_told_before_anything_is_searched(tmp_path, line, message):
    key = line.split(" =")[0]
    card = "\n".join(each for each in CARD.splitlines() if not each.startswith(f"{key} ="))
    with pytest.raises(InputError, match=message):
        run(write(tmp_path, card=f"{card}\n{line}\n"), out=tmp_path / "runs", jobs=1)
    assert not (tmp_path / "runs").exists()


def test_a_target_that_never_changes_cannot_be_learnt(tmp_path):
    table = a_table()
    table.loc[table.params < 1e9, "loss"] = 2.5
    with pytest.raises(InputError, match="the target of mine is the same on all 32 training rows"):
        run(write(tmp_path, table), out=tmp_path / "runs", jobs=1)


def test_a_failure_is_written_down_in_the_run_folder(tmp_path, told):
    told.FORMULAS[:] = [object()]  # an engine with a bug: this is no text
    with pytest.raises(TypeError):
        run(write(tmp_path, card=TOLD), out=tmp_path / "runs", jobs=1)
    folder = open_run("first", tmp_path / "runs")
    assert folder.manifest["state"] == "failed"
    assert "not JSON serializable" in folder.manifest["error"]
    assert "failed: " in (folder.path / "log.txt").read_text()


def test_the_constant_law_can_be_the_best_there_is_to_show(tmp_path, told):
    told.FORMULAS[:] = ["9.0 - 0.3*log(N)"]
    card = TOLD.replace('baselines = ["hoffmann", "constant", "powerlaw_one_feature"]', 'baselines = ["constant"]')
    result = run(write(tmp_path, card=card), out=tmp_path / "runs", jobs=1)
    assert result.best("null").law.name == "constant"
    assert (result.folder.path / "figures" / "parity.png").is_file()


@pytest.mark.parametrize(
    ("hold_out", "message"),
    [
        ("{ largest = 2 }", "the key 'hold_out.of' is missing"),
        ('{ largest = 0, of = "N" }', "hold_out.largest: it must be 1 or more (it is 0)"),
        ('{ files = "own" }', "hold_out.files: input should be 'held_out' (it is 'own')"),
        (
            '{ files = "held_out", where = "N" }',
            "unknown key 'hold_out.where': legal are: files, of",
        ),
        ("3", "hold_out: input should be a valid string (it is 3); hold_out: it must be a table (it is 3)"),
    ],
)
def test_of_a_hold_out_that_is_nearly_a_table_only_what_is_wrong_with_that_table_is_told(tmp_path, hold_out, message):
    with pytest.raises(CardError) as told:
        an_experiment(tmp_path, f'dataset = "mine.toml"\nhold_out = {hold_out}\n')
    assert str(told.value) == f"{tmp_path / 'first.toml'}: {message}"


def test_files_of_held_out_rows_are_the_hold_out_of_datasets_that_have_such(tmp_path):
    experiment = an_experiment(tmp_path, 'dataset = "mine.toml"\nhold_out = { files = "held_out", of = "N" }\n')
    with pytest.raises(InputError, match=r"'mine' has no files of held-out rows \(held_out = true on its card\)"):
        run(experiment, out=tmp_path / "runs")


def test_an_experiment_has_features(tmp_path):
    with pytest.raises(CardError, match="features: the list is empty"):
        an_experiment(tmp_path, CARD + "features = []\n")
