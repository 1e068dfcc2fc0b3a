"""Tables as people have them, and the datasets of the cards proposed for them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd

from discover.dataset import Dataset
from discover.proposal import Proposal, add

SIZES = (70e6, 160e6, 410e6, 1e9, 1.4e9, 2.8e9)
TOKENS = (2e9, 8e9, 32e9, 128e9)


def grid(sizes=SIZES, tokens=TOKENS, names=("params", "tokens", "loss")) -> pd.DataFrame:
    """Chinchilla's law on a grid; every loss is another number."""
    rows = [(n, d, round(1.69 + 406.4 / n**0.34 + 410.7 / d**0.28, 6)) for n, d in itertools.product(sizes, tokens)]
    return pd.DataFrame(rows, columns=list(names))


def added(folder: Path, table: pd.DataFrame, name: str = "runs.csv", **named) -> tuple[Proposal, Dataset]:
    """The table as a file, with its card."""
    path = folder / name
    if ".parquet" in name:
        table.to_parquet(path)
    elif ".jsonl" in name:
        table.to_json(path, lines=True, orient="records")
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    return add(path, **named)


def kinds(data: Dataset) -> dict[str, str]:
    return {symbol: feature.kind for symbol, feature in data.features.items()}
