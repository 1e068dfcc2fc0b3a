"""The texts: which files count, how code and prose are parted, and that nothing is trained and validated on."""

from __future__ import annotations

from pathlib import Path

import pytest
from text import END, is_validation, read_texts, standard_library

MODULE = '''"""What the module is for."""

import os


class Shape:
    """A shape,

    with corners.
    """

    def area(self):
        "Its area: ä."; return os.name + """no docstring"""

    async def draw(self):
        r"""Draw \\it."""
'''


def _module(number: int) -> str:
    letters = "abcdefghij"
    return f'"""Prose of m{number}."""\ncode_of_m{letters[number // 10]}{letters[number % 10]}'


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of 60 modules that say their own names, a page of help and files that do not count."""
    folder = tmp_path / "library"
    for number in range(60):
        _write(folder / f"part{number % 7}" / f"m{number}.py", _module(number))
    _write(folder / "pydoc_data/topics.py", "topics = {'if': 'The if statement', 'for': 'The for statement'}\n")
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _joined(folder: Path, source: str) -> str:
    texts = read_texts(folder)
    return b"".join(streams[source].tobytes() for streams in (texts.training, texts.validation)).decode()


def test_docstrings_are_prose_and_the_rest_is_code(tmp_path: Path) -> None:
    _write(tmp_path / "shapes.py", MODULE)
    code = _joined(tmp_path, "code")
    assert [line for line in code.split("\n") if line.strip("\0")] == [
        "import os",
        "class Shape:",
        "    def area(self):",
        '        ; return os.name + """no docstring"""',
        "    async def draw(self):",
    ]
    assert _joined(tmp_path, "prose").rstrip("\0").split("\n\n") == [
        "What the module is for.",
        "A shape,",
        "with corners.",
        "Its area: ä.",
        "Draw \\it.",
    ]


def test_a_form_feed_is_no_end_of_a_line(tmp_path: Path) -> None:
    _write(tmp_path / "old.py", 'a = 1\n\f\ndef f():\n    """Words."""\n    return 2\n')
    assert "return 2" in _joined(tmp_path, "code")
    assert "Words" not in _joined(tmp_path, "code")


def test_every_file_is_in_training_or_in_validation(library: Path) -> None:
    texts = read_texts(library)
    for source, words in (("code", "code_of_m"), ("prose", "Prose of m")):
        parts = [set(texts_of[source].tobytes().split(END)) - {b""} for texts_of in (texts.training, texts.validation)]
        assert all(parts)
        assert not parts[0] & parts[1]
        assert sum(words.encode() in part for part in parts[0] | parts[1]) == 60


def test_prose_is_validated_where_its_code_is(library: Path) -> None:
    held = read_texts(library).validation["prose"].tobytes().decode()
    for number in range(60):
        assert (f"of m{number}." in held) == is_validation(f"part{number % 7}/m{number}.py")


def test_the_order_in_which_files_were_made_does_not_matter(library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for path in sorted(library.rglob("*.py"), reverse=True):
        _write(other / path.relative_to(library), path.read_text(encoding="utf-8"))
    assert read_texts(other).sha256 == read_texts(library).sha256


def test_a_changed_letter_changes_the_checksum(library: Path) -> None:
    before = read_texts(library).sha256
    _write(library / "part0/m0.py", _module(0).replace("Prose", "Verse"))
    assert read_texts(library).sha256 != before


def test_the_pages_of_the_help_are_prose(library: Path) -> None:
    assert "The if statement" in _joined(library, "prose")
    assert "topics" not in _joined(library, "code")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("site-packages/other.py", "someone_elses = True"),
        ("encodings/cp1.py", "table = True"),
        ("_sysconfigdata_linux.py", "folder = '/home'"),
        ("test/broken.py", "print 'two'"),
        ("numbers_table.py", "t = [1234, 5678, 9012]"),
        ("the_copy.py", _module(3)),
    ],
)
def test_what_is_no_code_of_the_library_is_left_out(library: Path, name: str, text: str) -> None:
    before = read_texts(library).sha256
    _write(library / name, text)
    assert read_texts(library).sha256 == before


def test_a_file_of_another_encoding_is_left_out(library: Path) -> None:
    before = read_texts(library).sha256
    (library / "latin.py").write_bytes(b"# -*- coding: latin-1 -*-\nname = '\xe4'\n")
    assert read_texts(library).sha256 == before


def test_a_docstring_of_two_files_stands_in_the_first(tmp_path: Path) -> None:
    _write(tmp_path / "a.py", '"""Twice."""\na = b')
    _write(tmp_path / "b.py", '"""Twice."""\nb = a')
    assert _joined(tmp_path, "prose").count("Twice.") == 1


def test_the_standard_library_is_that_of_this_python() -> None:
    assert (standard_library() / "ast.py").is_file()
