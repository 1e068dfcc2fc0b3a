"""A dataset in full, and all datasets in a list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from discover.dataset import list_datasets, load_dataset, read_dataset_card
from discover.law import list_laws
from discover.terminal import show_dataset, show_datasets, show_fetched

LAWS = list_laws()
TABLE = "n,web,code,optimiser,corpus,seed,loss\n" + "".join(
    f"{n},{w},{1 - w},{o},{c},1,{2 + 10 / n**0.2 + w * 0.1 + 0.01 * k:.6f}\n"
    for k, (o, c) in enumerate([("adam", "c4"), ("lion", "pile")])
    for n in (10, 100, 1000)
    for w in (0.25, 0.5)
)
CARD = """title = "Ours"
licence = "CC0-1.0"
notes = "What is to be known."
labels = ["seed"]
hold_out = "N >= 500"
files = [{ path = "ours.csv" }]
target = { column = "loss", meaning = "validation loss" }
[rows]
count = 11
drop = [{ where = "n == 10 and web == 0.5 and corpus == 'c4'", count = 1, because = "it diverged" }]
[features]
N = { column = "n" }
r = { kind = "mixture", columns = ["web", "code"], unit = "1", meaning = "shares" }
opt = { kind = "category", column = "optimiser" }
[group]
columns = ["corpus"]
meaning = "training corpus"
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    (tmp_path / "ours.csv").write_text(TABLE, encoding="utf-8")
    card = tmp_path / "ours.toml"
    card.write_text(CARD, encoding="utf-8")
    return card


def test_a_dataset_is_shown_with_all_that_card_and_rows_say(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, card = read_dataset_card(ours)
    show_dataset(name, card, load_dataset(ours), LAWS)
    text = capsys.readouterr().out
    assert "r: 2 components of the mixture: web, code" in text
    assert "opt: 2 words of the category: adam, lion" in text
    assert "2 groups by corpus (training corpus)" in text
    assert "c4 (5 rows), pile (6 rows)" in text
    assert "columns for row rules: seed" in text
    assert "11 rows; held out: N >= 500 (4 rows)" in text
    assert "dropped: n == 10 and web == 0.5 and corpus == 'c4', 1 row: it diverged" in text
    assert "licence: CC0-1.0" in text
    assert text.rstrip().endswith("What is to be known.")


def test_a_dataset_is_shown_with_the_laws_that_can_be_fitted(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, card = read_dataset_card(ours)
    show_dataset(name, card, load_dataset(ours), LAWS)
    lines = {line.split(":")[0]: line for line in capsys.readouterr().out.splitlines() if ":" in line}
    assert "ye_m4" in lines["laws that can be fitted"]
    assert "hoffmann" not in lines["laws that can be fitted"]  # there are no tokens
    assert "powerlaw_one_feature" in lines["null laws"]


def test_a_dataset_is_one_object_for_programs(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, card = read_dataset_card(ours)
    show_dataset(name, card, load_dataset(ours), LAWS, as_json=True)
    entry = json.loads(capsys.readouterr().out)
    assert entry["components"] == {"r": ["web", "code"], "opt": ["adam", "lion"]}
    assert entry["groups"] == {"c4": 5, "pile": 6}
    assert entry["columns"]["r_web"] == {"min": 0.25, "max": 0.5, "distinct": 2}
    assert entry["features"]["N"]["max"] == 1000
    assert entry["dropped"][0]["because"] == "it diverged"
    assert "ye_m4" in entry["laws"]


def test_without_its_files_a_dataset_shows_what_its_card_says(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, card = read_dataset_card(ours)
    show_dataset(name, card, None, LAWS)
    text = capsys.readouterr().out
    assert "11 rows; held out: N >= 500" in text
    assert "min" not in text.split("\n")[1].split()
    show_dataset(name, card, None, LAWS, as_json=True)
    assert json.loads(capsys.readouterr().out)["rows"] == 11


def test_the_list_says_kinds_groups_and_hold_out(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, card = read_dataset_card(ours)
    assert show_datasets({name: card}) == 1
    _, line = capsys.readouterr().out.splitlines()
    for part in ("ours", "11", "N, r (2 shares), opt (words)", "corpus", "N >= 500", "Ours"):
        assert part in line


def test_every_dataset_card_can_be_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    cards = list_datasets()
    assert show_datasets(cards, LAWS, as_json=True) == len(cards)
    assert {entry["name"] for entry in json.loads(capsys.readouterr().out)} == set(cards)
    for name, card in cards.items():
        show_dataset(name, card, None, LAWS)
        assert card.title in capsys.readouterr().out


def test_files_of_held_out_rows_are_said_to_be_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show_fetched(
        [
            {"name": "a", "rows": 5, "files": 1, "held_out_files": 2, "error": ""},
            {"name": "b", "rows": None, "files": 0, "held_out_files": 0, "error": "no connection"},
        ]
    )
    _, first, second = capsys.readouterr().out.splitlines()
    assert "2 held-out files not fetched" in first
    assert "no connection" in second
