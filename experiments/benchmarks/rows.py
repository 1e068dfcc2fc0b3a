"""The rows that the benchmarks fit: Chinchilla's, or generated ones at such a design; and one group of any dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from discover.dataset import Dataset, load_dataset
from discover.errors import DiscoverError
from discover.law import Law, load_law

BESIROGLU = "Besiroglu et al. 2024 (arXiv 2404.10102), refit"
NOISE = 0.01  # relative, of generated targets


@dataclass(frozen=True)
class Rows:
    """Columns by symbol and the target, shape (rows,) each, which rows are held out, and where they come from."""

    features: Mapping[str, np.ndarray]
    target: np.ndarray
    held_out: np.ndarray
    source: str
    generated: bool


def besiroglu(law: Law) -> dict[str, float]:
    """The constants of Chinchilla's form as Besiroglu et al. (2024) print them."""
    return next(dict(published.values) for published in law.published if published.source == BESIROGLU)


def chinchilla_rows() -> Rows:
    """The 240 rows of Besiroglu et al. (2024); rows generated at such a design where they cannot be had."""
    try:
        dataset = load_dataset("chinchilla_epoch")
    except (DiscoverError, OSError) as error:
        reason = str(error).splitlines()[0]
        made = generated_rows(240)
        return Rows(made.features, made.target, made.held_out, f"{made.source}, because: {reason}", True)
    source = f"{dataset.title} (dataset chinchilla_epoch, {len(dataset.table)} rows)"
    return Rows(dataset.columns(), dataset.losses(), dataset.held_out_rows(), source, False)


def generated_rows(count: int, seed: int = 0) -> Rows:
    """Rows of Chinchilla's form with 1 % noise: sizes and compute log-uniform over the ranges of the 240 rows."""
    law, rng = load_law("hoffmann"), np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(np.log(5.7e7), np.log(1.6e10), count))
    tokens = np.exp(rng.uniform(np.log(8e8), np.log(3.2e11), count))
    features = {"N": sizes, "D": tokens}
    target = law.predict(features, besiroglu(law)) * (1 + NOISE * rng.normal(size=count))
    source = f"generated: {count} rows of Chinchilla's form with 1 % noise, seed {seed}"
    return Rows(features, target, sizes >= 4e9, source, True)


def largest_group(dataset: Dataset, most: int) -> np.ndarray:
    """At most `most` row numbers of the largest group, evenly spread over its rows in their order."""
    groups = dataset.groups()
    if groups is None:
        chosen = np.arange(len(dataset.table))
    else:
        names, counts = np.unique(groups.astype(str), return_counts=True)
        chosen = np.flatnonzero(groups.astype(str) == names[np.argmax(counts)])
    if len(chosen) <= most:
        return chosen
    return np.asarray(chosen[np.round(np.linspace(0, len(chosen) - 1, most)).astype(int)])
