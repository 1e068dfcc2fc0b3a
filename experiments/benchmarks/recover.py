"""One case of recovery: a known law sampled with noise, found again or not, and where it was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pipeline
from designs import Design, design_of
from finished import Case, Record
from forms import same_form
from truths import TRUTHS

from discover.choice import Choice
from discover.dataset import Dataset
from discover.distil import Proposal, distil
from discover.engines import Candidate
from discover.experiment import Experiment, ExperimentCard
from discover.fitting import AnyFit
from discover.formula import symbol, to_text
from discover.hold_out import held_out_rows, training_rows
from discover.running import baselines_of, distilled
from discover.scoring import score
from discover.searching import max_constants
from discover.selection import Judged, choose, judge_baselines
from discover.selection import score as price

WITHIN = 3.0  # standard errors of a constant
FEW_STARTS = 4  # of a comparison of forms that is made for every candidate

LOST_IN_SEARCH = "search"  # no engine proposed the true form
LOST_EARLY = "first rounds"  # proposed, and dropped before the careful judging
LOST_IN_CHOICE = "choice"  # judged with care, and another law was chosen


def recover(case: Case) -> Record:
    """Search the rows of a case, choose, and compare with the truth.

    Parameters
    ----------
    case
        ``law``, ``noise`` (standard deviation of the logarithm), ``seed``, ``engine`` and ``budget``; perhaps
        ``max_constants`` of what is searched.

    Returns
    -------
    What was chosen (``chosen``, ``kind``); ``same_form``, ``within`` (every true constant within three standard errors)
    and ``exact``, which is both; ``heldout_ratio``: the error of the chosen law on the noise-free held-out rows over
    that of the true form fitted to the same rows; ``measured_ratio``, the same on these rows as they are sampled, with
    noise; ``proposed`` and ``rank`` (of the true form among what was judged with care, 1 the best); ``rank_given`` and
    ``chosen_if_given``, of the card itself beside these; ``lost``; seconds of the search and of all; and how many rows
    there were.
    """
    design = design_of(TRUTHS[case["law"]])
    begun = perf_counter()
    dataset = design.sampled(case["noise"], case["seed"])
    experiment = _experiment(design, case)
    held = held_out_rows(experiment, dataset)
    rows = training_rows(dataset, held, experiment.card.hold_out)
    objective = experiment.objective(dataset, rows.target)
    found = pipeline.candidates(experiment, dataset, rows, objective)
    searched = perf_counter() - begun
    proposed = distilled(experiment, dataset, rows, found)
    judging = pipeline.judge(experiment, proposed, baselines_of(experiment, dataset), rows, objective)
    seconds = perf_counter() - begun
    (true_form,) = judge_baselines([design.law], rows, judging.objective.objective, seed=case["seed"], jobs=1)
    told = {
        "source": design.source,
        "design": dataset.label,
        "generated": design.generated,
        "rows": int((~held).sum()),
        "rows_held_out": int(held.sum()),
        "n_constants": len(design.law.parameters),
        "n_candidates": len(found),
        "n_forms": len(proposed),
        "objective": str(judging.objective.objective),
        "seconds_search": searched,
        "seconds": seconds,
    }
    told |= _of_candidates(design, proposed, judging, true_form, max_constants(experiment, rows))
    return told | _of_choice(design, judging.selected, true_form, dataset, held)


def _experiment(design: Design, case: Case) -> Experiment:
    options = {"engines": [case["engine"]], "seeds": [case["seed"]], "budget": case["budget"]}
    options |= {key: case[key] for key in ("max_constants",) if key in case}
    card = ExperimentCard(dataset=design.dataset.name, hold_out=design.rule, **options)
    return Experiment(f"recovery-{case['law']}", card, Path())


def _of_choice(
    design: Design, selected: Judged | None, true_form: Judged, sampled: Dataset, held: np.ndarray
) -> dict[str, Any]:
    """How the chosen law compares with the truth."""
    held_out = sampled.columns(held)
    truth, measured = design.dataset.losses(held), sampled.losses(held)
    best = true_form.fit.predict(held_out)
    reference = score(best, truth).rmse
    told: dict[str, Any] = {"chosen": None, "kind": None, "same_form": False, "within": False, "exact": False}
    told |= {"heldout_rmse": None, "heldout_rmse_true_form": reference}
    told |= {"heldout_ratio": None, "measured_ratio": None}
    if selected is None:
        return told
    predicted = selected.fit.predict(held_out)
    error = score(predicted, truth).rmse
    same = _is_true(design, selected)
    off = _deviations(design, selected, true_form)
    within = max(off.values()) <= WITHIN
    return told | {
        "chosen": selected.law.formula,
        "kind": selected.law.kind,
        "chosen_constants": dict(_values(selected.fit)),
        "same_form": same,
        "deviations": off,
        "within": within,
        "exact": same and within,
        "heldout_rmse": error,
        "heldout_ratio": error / reference,
        "measured_ratio": score(predicted, measured).rmse / score(best, measured).rmse,
    }


def _of_candidates(
    design: Design, proposed: Sequence[Proposal], judging: Choice, true_form: Judged, most: int
) -> dict[str, Any]:
    """Where among the candidates the true form was, and where it was lost."""
    judged = sorted(judging.found, key=price)
    rank = next((number for number, one in enumerate(judged, start=1) if _is_true(design, one)), None)
    known = [one for one in judging.baselines if len(one.law.parameters) <= most and one.law.name != design.law.name]
    law = replace(true_form.law, kind="found")  # as if a search had proposed it
    true_form = replace(true_form, fit=replace(true_form.fit, law=law))
    given = choose([*judged, *known, true_form])
    chosen = judging.selected is not None and _is_true(design, judging.selected)
    was_proposed = rank is not None or any(_proposes(design, one) for one in proposed)
    lost = "" if chosen else LOST_IN_CHOICE if rank else LOST_EARLY if was_proposed else LOST_IN_SEARCH
    return {
        "proposed": was_proposed,
        "rank": rank,
        "rank_given": rank or 1 + sum(price(one) < price(true_form) for one in judged),
        "chosen_if_given": given is not None and (given is true_form or _is_true(design, given)),
        "lost": lost,
    }


def _values(fitted: AnyFit) -> Mapping[str, float]:
    return fitted.parts[""].values  # rows of a design are in no groups


def _is_true(design: Design, judged: Judged) -> bool:
    columns = design.dataset.columns()
    return same_form(judged.law, _values(judged.fit), design.law, design.values, columns)


def _proposes(design: Design, proposal: Proposal) -> bool:
    """Whether a proposal is the true form; one with more or fewer constants is taken for another."""
    if len(proposal.law.parameters) != len(design.law.parameters):
        return False
    columns = design.dataset.columns()
    return same_form(proposal.law, proposal.start, design.law, design.values, columns, starts=FEW_STARTS)


def _deviations(design: Design, selected: Judged, true_form: Judged) -> dict[str, float]:
    """How many standard errors each true constant is from the fitted one; infinite where the rows do not determine it.

    The constants are those of the chosen law where it is written as the true one would be; else those of the true
    form's own fit to the same rows.
    """
    truth, fitted = design.values, true_form.fit.parts[""]
    written = _written(design)
    if written is not None and written.law.formula == selected.law.formula:
        truth, fitted = written.start, selected.fit.parts[""]
    off = {}
    for name, value in truth.items():
        error = fitted.errors[name]
        off[name] = abs(fitted.values[name] - value) / error if 0 < error < np.inf else np.inf
    return off


def _written(design: Design) -> Proposal | None:
    """The truth as a search would propose it: a formula with numbers, distilled; `None` where it is none."""
    numbers = {symbol(name): value for name, value in design.values.items()}
    text = to_text(design.law.expanded.subs(numbers))
    most = len(design.law.parameters)
    found = distil([Candidate(text, 0, 0.0, "truth", 0)], design.dataset.meanings, max_constants=most)
    return found[0] if found else None
