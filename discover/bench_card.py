"""The keys of a benchmark's card: its tasks, each an experiment, with the scores that were published."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from discover.cards import Card, card_folders, read_card
from discover.cite import Cite
from discover.errors import InputError, one_of

FOLDER = "benchmarks"  # inside a folder of experiments


class PublishedColumn(Card):
    """Who published a column of scores."""

    title: str
    source: str


class BenchTask(Card):
    """A task: an experiment, whose hold-out is the official one, and the scores that were published for it."""

    name: str
    experiment: str  # name, or path from the card's folder
    dimension: str | None = None  # label of the dataset whose words are the output dimensions
    published: dict[str, float] = {}


class BenchCard(Card):
    """The keys of a benchmark's card."""

    title: str
    cite: Cite | None = None
    notes: str = ""
    columns: dict[str, PublishedColumn] = {}
    tasks: list[BenchTask] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> BenchCard:
        names = [task.name for task in self.tasks]
        for task in self.tasks:
            if names.count(task.name) > 1:
                raise ValueError(f"tasks: two of them are called {task.name!r}")
            for column in task.published:
                if column not in self.columns:
                    raise ValueError(
                        f"tasks: {task.name}: published scores of {column!r}: {one_of(column, self.columns)}"
                    )
        return self


def find_bench(name: str | Path) -> Path:
    """Path of the card of a benchmark, by name (``"sldbench"``) or by its own path.

    Raises
    ------
    InputError
        When there is none.
    """
    text = str(name)
    if text.endswith(".toml"):
        if Path(text).is_file():
            return Path(text)
        raise InputError(f"there is no card of a benchmark at {text}")
    paths: dict[str, Path] = {}
    for folder in card_folders("experiments"):
        for path in sorted((folder / FOLDER).glob("*.toml")):
            paths.setdefault(path.stem, path)
    if text not in paths:
        raise InputError(f"unknown benchmark {text!r}: {one_of(text, paths)}")
    return paths[text]


def load_bench(name: str | Path) -> BenchCard:
    """The card of a benchmark, by name or path."""
    return read_card(find_bench(name), BenchCard)
