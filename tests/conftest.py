"""What all tests share: the mirror of public data, and a folder of one's own."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import discover.engines

CHECKOUT = Path(__file__).resolve().parents[1]


def _mirror_folder() -> Path | None:
    named = os.environ.get("DISCOVER_MIRROR", "")
    for folder in (Path(named) if named else None, CHECKOUT.parent / "shared" / "mirror"):
        if folder is not None and folder.is_dir():
            return folder
    return None


@pytest.fixture(scope="session")
def mirror_folder() -> Path:
    """The local mirror of public data; the test is skipped when there is none."""
    folder = _mirror_folder()
    if folder is None:
        pytest.skip("there is no mirror of the public data: set DISCOVER_MIRROR to its folder")
    return folder


@pytest.fixture
def mirror(mirror_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mirror, set up as the place that datasets are read from."""
    monkeypatch.setenv("DISCOVER_MIRROR", str(mirror_folder))
    return mirror_folder


@pytest.fixture(autouse=True)
def _own_folders(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test downloads, or reads or writes the user's cache, cards or runs."""
    monkeypatch.setenv("DISCOVER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DISCOVER_PATH", raising=False)
    if "mirror" not in request.fixturenames:
        monkeypatch.delenv("DISCOVER_MIRROR", raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Where DISCOVER_REQUIRE_MIRROR is set, a skipped test that needs the mirror has failed."""
    report = yield
    if report.skipped and item.get_closest_marker("mirror") and os.environ.get("DISCOVER_REQUIRE_MIRROR"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} needs the mirror, which is there, and was skipped: {report.longrepr}"
    return report


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


@pytest.fixture
def told(tmp_path_factory, monkeypatch) -> ModuleType:
    """Two engines, `told` and `absent`, that propose what the module says; the module."""
    return tell_engines(tmp_path_factory.mktemp("engines"), monkeypatch)


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
