"""Relations by predictions: the table of what is known of published laws, at constants that are nothing special."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.disguise import Place, numerically
from discover.disguise.numeric import EQUAL, UNEQUAL
from discover.disguise.relation import relation
from discover.law import Constant, Law, load_law

SIZES = {"N": np.geomspace(5e7, 1e10, 9), "D": np.geomspace(1e9, 5e11, 9), "E": np.array([1.0, 4, 16, 64, 256, 512])}
VALUES = {
    "hoffmann": {"E0": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37},
    "gadre": {"E0": 1.8, "a": 240.0, "b": 300.0, "eta": 0.17},
    "skaling": {"E0": 1.6, "A": 900.0, "B": 3000.0, "alpha": 0.4, "beta": 0.42, "k": 0.7},
    "kaplan_nd": {"N_c": 8.8e13, "D_c": 5.4e13, "alpha_N": 0.076, "alpha_D": 0.095},
    "droppo_elibol": {"E0": 1.5, "N_c": 1e7, "D_c": 1e9, "alpha_N": 0.3, "alpha_D": 0.35, "alpha": 0.6},
    "clark_separable": {"a": -0.08, "b": -0.09, "d": 1.1},
    "clark_bilinear": {"a": -0.08, "b": -0.11, "c": 0.009, "d": 1.1},
    "clark_saturating": {"a": -0.08, "b": -0.11, "c": 0.009, "d": 1.1, "E_start": 2.0, "E_max": 300.0},
    "moe_powerlaw_floor": {"E0": 1.1, "K": 40.0, "a": 0.18, "b": 0.08},
    "moe_bilinear_floor": {"E0": 1.1, "k": 0.4, "a": 0.2, "b": 0.09, "c": 0.01},
    "vanilla_sft": {"E": 2.0, "A": 60.0, "alpha": 0.6, "beta": 0.4},
    "rectified_sft": {"E0": 1.2, "B": 90.0, "D_l": 60.0, "beta": 0.6},
    "mixture_loglinear": {"t_a": 0.3, "t_b": 1.1, "t_c": 0.7},
    "ye_m4": {"E0": 1.2, "t_a": -0.3, "t_b": 1.1, "t_c": 0.4},
    "ye_m2": {"E0": 1.2, "k": 0.3, "t_a": -2.0, "t_b": 1.1, "t_c": -0.4},
    "ye_m1": {"E0": 1.2, "k_a": 0.3, "k_b": 0.5, "k_c": 0.2, "t_a": -3.0, "t_b": -1.5, "t_c": 1.2},
    "regmix_linear": {"t_a": 1.3, "t_b": 2.1, "t_c": 1.7},
    "constant": {"c": 2.5},
}
KNOWN = [
    ("gadre", "hoffmann", "special case"),
    ("hoffmann", "skaling", "special case"),
    ("kaplan_nd", "skaling", "special case"),
    ("hoffmann", "droppo_elibol", "special case"),
    ("kaplan_nd", "hoffmann", "different"),
    ("skaling", "droppo_elibol", "different"),
    ("clark_separable", "clark_bilinear", "special case"),
    ("clark_bilinear", "clark_saturating", "special case"),
    ("clark_separable", "moe_powerlaw_floor", "special case"),
    ("moe_powerlaw_floor", "moe_bilinear_floor", "special case"),
    ("moe_powerlaw_floor", "clark_bilinear", "different"),
    ("vanilla_sft", "rectified_sft", "different"),
    ("mixture_loglinear", "ye_m4", "special case"),
    ("ye_m2", "ye_m1", "special case"),
    ("ye_m1", "ye_m4", "different"),
    ("regmix_linear", "ye_m1", "could not tell"),  # a limit of small t, in which k must run to infinity
]


def law(name: str) -> Law:
    loaded = load_law(name)
    return loaded.bind({"r": ("a", "b", "c")}) if loaded.mixtures else loaded


def place_of(*laws: Law) -> Place:
    """Rows over the features of some laws."""
    if any(law.mixtures for law in laws):
        shares = np.random.default_rng(3).dirichlet(np.ones(3), 60)
        return Place({f"r_{part}": shares[:, k] for k, part in enumerate("abc")}, linear=["r_a", "r_b", "r_c"])
    if laws[0].name == "vanilla_sft":
        return Place({"D": np.geomspace(200, 8e5, 14)})
    names = list(dict.fromkeys(name for law in laws for name in law.columns)) or ["N"]
    mesh = np.meshgrid(*(SIZES[name] for name in names), indexing="ij")
    return Place({name: axis.ravel() for name, axis in zip(names, mesh, strict=True)})


@pytest.mark.parametrize(("one", "other", "expected"), KNOWN)
def test_what_is_known_of_published_laws_is_told(one: str, other: str, expected: str) -> None:
    first, second = law(one), law(other)
    found = numerically(first, {"": VALUES[one]}, second, {"": VALUES[other]}, place_of(first, second))
    assert found.relation == expected
    if expected == "special case":
        assert found.met.residual < EQUAL
        assert found.meets.residual > UNEQUAL
    if expected == "could not tell":
        assert found.reason


def test_one_law_by_another_name_is_the_same() -> None:
    again = replace(
        law("hoffmann"),
        name="found",
        formula="c + exp(a - p*log(N)) + (k/D)**q",
        constants={
            "c": Constant(range=(0.1, 4), positive=True),
            "a": Constant(range=(0, 20)),
            "p": Constant(range=(0.05, 1.5), positive=True),
            "k": Constant(range=(1, 1e12), positive=True, log=True),
            "q": Constant(range=(0.05, 1.5), positive=True),
        },
    )
    values = {"c": 1.7, "a": 6.0, "p": 0.34, "k": 3e8, "q": 0.3}
    found = numerically(again, {"": values}, law("hoffmann"), {"": VALUES["hoffmann"]}, place_of(again))
    assert found.relation == "same"
    assert found.met.residual < 1e-12
    assert found.n_points == 81 + 256


def test_a_difference_of_a_millionth_is_no_equality() -> None:
    # Chinchilla's law with an exponent of nearly one outside: nearly the plain law, and no special case of it.
    nearly = {**VALUES["hoffmann"], "k": 1.0002}
    found = numerically(
        law("hoffmann"), {"": VALUES["hoffmann"]}, law("skaling"), {"": nearly}, place_of(law("hoffmann"))
    )
    assert found.relation == "special case"
    assert EQUAL < found.meets.residual < UNEQUAL
    assert "neither equal nor clearly not" in found.reason


def test_groups_must_all_agree() -> None:
    columns = place_of(law("skaling")).columns
    count = len(columns["N"])
    doubled = {name: np.tile(column, 2) for name, column in columns.items()}
    groups = np.repeat(["plain", "coupled"], count).astype(object)
    coupled = {"plain": {**VALUES["hoffmann"], "k": 1.0}, "coupled": VALUES["skaling"]}
    hoffmann = dict.fromkeys(("plain", "coupled"), VALUES["hoffmann"])
    both = numerically(law("skaling"), coupled, law("hoffmann"), hoffmann, Place(doubled, groups))
    assert both.relation == "generalisation"
    assert both.groups == ("coupled", "plain")
    assert both.n_points == 2 * (81 + 256)
    plain = numerically(
        law("skaling"), {"plain": coupled["plain"]}, law("hoffmann"), hoffmann, Place(columns, groups[:count])
    )
    assert plain.relation == "same"  # as fitted, the exponent outside does nothing there


def test_only_the_largest_groups_are_compared() -> None:
    counts = {"a": 10, "b": 40, "c": 30, "d": 20}
    groups = np.concatenate([np.full(count, name, dtype=object) for name, count in counts.items()])
    made = Place({"N": np.geomspace(1, 1e4, 100)}, groups).points()
    assert list(made) == ["b", "c", "d"]


def test_a_law_without_a_value_within_the_data_is_not_told() -> None:
    pole = Law(
        "pole",
        "",
        "A*log(N - a)",
        {"N": ""},
        {"A": Constant(range=(1, 9), positive=True), "a": Constant(range=(0, 1e9))},
    )
    other = law("kaplan_n")
    found = numerically(
        pole, {"": {"A": 1.0, "a": 1e8}}, other, {"": {"N_c": 8.8e13, "alpha_N": 0.076}}, place_of(other)
    )
    assert found.relation == "could not tell"
    assert "no finite value at" in found.reason


def test_laws_that_may_be_negative_are_measured_by_their_spread() -> None:
    line = Law("line", "", "a + b*x", {"x": ""}, {"a": Constant(range=(-5, 5)), "b": Constant(range=(-5, 5))})
    bowl = Law("bowl", "", "a + b*x + c*x**2", {"x": ""}, {name: Constant(range=(-5, 5)) for name in ("a", "b", "c")})
    place = Place({"x": np.linspace(-1, 1, 50)})
    for size in (1.0, 1e6):  # in other units it is the same question
        values = ({"a": 0.0, "b": size}, {"a": 0.0, "b": size, "c": 0.1 * size})
        found = numerically(line, {"": values[0]}, bowl, {"": values[1]}, place)
        assert found.relation == "special case"
        assert found.meets.residual == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("yes", "yes"), "same"),
        (("yes", "no"), "special case"),
        (("yes", "unknown"), "special case"),
        (("no", "yes"), "generalisation"),
        (("unknown", "yes"), "generalisation"),
        (("no", "no"), "different"),
        (("no", "unknown"), "could not tell"),
        (("unknown", "unknown"), "could not tell"),
    ],
)
def test_two_answers_make_a_relation(answers: tuple[str, str], expected: str) -> None:
    assert relation(*answers) == expected  # type: ignore[arg-type]
