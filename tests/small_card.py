"""A small card beside its tables, for tests of how files become rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from discover.cards import validate
from discover.dataset import Dataset, DatasetCard, load_dataset
from discover.errors import InputError
from discover.tidying import Tidied, Where, tidy_rows

FILES = '[[files]]\npath = "runs.csv"'


def card(
    more: str = "",
    *,
    head: str = "",
    files: str = FILES,
    features: str = 'N = { column = "N" }',
    target: str = 'column = "loss"',
) -> str:
    """The text of a card; `more` are further tables of it."""
    return f'title = "Runs"\n{head}\n{files}\n[features]\n{features}\n[target]\n{target}\n{more}\n'


def load(
    folder: Path, text: str, runs: str = "", others: Mapping[str, str] | None = None, *, held_out: bool = False
) -> Dataset:
    """Load the card `text`, with the tables `runs` (runs.csv) and `others` beside it."""
    for name, content in {"runs.csv": runs, **(others or {})}.items():
        if content:
            (folder / name).write_text(content, encoding="utf-8")
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return load_dataset(folder / "mine.toml", held_out=held_out)


def error(
    folder: Path, text: str, runs: str = "", others: Mapping[str, str] | None = None, *, held_out: bool = False
) -> str:
    """The message with which `load` ends, without the folder."""
    with pytest.raises(InputError) as caught:
        load(folder, text, runs, others, held_out=held_out)
    return str(caught.value).replace(f"{folder}/", "")


def tidied(table: pd.DataFrame, **keys: object) -> Tidied:
    """A table in memory, tidied as a card with these keys says; rows count from 1."""
    data = {"title": "Runs", "files": [{"path": "runs.csv"}], "target": {"column": "loss"}, **keys}
    where = Where(Path("mine.toml"), [("runs.csv", len(table))])
    return tidy_rows(validate(data, DatasetCard, "mine.toml"), table.set_axis(range(1, len(table) + 1)), {}, where)
