"""Training on small sizes and testing on larger ones: which rows, what is refused, and what it is for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from discover.dataset import Dataset, load_dataset
from discover.errors import InputError
from discover.regressor import LawRegressor
from discover.splitting import LargestSizesSplit

SIZES = np.array([1e9, 1e7, 1e8, 1e7, 1e10, 1e8])


def sizes_of(split: LargestSizesSplit, sizes: np.ndarray = SIZES) -> list[tuple[list[float], list[float]]]:
    """Sizes, sorted, that each split trains on and tests."""
    X = sizes[:, None]
    return [(np.unique(sizes[train]).tolist(), np.unique(sizes[test]).tolist()) for train, test in split.split(X)]


def error(split: LargestSizesSplit, X: object, groups: object = None) -> str:
    with pytest.raises(InputError) as caught:
        list(split.split(X, groups=groups))
    return str(caught.value)


@pytest.fixture(scope="module")
def runs() -> Dataset:
    """99 runs made from Chinchilla's law, 11 model sizes and 9 numbers of tokens, with 0.5 % noise."""
    return load_dataset("synthetic_chinchilla")


# ---- which rows


def test_a_rolling_split_tests_the_next_size() -> None:
    assert sizes_of(LargestSizesSplit(3)) == [
        ([1e7], [1e8]),
        ([1e7, 1e8], [1e9]),
        ([1e7, 1e8, 1e9], [1e10]),
    ]


def test_a_split_that_does_not_roll_tests_all_larger_sizes() -> None:
    assert sizes_of(LargestSizesSplit(2, rolling=False)) == [([1e7, 1e8], [1e9, 1e10]), ([1e7, 1e8, 1e9], [1e10])]


def test_the_cut_moves_by_the_number_of_sizes_tested() -> None:
    sizes = np.array([1.0, 2, 3, 4, 5, 6])
    assert sizes_of(LargestSizesSplit(2, test_sizes=2), sizes) == [([1, 2], [3, 4]), ([1, 2, 3, 4], [5, 6])]
    assert sizes_of(LargestSizesSplit(2, test_sizes=2, rolling=False), sizes) == [
        ([1, 2], [3, 4, 5, 6]),
        ([1, 2, 3, 4], [5, 6]),
    ]


def test_all_rows_of_a_size_go_together_in_the_order_of_the_rows() -> None:
    *_, (train, test) = LargestSizesSplit(2).split(SIZES[:, None])
    assert train.tolist() == [0, 1, 2, 3, 5]
    assert test.tolist() == [4]


def test_sizes_within_the_tolerance_are_one() -> None:
    sizes = np.array([1.0, 2.0, 2.015, 2.03, 4.0])
    assert sizes_of(LargestSizesSplit(2), sizes) == [([1.0], [2.0, 2.015, 2.03]), ([1.0, 2.0, 2.015, 2.03], [4.0])]
    assert sizes_of(LargestSizesSplit(2, tolerance=0), sizes) == [
        ([1.0, 2.0, 2.015], [2.03]),
        ([1.0, 2.0, 2.015, 2.03], [4.0]),
    ]


@pytest.mark.parametrize("by", ["N", 1])
def test_the_size_is_a_column_by_name_or_position(by: str | int) -> None:
    X = pd.DataFrame({"router": "hash", "N": SIZES})
    assert [test.tolist() for _, test in LargestSizesSplit(2, by=by).split(X)] == [[0], [4]]


def test_sizes_may_be_given_beside_the_table() -> None:
    split = LargestSizesSplit(2, by=None)
    assert [test.tolist() for _, test in split.split(np.zeros((6, 1)), groups=SIZES)] == [[0], [4]]


@given(
    sizes=st.lists(st.floats(1e-300, 1e300) | st.floats(1, 2), min_size=1, max_size=60),
    n_splits=st.integers(1, 4),
    test_sizes=st.integers(1, 3),
    rolling=st.booleans(),
    tolerance=st.sampled_from([0.0, 0.01, 0.5]),
)
def test_every_test_is_larger_than_its_training(
    sizes: list[float], n_splits: int, test_sizes: int, rolling: bool, tolerance: float
) -> None:
    X = np.array(sizes)[:, None]
    split = LargestSizesSplit(n_splits, test_sizes=test_sizes, rolling=rolling, tolerance=tolerance)
    values = sorted(sizes)
    distinct = 1 + sum(b > a * (1 + tolerance) for a, b in pairwise(values))
    if distinct < n_splits * test_sizes + 1:
        assert f", and there are {distinct} (" in error(split, X)
        return
    found = list(split.split(X))
    assert len(found) == split.get_n_splits() == n_splits
    for train, test in found:
        assert len(train)
        assert len(test)
        assert X[train].max() * (1 + tolerance) < X[test].min()
    trained = [set(train) for train, _ in found]
    assert all(smaller < larger for smaller, larger in pairwise(trained))
    assert X[found[-1][1]].max() == max(sizes)
    if rolling:
        together = np.concatenate([test for _, test in found])
        assert len(np.unique(together)) == len(together)
    else:
        assert all(len(train) + len(test) == len(sizes) for train, test in found)


