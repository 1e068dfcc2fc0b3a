"""A section of a page of Markdown that a benchmark writes anew, and leaves the rest of the page alone."""

from __future__ import annotations

import re
from pathlib import Path

from part import Part

from discover.runs import write_text

TITLE = "# Discovery: what is measured of it\n"


def write_section(page: Path, part: Part) -> None:
    """Put a part into a page: in the place of the section of its title, or at the end; a new page gets a title."""
    text = page.read_text(encoding="utf-8") if page.is_file() else TITLE
    write_text(page, with_section(text, part))


def with_section(text: str, part: Part) -> str:
    """The text of a page with the part in the place of the section that has its title, or at the end."""
    section = re.compile(rf"^## {re.escape(part.title)}\n.*?(?=^## |\Z)", flags=re.MULTILINE | re.DOTALL)
    made = part.markdown()
    changed, count = section.subn(lambda _: made + "\n", text, count=1)
    return (changed if count else f"{text.rstrip()}\n\n{made}").rstrip() + "\n"
