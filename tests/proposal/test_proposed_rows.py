"""Cards proposed for tables as people have them. Which rows count, and exports as they come."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pandas as pd
import pytest
from proposed import SIZES, added, grid, kinds

from discover.proposal import add


# ---- rows
def curves(runs: int = 6, points: int = 10) -> pd.DataFrame:
    rows = [
        (f"run-{run}", SIZES[run % 6], step, 2 + 100 / SIZES[run % 6] ** 0.3 + 50 / step)
        for run in range(runs)
        for step in np.linspace(100, 1000, points).astype(int)
    ]
    return pd.DataFrame(rows, columns=["run_name", "n_params", "_step", "eval/loss"])


def test_of_checkpoints_the_last_one_counts(tmp_path):
    proposal, data = added(tmp_path, curves())
    assert len(data.table) == 6
    assert list(data.features) == ["N"]
    assert 'last = { of = "run_name", by = "_step" }' in proposal.card
    assert any("trained model" in line for line in proposal.reasons)


def test_checkpoints_of_two_runs_are_kept(tmp_path):
    proposal, data = added(tmp_path, curves(runs=2))
    assert len(data.table) == 20
    assert any("training curves" in line for line in proposal.checks)


def test_checkpoints_whose_last_rows_have_no_loss(tmp_path):
    table = curves()
    table.loc[table["_step"] == 1000, "eval/loss"] = np.nan
    proposal, data = added(tmp_path, table)
    assert len(data.table) == 6
    assert any("lowest" in line for line in proposal.checks)


def test_a_sweep_over_steps_is_no_table_of_checkpoints(tmp_path):
    table = grid(names=("params", "steps", "loss"))
    table["steps"] /= 1e6
    table["run"] = [f"r{i}" for i in range(24)]
    assert list(added(tmp_path, table)[1].features) == ["N", "S"]


def test_copies_are_dropped(tmp_path):
    table = pd.concat([grid(), grid().iloc[:3]])
    proposal, data = added(tmp_path, table)
    assert len(data.table) == 24
    assert "unique = true" in proposal.card


def test_missing_and_impossible_values_are_dropped_and_counted(tmp_path):
    table = grid()
    table.loc[0, "loss"] = np.nan
    table.loc[1, "loss"] = np.inf
    table.loc[2, "tokens"] = np.nan
    table.loc[4, "params"] = 0
    proposal, data = added(tmp_path, table)
    assert len(data.table) == 20
    drops = tomllib.loads(proposal.card)["rows"]["drop"]
    assert [drop["count"] for drop in drops] == [1, 1, 1, 1]
    assert all(drop["because"] for drop in drops)


def test_words_among_the_losses_are_dropped(tmp_path):
    table = grid().astype({"loss": object})
    table.loc[0, "loss"] = "diverged"
    table.loc[1, "loss"] = 'it\'s "OOM"'
    assert len(added(tmp_path, table)[1].table) == 22


def test_missing_values_under_a_name_with_spaces(tmp_path):
    table = grid(names=("params", "tokens", "final val loss"))
    table.loc[[2, 3], "final val loss"] = np.nan
    assert len(added(tmp_path, table)[1].table) == 22


def test_a_feature_that_is_mostly_missing_costs_no_rows(tmp_path):
    table = grid().assign(num_experts=[8.0, 16.0] + [np.nan] * 22)
    proposal, data = added(tmp_path, table)
    assert list(data.features) == ["N", "D"]
    assert len(data.table) == 24
    assert any("'num_experts'" in line and "too many" in line for line in proposal.reasons)


def test_a_share_lies_between_zero_and_one(tmp_path):
    sparsity = np.tile([0.0, 0.5, 0.75, 0.9], 6)
    assert kinds(added(tmp_path, grid().assign(sparsity=sparsity))[1])["sp"] == "share"
    _, data = added(tmp_path, grid().assign(sparsity=100 * sparsity), "percent.csv")
    assert list(data.features) == ["N", "D"]


def test_the_index_of_a_parquet_file_may_repeat(tmp_path):
    table = pd.concat([grid().iloc[:12], grid().iloc[12:].set_index(pd.RangeIndex(12))])
    table = table.rename(columns={"loss": "loss_c4", "tokens": "D tokens"}).assign(loss_code=table["loss"] - 1)
    table.loc[3, "loss_c4"] = np.nan
    assert len(added(tmp_path, table, "runs.parquet")[1].table) == 46


def test_constants_are_left_aside(tmp_path):
    assert list(added(tmp_path, grid().assign(vocab_size=50257, lr=3e-4))[1].features) == ["N", "D"]


# ---- exports as they come
def test_an_export_of_weights_and_biases(tmp_path):
    table = grid(names=("model.n_params", "data.total_tokens", "eval/loss"))
    table.insert(0, "Name", [f"sunny-lake-{i}" for i in range(24)])
    table = table.assign(State=["finished"] * 22 + ["crashed", "failed"], Notes=np.nan, User="me", Tags="", Runtime=9.5,
                         Sweep=None, Created="2024-05-01T10:00:00.000Z", optimizer_lr=3e-4,
                         **{"eval/loss__MIN": grid()["loss"], "eval/loss__MAX": grid()["loss"] + 1})  # fmt: skip
    proposal, data = added(tmp_path, table)
    assert list(data.features) == ["N", "D"]
    assert data.target.column == "eval/loss"
    assert len(data.table) == 22
    assert any("'State'" in line for line in proposal.reasons)


def test_a_log_of_a_trainer_with_a_row_for_each_event(tmp_path):
    log = [{"loss": 5 - s / 1000, "learning_rate": 1e-4, "epoch": s / 1000, "step": s} for s in range(100, 2000, 100)]
    log += [{"eval_loss": 5.1 - s / 1000, "epoch": s / 1000, "step": s} for s in range(200, 2000, 200)]
    path = tmp_path / "trainer_log.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in log))
    _, data = add(path)
    assert list(data.features) == ["S"]
    assert data.target.column == "eval_loss"
    assert len(data.table) == 9


def test_nested_values_are_left_aside(tmp_path):
    path = tmp_path / "runs.jsonl"
    rows = [{**row, "config": {"lr": 0.1}, "tags": ["a"]} for row in grid().to_dict("records")]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    proposal, data = add(path)
    assert list(data.features) == ["N", "D"]
    assert any("nested" in line and "'config'" in line for line in proposal.reasons)


@pytest.mark.filterwarnings("ignore::pandas.errors.PerformanceWarning")  # of the reader, when the card is loaded
def test_a_thousand_columns(tmp_path):
    rng = np.random.default_rng(0)
    more = pd.DataFrame(rng.normal(size=(24, 1000)), columns=[f"probe_{i}" for i in range(1000)])
    proposal, data = added(tmp_path, pd.concat([grid(), more], axis=1))
    assert list(data.features) == ["N", "D"]
    assert len("\n".join(proposal.reasons)) < 5000


def test_names_in_other_letters(tmp_path):
    table = grid(names=("größe", "daten", "verlust"))
    _, data = added(tmp_path, table, "läufe.csv", target="verlust", features={"N": "größe", "D": "daten"})
    assert kinds(data) == {"N": "size", "D": "tokens"}
