"""Searches that were killed: the next one in the folder goes on from what they had found, without a pickle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pysr_search import make_problem, on_the_stand_in, seen

from discover.engines import Budget, SearchProblem
from discover.engines.hall_of_fame import Row
from discover.engines.pysr import ENGINE
from discover.engines.pysr.arguments import form_of
from discover.engines.pysr.earlier import Earlier, killed_searches, new_folder, note_progress
from discover.engines.pysr.process import question_of
from discover.errors import EngineError
from discover.objective import Objective

QUESTION: dict[str, Any] = {"target": [1.0, 2.5], "template": None}


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return on_the_stand_in(monkeypatch)


def left(parent: Path, rows: str, *, seconds: float = 4.0, ended: bool = False, question: Any = QUESTION) -> Path:
    """What a search leaves in its folder."""
    folder = new_folder(parent)
    (folder / "request.json").write_text(json.dumps({"question": question}))
    (folder / "hall_of_fame.csv").write_text(f"Complexity,Loss,Equation\n{rows}")
    note_progress(folder, seconds, ended=ended)
    return folder


def killed(problem: SearchProblem, stand_in: Callable[..., None]) -> None:
    """Search, and have Julia die when it has found something."""
    stand_in("dies")
    with pytest.raises(EngineError, match="status -9"):
        list(ENGINE.search(problem))
    stand_in()


def test_a_search_goes_on_from_the_one_that_was_killed(stand_in: Callable[..., None], tmp_path: Path) -> None:
    problem = make_problem(folder=tmp_path, guesses=("2.0 + 1e4/N",))
    killed(problem, stand_in)
    note_progress(tmp_path / "search-1", 3.0)  # the stand-in dies at once
    found = list(ENGINE.search(problem))
    assert [candidate.complexity for candidate in found] == [1, 5]
    first, second = seen(tmp_path), seen(tmp_path, "search-2")
    assert first["guesses"] == [["(2.0 + (0.0001 / x_N))"]]
    # Its equations, the negative number in the parentheses that Julia needs; then the law again.
    assert second["guesses"] == [["2.6", "(x_N) ^ (-0.1)", "(2.0 + (0.0001 / x_N))"]]
    assert (first["options"]["timeout_in_seconds"], second["options"]["timeout_in_seconds"]) == (5.0, 2.0)
    notes = (tmp_path / "search-2" / "guesses.txt").read_text().splitlines()
    assert notes[0] == "going on from search-1: 4 equations, 3 s of searching"
    assert any(note.startswith("left out: sin(x_N): ") for note in notes)
    # It ended: another search in the folder begins anew.
    assert killed_searches(tmp_path, json.loads((tmp_path / "search-2" / "request.json").read_text())["question"]) == (
        Earlier()
    )


def test_a_question_is_of_rows_loss_and_operators() -> None:
    problem = make_problem()
    question = question_of(problem, form_of(problem))
    for same in ({"guesses": ("2.0",)}, {"seed": 3}, {"budget": Budget(evaluations=9)}, {"options": {"maxdepth": 7}}):
        assert question_of(replace(problem, **same), form_of(problem)) == question
    others: list[dict[str, Any]] = [
        {"target": problem.target + 0.1},
        {"features": {"N": problem.features["N"]}},
        {"objective": Objective("squared")},
        {"operators": ("+", "*")},
        {"groups": np.arange(30) % 2},
    ]
    for changes in others:
        other = replace(problem, **changes)
        assert question_of(other, form_of(other)) != question


def test_several_killed_searches_are_one(tmp_path: Path) -> None:
    left(tmp_path, '1,0.5,"2.0"\n5,0.2,"x_N ^ -0.1"\n', seconds=10.0)
    left(tmp_path, '1,0.6,"2.1"\n5,0.1,"x_N ^ -0.2"\n7,NaN,"x_N"\n', seconds=2.5)
    assert killed_searches(tmp_path, QUESTION) == Earlier(
        ("search-1", "search-2"), 12.5, (Row(1, 0.5, "2.0"), Row(5, 0.1, "x_N ^ -0.2"))
    )


def test_nothing_before_a_search_that_ended_is_taken_up(tmp_path: Path) -> None:
    left(tmp_path, '1,0.5,"2.0"\n')
    left(tmp_path, '1,0.4,"2.0"\n', ended=True)
    assert killed_searches(tmp_path, QUESTION) == Earlier()
    left(tmp_path, '1,0.3,"2.0"\n', seconds=1.0)
    assert killed_searches(tmp_path, QUESTION) == Earlier(("search-3",), 1.0, (Row(1, 0.3, "2.0"),))


def test_the_tenth_search_comes_after_the_ninth(tmp_path: Path) -> None:
    for _ in range(9):
        left(tmp_path, '1,0.5,"2.0"\n', ended=True)
    assert left(tmp_path, '1,0.3,"2.0"\n').name == "search-10"
    assert killed_searches(tmp_path, QUESTION).names == ("search-10",)


def test_files_that_were_cut_off_are_passed_over(tmp_path: Path) -> None:
    folder = left(tmp_path, '1,0.5,"2.0"\n3,0.4,"x_N')
    (folder / "progress.json").write_text('{"sec')
    assert killed_searches(tmp_path, QUESTION) == Earlier(("search-1",), 0.0, (Row(1, 0.5, "2.0"),))
    (folder / "request.json").write_text('{"question": {"target"')
    assert killed_searches(tmp_path, QUESTION) == Earlier()
    left(tmp_path, "")  # killed before it had found anything
    assert killed_searches(tmp_path, QUESTION) == Earlier()
    assert killed_searches(None, QUESTION) == killed_searches(tmp_path / "absent", QUESTION) == Earlier()


def test_a_question_is_the_same_after_it_was_written(tmp_path: Path) -> None:
    question = {"target": np.random.default_rng(0).normal(size=50).tolist(), "template": {"parameters": {"a": 2}}}
    left(tmp_path, '1,0.5,"2.0"\n', question=question)
    assert killed_searches(tmp_path, question).names == ("search-1",)
    assert not killed_searches(tmp_path, {**question, "loss": "another"}).names
