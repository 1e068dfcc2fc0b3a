"""On what a benchmark ran: the machine, the versions, the date."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import scipy

import discover


def describe() -> dict[str, str]:
    """Machine, versions and date, by what they are called in the output."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads used": os.environ.get("OMP_NUM_THREADS", "not limited"),
        "load when it began": load(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
        "BLAS": _blas(),
        "discover": _discover(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def load() -> str:
    """Mean number of processes that ran or waited in the last minute: this one is one of them."""
    return f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _blas() -> str:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def _discover() -> str:
    """Version, and the commit where there is one."""
    folder = Path(discover.__file__).parent
    commit = _git(folder, "rev-parse", "--short", "HEAD")
    if not commit:
        return discover.__version__
    changed = " with changes" if _git(folder, "status", "--porcelain", "--", ".") else ""
    return f"{discover.__version__} ({commit}{changed})"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
