"""A law as a scikit-learn regressor: the contract, which columns it takes, groups, weights, and what is refused."""

from __future__ import annotations

import functools
import inspect
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from discover.errors import FitError, InputError
from discover.fitting import fit
from discover.law import Constant, Law, load_law
from discover.regressor import LawRegressor

TRUTH = {"E0": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e12, 7)))
X = np.column_stack([N, D])
HOFFMANN = load_law("hoffmann")
LOSS = HOFFMANN.predict({"N": N, "D": D}, TRUTH)
POWER = load_law("powerlaw_one_feature")
# A law that is defined for all numbers, as the tables of scikit-learn's checks need it.
LINE = Law(
    name="line",
    title="A straight line",
    formula="a + b*x",
    features={"x": ""},
    constants={"a": Constant(range=(-10, 10)), "b": Constant(range=(-10, 10))},
)
WEIGHTED = "weights" in inspect.signature(fit).parameters
NO_WEIGHTS = "discover.fitting.fit takes no weights yet"
OF_WEIGHTS = (
    "check_sample_weights_pandas_series",
    "check_sample_weights_not_an_array",
    "check_sample_weights_list",
    "check_sample_weights_shape",
    "check_sample_weights_not_overwritten",
    "check_sample_weight_equivalence_on_dense_data",
)
needs_weights = pytest.mark.skipif(not WEIGHTED, reason=NO_WEIGHTS)


def hoffmann(**parameters: Any) -> LawRegressor:
    return LawRegressor("hoffmann", **{"starts": 8, **parameters})


def error(regressor: LawRegressor, features: object = X, target: object = LOSS, **more: object) -> str:
    with pytest.raises(InputError) as caught:
        regressor.fit(features, target, **more)
    return str(caught.value)


# ---- scikit-learn's contract


# By least squares: the default delta follows the spread of the rows, and so differs between a row of weight two and two
# rows.
CHECKS = list(
    estimator_checks_generator(
        LawRegressor(LINE, columns={"x": 0}, objective="squared", starts=2),
        expected_failed_checks={} if WEIGHTED else dict.fromkeys(OF_WEIGHTS, NO_WEIGHTS),
        mark="xfail",
    )
)


def name_of(value: object) -> str:
    while isinstance(value, functools.partial):
        value = value.func
    return getattr(value, "__name__", "line")


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=name_of)
def test_the_contract_of_scikit_learn(estimator: LawRegressor, check: Callable[[LawRegressor], None]) -> None:
    check(estimator)


def test_a_clone_has_the_parameters_and_no_fit() -> None:
    fitted = LawRegressor(HOFFMANN, columns={"N": 0, "D": 1}, objective="log_squared", starts=8).fit(X, LOSS)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert copy.law == HOFFMANN
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert copy.set_params(law="kaplan_nd", starts=4).fit(X, LOSS).law_.name == "kaplan_nd"


def test_a_fitted_regressor_can_be_pickled() -> None:
    fitted = LawRegressor(HOFFMANN, starts=8).fit(X, LOSS)
    copy = pickle.loads(pickle.dumps(fitted))
    assert copy.constants_ == fitted.constants_
    assert (copy.predict(X) == fitted.predict(X)).all()


def test_folds_may_be_fitted_in_parallel() -> None:
    cv = KFold(2, shuffle=True, random_state=0)
    regressor = LawRegressor(HOFFMANN, starts=8)  # the law was evaluated above: it has compiled functions
    alone = cross_val_score(regressor, X, LOSS, cv=cv)
    assert (cross_val_score(regressor, X, LOSS, cv=cv, n_jobs=2) == alone).all()


def test_only_what_differs_from_the_defaults_is_shown() -> None:
    assert repr(LawRegressor("hoffmann", seed=1)) == "LawRegressor(law='hoffmann', seed=1)"
    assert repr(LawRegressor(LINE)) == "LawRegressor(law=Law('line', 'a + b*x'))"


# ---- fitting


def test_constants_of_exact_losses_are_found_with_their_errors() -> None:
    fitted = hoffmann().fit(X, LOSS)
    assert fitted.constants_ == pytest.approx(TRUTH, rel=1e-5)
    assert fitted.predict(X) == pytest.approx(LOSS, rel=1e-8)
    assert fitted.score(X, LOSS) == pytest.approx(1.0, abs=1e-12)
    assert fitted.errors_.keys() == TRUTH.keys()
    assert fitted.fit_.n_rows == len(X)


def test_a_power_law_by_least_squares_is_a_line_through_logarithms() -> None:
    loss = (8.8e13 / N) ** 0.076 * np.exp(0.02 * np.random.default_rng(0).normal(size=len(N)))
    (slope, intercept), matrix = np.polyfit(np.log(N), np.log(loss), 1, cov=True)
    fitted = LawRegressor(POWER, objective="log_squared", starts=8).fit(N[:, None], loss)
    assert fitted.constants_["alpha"] == pytest.approx(-slope, rel=1e-6)
    assert np.log(fitted.constants_["x_c"]) == pytest.approx(-intercept / slope, rel=1e-6)
    assert fitted.errors_["alpha"] == pytest.approx(np.sqrt(matrix[0, 0]), rel=1e-6)


