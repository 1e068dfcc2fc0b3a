"""The robust loss as Julia's text, scaled so that the best constant law costs one."""

from __future__ import annotations

import numpy as np

from discover.engines.base import SearchProblem
from discover.objective import Objective


def loss_factor(problem: SearchProblem) -> float:
    """What a row's loss is multiplied by, so that the best constant law has a mean loss of one.

    PySR is tuned for losses of about one: it optimises constants in eight steps of BFGS, the first as long as the
    gradient, which come nowhere when all losses are below 1e-4; and its annealing compares losses with a temperature of
    one.
    """
    objective, target = problem.objective, np.asarray(problem.target, dtype=float)
    with np.errstate(all="ignore"):
        best = np.exp(np.median(np.log(target))) if objective.logarithmic else np.median(target)
        mean = float(objective.loss(objective.residual(np.full_like(target, best), target))) / len(target)
        factor = 1 / mean if mean > 0 else 1.0
    return factor if np.isfinite(factor) else 1.0


def elementwise_loss(objective: Objective, factor: float = 1.0) -> str:
    """Julia's text of the loss of one row: the objective's, times `factor`; PySR takes the mean over rows.

    A negative prediction costs infinity where the objective takes logarithms. Zero costs one, because PySR divides all
    losses by the loss of the law 0 before it compares them with a temperature (`update_baseline_loss!`, `loss_to_cost`
    in SymbolicRegression.jl): this keeps them as they are.

    >>> elementwise_loss(Objective("squared"))
    'discover_loss(prediction, target) = (residual = abs(prediction - target); 1.0 * (0.5 * residual * residual))'
    """
    square = "0.5 * residual * residual"
    delta = float(objective.delta)
    shapes = {
        "squared": square,
        "huber": f"residual <= {delta!r} ? {square} : {delta!r} * (residual - {delta / 2!r})",
        "soft_l1": f"residual * residual / (1.0 + sqrt(1.0 + residual * residual / {delta**2!r}))",
        "mae": "residual",
    }
    loss = f"{float(factor)!r} * ({shapes[objective.shape]})"
    if objective.logarithmic:
        guard = "prediction <= 0.0 ? (prediction < 0.0 ? Inf : 1.0) : "
        body = f"{guard}(residual = abs(log(prediction) - log(target)); {loss})"
    else:
        body = f"(residual = abs(prediction - target); {loss})"
    return f"discover_loss(prediction, target) = {body}"
