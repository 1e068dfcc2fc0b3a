"""What is printed of a proposed card: what was seen, what to check, what to do next."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from discover.law import list_laws
from discover.proposal import add, propose
from discover.terminal import show_proposal

LAWS = list_laws()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "my runs.csv"
    rows = [
        f"{n},{d},{1.8 + 480 / n**0.35 + 2100 / d**0.37:.6f}" for n in (1e7, 3e7, 1e8, 1e9) for d in (1e9, 4e9, 2e10)
    ]
    path.write_text("n_params,tokens,val_loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_card_that_was_written_comes_with_the_next_steps(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposal, dataset = add(table)
    show_proposal(proposal, dataset, LAWS)
    text = capsys.readouterr().out
    for reason in proposal.reasons:
        assert reason in text
    assert proposal.card.strip() in text
    assert f"discover fit hoffmann '{proposal.path}'" in text  # a path with a blank is quoted for the shell
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.endswith("_search.toml:")) + 1
    assert set(tomllib.loads("\n".join(lines[start : start + 3]))) == {"dataset", "hold_out", "budget"}


def test_a_card_that_was_only_proposed_says_that_nothing_was_written(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_proposal(propose(table), None, LAWS)
    text = capsys.readouterr().out
    assert "nothing was written" in text
    assert "discover fit" not in text


def test_what_asks_for_a_look_is_marked(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proposal = propose(table)
    show_proposal(proposal, None, LAWS)
    lines = capsys.readouterr().out.splitlines()
    assert [line[2:] for line in lines if line.startswith("! ")] == [
        reason for reason in proposal.reasons if reason in proposal.checks
    ]


def test_a_proposal_is_one_object_for_programs(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_proposal(propose(table), None, LAWS, as_json=True)
    entry = json.loads(capsys.readouterr().out)
    assert (entry["written"], entry["rows"], entry["path"]) == (False, 12, str(table.with_suffix(".toml")))
