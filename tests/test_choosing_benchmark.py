"""The benchmark of choice: outer hold-outs are larger rows, rules differ as they say, and tables count data once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from discover.experiment import load_experiment
from discover.selection import Rows

# Its files find each other as those of a script do.
sys.path.append(str(Path(__file__).resolve().parents[1] / "experiments" / "benchmarks"))

import choosing
from outer import OFFICIAL, experiment_of, largest, outer_tasks
from rule_table import Outcome, far_part, geometric_mean
from rules import AVERAGE, BEST_SANE, ORACLE, OWN, RULES, Laws, arithmetic, held_out_error


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


# Outer hold-outs


def test_what_is_held_out_is_larger_and_the_official_rows_have_no_part_in_the_others() -> None:
    tasks = outer_tasks(load_experiment("quickstart"))
    assert list(tasks) == [OFFICIAL, "N 20%", "N 40%", "D 20%", "D 40%"]
    for label, task in tasks.items():
        axis = "N" if label == OFFICIAL else label.split()[0]
        assert task.training.axis == axis
        assert task.outside.columns[axis].min() > task.training.columns[axis].max()
    everything = len(tasks[OFFICIAL].training.target)
    for label in list(tasks)[1:]:
        training, outside = tasks[label].training, tasks[label].outside
        assert len(training.target) + len(outside.target) == everything
        assert outside.columns["N"].max() < tasks[OFFICIAL].outside.columns["N"].min()
        assert len(np.unique(training.columns[training.axis])) >= 4


def test_a_group_with_few_sizes_keeps_them() -> None:
    groups = np.repeat(np.array(["many", "few"], dtype=object), [10, 3])
    rows = Rows({"N": np.r_[np.arange(1.0, 11.0), 1.0, 2.0, 3.0]}, np.ones(13), {"N": "size"}, axis="N", groups=groups)
    assert rows.columns["N"][largest(rows, "N", 0.4)].tolist() == [7, 8, 9, 10]
    assert rows.columns["N"][largest(rows, "N", 0.9)].tolist() == [5, 6, 7, 8, 9, 10]  # four sizes stay


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", [name for name in choosing.ORIGINS if name.startswith("sldbench")])
def test_files_of_held_out_rows_are_never_read(name: str) -> None:
    tasks = outer_tasks(experiment_of(name))
    assert tasks
    assert OFFICIAL not in tasks
    assert all(task.dataset.of_held_out_files is None for task in tasks.values())


# Rules


ROWS = 40  # a claim costs 2 * log(40): residuals that are 9 % smaller


def _law(**changes: Any) -> dict[str, Any]:
    """What is kept of a law with equal errors everywhere, and no claims besides its constants."""
    law = {"formula": "L", "kind": "found", "name": "found_01", "constants": 3, "complexity": 5, "sane": True}
    law |= {"errors": [0.1] * 4, "first": [0.1, 0.1], "by_split": [0.1, 0.1, 0.1], "residual": 0.01}
    law |= {"beyond": [2.0, 2.0], "held_out": [3.0, 2.0]}
    return law | {"claims": changes.get("constants", 3)} | changes


def _laws(*laws: dict[str, Any], axes: int = 1) -> Laws:
    return Laws.of({"laws": list(laws), "target": [3.0, 2.0], "axes": axes, "rows": ROWS, "groups": 1})


PLAIN = _law()
PEERS = [_law(errors=[0.1 + k / 1000] * 4, beyond=[2.0 + k / 100, 2.0], constants=5) for k in range(4)]
SPREAD = [one | {"beyond": [2.0 + k / 10, 2.0]} for k, one in enumerate(PEERS[:3])][::-1]
CASES = {
    # the project's rule chooses the first law, and the changed rule the last
    "no sanity gate": [PLAIN, _law(errors=[0.01] * 4, sane=False)],
    "only the first inner hold-out": [PLAIN, _law(errors=[0.2] * 4, first=[0.05, 0.04])],
    "hold-outs as units, not sizes": [PLAIN, _law(errors=[0.2] * 4, by_split=[0.05, 0.05, 0.05])],
    # the logarithms differ by 0.58 +- 0.40; the arithmetic mean is 0.1, and its logarithm differs by 0.80 +- 0.35
    "means, not of logarithms": [_law(errors=[0.04, 0.04, 0.16, 0.16]), _law(errors=[0.045] * 4, constants=4)],
    "the simplest within one standard error": [_law(constants=4, residual=0.005), PLAIN],
    # the logarithms differ by 0.11 +- 0.07, by 0.13 +- 0.06, and by 0.04 +- 0.08
    "1 standard error": [_law(errors=[0.13, 0.105, 0.12, 0.095]), _law(constants=4)],
    "3 standard errors": [_law(constants=4), _law(errors=[0.13, 0.11, 0.12, 0.1])],
    "the lowest inner error": [_law(errors=[0.12, 0.085, 0.115, 0.1], residual=0.009), PLAIN],
    "claims are free": [PLAIN, _law(constants=4, residual=0.0097)],
    "claims cost half as much, as in BIC": [PLAIN, _law(constants=4, residual=0.0094)],
    "claims cost twice as much": [_law(constants=4, residual=0.0088), PLAIN],
    "ties and functions are free": [PLAIN, _law(constants=2, claims=4)],
    "a constant costs 10 % of the inner error": [_law(errors=[0.094] * 4, constants=4), PLAIN],
    "no agreement": [*PEERS, _law(beyond=[0.5, 0.5])],
    # the medians are 2.2 and 2.0: distances of 0.25, 0.4, 0, 0.1 and 0.2, in the first of two points
    "half agree": [_law(beyond=[2.45, 2.0], constants=4), _law(beyond=[2.6, 2.0]), *SPREAD],
    "axes as if they had rows of their own": [_law(errors=[0.13, 0.11, 0.12, 0.1]), _law(constants=4)],
    "published laws like found ones": [PLAIN, _law(kind="published", residual=0.009)],
    "no published laws": [_law(kind="published", errors=[0.05] * 4, residual=0.009), PLAIN],
    "lowest training residual": [PLAIN, _law(errors=[0.2] * 4, residual=0.001)],
    BEST_SANE: [_law(held_out=[3.1, 2.0]), _law(errors=[0.2] * 4)],
    ORACLE: [_law(held_out=[3.1, 2.0]), _law(errors=[0.2] * 4, sane=False)],
}


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(RULES) - {OWN}


@pytest.mark.parametrize("name", CASES)
def test_every_rule_differs_from_the_projects_in_what_it_says(name: str) -> None:
    laws = _laws(*CASES[name], axes=4 if "axes" in name else 1)  # a standard error is twice as wide
    assert (RULES[OWN](laws), RULES[name](laws)) == (0, len(CASES[name]) - 1)


def test_the_mean_of_arithmetic_errors_is_the_logarithm_of_their_mean() -> None:
    errors = np.array([[0.1, 0.3, 0.2], [0.1, np.inf, 0.2]])
    changed = arithmetic(np.log(errors))
    assert changed[0].mean() == pytest.approx(np.log(0.2))
    assert np.isinf(changed[1]).all()
    # A law whose errors are those of another times a number is worse by its logarithm, at every size.
    assert arithmetic(np.log(2 * errors[:1])) - changed[:1] == pytest.approx(np.log(2) * np.ones((1, 3)))


def test_what_json_has_no_word_for_is_the_worst() -> None:
    laws = _laws(_law(errors=[0.1, None, 0.1, 0.1]), _law(held_out=[None, 2.0]), _law(residual=None))
    assert np.isinf(laws.evidence.scores()).tolist() == [True, False, False]
    assert np.isinf(laws.evidence.criterion()).tolist() == [False, False, True]
    assert held_out_error(laws, OWN) == 1e3 * 0.5  # of a target with the standard deviation 0.5
    assert held_out_error(_laws(_law(sane=False)), OWN) == 1e3 * 0.5  # nothing could be chosen
    assert held_out_error(laws, ORACLE) == 0


def test_the_average_is_of_the_best_sane_laws() -> None:
    good = [_law(held_out=[3.0 + shift, 2.0]) for shift in (0.1, 0.3, -0.1)]
    laws = _laws(*good, _law(sane=False, held_out=[9.0, 2.0]), _law(held_out=[None, 2.0]))
    assert held_out_error(laws, AVERAGE) == pytest.approx(0.1 / np.sqrt(2))


# Tables


def _outcome(origin: str, own: float, free: float) -> Outcome:
    """A task on which the rule without a price of claims chooses another law than the project's."""
    plain = _law(held_out=[3.0 + own, 2.0])
    free_law = _law(held_out=[3.0 + free, 2.0], errors=[0.0999] * 4, constants=4, residual=0.0097)
    record = {"experiment": origin, "hold_out": OFFICIAL, "laws": [plain, free_law], "target": [3.0, 2.0]}
    return Outcome.of(record | {"axes": 1, "rows": ROWS, "groups": 1}, origin)


