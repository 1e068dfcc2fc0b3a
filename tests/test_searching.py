"""What engines are given to search, and how many constants a found law may have."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from small_experiment import write
from test_experiment_of_groups import GROUPED, a_grouped_table

from discover.engines import Candidate
from discover.experiment import Experiment, load_experiment
from discover.hold_out import held_out_rows, training_rows
from discover.runs import RunFolder
from discover.searching import Setup, max_constants, problems, ready_engines, searches_of
from discover.selection import Rows


def a_setup(path: Path) -> Setup:
    experiment = load_experiment(path)
    dataset = experiment.load()
    rows = training_rows(dataset, held_out_rows(experiment, dataset), None)
    objective = experiment.objective(dataset, rows.target)
    return Setup(experiment, dataset, rows, objective, [], RunFolder(path.parent), 1, lambda message: None)


def an_engine(*, grouped: bool = False, extrapolates: bool = False) -> SimpleNamespace:
    return SimpleNamespace(name="mine", grouped=grouped, extrapolates=extrapolates)


def test_an_engine_that_ranks_by_inner_hold_outs_is_given_all_training_rows_and_these(tmp_path: Path) -> None:
    setup = a_setup(write(tmp_path))
    ((part, problem),) = problems(setup, an_engine(grouped=True, extrapolates=True), 3)
    assert (part, problem.seed) == ("", 3)
    assert problem.features["N"].max() == 8e8  # 1e9 and more are held out
    assert [split.name for split in problem.splits] == [split.name for split in setup.rows.splits]
    ((_, other),) = problems(setup, an_engine(grouped=True), 3)
    assert other.features["N"].max() == 5e8  # 8e8 is the first inner hold-out
    assert other.splits == ()


def in_groups(folder: Path, largest: int = 7) -> Setup:
    """Five groups of 7, of `largest`, and of 6, 5 and 4 training rows."""
    table = a_grouped_table()
    web = table[table.domain == "web"].reset_index(drop=True)
    rows = [web.assign(domain="a"), web.assign(domain="b")[lambda t: (t.index < largest) | (t.params >= 1e9)]]
    rows += [web.assign(domain=name).iloc[cut:] for name, cut in (("c", 1), ("d", 2), ("e", 3))]
    (folder / "runs.csv").write_text(pd.concat(rows).to_csv(index=False))
    (folder / "mine.toml").write_text(GROUPED)
    (folder / "first.toml").write_text('dataset = "mine.toml"\nbudget = "30s"\n')
    return a_setup(folder / "first.toml")


def test_groups_with_many_rows_and_with_few_are_searched(tmp_path: Path) -> None:
    setup = in_groups(tmp_path)
    ((_, together),) = problems(setup, an_engine(grouped=True, extrapolates=True), 0)
    assert list(dict.fromkeys(together.groups)) == ["a", "c", "e"]
    assert together.budget.seconds == 30
    assert all(len(split.train) == len(together.target) for split in together.splits)
    apart = list(problems(setup, an_engine(), 0))
    assert [part for part, _ in apart] == ["-group1", "-group2", "-group3"]
    assert [problem.budget.seconds for _, problem in apart] == [10, 10, 10]
    assert all(problem.groups is None for _, problem in apart)


def test_a_group_with_too_few_sizes_to_be_split_is_not_searched(tmp_path: Path) -> None:
    setup = in_groups(tmp_path, largest=2)
    assert (setup.rows.of_group("b")).sum() == 2
    ((_, together),) = problems(setup, an_engine(grouped=True, extrapolates=True), 0)
    assert "b" not in together.groups


def rows_of(features: int, rows: int, groups: int = 1) -> Rows:
    columns = {f"x{k}": np.linspace(1, 2, rows * groups) for k in range(features)}
    labels = np.repeat([f"g{k}" for k in range(groups)], rows)
    return Rows(columns, np.ones(rows * groups), dict.fromkeys(columns, "size"), "x0", groups=labels)


@pytest.mark.parametrize(
    ("features", "rows", "most"),
    [
        (1, 100, 7),  # 5, and 2 for each feature
        (2, 100, 9),
        (8, 100, 15),  # no more, however many features
        (4, 16, 8),  # two rows for each constant
        (4, 6, 5),  # but 5 in any case
    ],
)
def test_more_features_and_more_rows_allow_more_constants(tmp_path, features, rows, most) -> None:
    experiment = Experiment("mine", load_experiment(write(tmp_path)).card, tmp_path)
    assert max_constants(experiment, rows_of(features, rows)) == most
    assert max_constants(experiment, rows_of(features, rows, groups=3)) == most  # the rows of one group count
    assert max_constants(experiment.but(max_constants=3), rows_of(features, rows)) == 3


def test_engines_that_can_be_guided_come_last_whatever_the_card_says(told, monkeypatch) -> None:
    import absent_engine

    monkeypatch.setattr(absent_engine.ENGINE, "guided", True, raising=False)
    engines, without = ready_engines(["absent", "told"])
    assert [engine.name for engine in engines] == ["told", "absent"]
    assert without == []


def test_a_search_that_found_nothing_counts_as_one(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert searches_of(folder) == []
    counts = {"told-0-group1": 0, "told-0-group2": 0, "told-1": 0, "operon-2": 7}
    folder.update(searches={name: {"candidates": count} for name, count in counts.items()})
    for seed in (20_000, 20_001):
        folder.append_candidate(Candidate("N", 1, 0.1, "operon", seed))
    # Operon's short searches have seeds of their own; the groups of one search are one.
    assert searches_of(folder) == ["operon-20000", "operon-20001", "told-0", "told-1"]
