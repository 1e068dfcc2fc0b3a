"""Problems and shapes for the tests of the engine `grammar`."""

from __future__ import annotations

import numpy as np
from generated import grid, noise

from discover.engines import Budget, SearchProblem
from discover.engines.grammar.shape import Point, Shape, Start, Term, start_of
from discover.engines.grammar.variables import Kind, Variable
from discover.objective import Objective
from discover.rolling import rolling_splits

SIZES = grid(N=np.geomspace(1e7, 5e9, 8), D=np.geomspace(1e9, 3e11, 6))
LOSSES = (1.8 + 480 / SIZES["N"] ** 0.35 + 2000 / SIZES["D"] ** 0.37) * noise(0.003, 48)


def a_problem(budget: str = "60s", **changes: object) -> SearchProblem:
    """A problem of sizes and tokens, unless told otherwise."""
    features = changes.pop("features", SIZES)
    assert isinstance(features, dict)
    groups = changes.get("groups")
    wanted: dict[str, object] = {
        "target": LOSSES,
        "objective": Objective(),
        "falling": frozenset({"N", "D"}),
        "splits": tuple(rolling_splits(features, ["N"], groups)) if "N" in features else (),  # type: ignore[arg-type]
        **changes,
    }
    return SearchProblem(features=features, budget=Budget.parse(budget), **wanted)  # type: ignore[arg-type]


def v(kind: Kind, feature: str, other: str = "") -> Variable:
    return Variable(kind, feature, other)


def term(*monomials: str, function: str = "exp", sign: int = 1, kinds: dict[str, Kind] | None = None) -> Term:
    """A term of logarithms, as ``term("N", "N*D")``; `kinds` says which features are seen otherwise."""
    kinds = kinds or {}
    made = [tuple(sorted(v(kinds.get(x, "log"), x) for x in m.split("*"))) for m in monomials]
    return Term(tuple(made), function, sign)  # type: ignore[arg-type]


def a_start(
    *terms: Term,
    floor: float | bool = 1.0,
    offset: float = -1.0,
    slope: float = -0.3,
    own: float | None = None,
    **frame: bool,
) -> Start:
    """A shape with a point at which all terms have one offset and their coefficients one slope, products none."""
    pairs = [(t, (offset, *(slope if len(m) == 1 else 0.0 for m in t.monomials))) for t in terms]
    start = start_of(pairs, Point(floor=float(floor)), **{"floor": floor is not False, **frame})
    if own is None:
        return start
    point = Point(start.point.floor, 0.0, dict.fromkeys(start.point.own, own), start.point.terms)
    return Start(start.shape, point)


def shape_of(*terms: Term, **frame: bool) -> Shape:
    return a_start(*terms, **frame).shape  # type: ignore[arg-type]
