"""Row rules: what they choose, and what is not one."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from discover.condition import ConditionError, names_in, rows_where
from discover.errors import InputError

TABLE = pd.DataFrame(
    {
        "N": [1e8, 1e9, 4e9, 7e9],
        "D": [2e9, 2e9, 8e10, 1e9],
        "change": [-2.0, -0.5, 0.0, 3.0],
        "router": ["Dense", "S-Base", "Hash", "S-Base"],
    }
)


def chosen(rule: str) -> list[int]:
    """The rows a rule chooses, counted from 0."""
    return [int(row) for row in np.flatnonzero(rows_where(TABLE, rule))]


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ("N < 1e9", [0]),
        ("N <= 1e9", [0, 1]),
        ("N > 1e9", [2, 3]),
        ("N >= 1e9", [1, 2, 3]),
        ("N == 1e9", [1]),
        ("N != 1e9", [0, 2, 3]),
        ("1e9 <= N", [1, 2, 3]),  # the number may stand on the left
        ("1e9 > N", [0]),
        ("1e9 == N", [1]),
        ("1e8 <= N < 4e9", [0, 1]),
        ("1e8 < N <= 4e9", [1, 2]),
        ("7e9 > N > 1e8", [1, 2]),
        ("D > N", [0, 1, 2]),  # two columns
        ("1e9 < N < D", [2]),
        ("change < -1", [0]),
        ("change >= -0.5", [1, 2, 3]),
        ("-1 < change < 1", [1, 2]),
        ("change == --3", [3]),
        ("router == 'Hash'", [2]),
        ('router == "Hash"', [2]),
        ("'Hash' == router", [2]),
        ("router != 'S-Base'", [0, 2]),
        ("router in ('Hash', 'Dense')", [0, 2]),
        ("router in ['Hash']", [2]),
        ("router not in ('Hash', 'Dense')", [1, 3]),
        ("N in (1e8, 7000000000)", [0, 3]),
        ("N in ()", []),
        ("N > 1e9 and D > 1e9", [2]),
        ("N > 1e9 or D == 2e9", [0, 1, 2, 3]),
        ("not N > 1e9", [0, 1]),
        ("not (N > 1e9 or router == 'Dense')", [1]),
        ("N < 1e9 or N > 1e9 and D < 2e9", [0, 3]),  # `and` binds tighter
        ("(N < 1e9 or N > 1e9) and D < 2e9", [3]),
        ("router in ('S-Base', 'Dense') and N >= 1e9 and not change > 0", [1]),
        ("N > 1e9\n  and D > 1e9", [2]),  # a long rule in a card's multi-line string
    ],
)
def test_a_rule_chooses_the_rows_it_names(rule: str, rows: list[int]) -> None:
    assert chosen(rule) == rows


@pytest.mark.parametrize("dtype", ["float", "Float64"])
def test_a_missing_number_is_unequal_to_all_whatever_its_type(dtype: str) -> None:
    table = pd.DataFrame({"k": pd.array([1, None, 3], dtype=dtype)})
    assert rows_where(table, "k > 0").tolist() == [True, False, True]
    assert rows_where(table, "k == 1").tolist() == [True, False, False]
    assert rows_where(table, "k != 1").tolist() == [False, True, True]
    assert rows_where(table, "k in (1, 2)").tolist() == [True, False, False]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_words_are_compared_whatever_their_type(dtype: str) -> None:
    table = pd.DataFrame({"router": pd.Series(["Hash", None, "Dense"], dtype=dtype)})
    assert rows_where(table, "router == 'Hash'").tolist() == [True, False, False]
    assert rows_where(table, "router != 'Hash'").tolist() == [False, True, True]
    assert rows_where(table, "router in ('Dense',)").tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("n_params > 1e9", "unknown column 'n_params': legal are: D, N, change, router"),
        ("chnge > 1", "unknown column 'chnge': did you mean 'change'?"),
        ("router > 3", "'router', which holds words, with 3.0"),
        ("router == 3", "'router', which holds words, with 3.0"),
        ("3 == router", "'router', which holds words, with 3.0"),
        ("router in ('Hash', 3)", "'router', which holds words, with 3.0"),
        ("N == 'large'", "'N', which holds numbers, with 'large'"),
        ("N in ('large',)", "'N', which holds numbers, with 'large'"),
        ("N < router", "a column of words with a number"),
        ("N in 3", "'in' needs a list in parentheses"),
        ("'Hash' in router", "'in' needs a list in parentheses"),
        ("1 < 2", "one side must be a column"),
        ("'a' in ('a', 'b')", "one side must be a column"),
        ("N is 3", "use '=='"),
        ("N", "must compare columns with values"),
        ("N and D", "must compare columns with values"),
        ("3", "must compare columns with values"),
        ("", "write for example 'N >= 4e9'"),
        ("   ", "write for example 'N >= 4e9'"),
        ("N >", "write for example 'N >= 4e9'"),
        ("N = 3", "write for example 'N >= 4e9'"),
        ("N > 1; D > 1", "write for example 'N >= 4e9'"),
        ("N > 1 and\0", "write for example 'N >= 4e9'"),
        ("N > True", "only columns, numbers and quoted words"),
        ("N > None", "only columns, numbers and quoted words"),
        ("N > 1j", "only columns, numbers and quoted words"),
        ("N + 1 > 2", "only columns, numbers and quoted words"),
        ("N in (D,)", "only columns, numbers and quoted words"),
        ("log(N) > 2", "only columns, numbers and quoted words"),
        ("N.max() > 2", "only columns, numbers and quoted words"),
        ("N.values > 2", "only columns, numbers and quoted words"),
        ("N[0] > 2", "only columns, numbers and quoted words"),
        ("f'{N}' == 'a'", "only columns, numbers and quoted words"),
        ("(x := N) > 2", "only columns, numbers and quoted words"),
        ("__import__('os').system('true') == 0", "only columns, numbers and quoted words"),
        ("lambda: N", "must compare columns with values"),
        ("N > 1 if D else 2", "must compare columns with values"),
        ("N > " + "9" * 400, "a number in it is too large"),
    ],
)
def test_what_is_not_a_rule_is_refused_with_its_text(rule: str, says: str) -> None:
    with pytest.raises(ConditionError) as caught:
        rows_where(TABLE, rule)
    assert repr(rule) in str(caught.value)
    assert says in str(caught.value)
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    "rule",
    [
        "N > " + "9" * 1_000_000,
        "(" * 1_000_000,
        "not " * 200_000 + "N > 1",
        "(" * 400 + "N" + ")" * 400,
        "-" * 990 + "N",
    ],
    ids=["digits", "parentheses", "nots", "nested", "signs"],
)
def test_huge_rules_are_refused_at_once(rule: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ConditionError) as caught:
        rows_where(TABLE, rule)
    assert time.perf_counter() - started < 0.5
    assert len(str(caught.value)) < 1_200


def test_the_names_in_a_rule_are_its_columns_in_order() -> None:
    assert names_in("'N' == router and N in (1, 2) or -3 < D and N > 1") == ["router", "N", "D", "N"]
    with pytest.raises(ConditionError, match="is not a row rule"):
        names_in("N >")
    with pytest.raises(ConditionError, match="more than the 1000 allowed"):
        names_in("(" * 1_000_000)
