"""The leaderboard: found, published and null laws side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from discover.fitting import AnyFit
from discover.scoring import Score, score
from discover.selection import Ensemble, Judged, Rows

SAME = 1e-4  # relative difference of all predictions, held-out ones too, below which two laws are one
EQUAL = 1e-6  # difference that fits of one form have, by chance: it tells no two laws apart
UNVERIFIED = "its form was not verified"
SAME_AS = "makes the predictions of"
UNSCORED = Score(math.nan, math.nan, math.nan, math.nan, 0)  # there were no held-out rows
COLUMNS = (
    "law",
    "kind",
    "engine",
    "selected",
    "formula",
    "constants",
    "n_constants",
    "complexity",
    "train_rmse",
    "inner_rmse",
    "heldout_rmse",
    "heldout_mape",
    "heldout_r2",
    "sane",
    "note",
)


def leaderboard(
    judged: Sequence[Judged],
    selected: Judged | None,
    rows: Rows,
    held_out: Rows | None,
    average: Ensemble | None = None,
) -> pd.DataFrame:
    """Score every law on the held-out rows, for the first and only time; the best comes first.

    Parameters
    ----------
    judged
        Found, published and null laws, fitted on all training rows.
    selected
        The law that selection chose.
    rows, held_out
        The training rows, and the held-out ones. Without these the held-out columns are empty, and the inner error
        decides the order.
    average
        An average of found laws, which is no law: it gets a line without a formula.

    Returns
    -------
    One row a law, with the columns `COLUMNS`.
    """
    lines = []
    known = [candidate for candidate in judged if candidate.law.kind != "found"]
    seen = [rows] if held_out is None else [rows, held_out]
    for candidate in judged:
        train = score(candidate.fit.predict(rows.columns, rows.groups), rows.target)
        held = UNSCORED if held_out is None else score(_prediction(candidate, held_out), held_out.target)
        law = candidate.law
        lines.append(
            {
                "law": law.name,
                "kind": law.kind,
                "engine": candidate.engine,
                "selected": candidate is selected,
                "formula": law.formula,
                "constants": json.dumps(constants(candidate.fit)),
                "n_constants": len(law.parameters),
                "complexity": law.complexity,
                "train_rmse": train.rmse,
                "inner_rmse": candidate.inner_rmse,
                "heldout_rmse": held.rmse,
                "heldout_mape": held.mape,
                "heldout_r2": held.r2,
                "sane": candidate.sane,
                "note": "; ".join(filter(None, [same_as(candidate, known, *seen), note(candidate)])),
            }
        )
    if average is not None:
        lines.append(_line_of(average, rows, held_out))
    table = pd.DataFrame(lines, columns=list(COLUMNS))
    error = "inner_rmse" if held_out is None else "heldout_rmse"
    return table.sort_values([error, "n_constants", "law"], kind="stable").reset_index(drop=True)


def _line_of(average: Ensemble, rows: Rows, held_out: Rows | None) -> dict[str, Any]:
    """The leaderboard's line of an average of laws."""
    train = score(average.predict(rows.columns, rows.groups), rows.target)
    held = UNSCORED
    if held_out is not None:
        held = score(average.predict(held_out.columns, held_out.groups), held_out.target)
    names = ", ".join(one.law.name for one in average.members)
    return {
        "law": average.name,
        "kind": "ensemble",
        "engine": "",
        "selected": False,
        "formula": "",
        "constants": "{}",
        "n_constants": sum(len(one.law.parameters) for one in average.members),
        "complexity": sum(one.law.complexity for one in average.members),
        "train_rmse": train.rmse,
        "inner_rmse": average.inner_rmse,
        "heldout_rmse": held.rmse,
        "heldout_mape": held.mape,
        "heldout_r2": held.r2,
        "sane": True,
        "note": f"no law: the median of {names}",
    }


def constants(fit: AnyFit) -> dict[str, Any]:
    """Values of the constants by name; by group and name where there are groups."""
    parts = {name: dict(part.values) for name, part in fit.parts.items()}
    return parts[""] if list(parts) == [""] else parts


def same_as(candidate: Judged, known: Sequence[Judged], *parts: Rows) -> str:
    """Which known law a found law repeats on all these rows; empty when none, or when it is a known law itself.

    Of several, the one with the fewest constants, and of these the closest: a law with more constants makes the
    predictions of those that it contains, and is not what was found.
    """
    if candidate.law.kind != "found":
        return ""
    apart = [max(_apart(_prediction(candidate, rows), _prediction(other, rows)) for rows in parts) for other in known]
    same = [
        (len(other.law.parameters), max(difference, EQUAL), other.law.name)
        for other, difference in zip(known, apart, strict=True)
        if difference <= SAME
    ]
    return f"{SAME_AS} {min(same, key=lambda one: one[:2])[2]}" if same else ""


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Largest relative difference of two predictions; infinite where one is not finite."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        difference = np.where(one == other, 0.0, np.abs(one - other) / np.abs(other))
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0))


def _prediction(candidate: Judged, rows: Rows) -> np.ndarray:
    return candidate.fit.predict(rows.columns, rows.groups)


def note(candidate: Judged) -> str:
    """What a reader of the leaderboard must know of a law, in one line."""
    unverified = [UNVERIFIED] if candidate.law.unverified else []
    failed = [f"{check.name}: {check.witness}" for check in candidate.checks if check.verdict == "fail"]
    return "; ".join([*unverified, *failed, *(warning.message for warning in candidate.fit.warnings)])
