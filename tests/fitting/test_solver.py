"""The solver on problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from discover.fitting import Objective
from discover.fitting.equations import RowEquations
from discover.fitting.solver import FINE, FINER, ROUGH, Stage, descend

UNBOUNDED = (np.full(2, -np.inf), np.full(2, np.inf))
LONG = (Stage(0.0, 200), Stage(0.0, 200, curvature=True))


class Rosenbrock(RowEquations):
    def __init__(self, objective: Objective, bounds: tuple[np.ndarray, np.ndarray] = UNBOUNDED) -> None:
        super().__init__(objective, *bounds, rows=2)

    def residuals(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        x, y = points.T
        return np.stack([10 * (y - x**2), 1 - x], axis=1)[:, rows]

    def linearised(self, points: np.ndarray, which: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        x = points[:, 0]
        slopes = [np.stack([-20 * x, -np.ones_like(x)], axis=1), np.stack([np.full_like(x, 10.0), 0 * x], axis=1)]
        return self.residuals(points, which, rows), np.stack(slopes, axis=1)[..., rows]


class Line(RowEquations):
    """A straight line through points; each problem has targets of its own."""

    def __init__(self, objective: Objective, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__(objective, *UNBOUNDED, rows=len(x))
        self.x, self.y = x, np.atleast_2d(y)

    def residuals(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        return points[:, :1] + points[:, 1:] * self.x[rows] - self.y[which, rows]

    def linearised(self, points: np.ndarray, which: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        slopes = np.stack([np.ones_like(self.x), self.x])[:, rows]
        return self.residuals(points, which, rows), np.tile(slopes, (len(points), 1, 1))


def solve(equations: RowEquations, points: np.ndarray, stages: tuple[Stage, ...] = LONG) -> np.ndarray:
    return descend(equations, points, np.zeros(len(points), dtype=int), stages)


@pytest.mark.parametrize(
    "objective", [Objective("squared"), Objective("huber", 1e-3), Objective("soft_l1", 1e-3)], ids=lambda o: o.name
)
def test_rosenbrocks_valley_ends_at_one_one_from_every_start(objective):
    found = solve(Rosenbrock(objective), np.array([[-1.2, 1.0], [3.0, -3.0], [0.0, 0.0]]))
    assert found == pytest.approx(np.ones((3, 2)), abs=1e-6)


def test_a_bound_stops_the_descent_and_the_other_parameter_goes_on():
    bounds = (np.array([-5.0, -5.0]), np.array([0.5, 5.0]))
    found = solve(Rosenbrock(Objective("squared"), bounds), np.array([[-1.0, 1.0]]))
    assert found[0] == pytest.approx([0.5, 0.25], abs=1e-9)  # y = x**2 with x at its bound


def test_no_step_raises_the_loss():
    starts = np.array([[-50.0, 3.0], [0.9, 0.8], [4.0, 4.0]])
    equations = Rosenbrock(Objective("squared"))
    which = np.zeros(3, dtype=int)
    losses = [equations.losses(starts, which)]
    for steps in (1, 2, 5, 20):
        losses.append(equations.losses(solve(equations, starts, (Stage(0.0, steps),)), which))
    assert (np.diff(losses, axis=0) <= 0).all()


def test_the_robust_optimum_of_a_line_is_the_least_absolute_one():
    # With delta far below the noise, a line through five points passes through two of them and ignores the fifth.
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    line = Line(Objective("huber", 1e-6), x, np.array([0.0, 1.0, 2.0, 3.0, 100.0]))
    assert solve(line, np.array([[5.0, -1.0]]))[0] == pytest.approx([0.0, 1.0], abs=1e-5)


def test_absolute_values_are_as_small_as_a_linear_program_makes_them():
    from scipy.optimize import linprog

    random = np.random.default_rng(3)
    x = random.uniform(0, 10, 41)
    y = 2 + 0.5 * x + random.standard_t(2, size=41)
    line = Line(Objective("mae"), x, y)
    found = solve(line, np.array([[0.0, 0.0]]), (*ROUGH, *FINER))
    # Variables: intercept, slope, and how far each point lies above and below the line.
    one = np.column_stack([np.ones(41), x, np.eye(41), -np.eye(41)])
    least = linprog([0, 0, *np.ones(82)], A_eq=one, b_eq=y, bounds=[(None, None)] * 2 + [(0, None)] * 82)
    assert line.losses(found, np.zeros(1, dtype=int))[0] == pytest.approx(least.fun, rel=1e-9)


def test_problems_that_move_together_end_where_each_ends_alone():
    random = np.random.default_rng(0)
    x = np.linspace(0, 1, 30)
    y = 1 + x + 0.1 * random.standard_t(2, size=(4, 30))
    line = Line(Objective("huber", 1e-3), x, y)
    together = descend(line, np.zeros((4, 2)), np.arange(4), (*ROUGH, *FINE))
    for k in range(4):
        alone = descend(Line(Objective("huber", 1e-3), x, y[k]), np.zeros((1, 2)), np.zeros(1, dtype=int), LONG)
        assert together[k] == pytest.approx(alone[0], abs=1e-7)


def test_a_derivative_that_overflows_leaves_the_point_where_it_is():
    class Steep(Rosenbrock):
        def linearised(self, points, which, rows):
            residuals, slopes = super().linearised(points, which, rows)
            return residuals, np.where(points[:, :1, None] > 2, np.inf, slopes)

    found = solve(Steep(Objective("squared")), np.array([[3.0, 1.0], [0.5, 0.5]]))
    assert found[0].tolist() == [3.0, 1.0]
    assert found[1] == pytest.approx([1.0, 1.0], abs=1e-6)


class Weighted(Line):
    """A straight line through points whose weights differ between problems."""

    def __init__(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> None:
        super().__init__(Objective("huber", 1e-3), x, y)
        self.weight = weight

    def weights(self, which: np.ndarray, rows: slice) -> np.ndarray:
        return self.weight[which, rows]


def test_the_typical_residual_is_of_rows_that_count_and_where_none_does_there_is_none():
    # A warning of NumPy would be an error here.
    x = np.arange(5.0)
    weight = np.array([[1.0, 1.0, 1.0, 0.0, 0.0], np.zeros(5), [0.0, 0.0, 1.0, 1.0, 1.0]])
    equations = Weighted(x, np.array([x, x, x]), weight)
    found = equations.typical(np.array([[1.0, 2.0], [1.0, 2.0], [np.inf, 0.0]]), np.arange(3))
    assert found[0] == 2.0  # residuals are 1, 2, 3 in the rows that count
    assert np.isnan(found[1:]).all()  # no row counts; a residual that does is not finite


class Overflowing(Rosenbrock):
    """Rosenbrock's valley in small units, with a bend that overflows in them."""

    def linearised(self, points: np.ndarray, which: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        slopes = 1e-3 * super().linearised(1e-3 * points, which, rows)[1]
        return self.residuals(points, which, rows), slopes

    def residuals(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        return super().residuals(1e-3 * points, which, rows)

    def bend(
        self, points: np.ndarray, which: np.ndarray, delta: np.ndarray, step: np.ndarray, *, curvature: bool
    ) -> np.ndarray:
        return np.full(points.shape, 1e308)


def test_a_bend_that_overflows_bends_no_step():
    equations, start = Overflowing(Objective("huber", 1e-3)), np.array([[-1200.0, 1000.0]])
    bent, straight = (solve(equations, start, (Stage(0.0, 5, bent=bent),)) for bent in (True, False))
    assert (bent == straight).all()
    assert (bent != start).any()
