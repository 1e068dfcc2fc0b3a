"""Choosing among found laws from the training rows alone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_fits import made_fit

from discover.distil import Proposal
from discover.engines import Candidate
from discover.errors import InputError
from discover.fitting import Objective, fit
from discover.formula import parse
from discover.law import Constant, Law, load_law
from discover.sanity import SanityCheck
from discover.scoring import score
from discover.selection import (
    FINALISTS,
    FOLDS,
    Judged,
    Rows,
    choose,
    hold_outs,
    inner_hold_outs,
    judge_baselines,
    judge_proposals,
)
from discover.skeleton import EXPONENT, skeleton

HOFFMANN = load_law("hoffmann")
TRUTH = {"E0": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}
N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 2e9, 8), np.geomspace(1e9, 3e11, 5), indexing="ij"))
NOISE = np.exp(0.004 * np.random.default_rng(0).normal(size=40))
ROWS = Rows({"N": N, "D": D}, HOFFMANN.predict({"N": N, "D": D}, TRUTH) * NOISE, {"N": "size", "D": "tokens"}, axis="N")


def a_law(formula: str, *names: str, meaning: str = "") -> Law:
    constants = {name: Constant(range=(1e-3, 1e6), positive=True, log=True, meaning=meaning) for name in names}
    features = {name: "" for name in ("N", "D") if name in formula}
    return Law("mine", "mine", formula, features, constants, kind="found")


def a_judgement(
    errors: list[float], n_constants: int = 2, *, sane: bool = True, determined: bool = True, nodes: int = 1
) -> Judged:
    """A law with so many constants and nodes that made these errors on the inner hold-outs."""
    names = [f"c{k}" for k in range(n_constants)]
    law = a_law(" + ".join([*names, *(f"log(N + {k})" for k in range(1, nodes + 1))]), *names, meaning=EXPONENT)
    spread = dict.fromkeys(names, 0.1 if determined else 2.0)
    fitted = made_fit(law, dict.fromkeys(names, 1.0), spread, 40)
    check = SanityCheck("falls in N", "pass" if sane else "fail")
    return Judged(fitted, np.array(errors), errors[0], [check])


# Inner hold-outs


def test_the_largest_sizes_are_held_out_alone_first_and_then_with_smaller_ones():
    sizes = np.repeat([1e7, 1e8, 1e9, 1e10], 5)
    shares = [np.unique(sizes[rows]).tolist() for rows in inner_hold_outs(sizes)]
    # 15 % of 20 rows are 3: the largest size, whole; 30 and 45 % end within the second largest.
    assert shares == [[1e10], [1e9, 1e10]]


def test_a_continuum_of_sizes_is_cut_where_the_shares_say():
    sizes = np.random.default_rng(0).permutation(np.geomspace(1e6, 1e9, 100))
    assert [int(rows.sum()) for rows in inner_hold_outs(sizes)] == [15, 30, 45]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 12), min_size=3, max_size=60).filter(lambda sizes: len(set(sizes)) >= 3))
def test_sizes_are_never_divided_and_two_always_remain_to_learn_from(counts):
    sizes = np.array(counts, dtype=float)
    hold_outs = inner_hold_outs(sizes)
    assert 1 <= len(hold_outs) <= 3
    for rows in hold_outs:
        assert rows.any()
        assert sizes[rows].min() > sizes[~rows].max()
        assert len(np.unique(sizes[~rows])) >= 2
    for smaller, larger in itertools.pairwise(hold_outs):
        assert smaller.sum() < larger.sum()
        assert not (smaller & ~larger).any()


@pytest.mark.parametrize("sizes", [[1e9] * 5, [1e8, 1e9, 1e9, 1e8]])
def test_fewer_than_three_sizes_are_too_few(sizes):
    with pytest.raises(InputError, match=f"the training rows have {len(set(sizes))} sizes: .* at least 3"):
        inner_hold_outs(np.array(sizes))


# Choosing


def test_the_simpler_law_is_chosen_when_its_errors_are_larger_by_chance_only():
    best = a_judgement([0.010, 0.012, 0.011, 0.013], n_constants=6)
    simple = a_judgement([0.013, 0.010, 0.012, 0.012], n_constants=4)  # the difference is 0.00025 +- 0.00111
    assert choose([best, simple]) is simple


def test_the_better_law_is_chosen_when_it_is_better_throughout():
    best = a_judgement([0.010, 0.012, 0.011, 0.013], n_constants=6)
    simple = a_judgement([0.013, 0.014, 0.014, 0.015], n_constants=4)  # the difference is 0.0025 +- 0.0003
    assert choose([simple, best]) is best


def test_of_equally_many_constants_the_shorter_formula_is_chosen():
    long, short = a_judgement([0.010, 0.012], nodes=3), a_judgement([0.012, 0.011], nodes=2)
    assert choose([long, short]) is short


def test_of_equal_forms_the_smaller_error_is_chosen():
    worse, better = a_judgement([0.010, 0.013]), a_judgement([0.012, 0.010])
    assert choose([worse, better]) is better


def test_an_insane_law_is_never_chosen():
    perfect = a_judgement([0.0, 0.0], n_constants=1, sane=False)
    assert choose([perfect, a_judgement([0.3, 0.4], n_constants=7)]).law.formula != perfect.law.formula
    assert choose([perfect]) is None


def test_a_law_without_finite_predictions_is_never_chosen():
    broken = a_judgement([0.0, np.inf], n_constants=1)
    other = a_judgement([0.3, 0.4])
    assert choose([broken, other]) is other
    assert choose([broken]) is None


def test_without_laws_none_is_chosen():
    assert choose([]) is None


def test_a_law_with_undetermined_constants_must_earn_it():
    known = a_judgement([0.010, 0.012], n_constants=6)
    slightly = a_judgement([0.009, 0.011], n_constants=5, determined=False)
    greatly = a_judgement([0.001, 0.001], n_constants=5, determined=False)
    assert choose([known, slightly]) is known
    assert choose([known, greatly]) is greatly
    assert choose([slightly]) is slightly


def test_a_law_is_determined_by_its_exponents_and_floor_in_any_unit():
    shape = skeleton(parse("1.8 + 480.0*N**-0.35 + 2000.0*D**-0.37", features=["N", "D"]), ["N", "D"])
    law = Law("found_01", "", shape.formula, {"N": "", "D": ""}, shape.constants, kind="found")
    fitted = fit(law, ROWS.columns, ROWS.target)

    def determined(**changes: dict[str, float]) -> bool:
        parts = {key: {**getattr(fitted, key), **change} for key, change in changes.items()}
        return Judged(replace(fitted, **parts), np.array([0.1]), 0.1, []).determined

    assert determined()
    assert not determined(errors={"beta": 0.5})
    assert not determined(values={"E0": 0.0})  # at its bound
    assert determined(errors={"B": 5000.0})  # the error of a scale grows with the unit of D
    assert not determined(errors={"B": np.nan})  # it trades off with another


# Judging


@pytest.fixture(scope="module")
def baselines() -> list[Judged]:
    null = load_law("powerlaw_one_feature")
    laws = [load_law("constant"), null.on("N"), null.on("D"), HOFFMANN]
    return judge_baselines(laws, ROWS, Objective(), seed=0, jobs=1)


def test_baselines_are_fitted_on_all_training_rows_and_judged_on_the_larger_ones(baselines):
    *nulls, published = baselines
    assert published.fit.n_rows == 40
    assert published.fit.values == pytest.approx(fit(HOFFMANN, ROWS.columns, ROWS.target).values, rel=1e-6)
    assert published.inner_error < 0.01  # the noise is 0.004
    assert min(judged.inner_error for judged in nulls) > 10 * published.inner_error
    assert published.sane
    assert published.engine == ""


def test_the_inner_error_is_that_of_a_fit_on_the_smaller_sizes(baselines):
    held = inner_hold_outs(N)[0]
    small = fit(HOFFMANN, {"N": N[~held], "D": D[~held]}, ROWS.target[~held])
    prediction = small.predict({"N": N[held], "D": D[held]})
    assert baselines[-1].inner_rmse == pytest.approx(score(prediction, ROWS.target[held]).rmse, rel=1e-4)


def test_each_size_that_was_held_out_counts_once(baselines):
    errors: dict[float, list[float]] = {}
    for held in inner_hold_outs(N):
        small = fit(HOFFMANN, {"N": N[~held], "D": D[~held]}, ROWS.target[~held])
        residual = np.abs(np.log(small.predict({"N": N[held], "D": D[held]}) / ROWS.target[held]))
        for size in np.unique(N[held]):
            errors.setdefault(size, []).append(residual[N[held] == size].mean())
    assert len(baselines[-1].inner_errors) == len(errors)
    for found, size in zip(baselines[-1].inner_errors, sorted(errors), strict=True):
        assert 0.999 * min(errors[size]) <= found <= 1.001 * max(errors[size])


def test_a_law_that_the_rows_cannot_determine_is_left_out():
    many = a_law(" + ".join(f"c{k}*N**-{k}" for k in range(50)), *(f"c{k}" for k in range(50)))
    assert judge_baselines([many], ROWS, Objective(), seed=0, jobs=1) == []


def test_a_law_that_only_the_whole_determines_has_no_finite_inner_error():
    names = [f"c{k}" for k in range(6)]
    many = a_law(" + ".join(f"{name}*N**-{k / 10}" for k, name in enumerate(names, 1)), *names)
    (judged,) = judge_baselines([many], ROWS.part(D.min() == D), Objective(), seed=0, jobs=1)
    assert judged.fit.n_rows == 8  # and 45 % held out leave fewer rows than constants
    assert judged.inner_error == np.inf
    assert choose([judged]) is None


def proposal(formula: str, **start: float) -> Proposal:
    law = a_law(formula, *start)
    return Proposal(law, start, (Candidate(formula, 5, 0.1, "operon", 0),))


PROPOSALS = [
    proposal("E0 + A/N**alpha + B/D**beta", **TRUTH),
    proposal("A/N**alpha", A=30.0, alpha=0.1),
    proposal("A/D**alpha", A=30.0, alpha=0.1),
    proposal("A*N**(-alpha)*D**(-beta)", A=50.0, alpha=0.05, beta=0.05),
    proposal("A*exp(-alpha*log(N)) + B*exp(-beta*log(D)) + E0", **TRUTH),  # the first, written otherwise
    proposal("a - A*log(N)", a=8.0, A=0.3),
    proposal("log(a - N)", a=2.0),  # no real value on any row
    proposal("A/(N*D)**alpha + E0", A=100.0, alpha=0.2, E0=1.5),
    *(proposal(f"A/N**alpha + {k}.5", A=100.0, alpha=0.3) for k in range(FINALISTS + 2)),
]


def test_of_twins_one_is_kept_and_of_each_number_of_constants_a_few():
    judged = judge_proposals(PROPOSALS, ROWS, Objective(), seed=0, jobs=1)
    formulas = [each.law.formula for each in judged]
    assert sum(len(each.law.constants) == 5 for each in judged) == 1  # the twins' predictions agree
    assert "log(a - N)" not in formulas
    assert sum(len(each.law.constants) == 2 for each in judged) <= FINALISTS
    chosen = choose(judged)
    assert len(chosen.law.constants) == 5
    assert chosen.fit.values["alpha"] == pytest.approx(0.35, abs=0.05)
    assert chosen.engine == "operon"
    # A logarithm fits worse and falls below zero without end.
    assert not next(each for each in judged if each.law.formula == "a - A*log(N)").sane


def test_the_number_of_processes_changes_nothing():
    alone, together = (judge_proposals(PROPOSALS, ROWS, Objective(), seed=0, jobs=jobs) for jobs in (1, 2))
    assert [each.law.formula for each in alone] == [each.law.formula for each in together]
    for one, other in zip(alone, together, strict=True):
        assert one.fit.values == other.fit.values
        assert one.fit.errors == pytest.approx(other.fit.errors, rel=0, abs=0, nan_ok=True)
        assert np.array_equal(one.inner_errors, other.inner_errors)


def test_rows_of_the_axis_are_the_ones_held_out():
    # Along D, the largest D are predicted: the same law, other errors.
    along_d = judge_baselines([HOFFMANN], replace(ROWS, axis="D"), Objective(), seed=0, jobs=1)[0]
    held = inner_hold_outs(D)[0]
    small = fit(HOFFMANN, {"N": N[~held], "D": D[~held]}, ROWS.target[~held])
    expected = score(small.predict({"N": N[held], "D": D[held]}), ROWS.target[held]).rmse
    assert along_d.inner_rmse == pytest.approx(expected, rel=1e-4)


def test_targets_that_can_be_negative_are_judged_by_their_residual():
    law = a_law("20 - A*log(N)", "A")
    target = 20 - 1.2 * np.log(N)
    assert target.min() < 0
    rows = replace(ROWS, target=target + 0.01, positive=False)
    (judged,) = judge_baselines([law], rows, Objective.suited_to(rows.target), seed=0, jobs=1)
    assert judged.inner_error < 0.02
    assert judged.sane  # a loss that must be positive could not fall without end
    assert not judge_baselines([law], replace(rows, positive=True), judged.fit.objective, seed=0, jobs=1)[0].sane


# Groups, and rows without a size


def grouped_rows() -> Rows:
    """Three groups of 8, 8 and 2 sizes."""
    groups = np.repeat(np.array(["a", "b", "c"], dtype=object), [8, 8, 2])
    sizes = np.concatenate([np.geomspace(1e6, 1e8, 8), np.geomspace(1e8, 1e10, 8), [1e7, 1e8]])
    target = 1.5 + np.where(groups == "a", 400.0, 90.0) / sizes**0.3
    return Rows({"N": sizes}, target, {"N": "size"}, axis="N", groups=groups)


def test_every_group_is_split_along_its_own_sizes():
    rows = grouped_rows()
    for held in hold_outs(rows):
        for name in ("a", "b"):
            inside = rows.of_group(name)
            small, large = rows.columns["N"][inside & ~held], rows.columns["N"][inside & held]
            assert len(small) >= 2
            assert len(large) >= 1
            assert small.max() < large.min()
        assert not held[rows.of_group("c")].any()  # two sizes: there is nothing to hold out


def test_groups_that_all_have_too_few_sizes_are_told():
    rows = grouped_rows()
    with pytest.raises(InputError, match="no group has three sizes N"):
        hold_outs(rows.part(rows.of_group("c")))


def mixture_rows() -> Rows:
    shares = np.random.default_rng(0).dirichlet(np.ones(3), size=12)
    columns = {f"r_{k}": np.repeat(shares[:, k], 2) for k in range(3)}  # each setting in two rows
    return Rows(columns, np.exp(-columns["r_0"]), dict.fromkeys(columns, "mixture"), axis=None)


def test_without_a_size_the_folds_are_of_settings_and_each_is_held_out_once():
    rows = mixture_rows()
    folds = hold_outs(rows)
    assert len(folds) == FOLDS
    assert np.sum(folds, axis=0).tolist() == [1] * 24
    assert all((fold[::2] == fold[1::2]).all() for fold in folds)  # rows of one setting stay together
    assert [fold.tolist() for fold in folds] == [fold.tolist() for fold in hold_outs(rows)]


def test_too_few_settings_are_told():
    few = mixture_rows().part(np.arange(24) < 10)
    with pytest.raises(InputError, match="the training rows have 5 settings: choosing a law needs 8 or more"):
        hold_outs(few)


def test_found_laws_are_judged_on_all_groups():
    rows = grouped_rows()
    rows = rows.part(~rows.of_group("c"))
    floor = a_law("E0 + A/N**alpha", "E0", "A", "alpha")
    start = {"E0": 1.5, "A": 200.0, "alpha": 0.3}
    candidate = Candidate("1.5 + 200.0*N**-0.3", 7, 0.1, "told", 0)
    (judged,) = judge_proposals([Proposal(floor, start, (candidate,))], rows, Objective(), seed=0, jobs=1)
    assert list(judged.fit.parts) == ["a", "b"]
    assert judged.fit.parts["a"].values["A"] == pytest.approx(400, rel=1e-4)
    assert judged.fit.parts["b"].values["A"] == pytest.approx(90, rel=1e-4)
    assert judged.inner_error < 1e-6
    assert judged.sane


def test_a_check_fails_when_more_than_a_quarter_of_the_groups_fail_it():
    sizes = np.tile(np.geomspace(1e6, 1e9, 6), 4)
    groups = np.repeat(np.array(list("abcd"), dtype=object), 6)
    law = a_law("A*N**alpha", "A")
    law = replace(law, constants={**law.constants, "alpha": Constant(range=(-1, 1))})
    verdicts = []
    for rising in (["d"], ["c", "d"]):
        slope = np.where(np.isin(groups, rising), 0.05, -0.1)
        rows = Rows({"N": sizes}, 3.0 * (sizes / 1e6) ** slope, {"N": "size"}, axis="N", groups=groups)
        (judged,) = judge_baselines([law], rows, Objective(), seed=0, jobs=1)
        line = next(check for check in judged.checks if check.name == "falls in N")
        verdicts.append(line.verdict)
        assert f"in {len(rising)} of 4 groups, as {rising[0]}: rises at" in line.witness
    assert verdicts == ["unknown", "fail"]
