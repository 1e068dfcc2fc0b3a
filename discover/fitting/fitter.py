"""`fit`: the constants of a law for given rows, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from discover.fitting.constraints import constrained
from discover.fitting.equations import LawEquations
from discover.fitting.options import NOISE, Options, check_count, objective_for, options_of, start_of
from discover.fitting.result import Fit, fit_of
from discover.fitting.rows import Rows, rows_of
from discover.fitting.search import search
from discover.fitting.space import Space, space_of
from discover.law import Law
from discover.objective import Name, Objective, noise_delta

ROUNDS = 3  # estimates of the delta that suits the noise, each from the residuals of the fit before


def fit(
    law: Law,
    features: Mapping[str, np.ndarray],
    target: np.ndarray,
    *,
    objective: Objective | Name | None = None,
    delta: float | str | None = None,
    weights: np.ndarray | None = None,
    starts: int = 64,
    retries: int = 2,
    seed: int = 0,
    first: Mapping[str, float] | None = None,
    fixed: Mapping[str, float] | None = None,
    tied: Mapping[str, str] | None = None,
    bounds: Mapping[str, tuple[float | None, float | None]] | None = None,
    constraints: Sequence[str] = (),
    thorough: bool = True,
) -> Fit:
    """Fit the constants of `law` to rows.

    Parameters
    ----------
    law
        The law; its constants say in which range starts are drawn and which values are legal.
    features, target
        Columns by symbol, and the column to predict, each of shape (rows,), in the units of the law's card.
    objective
        What to minimise, or its name; by default `Objective.suited_to` the target: where it is positive, Huber's loss
        of the logarithm with delta 1e-3.
    delta
        The objective's delta: a number, or ``"noise"`` for 1.345 robust standard deviations of the residuals, estimated
        in up to three rounds of fits.
    weights
        Weight of each row in the objective, shape (rows,), zero or more; by default all count one.
    starts
        Number of random starts; zero where only `first` is wanted.
    retries
        How often more starts are tried, each time twice as many, while fewer than a fifth reach the best objective.
    seed
        Seed of the starts.
    first
        Constants of one more start, e.g. published ones, or those of a fit on fewer rows.
    fixed
        Constants that are not fitted, with their values.
    tied
        Constants that take the value of another one, as ``{"beta": "alpha"}``.
    bounds
        Legal values of constants, in place of the card's, as ``{"alpha": (0.1, None)}``.
    constraints
        Linear constraints between constants, as ``["alpha <= beta", "alpha + beta <= 1"]``.
    thorough
        Whether the best constants are followed to the very end of narrow valleys, and neighbouring optima looked for.
        Without, a fit of a law with many constants is some times faster, and its predictions are about the same.

    Returns
    -------
    The best fit of all starts.

    Raises
    ------
    FitError
        When there are fewer rows than free constants, the target is not fit for the objective (zero or less under a
        logarithm), no start has finite predictions, or none leads to constants that keep the constraints.
    InputError
        When a feature or a start value is missing, a constant is unknown, a row is not finite, or a weight, delta,
        fixed value, tie, bound or constraint is not legal.

    Examples
    --------
    >>> from discover.law import load_law
    >>> N = np.geomspace(1e7, 1e10, 30)
    >>> result = fit(load_law("powerlaw_one_feature").on("N"), {"N": N}, (8.8e13 / N) ** 0.076)
    >>> round(result.values["alpha"], 6)
    0.076
    """
    rows = rows_of(law, features, target, weights)
    made = objective_for(rows, objective, delta)
    space = space_of(law, fixed=fixed, tied=tied, bounds=bounds)
    check_count(law, space, rows)
    given = start_of(law, space, first)
    options = options_of(law, space, made, starts, retries, seed, constraints, given=given is not None)
    options = replace(options, thorough=thorough)
    if delta != NOISE:
        return _fit(law, rows, made, space, options, given)
    few = replace(options, starts=min(options.starts, 8), retries=0)
    result = _fit(law, rows, made, space, options, given)
    for number in range(ROUNDS):
        estimate = noise_delta(result.residuals, len(space.free), result.objective)
        if not estimate > 0:
            break
        # The last round searches as a fit does, so that what it says of its starts is so.
        own = options if number == ROUNDS - 1 else few
        begin = given if own is options and own.starts else result.point[None]
        result = _fit(law, rows, replace(made, delta=estimate), space, own, begin)
    return result


def _fit(law: Law, rows: Rows, objective: Objective, space: Space, options: Options, given: np.ndarray | None) -> Fit:
    equations = LawEquations(law, rows, objective, space)
    (found,) = search(equations, options.batches, options.seed, [given], thorough=options.thorough)
    if options.constraints is not None:
        found = constrained(equations, 0, found, options.constraints, options.seed)
    return fit_of(equations, 0, found, options.constraints)
