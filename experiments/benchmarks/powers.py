"""Laws of any number of constants: sums of powers of many features, and rows of them."""

from __future__ import annotations

import numpy as np
from rows import NOISE, Rows

from discover.errors import InputError
from discover.law import Law, LawCard, law_from_card


def powers_law(constants: int) -> Law:
    """A floor and a sum of powers, each of a feature of its own.

    An odd number of `constants` is a floor and terms A/x**a of two constants each; in an even number the first term
    has a second feature and so a third constant.
    """
    if constants < 3:
        raise InputError(f"a sum of powers has three constants or more, not {constants}")
    terms: list[str] = []
    features: dict[str, str] = {}
    names: dict[str, dict[str, object]] = {"E0": {"range": (0.1, 4.0), "positive": True}}
    for number in range((constants - 1) // 2):
        term, of_term = f"A{number}/x{number}**a{number}", [f"x{number}"]
        exponents = [f"a{number}"]
        if number == 0 and constants % 2 == 0:
            term, of_term, exponents = f"{term}/y**b", [*of_term, "y"], [*exponents, "b"]
        terms.append(term)
        features |= dict.fromkeys(of_term, "a feature")
        names[f"A{number}"] = {"range": (0.1, 1e6), "positive": True, "log": True}
        names |= {name: {"range": (0.05, 1.5), "positive": True} for name in exponents}
    formula = " + ".join(["E0", *terms])
    card = LawCard.model_validate(
        {"title": f"{constants} constants", "formula": formula, "features": features, "constants": names}
    )
    return law_from_card(card, f"powers_{constants}")


def powers_rows(constants: int, count: int, seed: int = 0) -> Rows:
    """Rows of `powers_law` with 1 % noise: every feature log-uniform over three decades, every term about as large."""
    law, rng = powers_law(constants), np.random.default_rng(seed)
    features = {name: 10.0 ** rng.uniform(1, 4, count) for name in law.columns}
    truth = {"E0": 1.7}
    for name in law.parameters:
        if name not in truth:
            truth[name] = 3.0 if name.startswith("A") else rng.uniform(0.2, 0.6)
    target = law.predict(features, truth) * (1 + NOISE * rng.normal(size=count))
    return Rows(features, target, np.zeros(count, dtype=bool), f"generated: {law.title}, seed {seed}", True)
