"""The table of runs, and a sweep that is stopped and started again."""

from __future__ import annotations

from pathlib import Path

import pytest
import train
from design import Run, Size, runs
from table import COLUMNS, read, row, unfinished, write

RUN = Run("mixture", Size(2, 16), D=2**17, uD=2**16, prose=0.25, lr=0.01, seed=3)
MEASURED = {"loss_code": 1.5, "loss_prose": 2.25, "train_loss": 1.75, "seconds": 12.345}


def test_a_row_says_what_was_trained_and_measured() -> None:
    made = row(RUN, MEASURED)
    assert tuple(made) == tuple(COLUMNS)
    assert made["status"] == "ok"
    assert float(made["N"]) == 2 * (12 * 16**2 + 2 * 16) + 16
    assert float(made["r_code"]) + float(made["r_prose"]) == 1
    assert float(made["loss_prose"]) == 2.25
    assert made["key"] == "L2w16_D131072_uD65536_p0.25_lr0.01_s3"


@pytest.mark.parametrize("name", ["loss_code", "train_loss"])
def test_a_run_that_diverged_keeps_its_row_without_a_loss(name: str, tmp_path: Path) -> None:
    made = row(RUN, MEASURED | {name: float("nan")})
    write(tmp_path / "runs.csv", [made])
    (again,) = read(tmp_path / "runs.csv")
    assert again["status"] == "diverged"
    assert again["loss_code"] == again["loss_prose"] == again["train_loss"] == ""
    assert unfinished([RUN], [again]) == []


def test_what_is_finished_is_not_trained_again(tmp_path: Path) -> None:
    planned = runs()
    write(tmp_path / "runs.csv", [row(run, MEASURED) for run in planned[5:9]])
    assert unfinished(planned, read(tmp_path / "runs.csv")) == planned[:5] + planned[9:]


def test_no_table_yet_is_an_empty_one(tmp_path: Path) -> None:
    assert read(tmp_path / "runs.csv") == []


def test_a_write_that_fails_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    write(path, [row(RUN, MEASURED)])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="other"):
        write(path, [row(RUN, MEASURED), {"other": "column"}])
    assert path.read_bytes() == before


def test_a_table_of_another_design_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("key,loss\na,1\n")
    with pytest.raises(ValueError, match=r"columns differ in .*loss_code.*--out"):
        read(path)


def test_the_plan_marks_what_is_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs.csv"
    write(path, [row(runs()[0], MEASURED)])
    assert train.main(["--list", "--only", "grid", "--out", str(path)]) == 0
    *lines, total, remaining = capsys.readouterr().out.splitlines()
    assert [line.startswith("[x]") for line in lines] == [True] + [False] * (len(lines) - 1)
    assert f"= {len(lines)} runs" in total
    assert remaining.startswith(f"{len(lines) - 1} runs")


def test_the_library_of_another_python_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "SHA256", "0" * 64)
    (tmp_path / "a.py").write_text('"""Words."""\ncode = 1')
    monkeypatch.setattr("text.standard_library", lambda: tmp_path)
    assert train.main(["--out", str(tmp_path / "runs.csv")]) == 2
    assert "--other-texts" in capsys.readouterr().err
    assert not (tmp_path / "runs.csv").exists()


def test_the_published_table_is_of_this_design() -> None:
    path = Path(train.__file__).with_name("runs.csv")
    if not path.is_file():
        pytest.skip("the runs are not in the checkout yet")
    rows = read(path)
    planned = {run.key: run for run in runs()}
    assert len({made["key"] for made in rows}) == len(rows)
    for made in rows:
        known = row(planned[made["key"]], MEASURED)
        assert {name: made[name] for name in COLUMNS[:15] if name != "status"} == {
            name: known[name] for name in COLUMNS[:15] if name != "status"
        }
        assert (made["status"] == "ok") == all(made[name] for name in ("loss_code", "loss_prose", "train_loss"))
