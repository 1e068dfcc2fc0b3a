"""Published numbers computed anew: what agrees, to how many digits, and what a card that is wrong is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discover.errors import InputError
from discover.law import load_law
from discover.law_card import Reproduction
from discover.report.reproduced import reproductions_page
from discover.reproductions import Number, reproduce, reproductions

ALL = list(reproductions())
GENERATED = Reproduction(dataset="synthetic_chinchilla", refit=True, errors={"r2": 0.999, "mape": 0.4, "loss": 1.0})


@pytest.mark.parametrize(
    ("published", "ours", "digits"),
    [
        (0.0218, 0.02182, 3),  # to all digits that are shown
        (0.0218, 0.02186, 2),
        (0.0218, 0.0226, 1),
        (482.01, 477.83, 1),
        (1.5e8, 1.5e8, 2),
        (-0.713, -0.708, 1),
        (2.0, 4.0, 0),
        (1.0, float("inf"), 0),
        (None, 1.0, None),
    ],
)
def test_digits_that_agree_are_counted(published: float | None, ours: float, digits: int | None) -> None:
    assert Number("x", published, ours).digits() == digits


def test_zeros_at_the_end_of_a_printed_number_count() -> None:
    assert Number("x", 0.008, 0.00769).agrees()
    assert not Number("x", 0.008, 0.00769, shown="0.0080").agrees()
    assert Number("x", 0.008, 0.00804, shown="0.0080").agrees()
    assert Number("x", 0.008, 0.00804, shown="0.0080").digits() == 2
    assert Number("x", 0.979, 0.97902, shown="0.9790").digits() == 4


def test_a_difference_is_told_in_published_errors() -> None:
    assert Number("A", 482.01, 477.83, 124.58).in_errors() == pytest.approx(-4.18 / 124.58)
    assert Number("A", 482.01, 477.83).in_errors() is None


def test_the_registry_names_what_the_field_asks_for() -> None:
    pairs = {(law.name, reproduction.dataset) for law, _, reproduction in ALL}
    assert pairs >= {
        ("hoffmann", "chinchilla_epoch"),
        ("muennighoff", "datablations"),
        ("clark_saturating", "routed_moe"),
        ("farseer", "farseer"),
        ("step_law_lr", "steplaw_optima_eta"),
        ("step_law_b", "steplaw_optima_batch"),
        ("ye_m4", "mixinglaws_5mix"),
        ("rectified_sft", "rectified_sft"),
        ("vanilla_sft", "rectified_sft"),
    }
    assert all(law.name == "hoffmann" for law, _, _ in reproductions(["hoffmann"]))
    with pytest.raises(InputError, match="unknown law 'hofman'"):
        list(reproductions(["hofman"]))


def test_a_fit_gives_the_constants_back_that_made_the_rows() -> None:
    law = load_law("hoffmann")
    made = reproduce(law, law.published[2], GENERATED)
    assert made.n_rows == 99
    assert [number.name for number in made.constants] == list(law.constants)
    alpha = next(number for number in made.constants if number.name == "alpha")
    assert alpha.ours == pytest.approx(0.3478, abs=0.01)
    assert alpha.error == 0.015
    with_published, fitted = ({n.name: n.ours for n in numbers} for numbers in (made.errors, made.refit_errors))
    assert fitted["loss"] <= with_published["loss"]  # the optimum of these rows is no worse than the truth
    assert with_published["r2"] == pytest.approx(0.9996, abs=2e-4)


def test_fixed_constants_keep_their_published_values() -> None:
    law = load_law("hoffmann")
    made = reproduce(law, law.published[2], GENERATED.model_copy(update={"fixed": ["E0", "A", "alpha"]}))
    assert [number.name for number in made.constants] == ["B", "beta"]
    assert made.fit is not None
    assert made.fit.parts[""].values["A"] == law.published[2].values["A"]


def test_without_published_constants_the_law_is_fitted_to_its_rows() -> None:
    made = reproduce(load_law("hoffmann"), None, GENERATED)
    assert made.errors == ()
    assert made.constants == ()
    assert {number.name for number in made.refit_errors} == {"r2", "mape", "loss"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": "N > 1e20"}, "no row of 'synthetic_chinchilla' is left"),
        ({"group": "code"}, "dataset 'synthetic_chinchilla' has no groups"),
        ({"dataset": "nosuch"}, "unknown dataset 'nosuch'"),
    ],
)
def test_a_reproduction_that_cannot_be_made_says_why(change: dict[str, str], message: str) -> None:
    law = load_law("hoffmann")
    with pytest.raises(InputError, match=message):
        reproduce(law, law.published[0], GENERATED.model_copy(update=change))


def test_constants_of_a_dataset_in_groups_need_the_name_of_their_group(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(
        "g,N,L\n" + "".join(f"{g},{n}e8,{3 - 0.1 * n}\n" for g in "ab" for n in range(1, 9))
    )
    (tmp_path / "mine.toml").write_text(
        'title = "Mine"\nfiles = [{ path = "runs.csv" }]\ntarget = { column = "L" }\ngroup = { columns = ["g"] }\n'
        '[features]\nN = { column = "N", kind = "size" }\n'
    )
    law = load_law("kaplan_n")
    told = GENERATED.model_copy(update={"dataset": str(tmp_path / "mine.toml")})
    with pytest.raises(InputError, match="its rows are in groups: name the group"):
        reproduce(law, law.published[0], told)


def test_the_page_shows_published_numbers_beside_ours() -> None:
    law = load_law("hoffmann")
    told = GENERATED.model_copy(update={"because": "the rows are generated"})
    page = reproductions_page([reproduce(law, law.published[2], told), reproduce(law, law.published[0], GENERATED)])
    assert page.count("## `hoffmann`") == 1
    assert "| alpha | 0.3478 |" in page
    assert "Where they differ: the rows are generated." in page
    assert "| R2 | 0.999 |" in page
    made = replace(reproduce(law, law.published[0], GENERATED), refit_errors=(), fit=None, constants=())
    assert "fitted here" not in reproductions_page([made]).split("## `hoffmann`")[1]


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(
    "case", [c for c in ALL if c[0].name not in ("ye_m4", "vanilla_sft")], ids=lambda c: f"{c[0].name}-{c[2].dataset}"
)
def test_published_errors_are_reproduced_to_all_their_digits(case) -> None:  # type: ignore[no-untyped-def]
    law, published, reproduction = case
    made = reproduce(law, published, reproduction.model_copy(update={"refit": published is None}))
    loose = {("hoffmann", "rmse"): 1e-4, ("hoffmann", "r2"): 1e-4}  # 0.0303 holds for rounded exponents, ours is 0.0302
    for number in made.errors if published is not None else made.refit_errors:
        if number.published is None:
            continue
        if published is None:  # the source's own fits stop short of the optimum: ours may be a little better
            assert 0.9 * number.published < number.ours <= number.published * 1.01
        elif published.source.startswith("Besiroglu et al. 2024 (arXiv") and number.name == "loss":
            assert number.ours >= number.published  # printed is the optimum's, the constants are bootstrap means
        else:
            slack = loose.get((law.name, number.name), 0.0)
            assert number.agrees() or abs(number.ours - number.published) < slack


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_the_best_fits_of_chinchillas_form_are_those_that_were_published() -> None:
    law = load_law("hoffmann")
    for published in law.published:
        for reproduction in published.reproductions:
            if reproduction.refit and reproduction.dataset == "chinchilla_epoch":
                made = reproduce(law, published, reproduction)
                values = {number.name: number.ours for number in made.constants}
                assert values["E0"] == pytest.approx(1.8172, abs=5e-5)
                assert values["alpha"] == pytest.approx(0.34731, abs=2e-5)
                assert values["beta"] == pytest.approx(0.36718, abs=2e-5)


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_step_laws_exponents_come_out_of_the_raw_sweep() -> None:
    for name, exponents in (("step_law_lr", ("alpha", "beta")), ("step_law_b", ("beta",))):
        law = load_law(name)
        first = next(r for r in law.published[0].reproductions if "optima" in r.dataset)
        made = reproduce(law, law.published[0], first)
        for number in made.constants:
            if number.name in exponents:
                assert number.in_errors() is not None
                assert abs(number.in_errors()) < 1  # within one standard deviation of the published bootstraps


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_the_plain_power_law_of_fine_tuning_is_as_bad_as_the_paper_says() -> None:
    law = load_law("vanilla_sft")
    made = reproduce(law, None, law.reproductions[0])
    # The optimum of Huber's loss, which the paper minimises too, is not that of the error which it prints.
    assert made.refit_errors[0].ours == pytest.approx(0.0364, rel=0.05)
    assert np.isfinite(made.refit_errors[0].ours)
