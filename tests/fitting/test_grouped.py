"""Fits of rows in groups: constants of each group, and constants that all groups share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.errors import FitError, InputError
from discover.fitting import GroupedFit, Objective, fit, fit_groups, fit_rows
from discover.law import load_law

FLOOR = load_law("alabdulmohsin_m2").on("N")  # a power law with a floor
E0, B, C = FLOOR.parameters
TRUTH = {"a": {E0: 1.5, B: 400.0, C: -0.35}, "b": {E0: 2.0, B: 90.0, C: -0.25}, "c": {E0: 0.8, B: 800.0, C: -0.4}}
SIZES = np.tile(np.geomspace(1e6, 1e10, 9), 3)
GROUPS = np.repeat(np.array(list(TRUTH), dtype=object), 9)


def losses(truth: dict[str, dict[str, float]], noise: float = 0.0) -> np.ndarray:
    exact = np.concatenate([FLOOR.predict({"N": SIZES[name == GROUPS]}, truth[name]) for name in truth])
    return exact * np.exp(noise * np.random.default_rng(0).normal(size=len(exact)))


def shared(*names: str):
    """The law with some constants shared by all groups."""
    constants = {
        name: constant.model_copy(update={"shared": name in names}) for name, constant in FLOOR.constants.items()
    }
    return replace(FLOOR, constants=constants)


def test_each_group_gets_its_own_constants() -> None:
    fitted = fit_groups(FLOOR, {"N": SIZES}, losses(TRUTH), GROUPS)
    for name, truth in TRUTH.items():
        assert fitted.parts[name].values == pytest.approx(truth, rel=1e-6)
    assert fitted.n_rows == 27
    assert fitted.predict({"N": SIZES}, GROUPS) == pytest.approx(losses(TRUTH), rel=1e-9)


def test_groups_without_shared_constants_are_fits_of_their_own() -> None:
    target = losses(TRUTH, noise=0.01)
    fitted = fit_groups(FLOOR, {"N": SIZES}, target, GROUPS)
    for name in TRUTH:
        rows = name == GROUPS
        alone = fit(FLOOR, {"N": SIZES[rows]}, target[rows])
        assert fitted.parts[name].values == pytest.approx(alone.values, rel=1e-6)
        assert fitted.parts[name].errors == pytest.approx(alone.errors, rel=1e-4)
    assert fitted.loss == pytest.approx(sum(part.loss for part in fitted.parts.values()))


def test_a_shared_constant_has_one_value() -> None:
    one = {name: values | {C: -0.3} for name, values in TRUTH.items()}
    fitted = fit_groups(shared(C), {"N": SIZES}, losses(one), GROUPS)
    assert fitted.shared == (C,)
    for name, truth in one.items():
        assert fitted.parts[name].values == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("objective", [Objective("log_squared"), Objective("squared")], ids=lambda o: o.name)
def test_shared_constants_are_those_of_a_fit_by_another_solver(objective: Objective) -> None:
    from scipy.optimize import least_squares

    near = {name: values | {E0: 1.4 + 0.1 * k, C: -0.33 - 0.01 * k} for k, (name, values) in enumerate(TRUTH.items())}
    target = losses(near, noise=0.01)
    fitted = fit_groups(shared(C, E0), {"N": SIZES}, target, GROUPS, objective=objective)
    index = np.searchsorted(list(TRUTH), GROUPS.astype(str))

    def residual(point: np.ndarray) -> np.ndarray:  # E0, C, and log B of each group
        prediction = point[0] + np.exp(point[2:])[index] * SIZES ** point[1]
        return np.asarray(objective.residual(prediction, target))

    start = [fitted.parts["a"].values[E0], fitted.parts["a"].values[C]]
    start += [np.log(part.values[B]) for part in fitted.parts.values()]
    other = least_squares(residual, np.array(start) * 1.05, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac")
    assert fitted.loss == pytest.approx(other.cost, rel=1e-8)
    ours = [fitted.parts["a"].values[E0], fitted.parts["a"].values[C], *[p.values[B] for p in fitted.parts.values()]]
    assert ours == pytest.approx([*other.x[:2], *np.exp(other.x[2:])], rel=1e-5)


def test_shared_constants_cannot_fit_better_than_free_ones_and_have_smaller_errors() -> None:
    one = {name: values | {C: -0.3} for name, values in TRUTH.items()}
    target = losses(one, noise=0.01)
    options = {"objective": Objective("log_squared")}
    free = fit_groups(FLOOR, {"N": SIZES}, target, GROUPS, **options)
    tied = fit_groups(shared(C), {"N": SIZES}, target, GROUPS, **options)
    assert tied.loss >= free.loss
    assert all(tied.parts[name].errors[C] < free.parts[name].errors[C] for name in TRUTH)
    assert len({part.errors[C] for part in tied.parts.values()}) == 1


def test_fixed_constants_stay_in_every_group_also_with_shared_ones() -> None:
    fitted = fit_groups(shared(C), {"N": SIZES}, losses(TRUTH, 0.01), GROUPS, fixed={E0: 1.0})
    assert {part.values[E0] for part in fitted.parts.values()} == {1.0}
    assert {part.errors[E0] for part in fitted.parts.values()} == {0.0}
    assert len({part.values[C] for part in fitted.parts.values()}) == 1


def test_starts_may_be_given_by_group() -> None:
    fitted = fit_groups(FLOOR, {"N": SIZES}, losses(TRUTH), GROUPS, starts=0, retries=0, first=TRUTH)
    assert all(fitted.parts[name].values == pytest.approx(TRUTH[name], rel=1e-6) for name in TRUTH)


def test_a_group_with_too_few_rows_is_named() -> None:
    few = GROUPS.copy()
    few[0] = "lonely"
    with pytest.raises(FitError, match=r"group 'lonely': law .* has 3 free constants and there are only 1 rows"):
        fit_groups(FLOOR, {"N": SIZES}, losses(TRUTH), few)


def test_a_group_that_was_not_fitted_has_no_prediction() -> None:
    fitted = fit_groups(FLOOR, {"N": SIZES}, losses(TRUTH), GROUPS)
    with pytest.raises(InputError, match="no constants for the group 'd'"):
        fitted.predict({"N": np.array([1e9])}, np.array(["d"], dtype=object))
    with pytest.raises(InputError, match="say the group of each row"):
        fitted.predict({"N": np.array([1e9])})


def test_a_warning_names_its_groups_once() -> None:
    flat = losses(TRUTH)
    flat[GROUPS == "b"] = 2.0  # nothing falls: scale and exponent are not determined
    fitted = fit_groups(FLOOR, {"N": SIZES}, flat, GROUPS)
    assert fitted.warnings
    assert all(warning.message.startswith("group b: ") for warning in fitted.warnings)
    alike = fit_groups(FLOOR, {"N": SIZES}, np.full(27, 2.0), GROUPS)
    assert len(set(alike.warnings)) == len(alike.warnings)
    assert all(warning.message.startswith("all 3 groups: ") for warning in alike.warnings)


def test_rows_without_groups_are_one_fit() -> None:
    rows = GROUPS == "a"
    assert not isinstance(fit_rows(FLOOR, {"N": SIZES[rows]}, losses(TRUTH)[rows], None), GroupedFit)
    assert isinstance(fit_rows(FLOOR, {"N": SIZES}, losses(TRUTH), GROUPS), GroupedFit)


def test_a_law_over_a_mixture_is_recovered_in_each_group() -> None:
    random = np.random.default_rng(1)
    shares = random.dirichlet(np.ones(3), size=40)
    law = load_law("ye_m4").bind({"r": ("code", "web", "books")})
    rows = {name: shares[:, k] for k, name in enumerate(law.columns)}
    truths = {"code": [1.0, -2.0, 0.5, 0.3], "web": [2.0, 0.4, -1.0, 0.2]}
    names = list(law.parameters)
    target = np.concatenate([law.predict(rows, dict(zip(names, truth, strict=True))) for truth in truths.values()])
    groups = np.repeat(np.array(list(truths), dtype=object), 40)
    fitted = fit_groups(law, {name: np.tile(column, 2) for name, column in rows.items()}, target, groups)
    for name, truth in truths.items():
        assert list(fitted.parts[name].values.values()) == pytest.approx(truth, rel=1e-5)


def test_fits_with_shared_constants_say_what_is_not_determined() -> None:
    twice = replace(FLOOR, formula="p + E0 + b*N**c", constants={"p": FLOOR.constants[E0], **shared(C).constants})
    twice = replace(twice, constants={name: twice.constants[name] for name in ("p", E0, B, C)})
    one = {name: values | {C: -0.3} for name, values in TRUTH.items()}
    fitted = fit_groups(twice, {"N": SIZES}, losses(one, 0.01), GROUPS)
    assert any(warning.code == "flat" and "E0 and p trade off" in warning.message for warning in fitted.warnings)
    assert all(np.isnan(part.errors["p"]) for part in fitted.parts.values())
