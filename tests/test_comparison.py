"""The leaderboard: every law by its held-out error, with what a reader must know."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from discover.comparison import COLUMNS, leaderboard, same_as
from discover.fitting import FitWarning, Objective, fit
from discover.law import Law, load_law
from discover.sanity import SanityCheck
from discover.scoring import score
from discover.selection import Judged, Rows

HOFFMANN = load_law("hoffmann")
TRUTH = {"E0": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}


def rows(sizes: np.ndarray, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    n, d = (axis.ravel() for axis in np.meshgrid(sizes, np.geomspace(1e9, 3e11, 5)))
    columns = {"N": n, "D": d}
    return columns, HOFFMANN.predict(columns, TRUTH) * np.exp(0.004 * np.random.default_rng(seed).normal(size=len(n)))


TRAINING = Rows(*rows(np.geomspace(1e7, 1e9, 6), 0), {"N": "size", "D": "tokens"}, axis="N")
HELD = Rows(*rows(np.array([3e9, 1e10]), 1), TRAINING.kinds, axis="N")


def judged(law: Law, **changes: object) -> Judged:
    fitted = fit(law, TRAINING.columns, TRAINING.target, objective=Objective())
    plain = Judged(
        fitted, np.array([0.01]), 0.02, [SanityCheck("falls in N", "pass")], "operon" * (law.kind == "found")
    )
    return replace(plain, **changes)


NULL = judged(load_law("powerlaw_one_feature").on("N"))
PUBLISHED = judged(HOFFMANN)
AGAIN = judged(replace(HOFFMANN, name="found_01", kind="found"))
SHORT = judged(
    Law(
        "found_02",
        "",
        "E0 + A/N**alpha",
        {"N": ""},
        {name: HOFFMANN.constants[name] for name in ("E0", "A", "alpha")},
        kind="found",
    )
)


@pytest.fixture(scope="module")
def board():
    return leaderboard([NULL, SHORT, AGAIN, PUBLISHED], AGAIN, TRAINING, HELD)


def test_the_best_held_out_error_comes_first_and_of_equal_ones_the_name_decides(board):
    assert list(board.columns) == list(COLUMNS)
    assert list(board["law"][:2]) == ["found_01", "hoffmann"]  # one law by two names
    assert board["heldout_rmse"].is_monotonic_increasing
    assert list(board["selected"]) == [True, False, False, False]


def test_errors_are_the_scores_on_training_and_held_out_rows(board):
    line = board.set_index("law").loc["powerlaw_one_feature_N"]
    train = score(NULL.fit.predict(TRAINING.columns), TRAINING.target)
    held = score(NULL.fit.predict(HELD.columns), HELD.target)
    assert (line["train_rmse"], line["inner_rmse"]) == (train.rmse, 0.02)
    assert (line["heldout_rmse"], line["heldout_mape"], line["heldout_r2"]) == (held.rmse, held.mape, held.r2)
    assert (line["kind"], line["engine"], line["n_constants"]) == ("null", "", 2)
    assert json.loads(line["constants"]) == NULL.fit.values


def test_a_found_law_that_repeats_a_known_one_is_told(board):
    notes = board.set_index("law")["note"]
    assert notes["found_01"] == "makes the predictions of hoffmann"
    assert notes["hoffmann"] == ""
    assert "makes the predictions" not in notes["found_02"]


def test_a_law_is_another_one_when_its_predictions_differ_by_a_thousandth():
    shifted = replace(AGAIN, fit=replace(AGAIN.fit, values={**AGAIN.fit.values, "E0": 1.001 * AGAIN.fit.values["E0"]}))
    assert same_as(AGAIN, [NULL, PUBLISHED], TRAINING) == "makes the predictions of hoffmann"
    assert same_as(shifted, [NULL, PUBLISHED], TRAINING) == ""
    assert same_as(PUBLISHED, [PUBLISHED], TRAINING) == ""


def test_of_known_laws_that_make_the_same_predictions_the_one_with_the_fewest_constants_is_named():
    """`skaling` contains Chinchilla's law, at k = 1, and is fitted as it on rows that are generated from it."""
    wider = load_law("skaling")
    contained = replace(PUBLISHED.fit, law=wider, values={**PUBLISHED.fit.values, "k": 1.0})
    skaling = replace(PUBLISHED, fit=contained)
    assert same_as(AGAIN, [skaling, PUBLISHED], TRAINING, HELD) == "makes the predictions of hoffmann"
    assert same_as(AGAIN, [PUBLISHED, skaling], TRAINING, HELD) == "makes the predictions of hoffmann"
    assert same_as(AGAIN, [NULL, skaling], TRAINING, HELD) == "makes the predictions of skaling"


def test_of_known_laws_with_as_many_constants_the_closest_is_named():
    near = replace(HOFFMANN, name="near")
    values = {**PUBLISHED.fit.values, "E0": PUBLISHED.fit.values["E0"] * (1 + 5e-5)}
    close = replace(PUBLISHED, fit=replace(PUBLISHED.fit, law=near, values=values))
    assert same_as(AGAIN, [close], TRAINING, HELD) == "makes the predictions of near"
    assert same_as(AGAIN, [close, PUBLISHED], TRAINING, HELD) == "makes the predictions of hoffmann"


def test_a_note_says_why_a_law_is_not_sane_and_what_its_fit_warned_of():
    checks = [SanityCheck("falls in N", "fail", "rises at N = 3e+11"), SanityCheck("limit in N", "unknown", "?")]
    warned = replace(SHORT.fit, warnings=(FitWarning("at_bound", "E0 = 0 lies at its bound"),))
    board = leaderboard([replace(SHORT, fit=warned, checks=checks)], None, TRAINING, HELD)
    assert board["note"][0] == "falls in N: rises at N = 3e+11; E0 = 0 lies at its bound"
    assert not board["sane"][0]
    assert not board["selected"][0]


def test_a_law_without_a_value_on_a_held_out_row_comes_last():
    names = ("A", "alpha")
    pole = Law("found_03", "", "A*(2e9 - N)**alpha", {"N": ""}, {n: HOFFMANN.constants[n] for n in names}, kind="found")
    broken = judged(pole)
    board = leaderboard([broken, NULL, PUBLISHED], None, TRAINING, HELD)
    assert board["law"].iloc[-1] == "found_03"
    assert board["heldout_rmse"].iloc[-1] == np.inf
    assert np.isfinite(board["train_rmse"].iloc[-1])


def test_no_laws_make_an_empty_board():
    board = leaderboard([], None, TRAINING, HELD)
    assert list(board.columns) == list(COLUMNS)
    assert len(board) == 0


def test_a_form_that_was_not_verified_is_marked():
    doubted = replace(PUBLISHED, fit=replace(PUBLISHED.fit, law=replace(HOFFMANN, unverified=True)))
    board = leaderboard([doubted], None, TRAINING, HELD)
    assert board["note"][0].startswith("its form was not verified")
