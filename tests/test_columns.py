"""Columns of arrays and data frames, by name and by position."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discover.columns import names_of, position_of, take_columns
from discover.errors import InputError


def test_only_texts_are_names() -> None:
    assert names_of(pd.DataFrame({"N": [1.0], "D": [2.0]})) == ["N", "D"]
    assert names_of(pd.DataFrame(np.ones((1, 2)))) is None
    assert names_of(np.ones((1, 2))) is None


@pytest.mark.parametrize(("column", "position"), [("D", 1), (0, 0), (np.int64(2), 2)])
def test_a_column_is_found_by_name_and_by_position(column: str | int, position: int) -> None:
    assert position_of(column, ["N", "D", "loss"], 3) == position


@pytest.mark.parametrize(
    ("column", "names", "message"),
    [
        ("tokens", ["params", "token"], "X has no column 'tokens': did you mean 'token'?"),
        ("N", None, "X has no column names, so 'N' cannot be found: give its position, from 0"),
        ("N", ["N", "N"], "X has 2 columns 'N': give the position, from 0, of one"),
        (2, ["N", "D"], "X has no column at position 2: it has 2, counted from 0"),
        (-1, None, "X has no column at position -1: it has 2, counted from 0"),
        (True, None, "a column is given by its name or its position, not by True"),
        (1.0, None, "a column is given by its name or its position, not by 1.0"),
    ],
)
def test_a_column_that_is_not_there_is_told(column: str | int, names: list[str] | None, message: str) -> None:
    with pytest.raises(InputError) as caught:
        position_of(column, names, 2)
    assert str(caught.value) == message


def test_columns_of_one_name_can_be_taken_by_position() -> None:
    table = pd.DataFrame([[1, 2, 3]], columns=["N", "N", "D"])
    assert take_columns(table, [2, 1]).to_numpy().tolist() == [[3, 2]]
    assert take_columns(table.to_numpy(), [2, 1]).tolist() == [[3, 2]]
