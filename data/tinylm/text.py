"""The texts: Python's own standard library, split into code and prose, and into training and validation by file.

Code is the library's `.py` files, its test suite included, without their docstrings. Prose is those docstrings and the
pages that `help()` shows. Every installation of Python from source carries both. No file is read outside that folder.
"""

from __future__ import annotations

import ast
import hashlib
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PYTHON = "3.11.7"
# Of the four streams, as that Python carries them: `train.py` refuses others.
SHA256 = "2d3432e3c2f95425ea9b462904d881fa55969e9d5c0ab4fc15623472ff4b2f84"
VALIDATION_SHARE = 12  # one file in so many
MAX_DIGITS = 0.1  # a file with a larger share of digits is a table of data, not code
END = b"\0"  # stands behind each file
PAGES = "pydoc_data/topics.py"
# Generated tables, pages (they are prose), other people's packages, and what differs from machine to machine.
LEFT_OUT = ("site-packages/", "encodings/", "pydoc_data/", "config-", "_sysconfigdata", "lib2to3/tests/data/")

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Texts:
    """The bytes to train and to validate on.

    Attributes
    ----------
    training, validation
        A stream of bytes for each source, `code` and `prose`: whole files in a fixed random order, a zero byte
        behind each. No file, and no docstring, is in both.
    """

    training: dict[str, Bytes]
    validation: dict[str, Bytes]

    @property
    def sha256(self) -> str:
        """Checksum over all streams, training first, code before prose."""
        digest = hashlib.sha256()
        for streams in (self.training, self.validation):
            for source in ("code", "prose"):
                digest.update(streams[source].tobytes())
        return digest.hexdigest()


def standard_library() -> Path:
    """Folder of the standard library of the Python that runs this."""
    return Path(sysconfig.get_paths()["stdlib"])


def read_texts(folder: Path | None = None) -> Texts:
    """Read and split the texts of `folder` (the standard library)."""
    folder = folder or standard_library()
    documents: dict[str, list[tuple[str, str]]] = {"code": [], "prose": []}
    known: set[str] = set()  # what was seen before is left out, so that nothing stands in two files
    for name, text in _sources(folder):
        parsed = _parsed(text)
        if parsed is None or text in known:
            continue
        known.add(text)
        code, docstrings = _parted(text, parsed)
        new = [part for part in dict.fromkeys(docstrings) if part not in known]
        known.update(new)
        documents["code"].append((name, code))
        documents["prose"].append((name, "\n\n".join(new)))
    documents["prose"] += _pages(folder)
    return Texts(training=_streams(documents, held=False), validation=_streams(documents, held=True))


def is_validation(name: str) -> bool:
    """Whether the file `name` (or page of the help) is validated on: by the hash of its name alone."""
    return int(_rank(name), 16) % VALIDATION_SHARE == 0


def _streams(documents: dict[str, list[tuple[str, str]]], held: bool) -> dict[str, Bytes]:
    streams = {}
    for source, named in documents.items():
        chosen = sorted((_rank(name), text) for name, text in named if is_validation(name) == held and text)
        streams[source] = np.frombuffer(b"".join(text.encode() + END for _, text in chosen), dtype=np.uint8)
    return streams


def _rank(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    """Names, with forward slashes, and texts of the files that are code, by name."""
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if name.startswith(LEFT_OUT):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a test of other encodings
            continue
        if sum(map(str.isdecimal, text)) <= MAX_DIGITS * len(text):
            yield name, text


def _parsed(text: str) -> ast.Module | None:
    """Return the syntax tree, or `None` for a file that tests how broken code is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            return None


def _parted(text: str, tree: ast.Module) -> tuple[str, list[str]]:
    """Code without its docstrings, and the docstrings without their indentation."""
    lines = text.encode().splitlines(keepends=True)  # columns of a syntax tree count bytes
    docstrings = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        docstring = ast.get_docstring(node)
        if docstring is None:
            continue
        docstrings.append(docstring)
        literal = node.body[0]
        first, last = literal.lineno - 1, (literal.end_lineno or literal.lineno) - 1
        rest = lines[first][: literal.col_offset] + lines[last][literal.end_col_offset :]
        lines[first : last + 1] = [rest if rest.strip() else b""] + [b""] * (last - first)
    return b"".join(lines).decode(), docstrings


def _pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of the pages that `help()` shows: the values of the one dictionary in their module."""
    path = folder / PAGES
    if not path.is_file():
        return
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            pages: dict[str, str] = ast.literal_eval(node.value)
            yield from ((f"{PAGES}:{topic}", text) for topic, text in pages.items())
