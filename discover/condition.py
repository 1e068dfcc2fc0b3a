"""Row rules such as ``N >= 4e9`` or ``router_type in ('S-Base', 'Dense') and k == 1``, without evaluating any text.

One small language wherever rows are chosen: which rows of a table count, which are dropped, which are held out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np
import pandas as pd

from discover.errors import InputError, one_of

MAX_LENGTH = 1_000
_COMPARISONS: dict[type[ast.cmpop], Callable[[pd.Series, object], pd.Series]] = {
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
}
_NUMERIC = ("integer", "floating", "mixed-integer-float", "decimal", "boolean")


class ConditionError(InputError):
    """A text is not a row rule; the message quotes it."""


def rows_where(table: pd.DataFrame, text: str) -> np.ndarray:
    """Which rows of `table` the rule `text` holds for, as booleans.

    The language: columns, numbers and quoted words; ``< <= > >= == !=``; ``in (...)`` and ``not in (...)``; ``and or
    not`` and parentheses.

    Raises
    ------
    ConditionError
        When the text is not such a rule or names a column that the table does not have.

    Examples
    --------
    >>> rows_where(pd.DataFrame({"N": [1e8, 1e9, 4e9]}), "N >= 1e9").tolist()
    [False, True, True]
    """
    tree = _syntax(text)
    try:
        return np.asarray(_evaluate(tree.body, table, text), dtype=bool)
    except RecursionError:
        raise ConditionError(f"{text!r} is not a row rule: it is nested too deep") from None


def names_in(text: str) -> list[str]:
    """Names of the columns that a row rule mentions, in order.

    >>> names_in("N >= 4e9 and D > 1e9")
    ['N', 'D']
    """
    found = [(node.col_offset, node.id) for node in ast.walk(_syntax(text)) if isinstance(node, ast.Name)]
    return [name for _, name in sorted(found)]


def _syntax(text: str) -> ast.Expression:
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"the row rule has {len(text)} characters, more than the {MAX_LENGTH} allowed")
    try:
        return ast.parse(text.replace("\n", " ").strip(), mode="eval")  # a card may break a long rule into lines
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConditionError(f"{text!r} is not a row rule: write for example 'N >= 4e9'") from None


def _evaluate(node: ast.AST, table: pd.DataFrame, text: str) -> pd.Series:
    if isinstance(node, ast.BoolOp):
        parts = [_evaluate(value, table, text) for value in node.values]
        result = parts[0]
        for part in parts[1:]:
            result = result & part if isinstance(node.op, ast.And) else result | part
        return result
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_evaluate(node.operand, table, text)
    if isinstance(node, ast.Compare):
        return _compare(node, table, text)
    raise ConditionError(f"{text!r} is not a row rule: it must compare columns with values, as in 'N >= 4e9'")


def _compare(node: ast.Compare, table: pd.DataFrame, text: str) -> pd.Series:
    result = pd.Series(True, index=table.index)
    left = _operand(node.left, table, text)
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            if not isinstance(right_node, ast.Tuple | ast.List):
                raise ConditionError(
                    f"{text!r}: 'in' needs a list in parentheses, as in \"router in ('Hash', 'Dense')\""
                )
            members = [_literal(element, text) for element in right_node.elts]
            column = _column(left, text)
            for member in members:
                _check_kinds(column, member, text)
            part = column.isin(members).astype(bool)
            result = result & (part if isinstance(operator, ast.In) else ~part)
            continue
        right = _operand(right_node, table, text)
        if isinstance(left, pd.Series):
            part = _compare_values(operator, left, right, text)
        else:
            part = _compare_values(_mirrored(operator), _column(right, text), left, text)
        result = result & part
        left = right
    return result


def _mirrored(operator: ast.cmpop) -> ast.cmpop:
    mirrored = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
    return mirrored.get(type(operator), type(operator))()


def _compare_values(operator: ast.cmpop, left: pd.Series, right: object, text: str) -> pd.Series:
    if type(operator) not in _COMPARISONS:
        raise ConditionError(f"{text!r} is not a row rule: 'is' is not a comparison, use '=='")
    _check_kinds(left, right, text)
    try:
        result = _COMPARISONS[type(operator)](left, right)
    except (TypeError, ValueError):
        raise ConditionError(f"{text!r} compares a column of words with a number, or the reverse") from None
    unequal = isinstance(operator, ast.NotEq)  # a missing value is unequal to all, of every dtype
    return pd.Series(result.to_numpy(dtype=bool, na_value=unequal), index=left.index)


def _check_kinds(column: pd.Series, value: object, text: str) -> None:
    """Refuse words against numbers, which pandas takes for merely unequal."""
    if isinstance(value, pd.Series) or column.isna().all():
        return
    numeric = pd.api.types.infer_dtype(column, skipna=True) in _NUMERIC
    if numeric == isinstance(value, str):
        found = "numbers" if numeric else "words"
        raise ConditionError(f"{text!r} compares the column {str(column.name)!r}, which holds {found}, with {value!r}")


def _column(value: object, text: str) -> pd.Series:
    if isinstance(value, pd.Series):
        return value
    raise ConditionError(f"{text!r} compares two values: one side must be a column")


def _operand(node: ast.AST, table: pd.DataFrame, text: str) -> pd.Series | float | str:
    if isinstance(node, ast.Name):
        if node.id not in table.columns:
            raise ConditionError(f"{text!r}: unknown column {node.id!r}: {one_of(node.id, map(str, table.columns))}")
        return table[node.id]
    return _literal(node, text)


def _literal(node: ast.AST, text: str) -> float | str:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand, text)
        if isinstance(value, float):
            return -value
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return node.value
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            try:
                return float(node.value)
            except OverflowError:
                raise ConditionError(f"{text!r} is not a row rule: a number in it is too large") from None
    raise ConditionError(f"{text!r} is not a row rule: only columns, numbers and quoted words are compared")
