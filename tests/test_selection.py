"""Judging found laws from the training rows alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.distil import Proposal
from discover.engines import Candidate
from discover.fitting import Objective, fit
from discover.law import Constant, Law, load_law
from discover.scoring import score
from discover.selection import (
    Judged,
    Rows,
    choose,
    choose_objective,
    ensemble,
    judge_baselines,
    judge_carefully,
    judge_lightly,
)
from discover.selection.judging import FINALISTS

HOFFMANN = load_law("hoffmann")
TRUTH = {"E0": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}
N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 2e9, 8), np.geomspace(1e9, 3e11, 5), indexing="ij"))
NOISE = np.exp(0.004 * np.random.default_rng(0).normal(size=40))
ROWS = Rows({"N": N, "D": D}, HOFFMANN.predict({"N": N, "D": D}, TRUTH) * NOISE, {"N": "size", "D": "tokens"}, axis="N")


def a_law(formula: str, *names: str) -> Law:
    constants = {name: Constant(range=(1e-3, 1e6), positive=True, log=True) for name in names}
    features = {name: "" for name in ("N", "D") if name in formula}
    return Law("mine", "mine", formula, features, constants, kind="found")


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


def test_a_judgement_has_the_residuals_of_all_rows_and_predictions_beyond_them_on_the_same_scale(baselines):
    judged = baselines[-1]
    assert judged.residuals == pytest.approx(np.abs(np.log(judged.fit.predict(ROWS.columns) / ROWS.target)))
    noise = np.abs(np.log(NOISE)).mean()
    assert 0.7 * noise < judged.residuals.mean() < noise  # what is fitted to the rows is nearer to them than the truth
    assert ROWS.beyond.columns["N"].max() > N.max()
    assert judged.beyond == pytest.approx(np.log(judged.fit.predict(ROWS.beyond.columns)))


def test_the_inner_errors_are_those_of_fits_on_the_smaller_sizes(baselines):
    judged = baselines[-1]
    errors: dict[tuple[str, int], list[float]] = {}
    for number, split in enumerate(ROWS.splits):
        small = fit(HOFFMANN, {"N": N[split.train], "D": D[split.train]}, ROWS.target[split.train])
        prediction = small.predict({"N": N[split.test], "D": D[split.test]})
        residual = np.abs(np.log(prediction / ROWS.target[split.test]))
        for size in np.unique(split.place[split.test]):
            errors.setdefault((split.axis, size), []).append(residual[split.place[split.test] == size].mean())
        if number == 0:
            assert judged.inner_rmse == pytest.approx(score(prediction, ROWS.target[split.test]).rmse, rel=1e-3)
    # Each size of each axis counts once, whatever number of rows it has and of hold-outs that ask for it.
    expected = [float(np.exp(np.mean(np.log(each)))) for each in errors.values()]
    apart = np.abs(judged.inner_errors / expected - 1)
    assert np.median(apart) < 1e-3
    assert np.mean(apart < 0.05) > 0.9  # one split leaves too few rows to settle the exponents


def test_a_law_that_the_rows_cannot_determine_is_left_out():
    many = a_law(" + ".join(f"c{k}*N**-{k}" for k in range(50)), *(f"c{k}" for k in range(50)))
    assert judge_baselines([many], ROWS, Objective(), seed=0, jobs=1) == []


def test_a_law_that_only_the_whole_determines_has_no_finite_inner_error():
    names = [f"c{k}" for k in range(7)]
    many = a_law(" + ".join(f"{name}*N**-{k / 10}" for k, name in enumerate(names, 1)), *names)
    (judged,) = judge_baselines([many], ROWS.part(D.min() == D), Objective(), seed=0, jobs=1)
    assert judged.fit.n_rows == 8  # and a hold-out leaves fewer rows than constants
    assert judged.inner_error == np.inf
    assert choose([judged]) is None


def proposal(formula: str, loss: float = 0.1, **start: float) -> Proposal:
    law = a_law(formula, *start)
    return Proposal(law, start, (Candidate(formula, 5, loss, "operon", 0),))


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


def judge_proposals(proposals: list[Proposal], rows: Rows = ROWS, jobs: int = 1) -> list[Judged]:
    """Both stages of judging found laws."""
    lightly = judge_lightly(proposals, rows, Objective(), seed=0, jobs=jobs)
    return judge_carefully(lightly, rows, Objective(), seed=0, jobs=jobs)


def test_of_twins_one_is_kept_and_of_each_number_of_constants_a_few():
    judged = judge_proposals(PROPOSALS)
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


def test_the_law_of_the_lowest_loss_passes_the_first_round_whatever_its_inner_error():
    many = [proposal(f"A/N**alpha + {k / 10}", A=100.0, alpha=0.3) for k in range(FINALISTS + 3)]
    worst = "A*N**alpha*D**0.5"  # it grows with the tokens
    for loss, passes in ((0.2, False), (0.01, True)):
        judged = judge_lightly([*many, proposal(worst, loss, A=1.0, alpha=0.1)], ROWS, Objective(), seed=0, jobs=1)
        assert (worst in [each.law.formula for each in judged]) == passes


def test_the_number_of_processes_changes_nothing():
    alone, together = (judge_proposals(PROPOSALS, jobs=jobs) for jobs in (1, 2))
    assert [each.law.formula for each in alone] == [each.law.formula for each in together]
    for one, other in zip(alone, together, strict=True):
        assert one.fit.values == other.fit.values
        assert one.fit.errors == pytest.approx(other.fit.errors, rel=0, abs=0, nan_ok=True)
        assert np.array_equal(one.inner_errors, other.inner_errors)


def test_targets_that_can_be_negative_are_judged_by_their_residual():
    law = a_law("20 - A*log(N)", "A")
    target = 20 - 1.2 * np.log(N)
    assert target.min() < 0
    rows = replace(ROWS, target=target + 0.01, positive=False)
    (judged,) = judge_baselines([law], rows, Objective.suited_to(rows.target), seed=0, jobs=1)
    assert judged.inner_error < 0.02
    assert judged.residuals == pytest.approx(np.abs(rows.target - judged.fit.predict(rows.columns)))
    assert judged.beyond == pytest.approx(judged.fit.predict(rows.beyond.columns) - 1)
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
    for split in rows.splits:
        for name in ("a", "b"):
            inside = rows.of_group(name)
            small, large = rows.columns["N"][inside & split.train], rows.columns["N"][inside & split.test]
            assert len(small) >= 2
            assert len(large) >= 1
            assert small.max() < large.min()
        assert not split.test[rows.of_group("c")].any()  # two sizes: there is nothing to hold out


def test_found_laws_are_judged_on_all_groups():
    rows = grouped_rows()
    rows = rows.part(~rows.of_group("c"))
    floor = a_law("E0 + A/N**alpha", "E0", "A", "alpha")
    start = {"E0": 1.5, "A": 200.0, "alpha": 0.3}
    candidate = Candidate("1.5 + 200.0*N**-0.3", 7, 0.1, "told", 0)
    (judged,) = judge_proposals([Proposal(floor, start, (candidate,))], rows)
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


# The loss, the average, and how stable the choice is


def noisy_rows(noise: np.ndarray) -> Rows:
    return replace(ROWS, target=HOFFMANN.predict({"N": N, "D": D}, TRUTH) * np.exp(noise))


def test_the_loss_is_chosen_by_the_noise():
    generator = np.random.default_rng(1)
    normal = 0.01 * generator.normal(size=40)
    wild = np.where(generator.random(40) < 0.3, 0.4, 0.001) * np.abs(generator.normal(size=40))
    default = Objective()
    chosen = {}
    for name, noise in (("normal", normal), ("wild", wild)):
        rows = noisy_rows(noise)
        lightly = judge_lightly(PROPOSALS[:4], rows, default, seed=0, jobs=1)
        choice = choose_objective(lightly, rows, default, seed=0, jobs=1)
        assert len(choice.errors) == 4
        assert str(choice.objective) in choice.errors
        chosen[name] = choice
    assert chosen["wild"].objective == default  # rows that went wrong would bend a squared loss
    assert chosen["wild"].errors["log_squared"] > 1.5 * chosen["wild"].errors[str(default)]
    assert chosen["normal"].errors["log_squared"] < 1.5 * chosen["normal"].errors[str(default)]


def test_without_a_sane_law_the_loss_stays():
    choice = choose_objective([], ROWS, Objective(delta=0.02), seed=0, jobs=1)
    assert choice.objective == Objective(delta=0.02)
    assert choice.errors == {}


def test_an_average_is_the_median_of_the_best_sane_laws():
    judged = judge_proposals(PROPOSALS)
    average = ensemble(judged, choose(judged), ROWS, Objective())
    assert all(one.sane for one in average.members)
    assert average.members[0].inner_error == min(one.inner_error for one in average.members)
    columns = {"N": np.array([1e10]), "D": np.array([1e11])}
    each = [float(one.fit.predict(columns, None)[0]) for one in average.members]
    assert average.predict(columns, None)[0] == pytest.approx(np.median(each))
    assert not average.better  # one of them is the true law
    assert ensemble(judged[:2], None, ROWS, Objective()) is None
