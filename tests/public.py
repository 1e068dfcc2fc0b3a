"""The public datasets: as their cards read them, and their raw files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from discover.dataset import Dataset, list_datasets, load_dataset

CARDS = {name: card for name, card in list_datasets().items() if card.files and card.files[0].url}
SLDBENCH = [name for name in CARDS if name.startswith("sldbench_")]


@cache
def loaded(name: str) -> Dataset:
    """A dataset, read once for all tests; none of them changes it."""
    return load_dataset(name)


def raw(mirror: Path, name: str, number: int = 0) -> pd.DataFrame:
    """A file of a card as it stands, with rows counted from 1."""
    path = mirror / str(CARDS[name].files[number].url).removeprefix("https://")
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return table.set_axis(range(1, len(table) + 1))
