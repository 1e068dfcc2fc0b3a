"""A small table, its card, and the card of an experiment on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from discover.law import Constant

TABLE_CARD = """
title = "Mine"
hold_out = "N >= 1e9"
[[files]]
path = "runs.csv"
[features]
N = { column = "params", kind = "size", meaning = "parameters" }
D = { column = "tokens", kind = "tokens", meaning = "training tokens" }
[target]
column = "loss"
"""
CARD = """
dataset = "mine.toml"
engines = ["grammar"]
budget = "120evals"
baselines = ["hoffmann", "constant", "powerlaw_one_feature"]
"""
SIZES = (2e7, 4e7, 7e7, 1.2e8, 2e8, 3.5e8, 5e8, 8e8, 1e9, 1.5e9, 2.5e9)
TOKENS = (1e9, 1e10, 6e10, 3e11)
COLUMNS = [
    *("law", "kind", "engine", "selected", "formula", "constants", "n_constants", "complexity"),
    *("train_rmse", "inner_rmse", "heldout_rmse", "heldout_mape", "heldout_r2", "sane", "note"),
]


def a_table() -> pd.DataFrame:
    """44 runs: Chinchilla's law with 0.4 % noise."""
    table = pd.DataFrame([(n, d) for n in SIZES for d in TOKENS], columns=["params", "tokens"])
    noise = np.exp(0.004 * np.random.default_rng(0).normal(size=len(table)))
    return table.assign(loss=(1.8 + 480 / table.params**0.35 + 2000 / table.tokens**0.37) * noise)


def write(folder: Path, table: pd.DataFrame | None = None, card: str = CARD, table_card: str = TABLE_CARD) -> Path:
    """A folder with a table, its card and the card of an experiment; the path of the last."""
    folder.mkdir(parents=True, exist_ok=True)
    (a_table() if table is None else table).to_csv(folder / "runs.csv", index=False)
    (folder / "mine.toml").write_text(table_card)
    (folder / "first.toml").write_text(card)
    return folder / "first.toml"


def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no figures: they take most of the time of a small run, and are looked at elsewhere."""
    monkeypatch.setattr("discover.report.results.to_bytes", lambda figure, file_format: b"")


FOUND = {"A": Constant(range=(1, 1e3), positive=True, log=True), "alpha": Constant(range=(0.01, 1), positive=True)}
TOLD = CARD.replace('["grammar"]', '["told"]')
