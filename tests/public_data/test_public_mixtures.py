"""The public datasets against the raw files, which are read here with pandas alone: data mixtures."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from public import CARDS, loaded, raw

pytestmark = [pytest.mark.mirror, pytest.mark.usefixtures("mirror")]


# ---- mixtures
@cache
def lines(path: Path) -> pd.DataFrame:
    """The lines of Ye et al.: checkpoint, validation file, loss; split by pandas."""
    table = pd.read_csv(path, sep="\t", header=None, names=["checkpoint", "file", "loss"])
    checkpoint = table["checkpoint"].str.rstrip("/")
    table["step"] = pd.to_numeric(checkpoint.str.extract(r"/(\d+)$")[0])
    table["run"] = checkpoint.str.replace(r"/(\d+|last)$", "", regex=True).str.rsplit("/", n=1).str[-1]
    table["domain"] = table["file"].str.replace(r"\.valid\.bin$|\.bin$", "", regex=True).str.split(r"[./]").str[-1]
    return table


def all_lines(mirror: Path, name: str) -> pd.DataFrame:
    paths = [mirror / str(file.url).removeprefix("https://") for file in CARDS[name].files]
    return pd.concat([lines(path).assign(model=path.stem) for path in paths], ignore_index=True)


def pile_weights(mirror: Path) -> pd.Series:
    average = CARDS["mixinglaws_5mix"].average
    assert average is not None
    assert average.weights is not None
    path = mirror / str(average.weights.url).removeprefix("https://")
    return pd.Series(json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("name", "step", "count"),
    [
        ("mixinglaws_2mix", 30_000, 20),
        ("mixinglaws_3mix", 60_000, 123),
        ("mixinglaws_redpajama_domains", 30_000, 2266),
    ],
)
def test_lines_of_mixing_laws_at_the_last_step(mirror: Path, name: str, step: int, count: int) -> None:
    table = all_lines(mirror, name)
    final = table[table["step"] == step].drop_duplicates(["model", "checkpoint", "file", "loss"])
    assert len(final) == count
    assert sorted(loaded(name).losses()) == sorted(final["loss"])


def test_the_weights_of_the_pile_sum_to_one_over_its_22_subsets(mirror: Path) -> None:
    weights = pile_weights(mirror)
    assert len(weights) == 22
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    for name in ("mixinglaws_5mix", "mixinglaws_5mix_sizes"):
        average = CARDS[name].average
        assert average is not None
        members = [member for part in average.parts.values() for member in part]
        assert sorted(members) == sorted(weights.index), "each subset is in one domain"


def test_five_domains_are_the_weighted_means_of_their_subsets(mirror: Path) -> None:
    table = all_lines(mirror, "mixinglaws_5mix")
    final = table[table["step"] == 30_000]
    assert len(final) == 4 * 26 * 22
    dataset = loaded("mixinglaws_5mix")
    weights, average = pile_weights(mirror), CARDS["mixinglaws_5mix"].average
    assert average is not None
    found = dataset.table.set_index(["group", "mixture"])["L"]
    for (model, run), rows in final.groupby(["model", "run"]):
        losses = rows.set_index("domain")["loss"]
        for domain, members in average.parts.items():
            mean = np.average(losses[members], weights=weights[members])
            assert found[(f"{model} / {domain}", run.split("-", 1)[1])] == pytest.approx(mean, rel=1e-12)


def test_five_domains_agree_with_the_benchmarks_copy_of_them() -> None:
    own, bench = loaded("mixinglaws_5mix"), loaded("sldbench_domain_mixture")
    shares = [f"r_{part}" for part in own.components["r"]]
    assert own.components == bench.components
    both = own.table.merge(bench.table, on=["group", *shares], suffixes=("", "_bench"))
    assert len(both) == len(bench.table) == 400
    assert (both["L"] - both["L_bench"]).abs().max() < 1e-6
    # the six mixtures that the card holds out are those which the benchmark's training file does not have
    held_out = set(own.table.loc[own.held_out_rows(), "mixture"])
    assert held_out == set(own.table["mixture"]) - set(both["mixture"])
    assert len(held_out) == 6


def test_red_pajama_has_a_large_model_that_the_cards_leave_out(mirror: Path) -> None:
    names = [str(file.url) for file in CARDS["mixinglaws_redpajama"].files]
    large = lines(mirror / names[0].removeprefix("https://").replace("70M", "1B"))
    assert len(large) == 1475
    assert len(large.drop_duplicates(["checkpoint", "file", "loss"])) == 660
    assert (large.drop_duplicates(["checkpoint", "file", "loss"])["step"] == 30_000).sum() == 2288 - 2266
    small = all_lines(mirror, "mixinglaws_redpajama")
    assert small.duplicated(["model", "checkpoint", "file", "loss"]).sum() == 86
    assert "86 lines" in CARDS["mixinglaws_redpajama"].notes.replace("\n", " ")


def test_red_pajamas_mean_loss_is_over_22_subsets(mirror: Path) -> None:
    table = all_lines(mirror, "mixinglaws_redpajama")
    final = table[table["step"] == 30_000].drop_duplicates(["model", "run", "domain"])
    weights = pile_weights(mirror)
    means = final.groupby(["model", "run"])[["domain", "loss"]].apply(
        lambda rows: float(rows.set_index("domain")["loss"] @ weights.loc[rows["domain"].to_numpy()])
    )
    assert sorted(loaded("mixinglaws_redpajama").losses()) == pytest.approx(sorted(means), rel=1e-12)
    # one mixture has a digit too many, and is divided by its sum
    ratios = final["run"].str.split("-", n=1).str[1].str.split("-", expand=True).astype(float).sum(axis=1)
    odd = final[(ratios - 1).abs() > 1e-9]
    assert set(odd["run"].str.extract(r"RP_(\d+)-")[0]) == {"999"}
    assert ratios[odd.index].unique() == pytest.approx([1.0199], abs=5e-5)


def test_continual_training_has_1173_lines_and_its_start_is_left_out(mirror: Path) -> None:
    table = all_lines(mirror, "mixinglaws_ct")
    assert len(table) == 1174
    unique = table.drop_duplicates(["checkpoint", "file", "loss"])
    assert len(unique) == 1173
    assert (unique["run"] == "pythia_70m_step20000").sum() == 23
    assert len(unique) - 23 == 5 * 10 * 23
    python = unique[(unique["domain"] == "python") & unique["step"].notna()]
    dataset = loaded("mixinglaws_ct")
    chosen = dataset.groups() == "Python"
    assert sorted(dataset.losses(chosen)) == sorted(python["loss"])


@pytest.mark.parametrize(
    ("name", "number", "count"),
    [("regmix_1m", 0, 512), ("regmix_1m", 2, 256), ("regmix_60m", 0, 256), ("regmix_1b", 0, 64)],
)
def test_regmix_has_its_mixtures_of_17_domains_and_13_losses(mirror: Path, name: str, number: int, count: int) -> None:
    shares, losses = (raw(mirror, name, place).set_index("index") for place in (number, number + 1))
    assert shares.shape == (count, 17)
    assert losses.shape == (count, 13)
    assert shares.sum(axis=1).between(0.9959, 1.0031).all()
    dataset = loaded(name)
    one = dataset.groups() == "pile_cc"
    assert len(dataset.components["r"]) == 17
    column = losses.loc[shares.index, "metric/the_pile_pile_cc_val_loss"].tolist()
    start = 0 if number == 0 else 512
    assert dataset.losses(one)[start : start + count].tolist() == column
    own = dataset.table.loc[one, "r_pile_cc"].to_numpy()[start : start + count]
    assert own.tolist() == shares["train_the_pile_pile_cc"].tolist()


def test_regmix_trains_the_same_256_mixtures_at_two_sizes(mirror: Path) -> None:
    pd.testing.assert_frame_equal(raw(mirror, "regmix_1m", 2), raw(mirror, "regmix_60m", 0))
