"""Paired intervals: what is drawn together, and how sure a comparison is."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from discover.comparison import SAME
from discover.errors import InputError
from discover.law import Constant, Law, load_law
from discover.paired import COLUMNS, paired_comparison, units_of
from discover.selection import Judged, Rows

SIZES = np.repeat([1e9, 2e9, 4e9, 8e9, 1.6e10, 3.2e10], 4)
TARGET = 1.8 + 400 / SIZES**0.34 + 0.01 * np.random.default_rng(1).normal(size=len(SIZES))
HELD = Rows({"N": SIZES}, TARGET, {"N": "size"}, axis="N")


def a_law(prediction: np.ndarray, name: str = "found_01", kind: str = "found") -> Judged:
    """A law that predicts these numbers: only predictions count here."""
    law = Law(name, "", "A*N", {"N": ""}, {"A": Constant(range=(0, 1))}, kind=kind)  # type: ignore[arg-type]
    fit = SimpleNamespace(law=law, predict=lambda columns, groups=None: prediction)
    return Judged(fit, np.array([0.01]), 0.02, [])  # type: ignore[arg-type]


def known(prediction: np.ndarray, name: str = "hoffmann", kind: str = "published") -> Judged:
    return a_law(prediction, name, kind)


def test_the_differences_are_those_of_the_errors():
    chosen, other = a_law(TARGET + 0.02), known(TARGET - 0.05)
    table = paired_comparison(chosen, [chosen, other, a_law(TARGET, "found_02")], HELD)
    assert list(table.columns) == list(COLUMNS)
    (line,) = table.to_dict(orient="records")
    assert (line["law"], line["kind"], line["resampled"], line["units"]) == ("hoffmann", "published", "size", 6)
    # Every error is 0.02 against 0.05, and so it is in every resample.
    assert [line[key] for key in ("rmse", "ratio")] == pytest.approx([0.05, 0.4])
    assert [line[key] for key in ("difference", "low", "high")] == pytest.approx([-0.03] * 3)
    assert (line["wins"], line["log_wins"]) == (1.0, 1.0)
    logs = np.mean(np.log(1 + 0.02 / TARGET)) - np.mean(-np.log(1 - 0.05 / TARGET))
    assert line["log_difference"] == pytest.approx(logs)
    assert (line["interval"], line["level"], line["resamples"], line["note"]) == ("percentile", 0.95, 2000, "")


def test_the_interval_is_that_of_a_paired_bootstrap_of_means():
    # With one row a size, the mean absolute error of the logarithm is a mean of independent rows: the textbook's case.
    random = np.random.default_rng(5)
    sizes, target = np.geomspace(1e9, 1e12, 30), np.full(30, 2.0)
    mine, other = (target * np.exp(scale * random.normal(size=30)) for scale in (0.02, 0.03))
    rows = Rows({"N": sizes}, target, {"N": "size"}, axis="N")
    line = paired_comparison(a_law(mine), [known(other)], rows, resamples=20_000).iloc[0]
    gap = np.abs(np.log(mine / target)) - np.abs(np.log(other / target))
    low, high = np.quantile(gap[random.integers(0, 30, (20_000, 30))].mean(axis=1), [0.025, 0.975])
    assert line["log_low"] == pytest.approx(low, abs=0.03 * (high - low))
    assert line["log_high"] == pytest.approx(high, abs=0.03 * (high - low))
    assert line["log_difference"] == pytest.approx(gap.mean())


def test_rows_of_one_size_are_drawn_together():
    # A law that is off at one size of six: it is drawn in 1 - (5/6)**6 of the resamples.
    off = TARGET + np.where(SIZES == 4e9, 0.3, 0.01)
    line = paired_comparison(a_law(TARGET + 0.02), [known(off)], HELD).iloc[0]
    drawn = 1 - (5 / 6) ** 6
    assert line["wins"] == pytest.approx(drawn, abs=4 * np.sqrt(drawn * (1 - drawn) / 2000))
    assert line["low"] < 0 < line["high"] == pytest.approx(0.01)  # without that size, the other law is better by 0.01
    by_row = replace(HELD, columns={"N": np.geomspace(1e9, 1e12, len(SIZES))})
    assert paired_comparison(a_law(TARGET + 0.02), [known(off)], by_row).iloc[0]["wins"] > 0.97  # of 24 rows, 4 are off


def test_sizes_within_a_hundredth_are_one():
    nearly = replace(HELD, columns={"N": SIZES * np.tile([1.0, 1.003, 1.006, 1.009], 6)})
    assert len(units_of(nearly).strata) == 6


def test_sizes_are_drawn_within_their_group():
    groups = np.tile(np.array(["code", "web"], dtype=object), len(SIZES) // 2)
    units = units_of(replace(HELD, groups=groups))
    assert (units.kind, len(units.strata), np.bincount(units.strata).tolist()) == ("size", 12, [6, 6])
    for unit in range(12):
        assert len(set(zip(groups[units.places == unit], SIZES[units.places == unit], strict=True))) == 1
    # A law that is off in one group by the same everywhere is off by the same in every resample.
    off = TARGET + np.where(groups == "code", 0.3, 0.0)
    line = paired_comparison(a_law(TARGET), [known(off)], replace(HELD, groups=groups)).iloc[0]
    assert line["low"] == pytest.approx(line["high"]) == pytest.approx(-0.3 / np.sqrt(2))


def test_a_single_size_is_told_and_rows_are_drawn():
    rows = HELD.part(SIZES == 4e9)
    line = paired_comparison(a_law(rows.target + 0.02), [known(rows.target - [0.01, 0.01, 0.05, 0.05])], rows).iloc[0]
    assert (line["resampled"], line["units"]) == ("row", 4)
    assert line["note"] == "one size is held out: rows were resampled, which says nothing of other sizes"
    assert line["low"] < line["difference"] < line["high"]


def test_groups_of_a_single_row_are_drawn_among_themselves():
    groups = np.array([f"g{number}" for number in range(8)] + ["h"] * 6, dtype=object)
    rows = Rows({"D": np.r_[np.full(8, 8e5), np.full(6, 8e5)]}, np.ones(14), {"D": "tokens"}, axis="D", groups=groups)
    units = units_of(rows)
    assert sorted(np.bincount(units.strata)[np.unique(units.strata)]) == [6, 8]
    assert (units.kind, units.note) == (
        "row",
        "one size of each group is held out: rows were resampled, which says nothing of other sizes",
    )
    some = units_of(replace(rows, columns={"D": np.r_[np.full(8, 8e5), np.repeat([1e5, 2e5, 4e5], 2)]}))
    assert (some.kind, some.note) == ("size", "8 of 9 groups have one size only: their rows were resampled")
    assert sorted(np.bincount(some.strata)[np.unique(some.strata)]) == [3, 8]


def test_settings_are_drawn_where_the_held_out_rows_are_not_larger():
    shares = np.repeat([0.1, 0.2, 0.5, 0.7, 0.9, 1.0], 4)
    rows = Rows({"a": shares, "b": 1 - shares}, TARGET, {"a": "share", "b": "share"}, axis=None)
    units = units_of(rows)
    assert (units.kind, len(units.strata), units.note) == ("setting", 6, "")


def test_one_row_has_no_interval():
    line = paired_comparison(a_law(TARGET[:1] + 0.1), [known(TARGET[:1])], HELD.part(np.arange(24) == 0)).iloc[0]
    assert line["difference"] == pytest.approx(0.1)
    assert line[["low", "high", "wins", "log_wins"]].isna().all()
    assert line["note"] == "one row is held out: there is no interval"


def test_a_law_without_a_value_loses_and_two_such_laws_tie():
    broken = np.where(SIZES == 4e9, np.inf, TARGET + 0.1)
    table = paired_comparison(a_law(TARGET), [known(broken)], HELD)
    assert table["difference"][0] == -np.inf
    assert table["wins"][0] == 1.0
    assert table["low"][0] == -np.inf < table["high"][0] < 0  # without that size, better by 0.1
    assert np.isnan(table["log_difference"][0])
    both = paired_comparison(a_law(np.full(24, np.nan)), [known(np.full(24, np.nan))], HELD).iloc[0]
    assert (both["ratio"], both["difference"], both["wins"]) == (1.0, 0.0, 0.5)


def test_a_law_that_explodes_loses_too():
    line = paired_comparison(a_law(TARGET), [known(np.full(24, 1e154))], HELD).iloc[0]
    assert (line["wins"], line["ratio"], line["high"]) == (1.0, 0.0, -np.inf)


def test_laws_that_differ_by_less_than_one_law_from_itself_tie():
    other = TARGET + 0.02
    line = paired_comparison(a_law(TARGET + 0.02 * (1 - SAME / 2)), [known(other)], HELD).iloc[0]
    assert line["wins"] == 0.5
    line = paired_comparison(a_law(TARGET + 0.02 * (1 - SAME * 2)), [known(other)], HELD).iloc[0]
    assert line["wins"] == 1.0


def test_a_target_that_may_be_negative_has_no_logarithm():
    rows = replace(HELD, target=TARGET - 2, positive=False)
    line = paired_comparison(a_law(TARGET - 1.9), [known(TARGET - 1.8)], rows).iloc[0]
    assert line["difference"] == pytest.approx(-0.1)
    assert line[["log_difference", "log_low", "log_high", "log_wins"]].isna().all()


def test_the_same_seed_gives_the_same_intervals_and_a_wrong_level_is_refused():
    laws = [known(TARGET * (1 + 0.02 * np.random.default_rng(2).normal(size=24)))]
    one, other, third = (paired_comparison(a_law(TARGET + 0.02), laws, HELD, seed=seed) for seed in (0, 0, 1))
    assert one.equals(other)
    assert one["low"][0] != third["low"][0]
    with pytest.raises(InputError, match="the level of an interval lies between 0 and 1"):
        paired_comparison(a_law(TARGET), laws, HELD, level=95)


def test_without_a_chosen_law_there_is_nothing_to_compare():
    assert paired_comparison(None, [known(TARGET)], HELD).empty
    assert list(paired_comparison(a_law(TARGET), [], HELD).columns) == list(COLUMNS)


def test_it_takes_less_than_a_tenth_of_a_second_a_law():
    random = np.random.default_rng(0)
    sizes = np.geomspace(1e8, 1e11, 200)
    rows = Rows({"N": np.repeat(sizes, 5)}, np.full(1000, 2.0), {"N": "size"}, axis="N")
    laws = [known(2 + 0.1 * random.normal(size=1000), f"law_{number:02d}") for number in range(10)]
    laws.append(known(np.full(1000, 2.0), load_law("constant").name, "null"))
    took = []
    for _ in range(3):
        start = time.perf_counter()
        paired_comparison(a_law(2 + 0.05 * random.normal(size=1000)), laws, rows)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1 * len(laws)
