"""What finding nothing looks like: the same search and choice on training losses that were shuffled among rows.

A search over many formulas finds some law in any rows. On shuffled losses there is nothing to be found, and whatever
is chosen there shows how small an error luck alone reaches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from discover.errors import InputError
from discover.experiment import Experiment, load_experiment
from discover.result import Result
from discover.running import run
from discover.runs import RunFolder

SHUFFLES = 19  # the fewest with which a p-value can be 0.05
FILE = "null.csv"
COLUMNS = ("losses", "formula", "n_constants", "inner_rmse", "heldout_rmse", "run")
REAL = "real"


@dataclass(frozen=True)
class PermutationNull:
    """The chosen law's errors on real losses against those on shuffled ones.

    Attributes
    ----------
    experiment
        Name of the experiment.
    folder
        Where the runs are, and the table as ``null.csv``.
    table
        One row a run, with the columns `COLUMNS`: the first on the real losses, the others on shuffled ones. Where no
        law was chosen, formula and errors are empty.
    """

    experiment: str
    folder: Path
    table: pd.DataFrame

    @property
    def shuffles(self) -> int:
        """Number of runs on shuffled losses."""
        return len(self.table) - 1

    def p_value(self, column: str = "heldout_rmse") -> float:
        """Share of the runs, the real one counted in, whose chosen law has an error as small as that on real losses.

        (1 + shuffles as good)/(1 + shuffles); a run that chose no law is not as good. NaN where the real run has no
        such error: it chose no law, or there were no held-out rows to score on.
        """
        errors = self.table[column]
        if not pd.notna(errors.iloc[0]):
            return float("nan")
        return float((1 + (errors.iloc[1:] <= errors.iloc[0]).sum()) / (1 + self.shuffles))

    def verdict(self) -> str:
        """What the shuffles say of the real run."""
        if not self.table["formula"].iloc[0]:
            return "No law was chosen on the real losses, so there is nothing to compare with shuffled ones."
        parts = [
            f"p = {p:.2g} by its {name} error"
            for name, column in (("inner", "inner_rmse"), ("held-out", "heldout_rmse"))
            if math.isfinite(p := self.p_value(column))
        ]
        chosen = int((self.table["formula"].iloc[1:] != "").sum())
        said = f"{' and '.join(parts)}, of {self.shuffles} shuffles, in {chosen} of which a law was chosen."
        return f"{said} The smallest p that so many can give is {1 / (1 + self.shuffles):.2g}."

    def _repr_html_(self) -> str:
        return str(self.table.to_html())


def permutation_null(
    experiment: Experiment | str | Path,
    *,
    shuffles: int = SHUFFLES,
    out: str | Path = "runs",
    jobs: int | None = None,
    held_out: bool = True,
    report: Callable[[str], None] = lambda message: None,
) -> PermutationNull:
    """Run an experiment on its losses, and again on training losses shuffled among rows (within groups).

    Every run searches, fits and chooses as `discover.run` does, with the budget of the experiment; held-out rows keep
    their losses. So ``1 + shuffles`` runs are made.

    Parameters
    ----------
    experiment
        The experiment, its name, or the path of its card.
    shuffles
        Number of shuffles; the smallest p-value is 1/(1 + shuffles).
    out
        Folder under which ``<experiment>-null/<time>`` is made, with a run folder for each run and ``null.csv``, which
        is written anew after each run.
    jobs, held_out, report
        As `discover.run` takes them.

    Raises
    ------
    InputError
        When there is to be no shuffle, or the experiment's own losses are shuffled already.
    """
    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment)
    if shuffles < 1:
        raise InputError(f"the number of shuffles must be 1 or more, not {shuffles}")
    if experiment.card.shuffle_seed is not None:
        raise InputError(f"experiment {experiment.name}: shuffle_seed is set, and a null needs the real losses too")
    folder = RunFolder.create(Path(out), f"{experiment.name}-null")
    lines: list[dict[str, object]] = []
    null = PermutationNull(experiment.name, folder.path, pd.DataFrame(columns=list(COLUMNS)))
    for number in range(shuffles + 1):
        name = f"shuffle_{number:02d}" if number else REAL
        report(f"{name}: {number} of {shuffles + 1} runs are done")
        changed = experiment.but(shuffle_seed=number) if number else experiment
        result = run(replace(changed, name=name), out=folder.path, jobs=jobs, held_out=held_out, report=report)
        lines.append({"losses": name, **_chosen(result), "run": str(result.folder.path.relative_to(folder.path))})
        null = replace(null, table=pd.DataFrame(lines, columns=list(COLUMNS)))
        folder.write(FILE, null.table.to_csv(index=False))
    return null


def _chosen(result: Result) -> dict[str, object]:
    """Formula and errors of the chosen law; empty when none was chosen."""
    line = result.leaderboard[result.leaderboard["selected"].astype(bool)]
    if not len(line):
        return {"formula": "", "n_constants": None, "inner_rmse": None, "heldout_rmse": None}
    return {name: line[name].iloc[0] for name in ("formula", "n_constants", "inner_rmse", "heldout_rmse")}
