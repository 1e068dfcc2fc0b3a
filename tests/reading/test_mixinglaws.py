"""Lines of checkpoint, validation file and loss, as Ye et al. 2024 have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from discover.errors import DataError
from discover.reading import read_table

# as the files have them: doubled slashes, a slash at the end, a run without size, a checkpoint without a step
LINES = """\
/data/base2//160M_base2_5-0.75-0.25/14000\t/data/pythia-pile.valid.Github.bin\t1.1429
/data/base3/30-0.75-0.0-0.25/60000/\t/data/pythia-pile.valid.Pile-CC.bin\t3.25

/data/base3/70M_8-0.125-0.25-0.625/last\t/data//pythia-pile.valid.Books3.bin\t 3.5
/data/pythia_70m_step20000\t/data/python.valid.bin\t1.5
"""


def read(folder: Path, lines: str = LINES) -> dict[str, list[object]]:
    (folder / "70M.txt").write_text(lines, encoding="utf-8")
    return read_table(folder / "70M.txt", "mixinglaws").to_dict("list")


def test_run_mixture_step_and_domain_are_read_from_the_paths(tmp_path: Path) -> None:
    table = read(tmp_path)
    assert table["run"] == [
        "160M_base2_5-0.75-0.25",
        "30-0.75-0.0-0.25",
        "70M_8-0.125-0.25-0.625",
        "pythia_70m_step20000",
    ]
    assert table["size"] == ["160M", "", "70M", ""]
    assert table["mixture"] == ["0.75-0.25", "0.75-0.0-0.25", "0.125-0.25-0.625", ""]
    assert table["valid"] == ["Github", "Pile-CC", "Books3", "python"]
    assert table["loss"] == [1.1429, 3.25, 3.5, 1.5]
    assert np.array_equal(table["step"], [14000, 60000, np.nan, np.nan], equal_nan=True)
    assert table["ratio_1"][:3] == [0.75, 0.75, 0.125]
    assert np.array_equal(table["ratio_3"], [np.nan, 0.25, 0.625, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/a/70M_1-0.5-0.5/100\tvalid.Github.bin", "line 5 has 2 fields, not checkpoint, validation file and loss"),
        ("/a/70M_1-0.5-0.5/100 valid.Github.bin 1.5", "line 5 has 1 fields"),
        ("/a/70M_1-0.5-0.5/100\tvalid.Github.bin\tnone", "line 5 names no run, mixture or loss: "),
        ("/a/70M_1-half-half/100\tvalid.Github.bin\t1.5", "line 5 names no run, mixture or loss: "),
        ("/a/70M_1-0.5-0.5/100\tvalid.bin\t1.5", "line 5 names no run, mixture or loss: "),
        ("100\tvalid.Github.bin\t1.5", "line 5 names no run, mixture or loss: "),
        ("//\tvalid.Github.bin\t1.5", "line 5 names no run, mixture or loss: "),
        ("/a/70M_1-0.5-0.5/\N{SUPERSCRIPT TWO}\tvalid.Github.bin\t1.5", "line 5 names no run, mixture or loss: "),
    ],
)
def test_a_line_of_another_format_is_named_by_its_number(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, LINES.replace("/data/pythia_70m_step20000\t/data/python.valid.bin\t1.5", line))
    assert str(caught.value).startswith(f"{tmp_path / '70M.txt'}: this is not a mixinglaws table: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_without_lines_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"70M\.txt: the table has no rows"):
        read(tmp_path, "\n")
