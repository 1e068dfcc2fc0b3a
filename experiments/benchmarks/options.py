"""What the command lines of the benchmarks of discovery have in common."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import machine
from finished import Record
from part import Part
from section import write_section


def parser(description: str, finished: str) -> argparse.ArgumentParser:
    """A parser with the options that all have; `finished` is the default file of finished cases."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--budget", default="60s", metavar="TIME", help="of a search, such as 60s (default) or 1000evals")
    made.add_argument("--jobs", type=int, default=1, metavar="N", help="cases at a time, of one thread each")
    made.add_argument(
        "--finished", type=Path, default=Path(finished), metavar="FILE", help="finished cases, as JSON lines"
    )
    made.add_argument("--markdown", type=Path, metavar="FILE", help="page in which the table's section is written anew")
    made.add_argument("--quick", action="store_true", help="a tiny version, to see that it runs")
    return made


def say(message: str) -> None:
    """A line of progress."""
    print(message, file=sys.stderr, flush=True)


def version() -> str:
    """Of the program that was measured: a record keeps it, since cases may be finished on different days."""
    return machine.describe()["discover"]


def command(script: str, arguments: Sequence[str] | None) -> str:
    """The command as it was given, without the folders of this machine."""
    given = sys.argv[1:] if arguments is None else arguments
    shown = [Path(one).name if Path(one).is_absolute() else one for one in given]
    return shlex.join(["python", f"experiments/benchmarks/{script}", *shown])


def remarks(made_by: str, records: Sequence[Record]) -> list[str]:
    """By which command a table was made, with which version, and where."""
    told = machine.describe()
    versions = ", ".join(sorted({record["version"] for record in records if "version" in record})) or "none"
    place = f"{told['processor']}, {told['cores']} cores, Python {told['Python']}, {told['date']}"
    return [f"Made by `{made_by}`; discover {versions}; {place}."]


def publish(part: Part, page: Path | None) -> None:
    """Print the table, and put it into a page when one is named."""
    print(part.markdown())
    if page is not None:
        write_section(page, part)
