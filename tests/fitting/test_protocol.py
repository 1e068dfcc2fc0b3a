"""Published ways to fit a law: a grid of starts, each descended by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from generated import FLOOR, HOFFMANN, NOISY, RUNS, noise
from pydantic import ValidationError

from discover.errors import FitError, InputError
from discover.fitting import Objective, fit
from discover.fitting.protocol import fit_by_protocol
from discover.law_card import LawCard, Protocol

TRUTH = {"E0": 1.8, "A": 480.0, "alpha": 0.35}
SIZE = np.repeat(np.geomspace(1e7, 1e10, 10), 3)
TARGET = FLOOR.predict({"N": SIZE}, TRUTH) * noise(0.01, 30)
GRID = {"grid": {"alpha": [0.2, 0.5]}, "log_grid": {"A": [4.0, 8.0], "E0": [0.0, 0.5, 1.0]}}


def by_protocol(**changes: object):
    keys = {"source": "here", "objective": "log_squared", "method": "BFGS", **GRID, **changes}
    return replace(FLOOR, protocols={"small": Protocol(**keys)})


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B"])
def test_a_small_grid_finds_the_optimum_of_the_fit(method):
    law = by_protocol(method=method, objective="log_huber", delta=0.02)
    found = fit_by_protocol(law, {"N": SIZE}, TARGET, "small")
    best = fit(FLOOR, {"N": SIZE}, TARGET, objective=Objective("log_huber", 0.02))
    # SciPy's own tolerances stop it early: within a part in a thousand of the objective, never below the optimum.
    assert best.loss * (1 - 1e-9) <= found.loss <= best.loss * 1.001
    for name, value in best.values.items():
        assert abs(found.values[name] - value) < 0.2 * best.errors[name]
    assert found.n_starts == 12
    assert (found.law.name, found.law.formula) == (law.name, law.formula)
    assert found.equations().losses(found.point[None], np.zeros(1, dtype=int))[0] == pytest.approx(found.loss, rel=1e-9)
    assert found.objective == best.objective


def test_agreement_is_the_share_of_the_starts_of_the_grid_that_reach_the_best():
    # Where the term vanishes no step leads back: exp(-800) has no slope.
    law = by_protocol(log_grid={"A": [6.0, -800.0], "E0": [0.5]}, grid={"alpha": [0.35]})
    found = fit_by_protocol(law, {"N": SIZE}, TARGET, "small")
    assert (found.n_starts, found.agreement) == (2, 0.5)
    one = by_protocol(log_grid={"A": [6.0], "E0": [0.5]}, grid={"alpha": [0.35]})
    assert fit_by_protocol(one, {"N": SIZE}, TARGET, "small").agreement == 1.0


def test_a_grid_without_a_good_start_does_not_find_the_optimum_and_that_is_the_point():
    law = by_protocol(log_grid={"A": [-800.0], "E0": [0.5]}, grid={"alpha": [0.35]})
    found = fit_by_protocol(law, {"N": SIZE}, TARGET, "small")
    assert found.loss > 2 * fit(FLOOR, {"N": SIZE}, TARGET, objective=Objective("log_squared")).loss
    assert found.status.state == "undetermined"


def test_errors_and_predictions_are_those_of_a_fit_at_the_same_constants():
    found = fit_by_protocol(by_protocol(), {"N": SIZE}, TARGET, "small")
    best = fit(FLOOR, {"N": SIZE}, TARGET, objective=Objective("log_squared"))
    assert found.errors == pytest.approx(dict(best.errors), rel=0.02)
    assert found.predict({"N": SIZE}) == pytest.approx(best.predict({"N": SIZE}), rel=1e-4)
    assert found.residuals == pytest.approx(best.residuals, abs=1e-4)


def test_an_unknown_protocol_is_named_with_those_that_there_are():
    with pytest.raises(InputError, match=r"law 'hoffmann' has no protocol 'hofmann': did you mean 'hoffmann'\?"):
        fit_by_protocol(HOFFMANN, RUNS, NOISY, "hofmann")
    with pytest.raises(InputError, match="law 'mine' has no protocol 'hoffmann': its card has none"):
        fit_by_protocol(FLOOR, {"N": SIZE}, TARGET, "hoffmann")


def test_rows_that_no_fit_takes_are_refused_here_too():
    law = by_protocol()
    with pytest.raises(FitError, match="log_squared needs a positive target"):
        fit_by_protocol(law, {"N": SIZE}, TARGET - 3, "small")
    with pytest.raises(FitError, match="3 free constants and there are only 2 rows"):
        fit_by_protocol(law, {"N": SIZE[:2]}, TARGET[:2], "small")


@pytest.mark.parametrize(
    ("grid", "log_grid"),
    [({"alpha": [0.3]}, {"A": [5.0]}), ({"alpha": [0.3], "A": [100.0]}, {"A": [5.0], "E0": [0.0]})],
    ids=["misses E0", "has A twice"],
)
def test_a_card_whose_grid_is_not_over_each_constant_once_is_refused(grid, log_grid):
    protocol = {"source": "s", "objective": "log_huber", "method": "BFGS", "grid": grid, "log_grid": log_grid}
    constants = {name: constant.model_dump() for name, constant in FLOOR.constants.items()}
    with pytest.raises(ValidationError, match="grid and log_grid must have starts of each constant once: E0, A, alpha"):
        LawCard.model_validate(
            {"title": "t", "formula": FLOOR.formula, "features": {"N": ""}, "constants": constants,
             "protocols": {"mine": protocol}}
        )  # fmt: skip


def test_hoffmanns_protocol_has_the_4500_starts_of_the_paper():
    protocol = HOFFMANN.protocols["hoffmann"]
    starts = [len(values) for values in (*protocol.grid.values(), *protocol.log_grid.values())]
    assert np.prod(starts) == 4500
    assert (protocol.objective, protocol.delta, protocol.method) == ("log_huber", 1e-3, "L-BFGS-B")