def test_the_objective_may_be_chosen() -> None:
    assert str(hoffmann().fit(X, LOSS).fit_.objective) == "log_huber (delta 0.001)"
    assert str(hoffmann(delta=0.01).fit(X, LOSS).fit_.objective) == "log_huber (delta 0.01)"
    assert str(hoffmann(objective="squared").fit(X, LOSS).fit_.objective) == "squared"
    assert LawRegressor(LINE, starts=2).fit(N[:9, None], -N[:9]).fit_.objective.name == "huber"


def test_the_law_may_be_the_path_of_a_card(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "Mine"\nformula = "c*x"\n[features]\nx = "size"\n[constants]\nc = { range = [0, 9] }', encoding="utf-8"
    )
    for law in (path, str(path)):
        fitted = LawRegressor(law, starts=2).fit(N[:, None], 3 * N)
        assert fitted.law_.name == "mine"
        assert fitted.constants_ == pytest.approx({"c": 3.0})


def test_a_law_of_no_features_predicts_one_number_for_every_row() -> None:
    fitted = LawRegressor("constant", objective="squared", starts=2).fit(X, LOSS)
    assert fitted.predict(X[:3]) == pytest.approx([LOSS.mean()] * 3)


def test_a_mixture_has_a_column_a_component() -> None:
    law = load_law("regmix_linear").bind({"r": ("code", "web", "books")})
    shares = np.random.default_rng(0).dirichlet([1, 1, 1], 20)
    fitted = LawRegressor(law, starts=4).fit(shares, shares @ [2.0, 3.0, 2.5])
    assert fitted.constants_ == pytest.approx({"t_code": 2.0, "t_web": 3.0, "t_books": 2.5})


def test_where_the_law_has_no_real_value_the_prediction_is_no_number() -> None:
    assert np.isnan(hoffmann().fit(X, LOSS).predict([[-1e9, 1e10]])).all()


# ---- columns


def test_a_data_frame_is_read_by_the_names_of_its_columns() -> None:
    table = pd.DataFrame({"router": "hash", "D": D, "wall_time": np.nan, "N": N})
    fitted = hoffmann().fit(table, LOSS)
    assert fitted.constants_ == pytest.approx(TRUTH, rel=1e-5)
    assert fitted.columns_ == {"N": 3, "D": 1}
    assert fitted.feature_names_in_.tolist() == list(table.columns)
    assert fitted.predict(table.iloc[:5]) == pytest.approx(LOSS[:5])


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"N": "params", "D": "tokens"}, ["tokens", "x", "params"]),
        ({"N": "params"}, ["D", "x", "params"]),
        ({"N": 2, "D": 0}, ["tokens", "x", "params"]),
        ({"N": 2, "D": 0}, None),
    ],
)
def test_features_may_stand_in_any_columns(columns: dict[str, str | int], names: list[str] | None) -> None:
    values = np.column_stack([D, np.zeros_like(N), N])
    table = values if names is None else pd.DataFrame(values, columns=names)
    fitted = hoffmann(columns=columns).fit(table, LOSS)
    assert fitted.columns_ == {"N": 2, "D": 0}
    assert fitted.n_features_in_ == 3
    assert fitted.predict(table) == pytest.approx(LOSS)


def test_a_data_frame_of_numbered_columns_is_read_as_an_array() -> None:
    fitted = hoffmann().fit(pd.DataFrame(X), LOSS)
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.predict(X) == pytest.approx(LOSS)


def test_the_columns_of_a_prediction_are_those_of_the_fit() -> None:
    fitted = hoffmann().fit(pd.DataFrame(X, columns=["N", "D"]), LOSS)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(pd.DataFrame(X, columns=["D", "N"]))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert fitted.predict(X) == pytest.approx(LOSS)


@pytest.mark.parametrize(
    ("columns", "table", "message"),
    [
        (
            None,
            np.ones((9, 3)),
            "law 'hoffmann' needs 2 columns, N, D in this order, and X has 3: say which are meant, as in "
            "columns={'N': 0, 'D': 1}",
        ),
        (
            {"N": 0},
            X,
            "the feature 'D' of law 'hoffmann': X has no column names, so 'D' cannot be found: give its position, "
            "from 0; columns says where it is",
        ),
        (
            {"D": "token"},
            pd.DataFrame({"N": N, "tokens": D}),
            "the feature 'D' of law 'hoffmann': X has no column 'token': did you mean 'tokens'?; columns says where "
            "it is",
        ),
        ({"n": 0}, X, "columns: law 'hoffmann' has no feature 'n': legal are: D, N"),
        (["N", "D"], X, "columns must be a mapping from features to columns, as in {'N': 0, 'D': 1}, not ['N', 'D']"),
    ],
)
def test_a_column_that_cannot_be_found_is_told(columns: Any, table: Any, message: str) -> None:
    assert error(hoffmann(columns=columns), table, LOSS[: len(table)]) == message


