"""How often a published law is found again from its own values with noise.

Its rows lie where real models were trained; the largest sizes are held out, and the truth there is known.
`python experiments/benchmarks/recovery.py --help`
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

# Before NumPy is imported, which reads them once.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from finished import FAILED, Case, Finished, Record, run_cases
from options import command, parser, publish, remarks, say, version
from part import Part
from recover import recover
from truths import PUBLISHED, TRUTHS

KEYS = ("law", "noise", "seed", "engine", "budget")
ENGINES = ("grammar", "operon")
NOISES = (0.001, 0.005, 0.01)
SEEDS = (0, 1, 2, 3, 4)
QUICK: dict[str, Any] = {"laws": ["kaplan_ns"], "noises": [0.001], "seeds": [0]}
QUICK_SEARCH: dict[str, Any] = {"budget": "15evals", "max_constants": 4}
COLUMNS = (
    *(
        "law",
        "constants",
        "noise",
        "exact",
        "same form",
        "constants within 3 s.e.",
        "proposed",
        "as published",
        "chosen if given",
    ),
    *("lost in", "held-out error ratio", "worst", "to the truth", "worst of these", "median time"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases that are left, and print the table of all."""
    made = parser("Sample published laws with noise, and see how often they are found again.", "recovery.jsonl")
    made.add_argument("--engine", choices=ENGINES, default="grammar", help="what searches (default: grammar)")
    made.add_argument(
        "--laws", nargs="+", choices=sorted(TRUTHS), metavar="LAW", help=f"of {', '.join(sorted(TRUTHS))}"
    )
    made.add_argument("--noises", nargs="+", type=float, metavar="SIGMA", help="standard deviations of the logarithm")
    made.add_argument("--seeds", nargs="+", type=int, metavar="SEED", help="of the noise and of the search")
    options = made.parse_args(arguments)
    quick, search = (QUICK, QUICK_SEARCH) if options.quick else ({}, {"budget": options.budget})
    laws = options.laws or quick.get("laws") or [truth.law for truth in PUBLISHED]
    noises = options.noises or quick.get("noises") or NOISES
    seeds = options.seeds or quick.get("seeds") or SEEDS
    cases: list[Case] = [
        {"law": law, "noise": noise, "seed": seed, "engine": options.engine, **search}
        for seed in seeds  # the first seed of every law first: a run that is stopped has seen them all
        for law in laws
        for noise in noises
    ]
    records = run_cases(cases, _measured, Finished(options.finished, KEYS), jobs=options.jobs, say=say)
    publish(table(records, command("recovery.py", arguments)), options.markdown)


def _measured(case: Case) -> Record:
    return {**recover(case), "version": version()}


def table(records: Sequence[Record], made_by: str) -> Part:
    """A line for each law and noise, and one for each noise over all laws."""
    done = [record for record in records if FAILED not in record]
    pairs = list(dict.fromkeys((record["law"], record["noise"]) for record in sorted(done, key=_order)))
    rows = [_line(law, [one for one in done if (one["law"], one["noise"]) == (law, noise)]) for law, noise in pairs]
    rows += [
        _line("**all**", [one for one in done if one["noise"] == noise]) for noise in sorted({n for _, n in pairs})
    ]
    said = [f"{record['law']}, {record['noise']}, seed {record['seed']} failed: {record[FAILED]}"
            for record in records if FAILED in record]  # fmt: skip
    generated = {one["law"]: one["generated"] for one in done if one["generated"]}
    said += [f"{law}: the design is generated ({why})." for law, why in generated.items()]
    fitted = sorted({one["law"] for one in done if one["source"].startswith("our fit")})
    if fitted:
        said.append(f"The constants of {', '.join(fitted)} are those of our fit to the measurements of the design.")
    return Part("recovery", "Recovery", _compared(done), {}, COLUMNS, rows, [*said, *remarks(made_by, done)])


def _order(record: Record) -> tuple[int, float]:
    return list(TRUTHS).index(record["law"]), record["noise"]


def _line(name: str, records: Sequence[Record]) -> list[str]:
    """Counts over the seeds (and laws) of a line, and its ratios; a case without a chosen law has an infinite one."""
    ratios = [
        [float("inf") if one[key] is None else one[key] for one in records]
        for key in ("measured_ratio", "heldout_ratio")
    ]
    lost = Counter(one["lost"] for one in records if one["lost"])
    sizes = sorted({one["n_constants"] for one in records})

    def count(key: str) -> str:
        return f"{sum(bool(one[key]) for one in records)}/{len(records)}"

    return [
        name,
        str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}",
        f"{100 * records[0]['noise']:g} %",
        *(count(key) for key in ("exact", "same_form", "within", "proposed")),
        f"{sum(one['kind'] == 'published' for one in records)}/{len(records)}",
        count("chosen_if_given"),
        ", ".join(f"{where} {number}" for where, number in lost.most_common()) or "-",
        *(f"{of(some):.3g}" for some in ratios for of in (statistics.median, max)),
        f"{statistics.median(one['seconds'] for one in records):.0f} s",
    ]


def _compared(records: Sequence[Record]) -> str:
    searches = ", ".join(sorted({f"{one['engine']} for {one['budget']}" for one in records}))
    return (
        "Losses are those of the law with its published constants, times log-normal noise, at the features of a "
        "dataset; of the largest sizes of the first feature as many as make up 15 % of the rows are held out. The "
        f"engine ({searches or 'none'}) proposes on the other rows and the project's selection chooses. *Same form*: "
        "the chosen law and the true one, each fitted to the other's predictions at the rows and between them, make "
        "these to 1e-6. *Constants*: every true one is within 3 standard errors of the fitted one, of the chosen law "
        "where it is written as the true one, else of the true form fitted to the same rows; a constant that the rows "
        "do not determine is not. *Exact* is both. *Proposed*: the true form was among the candidates. *As "
        "published*: no found law was chosen, but a published one, which the rows preferred. *Chosen if given*: the "
        "choice takes the true form when it is put beside the candidates, as if a search had proposed it. *Lost in*: "
        "search (never proposed), first rounds (dropped before the careful judging), or choice (another law was "
        "taken). The held-out error ratio is the RMSE of the chosen law on the held-out rows as they are sampled, with "
        "noise, over that of the true form fitted to the same rows: the median, and the worst. *To the truth*: the "
        "same against the truth without noise, which the true form comes so near that small errors are large ratios."
    )


if __name__ == "__main__":
    main()
