"""Cards proposed for tables as people have them: every one is loaded, and says what its columns are."""

from __future__ import annotations

import itertools
import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discover.dataset import Dataset, load_dataset
from discover.errors import DataError, InputError
from discover.proposal import Proposal, add, propose

SIZES = (70e6, 160e6, 410e6, 1e9, 1.4e9, 2.8e9)
TOKENS = (2e9, 8e9, 32e9, 128e9)


def grid(sizes=SIZES, tokens=TOKENS, names=("params", "tokens", "loss")) -> pd.DataFrame:
    """Chinchilla's law on a grid; every loss is another number."""
    rows = [(n, d, round(1.69 + 406.4 / n**0.34 + 410.7 / d**0.28, 6)) for n, d in itertools.product(sizes, tokens)]
    return pd.DataFrame(rows, columns=list(names))


def added(folder: Path, table: pd.DataFrame, name: str = "runs.csv", **named) -> tuple[Proposal, Dataset]:
    """The table as a file, with its card."""
    path = folder / name
    if ".parquet" in name:
        table.to_parquet(path)
    elif ".jsonl" in name:
        table.to_json(path, lines=True, orient="records")
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    return add(path, **named)


def kinds(data: Dataset) -> dict[str, str]:
    return {symbol: feature.kind for symbol, feature in data.features.items()}


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


# ---- wide tables


def test_a_loss_for_each_domain(tmp_path):
    table = grid().rename(columns={"loss": "val_loss/c4"})
    table = table.assign(**{"val_loss/the_pile": table["val_loss/c4"] - 0.3, "train_loss": table["val_loss/c4"] - 0.1})
    proposal, data = added(tmp_path, table)
    assert len(data.table) == 48
    assert set(data.groups()) == {"c4", "the_pile"}
    assert proposal.groups == ("domain",)
    assert int(data.held_out_rows().sum()) == 8


def test_a_mean_over_domains_goes_before_the_domains(tmp_path):
    table = grid(names=("params", "tokens", "eval/loss"))
    table = table.assign(**{"eval/c4/loss": table["eval/loss"] - 0.3, "eval/wiki/loss": table["eval/loss"] + 0.3})
    assert added(tmp_path, table)[1].target.column == "eval/loss"


def test_headers_that_are_numbers_are_amounts(tmp_path):
    table = pd.DataFrame({"model": [f"m{i}" for i in range(5)], **{str(d): 5 - np.log10(d) / 3 + np.arange(5) / 10
                          for d in (100, 200, 400, 800, 1600, 3200, 6400, 12800)}})  # fmt: skip
    _, data = added(tmp_path, table)
    assert data.features["D"].unit == "samples"
    assert len(data.table) == 40
    assert data.hold_out == "D >= 10000"  # 12800 is held out, 6400 is not


def test_losses_at_amounts_with_a_letter(tmp_path):
    table = pd.DataFrame({"params": SIZES, **{f"loss_{b}B": 4 - np.log10(b) / 3 - np.arange(6) / 10
                                              for b in (1, 2, 5, 10, 20)}})  # fmt: skip
    _, data = added(tmp_path, table)
    assert sorted(set(data.table["D"])) == [1e9, 2e9, 5e9, 1e10, 2e10]
    assert list(data.features) == ["D", "N"]


def test_seeds_side_by_side_are_repetitions_and_no_groups(tmp_path):
    table = grid().drop(columns="loss").assign(**{f"loss_seed_{s}": grid()["loss"] + s / 100 for s in range(3)})
    _, data = added(tmp_path, table)
    assert len(data.table) == 72
    assert not data.grouped


def test_wide_cells_may_be_missing(tmp_path):
    table = grid().rename(columns={"loss": "loss_c4"}).assign(loss_code=grid()["loss"] - 1)
    table.loc[[1, 5], "loss_code"] = np.nan
    assert len(added(tmp_path, table)[1].table) == 46


# ---- mixtures


