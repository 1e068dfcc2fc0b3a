"""The design: what it must cover to be a scaling law's data, and what it must not do twice."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from design import CONTEXT, GROUPS, RESEEDED, SIZES, Run, Size, learning_rate, runs

RUNS = runs()
GRID = [run for run in RUNS if run.group == "grid"]
TRAINING_CODE = 23_658_210  # bytes
TRAINING_PROSE = 2_552_586


def test_no_run_stands_twice_and_every_group_has_some() -> None:
    assert len({run.key for run in RUNS}) == len(RUNS)
    assert {run.group for run in RUNS} == set(GROUPS)
    assert 140 <= len(RUNS) <= 200


def test_sizes_span_three_decades_evenly() -> None:
    N = np.array([size.N for size in SIZES])
    assert len(N) >= 8
    assert N[0] < 4e3
    assert N[-1] > 1.5e6
    assert np.all((np.diff(np.log(N)) > np.log(1.5)) & (np.diff(np.log(N)) < np.log(3)))


def test_a_size_of_gpt2_has_the_count_of_kaplan() -> None:
    # Kaplan et al. 2020, table 1: 12 * layers * width**2 = 85M for 12 layers of width 768, without norms.
    size = Size(12, 768)
    assert size.N - (2 * 12 + 1) * 768 == 84_934_656
    assert size.N_embedding == 256 * 768


def test_every_size_has_tokens_enough_for_a_law_and_the_largest_two_at_least_four() -> None:
    tokens = defaultdict(set)
    for run in GRID:
        tokens[run.size].add(run.D)
    assert set(tokens) == set(SIZES)
    assert all(len(of_size) >= 4 for of_size in tokens.values())
    assert {2**exponent for exponent in range(17, 25)} == set.union(*tokens.values())


def test_the_grid_is_one_epoch_of_code() -> None:
    assert all(run.uD == run.D <= TRAINING_CODE and run.prose == 0 and run.seed == 0 for run in GRID)


def test_no_source_is_asked_for_more_unique_tokens_than_there_are() -> None:
    assert max(run.uD * run.prose for run in RUNS) <= TRAINING_PROSE
    assert max(run.uD * (1 - run.prose) for run in RUNS) <= TRAINING_CODE


def test_tokens_are_whole_blocks() -> None:
    for run in RUNS:
        assert run.D % CONTEXT == run.uD % CONTEXT == 0
        assert (run.uD * run.prose / CONTEXT).is_integer()


@pytest.mark.parametrize("group", ["mixture", "repeat", "lr", "seed"])
def test_each_other_run_differs_from_a_run_of_the_grid_in_one_thing(group: str) -> None:
    grid = {(run.size, run.D): run for run in GRID}
    for run in (run for run in RUNS if run.group == group):
        plain = grid[run.size, run.D]
        changed = [name for name in ("uD", "prose", "lr", "seed") if getattr(run, name) != getattr(plain, name)]
        assert changed == [{"mixture": "prose", "repeat": "uD", "lr": "lr", "seed": "seed"}[group]], run.key


def test_unique_tokens_go_down_to_a_fiftieth() -> None:
    assert min(run.uD / run.D for run in RUNS) <= 1 / 50


def test_learning_rates_are_swept_in_factors_of_two_around_the_rule() -> None:
    swept = defaultdict(list)
    for run in RUNS:
        if run.group == "lr":
            swept[run.size, run.D].append(run.lr / learning_rate(run.size, run.D))
    assert len(swept) >= 2
    for factors in swept.values():
        powers = np.log2(sorted([*factors, 1.0]))
        assert powers == pytest.approx(np.arange(len(powers)) - (len(powers) - 1) / 2, abs=0.01)


def test_seeds_are_three_at_each_of_their_points() -> None:
    seeds = Counter((run.size, run.D) for run in RUNS if run.group in ("grid", "seed"))
    assert sorted(key for key, count in seeds.items() if count == 3) == sorted((size, 2**e) for size, e in RESEEDED)


def test_a_run_has_a_few_hundred_steps_and_no_run_has_thousands_of_tiny_ones() -> None:
    assert min(run.steps for run in RUNS) >= 200
    assert max(run.steps for run in RUNS) <= 3_000
    assert all((run.steps - 1) * run.batch * CONTEXT < run.D <= run.steps * run.batch * CONTEXT for run in RUNS)


def test_the_grid_comes_first_and_a_part_of_it_has_dear_and_cheap_runs() -> None:
    assert [run.group for run in RUNS] == [group for group in GROUPS for run in RUNS if run.group == group]
    first = GRID[:10]
    assert {first[0].key, first[1].key} == {max(GRID, key=_seconds).key, min(GRID, key=_seconds).key}
    assert sum(map(_seconds, first[::2])) > 10 * sum(map(_seconds, first[1::2]))


def test_it_takes_about_200_core_minutes() -> None:
    assert 100 * 60 < sum(run.seconds for run in RUNS) < 260 * 60


def _seconds(run: Run) -> float:
    return run.seconds
