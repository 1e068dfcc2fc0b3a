"""The engine `pysr`: what is made of what PySR leaves, and how its process ends; live where there is a Julia."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from pysr_search import gone, make_problem, on_the_stand_in, seen, two_domains

from discover.engines import Budget, Candidate, SearchProblem, load_engine
from discover.engines.pysr import ENGINE
from discover.engines.pysr.loss import elementwise_loss, loss_factor
from discover.errors import EngineError
from discover.formula import parse
from discover.objective import Objective


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return on_the_stand_in(monkeypatch)


# The search, on the stand-in for Julia


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[SearchProblem, list[Candidate], Path]:
    """A search that has ended: the problem, the candidates, and the folder."""
    folder = tmp_path_factory.mktemp("engines") / "pysr-7"
    problem = make_problem(folder=folder, seed=7, threads=2)
    with pytest.MonkeyPatch.context() as patch:
        on_the_stand_in(patch)
        return problem, list(ENGINE.search(problem)), folder


def test_candidates_are_in_the_units_of_the_dataset(finished: tuple[SearchProblem, list[Candidate], Path]) -> None:
    problem, found, folder = finished
    # NaN, an unknown function and an equation larger than was asked for are not among them.
    assert [candidate.complexity for candidate in found] == [1, 5]
    assert {(candidate.engine, candidate.seed) for candidate in found} == {("pysr", 7)}
    expression = parse(found[1].formula, features=["N", "D"], constants=())
    assert problem.scales["N"] == 1e8
    assert float(expression.subs(parse("N", features=["N"]), 3e8)) == pytest.approx(3.0**-0.1, rel=1e-12)
    # The loss is the objective's again, not that times the factor.
    assert found[1].loss == pytest.approx(0.2 / loss_factor(problem), rel=1e-12)
    (refused,) = folder.rglob("refused.txt")
    assert refused.read_text() == "sin(x_N)\n"


def test_pysr_is_given_features_in_units(finished: tuple[SearchProblem, list[Candidate], Path]) -> None:
    problem, _, folder = finished
    given = seen(folder)
    assert given["names"] == ["x_N", "x_D"]
    assert given["threads"] == "2"
    assert given["precision"] == "float64"
    assert problem.scales == {"N": 1e8, "D": 1e10}
    np.testing.assert_array_equal(given["x"], [problem.features["N"] / 1e8, problem.features["D"] / 1e10])


def test_julia_is_given_the_loss_the_operators_and_the_budget(
    finished: tuple[SearchProblem, list[Candidate], Path],
) -> None:
    problem, _, folder = finished
    given = seen(folder)
    assert elementwise_loss(problem.objective, loss_factor(problem)) in given["said"]
    assert {"+", "-", "*", "/", "^", "log", "exp"} <= set(given["said"])
    expected = {"timeout_in_seconds": 5.0, "deterministic": False, "maxsize": 25}
    assert {name: given["options"][name] for name in expected} == expected


def test_no_pickle_is_left(finished: tuple[SearchProblem, list[Candidate], Path]) -> None:
    names = {path.name for path in finished[2].rglob("*") if path.is_file()}
    assert {"hall_of_fame.csv", "log.txt", "request.json"} <= names
    assert not any("pkl" in name for name in names)


def test_without_a_folder_nothing_is_left(
    stand_in: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert list(ENGINE.search(make_problem()))
    assert not list(tmp_path.iterdir())


def test_two_searches_in_one_folder_do_not_meet(stand_in: Callable[..., None], tmp_path: Path) -> None:
    for _ in range(2):
        list(ENGINE.search(make_problem(folder=tmp_path)))
    assert len(list(tmp_path.rglob("hall_of_fame.csv"))) == 2


def test_candidates_come_while_julia_searches(stand_in: Callable[..., None], tmp_path: Path) -> None:
    stand_in(seconds=2.0)
    times = []
    found = []
    for candidate in ENGINE.search(make_problem(folder=tmp_path)):
        found.append(candidate)
        times.append(time.monotonic())
    ended = time.monotonic()
    assert len(found) == 2  # once each: their constants did not change
    assert ended - times[-1] > 0.7


def test_ctrl_c_keeps_what_was_found(stand_in: Callable[..., None], tmp_path: Path) -> None:
    stand_in("endless")
    found: list[Candidate] = []

    def interrupt_when_it_runs() -> None:
        while not list(tmp_path.glob("search-*/hall_of_fame.csv.bak")):
            time.sleep(0.05)
        _thread.interrupt_main()

    threading.Thread(target=interrupt_when_it_runs, daemon=True).start()
    search = ENGINE.search(make_problem(Budget(evaluations=1000), folder=tmp_path))
    with pytest.raises(KeyboardInterrupt):
        found.extend(search)  # a list keeps what it was given before the exception
    assert len(found) == 2
    assert gone(seen(tmp_path)["process"])


def test_a_search_that_is_left_ends_its_process(stand_in: Callable[..., None], tmp_path: Path) -> None:
    stand_in("endless")
    search: Iterator[Candidate] = ENGINE.search(make_problem(folder=tmp_path))
    next(search)
    process = seen(tmp_path)["process"]
    assert not gone(process)
    search.close()  # type: ignore[attr-defined]
    assert gone(process)


@pytest.mark.skipif(os.name != "posix", reason="a process ends with its parent on POSIX only")
def test_the_search_ends_when_its_parent_is_killed(stand_in: Callable[..., None], tmp_path: Path) -> None:
    stand_in("endless")
    script = f"""
        import numpy as np
        from discover.engines import Budget, SearchProblem, load_engine
        from discover.fitting import Objective
        from pathlib import Path
        n = np.logspace(7, 9, 9)
        problem = SearchProblem({{"N": n}}, 2 + 1 / n, Objective(), Budget(seconds=60), folder=Path({str(tmp_path)!r}))
        for candidate in load_engine("pysr").search(problem):
            print(candidate, flush=True)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert "Candidate" in parent.stdout.readline()
        process = seen(tmp_path)["process"]
        parent.kill()
    end = time.monotonic() + 10
    while not gone(process) and time.monotonic() < end:
        time.sleep(0.1)
    assert gone(process)


