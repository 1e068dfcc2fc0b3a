"""Which laws and datasets go together: a law fits where its features and its target are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from discover.dataset_card import Feature
from discover.errors import InputError
from discover.law import Law

if TYPE_CHECKING:  # a law is matched with cards without pandas
    from discover.dataset import Dataset

LOSS = "L"


def why_not(law: Law, features: Mapping[str, Feature], target: str) -> str:
    """Why a law cannot be fitted to a dataset with these features and target, in a few words; empty when it can."""
    if law.target != target and not _of_any_target(law):
        return f"the law predicts {law.target!r}, and the target is {target!r}"
    if law.any_feature:
        return "" if _numbers(features) else "no feature is a plain number that it can stand on"
    missing = [name for name in law.features if name not in features]
    if missing:
        return f"the law needs {', '.join(missing)}, and the features are {', '.join(features)}"
    for name in law.features:
        if (name in law.mixtures) != features[name].vector:
            in_law = "a mixture" if name in law.mixtures else "a plain number"
            in_data = f"a {features[name].kind}" if features[name].vector else "a plain number"
            return f"{name} is {in_law} in the law, and {in_data} in the data"
    return ""


def match(law: Law, dataset: Dataset) -> Law:
    """The law as it fits the dataset: its mixtures bound, on the first feature where it holds for any.

    Raises
    ------
    InputError
        When law and dataset do not go together: other features, or another target.
    """
    reason = why_not(law, dataset.features, dataset.target.symbol)
    if reason:
        raise InputError(f"law {law.name!r} does not fit dataset {dataset.name!r}: {reason}")
    if law.any_feature:
        name = _numbers(dataset.features)[0]
        return replace(law.on(name, dataset.features[name].meaning), target=dataset.target.symbol)
    return replace(law.bind(dataset.components), target=dataset.target.symbol)


def baselines_for(law: Law, dataset: Dataset) -> list[Law]:
    """The law as it fits the dataset; on each feature where it holds for any.

    Its features mean what they are in the dataset, not what they were in the law's paper.
    """
    if not law.any_feature:
        fitting = match(law, dataset)
        meanings = {name: dataset.features[name].meaning or meaning for name, meaning in law.features.items()}
        # What a fit to these rows predicts is in the unit of their target.
        return [replace(fitting, unit=dataset.target.unit, features=meanings)]
    chosen = [law.on(name, dataset.features[name].meaning) for name in _numbers(dataset.features)]
    return [replace(each, target=dataset.target.symbol, unit=dataset.target.unit) for each in chosen]


def is_default_baseline(law: Law, dataset: Dataset) -> bool:
    """Whether a law stands beside the found ones without being named.

    A published law of a loss in one feature is no rival where several vary: the null laws, power laws of each feature,
    show as much.
    """
    if law.kind == "found" or why_not(law, dataset.features, dataset.target.symbol):
        return False
    try:
        law.bind(dataset.components)
    except InputError:  # a component and a constant would get one name: whoever names the law is told
        return False
    alone = len(law.features) == 1 and not law.mixtures and dataset.target.symbol == LOSS
    return law.kind == "null" or not alone or len(dataset.features) == 1


def _of_any_target(law: Law) -> bool:
    """Whether it is a shape and says nothing of what it predicts: a law of any feature, or a constant."""
    return law.any_feature or not law.features


def _numbers(features: Mapping[str, Feature]) -> list[str]:
    """The features that a law of any one feature may be put on: positive numbers."""
    return [name for name, feature in features.items() if not feature.vector and feature.kind != "share"]
