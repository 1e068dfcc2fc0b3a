"""Linear constraints between constants, against SciPy's constrained optimum and against fits that need none."""

from __future__ import annotations

import numpy as np
import pytest
from generated import HOFFMANN, LINE, NOISY, RUNS, noise
from scipy.optimize import minimize

from discover.errors import FitError, InputError
from discover.fitting import Objective, fit, fit_groups
from discover.fitting.constraints import constraints_of

ORDER = ["E0", "A", "B", "alpha", "beta"]
SQUARED = Objective("log_squared")
FREE = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED)


def scipys_optimum(row: np.ndarray, bound: float, kind: str = "ineq") -> tuple[float, np.ndarray]:
    """The least log_squared objective with ``row @ constants <= bound`` (or ``==``), over many starts."""

    def constants(point: np.ndarray) -> np.ndarray:
        return np.array([point[0], np.exp(point[1]), np.exp(point[2]), point[3], point[4]])

    def loss(point: np.ndarray) -> float:
        floor, a, b, alpha, beta = constants(point)
        return 0.5 * float(np.sum(np.log((floor + a / RUNS["N"] ** alpha + b / RUNS["D"] ** beta) / NOISY) ** 2))

    def gap(point: np.ndarray) -> float:
        return bound - float(row @ constants(point))

    best, where = np.inf, np.zeros(5)
    random = np.random.default_rng(0)
    start = np.array([1.8, np.log(480), np.log(2000), 0.35, 0.36])
    for _ in range(20):
        point = start + random.normal(size=5) * [0.2, 0.7, 0.7, 0.05, 0.05]
        for _ in range(3):  # from where it stopped, in case that was too early
            found = minimize(
                lambda p: 1e3 * loss(p), point, method="SLSQP", bounds=[(0, None), (-5, 30), (-5, 30), (0, 3), (0, 3)],
                constraints=[{"type": kind, "fun": gap}], options={"ftol": 1e-14, "maxiter": 400},
            )  # fmt: skip
            point = found.x
        if abs(min(gap(point), 0.0 if kind == "ineq" else np.inf)) < 1e-8 and loss(point) < best:
            best, where = loss(point), constants(point)
    return best, where


CASES = [
    ("beta <= alpha", [0, 0, 0, -1, 1], 0.0),
    ("alpha + beta <= 0.6", [0, 0, 0, 1, 1], 0.6),
    ("E0 >= 2*beta + 1.2", [-1, 0, 0, 0, 2], -1.2),
    ("B <= 3*A", [0, -3, 1, 0, 0], 0.0),
]


@pytest.mark.parametrize(("text", "row", "bound"), CASES, ids=[case[0] for case in CASES])
def test_the_optimum_under_a_constraint_is_scipys(text, row, bound):
    fitted = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=[text])
    best, where = scipys_optimum(np.array(row, dtype=float), bound)
    assert fitted.loss == pytest.approx(best, rel=1e-6)
    assert list(fitted.values.values()) == pytest.approx(where, rel=5e-3)
    excess = np.array(row) @ list(fitted.values.values()) - bound
    assert excess < 1e-6 * max(1.0, fitted.values["A"] if "A" in text else 1.0)
    if fitted.loss > FREE.loss * (1 + 1e-9):  # the constraint decides
        assert abs(excess) < 1e-5 * max(1.0, fitted.values["A"] if "A" in text else 1.0)
        assert fitted.status.state == "at_bound"
        assert f"the constraint {text} holds with equality" in [warning.message for warning in fitted.warnings]


def test_the_cases_are_not_all_slack():
    kept = [constraints_of(HOFFMANN, [text]).kept(np.array([list(FREE.values.values())]))[0] for text, _, _ in CASES]
    assert sum(kept) <= 1


def test_two_constraints_hold_at_once():
    fitted = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=["alpha + beta <= 0.6", "alpha >= beta"])
    values = fitted.values
    assert values["alpha"] + values["beta"] <= 0.6 + 1e-8
    assert values["alpha"] >= values["beta"] - 1e-8
    alone = [fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=[text]).loss for text in
             ("alpha + beta <= 0.6", "alpha >= beta")]  # fmt: skip
    assert fitted.loss >= max(alone) * (1 - 1e-9)


@pytest.mark.parametrize("objective", [SQUARED, Objective("log_huber", 0.01)], ids=str)
def test_an_equality_is_a_tie_also_in_its_errors(objective):
    tied = fit(HOFFMANN, RUNS, NOISY, objective=objective, tied={"beta": "alpha"})
    equal = fit(HOFFMANN, RUNS, NOISY, objective=objective, constraints=["alpha = beta"])
    assert equal.loss == pytest.approx(tied.loss, rel=1e-7)
    assert equal.values == pytest.approx(dict(tied.values), rel=1e-3)
    assert equal.errors == pytest.approx(dict(tied.errors), rel=1e-2)
    assert equal.errors["alpha"] == pytest.approx(equal.errors["beta"], rel=1e-6)
    assert equal.status.state == "certain"  # what was asked for is no bound that was met