def test_an_error_in_julia_is_one_sentence_after_what_was_found(stand_in: Callable[..., None], tmp_path: Path) -> None:
    stand_in("fails")
    found: list[Candidate] = []
    with pytest.raises(EngineError) as caught:
        found.extend(ENGINE.search(make_problem(folder=tmp_path)))
    assert len(found) == 2
    message = str(caught.value)
    assert "status 1: juliacall.JuliaError: Task failed for population (all that it said is in " in message
    assert "\n" not in message


def test_a_crash_of_julia_is_an_error(stand_in: Callable[..., None]) -> None:
    stand_in("dies")
    with pytest.raises(EngineError, match=r"status -9: signal 11 \(1\): Segmentation fault\Z"):
        list(ENGINE.search(make_problem()))


def test_pysr_that_refuses_its_input_is_an_error(stand_in: Callable[..., None]) -> None:
    problem = make_problem()
    problem.features["N"][0] = np.nan
    with pytest.raises(EngineError, match=r"ValueError: Input X contains NaN"):
        list(ENGINE.search(problem))


# Without Julia


def test_without_julia_the_engine_says_what_to_do_at_once(tmp_path: Path) -> None:
    script = """
        import sys, time
        import numpy as np
        from discover.engines import Budget, SearchProblem, load_engine
        from discover.errors import EngineError
        from discover.fitting import Objective
        engine = load_engine("pysr")
        problem = SearchProblem({"N": np.ones(9)}, np.ones(9), Objective(), Budget(seconds=60))
        start = time.monotonic()
        engine.versions()
        try:
            list(engine.search(problem))
        except EngineError as error:
            print(error)
        assert time.monotonic() - start < 1.0
        assert "pysr" not in sys.modules and "juliacall" not in sys.modules and "juliapkg" not in sys.modules
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PATH": str(tmp_path)}
    environment |= {"PYTHON_JULIAPKG_PROJECT": str(tmp_path / "project")}
    for name in ("PYTHON_JULIAPKG_EXE", "PYTHON_JULIACALL_EXE", "PYTHON_JULIACALL_PROJECT"):
        environment.pop(name, None)
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "the engine pysr needs Julia, which is not here: discover doctor --install-pysr downloads it\n"
    )


def test_a_julia_that_does_not_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_JULIAPKG_EXE", sys.executable)  # a program, and no Julia
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path / "project"))
    for name in ("PYTHON_JULIACALL_EXE", "PYTHON_JULIACALL_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EngineError) as caught:
        list(ENGINE.search(make_problem()))
    message = str(caught.value)
    assert message.startswith("PySR could not start Julia: ")
    assert "is not a Julia executable" in message
    assert message.endswith("discover doctor --install-pysr makes it ready")


# With Julia

live = [
    pytest.mark.pysr,
    pytest.mark.slow,
    pytest.mark.skipif(ENGINE.missing() is not None, reason=ENGINE.missing() or ""),
]


def mean_loss(candidate: Candidate, problem: SearchProblem) -> float:
    expression = parse(candidate.formula, features=problem.features, constants=())
    names = sorted(expression.free_symbols, key=str)
    with np.errstate(all="ignore"):
        value = sympy.lambdify(names, expression, "numpy")(*[problem.features[str(name)] for name in names])
    prediction = np.broadcast_to(np.asarray(value, dtype=float), len(problem.target))
    return float(problem.objective.loss(problem.objective.residual(prediction, problem.target))) / len(problem.target)


class TestLive:
    pytestmark = live

    def test_a_search_finds_a_law_and_reports_its_loss(self, tmp_path: Path) -> None:
        problem = make_problem(Budget(seconds=20.0), folder=tmp_path, threads=2)
        found = list(load_engine("pysr").search(problem))
        best = min(found, key=lambda candidate: candidate.loss)
        assert best.loss < 0.2 / loss_factor(problem)  # a fifth of the constant law's
        # Julia's loss is the objective's mean, and the formula is the equation: the same number from both.
        for candidate in found:
            assert mean_loss(candidate, problem) == pytest.approx(candidate.loss, rel=1e-6, abs=1e-15)

    @pytest.mark.parametrize("name", ["log_squared", "huber", "squared"])
    def test_every_objective_is_one_that_julia_takes(self, name: Any) -> None:
        problem = make_problem(Budget(evaluations=2000), objective=Objective(name), operators=("+", "*", "/", "sqrt"))
        for candidate in load_engine("pysr").search(problem):
            assert mean_loss(candidate, problem) == pytest.approx(candidate.loss, rel=1e-6, abs=1e-15)

    def test_a_budget_of_evaluations_gives_the_same_twice(self) -> None:
        problem = make_problem(Budget(evaluations=20_000), seed=5, operators=("+", "*", "**", "min", "max"))
        first, second = (list(load_engine("pysr").search(problem)) for _ in range(2))
        assert first
        assert first == second

    def test_a_law_that_is_given_is_kept(self) -> None:
        law = "1.8 + 0.4*(N/1e9)**-0.3 + 1.1*(D/1e9)**-0.4"
        problem = make_problem(Budget(evaluations=2000), guesses=(law,))
        found = {candidate.complexity: candidate.loss for candidate in load_engine("pysr").search(problem)}
        assert found[13] < 1e-12  # the law made the rows

    def test_a_shape_of_groups_is_kept_with_the_constants_of_the_largest(self) -> None:
        problem = two_domains(budget=Budget(evaluations=2000), guesses=("1.0 + (N/1e9)**-0.3 + 1.2*(D/1e9)**-0.4",))
        best = min(load_engine("pysr").search(problem), key=lambda candidate: candidate.loss)
        web = problem.groups == "web"
        columns = {name: column[web] for name, column in problem.features.items()}
        assert mean_loss(best, replace(problem, features=columns, target=problem.target[web])) < 1e-6

    def test_a_search_goes_on_from_one_that_was_left(self, tmp_path: Path) -> None:
        problem = make_problem(Budget(seconds=20.0), folder=tmp_path, threads=2)
        search: Iterator[Candidate] = load_engine("pysr").search(problem)
        first = next(search)
        time.sleep(5.0)
        search.close()  # type: ignore[attr-defined]
        again = list(load_engine("pysr").search(problem))
        assert (tmp_path / "search-2" / "guesses.txt").read_text().startswith("going on from search-1")
        assert min(candidate.loss for candidate in again) <= first.loss * (1 + 1e-9)
