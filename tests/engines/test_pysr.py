"""The engine `pysr`: what PySR is given, and what is made of what it leaves; live where there is a Julia."""

from __future__ import annotations

import _thread
import ast
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from discover.engines import Budget, Candidate, SearchProblem, load_engine
from discover.engines.pysr import ENGINE
from discover.engines.pysr.arguments import arguments
from discover.engines.pysr.forms import names_for_pysr
from discover.engines.pysr.loss import elementwise_loss, loss_factor
from discover.errors import EngineError, InputError
from discover.formula import parse
from discover.objective import NAMES, Objective

STAND_IN = Path(__file__).parent / "stand_in"
ROWS = [[1, "0.5", "2.6"], [5, "2.0f-1", "x_N ^ -0.1"], [6, "NaN", "x_N"], [7, "0.05", "sin(x_N)"], [30, "1e-9", "x_N"]]


def make_problem(budget: Budget | None = None, **changes: Any) -> SearchProblem:
    n, d = (grid.ravel() for grid in np.meshgrid(np.logspace(7.5, 9.5, 6), np.logspace(9, 11, 5)))
    given: dict[str, Any] = {
        "features": {"N": n, "D": d},
        "target": 1.8 + 0.4 * (n / 1e9) ** -0.3 + 1.1 * (d / 1e9) ** -0.4,
        "objective": Objective(),
        "budget": budget or Budget(seconds=5.0),
    }
    return SearchProblem(**{**given, **changes})


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """PySR's Python code on the stand-in for Julia, which writes `ROWS` and then does what it is told."""
    monkeypatch.setattr(sys, "path", [str(STAND_IN), *sys.path])
    monkeypatch.setenv("PYTHON_JULIAPKG_EXE", sys.executable)  # any program: the stand-in starts none
    monkeypatch.setenv("JULIA_STAND_IN_ROWS", json.dumps(ROWS))

    def behave(behaviour: str = "", seconds: float = 0.0) -> None:
        monkeypatch.setenv("JULIA_STAND_IN", behaviour)
        monkeypatch.setenv("JULIA_STAND_IN_SECONDS", str(seconds))

    behave()
    return behave


