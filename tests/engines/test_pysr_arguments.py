"""What PySR is given: keywords, operators, constraints, options."""

from __future__ import annotations

import ast
from importlib import util
from pathlib import Path
from typing import Any

import pytest
import sympy
from pysr_search import make_problem

from discover.engines import Budget, load_engine
from discover.engines.pysr import ENGINE
from discover.engines.pysr.arguments import arguments
from discover.engines.pysr.forms import names_for_pysr
from discover.engines.pysr.options import PySROptions
from discover.engines.pysr.templates import GROUP
from discover.errors import InputError
from discover.objective import NAMES, Objective


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


def test_options_are_passed_under_their_names(tmp_path: Path) -> None:
    options = {"populations": 40, "population_size": 50, "maxdepth": 9, "batching": True, "batch_size": 64}
    given = arguments(make_problem(options=options), tmp_path)
    assert {name: given[name] for name in options} == options
    assert set(given) <= regressor_keywords()
    assert set(PySROptions.model_fields) <= regressor_keywords()
    assert not set(PySROptions.model_fields) & set(arguments(make_problem(), tmp_path))  # PySR keeps its defaults


def test_a_cluster_is_several_processes(tmp_path: Path) -> None:
    given = arguments(make_problem(options={"cluster_manager": "slurm", "procs": 64}, threads=4), tmp_path)
    assert (given["cluster_manager"], given["procs"]) == ("slurm", 64)
    assert (given["parallelism"], given["deterministic"]) == ("multiprocessing", False)  # PySR wants the first for it
    with pytest.raises(InputError, match="a budget of evaluations is spent by one process"):
        arguments(make_problem(Budget(evaluations=1000), options={"procs": 2}), tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clustermanager": "slurm"}, r"unknown key 'clustermanager': did you mean 'cluster_manager'\?"),
        ({"elementwise_loss": "f(x) = 1"}, "unknown key 'elementwise_loss'"),
        ({"cluster_manager": "slurmm", "procs": 2}, r"there is no job queue 'slurmm': did you mean 'slurm'\?"),
        ({"cluster_manager": "slurm"}, "cluster_manager needs procs"),
        ({"procs": 0}, "procs: input should be greater than or equal to 1"),
        ({"procs": True}, "procs: input should be a valid integer"),
        ({"population_size": 10}, "population_size: input should be greater than or equal to 15"),
        ({"batching": "often"}, "batching: "),
    ],
)
def test_an_option_that_pysr_is_not_given_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ENGINE.check_options(options)


def test_an_engine_without_options_refuses_all() -> None:
    operon = load_engine("operon")
    operon.check_options({})
    with pytest.raises(InputError, match="the engine operon has no options; it was given procs"):
        operon.check_options({"procs": 2})


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
    assert not hasattr(sympy, GROUP)
