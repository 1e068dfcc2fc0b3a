"""What `discover export` writes: a law of a run, its leaderboard, or a law of the registry, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from discover.cards import card_paths
from discover.choice_text import ENSEMBLE
from discover.errors import InputError, one_of
from discover.export import document, equation, group_constants, law_card, record, table
from discover.formula import is_name
from discover.law import Law, load_law
from discover.runs import RunFolder, open_run
from discover.saved import Errors, Values, last_fits, read_board, saved_law

FORMATS = ("latex", "table", "document", "card", "json", "bibtex")


@dataclass(frozen=True)
class _Source:
    """A law with the values that are exported, and the leaderboard when it comes from a run."""

    law: Law
    groups: Mapping[str, tuple[Values, Errors]]  # by the group's name; under an empty one when there are none
    board: pd.DataFrame | None = None
    caption: str = ""
    origin: str = ""  # of published constants


def export(source: str, format_: str = "latex", *, law: str | None = None, number: int = 1) -> str:
    """Text of a run's law or leaderboard, or of a law with its published constants.

    Parameters
    ----------
    source
        Run folder, name of an experiment (its latest run), or name or card of a law.
    format_
        ``latex`` (equation and constants), ``table`` (leaderboard), ``document`` (an article of both), ``card`` (TOML),
        ``json``, ``bibtex`` (the paper of a law of the registry).
    law
        Which law of the run; the chosen one by default.
    number
        Which set of published constants of a law of the registry, counted from 1.

    Raises
    ------
    InputError
        When there is no such source, format or law, or `law` or `number` is given for what has none.
    """
    if format_ not in FORMATS:
        raise InputError(f"unknown format {format_!r}: {one_of(format_, FORMATS)}")
    if format_ == "table":
        board, caption = _board(_run(source))
        return table(board, caption=caption)
    if _is_law(source) and law is not None:
        raise InputError(f"{source!r} is a law itself; --law {law} names a law of a run")
    if not _is_law(source) and number != 1:
        raise InputError(f"{source!r} is a run; --set {number} names published constants of a law of the registry")
    found = _law_source(source, number) if _is_law(source) else _run_source(source, law)
    if format_ == "card":
        return law_card(found.law)
    if format_ == "bibtex":
        if found.law.cite is None:
            raise InputError(f"law {found.law.name!r} has no paper to cite")
        return found.law.cite.bibtex()
    if format_ == "json":
        return json.dumps(_record(found), indent=2) + "\n"
    text = _equation(found)
    if format_ == "latex":
        return text
    parts = [text] if found.board is None else [text, table(found.board, caption=found.caption)]
    return document(*parts, title=found.law.title)


def _equation(source: _Source) -> str:
    if list(source.groups) == [""]:
        # A comment of LaTeX: which constants these are is for whoever puts them into a paper.
        origin = f"% {' '.join(source.origin.split())}\n" if source.origin else ""
        return origin + equation(source.law, *source.groups[""])
    return "\n".join([equation(source.law), group_constants(source.law, source.groups)])


def _record(source: _Source) -> dict[str, Any]:
    if list(source.groups) == [""]:
        return record(source.law, *source.groups[""])
    groups = {group: record(source.law, *values)["constants"] for group, values in source.groups.items()}
    return record(source.law, groups=groups)


def _is_law(source: str) -> bool:
    if Path(source).is_dir():
        return False
    return source in card_paths("baselines") or source.endswith(".toml")


def _run(source: str) -> RunFolder:
    try:
        return open_run(source, finished=True)
    except InputError as error:
        if _is_law(source):
            raise InputError(f"{source!r} is a law; the format 'table' needs a run") from None
        near = one_of(source, card_paths("baselines"))
        if near.startswith("did you mean"):
            raise InputError(f"{error}; nor is it a law: {near}") from None
        raise error


def _board(folder: RunFolder) -> tuple[pd.DataFrame, str]:
    board = read_board(folder)
    name = folder.dataset
    label = f"{name.get('name', '')} (generated)" if name.get("generated") else name.get("name", "")
    return board, f"Laws on {label}, best held-out first."


def _run_source(source: str, law: str | None) -> _Source:
    folder = _run(source)
    board, caption = _board(folder)
    names = [str(name) for name in board.loc[board["kind"] != ENSEMBLE, "law"]]  # the other has no formula
    if law is None:
        chosen = board.loc[board["selected"].astype(str) == "True", "law"]
        if not len(chosen):
            raise InputError(f"the run {folder.path} chose no law: name one with --law, of {', '.join(names)}")
        law = str(chosen.iloc[0])
    if not is_name(law) or law not in names:
        raise InputError(f"the run {folder.path} has no law {law!r}: {one_of(law, names)}")
    loaded = saved_law(folder, law)
    return _Source(loaded, last_fits(loaded), board, caption)


def _law_source(source: str, number: int) -> _Source:
    law = load_law(source)
    if law.published:
        if not 1 <= number <= len(law.published):
            raise InputError(f"law {law.name!r} has {len(law.published)} sets of published constants, no set {number}")
        chosen = law.published[number - 1]
        origin = f"{chosen.source}; {chosen.on} (set {number} of {len(law.published)})"
        return _Source(law, {"": (chosen.values, chosen.errors)}, origin=origin)
    if law.fits:
        return _Source(law, last_fits(law))
    return _Source(law, {"": ({}, {})})
