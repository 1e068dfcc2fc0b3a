"""Which constants move, in which units, and between which bounds."""

from __future__ import annotations

import numpy as np
import pytest
from generated import HOFFMANN, NOISY, RUNS, TRUTH, a_law, positive

from discover.errors import InputError
from discover.fitting import fit
from discover.fitting.space import space_of
from discover.law import Constant

ORDER = ["E0", "A", "B", "alpha", "beta"]


def test_constants_go_into_the_solvers_units_and_back():
    space = space_of(HOFFMANN)
    assert space.free == tuple(ORDER)
    constants = np.array([[TRUTH[name] for name in ORDER]])
    point = space.points(constants)[0]
    assert point == pytest.approx([1.8172, np.log(482.01), np.log(2085.43), 0.3478, 0.3658])
    assert space.constants(point[None])[0] == pytest.approx(constants[0], rel=1e-14)


def test_a_fixed_constant_is_no_parameter_also_where_it_is_zero():
    space = space_of(HOFFMANN, fixed={"A": 0.0, "beta": 0.4})
    assert space.free == ("E0", "B", "alpha")
    assert space.constants(np.array([[1.5, np.log(300.0), 0.3]]))[0] == pytest.approx([1.5, 0.0, 300.0, 0.3, 0.4])


def test_a_term_whose_scale_is_fixed_at_zero_is_not_there():
    fitted = fit(HOFFMANN, RUNS, NOISY, fixed={"A": 0.0, "alpha": 0.3})
    narrow = a_law("E0 + B/D**beta", {name: HOFFMANN.constants[name] for name in ("E0", "B", "beta")}, ("D",))
    alone = fit(narrow, {"D": RUNS["D"]}, NOISY)
    assert fitted.loss == pytest.approx(alone.loss, rel=1e-10)
    assert {name: fitted.values[name] for name in alone.values} == pytest.approx(dict(alone.values), rel=1e-6)


def test_a_tied_constant_has_the_value_and_the_error_of_the_other():
    fitted = fit(HOFFMANN, RUNS, NOISY, tied={"beta": "alpha"})
    one = a_law("E0 + A/N**g + B/D**g", {**{k: HOFFMANN.constants[k] for k in ("E0", "A", "B")},
                                        "g": HOFFMANN.constants["alpha"]}, ("N", "D"))  # fmt: skip
    direct = fit(one, RUNS, NOISY)
    assert fitted.values["alpha"] == fitted.values["beta"] == pytest.approx(direct.values["g"], rel=1e-6)
    assert fitted.errors["alpha"] == fitted.errors["beta"] == pytest.approx(direct.errors["g"], rel=1e-4)
    assert fitted.loss == pytest.approx(direct.loss, rel=1e-10)
    assert fitted.free == ("E0", "A", "B", "alpha")


def test_two_logarithms_that_are_tied_are_one():
    fitted = fit(HOFFMANN, RUNS, NOISY, tied={"B": "A", "beta": "alpha"})
    assert (fitted.values["A"], fitted.values["alpha"]) == (fitted.values["B"], fitted.values["beta"])
    place = [ORDER.index(name) for name in ("A", "B")]
    assert np.ptp(fitted.covariance[np.ix_(place, place)]) == 0


@pytest.mark.parametrize(("bounds", "value"), [((None, 0.3), 0.3), ((0.4, None), 0.4), ((0.38, 0.5), 0.38)])
def test_bounds_that_are_given_replace_the_cards(bounds, value):
    fitted = fit(HOFFMANN, RUNS, NOISY, bounds={"alpha": bounds})
    held = fit(HOFFMANN, RUNS, NOISY, fixed={"alpha": value})
    assert fitted.values["alpha"] == pytest.approx(value, rel=1e-12)
    assert fitted.loss == pytest.approx(held.loss, rel=1e-9)
    assert fitted.status.state == "at_bound"
    assert f"alpha = {value} lies at its bound" in fitted.status.reason


def test_bounds_of_a_logarithm_are_those_of_the_constant():
    fitted = fit(HOFFMANN, RUNS, NOISY, bounds={"A": (None, 100.0)})
    assert fitted.values["A"] == pytest.approx(100.0, rel=1e-9)
    assert fitted.status.state == "at_bound"


