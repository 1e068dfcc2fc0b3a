"""What is here to work with: versions, engines, folders. Nothing is imported that starts or downloads Julia.

Julia is looked for where `juliapkg` looks, on which PySR relies: a named executable, the one it used before, the one it
installed into its own project, juliaup's, the one on the PATH. Looking runs nothing and writes nothing.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any, Literal

from discover import __version__
from discover.download import cache_folder
from discover.errors import EngineError

DEPENDENCIES = (
    "mpmath",
    "numpy",
    "scipy",
    "pandas",
    "sympy",
    "scikit-learn",
    "typer",
    "rich",
    "pydantic",
    "pooch",
    "matplotlib",
    "jinja2",
    "joblib",
    "pyarrow",
)
PYTHON = (3, 11)  # the oldest that works
INSTALL = "discover doctor --install-pysr"
_JULIA = "julia.exe" if os.name == "nt" else "julia"
_NAMED = ("PYTHON_JULIACALL_EXE", "PYTHON_JULIAPKG_EXE")  # either, and nothing else is looked at


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    status
        ``ok``; ``missing``: something will fail without it; ``optional``: everything else works without it.
    advice
        What to do; empty when nothing needs doing.
    """

    name: str
    status: Literal["ok", "missing", "optional"]
    detail: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at everything `discover` works with; takes less than a second."""
    return [
        _python(),
        Finding("discover", "ok", __version__),
        *(_dependency(name) for name in DEPENDENCIES),
        _operon(),
        _pysr(),
        _cache(),
        _mirror(),
        *_card_folders(),
    ]


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < PYTHON:
        return Finding("Python", "missing", version, f"Python {'.'.join(map(str, PYTHON))} or later is needed")
    return Finding("Python", "ok", version)


def _dependency(name: str) -> Finding:
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "missing", "not installed", f"pip install {name}")


def _operon() -> Finding:
    name = "engine operon"
    if util.find_spec("pyoperon") is None:
        detail = "not installed; there are wheels for Linux x86-64 and macOS arm64"
        return Finding(name, "optional", detail, "pip install pyoperon")
    try:
        import pyoperon  # noqa: F401  # a wheel of the wrong kind is found out only by importing it
    except ImportError as error:
        advice = "pip install --force-reinstall pyoperon"
        return Finding(name, "missing", f"pyoperon cannot be imported: {error}", advice)
    return Finding(name, "ok", f"pyoperon {metadata.version('pyoperon')}")


def _pysr() -> Finding:
    name = "engine pysr"
    missing = pysr_missing()
    if missing is not None:
        return Finding(name, "optional", missing, INSTALL if util.find_spec("pysr") else "pip install pysr")
    versions = pysr_versions()
    detail = ", ".join(f"{package} {version}" for package, version in versions.items()) + f"; Julia is {find_julia()}"
    if "SymbolicRegression.jl" not in versions:
        return Finding(name, "ok", f"{detail}; its Julia packages are installed at the first search", INSTALL)
    return Finding(name, "ok", detail)


def _cache() -> Finding:
    folder = cache_folder()
    if _writable(folder):
        return Finding("cache", "ok", str(folder))
    advice = "make it writable, or name another folder in DISCOVER_CACHE"
    return Finding("cache", "missing", f"{folder} cannot be written", advice)


def _writable(folder: Path) -> bool:
    """Whether a folder can be written, or made: its nearest part that exists is a folder and can be written."""
    nearest = next(part for part in (folder.absolute(), *folder.absolute().parents) if part.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)


def _mirror() -> Finding:
    mirror = os.environ.get("DISCOVER_MIRROR", "")
    if not mirror:
        return Finding("DISCOVER_MIRROR", "ok", "not set: data files are downloaded from where they were published")
    if mirror.startswith(("http://", "https://")) or Path(mirror).is_dir():
        return Finding("DISCOVER_MIRROR", "ok", mirror)
    advice = "name a folder or an http address that holds <host>/<path> of the data files, or unset it"
    return Finding("DISCOVER_MIRROR", "missing", f"{mirror!r} is neither a folder nor an http address", advice)


def _card_folders() -> Iterator[Finding]:
    parts = [part for part in os.environ.get("DISCOVER_PATH", "").split(os.pathsep) if part]
    if not parts:
        yield Finding("DISCOVER_PATH", "ok", "not set: only the built-in cards are found by name")
    for part in parts:
        if Path(part).is_dir():
            yield Finding("DISCOVER_PATH", "ok", part)
        else:
            advice = "make it, or take it out of DISCOVER_PATH"
            yield Finding("DISCOVER_PATH", "missing", f"there is no folder {part!r}", advice)


def pysr_missing() -> str | None:
    """Why PySR cannot run here and what to do, in one sentence; `None` when it can."""
    if util.find_spec("pysr") is None:
        return f"the engine pysr needs the package pysr: pip install pysr, then {INSTALL}"
    for variable in _NAMED:
        named = os.environ.get(variable)
        if named and shutil.which(named) is None:
            return f"{variable} is {named!r}, which is no program: let it name a Julia executable, or unset it"
    if find_julia() is None:
        return f"the engine pysr needs Julia, which is not here: {INSTALL} downloads it"
    return None


def pysr_versions() -> dict[str, str]:
    """Versions of PySR, and of Julia and SymbolicRegression.jl where they are written down."""
    versions = {}
    with contextlib.suppress(metadata.PackageNotFoundError):
        versions["pysr"] = metadata.version("pysr")
    julia = _juliapkg_notes().get("version")
    if julia:
        versions["julia"] = str(julia)
    for manifest in sorted(julia_project().glob("*Manifest*.toml")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            entry = tomllib.loads(manifest.read_text(encoding="utf-8"))["deps"]["SymbolicRegression"][0]
            versions["SymbolicRegression.jl"] = str(entry["version"])
    return versions


def find_julia() -> Path | None:
    """The Julia that PySR would start, or `None`: then PySR would download one."""
    for variable in _NAMED:
        named = os.environ.get(variable)
        if named:
            program = shutil.which(named)
            return Path(program) if program else None
    before = _juliapkg_notes().get("executable")
    places = [Path(before)] if isinstance(before, str) and before else []
    places += [julia_project() / "pyjuliapkg" / "install" / "bin" / _JULIA, *_from_juliaup()]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    on_path = shutil.which("julia")
    return Path(on_path) if on_path else None


def julia_project() -> Path:
    """The folder of the Julia project that `juliapkg` keeps for this Python (`juliapkg.state`)."""
    for variable in ("PYTHON_JULIACALL_PROJECT", "PYTHON_JULIAPKG_PROJECT"):
        named = os.environ.get(variable)
        if named:
            return Path(named)
    prefix = sys.prefix if sys.prefix != sys.base_prefix else os.environ.get("CONDA_PREFIX")
    if prefix:
        return Path(prefix).absolute() / "julia_env"
    depot = os.environ.get("JULIA_DEPOT_PATH", "").split(os.pathsep)[0]
    return (Path(depot) if depot else Path.home() / ".julia").absolute() / "environments" / "pyjuliapkg"


def _juliapkg_notes() -> dict[str, Any]:
    """What `juliapkg` wrote down when it last made its project ready; empty when it never did."""
    with contextlib.suppress(OSError, ValueError):
        notes = json.loads((julia_project() / "pyjuliapkg" / "meta.json").read_text(encoding="utf-8"))
        return notes if isinstance(notes, dict) else {}
    return {}


def _from_juliaup() -> Iterator[Path]:
    """Executables that juliaup installed; `juliapkg` asks it only when it is on the PATH."""
    if shutil.which("juliaup") is None:
        return
    home = Path(os.environ.get("JULIAUP_DEPOT_PATH") or Path.home() / ".julia") / "juliaup"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        installed = json.loads((home / "juliaup.json").read_text(encoding="utf-8")).get("InstalledVersions", {})
        for entry in installed.values():
            if "BinaryPath" in entry:
                yield home / entry["BinaryPath"]
            elif "Path" in entry:
                yield home / entry["Path"] / "bin" / _JULIA


def install_pysr() -> None:
    """Make PySR ready: download Julia and its packages where they are not here, and compile them.

    This is what `import pysr` does, in a child process, so that nothing of Julia stays in this one. What it says is
    passed on to standard output as it comes; it takes minutes.

    Raises
    ------
    EngineError
        When it fails, with the last lines of what it said.
    """
    if util.find_spec("pysr") is None:
        raise EngineError("the package pysr is not installed: pip install pysr")
    process = subprocess.Popen(
        [sys.executable, "-P", "-u", "-c", "import pysr"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=child_environment(),
    )
    said: deque[str] = deque(maxlen=200)  # pieces as they come
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with process:
        assert process.stdout is not None  # opened as a pipe
        while piece := process.stdout.read1(4096):  # type: ignore[attr-defined]
            text = decoder.decode(piece)
            said.append(text)
            sys.stdout.write(text)
            sys.stdout.flush()
    if process.returncode:
        text = "".join(said)
        lines = "\n".join(f"  {line}" for line in text.splitlines()[-8:] if line.strip())
        raise EngineError(
            f"PySR could not be made ready ({last_words(text)}): check the network connection and try again; "
            f"its last lines were\n{lines}"
        )


def child_environment() -> dict[str, str]:
    """The environment of a child process in which Python finds the same packages as here."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": "utf-8"}


def last_words(text: str) -> str:
    """Why a Python process ended: the exception of its last traceback, or else the last line it wrote."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    after = [line for line in lines[starts[-1] + 1 :] if line.strip() and not line[0].isspace()] if starts else []
    written = [line.strip() for line in lines if line.strip()]
    return after[0].strip() if after else written[-1] if written else "it said nothing"
