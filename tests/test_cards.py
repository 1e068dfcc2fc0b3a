"""Cards: where they are found, and what their errors say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from discover.cards import Kind, card_folders, card_paths, find_card, kind_of, read_card
from discover.dataset import DatasetCard, load_dataset
from discover.errors import CardError, InputError
from discover.law import LawCard, load_law

LAW = """
title = "A law"
formula = "E0 + A/N**alpha"
[features]
N = "parameters"
[constants]
E0 = { range = [0.1, 4] }
A = { range = [1, 10], log = true }
alpha = { range = [0.1, 1] }
"""

DATASET = """
title = "A table"
[[files]]
path = "runs.csv"
[features]
N = { column = "N" }
[target]
column = "loss"
"""


def law_card(folder: Path, text: str | bytes, name: str = "mine.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def says(path: Path, model: type[LawCard] | type[DatasetCard] = LawCard) -> str:
    """What the error of a card says, after the name of its file."""
    with pytest.raises(CardError) as caught:
        read_card(path, model)
    file, message = str(caught.value).split(": ", 1)
    assert file == str(path)
    return message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title =", "titel =", "the key 'title' is missing; unknown key 'titel': did you mean 'title'?"),
        ("[features]", "[feature]", "the key 'features' is missing; unknown key 'feature': did you mean 'features'?"),
        ("log = true", "lgo = true", "unknown key 'constants.A.lgo': did you mean 'log'?"),
        ("log = true", "zzz = 1", "unknown key 'constants.A.zzz': legal are: log, max, meaning, min, positive, range"),
        ('title = "A law"', "", "the key 'title' is missing"),
        ("range = [0.1, 4]", "positive = true", "the key 'constants.E0.range' is missing"),
        ('"A law"', "3", "title: input should be a valid string (it is 3)"),
        ("[1, 10]", '["a", 10]', "constants.A.range.0: input should be a valid number"),
        ("{ range = [0.1, 4] }", "4", "constants.E0: it must be a table (it is 4)"),
        ("[1, 10]", "[10, 1]", "range must be two finite numbers, the smaller first, not [10.0, 1.0]"),
        ("[1, 10]", "[1, inf]", "range must be two finite numbers"),
        ("[1, 10]", "[nan, 1]", "range must be two finite numbers"),
        ("[1, 10]", "[3, 3]", "range must be two finite numbers"),
        ("[1, 10]", "[0, 10]", "a positive or log constant needs a range above zero"),
        ("[0.1, 4] }", "[0.1, 4], max = 2 }", "lies outside min = -inf and max = 2.0"),
        ("[0.1, 4] }", "[-1, 4], positive = true }", "a positive or log constant needs a range above zero"),
        ('N = "parameters"', 'log = "parameters"', "'log' is not a legal name"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_is_legal(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in LAW
    assert message in says(law_card(tmp_path, LAW.replace(old, new)))


def test_keys_deep_in_a_list_are_named_by_their_place(tmp_path: Path) -> None:
    published = '[[published]]\nsource = "s"\nvalues = { E0 = 1, A = 2, alpha = 0.3 }\n'
    card = law_card(tmp_path, LAW + published + "[[published.checks]]\nvalue = 1\ntolernace = 0.1\n")
    assert says(card) == "unknown key 'published.0.checks.0.tolernace': did you mean 'tolerance'?"


@pytest.mark.parametrize(
    ("hold_out", "message"),
    [
        ("{ larges = 2, of = 'N' }", "unknown key 'hold_out.larges': did you mean 'largest'?"),
        ("{ largest = 0, of = 'N' }", "hold_out.largest: it must be 1 or more (it is 0)"),
        ("3", "hold_out: input should be a valid string (it is 3)"),
    ],
)
def test_a_value_of_two_forms_is_explained_by_the_form_it_has(tmp_path: Path, hold_out: str, message: str) -> None:
    said = says(law_card(tmp_path, f"hold_out = {hold_out}" + DATASET), DatasetCard)
    assert message in said
    assert "Largest" not in said, "no name of a Python class"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"title = = 3", "not TOML: Invalid value (at line 1, column 9)"),
        (b"a = 1\na = 2", "not TOML: Cannot overwrite a value"),
        (b"\xff\xfet\x00", "not UTF-8 text"),
        (b"x = " + b"[" * 100_000, "not TOML"),
        (b"x = " + b"1" * 5_000, "not TOML"),
        (b"", "the key 'title' is missing"),
    ],
    ids=["syntax", "twice", "utf-16", "nested", "digits", "empty"],
)
def test_what_is_not_a_card_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    said = says(law_card(tmp_path, content))
    assert message in said
    assert "\n" not in said


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load_law(law_card(tmp_path, b"\xef\xbb\xbf" + LAW.encode())).title == "A law"


def test_a_card_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = law_card(tmp_path, LAW)
    assert find_card("baselines", card) == card
    monkeypatch.chdir(tmp_path)
    assert find_card("baselines", "mine.toml") == Path("mine.toml")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_card("baselines", "~/mine.toml") == card


def test_no_card_at_a_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no law card at .*/none\.toml"):
        find_card("baselines", tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match=r"there is no dataset card at .*/folder\.toml"):
        find_card("data", tmp_path / "folder.toml")
    assert "cannot be read (Is a directory)" in says(tmp_path / "folder.toml")


def test_an_unknown_name_gets_the_nearest_and_the_command_that_lists_all() -> None:
    with pytest.raises(InputError) as caught:
        find_card("baselines", "hofmann")
    assert str(caught.value) == "unknown law 'hofmann': did you mean 'hoffmann'? (discover laws lists them)"
    with pytest.raises(InputError, match=r"unknown dataset 'zzz': legal are: chinchilla_epoch, .*discover data lists"):
        find_card("data", "zzz")


def test_the_built_in_cards_are_there() -> None:
    assert {"hoffmann", "muennighoff", "kaplan_nd", "constant"} <= set(card_paths("baselines"))
    assert {"chinchilla_epoch", "synthetic_chinchilla"} <= set(card_paths("data"))


def test_a_folder_of_the_users_may_mix_cards_of_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    law_card(tmp_path, LAW, "my_law.toml")
    law_card(tmp_path, DATASET, "my_data.toml")
    law_card(tmp_path, 'dataset = "my_data"\n[features]\nN = {}\n', "my_experiment.toml")
    law_card(tmp_path, "x = 1", "unrelated.toml")
    law_card(tmp_path, "not toml", "broken.toml")
    monkeypatch.setenv("DISCOVER_PATH", str(tmp_path))
    kinds: list[Kind] = ["baselines", "data", "experiments"]
    mine = [[name for name, path in card_paths(kind).items() if path.parent == tmp_path] for kind in kinds]
    assert mine == [["my_law"], ["my_data"], ["my_experiment"]]
    assert load_law("my_law").title == "A law"


def test_a_folder_called_data_may_hold_other_cards_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    law_card(folder, LAW, "my_law.toml")
    law_card(folder, DATASET, "my_data.toml")
    monkeypatch.setenv("DISCOVER_PATH", str(folder))
    assert card_paths("data").get("my_data") == folder / "my_data.toml"
    assert "my_law" not in card_paths("data")
    assert card_paths("baselines").get("my_law") == folder / "my_law.toml"


def test_folders_of_a_kind_inside_the_users_folder_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    law_card(tmp_path / "one" / "baselines", LAW, "first.toml")
    law_card(tmp_path / "two" / "baselines", LAW, "second.toml")
    monkeypatch.setenv("DISCOVER_PATH", os.pathsep.join([str(tmp_path / "one"), "", str(tmp_path / "two")]))
    assert {"first", "second", "hoffmann"} <= set(card_paths("baselines"))


def test_a_users_card_wins_over_the_built_in_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_law("hoffmann").title.startswith("Chinchilla")
    law_card(tmp_path, LAW, "hoffmann.toml")
    monkeypatch.setenv("DISCOVER_PATH", str(tmp_path))
    assert load_law("hoffmann").title == "A law"
    assert card_folders("baselines")[0] == tmp_path


def test_a_broken_card_among_cards_of_its_kind_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # else the user reads "unknown law" about a file that is plainly there
    broken = law_card(tmp_path / "baselines", "title = ", "mine.toml")
    monkeypatch.setenv("DISCOVER_PATH", str(tmp_path))
    assert kind_of(broken) is None
    with pytest.raises(CardError, match=r"mine\.toml: the card is not TOML"):
        load_law("mine")


def test_a_folder_that_is_not_there_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_PATH", str(tmp_path / "none"))
    assert load_dataset("synthetic_chinchilla").name == "synthetic_chinchilla"
