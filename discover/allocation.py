"""Where to spend compute: the N and D that minimise a law at a budget ``C = 6 N D``, and how they grow with it.

Chinchilla's law has a closed form for them (Hoffmann et al. 2022, eq. 4); any law of N and D is minimised numerically.
The local exponents ``a = d ln N/d ln C`` and ``b = 1 - a`` follow from the implicit function theorem: no line is fitted
to optima, and exponents that change with compute are seen to change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from discover.errors import InputError, one_of
from discover.isoflop import Isoflop, compile_isoflop
from discover.isoflop_minima import FOUND, Status, lowest_minima
from discover.law import Law

__all__ = ["Allocation", "AllocationInterval", "Status", "allocate", "exponent_error"]

RATIOS = (1e-4, 1e8)  # tokens a parameter that are searched: far beyond the models that anybody trains
STEP = 1e-3  # of ln C, in a difference
ROUNDING = 1e-10  # of what is subtracted: a smaller difference is none
QUANTITIES = ("N", "D", "loss", "a")


@dataclass(frozen=True)
class Allocation:
    """The compute-optimal models of a law.

    Arrays have the shape of `compute`, (budgets,) as a rule; with many sets of constants, (sets, budgets).

    Attributes
    ----------
    law
        The law.
    compute
        Budgets, in FLOP.
    N, D
        Parameters and tokens of the optimum, as the law counts them; NaN where there is none.
    loss
        The law's prediction there.
    a
        Local exponent of N, d ln N/d ln C; NaN also where the optimum lies at a kink.
    status
        What the search came to, as numbers of `Status`.
    """

    law: Law
    compute: np.ndarray
    N: np.ndarray
    D: np.ndarray
    loss: np.ndarray
    a: np.ndarray
    status: np.ndarray = field(repr=False)

    @property
    def b(self) -> np.ndarray:
        """Local exponent of D, d ln D/d ln C."""
        return np.asarray(1 - self.a)

    @property
    def tokens_per_parameter(self) -> np.ndarray:
        """D/N."""
        return np.asarray(self.D / self.N)

    @property
    def interior(self) -> np.ndarray:
        """Where there is an optimum inside the range that was searched."""
        return np.isin(self.status, FOUND)

    @property
    def reason(self) -> np.ndarray:
        """What must be known of each optimum, or why there is none: texts, empty where nothing is to be said."""
        return np.asarray(np.array([status.reason for status in Status])[self.status])

    def interval(self, level: float = 0.95) -> AllocationInterval:
        """How far the optima of the sets of constants spread: those of a bootstrap, say.

        Parameters
        ----------
        level
            Share of the sets between `low` and `high`; as many lie below as above.

        Raises
        ------
        InputError
            When there is only one set of constants, or the level is no share.
        """
        if self.N.ndim == self.compute.ndim or len(self.N) < 2:
            raise InputError("an interval needs several sets of constants: allocate with an array (sets, parameters)")
        if not 0 < level < 1:
            raise InputError(f"the level of an interval is {level:g}: give a share between 0 and 1, as 0.95")
        spread = {name: _spread(getattr(self, name), (1 - level) / 2) for name in QUANTITIES}
        low, high, error = ({name: spread[name][k] for name in QUANTITIES} for k in range(3))
        return AllocationInterval(level, low, high, error, np.asarray(self.interior.mean(axis=0)))


@dataclass(frozen=True)
class AllocationInterval:
    """Percentiles and standard errors of optima over sets of constants; each array has the shape of the budgets.

    Attributes
    ----------
    level
        Share of the sets between `low` and `high`.
    low, high, error
        Percentiles and standard deviation of ``N``, ``D``, ``loss`` and ``a``, by these names; NaN below two sets.
    share
        Share of the sets that have an optimum. The others are left out, so that below one the rest holds only given
        that there is an optimum.
    """

    level: float
    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]
    error: Mapping[str, np.ndarray]
    share: np.ndarray


def _spread(values: np.ndarray, tail: float) -> np.ndarray:
    """Lower and upper percentile and standard deviation over the first axis, without NaN; shape (3, budgets)."""
    rows = []
    for column in values.reshape(len(values), -1).T:
        known = column[np.isfinite(column)]
        few = len(known) < 2
        rows.append([np.nan] * 3 if few else [*np.quantile(known, [tail, 1 - tail]), np.std(known, ddof=1)])
    return np.array(rows).T.reshape(3, *values.shape[1:])


def allocate(
    law: Law,
    constants: Mapping[str, float] | np.ndarray,
    compute: float | Sequence[float] | np.ndarray,
    *,
    at: Mapping[str, float] | None = None,
    flop_per: float = 6.0,
    tokens_per_parameter: tuple[float, float] = RATIOS,
) -> Allocation:
    """The models that minimise a law's prediction at budgets of compute.

    Parameters
    ----------
    law
        A law of N and D, and of whatever `at` fixes.
    constants
        Value of each parameter by name, or an array of many sets of them, shape (sets, parameters), in the order of
        ``law.parameters``.
    compute
        Budgets in FLOP: one, or an array of shape (budgets,).
    at
        Values of the law's other columns, by symbol.
    flop_per
        FLOP for each parameter and token: ``C = flop_per * N * D``.
    tokens_per_parameter
        Smallest and largest D/N that is searched. Far beyond its data a law may fall where nobody would train, as
        with a thousand parameters for each token; this range leaves that out.

    Raises
    ------
    InputError
        When the law has no N or D, needs other columns that are not fixed, or a number is not legal.

    Examples
    --------
    >>> from discover.law import load_law
    >>> law = load_law("hoffmann")
    >>> best = allocate(law, law.published[1].values, 5.76e23)
    >>> print(f"N = {best.N:.3g}, D = {best.D:.3g}, a = {best.a:.3f}")
    N = 4.04e+10, D = 2.38e+12, a = 0.457
    """
    budgets = np.asarray(compute, dtype=float)
    if budgets.ndim > 1 or not (np.isfinite(budgets) & (budgets > 0)).all():
        raise InputError(f"compute is {compute}: give a positive number of FLOP, or a list of such numbers")
    if not (np.isfinite(flop_per) and flop_per > 0):
        raise InputError(f"flop_per is {flop_per:g}: give a positive number of FLOP for each parameter and token")
    low, high = tokens_per_parameter
    if not 0 < low < high < np.inf:
        raise InputError(f"tokens_per_parameter is ({low:g}, {high:g}): give two positive numbers, the smaller first")
    profile, fixed = _profile(law, at)
    sets = _sets(law, constants)
    minima = lowest_minima(profile, _columns(sets, fixed), budgets.reshape(-1) / flop_per, (low, high))
    shape = budgets.shape if isinstance(constants, Mapping) else (len(sets), *budgets.shape)
    return Allocation(law, budgets, *(values.reshape(shape) for values in minima))


def exponent_error(
    law: Law,
    values: Mapping[str, float],
    covariance: np.ndarray,
    compute: float | Sequence[float] | np.ndarray,
    *,
    at: Mapping[str, float] | None = None,
    flop_per: float = 6.0,
    tokens_per_parameter: tuple[float, float] = RATIOS,
) -> np.ndarray:
    """Standard error of the exponent `a`, which is that of `b` too, by the delta method.

    Parameters
    ----------
    values, covariance
        Constants by name, and their covariance in the order of ``law.parameters``, as `discover.fit` gives them.
    compute, at, flop_per, tokens_per_parameter
        As of `allocate`.

    Returns
    -------
    In the shape of `compute`; NaN where there is no exponent, or one of the constants that it depends on is not
    determined.

    Raises
    ------
    InputError
        As `allocate`, or when the covariance is not one of the law's constants.
    """
    matrix, count = np.asarray(covariance, dtype=float), len(law.parameters)
    if matrix.shape != (count, count):
        raise InputError(f"the covariance has the shape {matrix.shape}: law {law.name!r} has {count} constants")
    # a = du/dc for u = ln N and c = ln C, so that da/dt = d(du/dt)/dc: exact in the constants t, a difference in c.
    budgets = np.asarray(compute, dtype=float)[..., None] * np.exp([-STEP, 0.0, STEP])
    options: dict[str, Any] = {"at": at, "flop_per": flop_per, "tokens_per_parameter": tokens_per_parameter}
    best = allocate(law, values, budgets.reshape(-1), **options)
    profile, fixed = _profile(law, at)
    columns = [np.repeat(column, budgets.size) for column in _columns(_sets(law, values), fixed)]
    response = profile.response(best.N, best.D, columns).reshape(*budgets.shape, count)
    before, after = response[..., 0, :], response[..., 2, :]
    gradient = (after - before) / (2 * STEP)
    gradient = np.where(np.abs(after - before) <= ROUNDING * (np.abs(after) + np.abs(before)), 0.0, gradient)
    # What the exponent does not depend on, such as the irreducible loss, need not be determined.
    weight = gradient[..., :, None] * gradient[..., None, :]
    variance = np.where(weight == 0, 0.0, weight * matrix).sum(axis=(-2, -1))
    variance = np.maximum(variance, 0.0)  # of tied constants that cancel, rounding may leave less than nothing
    return np.asarray(np.sqrt(np.where(np.isfinite(best.a.reshape(budgets.shape)[..., 1]), variance, np.nan)))


def _profile(law: Law, at: Mapping[str, float] | None) -> tuple[Isoflop, tuple[float, ...]]:
    """The law's isoFLOP profile, and the values of the columns that are fixed."""
    at = dict(at or {})
    for name in ("N", "D"):
        if name not in law.columns:
            raise InputError(
                f"law {law.name!r} has no {name}, its features are {', '.join(law.columns) or 'none'}: compute is "
                "allocated with a law of N and D"
            )
    free = [name for name in law.columns if name not in ("N", "D")]
    for name, value in at.items():
        if name in ("N", "D"):
            raise InputError(f"{name} cannot be fixed: it is what compute is spent on")
        if name not in free:
            raise InputError(f"law {law.name!r} has no feature {name!r} to fix: {one_of(name, free)}")
        if not np.isfinite(value):
            raise InputError(f"the feature {name!r} is fixed at {value}: give a finite number")
    missing = [name for name in free if name not in at]
    if missing:
        raise InputError(
            f"law {law.name!r} has features beside N and D: fix {', '.join(missing)}, as with "
            f"at={{{missing[0]!r}: 1.0}} or --at {missing[0]}=1"
        )
    fixed = tuple(float(at[name]) for name in free)
    return compile_isoflop(law.expanded, tuple(free), tuple(law.parameters)), fixed


def _sets(law: Law, constants: Mapping[str, float] | np.ndarray) -> np.ndarray:
    """Constants as an array of shape (sets, parameters)."""
    names = tuple(law.parameters)
    if isinstance(constants, Mapping):
        return np.array([[law.value_of(name, constants) for name in names]])
    sets = np.asarray(constants, dtype=float)
    if sets.ndim != 2 or not len(sets) or sets.shape[1] != len(names):
        raise InputError(
            f"the constants have the shape {sets.shape}: law {law.name!r} takes (sets, {len(names)}), a row of "
            f"{', '.join(names)} for each set"
        )
    return sets


def _columns(sets: np.ndarray, fixed: Sequence[float]) -> list[np.ndarray]:
    """What a profile takes beside N and D, each of shape (sets,)."""
    return [*(np.full(len(sets), value) for value in fixed), *sets.T]
