"""Experiments: everything that is needed to repeat a run, as a card.

An experiment card names a dataset and may narrow features and rows, override the hold-out, and list baselines, engines,
seeds, budget and operators; a card of three lines is a good experiment. `discover.running` runs one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from discover.cards import Card, card_paths, find_card, kind_of, read_card, validate
from discover.condition import rows_where
from discover.dataset import Dataset, HoldOut, OwnFiles, load_dataset, read_dataset_card
from discover.engines import load_engine
from discover.errors import InputError, one_of
from discover.fitting import Objective
from discover.objective import Name as ObjectiveName

MAX_SEED = 2**31
MIN_COMPLEXITY = 5
OPERATORS = ("+", "-", "*", "/", "**", "log", "exp", "sqrt", "min", "max")


class ExperimentCard(Card):
    """The keys of an experiment card."""

    dataset: str
    title: str = ""
    notes: str = ""
    features: list[str] | None = None
    rows: str | None = None
    hold_out: HoldOut | None = None
    baselines: list[str] | None = None
    engines: list[str] = ["grammar", "operon"]
    seeds: list[int] = [0]
    budget: str = "60s"
    operators: list[str] = ["+", "-", "*", "/", "**", "log", "exp"]
    objective: ObjectiveName | None = None
    delta: float | None = None
    max_complexity: int = 25
    max_constants: int | None = Field(default=None, ge=1)
    shuffle_seed: int | None = Field(default=None, ge=0)
    options: dict[str, dict[str, Any]] = {}

    @field_validator("operators")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for operator in value:
            if operator not in OPERATORS:
                raise ValueError(f"unknown operator {operator!r}: {one_of(operator, OPERATORS)}")
        return value

    @field_validator("engines", "seeds", "operators", "features")
    @classmethod
    def _some(cls, value: list[Any] | None) -> list[Any] | None:
        if value is None:
            return None
        if not value:
            raise ValueError("the list is empty")
        return list(dict.fromkeys(value))

    @field_validator("seeds")
    @classmethod
    def _legal_seeds(cls, value: list[int]) -> list[int]:
        for seed in value:
            if not 0 <= seed < MAX_SEED:
                raise ValueError(f"a seed is a whole number from 0 to {MAX_SEED - 1}, not {seed}")
        return value

    @field_validator("options")
    @classmethod
    def _taken(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for engine, options in value.items():
            load_engine(engine).check_options(options)
        return value

    @field_validator("max_complexity")
    @classmethod
    def _long_enough(cls, value: int) -> int:
        if value < MIN_COMPLEXITY:
            raise ValueError(f"formulas need at least {MIN_COMPLEXITY} nodes")
        return value


@dataclass(frozen=True)
class Experiment:
    """A checked experiment: its name, its card, and the folder that paths of the card start from."""

    name: str
    card: ExperimentCard
    folder: Path

    def but(self, **changes: Any) -> Experiment:
        """The same experiment with some keys of its card changed; what is `None` stays."""
        kept = {key: value for key, value in changes.items() if value is not None}
        data = {**self.card.model_dump(exclude_unset=True), **kept}
        return replace(self, card=validate(data, ExperimentCard, where=f"experiment {self.name}"))

    def beside(self, name: str) -> str:
        """A name as it is, or the path of the card that `name` points at from the experiment's folder."""
        inside = self.folder / name
        return str(inside.resolve()) if name.endswith(".toml") and inside.is_file() else name

    def load(self, *, held_out: bool = True) -> Dataset:
        """The dataset, narrowed to the features and rows of the card; files of held-out rows only with `held_out`."""
        name = self.beside(self.card.dataset)
        own = held_out and isinstance(self.card.hold_out or read_dataset_card(name)[1].hold_out, OwnFiles)
        dataset = load_dataset(name, held_out=own)
        if self.card.rows is not None:
            chosen = rows_where(dataset.table, self.card.rows)
            if not chosen.any():
                raise InputError(f"experiment {self.name}: the rule rows = {self.card.rows!r} leaves no rows")
            dataset = dataset.narrowed(chosen)
        if self.card.features is not None:
            for feature in self.card.features:
                if feature not in dataset.features:
                    near = one_of(feature, dataset.features)
                    raise InputError(
                        f"experiment {self.name}: dataset {dataset.name} has no feature {feature!r}: {near}"
                    )
            dataset = replace(dataset, features={name: dataset.features[name] for name in self.card.features})
        return dataset

    def objective(self, dataset: Dataset, training: np.ndarray) -> Objective:
        """What fits minimise: the logarithm's Huber loss, or the residual's where the target may be negative.

        The scale of a residual is that of the `training` rows' target: held-out rows have no say in it.
        """
        name = self.card.objective or ("log_huber" if dataset.target.positive else "huber")
        return Objective.suited_to(training, name, self.card.delta)


def load_experiment(name: str | Path) -> Experiment:
    """Load an experiment by name (``"chinchilla"``) or by the path of its card."""
    path = find_card("experiments", name)
    if kind_of(path) == "data":
        raise InputError(
            f'{path} is a dataset card: write an experiment card beside it with the line dataset = "{path.name}"'
        )
    return Experiment(path.stem, read_card(path, ExperimentCard), path.parent)


def list_experiments() -> dict[str, ExperimentCard]:
    """The cards of all experiments, by name."""
    return {name: read_card(path, ExperimentCard) for name, path in card_paths("experiments").items()}
