"""Engines that propose what a test tells them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import discover.engines

ENGINE = """
    from discover.engines import Candidate, Engine

    FORMULAS = [
        "1.7 + 400.0*N**-0.34 + 1900.0*D**-0.36", "20.0*N**-0.1", "9.0 - 0.3*log(N)", "2.5 + 30.0*(N*D)**-0.1"
    ]
    CALLS = []
    MISSING = {}
    INTERRUPTED = set()


    class Told(Engine):
        def __init__(self, name):
            self.name = name

        def missing(self):
            return MISSING.get(self.name)

        def versions(self):
            return {"told": "1"}

        def search(self, problem):
            CALLS.append((self.name, problem.seed, problem))
            for number, formula in enumerate(FORMULAS):
                if number == 2 and problem.seed in INTERRUPTED:
                    raise KeyboardInterrupt
                yield Candidate(formula, 5 + number, 0.1, self.name, problem.seed)


    ENGINE = Told({name!r})
"""


def tell_engines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Write the two engines into a folder, and make them known."""
    (folder / "told_engine.py").write_text(textwrap.dedent(ENGINE).replace("{name!r}", "'told'"))
    (folder / "absent_engine.py").write_text("from told_engine import Told\nENGINE = Told('absent')\n")
    monkeypatch.syspath_prepend(str(folder))
    for name in ("told_engine", "absent_engine"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(discover.engines.ENGINES, "told", "told_engine")
    monkeypatch.setitem(discover.engines.ENGINES, "absent", "absent_engine")
    import told_engine

    return told_engine
