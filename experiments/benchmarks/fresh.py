"""One of our fits in a fresh process: seconds from nothing and again, and the peak of its memory.

Run as a script it reads a job as JSON from its first argument, and prints what it measured as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

if __name__ == "__main__":  # before NumPy is imported, which reads them once
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

WARM_BELOW = 20.0  # seconds of the first fit up to which it is repeated


@dataclass(frozen=True)
class Job:
    """What to fit.

    Attributes
    ----------
    data
        ``chinchilla``: the 240 rows. ``generated``: rows of Chinchilla's form. ``powers``: rows of a sum of powers.
    rows
        Number of generated rows.
    constants
        Number of constants of the sum of powers.
    options
        Options of `discover.fitting.fit`.
    repeats
        Fits after the first, of which the median is taken.
    limit
        Seconds after which the process gives up.
    """

    data: Literal["chinchilla", "generated", "powers"] = "generated"
    rows: int = 240
    constants: int = 5
    options: dict[str, int] | None = None
    repeats: int = 3
    limit: float = 300.0


def measure(job: Job) -> dict[str, Any]:
    """Do the job in a fresh process.

    Returns
    -------
    ``seconds_cold`` of the first fit with all that it compiles, ``seconds`` (the median of the later fits; the first
    where it took long), ``cut`` when the limit ended it (the seconds are then the limit), ``loss``, ``agreement``,
    ``starts``, ``peak_mib`` and ``peak_before_mib`` (before the first fit).
    """
    arguments = [sys.executable, str(Path(__file__)), json.dumps(asdict(job))]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the fit of {job} failed in its own process:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def peak_memory_mib() -> float:
    """Most memory that this process has held, in MiB."""
    # Linux counts the parent's memory in ru_maxrss of a process that it started; VmHWM begins anew with the program.
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _do(job: Job) -> dict[str, Any]:
    from powers import powers_law, powers_rows
    from rows import chinchilla_rows, generated_rows

    from discover.fitting import fit
    from discover.law import load_law

    if job.data == "powers":
        made = powers_rows(job.constants, job.rows)
        law = powers_law(job.constants)
    else:
        made = chinchilla_rows() if job.data == "chinchilla" else generated_rows(job.rows)
        law = load_law("hoffmann")
    before = peak_memory_mib()

    def give_up(*_: object) -> None:
        measured = {"seconds_cold": job.limit, "seconds": job.limit, "cut": True}
        print(json.dumps(measured | {"peak_before_mib": before, "peak_mib": peak_memory_mib()}), flush=True)
        os._exit(0)

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, job.limit)
    options: dict[str, Any] = dict(job.options or {})
    begun = perf_counter()
    fitted = fit(law, made.features, made.target, **options)
    cold = perf_counter() - begun
    signal.setitimer(signal.ITIMER_REAL, 0)
    peak = peak_memory_mib()
    again = []
    for _ in range(job.repeats if cold < WARM_BELOW else 0):
        begun = perf_counter()
        fit(law, made.features, made.target, **options)
        again.append(perf_counter() - begun)
    return {
        "seconds_cold": cold,
        "seconds": statistics.median(again) if again else cold,
        "cut": False,
        "loss": fitted.loss,
        "agreement": fitted.agreement,
        "starts": fitted.n_starts,
        "peak_before_mib": before,
        "peak_mib": peak,
    }


if __name__ == "__main__":
    print(json.dumps(_do(Job(**json.loads(sys.argv[1])))))
