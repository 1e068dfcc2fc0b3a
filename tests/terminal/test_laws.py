"""A law in full, and all laws in a list."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from discover.dataset import list_datasets
from discover.export.record import head
from discover.law import Law, list_laws, load_law
from discover.terminal import law_entry, show_law, show_laws

DATASETS = list_datasets()


def shown(law: Law, capsys: pytest.CaptureFixture[str], *wrong: str) -> str:
    show_law(law, DATASETS, wrong)
    return capsys.readouterr().out


def test_a_law_is_shown_with_all_that_its_card_says(capsys: pytest.CaptureFixture[str]) -> None:
    law = load_law("muennighoff")
    text = shown(law, capsys)
    for part in (law.title, law.formula, *law.let.values(), *law.features.values()):
        assert part in text
    for name, constant in law.constants.items():
        assert name in text
        assert constant.meaning in text
    assert "https://arxiv.org/abs/2305.16264" in text
    assert law.notes.strip() in text
    assert "2 of 2 reproduced" in text


def test_a_law_is_shown_with_the_datasets_that_it_can_be_fitted_to(capsys: pytest.CaptureFixture[str]) -> None:
    line = next(line for line in shown(load_law("muennighoff"), capsys).splitlines() if "can be fitted" in line)
    assert "datablations" in line  # it has N, D, uD
    assert "chinchilla_epoch" not in line  # it has no unique tokens


def test_a_value_is_rounded_to_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "1.817 ± 0.030" in shown(load_law("hoffmann"), capsys)  # Besiroglu et al. print 1.8172 ± 0.03


def test_many_published_sets_are_rows(capsys: pytest.CaptureFixture[str]) -> None:
    law = load_law("henighan_c")
    lines = shown(law, capsys).splitlines()
    assert len(law.published) > 3
    heading = lines.index(next(line for line in lines if line.split() == ["E0", "x_0", "alpha"]))
    rows = lines[heading + 1 : heading + 1 + len(law.published)]
    assert [row.split()[0] for row in rows] == [f"({n})" for n in range(1, len(law.published) + 1)]


def test_few_published_sets_stand_beside_the_constants(capsys: pytest.CaptureFixture[str]) -> None:
    law = load_law("clark_saturating")
    line = next(line for line in shown(law, capsys).splitlines() if line.startswith("E_max"))
    assert line.split()[1:4] == ["314.48", "469.98", "477.74"]


def test_a_mixture_is_said_to_be_a_vector_and_its_constants_one_a_component(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(load_law("ye_m4"), capsys)
    assert "r: a vector: " in text
    assert "one a component of r" in text


def test_published_constants_of_a_mixture_are_shown_a_component_each(capsys: pytest.CaptureFixture[str]) -> None:
    law = load_law("regmix_linear")
    law = replace(law.bind({"r": ["code", "web"]}))
    published = load_law("constant").published or load_law("hoffmann").published
    values = {"t_code": 2.5, "t_web": 3.25}
    text = shown(replace(law, published=(published[0].model_copy(update={"values": values, "checks": []}),)), capsys)
    assert next(line for line in text.splitlines() if line.startswith("t_code")).split()[1] == "2.5"


def test_what_was_not_seen_in_a_source_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    law = load_law("hoffmann")
    doubtful = replace(law, published=(law.published[0].model_copy(update={"unverified": True}), law.published[1]))
    lines = shown(doubtful, capsys).splitlines()
    assert [("[unverified]" in line) for line in lines if line.startswith(("(1)", "(2)"))] == [True, False]


def test_numbers_that_do_not_hold_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 of 2 reproduced" in shown(load_law("muennighoff"), capsys, "m: published.0.checks.1: the formula gives 2")


def test_every_law_can_be_shown_in_full_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    for law in list_laws():
        assert law.title in shown(law, capsys)
        show_law(law, DATASETS, as_json=True)
        entry = json.loads(capsys.readouterr().out)
        assert entry["datasets"] == law_entry(law, DATASETS)["datasets"]
        assert entry["checks"] == sum(len(published.checks) for published in law.published)
        assert {"mixtures", "unverified", "problems"} <= set(entry)


def test_the_entry_of_a_law_opens_as_its_record_does() -> None:
    law = load_law("clark_bilinear")
    assert head(law).items() <= law_entry(law).items()


def test_the_list_marks_laws_and_vectors(capsys: pytest.CaptureFixture[str]) -> None:
    laws = [load_law("hoffmann"), replace(load_law("ye_m4"), unverified=True)]
    assert show_laws(laws) == 2
    _, first, second = capsys.readouterr().out.splitlines()
    assert "unverified" not in first
    assert "r (vector)" in second
    assert second.rstrip().endswith("unverified")


def test_a_search_looks_into_meanings_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    laws = [load_law("hoffmann"), load_law("muennighoff")]
    assert show_laws(laws, search="UNIQUE tokens") == 1
    assert "muennighoff" in capsys.readouterr().out
    assert show_laws(laws, search="nothing like it") == 0
    assert capsys.readouterr().out == ""
