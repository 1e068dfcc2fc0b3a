"""The engine `operon`: many short searches by pyoperon, a fast genetic programming library in C++.

Operon sees the logarithm of every feature (in its unit, as in log(N/1e9)). A power is then one exponential of one
weighted variable, ``exp(-0.34*log N)``, and an interaction of exponents one product, so that the shapes of scaling laws
are short. Searches alternate between the loss and its logarithm as target, squared and absolute error (the more
robust), and small and large sets of functions, each on its own seed: a whole front of several short searches holds
more useful shapes than one long search. Operon's own choice among its front is not used.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from typing import Any

import numpy as np

from discover.engines.allowed import allows
from discover.engines.base import Candidate, Engine, SearchProblem
from discover.errors import EngineError, InputError
from discover.formula import FormulaError, parse, symbol, to_text

EVALUATIONS = 150_000  # of one short search: about a second on two cores
POPULATION = 500


@dataclass(frozen=True)
class _Setting:
    """What one short search varies."""

    functions: str
    logarithm: bool  # of the target
    error: str  # "mse" or "mae"


_SETTINGS = (
    _Setting("add,mul,exp", logarithm=False, error="mse"),
    _Setting("add,mul,exp", logarithm=True, error="mse"),
    _Setting("add,mul,exp", logarithm=False, error="mae"),
    _Setting("add,mul,exp", logarithm=True, error="mae"),
    _Setting("add,sub,mul,div,exp,log", logarithm=False, error="mae"),
    _Setting("add,sub,mul,div,exp,log", logarithm=True, error="mse"),
)


class Operon(Engine):
    """pyoperon; works wherever it has wheels (Linux x86-64, macOS arm64)."""

    name = "operon"

    def missing(self) -> str | None:
        """Why pyoperon cannot be imported here."""
        if util.find_spec("pyoperon") is None:
            wheels = "which has wheels for Linux x86-64 and macOS arm64"
            return f"the engine operon needs pyoperon, {wheels}: pip install pyoperon"
        return None

    def versions(self) -> dict[str, str]:
        """Version of pyoperon."""
        return {"pyoperon": metadata.version("pyoperon")}

    def search(self, problem: SearchProblem) -> Iterator[Candidate]:
        """Run short searches until the budget is spent; a search's whole front is yielded when it ends.

        A budget of evaluations is spent by one thread, whatever `problem.threads`: several do not stop at the same
        evaluation every time, and such a search shall be repeatable.
        """
        missing = self.missing()
        if missing:
            raise EngineError(missing)
        if not {"**", "log"} & set(problem.operators):
            raise InputError("the engine operon works on logarithms: it needs the operator '**' or 'log'")
        names = list(problem.features)
        inputs = np.column_stack([_input(problem, name) for name in names])
        end = None if problem.budget.seconds is None else time.monotonic() + problem.budget.seconds
        left = problem.budget.evaluations
        number = 0
        while (end is None or time.monotonic() < end) and (left is None or left > 0):
            setting = _SETTINGS[number % len(_SETTINGS)]
            if not setting.logarithm or bool(np.all(problem.target > 0)):
                evaluations = min(EVALUATIONS, left) if left is not None else EVALUATIONS
                seed = problem.seed * 10_000 + number
                seconds = None if end is None else max(1, int(end - time.monotonic()) + 1)
                front = _one_search(inputs, problem, setting, evaluations, seed, seconds)
                yield from _candidates(front, names, problem, setting, seed)
                left = None if left is None else left - evaluations
            number += 1


def _input(problem: SearchProblem, name: str) -> np.ndarray:
    """What Operon sees of a feature: its logarithm, or a share as it is."""
    column = np.asarray(problem.features[name], dtype=float)
    return column if name in problem.plain else np.log(column / problem.scales[name])


def _one_search(
    inputs: np.ndarray, problem: SearchProblem, setting: _Setting, evaluations: int, seed: int, seconds: int | None
) -> Any:
    from pyoperon.sklearn import SymbolicRegressor

    functions = _allowed(setting.functions, problem.operators)
    target = np.log(problem.target) if setting.logarithm else np.array(problem.target, dtype=float)
    regressor = SymbolicRegressor(
        allowed_symbols=functions,
        objectives=[setting.error, "length"],
        optimizer_iterations=10,
        max_length=problem.max_complexity,
        max_depth=8,
        population_size=POPULATION,
        generations=evaluations,  # the number of evaluations ends the search first
        max_evaluations=evaluations,
        max_time=seconds,
        n_threads=problem.threads if problem.budget.evaluations is None else 1,
        random_state=seed,
        # The front is taken whole. Its members are described by criteria that want the noise, and the
        # default of 1 would be far from it; the criteria are not used.
        uncertainty=[max(1e-6, 0.01 * float(np.std(target)))],
        model_selection_criterion="mean_squared_error",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's on versions; Operon's on criteria that are not used
        try:
            regressor.fit(np.array(inputs), np.array(target))
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"operon failed: {error}") from None
    return regressor


def _allowed(functions: str, operators: tuple[str, ...]) -> str:
    """Operon's names of the functions of a setting that the problem allows."""
    names = {"add": "+", "sub": "-", "mul": "*", "div": "/", "exp": "exp", "log": "log"}
    # Powers are exponentials of logarithms here, so that `**` allows exp.
    allowed = {name for name, operator in names.items() if operator in operators}
    if "**" in operators:
        allowed |= {"exp", "mul"}
    chosen = [name for name in functions.split(",") if name in allowed] or ["add", "mul"]
    return ",".join([*chosen, "constant", "variable"])


def _candidates(
    regressor: Any, names: list[str], problem: SearchProblem, setting: _Setting, seed: int
) -> Iterator[Candidate]:
    # Operon knows its inputs by neutral names, since it takes some letters for functions.
    neutral = [f"x{k}" for k in range(len(names))]
    texts = [name if name in problem.plain else f"log({name}/{problem.scales[name]!r})" for name in names]
    inside = {f"x{k}": parse(text, features=names) for k, text in enumerate(texts)}
    import sympy

    for member in regressor.pareto_front_:
        text = regressor.get_model_string(member["tree"], 12, neutral)
        try:
            expression = parse(text, features=neutral, constants=())
            expression = expression.xreplace({symbol(key, positive=True): value for key, value in inside.items()})
            if setting.logarithm:
                expression = sympy.exp(expression)
            expression = parse(to_text(expression), features=names, constants=())
        except FormulaError:  # a constant overflowed, or the expression is not real: no law
            continue
        if not allows(problem.operators, expression):  # log(N) where no power came of it, and `log` is not allowed
            continue
        yield Candidate(
            formula=to_text(expression),
            complexity=int(member["length"]),
            loss=float(member["mean_squared_error"]),
            engine="operon",
            seed=seed,
        )


ENGINE = Operon()
