"""What all tests share: the mirror of public data, and a folder of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest
from told_engines import tell_engines

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


@pytest.fixture
def told(tmp_path_factory, monkeypatch) -> ModuleType:
    """Two engines, `told` and `absent`, that propose what the module says; the module."""
    return tell_engines(tmp_path_factory.mktemp("engines"), monkeypatch)
