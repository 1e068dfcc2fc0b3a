"""The solver on problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from discover.fitting import Objective
from discover.fitting.solver import Problem, solve

UNBOUNDED = (np.full(2, -np.inf), np.full(2, np.inf))


def rosenbrock(objective: Objective, bounds: tuple[np.ndarray, np.ndarray] = UNBOUNDED) -> Problem:
    def residuals(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        return np.stack([10 * (y - x**2), 1 - x], axis=1)

    def jacobian(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = points[:, 0]
        rows = [np.stack([-20 * x, np.full_like(x, 10.0)], axis=1), np.stack([-np.ones_like(x), 0 * x], axis=1)]
        return residuals(points), np.stack(rows, axis=1)

    return Problem(residuals, jacobian, *bounds, objective)


@pytest.mark.parametrize("objective", [Objective("squared"), Objective("huber", 1e-3)], ids=lambda o: o.name)
def test_rosenbrocks_valley_ends_at_one_one_from_every_start(objective):
    found = solve(rosenbrock(objective), np.array([[-1.2, 1.0], [3.0, -3.0], [0.0, 0.0]]), fine=200)
    assert found == pytest.approx(np.ones((3, 2)), abs=1e-6)


def test_a_bound_stops_the_descent_and_the_other_parameter_goes_on():
    bounds = (np.array([-5.0, -5.0]), np.array([0.5, 5.0]))
    found = solve(rosenbrock(Objective("squared"), bounds), np.array([[-1.0, 1.0]]), fine=200)
    assert found[0] == pytest.approx([0.5, 0.25], abs=1e-9)  # y = x**2 with x at its bound


def test_starts_outside_the_bounds_are_moved_inside():
    bounds = (np.zeros(2), np.full(2, 0.9))
    found = solve(rosenbrock(Objective("squared"), bounds), np.array([[7.0, -7.0]]), fine=200)
    assert found[0] == pytest.approx([0.9, 0.81], abs=1e-9)


def test_starts_without_a_finite_residual_are_left_out():
    problem = rosenbrock(Objective("squared"))
    assert solve(problem, np.array([[np.nan, 1.0], [0.5, 0.5]])).shape == (1, 2)
    assert solve(problem, np.full((2, 2), np.nan)).shape == (0, 2)


def test_results_are_sorted_by_objective_and_no_start_is_worse_than_it_began():
    starts = np.array([[-50.0, 3.0], [0.9, 0.8], [4.0, 4.0]])
    problem = rosenbrock(Objective("squared"))
    few_steps = solve(problem, starts, fine=2)
    losses = problem.objective.loss(problem.residuals(few_steps))
    assert (np.diff(losses) >= 0).all()
    assert (losses <= np.sort(problem.objective.loss(problem.residuals(starts)))).all()


def test_the_robust_optimum_of_a_line_is_the_least_absolute_one():
    # With delta far below the noise, a line through five points passes through two of them and ignores the fifth.
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    y = np.array([0.0, 1.0, 2.0, 3.0, 100.0])

    def residuals(points: np.ndarray) -> np.ndarray:
        return points[:, :1] + points[:, 1:] * x - y

    def jacobian(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        one = np.stack([np.ones_like(x), x], axis=1)
        return residuals(points), np.broadcast_to(one, (len(points), 5, 2)).copy()

    problem = Problem(residuals, jacobian, *UNBOUNDED, Objective("huber", 1e-6))
    assert solve(problem, np.array([[5.0, -1.0]]))[0] == pytest.approx([0.0, 1.0], abs=1e-5)
