"""Every law of the registry: where the solver ends, another solver finds nothing better."""

from __future__ import annotations

import warnings
import zlib

import numpy as np
import pytest
from generated import HOFFMANN, NOISY, RUNS
from scipy.optimize import least_squares
from typical import MIXTURES, SPANS

from discover.fitting import Fit, Objective, fit
from discover.fitting.equations import LawEquations
from discover.law import Constant, Law, list_laws

LAWS = [law.on("N") if law.any_feature else law.bind(MIXTURES) for law in list_laws()]
DIFFICULT = {"busbridge_distillation", "shukor_joint"}  # many constants: SciPy goes on along valleys to infinity
EXACT = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}


def rows_of(law: Law, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Rows within the spans of the features, evenly on their logarithms; the components of a mixture add up to one."""
    parts = [f"r_{part}" for part in MIXTURES["r"]]
    rows = {name: np.exp(random.uniform(*np.log(SPANS[name]), size=80)) for name in law.columns if name not in parts}
    if any(part in law.columns for part in parts):
        rows |= dict(zip(parts, random.dirichlet(np.ones(3), size=80).T, strict=True))
    if "uD" in rows and "D" in rows:
        rows["uD"] = np.minimum(rows["uD"], rows["D"])
    return {name: rows[name] for name in law.columns} or {"": np.zeros(80)}


def constants_of(law: Law, rows: dict[str, np.ndarray], random: np.random.Generator) -> dict[str, float]:
    """Published constants, or else those of 64 draws from the ranges that the rows determine best."""
    for published in law.published:
        if set(published.values) == set(law.parameters):
            return dict(published.values)
    best, least = {}, np.inf
    for _ in range(64):
        values = {name: drawn(one, random) for name, one in law.parameters.items()}
        with np.errstate(all="ignore"):
            clean = np.broadcast_to(law.predict(rows, values), (80,))
            if not (np.isfinite(clean).all() and (np.abs(clean) > 1e-3).all()):
                continue
            slopes = [law.predict(rows, {**values, name: 1.001 * one}) / clean - 1 for name, one in values.items()]
        matrix = np.array([np.broadcast_to(slope, (80,)) for slope in slopes])
        condition = np.linalg.cond(matrix) if np.isfinite(matrix).all() else np.inf
        if condition < least:
            best, least = values, condition
    assert best, "no draw has predictions at all rows"
    return best


def drawn(constant: Constant, random: np.random.Generator) -> float:
    low, high = constant.range
    return float(np.exp(random.uniform(np.log(low), np.log(high))) if constant.log else random.uniform(low, high))


def noisy(law: Law) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows and the law's own predictions there, with noise of one percent."""
    random = np.random.default_rng(zlib.crc32(law.name.encode()))
    rows = rows_of(law, random)
    clean = law.predict(rows, constants_of(law, rows, random))
    clean = np.broadcast_to(clean, np.shape(next(iter(rows.values()))))
    finite = np.isfinite(clean)
    rows = {name: column[finite] for name, column in rows.items()}
    return rows, clean[finite] * np.exp(0.01 * random.normal(size=int(finite.sum())))


def polished(fitted: Fit) -> tuple[np.ndarray, float]:
    """Where SciPy ends from our optimum: the constants, and the objective there."""
    equations, which = fitted.equations(), np.zeros(1, dtype=int)
    everything = slice(0, equations.rows)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where a law's rows leave a direction open, SciPy goes far along it
        return _least_squares(fitted, equations, which, everything)


def _bounded(jacobian: np.ndarray) -> np.ndarray:
    return np.where(np.abs(jacobian) < 1e100, jacobian, 0.0)


def _least_squares(
    fitted: Fit, equations: LawEquations, which: np.ndarray, everything: slice
) -> tuple[np.ndarray, float]:
    found = least_squares(
        lambda point: equations.residuals(point[None], which, everything)[0],
        np.clip(fitted.point, np.nextafter(equations.lower, np.inf), np.nextafter(equations.upper, -np.inf)),
        jac=lambda point: _bounded(equations.linearised(point[None], which, everything)[1][0].T),
        bounds=(equations.lower, equations.upper),
        loss="huber",
        f_scale=fitted.objective.delta,
        x_scale="jac",
        max_nfev=300,
        **EXACT,
    )
    return fitted.space.constants(found.x[None])[0], float(found.cost)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_scipy_finds_nothing_better_from_our_optimum(law):
    rows, target = noisy(law)
    fitted = fit(law, rows, target)
    constants, loss = polished(fitted)
    if law.name in DIFFICULT:
        assert fitted.status.state != "certain"
        assert fitted.loss <= 1.01 * loss
        return
    assert fitted.loss == pytest.approx(loss, rel=1e-8)
    theirs = dict(zip(law.parameters, constants, strict=True))
    assert fitted.predict(rows) == pytest.approx(law.predict(rows, theirs) * np.ones(len(target)), rel=1e-8)
    if fitted.status.state == "certain" and fitted.condition < 1e4:
        # Two optima of which the objectives agree to rounding differ by about its root.
        assert fitted.values == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("name", ["log_huber", "log_soft_l1"])
@pytest.mark.parametrize("delta", [1e-3, 0.02])
def test_scipys_own_way_from_elsewhere_ends_at_our_optimum(name, delta):
    fitted = fit(HOFFMANN, RUNS, NOISY, objective=Objective(name, delta))

    def residual(point: np.ndarray) -> np.ndarray:
        prediction = point[0] + np.exp(point[1]) * RUNS["N"] ** -point[3] + np.exp(point[2]) * RUNS["D"] ** -point[4]
        return np.log(prediction / NOISY)

    point = np.array([1.5, 5.0, 8.0, 0.3, 0.4])
    for scale in (0.1, 0.02, 5e-3, delta):  # from a wide delta to the narrow one, or SciPy stops on the way
        shape = name.removeprefix("log_")
        other = least_squares(residual, point, loss=shape, f_scale=max(scale, delta), x_scale="jac", **EXACT)
        point = other.x
    other = least_squares(residual, point, loss=shape, f_scale=delta, x_scale="jac", max_nfev=5000, **EXACT)
    assert fitted.loss == pytest.approx(other.cost, rel=1e-8)
    assert list(fitted.values.values()) == pytest.approx([other.x[0], *np.exp(other.x[1:3]), *other.x[3:]], rel=1e-5)
