"""The cases of a benchmark that are done, in a file of JSON lines: a rerun goes on with the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from discover.errors import DiscoverError, InputError
from discover.runs import json_ready

Case = Mapping[str, Any]
Record = dict[str, Any]
Say = Callable[[str], None]
FAILED = "failed"


class Finished:
    """Records of finished cases, one JSON object a line.

    Parameters
    ----------
    path
        The file; it is made when the first case ends.
    keys
        Names of the fields that say which case a record is of.

    Raises
    ------
    InputError
        When a line is no record of such a case. A last line without its end was cut off, and is dropped.
    """

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self.path, self.keys = path, tuple(keys)
        self._records: dict[tuple[Any, ...], Record] = {}
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        self._whole = text[: text.rfind("\n") + 1]
        for number, line in enumerate(self._whole.splitlines(), start=1):
            try:
                record = json.loads(line)
                self._records[self._key(record)] = record
            except (ValueError, KeyError, TypeError):
                told = f"{path}, line {number} is no finished case of this benchmark (an object with {', '.join(keys)})"
                raise InputError(f"{told}: name another file, or take the line out") from None
        self._cut = len(self._whole) < len(text)

    def _key(self, case: Case) -> tuple[Any, ...]:
        return tuple(case[name] for name in self.keys)

    def get(self, case: Case) -> Record | None:
        """The record of a case that ended well; `None` for one that did not, or has not run."""
        record = self._records.get(self._key(case))
        return None if record is None or FAILED in record else record

    def of(self, cases: Sequence[Case]) -> list[Record]:
        """The records of those of these cases that have run, in their order; the failed ones too."""
        return [self._records[self._key(case)] for case in cases if self._key(case) in self._records]

    def add(self, record: Record) -> None:
        """Keep a record: from now on its case is done."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._cut:
            self.path.write_text(self._whole, encoding="utf-8")
            self._cut = False
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(json_ready(record), allow_nan=False) + "\n")
        self._records[self._key(record)] = json_ready(record)


def run_cases(
    cases: Sequence[Case], work: Callable[[Case], Record], finished: Finished, *, jobs: int, say: Say
) -> list[Record]:
    """Do the cases that are not done, `jobs` at a time, and return the records of all.

    A case that fails with an error of the project's is recorded with the reason, and done again by the next run.
    """
    left = [case for case in cases if finished.get(case) is None]
    if len(left) < len(cases):
        say(f"{len(cases) - len(left)} of {len(cases)} cases are done: {finished.path}")
    for number, record in enumerate(_done(left, work, jobs), start=1):
        finished.add(record)
        named = ", ".join(f"{record[name]}" for name in finished.keys)
        say(f"{number} of {len(left)}: {named}" + (f": {record[FAILED]}" if FAILED in record else ""))
    return finished.of(cases)


def _done(cases: Sequence[Case], work: Callable[[Case], Record], jobs: int) -> Iterator[Record]:
    """Records as they come."""
    if jobs == 1:
        yield from (_attempted(work, case) for case in cases)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch=jobs)
    yield from pool(delayed(_attempted)(work, case) for case in cases)


def _attempted(work: Callable[[Case], Record], case: Case) -> Record:
    try:
        return {**case, **work(case)}
    except (DiscoverError, OSError) as error:
        return {**case, FAILED: str(error).splitlines()[0]}