@pytest.mark.parametrize(
    "names",
    [
        ("mix_web", "mix_code", "mix_books"), ("web_share", "code_share", "books_share"), ("web", "code", "books"),
        ("w[web]", "w[code]", "w[books]"), ("proportion/网页", "proportion/代码", "proportion/书"),
    ],
)  # fmt: skip
def test_shares_that_sum_to_one(tmp_path, names):
    shares = np.random.default_rng(0).dirichlet((1, 1, 1), 24)
    table = grid().assign(**dict(zip(names, shares.T, strict=True)))
    _, data = added(tmp_path, table)
    assert kinds(data) == {"r": "mixture", "N": "size", "D": "tokens"}
    assert len(data.components["r"]) == 3
    if names[0].isascii():
        assert data.components["r"] == ("web", "code", "books")


def test_shares_that_were_rounded_or_are_percentages(tmp_path):
    shares = np.random.default_rng(0).dirichlet((1, 1, 1, 1), 24)
    rounded = grid().assign(**{f"p_{name}": column for name, column in zip("abcd", shares.round(3).T, strict=True)})
    assert added(tmp_path, rounded)[1].features["r"].tolerance <= 0.003
    percent = grid().assign(**{f"p_{name}": column for name, column in zip("abcd", 100 * shares.T, strict=True)})
    _, data = added(tmp_path, percent, "percent.csv")
    assert data.features["r"].normalise
    assert data.table["r_a"].to_numpy() == pytest.approx(shares[:, 0])


def test_shares_and_losses_of_the_same_domains(tmp_path):
    shares = np.random.default_rng(0).dirichlet((1, 1, 1), 20)
    table = pd.DataFrame(shares, columns=["train_web", "train_code", "train_math"])
    for name, column in zip(("web", "code", "math"), shares.T, strict=True):
        table[f"val_loss_{name}"] = 3 - column
    proposal, data = added(tmp_path, table)
    assert set(data.groups()) == {"web", "code", "math"}
    assert data.components["r"] == ("web", "code", "math")
    assert data.hold_out is None
    assert any("no hold-out" in line for line in proposal.checks)


# ---- words


def test_a_few_words_with_many_rows_each_make_groups(tmp_path):
    table = pd.concat([grid().assign(corpus=name) for name in ("c4", "pile")])
    table["loss"] += np.where(table["corpus"] == "c4", 0.1, 0)
    proposal, data = added(tmp_path, table)
    assert proposal.groups == ("corpus",)
    assert set(data.groups()) == {"c4", "pile"}


def test_words_with_too_few_rows_are_a_category(tmp_path):
    table = grid().assign(optimizer=["adam"] * 20 + ["sgd"] * 4)
    _, data = added(tmp_path, table)
    assert kinds(data)["optimizer"] == "category"
    assert not data.grouped


def test_what_only_names_rows_is_left_aside(tmp_path):
    table = grid().assign(
        run_id=[f"a{i:03x}" for i in range(24)], date="2024-05-01", path=[f"/data/{i % 3}" for i in range(24)],
        tokens_copy=grid()["tokens"], wandb_version="0.16", size_label=grid()["params"].map("{:.0f}M".format),
        user=["ann", "bob"] * 12, Created=[f"2024-05-{i % 5 + 1:02d}T10:00:00" for i in range(24)],
    )  # fmt: skip
    proposal, data = added(tmp_path, table)
    assert list(data.features) == ["N", "D"]
    assert not data.grouped
    told = "\n".join(proposal.reasons)
    assert all(repr(name) in told for name in table)


def test_sizes_in_words_are_pointed_out(tmp_path):
    table = grid().assign(params=["70M", "160M", "410M", "1B", "1.4B", "2.8B"] * 4).sort_values("params")
    proposal, data = added(tmp_path, table)
    assert list(data.features) == ["D"]
    assert any("'params'" in line and "1.3e9" in line for line in proposal.checks)


def test_sizes_in_words_with_no_other_feature_are_an_error(tmp_path):
    table = pd.DataFrame({"params": ["70M", "1.3B", "6.9B"], "loss": [3.0, 2.5, 2.2]})
    with pytest.raises(DataError, match=r"'70M'.*write numbers"):
        added(tmp_path, table)


def test_truth_values_are_words(tmp_path):
    table = pd.concat([grid().assign(use_qk_norm=flag) for flag in (True, False)])
    table["loss"] += np.where(table["use_qk_norm"], 0, 0.05)
    assert set(added(tmp_path, table)[1].groups()) == {"True", "False"}


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


# ---- the user's word


