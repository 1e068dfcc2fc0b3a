"""The project's own measurements: the table is what the design asks for; cards and the quickstart read it offline."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import table
from design import RESEEDED, runs
from small_experiment import without_figures

from discover.cards import find_card
from discover.dataset import Dataset, load_dataset
from discover.experiment import load_experiment
from discover.fitting import fit
from discover.hold_out import held_out_rows, training_rows
from discover.law import load_law
from discover.running import run

CARDS = ("tinylm", "tinylm_repeat", "tinylm_mixture", "tinylm_lr")
PLANNED = {run.key: run for run in runs()}
RUNS_CSV = Path(table.__file__).with_name("runs.csv")
ROWS = table.read(RUNS_CSV)
LARGEST, SECOND, THIRD = 1_575_040, 664_800, 384_880


@pytest.fixture(scope="module")
def grid() -> Dataset:
    return load_dataset("tinylm")


# ---- the table


def test_the_table_that_was_installed_is_that_of_the_checkout() -> None:
    # The tests run against the installed package where it was installed: its cards must have brought the table along.
    installed = find_card("data", "tinylm").parent / "tinylm" / "runs.csv"
    assert installed.read_bytes() == RUNS_CSV.read_bytes()


def test_every_run_of_the_design_has_its_row_and_no_other() -> None:
    assert Counter(row["key"] for row in ROWS) == Counter(list(PLANNED))


def test_a_row_says_of_its_run_what_the_design_says() -> None:
    measured = {"loss_code": 1.0, "loss_prose": 1.0, "train_loss": 1.0, "seconds": 1.0}
    for row in ROWS:
        wanted = table.row(PLANNED[row["key"]], measured)
        for column in set(table.COLUMNS) - {*measured, "status", "finished"}:
            assert row[column] == wanted[column], f"{row['key']}: {column}"
        assert float(row["uD"]) <= float(row["D"])
        assert float(row["r_code"]) + float(row["r_prose"]) == 1


def test_a_loss_is_positive_and_on_code_below_that_of_a_uniform_guess_and_a_diverged_run_has_none() -> None:
    for row in ROWS:
        losses = [row[name] for name in ("loss_code", "loss_prose", "train_loss")]
        if row["status"] == "ok":
            assert min(map(float, losses)) > 0, row["key"]
            assert float(row["loss_code"]) < np.log(256), row["key"]
        else:
            assert (row["status"], losses) == ("diverged", ["", "", ""])


def test_two_more_seeds_differ_by_little_and_not_by_nothing() -> None:
    losses: dict[tuple[int, int], list[float]] = {(size.N, 2**exponent): [] for size, exponent in RESEEDED}
    for row in ROWS:
        place = int(row["N"]), int(row["D"])
        if row["group"] in ("grid", "seed") and place in losses:
            losses[place].append(float(row["loss_code"]))
    assert {len(same) for same in losses.values()} == {3}
    deviations = [np.std(same, ddof=1) / np.mean(same) for same in losses.values()]
    assert all(1e-5 < deviation < 0.03 for deviation in deviations)


# ---- the cards
# rows, held-out rows, groups
COUNTS = {
    "tinylm": (67, 12, 0),
    "tinylm_repeat": (67 + 24, 12 + 7 + 8, 0),
    "tinylm_mixture": (2 * (67 + 40), 2 * (12 + 10), 2),
    "tinylm_lr": (67 + 24, 12 + 8, 0),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_has_its_rows_its_hold_out_and_its_groups(name: str) -> None:
    dataset = load_dataset(name)
    groups = len(set(dataset.groups())) if dataset.grouped else 0
    assert (len(dataset.table), dataset.held_out_rows().sum(), groups) == COUNTS[name]
    assert dataset.target.unit == "nats/byte"


@pytest.mark.parametrize("name", CARDS)
def test_what_is_held_out_is_larger_and_what_is_left_suffices_to_choose(name: str) -> None:
    experiment = load_experiment(name)
    dataset = experiment.load()
    held = held_out_rows(experiment, dataset)
    sizes = dataset.columns()["N"]
    assert set(sizes[held]) == {LARGEST, SECOND, *([THIRD] if name == "tinylm_repeat" else [])}
    assert sizes[~held].max() < sizes[held].min()
    rows = training_rows(dataset, held, experiment.card.hold_out)
    assert rows.axis == "N"
    assert len(rows.splits) >= 4


@pytest.mark.parametrize(
    ("name", "feature"), [("tinylm_repeat", "uD"), ("tinylm_lr", "eta"), ("tinylm_mixture", "r_prose")]
)
def test_what_a_card_adds_to_the_grid_varies_on_both_sides_of_the_hold_out(name: str, feature: str) -> None:
    dataset, held = load_dataset(name), load_dataset(name).held_out_rows()
    columns = dataset.columns()
    for side in (held, ~held):
        places: dict[tuple[float, float], set[float]] = {}
        for n, d, value in zip(columns["N"][side], columns["D"][side], columns[feature][side], strict=True):
            places.setdefault((n, d), set()).add(value)
        assert max(map(len, places.values())) >= 5


def test_ranges_are_those_of_the_design(grid: Dataset) -> None:
    columns = grid.columns()
    assert (columns["N"].min(), columns["N"].max()) == (3_516, LARGEST)
    assert (columns["D"].min(), columns["D"].max()) == (2**17, 2**24)
    repeated = load_dataset("tinylm_repeat").columns()
    assert (repeated["D"] / repeated["uD"]).max() == 16
    rates = load_dataset("tinylm_lr").columns()["eta"]
    assert rates.max() / rates.min() > 256


# ---- what the measurements say


def test_runs_are_left_out_where_a_larger_model_is_worse_among_those_that_are_not_held_out() -> None:
    losses = {(row["N"], int(row["D"]), row["uD"]): float(row["loss_code"]) for row in ROWS if row["group"] == "repeat"}
    rises: dict[int, set[bool]] = {}
    for (N, D, uD), loss in losses.items():
        if N == "13944":
            rises.setdefault(D // int(uD), set()).add(losses["83280", D, uD] > loss)
    kept = load_dataset("tinylm_repeat").table
    assert rises == {2: {False}, 4: {False}, 8: {False}, 16: {False}, 32: {True}, 64: {True}}
    assert set(kept["D"] / kept["uD"]) == {1, 2, 4, 8, 16}


def test_more_tokens_are_better_at_every_size(grid: Dataset) -> None:
    # one epoch of one text: a column that was shuffled, or a row of another run, would show here
    ordered = grid.table.sort_values(["N", "D"])
    assert (ordered.groupby("N")["L"].diff().dropna() < 0).all()


def test_chinchillas_law_has_its_exponents_and_the_coupled_one_fits(grid: Dataset) -> None:
    columns, losses = grid.columns(), grid.losses()
    plain, coupled = (fit(load_law(name), columns, losses) for name in ("hoffmann", "skaling"))
    assert 0.2 < plain.values["alpha"] < 0.6
    assert 0.2 < plain.values["beta"] < 0.6
    errors = [np.median(np.abs(np.log(one.predict(columns) / losses))) for one in (plain, coupled)]
    assert errors[0] < 0.03
    assert errors[1] < 0.01


# ---- the first command of the README


def test_the_quickstart_searches_the_measurements_and_judges_on_the_largest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr("socket.socket.connect", refuse)
    without_figures(monkeypatch)
    baselines = ["hoffmann", "constant"]
    experiment = load_experiment("quickstart").but(budget="20evals", baselines=baselines, max_constants=2)
    result = run(experiment, out=tmp_path / "runs", jobs=1)
    board = result.leaderboard.set_index("law")
    assert not result.dataset.generated
    assert {"found", "published", "null"} <= set(board["kind"])
    assert result.selected is not None
    assert board["selected"].sum() == 1
    chosen, constant = board["heldout_rmse"][board["selected"]].item(), board["heldout_rmse"]["constant"]
    assert chosen < 0.8 * constant
    predictions = pd.read_csv(result.folder.path / "predictions.csv")
    assert (predictions["N"][predictions["split"] == "held_out"]).min() == SECOND
