"""Run folders: nothing finished is lost, and nothing is half written."""

from __future__ import annotations

import errno
import json
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from discover.engines import Candidate
from discover.errors import InputError
from discover.runs import RunFolder, json_ready, list_runs, open_run, write_bytes, write_text

ONE = Candidate("2.0*N**-0.3", 5, 0.25, "operon", 0)
TWO = Candidate("1.5 + 2.0*D**-0.1", 9, 0.125, "pysr", 3)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "first")
    write_bytes(path, b"second")
    assert path.read_text() == "second"
    assert files(path.parent) == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644  # others may read it, as any file


def test_a_disk_that_is_full_leaves_the_old_file_whole_and_nothing_beside_it(tmp_path):
    """A limit on the size of files stands for a full disk: the write fails in the middle, as it would there."""
    path = tmp_path / "leaderboard.csv"
    path.write_text("the old one")
    program = f"""
        import resource, signal, sys
        from pathlib import Path
        from discover.runs import write_bytes
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_bytes(Path({str(path)!r}), b"x" * 100_000)
        except OSError as error:
            print(error.filename)
            sys.exit(error.errno)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == errno.EFBIG
    assert done.stdout == f"{path}\n"  # the system does not say which file it was
    assert path.read_text() == "the old one"
    assert files(tmp_path) == ["leaderboard.csv"]


def test_an_interrupted_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert files(tmp_path) == ["file.txt"]


def test_a_folder_that_cannot_be_written_into_is_an_error_of_the_system(tmp_path):
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(OSError, match="taken"):
        write_text(tmp_path / "taken" / "file.txt", "new")


def test_runs_of_one_second_have_folders_of_their_own(tmp_path):
    folders = [RunFolder.create(tmp_path, "mine") for _ in range(3)]
    assert len({folder.path for folder in folders}) == 3
    assert all(folder.path.parent == tmp_path / "mine" for folder in folders)
    assert folders == sorted(folders, key=lambda folder: folder.path.name)


def test_candidates_come_back_as_they_were(tmp_path):
    folder = RunFolder.create(tmp_path, "mine")
    assert folder.candidates() == []
    odd = Candidate("log(N)", 2, math.inf, "operon", 1)
    for candidate in (ONE, odd, TWO):
        folder.append_candidate(candidate)
    assert folder.candidates() == [ONE, odd, TWO]
    for line in (folder.path / "candidates.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)  # strict JSON: an infinite loss is null


@pytest.mark.parametrize("kept", [1, 20, -3, -1])
def test_a_last_line_that_was_cut_off_is_passed_over_and_harms_no_later_one(tmp_path, kept):
    folder = RunFolder.create(tmp_path, "mine")
    path = folder.path / "candidates.jsonl"
    folder.append_candidate(ONE)
    whole = len(path.read_bytes())
    folder.append_candidate(TWO)
    content = path.read_bytes()
    path.write_bytes(content[: whole + kept] if kept > 0 else content[:kept])
    expected = [ONE, TWO] if kept == -1 else [ONE]  # only the line break was lost
    assert folder.candidates() == expected
    folder.append_candidate(TWO)  # the run is resumed
    assert folder.candidates() == [*expected, TWO]


def test_lines_that_are_no_candidates_are_passed_over(tmp_path):
    folder = RunFolder.create(tmp_path, "mine")
    folder.append_candidate(ONE)
    with (folder.path / "candidates.jsonl").open("a") as file:
        file.write('[1, 2]\n"text"\n\n{"formula": "N"}\n')
        file.write('{"formula": "N", "complexity": "five", "loss": 1, "engine": "pysr", "seed": 0}\n')
    folder.append_candidate(TWO)
    assert folder.candidates() == [ONE, TWO]


def test_the_manifest_is_strict_json_with_null_for_what_is_no_number(tmp_path):
    folder = RunFolder.create(tmp_path, "mine")
    assert folder.manifest == {}
    folder.update(state="searching", rmse=np.float64("nan"), best=math.inf, rows=np.int64(3), sane=np.True_)
    folder.update(state="done", nested={"values": [1.0, -math.inf, (math.nan,)]})
    text = (folder.path / "manifest.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {
        "state": "done",
        "rmse": None,
        "best": None,
        "rows": 3,
        "sane": True,
        "nested": {"values": [1.0, None, [None]]},
    }
    assert folder.manifest["state"] == "done"


def test_text_stays_text_in_json():
    assert json_ready({"a": "nan", 1: None, "b": np.array(2.5)}) == {"a": "nan", "1": None, "b": 2.5}


def test_a_manifest_that_cannot_be_read_names_its_file(tmp_path):
    folder = RunFolder.create(tmp_path, "mine")
    (folder.path / "manifest.json").write_text('{"state": "sear')
    with pytest.raises(InputError, match=r"manifest\.json: the manifest cannot be read"):
        _ = folder.manifest


def test_the_log_has_a_time_on_every_line(tmp_path):
    folder = RunFolder.create(tmp_path, "mine")
    folder.log("searching")
    folder.log("done: α, β")
    lines = (folder.path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["searching", "done: α, β"]
    assert all(line[:2] == "20" and line[19] == "Z" for line in lines)


def a_run(root: Path, experiment: str, name: str) -> RunFolder:
    folder = RunFolder(root / experiment / name)
    folder.path.mkdir(parents=True)
    folder.update(state="done")
    return folder


def test_a_run_is_opened_by_its_folder_or_as_the_latest_of_an_experiment(tmp_path):
    first = a_run(tmp_path, "mine", "20250101T000000")
    last = a_run(tmp_path, "mine", "20250102T000000-1")
    other = a_run(tmp_path, "other", "20250103T000000")
    (tmp_path / "mine" / "20250109T000000").mkdir()  # made, and killed before anything was written
    assert open_run(first.path) == first
    assert open_run(str(first.path)) == first
    assert open_run(tmp_path / "mine") == last
    assert open_run("mine", tmp_path) == last
    assert list_runs(tmp_path) == [first, last, other]
    assert list_runs(tmp_path / "nothing") == []


def test_runs_are_looked_for_under_runs_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = a_run(Path("runs"), "mine", "20250101T000000")
    assert open_run("mine") == run


def test_a_folder_of_the_experiments_name_hides_no_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()  # the user's own, with data
    run = a_run(Path("runs"), "mine", "20250101T000000")
    assert open_run("mine") == run


@pytest.mark.parametrize("name", ["nothing", "mine/20990101T000000"])
def test_an_unknown_run_says_what_would_be_one(tmp_path, name):
    a_run(tmp_path, "mine", "20250101T000000")
    with pytest.raises(InputError, match=rf"there is no run at {name}: give a folder such as runs/quickstart/<id>"):
        open_run(name, tmp_path)


def test_a_folder_without_runs_is_no_run(tmp_path):
    with pytest.raises(InputError, match="there is no run at"):
        open_run(tmp_path)