def test_what_the_user_names_goes_first(tmp_path):
    table = grid().assign(width=[64, 128, 256, 512, 768, 1024] * 4, accuracy=np.linspace(0.1, 0.9, 24))
    _, data = added(tmp_path, table, target="accuracy", features={"W": "width", "N": "params"})
    assert data.target.column == "accuracy"
    assert list(data.features)[:2] == ["W", "N"]


def test_the_group_that_the_user_names(tmp_path):
    table = grid().assign(half=["a", "b"] * 12)
    assert set(added(tmp_path, table, group="half")[1].groups()) == {"a", "b"}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"target": "los"}, "did you mean 'loss'"),
        ({"features": {"N": "parms"}}, "did you mean 'params'"),
        ({"features": {"log": "params"}}, "not a legal symbol"),
        ({"group": "nowhere"}, "there is no column 'nowhere'"),
    ],
)
def test_what_the_user_names_must_be_there(tmp_path, named, message):
    with pytest.raises(InputError, match=message):
        added(tmp_path, grid(), **named)
    assert not list(tmp_path.glob("*.toml"))


def test_a_table_with_no_known_name_takes_its_numbers(tmp_path):
    table = grid(names=("alpha beta", "gamma", "loss"))
    proposal, data = added(tmp_path, table)
    assert set(data.features) == {"alpha_beta", "gamma"}
    assert any("call it N" in line for line in proposal.checks)


# ---- refusals


def test_a_card_that_is_there_is_kept(tmp_path):
    (tmp_path / "runs.toml").write_text("mine = true\n")
    with pytest.raises(InputError, match="already"):
        added(tmp_path, grid())
    assert (tmp_path / "runs.toml").read_text() == "mine = true\n"
    added(tmp_path, grid(), force=True)
    assert load_dataset(tmp_path / "runs.toml").hold_out


def test_a_card_that_does_not_load_is_not_left_behind(tmp_path, monkeypatch):
    grid().to_csv(tmp_path / "runs.csv", index=False)
    good = propose(tmp_path / "runs.csv")
    broken = Proposal(**{**good.__dict__, "card": good.card.replace("count = 24", "count = 23")})
    monkeypatch.setattr("discover.proposal.proposing.propose", lambda *_, **__: broken)
    with pytest.raises(DataError, match="24 rows remain"):
        add(tmp_path / "runs.csv")
    assert not (tmp_path / "runs.toml").exists()
    (tmp_path / "runs.toml").write_text("mine = true\n")
    with pytest.raises(DataError):
        add(tmp_path / "runs.csv", force=True)
    assert (tmp_path / "runs.toml").read_text() == "mine = true\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("params,loss\n1e8,3\n", "one row"),
        ("a,b\nx,y\nz,w\n", "no column of numbers"),
        ("params,score\n1e8,3\n1e9,2\n", "no column looks like a loss.*'params', 'score'"),
        ("params,loss\n1e8,3\n1e9,3\n", "3 in all 2 rows"),
        ("params;loss\n1e8;3\n1e9;2\n", "separated by ';'"),
        ("name,loss\na,3\nb,2\n", "no column looks like parameters"),
        ("params,loss\n1e8,\n1e9,\n", "loss"),
        ("", "empty"),
        ("params,loss,held out\n1e8,3,0\n1e9,2,1\n", "rename it"),
    ],
)
def test_tables_that_cannot_be_cards(tmp_path, text, message):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as error:
        add(path)
    assert str(path) in str(error.value)
    assert not path.with_suffix(".toml").exists()


def test_a_hold_out_needs_three_sizes_to_train_on(tmp_path):
    _, data = added(tmp_path, grid(sizes=SIZES[:3], tokens=(1e9, 2e9, 4e9, 8e9, 16e9)))
    assert data.hold_out == "D >= 1e10"  # three sizes of N cannot lose one
    proposal, data = added(tmp_path, grid(sizes=SIZES[:3], tokens=TOKENS[:3]), "few.csv")
    assert data.hold_out is None
    assert any("3 sizes" in line for line in proposal.reasons)


# ---- the public tables, raw


def raw(mirror: Path, end: str, folder: Path, *, holding: str = "") -> Path:
    """A raw public file, copied."""
    found = sorted(path for path in mirror.rglob("*") if path.is_file() and str(path).endswith(end))
    path = next(path for path in found if holding in str(path))
    return Path(shutil.copy(path, folder / path.name))


