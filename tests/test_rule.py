"""The rule of choice on numbers alone: what decides among laws, and what bars one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import laplace

from discover.selection.rule import RULE, Evidence, Rule, chosen_place

ROWS = 40  # a claim costs 2 * log(40) = 7.38: residuals that are 9 % smaller, as 2 * 40 * log(0.912) = -7.38


@dataclass(frozen=True)
class Known:
    """What is known of one law: its inner errors at three or four sizes, and the rest as `Evidence` has it."""

    errors: Sequence[float] = (0.010, 0.012, 0.011, 0.013)
    constants: int = 3
    claims: int | None = None  # none besides the constants
    residual: float = 0.01
    complexity: int = 7
    sane: bool = True
    published: bool = False
    beyond: Sequence[float] = ()


def evidence_of(laws: Sequence[Known], groups: int = 1, axes: int = 1) -> Evidence:
    """The evidence of several laws."""
    return Evidence(
        log_errors=np.log([one.errors for one in laws]),
        constants=np.array([one.constants for one in laws]),
        claims=np.array([one.constants if one.claims is None else one.claims for one in laws]),
        complexity=np.array([one.complexity for one in laws]),
        sane=np.array([one.sane for one in laws], dtype=bool),
        published=np.array([one.published for one in laws], dtype=bool),
        beyond=np.array([one.beyond for one in laws], dtype=float),
        residual=np.array([one.residual for one in laws]),
        rows=ROWS,
        groups=groups,
        axes=axes,
    )


def chosen(*laws: Known, rule: Rule = RULE, groups: int = 1, axes: int = 1) -> Known | None:
    """The law that the rule chooses."""
    place = chosen_place(evidence_of(laws, groups, axes), rule)
    return None if place is None else laws[place]


PLAIN = Known()
ALIKE = (0.013, 0.010, 0.012, 0.012)  # differ from those of the plain law by 0.02 +- 0.10, in logarithms
WORSE = (0.013, 0.014, 0.014, 0.015)  # by 0.20 +- 0.03
SLIGHTLY = (0.0099, 0.0119, 0.0109, 0.0129)  # by -0.01 +- 0.001
BETTER = (0.008, 0.009, 0.0085, 0.010)  # by -0.26 +- 0.02


# Among laws that extrapolate alike


@pytest.mark.parametrize(("residual", "pays"), [(0.0094, False), (0.0090, True)])
def test_one_claim_more_must_make_the_residuals_of_the_rows_smaller(residual: float, pays: bool) -> None:
    few, more = PLAIN, Known(ALIKE, claims=4, residual=residual)
    assert chosen(few, more) is (more if pays else few)


def test_what_a_claim_costs_grows_with_the_groups() -> None:
    few, more = PLAIN, Known(ALIKE, claims=4, residual=0.0090)
    assert chosen(few, more, groups=1) is more
    assert chosen(few, more, groups=2) is few  # each group has the constant for itself


def test_the_lower_inner_error_decides_nothing() -> None:
    lower, closer = PLAIN, Known(ALIKE, residual=0.0095)
    assert chosen(lower, closer) is closer


def test_the_criterion_at_a_price_of_one_is_schwarzs_for_residuals_with_a_laplace_distribution() -> None:
    generator = np.random.default_rng(0)
    laws, expected = [], []
    for claims, width in ((3, 0.02), (5, 0.01)):
        residuals = width * generator.laplace(size=ROWS)
        location, scale = laplace.fit(residuals, floc=0.0)  # the most likely width
        likelihood = laplace.logpdf(residuals, location, scale).sum()
        laws.append(Known(claims=claims, residual=float(np.abs(residuals).mean())))
        expected.append(claims * np.log(ROWS) - 2 * likelihood)
    one, other = evidence_of(laws).criterion(claim=1.0)
    assert other - one == pytest.approx(expected[1] - expected[0])


def test_laws_that_hit_every_row_are_told_apart_by_their_claims() -> None:
    few, more = Known(residual=1e-15), Known(residual=0.0, claims=4)
    assert chosen(more, few) is few


def test_of_equal_criteria_the_better_score_decides_and_then_the_shorter_formula() -> None:
    worse, better = Known((0.010, 0.013), complexity=5), Known((0.012, 0.010))
    assert chosen(worse, better) is better
    long, short = Known((0.010, 0.012), complexity=9), Known((0.012, 0.010))
    assert chosen(long, short) is short


# Which laws extrapolate alike


def test_a_law_that_is_worse_throughout_is_not_chosen_however_well_it_fits() -> None:
    closest = Known(WORSE, residual=0.001)
    assert chosen(closest, PLAIN) is PLAIN
    about_as_good = replace(closest, errors=ALIKE)
    assert chosen(about_as_good, PLAIN) is about_as_good


def test_more_standard_errors_let_more_laws_be_alike() -> None:
    best, closer = Known((0.010, 0.012, 0.011)), Known((0.013, 0.012, 0.013), residual=0.005)  # by 0.14 +- 0.08
    assert chosen(best, closer, rule=Rule(standard_errors=1.0)) is best
    assert chosen(best, closer) is closer


def test_rows_that_come_again_along_other_axes_count_once() -> None:
    best = Known((0.10, 0.10, 0.10, 0.10))
    closer = Known((0.13, 0.11, 0.12, 0.10), residual=0.005)  # by 0.13 +- 0.06, of half as many sizes by +- 0.08
    assert chosen(best, closer) is best
    assert chosen(best, closer, axes=2) is closer


def test_of_one_size_the_lower_error_is_clearly_better() -> None:
    lower, closer = Known((0.0100,)), Known((0.0101,), residual=0.001)
    assert chosen(lower, closer) is lower


@pytest.mark.parametrize(("error", "pays"), [(0.0098, False), (0.0096, True)])
def test_a_constant_must_save_a_part_of_the_inner_error(error: float, pays: bool) -> None:
    # 3 %: a law with one constant more that saves less is not the best, with which the others are compared.
    few, more = Known([0.01] * 4), Known([error] * 4, constants=4)
    assert chosen(few, more) is (more if pays else few)
    assert chosen(few, more, rule=Rule(price=0.1)) is few


# What cannot be chosen


def test_a_law_that_fails_its_checks_or_predicts_nothing_finite_is_never_chosen() -> None:
    poor = Known([0.3, 0.4, 0.3, 0.4], residual=0.5)
    insane, broken = Known([1e-9] * 4, sane=False), Known([1e-9, 1e-9, 1e-9, np.inf])
    assert chosen(insane, broken, poor) is poor
    assert chosen(insane, broken) is None


def test_without_an_inner_error_nothing_is_chosen() -> None:
    assert chosen(Known(()), Known(())) is None


# Agreement beyond the data

AGREEING = [Known([0.010 + 0.0001 * k] * 4, constants=4, beyond=[0.50 + 0.01 * k] * 2) for k in range(4)]
APART = Known([0.0099] * 4, beyond=[0.2, 0.2])  # the median of all five is 0.51


def test_a_law_that_stands_apart_beyond_the_data_is_passed_over() -> None:
    assert chosen(*AGREEING, APART) is AGREEING[0]
    for lost in (np.inf, np.nan):
        assert chosen(*AGREEING, replace(APART, beyond=[0.5, lost])) is AGREEING[0]
        broken = Known([0.0100] * 4, constants=4, claims=9, beyond=[lost, lost])
        assert chosen(*AGREEING, *AGREEING, broken, APART) is AGREEING[0]  # it hides nobody else
    alike = replace(APART, beyond=[0.52, 0.52])
    assert chosen(*AGREEING, alike) is alike


def test_of_three_laws_none_stands_apart() -> None:
    assert chosen(*AGREEING[:2], APART, rule=Rule(agree=0.5)) is APART
    assert chosen(*AGREEING[:3], APART, rule=Rule(agree=0.5)) is not APART


def test_a_law_that_is_nearer_than_two_residuals_does_not_stand_apart() -> None:
    def among(residual: float, *others: Known) -> Known | None:
        laws = [replace(one, residual=residual) for one in (*AGREEING, APART)]
        place = chosen_place(evidence_of([*laws, *others]))
        return None if place is None else (*AGREEING, APART, *others)[place]

    assert among(0.15) is AGREEING[0]  # it is 0.31 from the median
    assert among(0.16) is APART
    # The law that fits best says how far rows are from a law.
    assert among(0.16, replace(AGREEING[2], residual=0.01)) is not APART


def test_an_agreeing_law_that_is_close_to_the_best_comes_before_others_that_are_not() -> None:
    best = replace(APART, errors=PLAIN.errors)
    close = Known(ALIKE, beyond=[0.51, 0.51])
    closer_fits = [Known(WORSE, residual=0.005, beyond=[0.50 + 0.01 * k] * 2) for k in range(3)]
    assert chosen(best, *closer_fits, close) is close


# Published laws


@pytest.mark.parametrize(
    ("errors", "residual", "instead"),
    [(BETTER, 0.009, True), (SLIGHTLY, 0.009, True), (BETTER, 0.011, False), (ALIKE, 0.005, False)],
    ids=["better and lower", "slightly better and lower", "better", "lower"],
)
def test_both_kinds_of_evidence_must_prefer_a_published_law(
    errors: Sequence[float], residual: float, instead: bool
) -> None:
    published = Known(errors, residual=residual, published=True)
    assert chosen(published, PLAIN) is (published if instead else PLAIN)


def test_of_published_laws_that_are_both_the_lowest_criterion_decides() -> None:
    better = Known(BETTER, residual=0.009, published=True)
    closer = Known([1.05 * error for error in BETTER], residual=0.008, published=True)
    assert chosen(PLAIN, better, closer) is closer


def test_without_a_sane_found_law_published_ones_are_chosen_among_by_the_same_rule() -> None:
    insane = Known(BETTER, residual=0.001, sane=False)
    known = Known(published=True)
    closer, clearly_worse = (Known(errors, residual=0.005, published=True) for errors in (ALIKE, WORSE))
    assert chosen(insane, known, closer) is closer
    assert chosen(insane, known, clearly_worse) is known


def test_published_laws_have_no_part_in_what_found_ones_agree_on() -> None:
    published = [replace(APART, errors=[0.0101] * 4, published=True)] * 6
    assert chosen(*AGREEING, APART, *published) is AGREEING[0]
