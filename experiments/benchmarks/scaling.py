"""How our fit grows with rows, with constants and with starts; each fit in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import fresh
import numpy as np
from part import Part, seconds

ROWS = (1_000, 10_000, 100_000, 1_000_000)
CONSTANTS = (3, 5, 8, 12, 20, 30)
STARTS = (10, 64, 500, 5_000)
ROWS_OF_POWERS = 1_000
FROM = 10_000  # rows from which on the time is expected to be proportional to them


def measure(
    *,
    rows: Sequence[int] = ROWS,
    constants: Sequence[int] = CONSTANTS,
    starts: Sequence[int] = STARTS,
    limit: float = 300.0,
) -> Part:
    """Seconds and peak memory over `rows`, `constants` and `starts`; no fit takes longer than `limit` seconds."""
    jobs = {"rows": {count: fresh.Job(rows=count, limit=limit) for count in rows}}
    jobs["constants"] = {count: fresh.Job("powers", ROWS_OF_POWERS, count, limit=limit) for count in constants}
    jobs["starts"] = {count: fresh.Job(options={"starts": count, "retries": 0}, limit=limit) for count in starts}
    numbers: dict[str, Any] = {kind: {} for kind in jobs}
    for kind, of_kind in jobs.items():
        for count, job in of_kind.items():
            measured = numbers[kind][str(count)] = fresh.measure(job)
            print(f"scaling: {count:,} {kind}: {seconds(measured['seconds'])}", file=sys.stderr)
    usable = [(count, numbers["rows"][str(count)]) for count in rows if count >= FROM]
    usable = [(count, measured) for count, measured in usable if not measured["cut"]]
    numbers["linear_exponent_rows"] = None
    if len(usable) > 1:
        counts, times = zip(*((count, measured["seconds"]) for count, measured in usable), strict=True)
        numbers["linear_exponent_rows"] = float(np.polyfit(np.log(counts), np.log(times), 1)[0])
    last = numbers["rows"].get("1000000")
    ended = last is not None and not last["cut"]
    numbers["peak_memory_mib_million_rows"] = last["peak_mib"] - last["peak_before_mib"] if ended else None
    return Part(
        "scaling",
        "How our fit grows",
        "Rows and starts: Chinchilla's form on generated rows (240 for starts, which are then the only ones: no "
        "retries). Of more than 4,096 rows a sample of 2,048 is searched first. "
        f"Constants: a floor and a sum of powers of as many features as needed, on {ROWS_OF_POWERS:,} "
        "generated rows. The median of three fits after the first, of the first alone where it took over 20 s; cold is "
        "the first, with what it compiles. Memory is the peak of a fresh process, less its peak before the fit.",
        numbers,
        ("what", "how many", "seconds", "cold", "starts", "agree", "memory of the fit"),
        [_row(kind, count, measured) for kind in jobs for count, measured in numbers[kind].items()],
        _remarks(numbers, usable, limit),
    )


def _remarks(numbers: dict[str, Any], usable: Sequence[object], limit: float) -> list[str]:
    remarks = []
    exponent = numbers["linear_exponent_rows"]
    if exponent is None:
        remarks.append(f"Time over rows from {FROM:,} on: fewer than two fits ended, so that there is no exponent.")
    else:
        remarks.append(f"Time grows as rows**{exponent:.2f} from {FROM:,} rows on ({len(usable)} fits that ended).")
    if any(measured["cut"] for kind in ("rows", "constants", "starts") for measured in numbers[kind].values()):
        remarks.append(f"Fits with `>` were cut after {limit:g} s; memory is then the peak until there.")
    return remarks


def _row(kind: str, count: str, measured: dict[str, Any]) -> list[str]:
    above = "> " if measured["cut"] else ""
    return [
        kind,
        f"{int(count):,}",
        above + seconds(measured["seconds"]),
        above + seconds(measured["seconds_cold"]),
        str(measured.get("starts", "-")),
        f"{measured['agreement']:.0%}" if "agreement" in measured else "-",
        f"{measured['peak_mib'] - measured['peak_before_mib']:.0f} MiB",
    ]
