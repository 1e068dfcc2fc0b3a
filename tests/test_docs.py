"""The cards that the documentation prints are legal cards, and its Python sessions print what it says."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

import pytest

from discover.cards import validate
from discover.dataset_card import DatasetCard
from discover.experiment import ExperimentCard
from discover.law import LawCard, law_from_card

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(tomllib.loads(text), id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL))
]
SESSIONS = {
    page.name: blocks
    for page in PAGES
    if (blocks := re.findall(r"```pycon\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL))
}


def test_there_are_cards_of_every_kind() -> None:
    kinds = [kind for block in BLOCKS for kind in ("formula", "files", "dataset") if kind in block.values[0]]
    assert {kind: kinds.count(kind) >= 1 for kind in ("formula", "files", "dataset")}
    assert kinds.count("formula") >= 2
    assert kinds.count("files") >= 2
    assert kinds.count("dataset") >= 2


@pytest.mark.parametrize("card", BLOCKS)
def test_a_card_that_the_documentation_prints_can_be_read(card: dict) -> None:  # type: ignore[type-arg]
    if "formula" in card:
        law = law_from_card(validate(card, LawCard, "docs"), "printed")
        for published in law.published:
            for check in published.checks:
                assert law.check(check, published.values) == pytest.approx(check.value, abs=check.allowed(), rel=0)
    elif "dataset" in card:
        validate(card, ExperimentCard, "docs")
    else:  # a part of a dataset card, or a whole one
        whole = {"title": "part", "files": [{"path": "runs.csv"}], "features": {"N": {"column": "N"}}, **card}
        validate({"target": {"column": "loss"}, **whole}, DatasetCard, "docs")


@pytest.mark.parametrize("page", SESSIONS)
def test_a_session_of_the_documentation_prints_what_it_says(page: str) -> None:
    blocks = SESSIONS[page]
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page, page, 0)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(examples, out=said.append)
    assert result.attempted >= len(blocks)
    assert not result.failed, "".join(said)