# ---- groups


def grouped() -> tuple[np.ndarray, np.ndarray]:
    """Group of each row, numbered, and losses that a second group of runs has half of."""
    groups = np.arange(len(N)) % 2
    return groups, np.where(groups == 0, LOSS, LOSS / 2)


def test_each_group_has_constants_of_its_own() -> None:
    groups, loss = grouped()
    fitted = hoffmann().fit(X, loss, groups=groups)
    half = {**TRUTH, "E0": 0.9, "A": 240.0, "B": 1050.0}
    assert fitted.constants_["0"] == pytest.approx(TRUTH, rel=1e-4)
    assert fitted.constants_["1"] == pytest.approx(half, rel=1e-4)
    assert fitted.errors_.keys() == {"0", "1"}
    assert fitted.predict(X[::-1], groups=groups[::-1]) == pytest.approx(loss[::-1])
    assert r2_score(loss, fitted.predict(X, groups.astype(str))) == pytest.approx(1.0)


def test_groups_share_the_constants_that_the_card_says() -> None:
    groups, loss = grouped()
    shared = {name: c.model_copy(update={"shared": name == "alpha"}) for name, c in HOFFMANN.constants.items()}
    fitted = LawRegressor(replace(HOFFMANN, constants=shared), starts=8).fit(X, loss, groups=groups)
    assert fitted.constants_["0"]["alpha"] == fitted.constants_["1"]["alpha"] == pytest.approx(0.35, rel=1e-4)


def test_groups_that_are_missing_or_new_are_told() -> None:
    groups, loss = grouped()
    fitted = hoffmann().fit(X, loss, groups=groups)
    with pytest.raises(InputError, match="was fitted to groups: say the group of each row"):
        fitted.predict(X)
    with pytest.raises(InputError, match="no constants for the group '2'"):
        fitted.predict(X, groups=groups + 2)
    missing = [None if row == 4 else "a" for row in range(len(X))]
    assert error(hoffmann(), groups=missing) == "groups has no value in row 4 (from 0): each row needs its group"
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        hoffmann().fit(X, LOSS, groups=groups[:-1])


# ---- weights


@needs_weights
def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    loss = LOSS * np.exp(0.01 * np.random.default_rng(0).normal(size=len(N)))
    weights = 1.0 + (np.arange(len(N)) % 3 == 0)
    twice = np.repeat(np.arange(len(N)), weights.astype(int))
    regressor = hoffmann(objective="log_squared")
    weighted = clone(regressor).fit(X, loss, sample_weight=weights)
    assert weighted.constants_ == pytest.approx(clone(regressor).fit(X[twice], loss[twice]).constants_, rel=1e-5)
    assert weighted.constants_ != pytest.approx(clone(regressor).fit(X, loss).constants_, rel=1e-3)


@needs_weights
def test_weights_go_with_the_rows_of_their_groups() -> None:
    groups, loss = grouped()
    wrong = np.arange(len(N)) % 5 == 0
    fitted = hoffmann().fit(X, np.where(wrong, 2 * loss, loss), sample_weight=~wrong, groups=groups)
    assert fitted.predict(X, groups) == pytest.approx(loss)


def test_a_weight_is_zero_or_more() -> None:
    weights = np.ones(len(N))
    weights[3] = -1
    assert error(hoffmann(), sample_weight=weights) == (
        "sample_weight is -1 in row 3 (from 0): a weight is zero or more"
    )


# ---- what is refused


@pytest.mark.parametrize(
    ("regressor", "message"),
    [
        (
            LawRegressor("hofmann"),
            "unknown law 'hofmann': did you mean 'hoffmann'? (discover laws lists them)",
        ),
        (LawRegressor("no.toml"), "there is no law card at no.toml"),
        (LawRegressor(None), "law must be a Law, the name of one or the path of its card, not None"),  # type: ignore[arg-type]
        (
            LawRegressor("regmix_linear"),
            "law 'regmix_linear' has a mixture, r: bind it to components first",
        ),
        (hoffmann(objective="log_hube"), "unknown objective 'log_hube': did you mean 'log_huber'?"),
        (hoffmann(delta=0.0), "delta must be a positive number, not 0.0"),
    ],
)
def test_a_parameter_that_is_not_legal_is_told_at_fit(regressor: LawRegressor, message: str) -> None:
    assert error(regressor).startswith(message)


def test_rows_that_cannot_be_fitted_are_told_as_errors_of_values() -> None:
    with pytest.raises(FitError, match="has 5 free constants and there are only 4 rows") as caught:
        hoffmann().fit(X[:4], LOSS[:4])
    assert isinstance(caught.value, ValueError)
    with pytest.raises(FitError, match="needs a positive target"):
        hoffmann(objective="log_huber").fit(X, -LOSS)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        hoffmann().fit(np.vstack([X[:-1], [np.nan, 1e9]]), LOSS)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        hoffmann().fit(X, np.append(LOSS[:-1], np.nan))
