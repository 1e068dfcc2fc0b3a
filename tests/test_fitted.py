"""The report of `discover fit`: every option, and every number of the record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from generated import FLOOR, HOFFMANN, TRUTH, noise
from small_card import card, load

from discover.dataset import Dataset, load_dataset
from discover.errors import InputError
from discover.export.record import plain
from discover.fitted import Intervals, fit_dataset
from discover.fitting import fit
from discover.law import load_law
from discover.law_card import Protocol

SYNTHETIC = load_dataset("synthetic_chinchilla")
NONE = Intervals("none")
QUICK = Intervals(resamples=60)
KEYS = {
    *("law", "formula", "dataset", "generated", "protocol", "intervals", "objective", "rows"),
    *("rmse", "mae", "mape", "r2", "held_out", "agreement", "starts", "warnings"),
}
OF_A_PART = {
    *(
        "constants",
        "derived",
        "optimal",
        "status",
        "condition",
        "at_bounds",
        "flat",
        "correlations",
        "residuals",
        "worst_rows",
    ),
}


def strict(record: dict[str, object]) -> dict[str, object]:
    """The record as a program reads it that takes no NaN."""
    return json.loads(json.dumps(plain(record), allow_nan=False))


@pytest.fixture
def grouped(tmp_path: Path) -> Dataset:
    sizes = np.geomspace(1e7, 1e10, 12)
    truths = {"code": (1.0, 300.0, 0.35), "web": (2.0, 100.0, 0.3)}
    rows = [(name, n, e + a / n**g) for name, (e, a, g) in truths.items() for n in sizes]
    table = pd.DataFrame(rows, columns=["domain", "N", "loss"])
    table["loss"] *= noise(0.003, 24)
    return load(tmp_path, card('[group]\ncolumns = ["domain"]'), table.to_csv(index=False))


def test_the_record_has_every_key_and_is_json_without_nan():
    record = strict(fit_dataset(HOFFMANN, SYNTHETIC, intervals=QUICK, derive=["beta/(alpha + beta)"]).as_record())
    assert set(record) == KEYS | OF_A_PART
    assert record["law"] == "hoffmann"
    assert record["dataset"] == "synthetic_chinchilla"
    assert record["generated"] is True
    assert record["protocol"] is None
    assert record["intervals"] == {"kind": "bootstrap", "level": 0.95, "resamples": 60, "by": "row"}
    assert record["objective"]["name"] == "log_huber"
    assert set(record["constants"]) == set(TRUTH)
    for name, value in TRUTH.items():
        entry = record["constants"][name]
        assert entry["low"] < entry["value"] < entry["high"]
        assert abs(entry["value"] - value) < 4 * entry["stderr"]
    assert record["derived"]["beta/(alpha + beta)"]["value"] == pytest.approx(0.513, abs=0.02)
    assert record["optimal"]["a"] == pytest.approx(record["derived"]["beta/(alpha + beta)"]["value"], rel=1e-3)
    assert record["optimal"]["stderr"] == pytest.approx(record["derived"]["beta/(alpha + beta)"]["stderr"], rel=0.01)
    assert record["status"]["state"] == "certain"
    assert len(record["worst_rows"]) == 5
    assert record["held_out"] is None


def test_the_worst_rows_are_numbered_as_in_the_file(tmp_path):
    table = pd.DataFrame({"N": np.geomspace(1e7, 1e10, 30)})
    table["loss"] = FLOOR.predict({"N": table.N}, {"E0": 1.8, "A": 480.0, "alpha": 0.35}) * noise(0.001, 30)
    table.loc[12, "loss"] *= 1.5  # the 13th row below the header
    dataset = load(tmp_path, card(), table.to_csv(index=False))
    record = fit_dataset(FLOOR, dataset, hold_out="N < 2e7", intervals=NONE).as_record()
    assert record["worst_rows"][0]["row"] == 13
    assert record["worst_rows"][0]["features"]["N"] == pytest.approx(table.N[12])


def test_held_out_rows_are_scored_and_not_fitted():
    fitted = fit_dataset(HOFFMANN, SYNTHETIC, hold_out="N >= 1e9", intervals=NONE)
    rows = SYNTHETIC.table.N < 1e9
    assert fitted.fit.n_rows == int(rows.sum())
    assert fitted.held_out is not None
    assert fitted.held_out.n_rows == int((~rows).sum())
    alone = fit(HOFFMANN, SYNTHETIC.columns(rows.to_numpy()), SYNTHETIC.losses(rows.to_numpy()))
    assert fitted.fit.values == alone.values
    assert strict(fitted.as_record())["held_out"]["rmse"] == pytest.approx(fitted.held_out.rmse)


def test_without_intervals_there_are_standard_errors_only():
    record = strict(fit_dataset(HOFFMANN, SYNTHETIC, intervals=NONE, derive=["E0"]).as_record())
    assert {entry["low"] for entry in record["constants"].values()} == {None}
    assert all(entry["stderr"] > 0 for entry in record["constants"].values())
    assert "low" not in record["derived"]["E0"]


def test_profiles_are_intervals_too():
    options = {"objective": "log_squared"}
    record = strict(fit_dataset(HOFFMANN, SYNTHETIC, intervals=Intervals("profile", 0.9), **options).as_record())
    wide = strict(fit_dataset(HOFFMANN, SYNTHETIC, intervals=Intervals("profile", 0.99), **options).as_record())
    for name, entry in record["constants"].items():
        assert entry["high"] - entry["low"] == pytest.approx(2 * 1.645 * entry["stderr"], rel=0.15)
        assert wide["constants"][name]["high"] > entry["high"]


def test_an_interval_that_is_open_is_json_too():
    rows = SYNTHETIC.narrowed((SYNTHETIC.table.D.min() == SYNTHETIC.table.D).to_numpy())
    record = strict(fit_dataset(HOFFMANN, rows, intervals=Intervals("profile")).as_record())
    assert record["status"]["state"] == "undetermined"
    assert record["constants"]["B"]["stderr"] is None
    assert record["constants"]["B"]["low"] == 0


def test_resamples_of_sizes_draw_all_runs_of_a_size():
    fitted = fit_dataset(HOFFMANN, SYNTHETIC, intervals=Intervals(resamples=60, by="N"))
    rows = fit_dataset(HOFFMANN, SYNTHETIC, intervals=Intervals(resamples=60))
    assert str(fitted.intervals) == "95% interval, 60 resamples of sizes of N"
    assert str(rows.intervals) == "95% interval, 60 resamples of rows"
    assert fitted.known[""].ends["alpha"] != rows.known[""].ends["alpha"]
    with pytest.raises(InputError, match=r"unknown feature 'M': legal are: D, N, row"):
        fit_dataset(HOFFMANN, SYNTHETIC, intervals=Intervals(resamples=60, by="M"))


def test_every_option_of_the_fit_is_passed_on():
    options = {
        "objective": "log_soft_l1", "delta": "noise", "weights": "sqrt(N)", "starts": 16, "seed": 4,
        "fixed": {"E0": 1.8}, "tied": {"beta": "alpha"}, "bounds": {"alpha": (0.1, 0.9)},
        "constraints": ["A <= 10*B"],
    }  # fmt: skip
    fitted = fit_dataset(HOFFMANN, SYNTHETIC, intervals=QUICK, derive=["A/B"], **options)
    columns = SYNTHETIC.columns()
    from discover.fitting import Objective

    direct = {**options, "objective": Objective("log_soft_l1"), "weights": np.sqrt(columns["N"])}
    assert fitted.fit.values == fit(HOFFMANN, columns, SYNTHETIC.losses(), **direct).values
    record = strict(fitted.as_record())
    assert record["constants"]["E0"] == {"value": 1.8, "stderr": 0.0, "low": None, "high": None}
    assert record["constants"]["beta"] == record["constants"]["alpha"]
    assert record["objective"]["delta"] == pytest.approx(fitted.fit.objective.delta)
    assert record["derived"]["A/B"]["low"] < record["derived"]["A/B"]["value"] < record["derived"]["A/B"]["high"]


def test_weights_are_a_formula_over_features():
    with pytest.raises(InputError, match=r"weights 'sqrt\(M\)': unknown name .M.: legal are: D, N"):
        fit_dataset(HOFFMANN, SYNTHETIC, intervals=NONE, weights="sqrt(M)")
    with pytest.raises(InputError, match=r"weights must be .* finite numbers that are zero or more"):
        fit_dataset(HOFFMANN, SYNTHETIC, intervals=NONE, weights="-N")
    one = fit_dataset(HOFFMANN, SYNTHETIC, intervals=NONE, weights="1")
    assert one.fit.values == pytest.approx(dict(fit_dataset(HOFFMANN, SYNTHETIC, intervals=NONE).fit.values), rel=1e-6)


def test_a_protocol_refuses_what_it_decides_itself():
    small = Protocol(
        source="here", objective="log_huber", delta=1e-2, method="BFGS",
        grid={"alpha": [0.35], "beta": [0.35]}, log_grid={"A": [6.0], "B": [7.0], "E0": [0.5]},
    )  # fmt: skip
    law = replace(HOFFMANN, protocols={"small": small})
    fitted = fit_dataset(law, SYNTHETIC, protocol="small", intervals=QUICK)
    record = strict(fitted.as_record())
    assert record["protocol"] == "small"
    assert record["starts"] == 1
    assert record["objective"]["delta"] == 1e-2
    options = [{"objective": "squared"}, {"delta": 1e-3}, {"weights": "N"}, {"fixed": {"E0": 1.8}}]
    options += [{"tied": {"beta": "alpha"}}, {"bounds": {"alpha": (0, 1)}}, {"constraints": ["alpha <= 1"]}]
    for option in options:
        (name,) = option
        with pytest.raises(InputError, match=f"a protocol says how a law is fitted: leave out {name}"):
            fit_dataset(law, SYNTHETIC, protocol="small", intervals=NONE, **option)
    with pytest.raises(InputError, match="has no protocol 'smal': did you mean 'small'"):
        fit_dataset(law, SYNTHETIC, protocol="smal", intervals=NONE)


def test_a_protocol_is_for_rows_in_one_group(grouped):
    law = replace(FLOOR, protocols={"small": Protocol(
        source="here", objective="log_huber", method="BFGS", grid={"alpha": [0.3]}, log_grid={"A": [5.0], "E0": [0.0]}
    )})  # fmt: skip
    with pytest.raises(InputError, match="a protocol fits rows in one group: mine has several"):
        fit_dataset(law, grouped, protocol="small", intervals=NONE)


@pytest.mark.parametrize("kind", ["bootstrap", "profile", "none"])
def test_groups_have_their_own_constants_and_what_is_known_of_them(grouped, kind):
    fitted = fit_dataset(FLOOR, grouped, intervals=Intervals(kind, resamples=60), derive=["A*alpha"])
    record = strict(fitted.as_record())
    assert set(record) == KEYS | {"groups", "shared"}
    assert set(record["groups"]) == {"code", "web"}
    for name, floor in (("code", 1.0), ("web", 2.0)):
        own = record["groups"][name]
        assert set(own) == OF_A_PART
        assert own["constants"]["E0"]["value"] == pytest.approx(floor, abs=4 * own["constants"]["E0"]["stderr"])
        assert (own["constants"]["E0"]["low"] is None) == (kind == "none")
        rows = grouped.table.index[grouped.table.group == name]
        assert {row["row"] for row in own["worst_rows"]} <= set(rows)


def test_profiles_of_shared_constants_are_refused(grouped):
    shared = {name: one.model_copy(update={"shared": name == "alpha"}) for name, one in FLOOR.constants.items()}
    law = replace(FLOOR, constants=shared)
    with pytest.raises(InputError, match="constants that groups share have no profile: use intervals of the kind"):
        fit_dataset(law, grouped, intervals=Intervals("profile"))
    record = strict(fit_dataset(law, grouped, intervals=QUICK).as_record())
    assert record["shared"] == ["alpha"]
    entries = [part["constants"]["alpha"] for part in record["groups"].values()]
    assert entries[0] == entries[1]


def test_only_laws_of_n_and_d_have_a_compute_optimal_model(grouped):
    assert fit_dataset(FLOOR, SYNTHETIC, intervals=NONE).as_record()["optimal"] is None
    best = fit_dataset(HOFFMANN, SYNTHETIC, intervals=QUICK).as_record()["optimal"]
    table = SYNTHETIC.table
    assert best["compute"] == pytest.approx(6 * (table.N * table.D).max())
    assert 6 * best["N"] * best["D"] == pytest.approx(best["compute"], rel=1e-6)
    assert best["low"] < best["a"] < best["high"]


def test_what_does_not_go_together_is_named():
    with pytest.raises(InputError, match="law 'muennighoff' does not fit dataset 'synthetic_chinchilla'"):
        fit_dataset(load_law("muennighoff"), SYNTHETIC)
    with pytest.raises(InputError, match=r"unknown objective 'hubr': did you mean 'huber'\?"):
        fit_dataset(HOFFMANN, SYNTHETIC, objective="hubr")
    with pytest.raises(InputError, match=r"unknown intervals 'profil': did you mean 'profile'\?"):
        Intervals("profil")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the level of an interval lies between 0 and 1"):
        Intervals(level=95)
    with pytest.raises(InputError, match="'gamma' is no formula over the constants"):
        fit_dataset(HOFFMANN, SYNTHETIC, intervals=NONE, derive=["gamma"])
