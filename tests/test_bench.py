"""Benchmarks: tasks run, scored and kept, those that fail beside the others, and held-out rows out of reach."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from calling import Said, calling
from small_experiment import without_figures
from told_engines import tell_engines

from discover.bench import BenchResult, run_bench
from discover.bench_score import bench_r2
from discover.errors import CardError, InputError, Interrupted
from discover.runs import RunFolder

SIZES = np.geomspace(2e7, 3e9, 9)
CONSTANTS = {
    **{("s", "code"): (0.8, 90.0, 0.3), ("s", "web"): (1.9, 400.0, 0.35)},
    **{("t", "code"): (1.0, 110.0, 0.31), ("t", "web"): (2.1, 200.0, 0.32)},
}
DATASET = """
title = "Sizes in two corpora, losses of two domains"
labels = ["domain"]
hold_out = { files = "held_out", of = "N" }
[[files]]
path = "smaller.csv"
[[files]]
LARGER
held_out = true
[features]
N = { column = "params", kind = "size" }
[group]
columns = ["corpus", "domain"]
[target]
column = "loss"
"""
UNREACHABLE = f'url = "http://127.0.0.1:9/larger.csv"\nsha256 = "{hashlib.sha256(b"").hexdigest()}"'
EXPERIMENT = 'dataset = "DATA.toml"\nengines = ["told"]\nbudget = "1s"\nbaselines = ["constant"]\n'
BENCH = """
title = "Ours"
[columns.human]
title = "human law"
source = "Somebody 2025"
[columns.agent]
title = "agent"
source = "Somebody 2026"
[[tasks]]
name = "domains"
experiment = "domains.toml"
dimension = "domain"
published = { human = 0.5, agent = 0.9 }
[[tasks]]
name = "broken"
experiment = "broken.toml"
published = { human = 0.7 }
"""


def write(folder: Path, larger: str = 'path = "larger.csv"') -> Path:
    """A benchmark of two tasks, of which one has no data; the path of its card."""
    random = np.random.default_rng(0)
    rows = [
        (corpus, domain, size, (floor + scale / size**power) * np.exp(0.003 * random.normal()))
        for (corpus, domain), (floor, scale, power) in CONSTANTS.items()
        for size in SIZES
    ]
    table = pd.DataFrame(rows, columns=["corpus", "domain", "params", "loss"])
    table[table.params < 1e9].to_csv(folder / "smaller.csv", index=False)
    table[table.params > 1e9].to_csv(folder / "larger.csv", index=False)
    (folder / "mine.toml").write_text(DATASET.replace("LARGER", larger))
    (folder / "nothing.toml").write_text(DATASET.replace("smaller.csv", "lost.csv").replace("LARGER", larger))
    (folder / "domains.toml").write_text(EXPERIMENT.replace("DATA", "mine") + "max_constants = 3\n")
    (folder / "broken.toml").write_text(EXPERIMENT.replace("DATA", "nothing"))
    (folder / "ours.toml").write_text(BENCH)
    return folder / "ours.toml"


def tell(told: ModuleType) -> None:
    told.FORMULAS[:] = ["1.7 + 300.0*N**-0.33", "0.5 + 20.0*N**-0.1 + 30.0*N**-0.5", "20.0*N**-0.1"]


_without_figures = pytest.fixture(autouse=True)(without_figures)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BenchResult, ModuleType]]:
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        told = tell_engines(folder, patch)
        tell(told)
        without_figures(patch)
        yield run_bench(write(folder), out=folder / "out", jobs=1), told


def test_the_score_is_that_of_the_predictions_that_the_run_left(finished):
    result, _ = finished
    assert [task.task for task in result.tasks] == ["domains", "broken"]
    task = result.tasks[0]
    predictions = pd.read_csv(result.folder / task.run / "predictions.csv")
    board = pd.read_csv(result.folder / task.run / "leaderboard.csv", keep_default_na=False)
    name = board.loc[board["selected"].astype(str) == "True", "law"].iloc[0]
    held = predictions[predictions["split"] == "held_out"]
    assert len(held) == 8
    # Two output dimensions, code and web, each of two corpora.
    domains = held["group"].str.split(" / ").str[1].to_numpy()
    assert result.scores == "held-out"
    assert task.heldout_r2 == pytest.approx(bench_r2(held[name].to_numpy(), held["L"].to_numpy(), domains), rel=1e-9)
    assert task.heldout_r2 > 0.5
    assert task.heldout_r2 != pytest.approx(bench_r2(held[name].to_numpy(), held["L"].to_numpy()))
    assert 0.5 < task.inner_r2 <= 1.0


def test_the_cap_is_for_what_is_found_only(finished):
    result, _ = finished
    task = result.tasks[0]
    assert (task.formula, task.n_constants, task.cap) == ("E0 + A/N**alpha", 3, 3)
    board = pd.read_csv(result.folder / task.run / "leaderboard.csv", keep_default_na=False)
    assert board.query("kind == 'found'")["n_constants"].max() == 3  # one of the formulas has five


def test_a_task_that_fails_scores_minus_one_and_says_why(finished):
    result, _ = finished
    broken = result.tasks[1]
    assert broken.failed
    assert broken.note.endswith("lost.csv: there is no such file")
    assert result.r2(broken) == -1.0
    assert result.mean_r2 == pytest.approx((result.tasks[0].heldout_r2 - 1) / 2)


def test_the_record_has_the_published_scores_beside_ours(finished):
    result, _ = finished
    record = json.loads((result.folder / "bench.json").read_text())
    assert (record["scores"], record["note"]) == ("held-out", "")
    assert record["mean_r2"] == pytest.approx(result.mean_r2)
    assert record["published_means"] == {"human": pytest.approx(0.6), "agent": None}  # no score for one of the tasks
    first, second = record["tasks"]
    assert {"task", "r2", "formula", "n_constants", "cap", "seconds", "inner_r2"} <= set(first)
    assert (first["human"], first["agent"], second["human"], second["agent"]) == (0.5, 0.9, 0.7, None)
    assert first["r2"] == first["heldout_r2"]


def test_it_goes_on_with_what_failed_and_leaves_what_is_done(finished):
    result, told = finished
    calls = len(told.CALLS)
    folder = result.folder.parent
    (folder / "broken.toml").write_text(EXPERIMENT.replace("DATA", "mine") + 'rows = "N > 1e15"\n')
    again = run_bench(folder / "ours.toml", out=result.folder, jobs=1)
    assert again.tasks[0] == result.tasks[0]
    assert again.tasks[1].note == "experiment broken: the rule rows = 'N > 1e15' leaves no rows"
    assert len(told.CALLS) == calls
    with pytest.raises(InputError, match=r"of other settings: budget was None, and is '2s'; give another --out"):
        run_bench(folder / "ours.toml", out=result.folder, budget="2s")


def test_held_out_rows_out_of_reach_leave_inner_scores(tmp_path: Path, told: ModuleType):
    tell(told)
    said: list[str] = []
    result = run_bench(
        write(tmp_path, UNREACHABLE), tasks=["domains"], out=tmp_path / "out", jobs=1, report=said.append
    )
    (task,) = result.tasks
    assert result.scores == "inner"
    assert task.heldout_r2 is None
    assert result.mean_r2 == task.inner_r2 > 0.5
    assert "cannot be compared with the published ones" in result.as_record()["note"]
    run = RunFolder(tmp_path / "out" / task.run)
    assert any("no held-out row will be scored: http://127.0.0.1:9/larger.csv could not be" in line for line in said)
    assert "could not be downloaded" in run.manifest["unscored"]
    board = pd.read_csv(run.path / "leaderboard.csv", keep_default_na=False)
    assert (board[["heldout_rmse", "heldout_mape", "heldout_r2"]] == "").all(axis=None)
    assert board["inner_rmse"].is_monotonic_increasing
    assert not (run.path / "comparison.csv").exists()
    assert set(pd.read_csv(run.path / "predictions.csv")["split"]) == {"training"}
    assert "No held-out row was scored" in (run.path / "report.html").read_text()


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    return calling(monkeypatch, capsys)


def test_ctrl_c_keeps_what_is_done_and_the_command_goes_on(tmp_path: Path, told: ModuleType, call: Callable[..., Said]):
    tell(told)
    card = write(tmp_path)
    (tmp_path / "broken.toml").write_text(EXPERIMENT.replace("DATA", "mine") + "seeds = [1]\n")
    told.INTERRUPTED.add(1)
    with pytest.raises(Interrupted, match=r"1 of 2 tasks are done and kept: the same command with --out .*out goes on"):
        run_bench(card, out=tmp_path / "out", held_out=False, jobs=1)
    (tmp_path / "larger.csv").unlink()  # and nobody misses it
    told.INTERRUPTED.clear()
    calls = len(told.CALLS)
    said = call("bench", str(card), "--out", str(tmp_path / "out"), "--inner", "--jobs", "1", "--json")
    assert said.returncode == 0, said.stderr
    record = json.loads(said.stdout)
    assert record["scores"] == "inner"
    assert [task["failed"] for task in record["tasks"]] == [False, False]
    assert len(told.CALLS) == calls + 3
    assert len(list((tmp_path / "out" / "broken").iterdir())) == 1  # the run that was stopped went on
    shown = call("bench", str(card), "--out", str(tmp_path / "out"), "--inner", "--tasks", "domains,broken").stdout
    assert "INNER scores" in shown
    assert "human law, held-out" in shown
    assert [line.split()[0] for line in shown.splitlines() if " of " in line[:60]][:1] == ["domains"]


def test_what_is_asked_for_wrongly_is_told_at_once(tmp_path: Path, told: ModuleType):
    card = write(tmp_path)
    for options, message in (
        ({"tasks": ["domain"]}, "benchmark ours has no task 'domain': did you mean 'domains'?"),
        ({"engines": ["operom"]}, "unknown engine 'operom': did you mean 'operon'?"),
        ({"budget": "soon"}, "budget 'soon' is not one"),
    ):
        with pytest.raises((InputError, CardError), match=message.replace("?", r"\?")):
            run_bench(card, out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bench.json").write_text("[]")
    with pytest.raises(InputError, match=r"bench\.json is not what a benchmark left: give another --out"):
        run_bench(card, out=tmp_path / "out")
