"""The benchmark of the fitter: what it compares with is the same problem, and its parts run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from discover.errors import InputError
from discover.fitting import Objective, fit
from discover.law import load_law

# Its files find each other as those of a script do.
sys.path.append(str(Path(__file__).resolve().parents[1] / "experiments" / "benchmarks"))

import bootstraps
import fresh
import hoffmann
import laws
import peers
from chinchilla_loss import DELTA, ChinchillaLoss, constants_of, drawn_starts, point_of, published_starts
from law_residuals import LawResiduals
from part import Part, excess
from powers import powers_law, powers_rows
from rows import besiroglu, chinchilla_rows, generated_rows
from scipy_fits import lbfgsb, robust_least_squares

FOLDER = Path(fresh.__file__).parent
ROWS = generated_rows(60)
HOFFMANN = load_law("hoffmann")
NEAR = point_of({"E0": 1.7, "A": 300.0, "B": 900.0, "alpha": 0.33, "beta": 0.35})


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """As the script does: on a busy machine, threads that wait for each other cost more than these small fits."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def loss() -> ChinchillaLoss:
    return ChinchillaLoss(dict(ROWS.features), ROWS.target)


def test_scipy_minimises_the_objective_of_a_fit(loss: ChinchillaLoss) -> None:
    values = {name: float(value) for name, value in constants_of(NEAR).items()}
    objective = Objective.suited_to(ROWS.target)
    residual = objective.residual(HOFFMANN.predict(ROWS.features, values), ROWS.target)
    assert loss.residuals(NEAR) == pytest.approx(residual, rel=1e-12)
    assert loss.value(NEAR) * DELTA == pytest.approx(float(objective.loss(residual)), rel=1e-12)


@pytest.mark.parametrize("weights", [None, np.arange(60.0) % 3])
def test_its_exact_gradients_are_those_of_the_loss(loss: ChinchillaLoss, weights: np.ndarray | None) -> None:
    weighted = loss if weights is None else loss.weighted(weights)
    value, gradient = weighted.value_and_gradient(NEAR)
    assert value == pytest.approx(weighted.value(NEAR), rel=1e-12)
    assert gradient == pytest.approx(approx_fprime(NEAR, weighted.value, 1e-7), rel=1e-4)
    assert loss.jacobian(NEAR) == pytest.approx(approx_fprime(NEAR, loss.residuals, 1e-7), rel=1e-4, abs=1e-6)


def test_a_row_that_counts_twice_is_a_row_that_stands_twice(loss: ChinchillaLoss) -> None:
    weights = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60))
    rows = np.repeat(np.arange(60), weights)
    repeated = ChinchillaLoss({name: column[rows] for name, column in ROWS.features.items()}, ROWS.target[rows])
    assert loss.weighted(weights.astype(float)).value(NEAR) == pytest.approx(repeated.value(NEAR), rel=1e-12)


def test_there_are_4500_published_starts() -> None:
    assert published_starts().shape == (4500, 5)
    assert len(np.unique(published_starts(), axis=0)) == 4500


def test_three_solvers_find_one_optimum(loss: ChinchillaLoss) -> None:
    ours = fit(HOFFMANN, ROWS.features, ROWS.target).loss
    assert lbfgsb(loss, NEAR[None], analytic=True).best == pytest.approx(ours, rel=1e-6)
    assert lbfgsb(loss, NEAR[None], analytic=False).best == pytest.approx(ours, rel=1e-3)
    drawn = drawn_starts(HOFFMANN, 20)
    least = robust_least_squares(loss.residuals, loss.jacobian, drawn, delta=DELTA)
    assert least.best == pytest.approx(ours, rel=1e-9)
    assert 0 < least.share_within(ours) <= 1


def test_the_time_limit_leaves_starts_untried(loss: ChinchillaLoss) -> None:
    drawn = drawn_starts(HOFFMANN, 20)
    tried = robust_least_squares(loss.residuals, loss.jacobian, drawn, delta=DELTA, limit=0.0)
    assert (len(tried.losses), tried.cut) == (1, True)


@pytest.mark.parametrize("objective", [Objective(), Objective("huber", 0.01), Objective("squared")], ids=str)
def test_the_residuals_of_any_law_have_exact_derivatives(objective: Objective) -> None:
    problem = LawResiduals(HOFFMANN, ROWS.features, ROWS.target, objective)
    point = np.array([1.8, np.log(480.0), np.log(2000.0), 0.35, 0.37])  # A and B by their logarithm
    numeric = approx_fprime(point, problem.residuals, 1e-7)
    assert problem.jacobian(point) == pytest.approx(numeric, rel=1e-4, abs=1e-5)
    low, high = problem.bounds
    drawn = problem.draw(50)
    assert ((drawn > low) & (drawn < high)).all()


def test_a_law_without_a_dataset_is_fitted_to_its_own_predictions() -> None:
    part = laws.measure(starts=10, only=["hestness_learning_curve", "deepseek_lr"])
    told = part.numbers["laws"]
    assert list(told) == ["deepseek_lr", "hestness_learning_curve"]
    assert {one["dataset"] for one in told.values()} == {"generated"}
    assert part.numbers["laws_worst_excess"] < 1e-6  # ours reaches what ten starts of SciPy reach
    assert len(part.rows) == 2


