"""Rows on which a known law is to be found again: the features of measurements, and the law's losses with noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from rows import largest_group
from truths import FITTED, Truth

from discover.dataset import Dataset, Feature, Target, load_dataset
from discover.errors import DiscoverError, InputError
from discover.fitting import fit
from discover.law import Law, load_law
from discover.sizes import size_ranks

HELD_OUT = 0.15  # of the rows, at least, and as few of the largest sizes as that takes
SIZES = 12  # of a generated design
GENERATED_ROWS = 144
KINDS = {"N": "size", "D": "tokens", "uD": "tokens"}  # of features of generated designs; others are counts
DOUBLED = ("E", "G", "P")  # features that are powers of two


@dataclass(frozen=True)
class Design:
    """A law with its constants, and the features at which it is sampled.

    Attributes
    ----------
    law, values, source
        The law, its true constants, and where they are from.
    dataset
        The features; its target is the law's, without noise.
    rule
        Row rule of the held-out rows: the largest sizes of the first feature.
    generated
        Why the features are generated; empty where they are those of measurements.
    """

    law: Law
    values: Mapping[str, float]
    source: str
    dataset: Dataset
    rule: str
    generated: str

    @property
    def held(self) -> np.ndarray:
        """Which rows are held out, as booleans of shape (rows,)."""
        return self.dataset.held_out_rows(self.rule)

    def sampled(self, noise: float, seed: int) -> Dataset:
        """The dataset with log-normal noise of this standard deviation in its target.

        The draws of a seed are the same at every noise, so that only their size differs.
        """
        draws = np.random.default_rng(seed).normal(size=len(self.dataset.table))
        return _with_target(self.dataset, self.dataset.losses() * np.exp(noise * draws))


@cache
def design_of(truth: Truth) -> Design:
    """The design of a law: that of its dataset, or a generated one of the same ranges where that cannot be had.

    Raises
    ------
    InputError
        When the card has no such constants, or they are to be those of a fit and the measurements cannot be had.
    """
    law, measured, generated = load_law(truth.law), None, "no dataset has these features"
    if truth.dataset:
        try:
            measured = _plain(load_dataset(truth.dataset))
        except (DiscoverError, OSError) as error:
            generated = f"{truth.dataset} cannot be had: {str(error).splitlines()[0]}"
    if truth.source == FITTED:
        if measured is None:
            raise InputError(f"the constants of {truth.law} are those of a fit to {truth.dataset}, and {generated}")
        values = dict(fit(law, measured.columns(), measured.losses()).values)
        source = f"our fit to {truth.dataset}"
    else:
        values, source = _published(law, truth)
    dataset = measured if measured is not None else _generated(law, truth)
    loss = np.asarray(law.predict(dataset.columns(), values))
    if not (np.isfinite(loss) & (loss > 0)).all():
        raise InputError(f"{truth.law} has no positive prediction on all rows of {dataset.name} with its constants")
    target = dataset.target.model_copy(update={"symbol": law.target, "unit": law.unit})
    dataset = _with_target(replace(dataset, target=target), loss)
    return Design(law, values, source, dataset, _largest(dataset), "" if measured is not None else generated)


def _published(law: Law, truth: Truth) -> tuple[dict[str, float], str]:
    """The constants that a source prints."""
    for published in law.published:
        if published.values and published.source.startswith(truth.source) and published.on.startswith(truth.on):
            return dict(published.values), published.source
    sources = "; ".join(published.source for published in law.published if published.values)
    raise InputError(f"the card of {law.name} has no constants of {truth.source!r}, only of: {sources or 'nobody'}")


def _plain(dataset: Dataset) -> Dataset:
    """The dataset without groups: the largest one of them."""
    if not dataset.grouped:
        return dataset
    chosen = np.zeros(len(dataset.table), dtype=bool)
    chosen[largest_group(dataset, len(dataset.table))] = True
    return replace(dataset.narrowed(chosen), grouped=False)


def _generated(law: Law, truth: Truth) -> Dataset:
    """A design within the spans: a dozen sizes of the first feature, the others log-uniform."""
    generator = np.random.default_rng(0)
    columns: dict[str, np.ndarray] = {}
    for name, (low, high) in truth.spans.items():
        drawn = np.exp(generator.uniform(np.log(low), np.log(high), GENERATED_ROWS))
        if not columns:
            drawn = np.resize(np.geomspace(low, high, SIZES), GENERATED_ROWS)
        columns[name] = 2.0 ** np.round(np.log2(drawn)) if name in DOUBLED else drawn
    if {"D", "uD"} <= set(columns):  # there are no more unique tokens than tokens
        columns["uD"] = np.minimum(columns["uD"], columns["D"])
    features = {
        name: Feature(column=name, kind=KINDS.get(name, "count"), meaning=law.features.get(name, ""))  # type: ignore[arg-type]
        for name in columns
    }
    table = pd.DataFrame({**columns, law.target: np.ones(GENERATED_ROWS)})
    table.index = pd.RangeIndex(1, GENERATED_ROWS + 1, name="row")
    target = Target(column=law.target, symbol=law.target)
    name = f"{truth.dataset or truth.law}_design"
    return Dataset(name, "A generated design", table, features, target, generated="log-uniform over the ranges")


def _with_target(dataset: Dataset, losses: np.ndarray) -> Dataset:
    """The dataset with other losses, and no column but features and target."""
    table = dataset.table[list(dataset.scalars)].assign(**{dataset.target.symbol: losses})
    return replace(dataset, table=table, labels=())


def _largest(dataset: Dataset) -> str:
    """The row rule of the fewest largest sizes of the first feature that make up `HELD_OUT` of the rows."""
    name, column = next(iter(dataset.columns().items()))
    ranks = size_ranks(column)
    above = np.array([np.mean(ranks >= rank) for rank in range(ranks.max() + 1)])
    cut = int(np.flatnonzero(above >= HELD_OUT)[-1])
    return f"{name} >= {float(column[ranks == cut].min())!r}"
