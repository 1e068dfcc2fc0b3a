r"""Laws and leaderboards -> LaTeX for a paper: equations, tables, and documents that compile on their own.

Snippets need the packages amsmath (equations) and booktabs (tables); `document` loads them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from discover.complexity import complexity
from discover.errors import InputError, one_of
from discover.export.escaping import escape
from discover.export.names import latex_names
from discover.export.printer import LawPrinter
from discover.export.rounding import latex_number, times_power_of_ten
from discover.export.values import constant_values
from discover.formula import parse
from discover.law import Law

if TYPE_CHECKING:
    import pandas as pd

LONG = 45  # nodes of a formula that fill a line of an article's column; longer sums are broken at their terms
_NEEDED = ("law", "kind", "selected", "n_constants", "train_rmse", "heldout_rmse", "heldout_mape", "heldout_r2")
_HEADING = r"""    & & & Training & \multicolumn{3}{c}{Held-out} \\
    \cmidrule(lr){4-4} \cmidrule(lr){5-7}
    Law & Kind & Constants & RMSE & RMSE & MAPE (\%) & $R^{2}$ \\"""
MISSING = "--"


def right_hand_side(law: Law) -> str:
    r"""LaTeX of the law's formula alone, for math mode, in the names of its parts.

    >>> from discover.law import load_law
    >>> print(right_hand_side(load_law("hoffmann")))
    E_{0} + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}
    """
    return " ".join(_terms(law, law.formula))


def part_definitions(law: Law) -> dict[str, str]:
    r"""LaTeX of what each named part of the law is, by name, in the order of the law; empty when it has none."""
    return {name: " ".join(_terms(law, text)) for name, text in law.let.items()}


def equation(
    law: Law,
    values: Mapping[str, float] | None = None,
    errors: Mapping[str, float | None] | None = None,
    *,
    label: str = "",
    meanings: bool = True,
) -> str:
    r"""A law as a numbered equation, with its constants below it.

    Parameters
    ----------
    law
        The law. Its named parts are defined in aligned lines below the formula; a long sum is broken at its terms.
    values
        Value of every constant, by name; without any, the constants are open and only the formula is printed.
    errors
        Standard errors of the constants, by name; each value is rounded to its error (`rounding.rounded`). A constant
        whose error is missing is printed without one; of one whose error is not finite it is said that the rows do
        not determine it.
    label
        Label of the equation, e.g. ``"eq:found"``.
    meanings
        Whether the line below the equation says what the features are.

    Returns
    -------
    An ``equation`` environment and a line of text, empty when there is nothing to say.

    Raises
    ------
    InputError
        When only some constants have values, a name is not a constant of the law, or an error is negative.

    Examples
    --------
    >>> from discover.law import load_law
    >>> print(equation(load_law("constant"), {"c": 2.51}, {"c": 0.012}), end="")
    \begin{equation}
      L = c
    \end{equation}
    with $c = 2.510 \pm 0.012$.
    """
    names = _names(law)
    given = constant_values(law, values, errors)
    constants = [
        f"${names[constant.name]} = {latex_number(constant.value, constant.error)}$"
        for constant in given
        if constant.value is not None
    ]
    undetermined = [f"${names[constant.name]}$" for constant in given if constant.undetermined]
    left = names[law.target]
    lines = [*_lines(law, left), *(f"{names[name]} &= {text}" for name, text in part_definitions(law).items())]
    opening = r"\begin{equation}" + (f"\\label{{{label}}}" if label else "")
    if len(lines) == 1:
        body = [f"  {left} = {right_hand_side(law)}"]
    else:
        body = [r"  \begin{aligned}", " \\\\\n".join(f"    {line}" for line in lines), r"  \end{aligned}"]
    doubt = _sentence("The rows do not determine ", undetermined, ", ")
    sentences = [_sentence("with ", constants, ", "), doubt, _feature_meanings(law, names) if meanings else ""]
    below = " ".join(filter(None, sentences))
    return "\n".join([opening, *body, r"\end{equation}", *([below] if below else [])]) + "\n"


def table(
    leaderboard: pd.DataFrame,
    *,
    caption: str = "Laws by their error on the held-out rows.",
    label: str = "tab:laws",
    titles: Mapping[str, str] | None = None,
    found: int | None = 5,
) -> str:
    r"""A leaderboard as a booktabs table.

    Parameters
    ----------
    leaderboard
        One row a law, in the order to be printed. Needed columns: law, kind (published, found, null, or ensemble
        for an average of laws), selected (bool), n_constants, train_rmse and heldout_rmse (unit of the target),
        heldout_mape (percent), heldout_r2; others are not shown. A column ``sane`` marks the laws that are false in it
        by a dagger.
    caption, label
        Plain text below the table, and the label to refer to it.
    titles
        Plain text to print instead of a law's name, by name.
    found
        How many found laws to show besides the selected one, the first of the leaderboard; `None` shows all.

    Returns
    -------
    A ``table`` environment. The selected law is bold; NaN and infinite numbers are ``--``.

    Raises
    ------
    InputError
        When a column is missing, or there are no rows.
    """
    for column in _NEEDED:
        if column not in leaderboard.columns:
            near = one_of(column, map(str, leaderboard.columns))
            raise InputError(f"the leaderboard has no column {column!r}: {near}")
    rows = _shown(leaderboard.to_dict("records"), found)
    if not rows:
        raise InputError("the leaderboard has no rows: there is no table of no laws")
    insane = any(_is_false(row.get("sane")) for row in rows)
    note = r"$\dagger$: failed a check of its behaviour beyond the data." if insane else ""
    bold = r"Bold: the law that was selected without the held-out rows." if any(map(_selected, rows)) else ""
    average = r"The ensemble is the median of the best found laws, and no law." if any(map(_average, rows)) else ""
    notes = " ".join(filter(None, [bold, note, average]))
    said = escape(caption)
    said += "." if said and notes and said[-1] not in ".!?" else ""
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            r"  \begin{tabular}{llrrrrr}",
            r"    \toprule",
            _HEADING,
            r"    \midrule",
            *(f"    {_row(row, titles or {})} \\\\" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            rf"  \caption{{{' '.join(filter(None, [said, notes]))}}}",
            *([rf"  \label{{{label}}}"] if label else []),
            r"\end{table}",
            "",
        ]
    )


def document(*snippets: str, title: str = "") -> str:
    r"""A standalone article of equations and tables, which ``pdflatex`` compiles as it is.

    Parameters
    ----------
    snippets
        LaTeX, such as `equation` and `table` return.
    title
        Plain text of a heading; none when empty.
    """
    head = [
        r"\documentclass{article}",
        r"\usepackage[margin=2.5cm]{geometry}",
        r"\usepackage{amsmath}",
        r"\usepackage{booktabs}",
        r"\begin{document}",
    ]
    heading = [rf"\section*{{{escape(title)}}}"] if title else []
    body = [text.strip("\n") for text in snippets]
    return "\n\n".join(["\n".join([*head, *heading]), *body, r"\end{document}"]) + "\n"


def _names(law: Law) -> dict[str, str]:
    names = [law.target, *law.let, *law.features, *law.constants, *(law.parameters if law.bound else ())]
    return latex_names(dict.fromkeys(names))


def _terms(law: Law, text: str) -> list[str]:
    """LaTeX of the terms of one formula of the law."""
    # Parsed without features and parts: all names are plain real symbols, so that parts keep their names and SymPy
    # leaves (N_c/N)**alpha as it was written. The law itself was checked when it was read.
    return LawPrinter(text, _names(law), variables=[*law.let, *law.features]).terms(parse(text, mixtures=law.mixtures))


def _lines(law: Law, left: str) -> list[str]:
    """Aligned lines of ``left = formula``, as many as a long formula needs."""
    terms = _terms(law, law.formula)
    per_line = math.ceil(len(terms) / math.ceil(complexity(parse(law.formula, mixtures=law.mixtures)) / LONG))
    lines = [" ".join(terms[start : start + per_line]) for start in range(0, len(terms), per_line)]
    return [f"{left} &= {lines[0]}", *(rf"&\quad {line}" for line in lines[1:])]


def _feature_meanings(law: Law, names: Mapping[str, str]) -> str:
    meanings = [
        f"${names[name]}$: {escape(meaning, breakable=True)}"
        for name, meaning in law.features.items()
        if meaning.strip()
    ]
    return _sentence("Features: ", meanings, "; ")


def _sentence(opening: str, parts: Iterable[str], separator: str) -> str:
    text = separator.join(parts)
    return f"{opening}{text}." if text else ""


def _shown(rows: list[dict[Any, Any]], found: int | None) -> list[dict[Any, Any]]:
    """All rows but the found laws after the first `found` that were not selected."""
    kept, count = [], 0
    for row in rows:
        extra = row["kind"] == "found" and not _selected(row)
        count += extra
        if found is None or not extra or count <= found:
            kept.append(row)
    return kept


def _average(row: Mapping[Any, Any]) -> bool:
    return bool(row["kind"] == "ensemble")


def _selected(row: Mapping[Any, Any]) -> bool:
    return str(row["selected"]).strip().lower() in ("true", "1", "1.0")  # as pandas reads it from a file, too


def _is_false(value: object) -> bool:
    return str(value).strip().lower() in ("false", "0", "0.0")


def _row(row: Mapping[Any, Any], titles: Mapping[str, str]) -> str:
    """The cells of one law, in the order of the columns."""
    bold = _selected(row)
    name = str(row["law"])
    # pandas reads the word "null" from a file as a missing value.
    kind = row["kind"] if isinstance(row["kind"], str) else "null"
    texts = [escape(titles.get(name, name)), escape(kind)]
    cells = [rf"\textbf{{{text}}}" if bold else text for text in texts]
    if _is_false(row.get("sane")):
        cells[0] += r"$^{\dagger}$"
    numbers = [
        _number(row["n_constants"], "f"),
        *(_number(row[column], "g") for column in ("train_rmse", "heldout_rmse", "heldout_mape")),
        _number(row["heldout_r2"], "f", 4),
    ]
    for number in numbers:
        cells.append(number if number == MISSING else rf"$\mathbf{{{number}}}$" if bold else f"${number}$")
    return " & ".join(cells)


def _number(value: Any, style: Literal["f", "g"], digits: int = 0) -> str:
    """LaTeX of a number of the table: with `digits` decimals ("f"), or with three significant digits ("g")."""
    import pandas as pd

    number = math.nan if pd.isna(value) else float(value)
    if not math.isfinite(number):
        return MISSING
    if style == "f" and abs(number) < 10_000:
        return f"{number:.{digits}f}"
    mantissa, exponent = f"{number:.2e}".split("e")
    top = int(exponent)
    if -4 <= top <= 2:
        return f"{float(f'{mantissa}e{top}'):.{2 - top}f}"
    return times_power_of_ten(mantissa, top)
