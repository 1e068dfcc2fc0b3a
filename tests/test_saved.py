"""What a run left is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from discover.comparing import _place_of_run
from discover.runs import RunFolder

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
