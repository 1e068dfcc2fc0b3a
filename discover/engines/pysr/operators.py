"""Operators by PySR's names, and the constraints that scaling laws keep to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from discover.errors import InputError, one_of

_BINARY = {"+": "+", "-": "-", "*": "*", "/": "/", "**": "^", "min": "min", "max": "max"}
_UNARY = {"log": "log", "exp": "exp", "sqrt": "sqrt"}
# How often an operator may stand inside another. Exponentials of exponentials and logarithms of them only overfit; a
# power inside a power is a scaling law's ((a/N)**b + c)**d, and one more is not.
_NESTED = {"exp": {"exp": 0}, "log": {"log": 0, "exp": 0}, "sqrt": {"sqrt": 0, "exp": 0}, "^": {"^": 1}}


@dataclass(frozen=True)
class Operators:
    """The operators of a search.

    Attributes
    ----------
    binary, unary
        By PySR's names, in the order in which they were asked for.
    """

    binary: tuple[str, ...]
    unary: tuple[str, ...]

    @classmethod
    def of(cls, operators: Collection[str]) -> Operators:
        """PySR's operators for those of the language of formulas.

        >>> Operators.of(["+", "**", "log"])
        Operators(binary=('+', '^'), unary=('log',))

        Raises
        ------
        InputError
            When PySR cannot be given one of them, or none of them takes two arguments.
        """
        for operator in operators:
            if operator not in _BINARY and operator not in _UNARY:
                known = one_of(operator, [*_BINARY, *_UNARY])
                raise InputError(f"the engine pysr has no operator {operator!r}: {known}")
        binary = tuple(_BINARY[operator] for operator in operators if operator in _BINARY)
        if not binary:
            raise InputError(f"the engine pysr needs one of the operators {', '.join(_BINARY)}")
        return cls(binary, tuple(_UNARY[operator] for operator in operators if operator in _UNARY))

    def __contains__(self, operator: str) -> bool:
        return operator in self.binary or operator in self.unary

    @property
    def nested(self) -> Mapping[str, Mapping[str, int]]:
        """How often an operator may stand inside another: Julia refuses a constraint on one that is not there."""
        return {
            outer: {inner: depth for inner, depth in limits.items() if inner in self}
            for outer, limits in _NESTED.items()
            if outer in self
        }

    def keywords(self) -> dict[str, Any]:
        """What `PySRRegressor` is told of the operators."""
        return {
            "binary_operators": list(self.binary),
            "unary_operators": list(self.unary),
            # An exponent is a constant or a feature, never an expression.
            "constraints": {"^": (-1, 1)} if "^" in self else None,
            "nested_constraints": self.nested or None,
        }
