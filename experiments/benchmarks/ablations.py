"""What each piece of the pipeline is worth on real data: `python experiments/benchmarks/ablations.py --help`."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

# Before NumPy is imported, which reads them once.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from finished import FAILED, Case, Finished, Record, run_cases
from options import command, parser, publish, remarks, say, version
from part import Part, seconds
from variants import FULL, GPLEARN, VARIANTS, measure

KEYS = ("experiment", "variant", "seed", "budget")
EXPERIMENTS = ("chinchilla", "routed_moe", "datablations", "farseer", "rectified_sft")
NAMES = (*VARIANTS, GPLEARN)
QUICK: dict[str, Any] = {"budget": "40evals", "baselines": ["hoffmann"], "max_constants": 2}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases that are left, and print the table of all."""
    made = parser("Take pieces out of the pipeline, and see what becomes of the held-out error.", "ablations.jsonl")
    made.add_argument(
        "--experiments", nargs="+", metavar="NAME", help=f"experiments (default: {', '.join(EXPERIMENTS)})"
    )
    made.add_argument(
        "--variants", nargs="+", choices=NAMES, metavar="NAME", help=f"beside {FULL}: {', '.join(NAMES[1:])}"
    )
    made.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="SEED", help="of the searches")
    made.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="interpreter that has gplearn")
    options = made.parse_args(arguments)
    chosen = list(dict.fromkeys([FULL, *(options.variants or NAMES)]))  # what the others are measured by is in full
    experiments, budget, more = options.experiments or EXPERIMENTS, options.budget, {}
    if options.quick:
        experiments, budget, more = ["quickstart"], QUICK["budget"], QUICK
    cases: list[Case] = [
        {"experiment": name, "variant": variant, "seed": seed, "budget": budget, **more}
        for seed in options.seeds
        for name in experiments
        for variant in chosen
    ]
    work = partial(_measured, options.peer_python)
    records = run_cases(cases, work, Finished(options.finished, KEYS), jobs=options.jobs, say=say)
    publish(table(records, chosen, command("ablations.py", arguments)), options.markdown)


def _measured(peer_python: str, case: Case) -> Record:
    return {**measure(case, peer_python=peer_python), "version": version()}


def table(records: Sequence[Record], chosen: Sequence[str], made_by: str) -> Part:
    """A line for each experiment and seed; each variant's held-out error over that of the best published law."""
    runs = list(dict.fromkeys((record["experiment"], record["seed"]) for record in records))
    many = len({seed for _, seed in runs}) > 1
    ratios: dict[str, list[float]] = {name: [] for name in chosen}
    rows = []
    for experiment, seed in runs:
        own = {one["variant"]: one for one in records if (one["experiment"], one["seed"]) == (experiment, seed)}
        full = own.get(FULL, {})
        published = full.get("published_rmse")
        shown = f"`{full.get('published')}` {published:.4g}" if published else "-"
        cells = []
        for name in chosen:
            told = own.get(name)
            ratio = _ratio(told, published)
            if ratio is not None:
                ratios[name].append(ratio)
            cells.append("-" if told is None or ratio is None else f"{ratio:.3g} ({seconds(told['seconds'])})")
        rows.append([f"`{experiment}`" + (f", seed {seed}" if many else ""), shown, *cells])
    rows.append(["**geometric mean**", "", *(_mean(ratios[name], len(rows)) for name in chosen)])
    said = [f"{one['experiment']}, {one['variant']}: {one[FAILED]}" for one in records if FAILED in one]
    budgets = ", ".join(sorted({str(record["budget"]) for record in records}))
    columns = ("experiment", "best published", *chosen)
    return Part("ablations", "Ablations", _compared(budgets), {}, columns, rows, [*said, *remarks(made_by, records)])


def _ratio(told: Record | None, published: float | None) -> float | None:
    """Held-out error over that of the best published law; infinite where no law, or one without values, was chosen."""
    if told is None or FAILED in told or not published:
        return None
    return math.inf if told["heldout_rmse"] is None else told["heldout_rmse"] / published


def _mean(ratios: Sequence[float], of: int) -> str:
    """Geometric mean of the ratios there are, of so many."""
    if not ratios:
        return "-"
    mean = math.exp(sum(math.log(max(ratio, 1e-12)) for ratio in ratios) / len(ratios))
    return f"{mean:.3g}" + (f" (of {len(ratios)})" if len(ratios) < of else "")


def _compared(budgets: str) -> str:
    return (
        "Held-out RMSE over that of the best published law (the smallest held-out error, its constants fitted as those "
        "of the found laws), and the time from the rows to the choice, on one thread. The budget of the searches is "
        f"{budgets} for all. *full*: grammar and operon, each with half of it, and the whole selection. *first split*: "
        "one inner hold-out, the largest training sizes, in the search and in the choice. *no refit*: engines see the "
        "rows below that hold-out, and candidates keep the constants found there, in the choice and after. "
        "*log_squared*: squared error of the logarithm in place of a robust loss, for all laws. *grammar*, *operon*: "
        "one engine with the whole budget. *gplearn*: its own best program on the logarithms of the features, each "
        "group apart with its share of the time. Below 1 is better than any published law; `inf` is a choice without "
        "finite predictions, or none."
    )


if __name__ == "__main__":
    main()
