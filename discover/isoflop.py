"""A law along a budget of compute: its isoFLOP profile, the loss against ln N where ``C = flop_per * N * D`` is fixed.

With u = ln N and c = ln C the slope of the profile is ``g(u, c) = N dL/dN - D dL/dD``: zero where one more percent of
model buys as much as one more percent of data. SymPy differentiates; N, D and the constants are arrays of any shapes
that broadcast, so that many sets of constants and budgets go through at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy

from discover.compiled import compile_expressions
from discover.formula import symbol

ROUNDING = 1e-12  # of the two terms of the slope: a smaller difference of theirs is no slope

_N, _D = symbol("N", positive=True), symbol("D", positive=True)


class Local(NamedTuple):
    """The profile at points: its value, the two terms of its slope, and the slope's derivatives in ln N and ln C."""

    loss: np.ndarray
    by_size: np.ndarray  # N dL/dN
    by_tokens: np.ndarray  # D dL/dD
    curvature: np.ndarray  # dg/du
    drift: np.ndarray  # dg/dc

    @property
    def slope(self) -> np.ndarray:
        """The slope g."""
        with np.errstate(all="ignore"):
            return np.asarray(self.by_size - self.by_tokens)

    @property
    def size(self) -> np.ndarray:
        """What a curvature is large or small against."""
        return np.asarray(np.abs(self.by_size) + np.abs(self.by_tokens))


@dataclass(frozen=True)
class Isoflop:
    """The isoFLOP profile of a law with symbols N and D.

    Attributes
    ----------
    names
        What else the formula needs, columns that are fixed and then parameters: each call takes their arrays in this
        order.
    """

    names: tuple[str, ...]
    _slope: Callable[..., Any]
    _local: Callable[..., Any]
    _by_parameter: Callable[[], Callable[..., Any]]

    def slope(self, N: np.ndarray, D: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
        """The slope g, exactly zero where its two terms differ by rounding only; not finite where the law is not."""
        with np.errstate(all="ignore"):
            one, other = map(np.asarray, self._slope(N, D, *others))
            slope = one - other
            return np.where(np.abs(slope) <= ROUNDING * (np.abs(one) + np.abs(other)), 0.0, slope)

    def local(self, N: np.ndarray, D: np.ndarray, others: Sequence[np.ndarray]) -> Local:
        """Loss, slope and the slope's derivatives, in the shape that the arrays broadcast to."""
        shape = np.broadcast_shapes(*map(np.shape, (N, D, *others)))
        with np.errstate(all="ignore"):
            values = self._local(N, D, *others)
        return Local(*(np.array(np.broadcast_to(value, shape), dtype=float) for value in values))

    def response(self, N: np.ndarray, D: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
        """How the optimum moves with each parameter t: ``d ln N/dt = -g_t/g_u``.

        Parameters
        ----------
        N, D, others
            At optima, arrays of shape (points,).

        Returns
        -------
        Shape (points, parameters).
        """
        with np.errstate(all="ignore"):
            curvature = self.local(N, D, others).curvature
            return np.stack(
                [np.broadcast_to(-slope / curvature, N.shape) for slope in self._by_parameter()(N, D, *others)], axis=1
            )


@lru_cache(maxsize=64)
def compile_isoflop(expression: sympy.Expr, fixed: tuple[str, ...], parameters: tuple[str, ...]) -> Isoflop:
    """The profile of a formula of N and D, of `fixed` columns and of `parameters`."""
    symbols = [_N, _D, *(symbol(name, positive=True) for name in fixed), *map(symbol, parameters)]
    by_size, by_tokens = _scaled(expression, _N), _scaled(expression, _D)
    slope = by_size - by_tokens
    drift = _smooth(_scaled(slope, _D))
    curvature = _smooth(_scaled(slope, _N)) - drift

    @lru_cache(maxsize=1)
    def by_parameter() -> Callable[..., Any]:  # compiled when it is needed, which it rarely is
        return compile_expressions(symbols, [_smooth(sympy.diff(slope, symbol(name))) for name in parameters])

    return Isoflop(
        (*fixed, *parameters),
        compile_expressions(symbols, [by_size, by_tokens]),
        compile_expressions(symbols, [expression, by_size, by_tokens, curvature, drift]),
        by_parameter,
    )


def _scaled(expression: sympy.Expr, of: sympy.Symbol) -> sympy.Expr:
    """The derivative in the logarithm of a symbol; inside each term the symbol cancels before it can overflow."""
    return sympy.Add(*(of * term for term in sympy.Add.make_args(sympy.diff(expression, of))))


def _smooth(expression: sympy.Expr) -> sympy.Expr:
    """A second derivative away from the kinks of min and max, where alone it would be infinite."""
    return expression.xreplace(dict.fromkeys(expression.atoms(sympy.DiracDelta), sympy.S.Zero))
