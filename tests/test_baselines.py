"""Every law card of the project: it reproduces its paper's numbers, and predicts what is possible.

What the forms are limits of stands in ``tests/baselines``, a file a family of laws.
"""

from __future__ import annotations

import numpy as np
import pytest
from typical import MIXTURES, MORE_IS_BETTER, RUN, SPANS

from discover.cards import card_paths
from discover.law import Check, Law, Published, list_laws, load_law

LAWS = {law.name: law for law in list_laws()}
CHECKS = [
    pytest.param(law, published, check, id=f"{law.name}-{i}-{k}")
    for law in LAWS.values()
    for i, published in enumerate(law.published)
    for k, check in enumerate(published.checks)
]
PUBLISHED = [
    pytest.param(law, published, id=f"{law.name}-{i}")
    for law in LAWS.values()
    for i, published in enumerate(law.published)
]
OF_LOSS = [parameters for parameters in PUBLISHED if parameters.values[0].target == "L"]

# Laws whose constants were not seen in any source, or that have none to publish: each curve has its own.
NO_CONSTANTS = {"constant", "bnsl_1", "bnsl_2", "alabdulmohsin_m1", "alabdulmohsin_m2", "alabdulmohsin_m3"}
NO_CONSTANTS |= {"hestness_model_size", "rosenfeld", "gadre", "gadre_error", "busbridge_distillation"}
NO_CONSTANTS |= {"droppo_elibol", "practical_saturating", "frantar_sparsity", "ho_progress"}
NO_CONSTANTS |= {"upcycling", "upcycling_additive", "tao_vocab", "sae_scaling", "rectified_sft", "vanilla_sft"}
NO_CONSTANTS |= {"ye_m1", "ye_m2", "ye_m3", "ye_m4", "bimix", "dcpt", "shukor_additive", "shukor_joint"}
NO_CONSTANTS |= {"regmix_linear", "sldagent_mixture", "mixture_loglinear", "lr_bs_bowl"}
# Laws of which the source prints the constants and no number that follows from them.
CONSTANTS_ONLY = {"hestness_learning_curve", "kaplan_c", "henighan_n", "henighan_c", "henighan_n_opt"}
CONSTANTS_ONLY |= {"skaling", "farseer", "abnar_sparsity", "kumar_precision", "kumar_ptq", "parscale"}
CONSTANTS_ONLY |= {"tao_vocab_characters", "deepseek_lr", "deepseek_b", "step_law_flops_lr", "step_law_flops_b"}

# Losses per pixel, per code of an image or a video, per word piece of a caption, of code, or less a unigram model's.
OTHER_LOSSES = {
    "henighan_n": (0.2, 5),
    "henighan_c": (0.2, 5),
    "parscale": (0.9, 2.5),
    "tao_vocab_characters": (-6, -1),
}


# Where a law says on purpose that more can be worse: experts on few tokens; tokens of a model that is quantised later.
MORE_CAN_BE_WORSE = {("ludziejewski_joint_moe", "E"), ("kumar_ptq", "D")}


def test_every_card_loads_under_the_name_of_its_file() -> None:
    assert list(LAWS) == list(card_paths("baselines"))
    assert len(LAWS) >= 75


@pytest.mark.parametrize(("law", "published", "check"), CHECKS)
def test_the_numbers_of_the_source_are_reproduced(law: Law, published: Published, check: Check) -> None:
    assert law.check(check, published.values) == pytest.approx(check.value, abs=check.allowed(), rel=0)


@pytest.mark.parametrize(("law", "published", "check"), CHECKS)
def test_a_loose_check_says_why(law: Law, published: Published, check: Check) -> None:
    assert check.tolerance is None or check.because


@pytest.mark.parametrize("name", LAWS)
def test_every_law_whose_papers_numbers_are_at_hand_has_one_to_reproduce(name: str) -> None:
    has_one = any(published.checks for published in LAWS[name].published)
    assert has_one != (name in NO_CONSTANTS | CONSTANTS_ONLY), "a list of exceptions names it wrongly, or does not yet"


@pytest.mark.parametrize("name", LAWS)
def test_every_law_has_published_constants_but_those_listed(name: str) -> None:
    assert bool(LAWS[name].published) != (name in NO_CONSTANTS), "the list names it wrongly, or does not yet"


def test_the_exceptions_are_laws() -> None:
    assert set(LAWS) >= NO_CONSTANTS | CONSTANTS_ONLY | set(OTHER_LOSSES)