# ---- what is refused


def test_too_few_sizes_are_counted() -> None:
    assert error(LargestSizesSplit(2, test_sizes=2), SIZES[:, None]) == (
        "n_splits=2 of test_sizes=2 need 5 sizes, and there are 4 (values that differ by no more than 1 % are one "
        "size): lower n_splits, test_sizes or tolerance"
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, 0.0, 2.0], "the column 'N' of X is 0 in row 1 (from 0): a size is a number above zero"),
        ([1.0, 2.0, np.nan], "the column 'N' of X is nan in row 2 (from 0): a size is a number above zero"),
        (["70M", "1B", "7B"], "the column 'N' of X must be numbers: sizes have an order"),
    ],
)
def test_a_size_is_a_positive_number(column: list[object], message: str) -> None:
    assert error(LargestSizesSplit(1, by="N"), pd.DataFrame({"N": column})) == message


def test_a_size_that_is_not_there_is_told() -> None:
    assert error(LargestSizesSplit(1, by="n"), pd.DataFrame({"N": SIZES})) == "X has no column 'n': legal are: N"
    assert error(LargestSizesSplit(1), SIZES) == "X must have rows and columns, and its shape is (6,)"
    assert error(LargestSizesSplit(1, by=None), SIZES[:, None]) == (
        "by=None takes the size of each row from groups: give groups, or by a column of X"
    )
    assert error(LargestSizesSplit(1, by=None), SIZES[:, None], SIZES[:, None]) == (
        "groups must have one size a row, and its shape is (6, 1)"
    )


def test_there_is_one_size_a_row() -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        list(LargestSizesSplit(1, by=None).split(np.zeros((5, 1)), groups=SIZES))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_splits": 0}, "n_splits must be a whole number of 1 or more, not 0"),
        ({"test_sizes": 1.5}, "test_sizes must be a whole number of 1 or more, not 1.5"),
        ({"n_splits": True}, "n_splits must be a whole number of 1 or more, not True"),
        ({"tolerance": -0.1}, "tolerance must be a number of 0 or more, as 0.01 for one per cent, not -0.1"),
        ({"tolerance": np.nan}, "tolerance must be a number of 0 or more, as 0.01 for one per cent, not nan"),
        ({"tolerance": "1%"}, "tolerance must be a number of 0 or more, as 0.01 for one per cent, not '1%'"),
    ],
)
def test_a_parameter_that_is_not_legal_is_told(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        LargestSizesSplit(**parameters)  # type: ignore[arg-type]
    assert str(caught.value) == message


# ---- what it is for


def test_a_true_law_extrapolates_to_the_noise_and_another_does_not(runs: Dataset) -> None:
    X, y = runs.table[["N", "D"]], runs.losses()

    def errors(law: str, cv: LargestSizesSplit | KFold) -> np.ndarray:
        scoring = "neg_mean_absolute_percentage_error"
        return -np.asarray(cross_val_score(LawRegressor(law, starts=8), X, y, cv=cv, scoring=scoring))

    split = LargestSizesSplit(4, by="N")
    # The mean of |noise| is 0.5 % * sqrt(2 / pi) = 0.40 %, known to 0.1 % from nine rows; constants add a little.
    assert errors("hoffmann", split) == pytest.approx(0.0040, abs=0.002)
    # Without a floor the law of Kaplan et al. is wrong, and more so the further it is extrapolated.
    assert errors("kaplan_nd", split).min() > 0.05
    assert errors("kaplan_nd", split).mean() > 1.2 * errors("kaplan_nd", KFold(4, shuffle=True, random_state=0)).mean()


def test_a_grid_search_chooses_the_law_that_extrapolates(runs: Dataset) -> None:
    search = GridSearchCV(
        LawRegressor("hoffmann", starts=8),
        {"law": ["kaplan_nd", "hoffmann"]},
        cv=LargestSizesSplit(2, by="N", test_sizes=2),
        scoring="neg_root_mean_squared_error",
    )
    search.fit(runs.table[["N", "D"]], runs.losses())
    assert search.best_params_ == {"law": "hoffmann"}
    assert search.n_splits_ == 2
    assert search.best_estimator_.fit_.n_rows == 99  # refitted to all sizes


@pytest.mark.parametrize("routed", [False, True])
def test_sizes_beside_the_table_reach_the_split_through_scikit_learn(routed: bool) -> None:
    X, y, split = np.zeros((6, 1)), np.log(SIZES), LargestSizesSplit(2, by=None)
    with sklearn.config_context(enable_metadata_routing=routed):
        given = {"params": {"groups": SIZES}} if routed else {"groups": SIZES}
        scores = cross_val_score(DummyRegressor(), X, y, cv=split, scoring="neg_mean_absolute_error", **given)
    smaller = y[[1, 2, 3, 5]].mean(), y[[0, 1, 2, 3, 5]].mean()
    assert scores == pytest.approx([smaller[0] - np.log(1e9), smaller[1] - np.log(1e10)])