@pytest.mark.mirror
def test_public_chinchilla(mirror, tmp_path):
    _, data = add(raw(mirror, "svg_extracted_data.csv", tmp_path))
    published = load_dataset("chinchilla_epoch")
    assert data.hold_out == published.hold_out == "N >= 4e9"
    assert len(data.table) == 245
    rows = published.table.index
    assert data.table.loc[rows, "D"].to_numpy() == pytest.approx(published.table["D"].to_numpy())


@pytest.mark.mirror
def test_public_step_law(mirror, tmp_path):
    _, data = add(raw(mirror, "dense_lr_bs_loss.csv", tmp_path))
    assert kinds(data) == {"N": "size", "D": "tokens", "eta": "rate", "B": "count"}
    assert (data.target.column, len(data.table)) == ("smooth loss", 1911)


@pytest.mark.mirror
def test_public_step_law_of_experts(mirror, tmp_path):
    _, data = add(raw(mirror, "moe_lr_bs_loss.csv", tmp_path))
    assert (data.features["N"].column, data.features["B"].formula) == ("Na", "bs*seq_len")


@pytest.mark.mirror
def test_public_datablations(mirror, tmp_path):
    _, data = add(raw(mirror, "datablations_contour_losses.csv", tmp_path))
    published = load_dataset("datablations_all")
    for symbol in ("N", "D", "uD", "L"):
        assert data.table[symbol].to_numpy() == pytest.approx(published.table[symbol].to_numpy())


@pytest.mark.mirror
def test_public_fine_tuning(mirror, tmp_path):
    _, data = add(raw(mirror, "flan.csv", tmp_path, holding="Fine-tuning-Scaling-Law"))
    assert len(data.table) == 420
    assert data.features["D"].unit == "samples"
    assert data.grouped


@pytest.mark.mirror
def test_public_vocabularies(mirror, tmp_path):
    _, data = add(raw(mirror, "exp_data.csv", tmp_path))
    published = load_dataset("vocab_scaling")
    assert set(data.features) == set(published.features)
    assert data.hold_out == published.hold_out
    assert data.table["N_v"].to_numpy() == pytest.approx(published.table["N_v"].to_numpy())
    assert not data.target.positive


@pytest.mark.mirror
def test_public_routing_curves(mirror, tmp_path):
    proposal, data = add(raw(mirror, "curves.csv.gz", tmp_path))
    assert list(data.features) == ["N", "E"]
    assert data.features["N"].column == "dense_parameter_count"
    assert proposal.groups == ("router_type",)
    assert (len(data.table), data.hold_out) == (223, "N >= 1e9")


@pytest.mark.parametrize(
    ("task", "symbols", "groups"),
    [
        ("data_constrained", {"N", "D", "uD"}, ()), ("domain_mixture", {"r"}, ("domain", "group")),
        ("lr_bsz", {"N", "D", "eta", "B"}, ()), ("moe", {"N", "E"}, ()), ("parallel", {"N", "P"}, ("group",)),
        ("sft", {"D"}, ("group",)), ("vocab", {"N_nv", "V", "H"}, ()), ("easy_question", {"C"}, ("group",)),
        ("farseer", {"N", "D"}, ()),
    ],
)  # fmt: skip
@pytest.mark.mirror
def test_public_benchmark(mirror, tmp_path, task, symbols, groups):
    path = raw(mirror, "train-00000-of-00001.parquet", tmp_path, holding=f"{task}_scaling_law")
    proposal, data = add(path)
    assert set(data.features) == symbols
    assert proposal.groups == groups
    assert (data.hold_out is None) == (task == "domain_mixture")


@pytest.mark.mirror
def test_public_mixtures_beside_their_losses(mirror, tmp_path):
    folder = raw(mirror, "train_mixture_1m.csv", tmp_path)
    losses = pd.read_csv(raw(mirror, "train_pile_loss_1m.csv", tmp_path))
    _, data = added(tmp_path, pd.read_csv(folder).merge(losses, on="index"), "regmix.csv")
    assert len(data.components["r"]) == 17
    assert len(set(data.groups())) == 13
    assert len(data.table) == 512 * 13
    assert data.features["r"].tolerance == pytest.approx(0.005, abs=0.001)
