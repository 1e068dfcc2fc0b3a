"""Cards proposed for tables as people have them. The user's word, refusals, and the public tables raw."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from proposed import SIZES, TOKENS, added, grid, kinds

from discover.dataset import load_dataset
from discover.errors import DataError, InputError
from discover.proposal import Proposal, add, propose


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