def seen(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("search-*/seen.json")
    return dict(json.loads(path.read_text()))


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet has too."""
    try:
        os.kill(process, 0)
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return True


# What PySR is given


def regressor_keywords() -> set[str]:
    """Parameters of `PySRRegressor.__init__`, read from the source of the installed PySR, which is not imported."""
    spec = util.find_spec("pysr")
    assert spec is not None
    assert spec.submodule_search_locations
    source = (Path(spec.submodule_search_locations[0]) / "sr.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == "PySRRegressor":
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    return {argument.arg for argument in [*method.args.args, *method.args.kwonlyargs]}
    raise AssertionError("PySRRegressor.__init__ was not found")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"budget": Budget(evaluations=1000)},
        {"operators": ("+", "*"), "threads": 8},
        {"operators": ("+", "**", "sqrt", "min", "max", "exp"), "max_complexity": 3},
    ],
)
def test_every_keyword_is_one_of_the_installed_pysr(name: Any, changes: dict[str, Any], tmp_path: Path) -> None:
    given = arguments(make_problem(objective=Objective(name), **changes), tmp_path)
    assert set(given) <= regressor_keywords()


def test_a_budget_of_seconds_uses_the_threads(tmp_path: Path) -> None:
    given = arguments(make_problem(Budget(seconds=90.0), threads=4, seed=3), tmp_path / "search-1")
    assert given["timeout_in_seconds"] == 90.0
    assert given["max_evals"] is None
    assert given["parallelism"] == "multithreading"
    assert given["deterministic"] is False
    assert given["random_state"] == 3
    assert (given["output_directory"], given["run_id"]) == (str(tmp_path), "search-1")
    assert given["precision"] == 64
    assert (given["progress"], given["verbosity"], given["input_stream"]) == (False, 0, "devnull")


def test_a_budget_of_evaluations_is_repeatable(tmp_path: Path) -> None:
    given = arguments(make_problem(Budget(evaluations=20_000), threads=4, seed=-1), tmp_path)
    assert given["timeout_in_seconds"] is None
    assert given["max_evals"] == 20_000
    assert (given["parallelism"], given["deterministic"]) == ("serial", True)  # PySR refuses one without the other
    assert given["random_state"] == 2**32 - 1  # NumPy takes no negative seed


def test_operators_have_the_names_and_constraints_of_pysr(tmp_path: Path) -> None:
    given = arguments(make_problem(operators=("+", "-", "*", "/", "**", "log", "exp", "sqrt", "max")), tmp_path)
    assert given["binary_operators"] == ["+", "-", "*", "/", "^", "max"]
    assert given["unary_operators"] == ["log", "exp", "sqrt"]
    assert given["constraints"] == {"^": (-1, 1)}
    assert given["nested_constraints"]["exp"] == {"exp": 0}
    small = arguments(make_problem(operators=("+", "*", "log")), tmp_path)
    assert small["constraints"] is None
    # Julia refuses a constraint on an operator that is not there.
    assert small["nested_constraints"] == {"log": {"log": 0}}
    assert arguments(make_problem(operators=("+",)), tmp_path)["nested_constraints"] is None
    assert arguments(make_problem(max_complexity=3), tmp_path)["maxsize"] == 7  # PySR's smallest


def test_an_operator_that_pysr_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no operator 'sinh': legal are"):
        arguments(make_problem(operators=("+", "sinh")), tmp_path)
    with pytest.raises(InputError, match=r"needs one of the operators \+"):
        arguments(make_problem(operators=("log",)), tmp_path)


def test_no_feature_has_a_name_that_pysr_refuses() -> None:
    """`assert_valid_sympy_symbol`: not a name in SymPy, not a function of PySR's, not a keyword."""
    for symbol in ["N", "E", "S", "Q", "O", "I", "C", "D", "uD", "lambda", "log", "eta", "beta", "max", "r_1", "pi"]:
        ((name, back),) = names_for_pysr({symbol: None}).items()
        assert back == symbol
        assert not hasattr(sympy, name)
        assert name.isidentifier()


# The loss


def julia(text: str) -> Callable[[float, float], float]:
    """A one-line Julia function of the kind written here, as a Python function."""
    head, body = text.split(" = ", 1)
    assert head == "discover_loss(prediction, target)"
    source = _python(body)
    names = {"log": np.log, "sqrt": np.sqrt, "abs": abs, "Inf": float("inf"), "__builtins__": {}}
    function = eval(f"lambda prediction, target: {source}", names)  # text of our own, in a test
    return function  # type: ignore[no-any-return]


def _python(text: str) -> str:
    """`c ? a : b` and `(name = value; body)` in Python."""
    text = text.strip()
    place = _outside(text, " ? ")
    if place >= 0:
        condition, rest = text[:place], text[place + 3 :]
        colon = _outside(rest, " : ")
        return f"({_python(rest[:colon])} if {_python(condition)} else {_python(rest[colon + 3 :])})"
    block = re.match(r"\((\w+) = ", text)
    if block and text.endswith(")"):
        inner = text[block.end() : -1]
        end = _outside(inner, "; ")
        return f"(lambda {block[1]}: {_python(inner[end + 2 :])})({_python(inner[:end])})"
    start = text.find("(")
    if start < 0:
        return text
    end = start + 1 + _outside(text[start + 1 :] + ")", ")")
    return f"{text[:start]}({_python(text[start + 1 : end])}){_python(text[end + 1 :])}"


def _outside(text: str, sought: str) -> int:
    """Where `sought` stands outside all parentheses, or -1."""
    depth = 0
    for place, character in enumerate(text):
        if depth == 0 and text.startswith(sought, place):
            return place
        depth += (character == "(") - (character == ")")
    return -1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("delta", [1e-3, 1e-5, 0.25])
def test_the_julia_loss_is_the_objective(name: Any, delta: float) -> None:
    objective = Objective(name, delta)
    loss = julia(elementwise_loss(objective, 7.0))
    for target in (0.9, 2.5):
        for residual in (0.0, 1e-6, delta / 2, -delta, 1.01 * delta, -3 * delta, 0.4):
            prediction = target * np.exp(residual) if objective.logarithmic else target + residual
            expected = objective.loss(objective.residual(np.array([prediction]), np.array([target])))
            assert loss(prediction, target) == pytest.approx(7.0 * float(expected), rel=1e-9, abs=1e-18)


def test_the_julia_loss_is_the_text_that_worked() -> None:
    """The recorded searches ran with this text in Float32 numbers, without the factor and with 1f3 as the guard."""
    assert elementwise_loss(Objective("log_huber", 1e-3), 2.0) == (
        "discover_loss(prediction, target) = prediction <= 0.0 ? (prediction < 0.0 ? Inf : 1.0) : "
        "(residual = abs(log(prediction) - log(target)); "
        "2.0 * (residual <= 0.001 ? 0.5 * residual * residual : 0.001 * (residual - 0.0005)))"
    )


@pytest.mark.parametrize("name", ["log_huber", "log_squared"])
def test_a_prediction_without_a_logarithm_is_guarded(name: Any) -> None:
    loss = julia(elementwise_loss(Objective(name)))
    assert loss(-1e-9, 2.0) == float("inf")
    assert loss(0.0, 2.0) == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_the_constant_law_has_a_loss_of_one(name: Any) -> None:
    problem = make_problem(objective=Objective(name))
    loss = julia(elementwise_loss(problem.objective, loss_factor(problem)))
    best = float(np.median(problem.target))
    assert np.mean([loss(best, target) for target in problem.target]) == pytest.approx(1.0, rel=1e-3)


def test_the_same_target_everywhere_leaves_the_loss_alone() -> None:
    assert loss_factor(make_problem(target=np.full(30, 2.0))) == 1.0


# The search, on the stand-in for Julia


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[SearchProblem, list[Candidate], Path]:
    """A search that has ended: the problem, the candidates, and the folder."""
    folder = tmp_path_factory.mktemp("engines") / "pysr-7"
    problem = make_problem(folder=folder, seed=7, threads=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(STAND_IN), *sys.path])
        patch.setenv("PYTHON_JULIAPKG_EXE", sys.executable)
        patch.setenv("JULIA_STAND_IN_ROWS", json.dumps(ROWS))
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
    assert problem.scales == {"N": 1e8, "D": 1e10}
    np.testing.assert_array_equal(given["x"], [problem.features["N"] / 1e8, problem.features["D"] / 1e10])


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
