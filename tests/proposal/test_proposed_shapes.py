"""Cards proposed for tables as people have them. Wide tables, mixtures and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from proposed import SIZES, added, grid, kinds

from discover.errors import DataError


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