def test_a_constraint_that_names_a_value_is_a_fixed_constant():
    fixed = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, fixed={"E0": 1.7})
    equal = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=["E0 == 1.7"])
    assert equal.loss == pytest.approx(fixed.loss, rel=1e-7)
    assert equal.errors["E0"] == pytest.approx(0.0, abs=1e-12)
    assert equal.errors["alpha"] == pytest.approx(fixed.errors["alpha"], rel=1e-2)


def test_a_slack_constraint_changes_nothing():
    fitted = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=["alpha + beta <= 5", "A >= 0.001*B"])
    assert fitted.values == FREE.values
    assert fitted.loss == FREE.loss
    assert fitted.errors == pytest.approx(dict(FREE.errors), rel=1e-9)
    assert fitted.warnings == ()


def test_an_active_constraint_of_a_straight_line_has_the_textbooks_covariance():
    random = np.random.default_rng(1)
    x = random.uniform(0, 10, 30)
    y = 1 + 0.5 * x + 0.1 * random.normal(size=30)
    fitted = fit(LINE, {"x": x}, y, objective=Objective("squared"), constraints=["a + 2*b = 1.5"])
    # With a = 1.5 - 2 b the line is b (x - 2) + 1.5: one regression through a point.
    moved = x - 2
    slope = moved @ (y - 1.5) / (moved @ moved)
    variance = np.sum((y - 1.5 - slope * moved) ** 2) / 29
    error = np.sqrt(variance / (moved @ moved))
    assert fitted.values["b"] == pytest.approx(slope, rel=1e-7)
    assert fitted.covariance == pytest.approx(error**2 * np.array([[4, -2], [-2, 1]]), rel=1e-4)


def test_constraints_hold_in_every_group():
    groups = np.repeat(np.array(["one", "other"], dtype=object), 64)
    rows = {name: np.tile(column, 2) for name, column in RUNS.items()}
    target = np.concatenate([NOISY, NOISY * noise(0.005, 64, 7)])
    fitted = fit_groups(HOFFMANN, rows, target, groups, objective=SQUARED, constraints=["beta <= alpha"])
    alone = fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=["beta <= alpha"])
    assert fitted.parts["one"].loss == pytest.approx(alone.loss, rel=1e-7)
    assert all(part.values["beta"] <= part.values["alpha"] * (1 + 1e-8) for part in fitted.parts.values())


@pytest.mark.parametrize("constraint", ["alpha <= -1", "alpha + beta = -0.5", "E0 >= 2*E0 + 1"])
def test_a_constraint_that_nothing_keeps_is_named(constraint):
    with pytest.raises(FitError, match=f"that keeps {constraint.replace('+', '[+]').replace('*', '[*]')}"):
        fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=[constraint])


def test_two_constraints_that_contradict_each_other_are_both_named():
    with pytest.raises(FitError, match=r"that keeps alpha <= 0\.2 and alpha >= 0\.4"):
        fit(HOFFMANN, RUNS, NOISY, objective=SQUARED, constraints=["alpha <= 0.2", "alpha >= 0.4"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha beta", "constraint 'alpha beta' needs one of <=, >= and =, as 'alpha <= beta' has"),
        ("alpha < beta", "needs one of <=, >= and ="),
        ("0 <= alpha <= beta", "needs one of <=, >= and ="),
        ("alpha <= gamma", r"is not over the constants of law 'hoffmann' \(E0, A, B, alpha, beta\)"),
        ("alpha <= ", "is not over the constants"),
        ("alpha*beta <= 1", "is not linear in the constants: use sums of them times numbers"),
        ("alpha**2 <= 1", "is not linear in the constants"),
        ("1 <= 2", "is not linear in the constants"),
        ("alpha <= alpha", "is not linear in the constants"),
        ("N <= 1", "is not over the constants"),
    ],
)
def test_what_is_no_linear_constraint_is_named(text, message):
    with pytest.raises(InputError, match=message):
        fit(HOFFMANN, RUNS, NOISY, constraints=[text])


def test_constraints_are_read_on_both_sides_of_the_sign():
    read = constraints_of(HOFFMANN, ["2*alpha + 1 >= beta - 0.5", "E0 = 1.5"])
    assert read.matrix.tolist() == [[0, 0, 0, -2, 1], [1, 0, 0, 0, 0]]
    assert read.bound.tolist() == [1.5, 1.5]
    assert read.equal.tolist() == [False, True]
    inside, outside = [1.5, 1.0, 1.0, 0.3, 0.4], [1.4, 1.0, 1.0, 0.3, 0.4]
    assert read.kept(np.array([inside, outside])).tolist() == [True, False]


def test_the_robust_objective_keeps_a_constraint_and_loses_little():
    # No solver of SciPy's finds this optimum to many digits: nearby points that keep the constraint must be worse.
    fitted = fit(HOFFMANN, RUNS, NOISY, constraints=["beta <= alpha"])
    tied = fit(HOFFMANN, RUNS, NOISY, tied={"beta": "alpha"})
    assert fitted.loss <= tied.loss * (1 + 1e-6)
    assert fitted.values["beta"] <= fitted.values["alpha"] * (1 + 1e-8)
