"""Where a law or a dataset was published, and how to cite it."""

from __future__ import annotations

import re

from discover.cards import Card

_SPECIAL = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", "{": r"\{", "}": r"\}"}
_SPECIAL |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}


class Cite(Card):
    """A publication."""

    key: str
    authors: str
    title: str
    year: int
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None

    def short(self) -> str:
        """As one cites in a sentence: ``Hoffmann et al. 2022``."""
        return f"{self.authors} {self.year}"

    def bibtex(self) -> str:
        """An entry for a BibTeX file.

        >>> print(Cite(key="a2020", authors="Ada et al.", title="On GPT", year=2020, arxiv="2001.1").bibtex(), end="")
        @misc{a2020,
          author = {Ada and others},
          title = {On {GPT}},
          year = {2020},
          eprint = {2001.1},
          archivePrefix = {arXiv},
        }
        """
        names = re.split(r",?\s+(?:&|and)\s+|,\s+", re.sub(r",?\s+et al\.?$", " and others", self.authors))
        authors = " and ".join(name.strip() for name in names if name.strip())
        fields = {
            "author": _escaped(authors),
            # BibTeX styles lower the case of a title: what has a capital inside a word is protected.
            "title": re.sub(r"\b\w*[A-Z0-9]\w*[A-Z]\w*\b|\b[A-Z]{2,}\w*\b", r"{\g<0>}", _escaped(self.title)),
            "year": str(self.year),
            "eprint": self.arxiv,
            "archivePrefix": "arXiv" if self.arxiv else None,
            "doi": self.doi,
            "url": self.url,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{self.key},", *lines, "}", ""])


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)
