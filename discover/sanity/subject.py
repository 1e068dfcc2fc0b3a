"""The law that is looked at, with its constants and the rows that say where the data lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy

from discover.compiled import Compiled, compile_formula
from discover.dataset_card import ZERO_IS_LEGAL, FeatureKind
from discover.law import Law


@dataclass(frozen=True)
class Subject:
    """A law with its constants, and the data.

    Attributes
    ----------
    columns
        The features of the law, shape (rows,) each.
    kinds
        Kind of each feature.
    """

    law: Law
    values: Mapping[str, float]
    columns: Mapping[str, np.ndarray]
    kinds: Mapping[str, FeatureKind]

    @property
    def sizes(self) -> list[str]:
        """The features in which the law must fall."""
        return [name for name in self.columns if self.kinds.get(name) in ("size", "tokens")]

    @property
    def varied(self) -> list[str]:
        """The features that can be varied one by one: no shares."""
        return [name for name in self.columns if self.kinds.get(name) not in ZERO_IS_LEGAL]

    def without(self, *names: str) -> dict[str, np.ndarray]:
        """The columns of the other features."""
        return {name: column for name, column in self.columns.items() if name not in names}

    def predict(self, grid: Mapping[str, np.ndarray]) -> np.ndarray:
        """The law at the points of a grid, in its shape."""
        return self.law.predict(grid, self.values)

    def evaluate(self, expression: sympy.Expr, grid: Mapping[str, np.ndarray]) -> np.ndarray:
        """An expression over the law's columns and parameters, at the points of a grid, in its shape."""
        columns = [grid[name] for name in self.law.columns] or list(grid.values())
        constants = np.array([[self.law.value_of(name, self.values) for name in self.law.parameters]], dtype=float)
        compiled = _compiled(expression, tuple(self.law.columns), tuple(self.law.parameters))
        flat = compiled.predict([column.ravel() for column in columns], constants)[0]
        return np.asarray(flat.reshape(columns[0].shape))


@lru_cache(maxsize=256)
def _compiled(expression: sympy.Expr, columns: tuple[str, ...], parameters: tuple[str, ...]) -> Compiled:
    """Compiled once for the groups of a fit, which have the form of the law in common."""
    return compile_formula(expression, columns, parameters)