@pytest.mark.parametrize(("law", "published"), PUBLISHED)
def test_published_constants_are_legal_and_their_errors_positive(law: Law, published: Published) -> None:
    for name, constant in law.constants.items():
        assert constant.lower <= published.values[name] <= constant.upper
    assert set(published.errors) <= set(law.constants)
    assert all(error > 0 for error in published.errors.values())


@pytest.mark.parametrize(("law", "published"), OF_LOSS)
def test_published_constants_give_a_plausible_loss(law: Law, published: Published) -> None:
    loss = float(law.predict(RUN, published.values))
    if law.unit == "bits/character":  # of text: Shannon's guess of its entropy, and compressors
        assert 0.4 < loss < 1.5
    elif law.name in OTHER_LOSSES and not published.on.startswith("language"):
        low, high = OTHER_LOSSES[law.name]
        assert low < loss < high
    else:
        assert 1.5 < loss < 4


@pytest.mark.parametrize(("law", "published"), PUBLISHED)
def test_published_constants_give_a_plausible_optimum(law: Law, published: Published) -> None:
    # two PF-days and less: models were from 0.1B to 10B parameters, their data from 1B to 100B tokens
    plausible = {"N_opt": (1e8, 1e10), "D_opt": (1e9, 1e11), "M_opt": (6e8, 6e10), "S_min": (1e3, 1e6)}
    plausible |= {"B_crit": (1e5, 1e7), "B": (1e5, 1e7), "eta": (1e-4, 1e-2)}
    if law.target in plausible:
        low, high = plausible[law.target]
        assert low < float(law.predict(RUN, published.values)) < high


@pytest.mark.parametrize("name", LAWS)
def test_the_tests_know_a_typical_value_of_every_feature(name: str) -> None:
    assert set(LAWS[name].bind(MIXTURES).columns) <= set(RUN)
    assert set(LAWS[name].bind(MIXTURES).columns) <= set(SPANS)
    assert all(low <= RUN[symbol] <= high for symbol, (low, high) in SPANS.items())


@pytest.mark.parametrize("name", LAWS)
def test_every_constant_says_what_it_means_and_every_paper_is_named(name: str) -> None:
    law = LAWS[name]
    assert all(constant.meaning for constant in law.constants.values())
    assert all(law.features.values())
    assert law.cite is not None or law.kind == "null"


@pytest.mark.parametrize(
    "name", [name for name, law in LAWS.items() if law.cite is not None and law.kind == "published"]
)
def test_every_paper_has_one_key_title_and_year(name: str) -> None:
    cite = LAWS[name].cite
    others = [law.cite for law in LAWS.values() if law.cite is not None and law.cite.arxiv == cite.arxiv]
    assert cite.arxiv
    assert all(other == cite for other in others)


def test_the_constant_predicts_one_number_for_all_rows() -> None:
    law = load_law("constant")
    assert law.features == {}
    assert float(law.predict({}, {"c": 2.5})) == 2.5


def _largest_model(law: Law) -> float:
    """Parameters up to which more are never worse, where a law with its published constants turns up beyond."""
    if "E" in law.features:
        return 1e10  # Clark et al. find that routing stops helping near 1e11 parameters
    if law.name == "farseer":
        return 1e11  # the exponent of D falls with N: on 1e12 tokens and more it turns up beyond 1.5e11
    return MORE_IS_BETTER["N"][1]


@pytest.mark.parametrize("name", sorted({parameters.values[0].name for parameters in OF_LOSS}))
def test_a_larger_model_on_more_data_is_never_worse(name: str) -> None:
    law = LAWS[name]
    points = {1: 60, 2: 40, 3: 25}.get(len(law.features), 8)
    grids = {symbol: np.geomspace(*SPANS[symbol], 3) for symbol in law.features}  # where neither direction is better
    grids |= {
        symbol: np.geomspace(*MORE_IS_BETTER[symbol], points) for symbol in law.features if symbol in MORE_IS_BETTER
    }
    if "N" in law.features:
        grids["N"] = np.geomspace(1e6, _largest_model(law), points)
    mesh = np.meshgrid(*grids.values(), indexing="ij")
    for published in law.published:
        loss = law.predict(dict(zip(grids, mesh, strict=True)), published.values)
        assert np.isfinite(loss).all()
        for axis, feature in enumerate(grids):
            if feature in MORE_IS_BETTER and (name, feature) not in MORE_CAN_BE_WORSE:
                assert (np.diff(loss, axis=axis) <= 1e-12).all(), feature
