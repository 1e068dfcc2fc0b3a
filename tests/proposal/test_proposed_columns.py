"""Cards proposed for tables as people have them. What columns are taken for: quantities and targets."""

from __future__ import annotations

import itertools
import tomllib

import numpy as np
import pandas as pd
import pytest
from proposed import SIZES, TOKENS, added, grid, kinds

from discover.dataset import load_dataset
from discover.proposal import add


# ---- the plain table
def test_a_table_of_sizes_tokens_and_losses(tmp_path):
    proposal, data = added(tmp_path, grid())
    assert kinds(data) == {"N": "size", "D": "tokens"}
    assert (data.features["N"].unit, data.features["D"].unit, data.target.unit) == (
        "parameters", "tokens", "nats/token",
    )  # fmt: skip
    assert proposal.path == tmp_path / "runs.toml"
    assert proposal.hold_out == data.hold_out == "N >= 2e9"  # 4 of 24 rows: the first size of a tenth or more
    assert int(data.held_out_rows().sum()) == 4
    assert proposal.rows == len(data.table) == 24
    assert load_dataset(proposal.path).table.equals(data.table)


def test_the_card_reads_from_top_to_bottom(tmp_path):
    proposal, _ = added(tmp_path, grid())
    assert [line for line in proposal.card.splitlines() if line.startswith("[")] == [
        "[[files]]", "[rows]", "[features]", "[target]",
    ]  # fmt: skip
    assert list(tomllib.loads(proposal.card))[:2] == ["title", "hold_out"]
    assert str(tmp_path) not in proposal.card


@pytest.mark.parametrize(
    "name", ["runs.csv", "runs.tsv", "runs.jsonl", "runs.parquet", "runs.csv.gz", "runs.tsv.xz", "runs.jsonl.bz2"]
)
def test_every_format_gives_the_same_dataset(tmp_path, name):
    proposal, data = added(tmp_path, grid(), name)
    assert proposal.path.name == "runs.toml"
    assert data.table[["N", "D", "L"]].to_numpy() == pytest.approx(grid().to_numpy())


def test_tabs_under_the_name_of_csv_are_seen(tmp_path):
    path = tmp_path / "runs.csv"
    grid().to_csv(path, sep="\t", index=False)
    assert 'format = "tsv"' in add(path)[0].card


@pytest.mark.parametrize(
    ("names", "symbols"),
    [
        (("num_params", "train_tokens", "val_loss"), ["N", "D"]),
        (("n_params", "num_tokens", "validation loss"), ["N", "D"]),
        (("nParams", "numTokens", "evalLoss"), ["N", "D"]),
        (("model_size", "data_size", "final_loss"), ["N", "D"]),
        (("Model Size", "Training Tokens", "Final Loss"), ["N", "D"]),
        (("config/n_params", "train/total_tokens", "eval/loss"), ["N", "D"]),
        (("non_embedding_params", "tokens_seen", "cross_entropy"), ["N", "D"]),
        (("N", "D", "L"), ["N", "D"]),
        (('the "params"', "tokens, all", "loss (c4's)"), ["N", "D"]),
        (("params = N", "tokens\tseen", "[loss]"), ["N", "D"]),
        (("params", "unique_tokens", "loss"), ["N", "uD"]),
        (("params", "training_flops", "loss"), ["N", "D"]),
        (("non_vocab_params", "num_characters", "loss"), ["N_nv", "H"]),
        (("embed_params", "tokens", "loss"), ["D"]),
    ],
)
def test_names_that_people_give(tmp_path, names, symbols):
    table = grid(names=names)
    if names[1] == "training_flops":
        table[names[1]] = 6 * grid()["params"] * grid()["tokens"]
    _, data = added(tmp_path, table)
    assert list(data.features) == symbols
    assert data.table["L"].to_numpy() == pytest.approx(grid()["loss"].to_numpy())


def test_non_embedding_parameters_say_so(tmp_path):
    _, data = added(tmp_path, grid(names=("non_embedding_params", "tokens", "loss")))
    assert "embeddings excluded" in data.features["N"].meaning


@pytest.mark.parametrize(
    ("name", "factor"), [("params_M", 1e6), ("params (M)", 1e6), ("params_b", 1e9), ("n_params_millions", 1e6)]
)
def test_a_unit_in_the_name_becomes_a_formula(tmp_path, name, factor):
    table = grid(names=(name, "tokens", "loss"))
    table[name] /= factor
    _, data = added(tmp_path, table)
    assert data.table["N"].to_numpy() == pytest.approx(grid()["params"].to_numpy())


def test_petaflops_and_logarithms(tmp_path):
    table = grid()[["params", "loss"]].assign(compute_eflops=grid()["tokens"] * grid()["params"] * 6 / 1e18)
    _, data = added(tmp_path, table)
    assert data.table["D"].to_numpy() == pytest.approx(grid()["tokens"].to_numpy())
    logs = grid()[["params", "loss"]].assign(log10_tokens=np.log10(grid()["tokens"]))
    _, data = added(tmp_path, logs, "logs.csv")
    assert data.table["D"].to_numpy() == pytest.approx(grid()["tokens"].to_numpy())


