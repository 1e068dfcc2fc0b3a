"""Whether a formula keeps to the operators that a search may use."""

from __future__ import annotations

from typing import Any


def allows(operators: tuple[str, ...], expression: Any) -> bool:
    """Whether an expression is made with `operators` only: no log, exp or power that they do not give.

    A power is also what exp and log make together.
    """
    import sympy

    if expression.has(sympy.log) and "log" not in operators:
        return False
    if expression.has(sympy.exp) and "exp" not in operators:
        return False
    powers = {power.exp for power in expression.atoms(sympy.Pow)} - {sympy.S.NegativeOne}
    return not powers or "**" in operators or {"exp", "log"} <= set(operators)
