"""What `discover run` finds on real data, beside the best published law.

`python experiments/benchmarks/real.py --help`
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

# Before NumPy is imported, which reads them once: laws are fitted in processes, not in threads.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import pandas as pd
from finished import FAILED, Case, Finished, Record, run_cases
from options import command, parser, publish, remarks, say, version
from part import Part, seconds

from discover.experiment import load_experiment
from discover.running import run

KEYS = ("experiment", "engine", "seed", "budget")
EXPERIMENTS = (
    *("chinchilla", "routed_moe", "datablations", "farseer"),
    *("steplaw", "mixinglaws_5mix", "rectified_sft", "vocab"),
)
ENGINES = ("grammar", "operon", "pysr")
QUICK: dict[str, Any] = {"budget": "40evals", "baselines": ["hoffmann", "constant"], "max_constants": 2}
COLUMNS = ("experiment", "chosen", "held out", "best published", "ratio", "difference (interval)", "wins", "time")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiments that are left, and print the table of all."""
    made = parser("Run experiments on real data, and compare with published laws on the held-out rows.", "real.jsonl")
    made.add_argument(
        "--experiments", nargs="+", metavar="NAME", help=f"experiments (default: {', '.join(EXPERIMENTS)})"
    )
    made.add_argument(
        "--engine",
        nargs="+",
        choices=ENGINES,
        default=["grammar", "operon"],
        help="search engines (default: grammar operon)",
    )
    made.add_argument("--seed", type=int, default=0, help="of the search")
    made.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="folder of run folders")
    options = made.parse_args(arguments)
    experiments, budget, more = options.experiments or EXPERIMENTS, options.budget, {}
    if options.quick:
        experiments, budget, more = ["quickstart"], QUICK["budget"], QUICK
    cases: list[Case] = [
        {"experiment": name, "engine": "+".join(options.engine), "seed": options.seed, "budget": budget, **more}
        for name in experiments
    ]
    # One experiment at a time, as a user runs them, with so many processes for its fits.
    work = partial(_measured, options.out, options.jobs)
    records = run_cases(cases, work, Finished(options.finished, KEYS), jobs=1, say=say)
    publish(table(records, command("real.py", arguments)), options.markdown)


def _measured(out: Path, jobs: int, case: Case) -> Record:
    changes: dict[str, Any] = {"engines": case["engine"].split("+"), "seeds": [case["seed"]], "budget": case["budget"]}
    changes |= {key: case.get(key) for key in ("baselines", "max_constants")}
    experiment = load_experiment(case["experiment"]).but(**changes)
    begun = perf_counter()
    result = run(experiment, out=out, jobs=jobs, report=say)
    took = perf_counter() - begun
    told = read_run(result.folder.path)
    return {**told, "verdict": result.verdict(), "seconds": took, "jobs": jobs, "version": version()}


def read_run(folder: Path) -> Record:
    """What the files of a finished run say of its chosen law, and of the best published one on the held-out rows."""
    board = pd.read_csv(folder / "leaderboard.csv", keep_default_na=False)
    chosen = board[board["selected"].astype(str) == "True"].to_dict(orient="records")
    told: Record = {"run": folder.name, "law": None, "published": None}
    if not chosen:
        return told
    line = chosen[0]
    told |= {"law": line["law"], "kind": line["kind"], "formula": line["formula"], "note": line["note"]}
    told |= {"n_constants": int(line["n_constants"])}
    told |= {key: _number(line[key]) for key in ("heldout_rmse", "heldout_mape", "inner_rmse")}
    compared = pd.read_csv(folder / "comparison.csv")
    published = compared[compared["kind"] == "published"].to_dict(orient="records")
    if published:
        best: dict[str, Any] = {str(key): value for key, value in published[0].items()}
        told |= {"published": best["law"], "published_rmse": best["rmse"]}
        told |= {
            key: best[key] for key in ("ratio", "difference", "low", "high", "level", "wins", "units", "resampled")
        }
    return told


def _number(text: Any) -> float | None:
    return None if text == "" else float(text)


def table(records: Sequence[Record], made_by: str) -> Part:
    """A line for each experiment."""
    said = [f"{one['experiment']} failed: {one[FAILED]}" for one in records if FAILED in one]
    rows = [_line(record) for record in records if FAILED not in record]
    how = ", ".join(sorted({f"{one['engine']} for {one['budget']}, seed {one['seed']}" for one in records}))
    compared = (
        f"The law that `discover run` chose ({how}) without seeing the held-out rows, and the published law with the "
        "smallest error on them, which is fitted to the same rows by the same fitter. It is the best of several after "
        "the fact: the comparison favours what is published. RMSE in the unit of the target, with the mean relative "
        "error of the chosen law; the difference is chosen less published, with the 95 % interval of a paired "
        "bootstrap over the held-out sizes (or settings); *wins* is the share of the resamples in which the chosen law "
        "has the smaller error. The time is that of the whole run."
    )
    return Part("real", "Real data", compared, {}, COLUMNS, rows, [*said, *remarks(made_by, records)])


def _line(told: Record) -> list[str]:
    name = f"`{told['experiment']}`"
    if told["law"] is None:
        return [name, "none", "-", "-", "-", "-", "-", seconds(told["seconds"])]
    kind = "" if told["kind"] == "found" else f" ({told['kind']})"
    mape = "" if told["heldout_mape"] is None else f" ({told['heldout_mape']:.2f} %)"
    line = [name, f"`{told['formula']}`{kind}", f"{_shown(told['heldout_rmse'])}{mape}"]
    if told["published"] is None:
        return [*line, "-", "-", "-", "-", seconds(told["seconds"])]
    interval = (
        ""
        if told["low"] is None
        else f" ({told['low']:+.2g} to {told['high']:+.2g}, {told['units']} {told['resampled']}s)"
    )
    return [
        *line,
        f"`{told['published']}` {_shown(told['published_rmse'])}",
        "inf" if told["ratio"] is None else f"{told['ratio']:.3g}",
        "-" if told["difference"] is None else f"{told['difference']:+.2g}{interval}",
        "-" if told["wins"] is None else f"{100 * told['wins']:.0f} %",
        seconds(told["seconds"]),
    ]


def _shown(error: float | None) -> str:
    return "inf" if error is None else f"{error:.4g}"


if __name__ == "__main__":
    main()
