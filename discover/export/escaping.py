r"""Plain text -> LaTeX text that compiles in any document, whatever its encoding and fonts.

The result is ASCII: LaTeX's special characters are escaped, accents become commands (``é`` is ``\'{e}``), Greek
letters and common signs become mathematics. A character that plain LaTeX has no command for (CJK, emoji) becomes a
question mark, because one such character would stop the whole document from compiling.
"""

from __future__ import annotations

import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # a straight one is missing in LaTeX's default encoding, and active in babel's German
    "[": "{[}",  # after a line break in a table, a bracket would be its optional argument
    "]": "{]}",
    "*": "{*}",  # the same for a star
}
_SIGNS = {
    "–": "--",
    "—": "---",
    "−": "$-$",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "→": r"$\to$",
    "°": r"${}^{\circ}$",
    "§": r"\S{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}
_ACCENTS = {
    "\u0300": r"\`",
    "\u0301": r"\'",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0304": r"\=",
    "\u0306": r"\u",
    "\u0307": r"\.",
    "\u0308": r"\"",
    "\u030a": r"\r",
    "\u030b": r"\H",
    "\u030c": r"\v",
    "\u0327": r"\c",
}
# The Greek letters that LaTeX has commands for.
# fmt: off
GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})
# fmt: on


def escape(text: str, *, breakable: bool = False) -> str:
    r"""Escape plain text for LaTeX's text mode.

    Parameters
    ----------
    text
        Any text. White space of any kind becomes one space: an empty line would end a caption's paragraph.
    breakable
        Whether a line may break after an underscore, for running text with the names of columns.

    Examples
    --------
    >>> print(escape("50% of C4_en & Gödel's"))
    50\% of C4\_en \& G\"{o}del's
    """
    flat = " ".join(text.split())
    underscore = r"\_\allowbreak{}" if breakable else r"\_"
    characters = unicodedata.normalize("NFC", flat)
    return "".join(underscore if character == "_" else _character(character) for character in characters)


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if " " <= character <= "~":
        return character
    return _SIGNS.get(character) or _greek(character) or _accented(character) or _replaced(character)


def _accented(character: str) -> str | None:
    parts = unicodedata.normalize("NFD", character)
    if len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in _ACCENTS:
        return f"{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return None


def _replaced(character: str) -> str:
    """What stands for a character that LaTeX has no command for."""
    simple = unicodedata.normalize("NFKC", character)  # full-width and styled letters, ligatures, superscripts
    if simple != character and simple.isascii():
        return escape(simple)
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Mn") else "?"


def _greek(character: str) -> str | None:
    """A Greek letter in mathematics; `None` for any other character."""
    name = unicodedata.name(character, "")
    for prefix, capital in (("GREEK SMALL LETTER ", False), ("GREEK CAPITAL LETTER ", True)):
        if name.startswith(prefix):
            letter = name.removeprefix(prefix).lower().replace("lamda", "lambda")
            letter = letter.capitalize() if capital else letter
            return rf"$\{letter}$" if letter in GREEK else None
    return None
