r"""The constants of a law for each group of rows -> a booktabs table."""

from __future__ import annotations

from collections.abc import Mapping

from discover.errors import InputError
from discover.export.escaping import escape
from discover.export.names import latex_names
from discover.export.rounding import latex_number
from discover.export.values import constant_values
from discover.law import Law

WIDE = 6  # columns of numbers that a page holds

Values = Mapping[str, float]
Errors = Mapping[str, float | None]


def group_constants(
    law: Law, groups: Mapping[str, tuple[Values, Errors]], *, caption: str = "", label: str = ""
) -> str:
    r"""The constants of each group, one row a group, or one row a constant where a law has many.

    Parameters
    ----------
    law
        The law.
    groups
        Values and standard errors of the constants, by the group's name.
    caption, label
        Plain text below the table, and the label to refer to it.

    Returns
    -------
    A ``table`` environment; each value is rounded to its error. Where the rows of a group do not determine a constant,
    whose error is then not finite, the caption says what is printed without an error.

    Raises
    ------
    InputError
        When there is no group, or a group lacks a constant.
    """
    if not groups:
        raise InputError(f"law {law.name!r}: there are no groups to print constants of")
    names = latex_names(dict.fromkeys([*law.columns, *law.parameters]))
    columns = [f"${names[name]}$" for name in law.parameters]
    cells = {
        escape(group, breakable=True): [
            f"${latex_number(constant.value, constant.error)}$"
            for constant in constant_values(law, values, errors)
            if constant.value is not None
        ]
        for group, (values, errors) in groups.items()
    }
    heading, rows = ["Group", *columns], [[group, *numbers] for group, numbers in cells.items()]
    if len(columns) > WIDE and len(cells) <= WIDE:
        turned = zip(columns, *cells.values(), strict=True)
        heading, rows = ["Constant", *cells], [list(row) for row in turned]
    said = escape(caption) or f"Constants of the law for each of {len(cells)} groups."
    if any(one.undetermined for given in groups.values() for one in constant_values(law, *given)):
        said += " What has no error is not determined by the rows."
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \begin{{tabular}}{{l{'r' * (len(heading) - 1)}}}",
            r"    \toprule",
            f"    {' & '.join(heading)} \\\\",
            r"    \midrule",
            *(f"    {' & '.join(row)} \\\\" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            rf"  \caption{{{said}}}",
            *([rf"  \label{{{label}}}"] if label else []),
            r"\end{table}",
            "",
        ]
    )
