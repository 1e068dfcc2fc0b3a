"""What is found on a machine: engines, Julia, folders; and the installation of PySR, on packages that only say so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from discover import __version__
from discover.doctor import (
    DEPENDENCIES,
    Finding,
    child_environment,
    examine,
    find_julia,
    install_pysr,
    julia_project,
    last_words,
    pysr_missing,
    pysr_versions,
)
from discover.errors import EngineError

ROOT = Path(__file__).resolve().parents[1]


def by_name(name: str) -> Finding:
    (finding,) = (finding for finding in examine() if finding.name == name)
    return finding


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 1\n")  # looking for Julia starts none
    path.chmod(0o755)
    return path


@pytest.fixture
def no_julia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Julia; the folder of juliapkg's project."""
    project = tmp_path / "project"
    for name in ("PYTHON_JULIACALL_EXE", "PYTHON_JULIAPKG_EXE", "PYTHON_JULIACALL_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(project))
    monkeypatch.setenv("JULIAUP_DEPOT_PATH", str(tmp_path / "depot"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return project


def test_everything_that_is_looked_at_is_reported() -> None:
    findings = {finding.name: finding for finding in examine()}
    assert {"Python", "discover", *DEPENDENCIES, "engine operon", "engine pysr", "cache"} <= set(findings)
    assert findings["discover"].detail == __version__
    assert all(findings[name].status == "ok" for name in ("Python", *DEPENDENCIES))
    assert all(finding.advice for finding in findings.values() if finding.status != "ok")


def test_the_dependencies_are_those_of_the_package() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {line.split(">")[0].split(";")[0].strip() for line in declared}
    assert names == {*DEPENDENCIES, "pysr", "pyoperon"}


def test_examining_is_quick_and_imports_no_julia() -> None:
    script = """
        import sys, time
        from discover.doctor import examine
        start = time.monotonic()
        examine()
        assert time.monotonic() - start < 1.0
        assert not {"pysr", "juliacall", "juliapkg"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=child_environment(), check=True)


def test_a_package_that_is_not_installed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discover.doctor.DEPENDENCIES", ("no-such-package",))
    assert by_name("no-such-package") == Finding(
        "no-such-package", "missing", "not installed", "pip install no-such-package"
    )


# Folders


def test_a_cache_that_cannot_be_written_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_CACHE", str(tmp_path / "new" / "cache"))
    assert by_name("cache") == Finding("cache", "ok", str(tmp_path / "new" / "cache"))
    assert not (tmp_path / "new").exists()  # nothing is made by looking
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISCOVER_CACHE", str(tmp_path / "file" / "cache"))
    assert by_name("cache").status == "missing"
    assert "DISCOVER_CACHE" in by_name("cache").advice


@pytest.mark.parametrize(
    ("mirror", "status"), [("", "ok"), ("https://mirror.example/data", "ok"), ("/nowhere", "missing")]
)
def test_a_mirror_is_a_folder_or_an_address(mirror: str, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_MIRROR", mirror)
    assert by_name("DISCOVER_MIRROR").status == status
    assert mirror in by_name("DISCOVER_MIRROR").detail


def test_folders_of_cards_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_name("DISCOVER_PATH").status == "ok"
    monkeypatch.setenv("DISCOVER_PATH", os.pathsep.join([str(tmp_path), str(tmp_path / "gone")]))
    first, second = (finding for finding in examine() if finding.name == "DISCOVER_PATH")
    assert first == Finding("DISCOVER_PATH", "ok", str(tmp_path))
    assert second.status == "missing"
    assert "gone" in second.detail


# Julia


def test_without_julia_the_engine_is_optional(no_julia: Path) -> None:
    assert find_julia() is None
    assert by_name("engine pysr").status == "optional"
    assert by_name("engine pysr").advice == "discover doctor --install-pysr"
    assert "discover doctor --install-pysr" in str(pysr_missing())


def test_without_the_package_it_is_what_is_missing(no_julia: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert str(pysr_missing()).startswith("the engine pysr needs the package pysr: pip install pysr")
    with pytest.raises(EngineError, match="pip install pysr"):
        install_pysr()


@pytest.mark.parametrize("variable", ["PYTHON_JULIACALL_EXE", "PYTHON_JULIAPKG_EXE"])
def test_a_named_julia_is_taken_or_said_to_be_none(
    variable: str, no_julia: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = program(tmp_path / "mine" / "julia")
    monkeypatch.setenv(variable, str(named))
    assert find_julia() == named
    assert pysr_missing() is None
    monkeypatch.setenv(variable, str(tmp_path / "gone"))
    program(tmp_path / "bin" / "julia")  # juliapkg does not fall back on another
    assert find_julia() is None
    assert str(pysr_missing()) == (
        f"{variable} is {str(tmp_path / 'gone')!r}, which is no program: let it name a Julia executable, or unset it"
    )


def test_julia_is_found_where_juliapkg_finds_it(no_julia: Path, tmp_path: Path) -> None:
    """The order of `find_julia` in juliapkg, from its last resort to its first choice."""
    on_path = program(tmp_path / "bin" / "julia")
    assert find_julia() == on_path
    by_juliaup = program(tmp_path / "depot" / "juliaup" / "julia-1.11.5" / "bin" / "julia")
    versions = {"1.11.5+0.x64.linux.gnu": {"Path": "./julia-1.11.5"}}
    (tmp_path / "depot" / "juliaup" / "juliaup.json").write_text(json.dumps({"InstalledVersions": versions}))
    assert find_julia() == on_path  # juliaup itself is not on the PATH
    program(tmp_path / "bin" / "juliaup")
    assert find_julia() == by_juliaup
    installed = program(no_julia / "pyjuliapkg" / "install" / "bin" / "julia")
    assert find_julia() == installed
    before = program(tmp_path / "before" / "julia")
    notes = no_julia / "pyjuliapkg" / "meta.json"
    notes.write_text(json.dumps({"executable": str(before), "version": "1.11.5"}))
    assert find_julia() == before
    before.unlink()
    assert find_julia() == installed


def test_versions_are_read_from_what_juliapkg_wrote(no_julia: Path) -> None:
    assert set(pysr_versions()) == {"pysr"}
    (no_julia / "pyjuliapkg").mkdir(parents=True)
    (no_julia / "pyjuliapkg" / "meta.json").write_text('{"version": "1.11.5"}')
    manifest = '[[deps.SymbolicRegression]]\nuuid = "8254be44"\nversion = "2.7.2"\n\n[[deps.Zlib_jll]]\nversion = "1"\n'
    (no_julia / "Manifest.toml").write_text(manifest)
    versions = pysr_versions()
    assert (versions["julia"], versions["SymbolicRegression.jl"]) == ("1.11.5", "2.7.2")


def test_files_that_are_broken_are_passed_over(no_julia: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "juliaup")
    (tmp_path / "depot" / "juliaup").mkdir(parents=True)
    (tmp_path / "depot" / "juliaup" / "juliaup.json").write_text("{")
    (no_julia / "pyjuliapkg").mkdir(parents=True)
    for text in ("", "[]", '{"executable": 3}'):
        (no_julia / "pyjuliapkg" / "meta.json").write_text(text)
        (no_julia / "Manifest.toml").write_text(text)
        assert find_julia() is None
        assert set(pysr_versions()) == {"pysr"}


@pytest.mark.parametrize(
    "environment", [{}, {"PYTHON_JULIAPKG_PROJECT": "/somewhere/else"}, {"JULIA_DEPOT_PATH": "/depot:/second"}]
)
def test_the_project_is_where_juliapkg_keeps_it(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHON_JULIAPKG_PROJECT", "PYTHON_JULIACALL_PROJECT", "JULIA_DEPOT_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    script = "from juliapkg.state import STATE; print(STATE['project'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert julia_project() == Path(done.stdout.strip())


# Installing


def package(folder: Path, source: str) -> None:
    (folder / "pysr").mkdir()
    (folder / "pysr" / "__init__.py").write_text(textwrap.dedent(source))


def test_installing_passes_on_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package(tmp_path, "print('[juliapkg] Found dependencies'); print('Precompiling \u2713')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    install_pysr()
    assert capsys.readouterr().out == "[juliapkg] Found dependencies\nPrecompiling \u2713\n"
    assert "pysr" not in sys.modules


def test_an_installation_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = """
        print("[juliapkg] Querying Julia versions from https://julialang.example/versions.json")
        try:
            raise OSError("Name or service not known")
        except OSError as error:
            raise ConnectionError("no route to julialang.example") from error
    """
    package(tmp_path, source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(EngineError) as caught:
        install_pysr()
    message = str(caught.value)
    first, *rest = message.splitlines()
    assert first == (
        "PySR could not be made ready (ConnectionError: no route to julialang.example): check the network connection "
        "and try again; its last lines were"
    )
    assert rest[-1] == "  ConnectionError: no route to julialang.example"
    assert "Querying Julia versions" in capsys.readouterr().out


def test_last_words_are_the_exception_or_the_last_line() -> None:
    julia = 'Traceback (most recent call last):\n  File "x"\njuliacall.JuliaError: UndefVarError\nStacktrace:\n [1] f\n'
    assert last_words(julia) == "juliacall.JuliaError: UndefVarError"
    assert last_words("one\nsignal 11\n\n") == "signal 11"
    assert last_words(" \n") == "it said nothing"
