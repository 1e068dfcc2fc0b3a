"""The benchmarks of discovery: a law found again is recognised, a stopped run goes on, and tables are written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from discover.distil import distil
from discover.engines import Budget, Candidate
from discover.errors import EngineError, InputError
from discover.experiment import load_experiment
from discover.law import Law, load_law
from discover.law_card import Constant

# Its files find each other as those of a script do.
sys.path.append(str(Path(__file__).resolve().parents[1] / "experiments" / "benchmarks"))

import ablations
import designs
import peer_choice
import pipeline
import real
import recovery
from designs import HELD_OUT, Design, design_of
from finished import FAILED, Finished, run_cases
from forms import dense, same_form
from part import Part
from recover import LOST_IN_SEARCH, recover
from section import with_section
from truths import PUBLISHED, TRUTHS
from variants import Task

KAPLAN_NS = "(6.5e13/N)**0.077 + (2.1e3/S_min)**0.76"
GENERATED = load_experiment("quickstart").but(dataset="synthetic_chinchilla", max_constants=5)  # the truth is known


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Neither mirror nor network; designs that were made before are not those of this test."""

    def refuse(*_: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setenv("DISCOVER_MIRROR", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", refuse)
    design_of.cache_clear()
    yield
    design_of.cache_clear()


def _law(formula: str, features: list[str], constants: list[str]) -> Law:
    known = {name: Constant(range=(0.01, 1e6), positive=True, log=True) for name in constants}
    return Law("written", "Written otherwise", formula, dict.fromkeys(features, ""), known)


def _columns(rows: int = 60) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {"N": np.exp(generator.uniform(17, 23, rows)), "D": np.exp(generator.uniform(20, 26, rows))}


HOFFMANN = {"E0": 1.82, "A": 482.0, "B": 2085.0, "alpha": 0.348, "beta": 0.366}


def test_a_law_that_is_written_otherwise_is_the_same_form() -> None:
    written = _law("F + (P/N)**a + (Q/D)**b", ["N", "D"], ["F", "P", "Q", "a", "b"])
    start = {"F": 1.5, "P": 1e6, "Q": 1e6, "a": 0.3, "b": 0.3}
    assert same_form(written, start, load_law("hoffmann"), HOFFMANN, _columns())


def test_a_special_case_is_not_the_same_form() -> None:
    tied = _law("E0 + A/N**alpha + B/D**alpha", ["N", "D"], ["E0", "A", "B", "alpha"])
    values = {name: HOFFMANN[name] for name in ("E0", "A", "B", "alpha")}
    assert not same_form(tied, values, load_law("hoffmann"), HOFFMANN, _columns())
    assert not same_form(load_law("hoffmann"), HOFFMANN, tied, values, _columns())


def test_points_between_rows_keep_what_holds_of_rows() -> None:
    tokens = np.geomspace(1e8, 1e11, 30)
    points = dense({"D": tokens, "uD": tokens / np.linspace(1, 40, 30)})
    assert (points["uD"] <= points["D"] * (1 + 1e-12)).all()
    assert (points["D"].min(), points["D"].max()) == (tokens.min(), tokens.max())
    assert len(points["D"]) > 200


def test_there_are_twelve_published_laws_of_which_eight_are_short() -> None:
    constants = [len(load_law(truth.law).constants) for truth in PUBLISHED]
    assert len(constants) == 12
    assert sum(count <= 6 for count in constants) >= 8


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("truth", PUBLISHED, ids=lambda truth: truth.law)
def test_without_the_data_designs_are_generated_and_say_so(truth: object) -> None:
    design = design_of(truth)  # type: ignore[arg-type]
    assert design.generated
    assert set(design.law.columns) <= set(design.dataset.scalars)
    columns = design.dataset.columns()
    for name, (low, high) in TRUTHS[design.law.name].spans.items():
        assert low * 0.5 <= columns[name].min() < columns[name].max() <= high * 2
    assert design.dataset.losses() == pytest.approx(design.law.predict(columns, design.values), rel=1e-12)
    _assert_the_largest_are_held_out(design)


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("law", ["hoffmann", "muennighoff", "step_law_lr", "clark_saturating", "rectified_sft"])
def test_designs_are_the_features_of_datasets(law: str) -> None:
    design_of.cache_clear()
    design = design_of(TRUTHS[law])
    measured = designs._plain(designs.load_dataset(TRUTHS[law].dataset))
    assert not design.generated
    assert design.dataset.columns().keys() == measured.columns().keys()
    assert all(np.array_equal(column, measured.columns()[name]) for name, column in design.dataset.columns().items())
    _assert_the_largest_are_held_out(design)


def _assert_the_largest_are_held_out(design: Design) -> None:
    sizes, held = next(iter(design.dataset.columns().values())), design.held
    assert sizes[held].min() > sizes[~held].max()
    assert held.mean() >= HELD_OUT
    smallest = held & (sizes <= 1.01 * sizes[held].min())
    assert (held & ~smallest).mean() < HELD_OUT  # one size fewer would be too few rows


def test_noise_is_log_normal_and_a_seed_draws_the_same_at_every_size() -> None:
    design = design_of(TRUTHS["kaplan_ns"])
    truth = np.log(design.dataset.losses())
    small, large = (np.log(design.sampled(noise, 3).losses()) - truth for noise in (0.001, 0.01))
    assert large == pytest.approx(10 * small, rel=1e-6)
    assert np.std(large) == pytest.approx(0.01, rel=0.2)
    assert not np.allclose(large, np.log(design.sampled(0.01, 4).losses()) - truth)


def test_constants_that_the_card_does_not_have_are_refused() -> None:
    with pytest.raises(InputError, match=r"no constants of 'Nobody 1999', only of: Kaplan et al. 2020, Table 3"):
        design_of(replace(TRUTHS["kaplan_ns"], source="Nobody 1999"))


def _case(**changes: object) -> dict[str, object]:
    case = {"law": "kaplan_ns", "noise": 0.001, "seed": 0, "engine": "told", "budget": "1s", "max_constants": 4}
    return case | changes


def test_a_law_that_is_proposed_and_chosen_is_found_again(told: ModuleType) -> None:
    told.FORMULAS[:] = [KAPLAN_NS, "11.6*N**-0.08"]
    record = recover(_case())
    assert (record["chosen"], record["exact"], record["rank"]) == ("A/N**alpha + B/S_min**beta", True, 1)
    assert (record["proposed"], record["chosen_if_given"], record["lost"]) == (True, True, "")
    assert record["heldout_ratio"] == pytest.approx(1, rel=1e-3)  # the same form, fitted to the same rows
    assert record["measured_ratio"] == pytest.approx(1, rel=1e-4)


def test_a_law_that_nobody_proposes_may_be_chosen_as_published(told: ModuleType) -> None:
    told.FORMULAS[:] = ["1.5 + 11.6*N**-0.1", "9.0 - 0.3*log(N)"]
    record = recover(_case())
    assert (record["kind"], record["exact"], record["rank"]) == ("published", True, None)
    assert (record["proposed"], record["lost"]) == (False, "")


def test_a_law_that_nobody_proposes_is_lost_in_the_search(told: ModuleType) -> None:
    told.FORMULAS[:] = ["1.5 + 11.6*N**-0.1", "9.0 - 0.3*log(N)"]
    record = recover(_case(max_constants=3))  # the published law has four
    assert (record["same_form"], record["exact"], record["rank"]) == (False, False, None)
    assert (record["proposed"], record["chosen_if_given"], record["lost"]) == (False, True, LOST_IN_SEARCH)
    assert record["rank_given"] == 1
    assert record["heldout_ratio"] > 10  # of a noise of 0.1 %, a law that leaves S_min out
    assert 1 < record["measured_ratio"] < record["heldout_ratio"]  # the noise is in both errors


def test_recovery_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, page = tmp_path / "done.jsonl", tmp_path / "page.md"
    page.write_text("# A page\n\nBy hand.\n\n## Recovery\n\nold\n\n## Other\n\nstays\n")
    arguments = ["--quick", "--finished", str(done), "--markdown", str(page)]
    recovery.main(arguments)
    (record,) = (json.loads(line) for line in done.read_text().splitlines())
    assert (record["law"], record["exact"], record["design"]) == ("kaplan_ns", True, "kaplan_ns_design (generated)")
    text = page.read_text()
    assert "By hand." in text
    assert "stays" in text
    assert "old" not in text
    assert "| kaplan_ns | 4 | 0.1 % | 1/1 | 1/1 |" in text
    assert "Made by `python experiments/benchmarks/recovery.py --quick" in text
    monkeypatch.setattr(recovery, "recover", _never)
    recovery.main(arguments)
    assert len(done.read_text().splitlines()) == 1


def _never(*_: object, **__: object) -> None:
    raise AssertionError("a finished case was done again")


def test_a_line_that_was_cut_off_is_dropped_and_its_case_done_again(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_text('{"case": 1, "answer": 10}\n{"case": 2, "ans')
    seen = []
    records = run_cases(
        [{"case": 1}, {"case": 2}],
        lambda case: seen.append(case["case"]) or {"answer": 20},  # type: ignore[func-returns-value]
        Finished(path, ["case"]),
        jobs=1,
        say=lambda _: None,
    )
    assert (seen, [record["answer"] for record in records]) == ([2], [10, 20])
    assert [json.loads(line)["answer"] for line in path.read_text().splitlines()] == [10, 20]


def test_a_case_that_failed_says_why_and_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"

    def fails(_: object) -> dict[str, object]:
        raise EngineError("no engine here")

    (record,) = run_cases([{"case": 1}], fails, Finished(path, ["case"]), jobs=1, say=lambda _: None)
    assert record == {"case": 1, FAILED: "no engine here"}
    (record,) = run_cases([{"case": 1}], lambda _: {"answer": 1}, Finished(path, ["case"]), jobs=1, say=lambda _: None)
    assert record == {"case": 1, "answer": 1}


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_text('{"case": 1}\n{"other": 2}\n')
    with pytest.raises(InputError, match=r"done\.jsonl, line 2 is no finished case"):
        Finished(path, ["case"])


def test_a_new_section_stands_at_the_end_of_a_page() -> None:
    part = Part("one", "One", "This beside that.", {}, ("a",), [("1",)])
    assert with_section("# Page\n\n## Two\n\nsaid\n", part).startswith("# Page\n\n## Two\n\nsaid\n\n## One\n\n| a |")
    assert with_section(with_section("# Page\n", part), part) == with_section("# Page\n", part)


def test_one_split_is_the_first_of_all_also_of_some_rows() -> None:
    rows = Task.of(GENERATED).rows
    (split,) = pipeline.FirstSplit.of(rows).splits
    assert len(rows.splits) > 1
    assert np.array_equal(split.test, rows.splits[0].test)
    assert len(pipeline.FirstSplit.of(rows).part(~split.test).splits) == 1


def test_an_engine_without_ranking_is_not_given_the_first_hold_out(told: ModuleType) -> None:
    task = Task.of(GENERATED.but(engines=["told"]))
    told.ENGINE.extrapolates = True
    pipeline.candidates(task.experiment, task.dataset, task.rows, task.objective)
    pipeline.candidates(task.experiment, task.dataset, task.rows, task.objective, ranked=False)
    seen = [problem.features["N"] for _, _, problem in told.CALLS[-2:]]
    assert len(seen[0]) == len(task.rows.target)
    assert seen[1].max() < task.rows.columns["N"][task.rows.splits[0].test].min()


def test_without_a_refit_a_law_keeps_the_constants_that_were_found() -> None:
    task = Task.of(GENERATED)
    texts = ["1.9 + 400.0*N**-0.33 + 1900.0*D**-0.36", "3.0 + 400.0*N**-0.33", "20.0*N**-0.1"]
    proposed = distil([Candidate(text, 9, 0.1, "told", 0) for text in texts], task.dataset.meanings)
    chosen = pipeline.judged_as_found(proposed, pipeline.FirstSplit.of(task.rows), task.objective)
    assert chosen is not None
    at = {"N": np.array([1e9]), "D": np.array([2e10])}
    wanted = 1.9 + 400 * 1e9**-0.33 + 1900 * 2e10**-0.36
    assert chosen.fit.predict(at) == pytest.approx(wanted, rel=1e-9)


def test_ablations_stand_beside_the_best_published_law(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = tmp_path / "done.jsonl"
    ablations.main(["--quick", "--finished", str(done), "--variants", "no refit", "gplearn"])
    records = {record["variant"]: record for record in map(json.loads, done.read_text().splitlines())}
    full, as_found = records["full"], records["no refit"]
    assert full["published"] == "hoffmann"
    ratios = [record["heldout_rmse"] / full["published_rmse"] for record in (full, as_found)]
    assert "is seconds, as 60s, not 40evals" in records["gplearn"][FAILED]
    shown = capsys.readouterr().out
    assert "| experiment | best published | full | no refit | gplearn |" in shown
    assert all(f"| {ratio:.3g} (" in shown for ratio in ratios)
    assert f"| **geometric mean** |  | {ratios[0]:.3g} | {ratios[1]:.3g} | - |" in shown


def test_an_interpreter_without_gplearn_is_an_error_that_names_it(tmp_path: Path) -> None:
    task, failing = Task.of(GENERATED), tmp_path / "python"
    failing.write_text("#!/bin/sh\necho ModuleNotFoundError: no gplearn >&2\nexit 1\n")
    failing.chmod(0o755)
    for python, reason in (
        ("no-such-python", "cannot be run"),
        (str(failing), "said: ModuleNotFoundError: no gplearn"),
    ):
        with pytest.raises(EngineError, match=f"{python} {reason}"):
            peer_choice.measure(task.rows, task.dataset, task.held, Budget(seconds=1.0), 0, python)


def test_real_data_show_the_chosen_law_beside_the_best_published_one(tmp_path: Path) -> None:
    done, page = tmp_path / "done.jsonl", tmp_path / "page.md"
    options = ["--quick", "--finished", str(done), "--markdown", str(page), "--out", str(tmp_path / "runs")]
    real.main(options)
    (record,) = (json.loads(line) for line in done.read_text().splitlines())
    assert record["published"] == "hoffmann"
    assert record["ratio"] == pytest.approx(record["heldout_rmse"] / record["published_rmse"], rel=1e-9)
    assert record["low"] <= record["difference"] <= record["high"]
    assert record["difference"] == pytest.approx(record["heldout_rmse"] - record["published_rmse"], rel=1e-9)
    line = next(line for line in page.read_text().splitlines() if line.startswith("| `quickstart` |"))
    assert f"`{record['formula']}`" in line
    assert f"| {record['ratio']:.3g} |" in line