def test_small_numbers_are_pointed_out(tmp_path):
    table = grid()
    table["params"] /= 1e6
    proposal, _ = added(tmp_path, table)
    assert any("70 to 2800" in line and "params*1e6" in line for line in proposal.checks)


# ---- quantities that others give
def test_tokens_from_compute_and_parameters(tmp_path):
    table = grid().assign(**{"Training FLOP": 6 * grid()["params"] * grid()["tokens"]}).drop(columns="tokens")
    proposal, data = added(tmp_path, table)
    assert list(data.features) == ["N", "D"]
    assert data.table["D"].to_numpy() == pytest.approx(grid()["tokens"].to_numpy())
    assert any("computed" in line for line in proposal.checks)


def test_tokens_from_steps_batch_and_length(tmp_path):
    table = grid().assign(max_steps=grid()["tokens"] / (512 * 2048), batch_size=512, seq_len=2048)
    _, data = added(tmp_path, table.drop(columns="tokens"))
    assert data.table["D"].to_numpy() == pytest.approx(grid()["tokens"].to_numpy())
    assert list(data.features) == ["N", "D"]  # the batch is constant


def test_unique_tokens_from_epochs(tmp_path):
    table = grid().assign(epochs=[1, 2, 4, 8] * 6)
    _, data = added(tmp_path, table)
    assert data.features["uD"].formula == "D/epochs"
    assert data.table["uD"].to_numpy() == pytest.approx((table["tokens"] / table["epochs"]).to_numpy())


def test_one_epoch_gives_no_unique_tokens(tmp_path):
    assert list(added(tmp_path, grid().assign(epochs=1))[1].features) == ["N", "D"]


def test_compute_is_left_aside_where_sizes_and_tokens_say_it(tmp_path):
    proposal, data = added(tmp_path, grid().assign(flops=6 * grid()["params"] * grid()["tokens"]))
    assert list(data.features) == ["N", "D"]
    assert any("'flops'" in line and "left aside" in line for line in proposal.reasons)


def test_learning_rate_and_batch_of_a_sweep(tmp_path):
    sweep = [(n, d, lr, bs) for n, d in itertools.product(SIZES, TOKENS[:2]) for lr in (1e-3, 3e-3) for bs in (64, 256)]
    table = pd.DataFrame(sweep, columns=["params", "tokens", "learning_rate", "batch_size"])
    table["loss"] = np.linspace(4, 2, len(table))
    proposal, data = added(tmp_path, table)
    assert kinds(data) == {"N": "size", "D": "tokens", "eta": "rate", "B": "count"}
    assert data.features["B"].unit == "sequences"
    assert any("sequences" in line for line in proposal.checks)


def test_a_learning_rate_that_goes_with_the_size_is_no_feature(tmp_path):
    table = grid().assign(lr=lambda t: 1e-3 * (t["params"] / 1e8) ** -0.2)
    proposal, data = added(tmp_path, table)
    assert list(data.features) == ["N", "D"]
    assert any("'lr'" in line and "tell the two apart" in line for line in proposal.reasons)


def test_experts_take_the_active_parameters(tmp_path):
    rows = [(n * e, n, e) for n, e in itertools.product(SIZES, (1, 4, 16, 64))]
    table = pd.DataFrame(rows, columns=["total_params", "active_params", "num_experts"])
    table["val_loss"] = np.linspace(4, 2, len(table))
    _, data = added(tmp_path, table)
    assert data.features["N"].column == "active_params"
    assert data.features["E"].unit == "experts"


# ---- targets
@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("bpb", "bits/byte"), ("val_bits_per_byte", "bits/byte"), ("bpc", "bits/character"),
        ("bits per character", "bits/character"), ("test nll", "nats/token"), ("val/ce", "nats/token"),
    ],
)  # fmt: skip
def test_units_of_the_target_by_its_name(tmp_path, name, unit):
    assert added(tmp_path, grid(names=("params", "tokens", name)))[1].target.unit == unit


def test_perplexity_is_taken_by_its_logarithm(tmp_path):
    table = grid(names=("params", "tokens", "perplexity"))
    table["perplexity"] = np.exp(table["perplexity"])
    proposal, data = added(tmp_path, table)
    assert data.target.formula == "log(perplexity)"
    assert data.table["L"].to_numpy() == pytest.approx(grid()["loss"].to_numpy())
    assert any("perplexity is no loss" in line for line in proposal.reasons)


def test_a_loss_goes_before_perplexity_and_validation_before_training(tmp_path):
    table = grid(names=("params", "tokens", "val_loss")).assign(train_loss=lambda t: t["val_loss"] - 0.1)
    table = table.assign(val_ppl=lambda t: np.exp(t["val_loss"]), aux_loss=0.01, loss_std=0.1)
    proposal, data = added(tmp_path, table)
    assert data.target.column == "val_loss"
    assert any("'train_loss'" in line and "not taken" in line for line in proposal.reasons)


def test_a_negative_target(tmp_path):
    table = grid()
    table["loss"] -= 10
    assert added(tmp_path, table)[1].target.positive is False


def test_marks_of_failed_runs_do_not_make_a_target_negative(tmp_path):
    table = grid()
    table.loc[3, "loss"] = -1.0
    proposal, data = added(tmp_path, table)
    assert data.target.positive
    assert len(data.table) == 23
    assert any("failed" in line for line in proposal.checks)
