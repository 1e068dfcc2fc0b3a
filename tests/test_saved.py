"""What a run left is read back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discover.comparing import _place_of_run
from discover.law import load_law
from discover.law_card import FittedValues
from discover.runs import RunFolder
from discover.saved import last_fits

PREDICTIONS = """row,group,N,kind_a,kind_b,r_code,r_web,L,split,hoffmann
1,x,1e7,1,0,0.2,0.8,3.0,training,3.1
2,y,1e8,0,1,0.5,0.5,2.5,held_out,2.6
"""


def test_the_rows_of_a_run_are_its_features_with_mixtures_and_categories(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text(PREDICTIONS)
    (tmp_path / "experiment.toml").write_text('dataset = "mine.toml"\nfeatures = ["N", "kind", "r"]\n')
    place = _place_of_run(RunFolder(tmp_path))
    assert list(place.columns) == ["N", "kind_a", "kind_b", "r_code", "r_web"]
    np.testing.assert_array_equal(place.columns["N"], [1e7, 1e8])
    assert place.groups is not None
    assert place.groups.tolist() == ["x", "y"]
    assert (list(place.linear), list(place.whole)) == (["r_code", "r_web"], ["kind_a", "kind_b"])


@pytest.mark.parametrize(("run", "undetermined"), [("20261122T183112", True), ("", False)])
def test_an_error_that_a_run_left_out_of_its_card_was_not_determined(run: str, undetermined: bool) -> None:
    fit = FittedValues(dataset="mine", rows=9, values={"c": 2.5}, run=run)
    values, errors = last_fits(replace(load_law("constant"), fits=(fit,)))[""]
    assert values == {"c": 2.5}
    assert math.isnan(errors.get("c", 0.0) or 0.0) == undetermined
