"""The permutation null: runs on shuffled losses beside the real one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from small_experiment import TOLD, without_figures, write

from discover.errors import InputError
from discover.experiment import load_experiment
from discover.permutation import COLUMNS, PermutationNull, permutation_null
from discover.runs import RunFolder
from discover.terminal import show_null

CARD = TOLD.replace('"hoffmann", "constant", "powerlaw_one_feature"', '"constant"')


def a_null(*errors: float | None) -> PermutationNull:
    lines = [
        {
            "losses": f"run {number}",
            "formula": "" if error is None else "A/N",
            "inner_rmse": error,
            "heldout_rmse": None,
        }
        for number, error in enumerate(errors)
    ]
    return PermutationNull("mine", Path("nowhere"), pd.DataFrame(lines, columns=list(COLUMNS)))


def test_the_p_value_counts_the_shuffles_that_are_as_good():
    assert a_null(0.1, 0.2, 0.3, 0.4).p_value("inner_rmse") == 1 / 4
    assert a_null(0.1, 0.1, 0.05, 0.4).p_value("inner_rmse") == 3 / 4
    assert a_null(0.1, None, None, 0.05).p_value("inner_rmse") == 2 / 4  # where none was chosen, none was as good
    assert math.isnan(a_null(None, 0.2).p_value("inner_rmse"))
    assert math.isnan(a_null(0.1, 0.2).p_value("heldout_rmse"))


def test_the_verdict_says_how_small_p_can_be():
    said = a_null(0.1, None, 0.3, 0.4).verdict()
    assert said == (
        "p = 0.25 by its inner error, of 3 shuffles, in 2 of which a law was chosen. "
        "The smallest p that so many can give is 0.25."
    )
    assert a_null(None, 0.2).verdict().startswith("No law was chosen on the real losses")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> PermutationNull:
    from told_engines import tell_engines

    folder = tmp_path_factory.mktemp("null")
    with pytest.MonkeyPatch.context() as patch:
        told = tell_engines(folder, patch)
        told.FORMULAS[:] = ["1.7 + 400.0*N**-0.34 + 1900.0*D**-0.36", "20.0*N**-0.1"]
        without_figures(patch)
        return permutation_null(write(folder, card=CARD), shuffles=1, out=folder / "runs", jobs=1)


def test_a_law_of_real_losses_is_better_than_what_is_found_in_shuffled_ones(found):
    assert found.table["losses"].tolist() == ["real", "shuffle_01"]
    real = found.table.iloc[0]
    assert real["formula"] == "E0 + A/N**alpha + B/D**beta"
    assert not (found.table["inner_rmse"][1:] < 10 * real["inner_rmse"]).any()
    assert found.p_value("inner_rmse") == found.p_value() == 1 / 2


def test_each_run_is_kept_and_says_what_was_shuffled(found):
    assert pd.read_csv(found.folder / "null.csv")["losses"].tolist() == found.table["losses"].tolist()
    rows = []
    for name, path in zip(found.table["losses"], found.table["run"], strict=True):
        folder = RunFolder(found.folder / path)
        card = load_experiment(folder.path / "experiment.toml").card
        assert card.shuffle_seed == (int(name[-2:]) if name != "real" else None)
        assert ("shuffled among rows" in folder.manifest["dataset"]["generated"]) == (name != "real")
        rows.append(pd.read_csv(folder.path / "predictions.csv"))
    held = rows[0]["split"] == "held_out"
    for other in rows[1:]:
        assert (other["L"][held] == rows[0]["L"][held]).all()
        assert sorted(other["L"][~held]) == sorted(rows[0]["L"][~held])
        assert (other["L"][~held] != rows[0]["L"][~held]).sum() > 20


def test_the_command_shows_a_line_a_run(found, capsys):
    show_null(found)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["losses", "real", "shuffle_01"]
    assert "p = 0.5 by its inner error and p = 0.5 by its held-out error, of 1 shuffles" in "\n".join(lines)
    show_null(found, as_json=True)
    record = json.loads(capsys.readouterr().out)
    assert (record["shuffles"], record["p_inner"], record["p_heldout"]) == (1, 0.5, 0.5)
    assert record["runs"][0]["formula"] == "E0 + A/N**alpha + B/D**beta"


def test_what_cannot_be_a_null_is_refused(tmp_path: Path):
    path = write(tmp_path, card=CARD)
    with pytest.raises(InputError, match="the number of shuffles must be 1 or more, not 0"):
        permutation_null(path, shuffles=0)
    with pytest.raises(InputError, match="shuffle_seed is set"):
        permutation_null(load_experiment(path).but(shuffle_seed=3))
