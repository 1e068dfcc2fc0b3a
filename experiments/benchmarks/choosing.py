"""How good the rule of choice is, beside others: `python experiments/benchmarks/choosing.py --help`.

Laws are searched and judged once for every outer hold-out; all rules choose from the same laws, and are scored on rows
that neither saw. The files that SLDBench holds out are never read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

# Before NumPy is imported, which reads them once.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

from finished import FAILED, Case, Finished, Record, run_cases
from judged_laws import judged_laws
from options import command, parser, publish, remarks, say, version
from outer import experiment_of, outer_tasks
from part import Part
from rule_table import far_part, outcomes, rules_part

from discover.errors import UnreachableError
from discover.experiment import Experiment

KEYS = ("experiment", "hold_out", "budget")
# The measurements that an experiment is of: several stand on the same runs, or on some of them.
ORIGINS = {
    "chinchilla": "chinchilla",
    "routed_moe": "routed",
    "routed_moe_routers": "routed",
    "sldbench_moe": "routed",
    "datablations": "datablations",
    "sldbench_data_constrained": "datablations",
    "farseer": "farseer",
    "rectified_sft": "fine-tuning",
    "sldbench_sft": "fine-tuning",
    "vocab": "vocabulary",
    "sldbench_vocab": "vocabulary",
    "mixinglaws_5mix": "mixtures",
    "mixinglaws_sizes": "mixtures",
    "sldbench_parallel": "parallel",
    "sldbench_easy_question": "easy questions",
}
FRESH = {  # had no part in fixing the rule
    "steplaw_moe": "Step Law, experts",
    "steplaw_optima_batch": "Step Law, optima",
    "steplaw_optima_eta": "Step Law, optima",
    "mixinglaws_ct": "continued training",
}
QUICK: dict[str, Any] = {"budget": "20evals", "max_constants": 3}
QUICK_TASKS = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Search and judge what is left, and print the tables of all."""
    made = parser("Compare rules of choosing a law, on rows that the choice did not see.", "choosing.jsonl")
    made.add_argument("--experiments", nargs="+", metavar="NAME", help="experiments, or datasets (default: all used)")
    options = made.parse_args(arguments)
    names, more = options.experiments or [*ORIGINS, *FRESH], {"budget": options.budget}
    if options.quick:
        names, more = ["quickstart"], QUICK
    cases = [case for name in names for case in _cases(name, more)][: QUICK_TASKS if options.quick else None]
    records = run_cases(cases, _measured, Finished(options.finished, KEYS), jobs=options.jobs, say=say)
    if not records:
        say("no data can be had: there is nothing to compare, and nothing is written")
        return
    for part in tables(records, command("choosing.py", arguments)):
        publish(part, options.markdown)


def _cases(name: str, more: Case) -> list[Case]:
    """The outer hold-outs of an experiment; none where its data cannot be had."""
    try:
        return [{"experiment": name, "hold_out": label, **more} for label in outer_tasks(_experiment(name, more))]
    except UnreachableError as error:
        say(f"{name} is left out: {error}")
        return []


def _experiment(name: str, case: Case) -> Experiment:
    changes = {key: case.get(key) for key in ("budget", "max_constants")}
    return experiment_of(name).but(engines=["grammar"], seeds=[0], **changes)


def _measured(case: Case) -> Record:
    task = outer_tasks(_experiment(case["experiment"], case))[case["hold_out"]]
    return {**judged_laws(task), "version": version()}


def tables(records: Sequence[Record], made_by: str) -> list[Part]:
    """The rules beside each other, and where the project's was far from the best."""
    done = [record for record in records if FAILED not in record]
    said = [f"{one['experiment']}, {one['hold_out']} failed: {one[FAILED]}" for one in records if FAILED in one]
    told = outcomes(done, {**ORIGINS, **FRESH})
    budgets = ", ".join(sorted({record["budget"] for record in done})) or "none"
    searched = f"Searches of {budgets} or until nothing better comes, one thread each; "
    searched += f"{sum(len(one['laws']) for one in done)} laws were judged."
    return [rules_part(told, list(FRESH), [*said, searched, *remarks(made_by, done)]), far_part(told)]


if __name__ == "__main__":
    main()
