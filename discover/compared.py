"""What a comparison of laws leaves: the pairs, how they are related, and their errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from discover.disguise import Numeric, Symbolic
from discover.law import Law


@dataclass(frozen=True)
class Compared:
    """A law with its constants, as it is compared.

    Attributes
    ----------
    law
        The law.
    values
        Its constants: by group, under an empty name where there are no groups; none where it was not fitted.
    train_rmse, heldout_rmse
        Errors in the unit of the target; NaN where there are no such rows.
    selected
        Whether it is the law that its run chose.
    """

    law: Law
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    train_rmse: float = float("nan")
    heldout_rmse: float = float("nan")
    selected: bool = False


@dataclass(frozen=True)
class Pair:
    """What a law is to another one.

    Attributes
    ----------
    one, other
        The laws.
    symbolic, numeric
        What the one is to the other, by formula, and by predictions; the latter is `None` without rows.
    difference
        Of the held-out errors, one less other, with its interval (``low``, ``high``) and the share of the resamples
        that the one ``wins``; empty where a run has not said.
    """

    one: Compared
    other: Compared
    symbolic: Symbolic
    numeric: Numeric | None = None
    difference: Mapping[str, float] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """All of it, flat."""
        numeric = self.numeric
        reasons = {"by formula": self.symbolic.reason, "by predictions": numeric.reason if numeric else ""}
        return {
            "law": self.one.law.name,
            "selected": self.one.selected,
            "other": self.other.law.name,
            "kind": self.other.law.kind,
            "by_formula": self.symbolic.relation,
            "settings": list(self.symbolic.settings),
            "constants": dict(self.symbolic.constants),
            "by_predictions": numeric.relation if numeric else "could not tell",
            "residual": numeric.met.residual if numeric else float("nan"),
            "residual_back": numeric.meets.residual if numeric else float("nan"),
            "n_points": numeric.n_points if numeric else 0,
            "groups": list(numeric.groups) if numeric else [],
            "train_rmse": self.one.train_rmse,
            "other_train_rmse": self.other.train_rmse,
            "heldout_rmse": self.one.heldout_rmse,
            "other_heldout_rmse": self.other.heldout_rmse,
            **{key: self.difference.get(key, float("nan")) for key in ("difference", "low", "high", "wins")},
            "reason": "; ".join(f"{by}: {reason}" for by, reason in reasons.items() if reason),
        }


@dataclass(frozen=True)
class Comparison:
    """Laws laid beside each other.

    Attributes
    ----------
    on
        The rows: name of a dataset, or of a run; empty without rows.
    unit
        Of the errors.
    pairs
        What was compared with what.
    """

    on: str
    unit: str
    pairs: Sequence[Pair] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row a pair. ``by_formula`` and ``by_predictions`` say what ``law`` is to ``other``.

        ``residual`` is how well the other law meets the predictions of this one, ``residual_back`` the other way.
        """
        return pd.DataFrame([pair.as_record() for pair in self.pairs])

    def as_record(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {"on": self.on, "unit": self.unit, "pairs": [pair.as_record() for pair in self.pairs]}

    def _repr_html_(self) -> str:
        return str(self.table.drop(columns=["constants", "groups"]).to_html())
