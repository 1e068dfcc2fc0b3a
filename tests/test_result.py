"""What is said of a result: honestly, with how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from discover.paired import COLUMNS
from discover.result import Result

NOTE = "3 sizes are held out: the ends of the intervals are rough"
LAWS = {"found_01": "found", "clark_bilinear": "published"}  # the chosen one first


def a_result(
    high: float = 0.001,
    ratio: float = 0.61,
    note: str = "",
    scored: bool = True,
    laws: Mapping[str, str] = LAWS,
    sane: bool = True,
    **line: object,
) -> Result:
    """A chosen law beside another, whose error is one; both by name, with their kinds."""
    column, other = ("heldout_rmse", "inner_rmse") if scored else ("inner_rmse", "heldout_rmse")
    board = pd.DataFrame(
        {
            **{"law": list(laws), "kind": list(laws.values()), "selected": [True, False]},
            **{"formula": ["A/N", "B/N"], column: [ratio, 1.0], other: [np.nan, np.nan], "note": [note, ""]},
        }
    )
    judged = [
        SimpleNamespace(law=SimpleNamespace(name=name, kind=kind), sane=sane)
        for name, kind in zip(board.law, board.kind, strict=True)
    ]
    compared = {"law": "clark_bilinear", "difference": -0.00612, "low": -0.0111, "high": high, "wins": 0.931}
    table = pd.DataFrame([{**compared, "level": 0.95, "note": "", **line}], columns=list(COLUMNS))
    return Result(None, None, board, judged, judged[0], table if scored else None)  # type: ignore[arg-type]


def test_the_verdict_has_the_ratio_the_difference_its_interval_and_the_wins():
    said = a_result(high=-0.001).verdict()
    assert said == (
        "Its held-out error is 0.61 times that of the best published law (clark_bilinear; difference -0.0061, "
        "95 % interval -0.011 to -0.001; it wins in 93 % of the resamples)."
    )


def test_an_interval_around_zero_settles_nothing_and_what_it_rests_on_is_told():
    result = a_result(high=0.001)
    assert result.verdict().endswith("The intervals do not settle whether it beats clark_bilinear.")
    result.comparison["note"] = NOTE
    assert result.verdict().endswith(f"whether it beats clark_bilinear. {NOTE}.")


def test_a_law_that_loses_is_said_to():
    said = a_result(ratio=1.4).verdict()
    assert said.endswith("It does not beat clark_bilinear.")


def test_a_known_law_found_again_needs_no_interval():
    said = a_result(ratio=1.0, note="makes the predictions of clark_bilinear; warned").verdict()
    assert said == (
        "Its held-out error is 1.00 times that of the best published law (clark_bilinear). "
        "It makes the predictions of clark_bilinear: a known law, found again."
    )


def test_a_known_law_found_again_does_not_lose_to_itself():
    """On rows without noise both errors are those of rounding, and their ratio is chance."""
    said = a_result(ratio=2.1, note="makes the predictions of clark_bilinear").verdict()
    assert "a known law, found again" in said
    assert "does not beat" not in said


def test_one_row_has_a_difference_only():
    said = a_result(wins=np.nan, low=np.nan, high=np.nan).verdict()
    assert "(clark_bilinear; difference -0.0061)." in said
    assert "interval" not in said


@pytest.mark.parametrize("scored", [True, False])
def test_a_result_that_was_not_scored_says_so_first(scored: bool):
    result = a_result(high=-0.001, scored=scored)
    assert result.scored == scored
    said = result.verdict()
    assert ("No held-out row was scored" in said) != scored
    assert f"Its {'held-out' if scored else 'inner'} error is 0.61 times" in said


def test_of_a_chosen_published_law_it_is_said_that_no_found_one_is_as_good():
    said = a_result(laws=dict(reversed(LAWS.items()))).verdict()
    assert said == (
        "The training rows prefer the published law clark_bilinear to what was found. "
        "Its held-out error is 0.61 times that of the best found law (found_01)."
    )
    said = a_result(laws=dict(reversed(LAWS.items())), sane=False).verdict()
    assert said.startswith("No found law passed the sanity checks; of the published ones clark_bilinear is chosen. Its")


def test_a_published_law_that_misbehaves_is_said_to():
    result = a_result(high=-0.001)
    result.judged[1].sane = False
    assert "(clark_bilinear, which fails a sanity check; difference -0.0061" in result.verdict()


def test_three_laws_are_listed_as_one_speaks_them():
    known = a_result(high=-0.001, laws={"clark_bilinear": "published", "found_01": "found"})
    third = SimpleNamespace(law=SimpleNamespace(name="constant", kind="null"), sane=True)
    line = known.leaderboard.iloc[[1]].assign(law="constant", kind="null")
    result = replace(known, leaderboard=pd.concat([known.leaderboard, line]), judged=[*known.judged, third])
    assert (
        "0.61 times that of the best found law (found_01) and 0.61 times that of the best null law" in result.verdict()
    )
    fourth = SimpleNamespace(law=SimpleNamespace(name="hoffmann", kind="published"), sane=True)
    more = line.assign(law="hoffmann", kind="published", heldout_rmse=0.5)
    result = replace(result, leaderboard=pd.concat([more, result.leaderboard]), judged=[*result.judged, fourth])
    assert "published law (hoffmann), 0.61 times that of the best found law (found_01) and 0.61" in result.verdict()
    assert "It does not beat hoffmann." in result.verdict()


def test_the_ends_of_a_narrow_interval_are_told_apart():
    said = a_result(difference=-0.2019, low=-0.2034, high=-0.1997).verdict()
    assert "difference -0.202, 95 % interval -0.203 to -0.2;" in said
    said = a_result(difference=0.0, low=0.0, high=0.0).verdict()
    assert "difference +0, 95 % interval +0 to +0;" in said
