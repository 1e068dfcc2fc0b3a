r"""How the name of a feature, a constant or a part of a law is set in LaTeX: ``alpha_N`` is ``\alpha_{N}``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from discover.export.escaping import GREEK, escape
from discover.formula import is_name

_BASE_AND_NUMBER = re.compile(r"([A-Za-z]+?)([0-9]*)\Z")
_UNIQUE = re.compile(r"u([A-Z])\Z")  # uD, uN: the unique tokens of the literature, U_D


def latex_name(name: str) -> str:
    r"""LaTeX of one name, for math mode.

    Underscores and trailing digits start subscripts, ``_star`` and ``_hat`` are decorations, Greek letters are Greek,
    words of several letters stand upright. What is not a name of the formula language is set as text.

    Examples
    --------
    >>> print(latex_name("E0"), latex_name("N_c"), latex_name("R_D_star"), latex_name("E_max"))
    E_{0} N_{c} R_{D}^{*} E_{\mathrm{max}}
    """
    if not is_name(name):
        return rf"\text{{{escape(name)}}}"
    base, *rest = [part for part in name.split("_") if part]
    star = bool(rest) and rest[-1] == "star"
    hat = not star and bool(rest) and rest[-1] == "hat"
    below = [_word(part) for part in (rest[:-1] if star or hat else rest)]
    unique = _UNIQUE.match(base)
    if unique:
        symbol, below = "U", [unique[1], *below]
    else:
        symbol, number = _split_number(base)
        symbol, below = _word(symbol), ([number] if number else []) + below
    symbol = rf"\hat{{{symbol}}}" if hat else symbol
    return symbol + (f"_{{{','.join(below)}}}" if below else "") + ("^{*}" if star else "")


def latex_names(names: Iterable[str]) -> dict[str, str]:
    r"""LaTeX of each name; names that would look alike (``E0``, ``E_0``) are spelled out upright instead.

    >>> latex_names(["E0", "E_0", "A"])
    {'E0': '\\mathrm{E0}', 'E_0': '\\mathrm{E\\_0}', 'A': 'A'}
    """
    pretty = {name: latex_name(name) for name in names}
    seen = list(pretty.values())
    return {name: text if seen.count(text) == 1 else rf"\mathrm{{{escape(name)}}}" for name, text in pretty.items()}


def _split_number(base: str) -> tuple[str, str]:
    match = _BASE_AND_NUMBER.match(base)
    return (match[1], match[2]) if match else (base, "")  # digits inside a word belong to the word


def _word(word: str) -> str:
    if word in GREEK:
        return f"\\{word}"
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"
