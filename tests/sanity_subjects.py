"""Laws without open constants, looked at over the same data: for the tests of the sanity card."""

from __future__ import annotations

import re

import numpy as np

from discover.formula import parse
from discover.law import Law
from discover.sanity import SanityCheck
from discover.sanity.subject import Subject

COLUMNS = {
    "N": np.geomspace(1e7, 1e10, 12),
    "D": np.geomspace(1e9, 1e12, 12),
    "uD": np.geomspace(1e8, 1e11, 12),
    "E": np.geomspace(1, 512, 12),
    "V": np.geomspace(4096, 98304, 12),
    "eta": np.geomspace(1e-4, 1e-2, 12),
    "B": np.geomspace(1e4, 1e7, 12),
}
KINDS = {"N": "size", "D": "tokens", "uD": "tokens", "E": "count", "V": "count", "eta": "rate", "B": "count"}
GOOD = "1.8 + 480/N**0.35 + 2000/D**0.37"


def subject(formula: str, columns: dict[str, np.ndarray] = COLUMNS, kinds: dict[str, str] = KINDS) -> Subject:
    """A formula of numbers and features."""
    used = {symbol.name for symbol in parse(formula, features=columns, constants=()).free_symbols}
    law = Law("mine", "mine", formula, {name: "" for name in columns if name in used}, {})
    return Subject(law, {}, {name: columns[name] for name in law.features}, kinds)


def witness_of(check: SanityCheck, name: str) -> float:
    """Value of a feature in the witness of a check."""
    return float(re.search(rf"\b{name} = (\S+?)(?:,|$)", check.witness)[1])
