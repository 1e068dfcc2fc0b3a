"""Search engines: each proposes formulas from training rows, and knows nothing of laws, held-out rows or files.

An engine is imported when it is asked for, so that nothing needs Operon or Julia before it is used.
"""

from __future__ import annotations

import importlib

from discover.engines.base import Budget, Candidate, Engine, SearchProblem
from discover.errors import InputError, one_of

ENGINES = {"grammar": "discover.engines.grammar", "operon": "discover.engines.operon", "pysr": "discover.engines.pysr"}

__all__ = ["ENGINES", "Budget", "Candidate", "Engine", "SearchProblem", "load_engine"]


def load_engine(name: str) -> Engine:
    """The engine called `name`.

    Raises
    ------
    InputError
        When there is no such engine.
    """
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}: {one_of(name, ENGINES)}")
    engine: Engine = importlib.import_module(ENGINES[name]).ENGINE
    return engine