def test_bounds_that_hold_change_nothing():
    free, bounded = fit(HOFFMANN, RUNS, NOISY), fit(HOFFMANN, RUNS, NOISY, bounds={"alpha": (0.1, 0.9)})
    assert bounded.values == pytest.approx(dict(free.values), rel=1e-6)
    assert bounded.warnings == ()


@pytest.mark.parametrize("bounds", [(3.0, 5.0), (3.0, None), (1e-9, 1e-8)])
def test_bounds_beyond_the_range_of_the_starts_are_searched(bounds):
    space = space_of(HOFFMANN, bounds={"alpha": bounds})
    place = space.free.index("alpha")
    assert space.lower[place] <= space.low[place] < space.high[place] <= space.upper[place]
    assert np.isfinite([space.low[place], space.high[place]]).all()


def test_a_bound_below_zero_does_not_make_a_positive_constant_negative():
    space = space_of(HOFFMANN, bounds={"alpha": (-1.0, 1.0), "A": (-5.0, None)})
    assert space.lower[space.free.index("alpha")] == 0
    assert space.constants(space.lower[None])[0][1] >= 0


def test_a_logarithm_stays_among_the_numbers():
    # The rows want an exponential that vanishes: its scale would run to zero, and its rate to infinity.
    law = a_law("c + A*exp(-k*x)", {"c": Constant(range=(0, 3)), "A": positive(1, 10), "k": positive(1, 10)}, ("x",))
    fitted = fit(law, {"x": np.linspace(1, 5, 30)}, 2 + 0.01 * np.random.default_rng(0).normal(size=30))
    assert np.isfinite(list(fitted.values.values())).all()
    assert fitted.status.state == "undetermined"
    assert fitted.values["c"] == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fixed": {"E": 1.8}}, r"law 'hoffmann' has no constant 'E': did you mean 'E0'\?"),
        ({"tied": {"gamma": "alpha"}}, "law 'hoffmann' has no constant 'gamma'"),
        ({"tied": {"beta": "alph"}}, r"has no constant 'alph': did you mean 'alpha'\?"),
        ({"bounds": {"bta": (0, 1)}}, r"has no constant 'bta': did you mean 'beta'\?"),
        ({"fixed": {"E0": np.nan}}, "the constant E0 cannot be fixed at nan: it must be a finite number"),
        ({"fixed": {"A": -1.0}}, "the constant A cannot be fixed at -1.0: it must be a finite number from 0 to inf"),
        ({"fixed": {"A": np.inf}}, "the constant A cannot be fixed at inf: it must be a finite number from 0 to inf"),
        ({"tied": {"beta": "beta"}}, "beta cannot be tied to beta: tie it to one that is free"),
        ({"tied": {"beta": "alpha", "alpha": "E0"}}, "beta cannot be tied to alpha: tie it to one that is free"),
        ({"tied": {"beta": "alpha"}, "fixed": {"alpha": 0.3}}, "beta cannot be tied to alpha"),
        ({"tied": {"beta": "alpha"}, "fixed": {"beta": 0.3}}, "beta cannot be tied to alpha"),
        ({"bounds": {"alpha": (0.5, 0.5)}}, "the bounds of alpha leave no value: 0.5 to 0.5"),
        ({"bounds": {"alpha": (0.5, 0.1)}}, "the bounds of alpha leave no value: 0.5 to 0.1"),
        ({"bounds": {"alpha": (None, -0.1)}}, "the bounds of alpha leave no value: 0 to -0.1"),
        ({"bounds": {"alpha": (np.nan, 1.0)}}, "the bounds of alpha leave no value: nan to 1"),
    ],
)
def test_what_cannot_be_is_named(options, message):
    with pytest.raises(InputError, match=message):
        fit(HOFFMANN, RUNS, NOISY, **options)


def test_a_first_start_needs_the_free_constants_only():
    fitted = fit(HOFFMANN, RUNS, NOISY, fixed={"E0": 1.8}, tied={"beta": "alpha"}, starts=0,
                 first={"A": 400.0, "B": 2000.0, "alpha": 0.35})  # fmt: skip
    assert fitted.n_starts == 1
    assert fitted.values["beta"] == fitted.values["alpha"]