def test_hold_outs_of_the_same_measurements_have_one_vote() -> None:
    tasks = [_outcome("a", 0.1, 0.4), _outcome("a", 0.1, 0.4), _outcome("b", 0.2, 0.2)]
    mean, low, high = geometric_mean(tasks, "claims are free") or (0, 0, 0)
    assert mean == pytest.approx(2)  # of four and one; three tasks with a vote each would give 2.5
    assert (low, high) == (pytest.approx(1), pytest.approx(4))
    assert geometric_mean(tasks, OWN) == (1, 1, 1)
    assert geometric_mean([], OWN) is None


def test_choices_that_are_far_from_the_best_are_named() -> None:
    part = far_part([_outcome("near", 0.12, 0.1), _outcome("far", 0.3, 0.1)])
    ((task, _, error, _, best, times, why),) = part.rows
    assert (task, error, best, times) == ("`far`, official", "0.212", "0.0707", "3")
    assert why == "inner error 0.999, criterion higher by 5"  # 2 * log(40) - 80 * log(1 / 0.97)


def test_a_run_goes_on_and_writes_its_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, page = tmp_path / "done.jsonl", tmp_path / "page.md"
    page.write_text("# A page\n\n## Rules compared\n\nwritten before\n\n## By hand\n\nstays\n")
    arguments = ["--quick", "--finished", str(done), "--markdown", str(page)]
    choosing.main(arguments)
    records = [json.loads(line) for line in done.read_text().splitlines()]
    assert [record["hold_out"] for record in records] == [OFFICIAL, "N 20%"]
    for record in records:
        assert {law["kind"] for law in record["laws"]} == {"null", "found", "published"}
        assert (record["rows"] > 20, record["groups"]) == (True, 1)
        for law in record["laws"]:
            assert law["claims"] >= law["constants"]
            assert law["claims"] == law["constants"] or law["kind"] == "found"
            assert 0 < law["residual"] < 1
        assert all(len(law["held_out"]) == len(record["target"]) for law in record["laws"])
        assert all(len(law["by_split"]) == len(record["inner_hold_outs"]) for law in record["laws"])
    text = page.read_text()
    assert "stays" in text
    assert "written before" not in text
    assert "| **the project's rule** | 1.000 | 1.00 to 1.00 |" in text
    assert "hold-outs: 2 of 1 sets of measurements" in text
    assert "## Where the choice was far from the best" in text
    monkeypatch.setattr(choosing, "judged_laws", _never)
    choosing.main(arguments)
    assert len(done.read_text().splitlines()) == 2


def _never(*_: object) -> dict[str, Any]:
    raise AssertionError("a finished case was done again")
