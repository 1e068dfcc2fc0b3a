"""Choosing among judged laws: what the rule is told of them, what a law claims, and how stable the choice is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from made_fits import made_fit

from discover.fitting import Objective
from discover.law import Constant, Law, load_law
from discover.sanity import SanityCheck
from discover.selection import Judged, Rows, choose, judge_baselines, stability
from discover.selection.choosing import claims, evidence

ERRORS = [0.010, 0.012, 0.011, 0.013]
ALIKE = [0.013, 0.010, 0.012, 0.012]  # differ from the first by 0.02 +- 0.10, in logarithms
BETTER = [0.008, 0.009, 0.0085, 0.010]  # by -0.26 +- 0.02


def a_law(formula: str, constants: Sequence[str], kind: str = "found", name: str = "mine") -> Law:
    features = {name: "" for name in ("N", "D") if name in formula}
    known = {name: Constant(range=(1e-3, 1e6), positive=True, log=True) for name in constants}
    return Law(name, "", formula, features, known, kind=kind)  # type: ignore[arg-type]


def a_judgement(
    errors: Sequence[float],
    n_constants: int = 2,
    residual: float = 0.01,
    *,
    sane: bool = True,
    kind: str = "found",
    name: str = "mine",
) -> Judged:
    """A law with so many constants that made these errors on the inner hold-outs, and such residuals on all 40 rows."""
    names = [f"c{k}" for k in range(n_constants)]
    law = a_law("/(N + 1) + ".join(names), names, kind, name)
    fitted = made_fit(law, dict.fromkeys(names, 1.0), dict.fromkeys(names, 0.1), 40)
    check = SanityCheck("falls in N", "pass" if sane else "fail")
    return Judged(fitted, np.array(errors), errors[0], [check], residuals=np.full(40, residual))


def test_the_law_of_which_the_rows_say_most_for_its_constants_is_chosen() -> None:
    few = a_judgement(ERRORS, 4)
    more = a_judgement(ALIKE, 6, 0.0088)  # of 40 rows two constants must make the residuals smaller by 17 %
    assert choose([few, more]) is few
    closer = a_judgement(ALIKE, 6, 0.0080)
    assert choose([few, closer]) is closer


def test_an_insane_law_is_never_chosen_and_without_laws_none_is() -> None:
    perfect = a_judgement([0.0, 0.0], 1, 0.0, sane=False)
    poor = a_judgement([0.3, 0.4], 7, 0.3)
    assert choose([perfect, poor]) is poor
    assert choose([perfect]) is None
    assert choose([]) is None


@pytest.mark.parametrize(("kind", "chosen"), [("found", True), ("null", True), ("published", False)])
def test_a_null_law_is_chosen_as_a_found_one_is_and_a_published_one_is_not(kind: str, chosen: bool) -> None:
    found, simpler = a_judgement(ERRORS, 4), a_judgement(ALIKE, 3, kind=kind)
    assert choose([found, simpler]) is (simpler if chosen else found)
    better = replace(simpler, inner_errors=np.array(BETTER))
    assert choose([found, better]) is better


def test_laws_stand_apart_only_where_all_have_predictions_beyond_the_data() -> None:
    agreeing = [replace(a_judgement([0.01] * 4, 4), beyond=np.array([0.5 + 0.01 * k])) for k in range(8)]
    apart = replace(a_judgement([0.0099] * 4, 3), beyond=np.array([0.2]))
    silent = a_judgement([0.02] * 4, 4)
    assert choose([*agreeing, apart]) in agreeing
    assert choose([*agreeing, apart, silent]) is apart


@pytest.mark.parametrize(
    ("formula", "more"),
    [
        ("E0 + A/N**alpha + B/D**beta", 0),
        ("E0 + A/N**alpha + B/D**alpha", 1),  # two features have one exponent
        ("E0 + A/N**alpha + B*log(D)", 1),  # a logarithm where a power would do
        ("E0 + A*exp(B/N**alpha)/D**alpha", 2),
    ],
)
def test_ties_and_functions_are_claims_of_found_laws_alone(formula: str, more: int) -> None:
    names = [name for name in ("E0", "A", "B", "alpha", "beta") if name in formula]
    assert claims(a_law(formula, names)) == len(names) + more
    assert claims(a_law(formula, names, kind="published")) == len(names)
    assert claims(a_law(formula, names, kind="null")) == len(names)


def grouped_rows() -> Rows:
    """Two groups of eight sizes, with laws of their own."""
    sizes = np.tile(np.geomspace(1e6, 1e8, 8), 2)
    groups = np.repeat(np.array(["a", "b"], dtype=object), 8)
    target = 1.5 + np.where(groups == "a", 400.0, 90.0) / sizes**0.3
    return Rows({"N": sizes}, target, {"N": "size"}, axis="N", groups=groups)


def test_the_rule_is_told_of_all_rows_and_of_groups_with_constants_of_their_own() -> None:
    rows = grouped_rows()
    laws = [load_law("constant"), load_law("powerlaw_one_feature").on("N")]
    judged = judge_baselines(laws, rows, Objective(), seed=0, jobs=1)
    told = evidence(judged)
    assert (told.rows, told.groups, told.axes) == (16, 2, 1)
    assert told.log_errors.shape == (2, len(judged[0].inner_errors))
    assert told.beyond.shape == (2, len(rows.beyond.columns["N"]))
    assert not told.published.any()
    constant = np.median(rows.target[:8]), np.median(rows.target[8:])  # a Huber loss with a small delta fits medians
    assert told.residual[0] == pytest.approx(np.abs(np.log(np.repeat(constant, 8) / rows.target)).mean(), rel=0.05)
    assert told.residual[1] < 0.5 * told.residual[0]


def test_a_choice_that_one_hold_out_decides_is_unstable() -> None:
    best = a_judgement([0.010] * 4, name="one")
    close = a_judgement([0.011, 0.009, 0.012, 0.0001], name="other")
    steady = stability([best, close], close, ["grammar-0", "operon-1"])
    assert 0.05 < steady.shares["one"] < 0.95
    assert sum(steady.shares.values()) == pytest.approx(1.0)
    assert steady.of_searches == 2
    sure = stability([best, a_judgement([0.5] * 4)], best, ["grammar-0"])
    assert sure.shares == {"one": 1.0}
