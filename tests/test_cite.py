"""Citations: as one cites in a sentence, and as BibTeX reads them."""

from __future__ import annotations

import re

import pytest

from discover.cite import Cite
from discover.dataset import list_datasets
from discover.law import list_laws


def cite(**keys: object) -> Cite:
    return Cite.model_validate({"key": "a2020", "authors": "Ada et al.", "title": "On Laws", "year": 2020, **keys})


def field(entry: str, name: str) -> str:
    """The value of a field of a BibTeX entry."""
    (value,) = re.findall(rf"^  {name} = {{(.*)}},$", entry, flags=re.MULTILINE)
    return str(value)


def test_an_entry_has_what_is_known_and_nothing_else() -> None:
    assert cite().short() == "Ada et al. 2020"
    assert cite().bibtex() == "@misc{a2020,\n  author = {Ada and others},\n  title = {On Laws},\n  year = {2020},\n}\n"
    entry = cite(arxiv="2001.08361", doi="10.1/x_y", url="https://a.b/c_d").bibtex()
    assert field(entry, "eprint") == "2001.08361"
    assert field(entry, "archivePrefix") == "arXiv"
    assert field(entry, "doi") == "10.1/x_y"  # an address is no text: it stays as it is
    assert field(entry, "url") == "https://a.b/c_d"


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        ("Hoffmann et al.", "Hoffmann and others"),
        ("Hoffmann et al", "Hoffmann and others"),
        ("Bryant & Liu", "Bryant and Liu"),
        ("Bryant and Liu", "Bryant and Liu"),
        ("Kaplan, McCandlish, Henighan", "Kaplan and McCandlish and Henighan"),
        ("Kaplan, McCandlish & Henighan", "Kaplan and McCandlish and Henighan"),
        ("Kaplan, McCandlish, and Henighan", "Kaplan and McCandlish and Henighan"),
        ("Kaplan, McCandlish, et al.", "Kaplan and McCandlish and others"),
        ("Kaplan, McCandlish et al.", "Kaplan and McCandlish and others"),
        ("Anderson", "Anderson"),  # "and" is a word, not three letters
        ("Müller et al.", "Müller and others"),
    ],
)
def test_authors_are_parted_as_bibtex_parts_them(authors: str, expected: str) -> None:
    assert field(cite(authors=authors).bibtex(), "author") == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Training LLMs with RegMix on GPT-4", "Training {LLMs} with {RegMix} on {GPT}-4"),
        ("Predictable Scale: Part I, Optimal", "Predictable Scale: Part I, Optimal"),
        ("50% of R&D in #1 a_b $5", r"50\% of R\&D in \#1 a\_b \$5"),
        ("Sets {a} and x^2 ~ y", r"Sets \{a\} and x\textasciicircum{}2 \textasciitilde{} y"),
        (r"A \ B", r"A \textbackslash{} B"),
    ],
)
def test_a_title_keeps_its_capitals_and_its_signs(title: str, expected: str) -> None:
    assert field(cite(title=title).bibtex(), "title") == expected


def test_every_citation_of_the_project_is_an_entry_with_balanced_braces() -> None:
    cites = [law.cite for law in list_laws()] + [card.cite for card in list_datasets().values()]
    works: dict[str, set[tuple[str, str | None]]] = {}
    for each in filter(None, cites):
        entry = each.bibtex()
        assert entry.count("{") == entry.count("}"), each.key
        assert re.fullmatch(r"[a-z]+\d{4}\w*", each.key), each.key
        assert str(each.year) in each.key
        works.setdefault(each.key, set()).add((each.title, each.arxiv))
    assert len(works) > 20
    assert {key: work for key, work in works.items() if len(work) > 1} == {}, "one key, one work"