def test_rare_optima_take_many_starts() -> None:
    assert laws.starts_to_be_sure(1.0) == 1
    assert laws.starts_to_be_sure(0.5) == 5  # 1 - 0.5**5 = 0.969, and 1 - 0.5**4 = 0.938
    assert laws.starts_to_be_sure(0.0) == np.inf


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_a_law_is_fitted_to_the_first_dataset_that_it_fits() -> None:
    table = laws.table_of(load_law("clark_separable"))
    assert table.source == "routed_moe"
    assert len(table.target) <= laws.MOST_ROWS
    assert set(table.law.columns) <= set(table.features)


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_the_rows_are_the_240_of_besiroglu() -> None:
    rows = chinchilla_rows()
    assert (len(rows.target), int(rows.held_out.sum()), rows.generated) == (240, 23, False)


def test_without_the_data_rows_are_generated_and_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISCOVER_MIRROR", str(tmp_path))  # a mirror that holds nothing
    monkeypatch.setattr("socket.socket.connect", _offline)
    rows = chinchilla_rows()
    assert (len(rows.target), rows.generated) == (240, True)
    assert rows.source.startswith("generated: 240 rows of Chinchilla's form with 1 % noise")
    assert 0 < rows.held_out.sum() < 120


def _offline(*_: object) -> None:
    raise OSError("no network in tests")


def test_hoffmann_says_which_share_of_the_starts_was_run() -> None:
    part = hoffmann.measure(ROWS, share=0.001, random_starts=3, repeats=1)
    numbers = part.numbers
    assert (numbers["analytic"]["starts_run"], numbers["analytic"]["starts"]) == (4, 4500)
    assert numbers["relative_excess_objective_analytic"] < 1e-6
    assert numbers["ours"]["seconds_cold"] > 0
    assert min(numbers["speedup_hoffmann_numeric"], numbers["speedup_hoffmann_analytic"]) > 0
    assert any("4 of the 4,500" in remark for remark in part.remarks)


def test_bootstraps_give_intervals_around_the_truth() -> None:
    numbers = bootstraps.measure(ROWS, count=25, numeric=1).numbers
    low, high = numbers["scipy"]["intervals"]["E0"]
    assert low < besiroglu(HOFFMANN)["E0"] < high
    assert numbers["scipy"]["stderr_a"] > 0
    assert numbers["seconds_scipy_numeric"] > 0


@pytest.mark.parametrize("constants", [3, 8, 30])
def test_a_sum_of_powers_has_as_many_constants_as_asked(constants: int) -> None:
    assert len(powers_law(constants).parameters) == constants
    rows = powers_rows(constants, 100)
    assert np.isfinite(rows.target).all()
    assert (rows.target > 0).all()


def test_a_sum_of_powers_has_three_constants_or_more() -> None:
    with pytest.raises(InputError, match="three constants or more, not 2"):
        powers_law(2)


def test_a_fit_that_takes_too_long_is_cut() -> None:
    told = fresh.measure(fresh.Job(rows=200_000, limit=0.05))
    assert (told["cut"], told["seconds"]) == (True, 0.05)
    assert told["peak_mib"] >= told["peak_before_mib"] > 10


def test_a_package_that_is_not_there_is_left_out_and_named() -> None:
    part = peers.measure(ROWS, str(FOLDER / "no-such-python"), repeats=1)
    assert [row[0] for row in part.rows] == ["ours"]
    assert any(remark.startswith("`chinchilla` was left out: ") for remark in part.remarks)
    assert part.numbers["ours"]["rmse_held_out"] < 0.1


def test_a_table_is_markdown() -> None:
    part = Part("one", "One", "This beside that.", {}, ("a", "b"), [("1", "x|y")], ("Mind it.",))
    assert part.markdown() == "## One\n\n| a | b |\n| --- | --- |\n| 1 | x\\|y |\n\nThis beside that.\n\nMind it.\n"


def test_exact_fits_do_not_differ_by_their_rounding() -> None:
    assert excess(1.1, 1.0) == pytest.approx(0.1)
    assert excess(2e-20, 1e-20, floor=1e-12) < 1e-7
    assert excess(1.0, np.inf) == -np.inf  # SciPy had no start that ended


def test_the_script_writes_its_numbers_and_its_page(tmp_path: Path) -> None:
    script, page = str(FOLDER / "fitting.py"), tmp_path / "page.md"
    options = ["--only", "peers", "--quick", "--json", "-", "--markdown", str(page), "--peer-python", "no-such-python"]
    done = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["machine"]["threads used"] == "1"
    assert told["quick"] is True
    assert told["parts"]["peers"]["ours"]["seconds"] > 0
    assert "no-such-python" in told["parts"]["peers"]["chinchilla"]["missing"]
    assert page.read_text().startswith("# Benchmarks of the fitter\n")
