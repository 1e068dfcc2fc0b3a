"""Published ways to fit a law, step by step as their source has them, for replication.

A law card describes them: the grid of starts, the objective, and the method. They are slow, and few of their starts
reach the optimum; `fit` finds the same optimum, or a better one. What they are for is the very number of a paper.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from discover.errors import InputError, one_of
from discover.fitting.equations import LawEquations
from discover.fitting.options import check_count, objective_for
from discover.fitting.result import Fit, fit_of
from discover.fitting.rows import rows_of
from discover.fitting.search import Found, agree
from discover.fitting.space import space_of
from discover.law import Law
from discover.law_card import Protocol
from discover.objective import Objective

KEPT = 20  # optima of the grid that are kept


def protocol_of(law: Law, name: str) -> Protocol:
    """A protocol of the law's card; an `InputError` lists those that it has."""
    if name not in law.protocols:
        known = one_of(name, law.protocols) if law.protocols else "its card has none"
        raise InputError(f"law {law.name!r} has no protocol {name!r}: {known}")
    return law.protocols[name]


def fit_by_protocol(law: Law, features: Mapping[str, np.ndarray], target: np.ndarray, name: str) -> Fit:
    """Fit `law` as a published protocol does.

    Parameters
    ----------
    law, features, target
        As `discover.fitting.fit` has them.
    name
        The protocol, as the law's card calls it: ``hoffmann`` for the law of that name.

    Returns
    -------
    The best of all starts of the protocol's grid, by its method with that method's own tolerances. The bounds of the
    card play no part in it.

    Raises
    ------
    InputError
        When the law has no such protocol, or the rows are not legal.
    FitError
        When there are fewer rows than constants, the target is not fit for the objective, or no start has finite
        predictions.
    """
    from scipy.optimize import minimize  # a slow import that only fits need

    protocol = protocol_of(law, name)
    # What the protocol moves by its logarithm is a logarithm here, whatever the card's ranges say.
    logs = {
        constant: law.constants[constant].model_copy(update={"log": constant in protocol.log_grid})
        for constant in law.constants
    }
    moved = replace(law, constants=logs)
    rows = rows_of(moved, features, target, None)
    objective = objective_for(rows, Objective(protocol.objective, protocol.delta), None)
    space = space_of(moved)
    check_count(law, space, rows)
    equations = LawEquations(moved, rows, objective, space)
    which, delta = np.zeros(1, dtype=int), np.full(1, objective.delta)

    def value(point: np.ndarray) -> tuple[float, np.ndarray]:
        normal = equations.normal(point[None], which, delta, curvature=False)
        loss = float(normal.loss[0])
        return (loss, normal.gradient[0]) if np.isfinite(loss) else (1e300, np.zeros_like(point))

    points, losses = [], []
    for start in _grid(protocol, list(space.free)):
        found = minimize(value, start, jac=True, method=protocol.method)
        points.append(found.x)
        losses.append(float(found.fun))
    order = np.argsort(losses, kind="stable")
    best = np.array(losses)[order]
    agreement = float(np.mean(agree(best, equations.floor(which)[0])))
    kept = order[:KEPT]
    result = Found(np.array(points)[kept], best[:KEPT], np.ones(len(kept)), len(losses), agreement)
    return fit_of(equations, 0, result)


def _grid(protocol: Protocol, names: list[str]) -> Iterator[np.ndarray]:
    for point in itertools.product(*(protocol.log_grid.get(name) or protocol.grid[name] for name in names)):
        yield np.array(point, dtype=float)
