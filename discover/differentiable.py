"""A formula with its exact derivatives, compiled for NumPy in the parameters in which a fit moves.

Three things make it fast and safe. Constants that live on a logarithmic scale are parameters by their logarithm, so
that ``A/N**alpha`` is ``exp(log_A - alpha*log(N))``: one exponential, and no overflow on the way. What depends on
features only, as ``log(N)`` does, is worked out once for all points (`Differentiable.prepare`). And common
subexpressions of the value and all derivatives are computed once.

Where a sum of positive terms still overflows, its logarithm is taken term by term (`log_value_and_slopes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from discover.compiled import compile_expressions
from discover.formula import symbol

Function = Callable[..., Sequence[Any]]


@dataclass(frozen=True)
class Differentiable:
    """Value and derivatives of a formula.

    Attributes
    ----------
    features, parameters
        Names, in the order in which arrays are given.
    logs
        Which parameters are logarithms of their constants.
    """

    features: tuple[str, ...]
    parameters: tuple[str, ...]
    logs: tuple[bool, ...]
    _expression: sympy.Expr  # over symbols of features and of parameters
    _symbols: tuple[sympy.Symbol, ...]  # of the parameters

    def prepare(self, columns: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What the formula needs of the features, each in the shape of the columns: (rows,) or (problems, rows).

        Columns beyond the features (a formula may have none) only say how many rows there are.
        """
        with np.errstate(all="ignore"):
            parts = self._hoisted.function(*columns[: len(self.features)])
        shape = np.shape(columns[0])
        return [np.array(np.broadcast_to(part, shape), dtype=float) for part in parts] or [np.zeros(shape)]

    def value(self, parts: Sequence[np.ndarray], points: np.ndarray) -> np.ndarray:
        """Values, shape (sets, rows), at `points` of shape (sets, parameters)."""
        with np.errstate(all="ignore"):
            (value,) = self._value(*self._arguments(parts, points))
        return np.array(np.broadcast_to(value, (len(points), parts[0].shape[-1])), dtype=float)

    def value_and_slopes(self, parts: Sequence[np.ndarray], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values, shape (sets, rows), and their derivatives, shape (sets, parameters, rows)."""
        with np.errstate(all="ignore"):
            value, *slopes = self._slopes(*self._arguments(parts, points))
        return self._stacked(value, slopes, len(points), parts[0].shape[-1])

    def log_value_and_slopes(self, parts: Sequence[np.ndarray], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The logarithm of the value, shape (sets, rows), and its derivatives, shape (sets, parameters, rows).

        Not finite where the value is zero or less.
        """
        value, slopes = self.value_and_slopes(parts, points)
        with np.errstate(all="ignore"):
            slopes /= value[:, None, :]
            result = np.log(value)
            finite = np.isfinite(result.sum())
        if not finite and self._terms is not None:
            lost = ~np.isfinite(result).all(axis=1)
            own = [part if part.ndim == 1 else part[lost] for part in parts]
            result[lost], slopes[lost] = self._log_sum(own, points[lost])
        return result, slopes

    def _log_sum(self, parts: Sequence[np.ndarray], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logarithm of a sum of positive terms and its derivatives, from the logarithms of the terms."""
        assert self._terms is not None
        count, rows = len(points), parts[0].shape[-1]
        with np.errstate(all="ignore"):
            terms = [
                self._stacked(value, slopes, count, rows)
                for value, *slopes in (term(*self._arguments(parts, points)) for term in self._terms)
            ]
            logs = np.stack([value for value, _ in terms])
            largest = logs.max(axis=0)
            shares = np.exp(logs - largest)
            total = shares.sum(axis=0)
            shares /= total
            slopes = sum(share[:, None, :] * slope for share, (_, slope) in zip(shares, terms, strict=True))
            return largest + np.log(total), np.asarray(slopes)

    @cached_property
    def _hoisted(self) -> _Hoisted:
        return _hoist(self._expression, self.features, self._symbols)

    @cached_property
    def _value(self) -> Function:
        return compile_expressions([*self._hoisted.symbols, *self._symbols], [self._hoisted.rest])

    @cached_property
    def _slopes(self) -> Function:
        return self._with_slopes(self._hoisted.rest)

    @cached_property
    def _terms(self) -> list[Function] | None:
        """Logarithms of the terms, with derivatives, of a sum whose terms are all positive; else `None`."""
        terms = sympy.Add.make_args(self._hoisted.rest)
        if not all(term.is_positive for term in terms):
            return None
        return [self._with_slopes(sympy.expand_log(sympy.log(term))) for term in terms]

    def _with_slopes(self, expression: sympy.Expr) -> Function:
        slopes = [sympy.diff(expression, one) for one in self._symbols]
        return compile_expressions([*self._hoisted.symbols, *self._symbols], [expression, *slopes])

    def _arguments(self, parts: Sequence[np.ndarray], points: np.ndarray) -> list[np.ndarray]:
        return [*parts[: len(self._hoisted.symbols)], *(points[:, k, None] for k in range(points.shape[1]))]

    def _stacked(self, value: Any, slopes: Sequence[Any], count: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        stacked = np.empty((count, len(self.parameters), rows))
        for k, slope in enumerate(slopes):
            stacked[:, k] = slope
        full = np.shape(value) == (count, rows) and isinstance(value, np.ndarray)
        return value if full else np.array(np.broadcast_to(value, (count, rows)), dtype=float), stacked


def differentiable(
    expression: sympy.Expr, features: tuple[str, ...], logs: Mapping[str, bool], positive: Mapping[str, bool]
) -> Differentiable:
    """Compile `expression` and its derivatives in each of its constants.

    Parameters
    ----------
    expression
        Over symbols of features (positive) and of constants (real), with all sums written out.
    features
        Names of the features, in the order in which their columns will be given.
    logs
        By constant, in the order of the parameters: whether its logarithm is the parameter.
    positive
        By constant: whether only positive values are legal.
    """
    # A logarithm may have any sign; the sign of the others decides which powers may be taken apart.
    # The names hold a blank, so that no symbol of the formula is one of them; numbered, they sort alike every time.
    symbols = {
        name: sympy.Symbol(f"p {k:03d}", real=True, positive=(positive[name] and not log) or None)
        for k, (name, log) in enumerate(logs.items())
    }
    values = {symbol(name): sympy.exp(symbols[name]) if log else symbols[name] for name, log in logs.items()}
    rewritten = _without_powers(expression.xreplace(values))
    return Differentiable(features, tuple(logs), tuple(logs.values()), rewritten, tuple(symbols.values()))


def _without_powers(expression: sympy.Expr) -> sympy.Expr:
    """Powers with an unknown exponent as exponentials, and products of exponentials as one."""
    exponentials = expression.replace(
        lambda part: part.is_Pow and not part.exp.is_number,
        lambda part: sympy.exp(part.exp * sympy.expand_log(sympy.log(part.base))),
    )
    return exponentials.replace(lambda part: part.is_Mul, _merged)


def _merged(product: sympy.Mul) -> sympy.Expr:
    exponents = [factor.exp for factor in product.args if isinstance(factor, sympy.exp)]
    others = [factor for factor in product.args if not isinstance(factor, sympy.exp)]
    return sympy.Mul(*others, sympy.exp(sympy.Add(*exponents))) if len(exponents) > 1 else product


@dataclass(frozen=True)
class _Hoisted:
    """A formula whose parts without parameters are replaced by symbols, and those parts."""

    rest: sympy.Expr
    symbols: tuple[sympy.Symbol, ...]
    function: Function  # of the features


def _hoist(expression: sympy.Expr, features: tuple[str, ...], parameters: tuple[sympy.Symbol, ...]) -> _Hoisted:
    known: dict[sympy.Expr, sympy.Symbol] = {}
    unknown = set(parameters)

    def named(part: sympy.Expr) -> sympy.Expr:
        if part not in known:
            known[part] = sympy.Symbol(f"x {len(known):03d}", real=True, positive=part.is_positive)
        return known[part]

    def rest_of(part: sympy.Expr) -> sympy.Expr:
        if part.is_number or part in unknown:
            return part
        if not part.free_symbols & unknown:
            return named(part)
        if part.is_Add or part.is_Mul:
            own = [one for one in part.args if not one.free_symbols & unknown]
            if any(not one.is_number for one in own):
                others = [rest_of(one) for one in part.args if one.free_symbols & unknown]
                return part.func(named(part.func(*own)), *others)
        return part.func(*map(rest_of, part.args))

    rest = rest_of(expression)
    columns = [symbol(name, positive=True) for name in features]
    return _Hoisted(rest, tuple(known.values()), compile_expressions(columns, list(known)))
