"""Relations by formula: the table of what is known of published laws, and what the search may not do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from known_relations import NEITHER, SAME, SPECIAL

from discover.disguise import Symbolically
from discover.law import Constant, Law, load_law


@pytest.fixture(scope="module")
def compare() -> Iterator[Symbolically]:
    with Symbolically(seconds=20.0) as symbolically:
        yield symbolically


def law(name: str) -> Law:
    loaded = load_law(name)
    return loaded.on("N") if loaded.any_feature else loaded


@pytest.mark.parametrize(("special", "general", "settings"), SPECIAL)
def test_a_special_case_is_told_with_its_settings(
    special: str, general: str, settings: set[str], compare: Symbolically
) -> None:
    found = compare(law(special), law(general))
    assert found.relation == "special case"
    assert set(found.settings) == settings


def test_seen_from_the_other_side_it_is_a_generalisation(compare: Symbolically) -> None:
    found = compare(law("skaling"), law("hoffmann"))
    assert (found.relation, found.settings) == ("generalisation", ("k = 1",))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_law_by_two_names_is_the_same(one: str, other: str, compare: Symbolically) -> None:
    assert compare(law(one), law(other)).relation == "same"
    assert compare(law(other), law(one)).relation == "same"


@pytest.mark.parametrize(("one", "other"), NEITHER)
def test_where_nothing_is_found_that_is_no_answer(one: str, other: str, compare: Symbolically) -> None:
    found = compare(law(one), law(other))
    assert found.relation == "could not tell"
    assert found.reason
    assert found.settings == ()


def test_every_law_is_itself(compare: Symbolically) -> None:
    for name in ("hoffmann", "kaplan_nd", "farseer", "clark_saturating", "practical_saturating", "ye_m1", "tao_vocab"):
        assert compare(law(name), law(name)).relation == "same", name


def test_the_constants_in_terms_of_the_other_laws_are_given(compare: Symbolically) -> None:
    found = compare(law("gadre"), law("hoffmann"))
    assert found.constants["alpha"] == "2*eta"
    assert found.constants["A"] == "a/6**eta"


def found_law(formula: str, names: str, features: str = "N D", **signs: bool) -> Law:
    constants = {name: Constant(range=(0.1, 9), positive=signs.get(name, True)) for name in names.split()}
    return Law("found", "", formula, dict.fromkeys(features.split(), ""), constants, kind="found")


def test_a_found_law_is_known_whatever_its_constants_are_called(compare: Symbolically) -> None:
    same = found_law("a + exp(b - c*log(D)) + (d/N)**f", "a b c d f")
    assert compare(same, law("hoffmann")).relation == "same"


def test_a_positive_constant_is_not_set_to_less_than_nothing(compare: Symbolically) -> None:
    target = found_law("a + b*N", "a b", "N")
    for positive, relation in ((True, "could not tell"), (False, "special case")):
        assert compare(target, found_law("a + b*N**(-c)*D**d", "a b c d", c=positive)).relation == relation


def test_a_product_of_sums_is_a_special_case_of_its_terms(compare: Symbolically) -> None:
    product = found_law("k*(a + N)*(b + D)", "k a b")
    assert compare(product, found_law("p + q*N + s*D + t*N*D", "p q s t")).relation == "special case"


def test_a_found_law_over_components_meets_a_published_one_over_their_mixture(compare: Symbolically) -> None:
    mixture = law("ye_m4").bind({"r": ("code", "web")})
    assert compare(law("mixture_loglinear"), mixture).settings == ("E0 = 0",)
    components = found_law("exp(a*r_code + b*r_web)", "a b", "r_code r_web")
    assert compare(components, mixture).settings == ("E0 = 0",)


def test_what_takes_too_long_is_not_told_but_ends() -> None:
    start = time.monotonic()
    with Symbolically(seconds=0.1) as hasty:
        found = hasty(law("hoffmann"), law("farseer"))
        again = hasty(law("hoffmann"), law("skaling"))
    assert (found.relation, found.reason) == ("could not tell", "the time limit passed")
    assert again.relation == "special case"
    assert time.monotonic() - start < 60
