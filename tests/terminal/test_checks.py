"""What `discover data check` prints: a line a card, what is wrong below it, and the sum."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from discover.terminal import show_verdicts
from discover.verification import Verdict

VERDICTS = [
    Verdict("law", "hoffmann", Path("baselines/hoffmann.toml"), "ok", "check values: 3"),
    Verdict("dataset", "a", Path("data/a.toml"), "wrong", problems=("data/a.toml: files.0: the checksum is wrong",)),
    Verdict("dataset", "b", Path("data/b.toml"), "not downloaded", "files to fetch: 1"),
    Verdict("experiment", "c", Path("experiments/c.toml"), "ok", "on a"),
]


def test_each_card_has_a_line_and_each_problem_one_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_verdicts(VERDICTS) is True
    assert capsys.readouterr().out.splitlines() == [
        f"law         {'hoffmann':<28}  ok: check values: 3",
        f"dataset     {'a':<28}  wrong",
        "  data/a.toml: files.0: the checksum is wrong",
        f"dataset     {'b':<28}  not downloaded: files to fetch: 1",
        f"experiment  {'c':<28}  ok: on a",
        "2 ok, 1 not downloaded, 1 wrong",
    ]


def test_a_program_gets_one_object_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_verdicts(VERDICTS[:1], as_json=True) is False
    capsys.readouterr()
    show_verdicts(VERDICTS, as_json=True)
    entries = json.loads(capsys.readouterr().out)
    assert [entry["state"] for entry in entries] == ["ok", "wrong", "not downloaded", "ok"]
    assert entries[1]["problems"] == ["data/a.toml: files.0: the checksum is wrong"]
    assert entries[0]["path"] == str(Path("baselines/hoffmann.toml"))
