"""Train small language models on this Python's standard library and write their losses: one row a finished run.

    python train.py --list            the plan, with estimated seconds
    python train.py --jobs 2          train what is not yet in runs.csv; stop it at any time and start it again

Needs PyTorch (`pip install '.[tinylm]'`); the table that it wrote, runs.csv, needs nothing. See README.md.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import table
from design import GROUPS, Run, runs
from text import PYTHON, SHA256, Texts, read_texts

_texts: Texts | None = None  # of a worker: sent once, not with every run


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    planned = [run for run in runs() if options.only in (None, run.group)]
    try:
        remaining = table.unfinished(planned, table.read(options.out))
    except ValueError as error:
        return _failed(str(error))
    if options.list:
        _show(planned, remaining)
        return 0
    texts = read_texts()
    if texts.sha256 != SHA256 and not options.other_texts:
        return _failed(
            f"the standard library of this Python ({platform.python_version()}) is not that of {PYTHON} with its test "
            f"suite: texts have SHA-256 {texts.sha256}, not {SHA256}; use that Python, or say --other-texts and --out, "
            "for losses on other texts do not belong into one table"
        )
    train_all(remaining, texts, options.out, options.jobs)
    return 0


def train_all(remaining: list[Run], texts: Texts, out: Path, jobs: int) -> None:
    """Train `remaining` in `jobs` processes; this process alone writes, after each run."""
    # Spawned, not forked: PyTorch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_receive, initargs=(texts,)) as pool:
        futures = {pool.submit(_trained, run): run for run in remaining}
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                row = table.row(futures[future], future.result())
                table.write(out, [*table.read(out), row])
                shown = (row[name] for name in ("key", "status", "loss_code", "seconds"))
                print(f"{number}/{len(remaining)}", *shown, flush=True)
        except BaseException:  # also Ctrl-C: what has not begun must not begin, for nobody would write its row
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _receive(texts: Texts) -> None:
    global _texts  # noqa: PLW0603 - a worker is given its texts once
    _texts = texts


def _trained(run: Run) -> dict[str, float]:
    from training import trained  # PyTorch is needed where training is done, not to list the plan

    if _texts is None:
        raise RuntimeError("a worker was started without its texts")
    return trained(run, _texts)


def _show(planned: list[Run], remaining: list[Run]) -> None:
    todo = {run.key for run in remaining}
    for run in planned:
        mark = " " if run.key in todo else "x"
        print(f"[{mark}] {run.group:8}{run.key:48}{run.size.N:>9,}{run.steps:>7,} steps{run.seconds:>8.0f} s")
    counts = Counter(run.group for run in planned)
    parts = ", ".join(f"{counts[group]} {group}" for group in GROUPS if counts[group])
    minutes = [sum(run.seconds for run in part) / 60 for part in (planned, remaining)]
    print(f"{parts} = {len(planned)} runs, {minutes[0]:.0f} core minutes")
    print(f"{len(remaining)} runs, {minutes[1]:.0f} core minutes remain")


def _failed(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="show the plan and what of it is finished")
    parser.add_argument("--only", choices=GROUPS, help="one part of the design")
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread each (2)")
    out = Path(__file__).with_name("runs.csv")
    parser.add_argument("--out", type=Path, default=out, help="the table (runs.csv beside this file)")
    parser.add_argument("--other-texts", action="store_true", help="train on the library of another Python")
    return parser


if __name__ == "__main__":
    sys.exit(main())
