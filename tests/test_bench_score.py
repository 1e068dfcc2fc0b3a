"""The score of a benchmark, against numbers worked out by hand; its card, against the means that were published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import r2_score

from discover.bench_card import find_bench, load_bench
from discover.bench_score import bench_r2
from discover.errors import CardError, InputError
from discover.experiment import load_experiment

CARD = """
title = "Ours"
[columns.human]
title = "human law"
source = "Somebody 2025"
[[tasks]]
name = "one"
experiment = "quickstart"
published = { human = 0.5 }
"""


def test_one_dimension_is_the_plain_r2():
    # Errors 0, 0, 1: a mean square of 1/3; the variance of 1, 2, 3 is 2/3.
    assert bench_r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(0.5)
    random = np.random.default_rng(0)
    target = random.normal(size=40)
    prediction = target + 0.3 * random.normal(size=40)
    assert bench_r2(prediction, target) == pytest.approx(r2_score(target, prediction))


def test_the_ratios_of_dimensions_are_averaged_and_groups_are_concatenated():
    # Dimension a: errors 0, 0, 1 of 1, 2, 3, a ratio of 1/2. Dimension b: errors 2, 2 of 0, 40: 4/400. Mean 0.255.
    target = np.array([1.0, 0.0, 2.0, 40.0, 3.0])
    prediction = np.array([1.0, 2.0, 2.0, 42.0, 4.0])
    assert bench_r2(prediction, target, np.array(["a", "b", "a", "b", "a"], dtype=object)) == pytest.approx(1 - 0.255)
    # In one, errors 0, 2, 0, 2, 1 have a mean square of 9/5, and the variance is 1614/5 - (46/5)**2.
    assert bench_r2(prediction, target) == pytest.approx(1 - 1.8 / (1614 / 5 - 9.2**2))


def test_no_score_is_below_minus_one_and_no_number_is_minus_one():
    target = np.array([1.0, 2.0, 3.0])
    assert bench_r2(np.array([3.0, 3.0, 3.0]), target) == -1.0  # 1 - (5/3)/(2/3) = -1.5
    assert bench_r2(target[::-1] * 1e200, target) == -1.0
    for wrong in (np.nan, np.inf):
        assert bench_r2(np.array([1.0, 2.0, wrong]), target) == -1.0


def test_a_target_that_does_not_vary_has_no_r2():
    with pytest.raises(InputError, match="the 2 targets of b are all the same: there is no R2"):
        bench_r2(np.ones(4), np.array([1.0, 2.0, 3.0, 3.0]), np.array(["a", "a", "b", "b"]))


def test_the_published_columns_have_the_means_that_were_published():
    card = load_bench("sldbench")
    scores = {name: [task.published[name] for task in card.tasks] for name in ("human", "sldagent_gpt5", "nai_v9")}
    assert {name: round(float(np.mean(column)), 3) for name, column in scores.items()} == {
        "human": 0.516,  # printed as 0.517: the mean of unrounded scores
        "sldagent_gpt5": 0.748,
        "nai_v9": 0.706,
    }


def test_the_tasks_are_experiments_with_the_caps_of_the_benchmark():
    caps = {task.name: load_experiment(task.experiment).card.max_constants for task in load_bench("sldbench").tasks}
    assert caps == {
        **{"parallel": 4, "vocab": 7, "sft": 4, "domain_mixture": 7},
        **{"moe": 6, "data_constrained": 7, "lr_bsz": None, "easy_question": 6},
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("human = 0.5", "humans = 0.5", "tasks: one: published scores of 'humans': did you mean 'human'"),
        ("[[tasks]]", '[[tasks]]\nname = "one"\nexperiment = "moe"\n[[tasks]]', "two of them are called 'one'"),
        ("experiment =", "experiments =", "unknown key 'tasks.0.experiments': did you mean 'experiment'"),
    ],
)
def test_a_wrong_card_is_told(tmp_path: Path, old: str, new: str, message: str):
    (tmp_path / "ours.toml").write_text(CARD)
    assert load_bench(tmp_path / "ours.toml").tasks[0].published == {"human": 0.5}
    (tmp_path / "ours.toml").write_text(CARD.replace(old, new))
    with pytest.raises(CardError, match=message):
        load_bench(tmp_path / "ours.toml")


def test_a_benchmark_is_found_by_name_among_ones_own_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "ours.toml").write_text(CARD)
    with pytest.raises(InputError, match="unknown benchmark 'ours': legal are: sldbench"):
        find_bench("ours")
    monkeypatch.setenv("DISCOVER_PATH", str(tmp_path))
    assert find_bench("ours") == tmp_path / "benchmarks" / "ours.toml"
    with pytest.raises(InputError, match="there is no card of a benchmark at nowhere"):
        find_bench("nowhere.toml")
