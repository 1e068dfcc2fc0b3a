"""What a finished run left in its folder, read back: leaderboard, predictions, law cards and their fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from discover.comparison import COLUMNS
from discover.errors import InputError
from discover.law import Law, load_law
from discover.law_card import FittedValues
from discover.runs import RunFolder

Values = Mapping[str, float]
Errors = Mapping[str, float | None]


def read_board(folder: RunFolder) -> pd.DataFrame:
    """The leaderboard of a run.

    Raises
    ------
    InputError
        When the run has none, since it is not finished, or the file is none.
    """
    state = folder.manifest.get("state", "unfinished")
    missing = f"the run {folder.path} has no leaderboard (it is {state}): discover resume {folder.path}"
    return _table(folder, "leaderboard.csv", COLUMNS, "the leaderboard", missing)


def read_predictions(folder: RunFolder) -> pd.DataFrame:
    """The rows of a run's dataset, with the prediction of each law.

    Raises
    ------
    InputError
        When the file is missing, or is none.
    """
    missing = f"the run {folder.path} has no predictions.csv: run the experiment again"
    return _table(folder, "predictions.csv", ("row", "split"), "the predictions", missing)


def read_differences(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """How the chosen law's held-out error differs from that of others, by their name; empty where a run has not said.

    Read from ``comparison.csv``: difference of the RMSE with its interval, and the share of resamples that it wins.
    """
    if not (folder.path / "comparison.csv").is_file():
        return {}
    wanted = ("law", "difference", "low", "high", "wins")
    table = _table(folder, "comparison.csv", wanted, "the comparison", "")
    return {str(row["law"]): {key: row[key] for key in wanted[1:]} for row in table.to_dict(orient="records")}


def saved_law(folder: RunFolder, name: str) -> Law:
    """A law of a run, with its fits.

    Raises
    ------
    InputError
        When the run has no card of it, or the card has no fit.
    """
    law = load_law(folder.path / "laws" / f"{name}.toml")
    if not law.fits:
        raise InputError(f"the card of law {name!r} in the run {folder.path} has no fit")
    return law


def last_fits(law: Law) -> dict[str, tuple[Values, Errors]]:
    """The last fit of a law's card: of each group of its dataset where there are groups.

    An error that a run left out of its card is NaN: the rows do not determine the constant.
    """
    last = law.fits[-1]
    same = [fit for fit in law.fits if (fit.dataset, fit.run) == (last.dataset, last.run)] if last.group else [last]
    return {fit.group: (fit.values, _errors(fit)) for fit in same}


def _errors(fit: FittedValues) -> Errors:
    left_out = dict.fromkeys(fit.values, math.nan) if fit.run else {}
    return {**left_out, **{name: error for name, error in fit.errors.items() if error is not None}}


def _table(folder: RunFolder, name: str, columns: tuple[str, ...], what: str, missing: str) -> pd.DataFrame:
    path = folder.path / name
    if not path.is_file():
        raise InputError(missing)
    try:  # "null" is a kind of law here, not a missing value
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (ValueError, OSError):
        raise InputError(f"{path}: this is not {what} of a run") from None
    if not set(columns) <= set(table.columns):
        raise InputError(f"{path}: this is not {what} of a run")
    return table
