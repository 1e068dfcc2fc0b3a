"""Laws and rows made from them, whose constants are known: for the tests of how laws are fitted."""

from __future__ import annotations

import numpy as np

from discover.law import Constant, Law, load_law


def a_law(formula: str, constants: dict[str, Constant], features: tuple[str, ...] = ("N",)) -> Law:
    return Law("mine", "mine", formula, dict.fromkeys(features, ""), constants)


def positive(low: float, high: float, *, log: bool = True) -> Constant:
    return Constant(range=(low, high), positive=True, log=log)


def grid(**axes: np.ndarray) -> dict[str, np.ndarray]:
    """All combinations of the values of each axis."""
    return dict(zip(axes, (column.ravel() for column in np.meshgrid(*axes.values(), indexing="ij")), strict=True))


def noise(size: float, count: int, seed: int = 0) -> np.ndarray:
    """Factors around one, of which the logarithm is normal."""
    return np.exp(size * np.random.default_rng(seed).normal(size=count))


HOFFMANN = load_law("hoffmann")
TRUTH = dict(HOFFMANN.published[2].values)  # the refit of Besiroglu et al. 2024
RUNS = grid(N=np.geomspace(5e7, 1e10, 8), D=np.geomspace(1e9, 5e11, 8))
LOSSES = HOFFMANN.predict(RUNS, TRUTH)
NOISY = LOSSES * noise(0.01, 64)

# Linear in its constants, so that textbooks have the answer.
LINE = a_law("a + b*x", {"a": Constant(range=(-5, 5)), "b": Constant(range=(-5, 5))}, ("x",))

FLOOR = a_law(
    "E0 + A/N**alpha",
    {"E0": positive(0.1, 4, log=False), "A": positive(0.1, 1e10), "alpha": positive(0.05, 1.5, log=False)},
)
