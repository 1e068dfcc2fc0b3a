"""Many shapes fitted at once: residuals and their derivatives for a batch of shapes, groups and trials.

Shapes of a batch are filled up to one number of variables, terms and monomials; what is filled up has derivatives of
zero, and the solver leaves it alone. The parameters of a problem are E0, log kappa, the constants of the variables,
the offsets of the terms and the coefficients of the monomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discover.engines.grammar.shape import Point, Shape
from discover.engines.grammar.table import Table
from discover.engines.grammar.variables import Variable, bounds, values
from discover.fitting.equations import RowEquations
from discover.objective import Objective

FARTHEST = 60.0  # of an offset or a coefficient: its exponential is still a number
LARGEST = 600.0  # of an exponent
_FUNCTIONS = {"exp": 1, "square": 2, "sum": 3}


@dataclass(frozen=True)
class Layout:
    """Where the parameters of a batch stand."""

    variables: int
    terms: int
    monomials: int

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 2 + self.variables + self.terms * (1 + self.monomials)

    @property
    def offsets(self) -> slice:
        """The offsets of the terms."""
        return slice(2 + self.variables, 2 + self.variables + self.terms)

    @property
    def coefficients(self) -> slice:
        """The coefficients, term by term."""
        return slice(2 + self.variables + self.terms, self.size)

    def coefficient(self, term: int, monomial: int) -> int:
        """Place of the coefficient of a monomial."""
        return int(self.coefficients.start) + term * self.monomials + monomial

    @classmethod
    def of(cls, shapes: Sequence[Shape]) -> Layout:
        """The layout that all `shapes` fit into."""
        return cls(
            max(len(shape.variables) for shape in shapes),
            max(len(shape.terms) for shape in shapes),
            max((len(term.monomials) for shape in shapes for term in shape.terms), default=1) or 1,
        )

    def pack(self, shape: Shape, point: Point) -> np.ndarray:
        """A point as parameters."""
        packed = np.zeros(self.size)
        packed[0], packed[1] = point.floor, point.outer
        for k, variable in enumerate(shape.variables):
            packed[2 + k] = point.own.get(variable, 0.0)
        for k, numbers in enumerate(point.terms):
            packed[self.offsets.start + k] = numbers[0]
            first = self.coefficients.start + k * self.monomials
            packed[first : first + len(numbers) - 1] = numbers[1:]
        return packed

    def unpack(self, shape: Shape, packed: np.ndarray) -> Point:
        """Parameters as a point."""
        own = {
            variable: float(np.clip(packed[2 + k], *bounds(variable)))
            for k, variable in enumerate(shape.variables)
            if variable.has_constant
        }
        terms = []
        for k, leaders in enumerate(shape.leaders):
            values = [-1.0 if place is None else float(packed[self.coefficient(*place)]) for place in leaders]
            terms.append((float(packed[self.offsets.start + k]), *values))
        return Point(float(packed[0]), float(packed[1]), own, tuple(terms))


class ShapeEquations(RowEquations):
    """The equations of a batch of shapes; a problem is a shape, a group and a trial (0: all rows)."""

    def __init__(
        self, shapes: Sequence[Shape], table: Table, objective: Objective, problems: np.ndarray, layout: Layout
    ) -> None:
        """`problems` has the place of the shape, the group and the trial of each, shape (problems, 3)."""
        lower, upper = np.full(layout.size, -FARTHEST), np.full(layout.size, FARTHEST)
        lower[0], upper[0] = -np.inf, np.inf
        lower[1], upper[1] = -3.0, 3.0
        super().__init__(objective, lower, upper, table.rows)
        self.shapes, self.table, self.layout = shapes, table, layout
        self.shape_of, self.group_of, self.trial_of = problems.T
        with np.errstate(invalid="ignore", divide="ignore"):
            self.goal = np.log(table.target) if objective.logarithmic else table.target
        self._compile()

    def _compile(self) -> None:
        count, layout = len(self.shapes), self.layout
        used = sorted({v for shape in self.shapes for v in shape.variables})
        self.known = [variable for variable in used if not variable.has_constant]
        one, none = layout.variables, layout.variables + 1  # places of the factors 1 and 0
        given = [np.ones_like(self.table.target), np.zeros_like(self.table.target)]
        for variable in self.known:
            x = self.table.columns[variable.feature]
            given.append(values(variable, x, x, np.zeros(1))[0])
        self.given = np.stack(given, axis=1)  # (groups, variables, rows)
        self.source = np.ones((count, layout.variables + 2), dtype=int)  # among `given`; the factor 0
        self.source[:, one] = 0
        self.first = np.full((count, layout.terms, layout.monomials), none)
        self.second = np.full((count, layout.terms, layout.monomials), one)
        self.function = np.zeros((count, layout.terms), dtype=int)
        self.sign = np.zeros((count, layout.terms))
        self.offset = np.zeros((count, layout.terms), dtype=bool)
        self.floor = np.array([float(shape.floor) for shape in self.shapes])
        self.outer = np.array([shape.outer for shape in self.shapes])
        self.inverse = np.array([shape.inverse for shape in self.shapes])
        self.own: dict[Variable, list[tuple[int, int]]] = {}
        for s, shape in enumerate(self.shapes):
            place = {variable: k for k, variable in enumerate(shape.variables)}
            for variable, k in place.items():
                if variable.has_constant:
                    self.own.setdefault(variable, []).append((s, k))
                else:
                    self.source[s, k] = 2 + self.known.index(variable)
            for k, term in enumerate(shape.terms):
                self.function[s, k], self.sign[s, k] = _FUNCTIONS[term.function], term.sign
                self.offset[s, k] = not shape.without_offset(term)
                for j, monomial in enumerate(term.monomials):
                    self.first[s, k, j] = place[monomial[0]]
                    if len(monomial) > 1:
                        self.second[s, k, j] = place[monomial[1]]
        self._compile_links()
        self.mixed = bool((self.function > 1).any())
        # The slot of each variable with a constant, by shape; -1 where the shape has it not.
        self.slots = {variable: np.full(count, -1) for variable in self.own}
        for variable, pairs in self.own.items():
            for s, k in pairs:
                self.slots[variable][s] = k

    def _compile_links(self) -> None:
        """Of each coefficient, the place of the one whose value it has, and whether it is the number -1."""
        width, places = self.layout.monomials, np.arange(self.layout.terms * self.layout.monomials)
        self.leader = np.tile(places, (len(self.shapes), 1))
        self.unit = np.zeros_like(self.leader, dtype=bool)
        for s, shape in enumerate(self.shapes):
            for k, leaders in enumerate(shape.leaders):
                for j, leader in enumerate(leaders):
                    self.unit[s, k * width + j] = leader is None
                    if leader is not None:
                        self.leader[s, k * width + j] = leader[0] * width + leader[1]
        self.linked = np.any((self.leader != places) | self.unit, axis=1)

    def weights(self, which: np.ndarray, rows: slice) -> np.ndarray:
        """See `RowEquations.weights`."""
        return np.asarray(self.table.learnt[self.trial_of[which], self.group_of[which], rows])

    def residuals(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        """See `RowEquations.residuals`."""
        value = self.value(points, which, rows)
        with np.errstate(all="ignore"):
            made = np.log(value) if self.objective.logarithmic else value
        return np.asarray(made - self.goal[self.group_of[which], rows])

    def mean_residuals(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Mean absolute residual of each point over its rows; infinite where one is not finite."""
        result = np.zeros(len(points))
        for some, rows in self._blocks(len(points), self.layout.size):
            weight = self.weights(which[some], rows)
            size = np.abs(self.residuals(points[some], which[some], rows))
            result[some] += np.where(weight > 0, size, 0.0).sum(axis=1)
        counts = self.table.learnt.sum(axis=2)[self.trial_of[which], self.group_of[which]]
        return np.where(np.isfinite(result), result / counts, np.inf)

    def asked(self, points: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Mean absolute residual of each point over the sizes that its trial asks for."""
        result = np.zeros(len(points))
        for some, rows in self._blocks(len(points), self.layout.size):
            weight = self.table.asked[self.trial_of[which[some]] - 1, self.group_of[which[some]], rows]
            size = np.abs(self.residuals(points[some], which[some], rows))
            result[some] += (np.where(weight > 0, size, 0.0) * weight).sum(axis=1)
        return np.where(np.isfinite(result), result, np.inf)

    def value(self, points: np.ndarray, which: np.ndarray, rows: slice) -> np.ndarray:
        """The law, shape (points, rows)."""
        with np.errstate(all="ignore"):
            return np.asarray(self._parts(points, which, rows).value)

    def linearised(self, points: np.ndarray, which: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """See `RowEquations.linearised`."""
        layout = self.layout
        with np.errstate(all="ignore"):
            parts = self._parts(points, which, rows)
            shape, value = self.shape_of[which], parts.value
            slopes = np.zeros((len(points), layout.size, value.shape[1]))
            slopes[:, 0] = self.floor[shape, None]
            inner = parts.slope  # of the terms in what they are functions of: (points, terms, rows)
            if parts.gain is not None:
                slopes[:, 1] = parts.outer_slope
                inner = inner * parts.gain[:, None]
            slopes[:, layout.offsets] = inner * self.offset[shape][:, :, None]
            by_monomial = inner[:, :, None] * parts.monomials
            slopes[:, layout.coefficients] = by_monomial.reshape(len(points), -1, value.shape[1])
            self._own_slopes(slopes, points, shape, inner, parts)
            self._link_slopes(slopes[:, layout.coefficients], shape)
            if self.objective.logarithmic:
                slopes /= value[:, None]
                value = np.log(value)
            return np.asarray(value - self.goal[self.group_of[which], rows]), slopes

    def _parts(self, points: np.ndarray, which: np.ndarray, rows: slice) -> _Parts:
        layout, shape, group = self.layout, self.shape_of[which], self.group_of[which]
        factors = self.given[group[:, None], self.source[shape], rows]
        turns = np.zeros((len(points), layout.variables, factors.shape[2])) if self.slots else None
        for variable, slots in self.slots.items():
            slot = slots[shape]
            (here,) = np.nonzero(slot >= 0)
            if len(here):
                low, high = bounds(variable)
                p = np.clip(points[here, 2 + slot[here], None], low, high)
                x = self.table.columns[variable.feature][group[here], rows]
                y = self.table.columns[variable.other][group[here], rows] if variable.other else x
                if variable.kind in ("slow", "repeated"):  # of the features themselves, whatever their units
                    x = x * self.table.scales[variable.feature]
                    y = y * self.table.scales[variable.other] if variable.other else y
                made, turn = values(variable, x, y, p)
                if variable.kind == "repeated":
                    made = made - np.log(self.table.scales[variable.other])
                factors[here, slot[here]] = made
                turns[here, slot[here]] = turn  # type: ignore[index]
        each = np.arange(len(points))[:, None, None]
        first, second = self.first[shape], self.second[shape]
        one, two = factors[each, first], factors[each, second]
        monomials = one * two
        coefficients = points[:, layout.coefficients]
        if self.linked[shape].any():
            coefficients = np.take_along_axis(coefficients, self.leader[shape], axis=1)
            coefficients = np.where(self.unit[shape], -1.0, coefficients)
        coefficients = coefficients.reshape(len(points), layout.terms, layout.monomials)
        inside = points[:, layout.offsets, None] * self.offset[shape][:, :, None]
        inside = inside + (coefficients[:, :, None] @ monomials)[:, :, 0]
        function = self.function[shape][:, :, None]
        sign = self.sign[shape][:, :, None]
        exponential = np.exp(np.minimum(inside, LARGEST)) * sign
        if self.mixed:
            terms = np.where(function == 1, exponential, np.where(function == 2, inside * inside, inside) * sign)
            slope = np.where(function == 1, exponential, np.where(function == 2, 2 * inside, 1.0) * sign)
        else:
            terms = slope = exponential
        total = terms.sum(axis=1)
        outer = self.outer[shape] | self.inverse[shape]
        gain = outer_slope = None
        if outer.any():
            kappa = np.where(self.inverse[shape], -1.0, np.exp(points[:, 1]))[:, None]
            log_total = np.log(total)
            power = np.exp(kappa * log_total)
            gain = np.where(outer[:, None], kappa * power / total, 1.0)
            outer_slope = np.where(self.outer[shape][:, None], kappa * power * log_total, 0.0)
            total = np.where(outer[:, None], power, total)
        value = points[:, :1] * self.floor[shape][:, None] + total
        return _Parts(value, slope, monomials, one, two, turns, coefficients, gain, outer_slope)

    def _link_slopes(self, slopes: np.ndarray, shape: np.ndarray) -> None:
        """Derivatives in coefficients, in place: those that follow another one's go to it."""
        (here,) = np.nonzero(self.linked[shape])
        for place in range(slopes.shape[1]):
            leader, unit = self.leader[shape[here], place], self.unit[shape[here], place]
            moved = here[(leader != place) | unit]
            if len(moved):
                follows = here[leader != place]
                slopes[follows, leader[leader != place]] += slopes[follows, place]
                slopes[moved, place] = 0.0

    def _own_slopes(
        self, slopes: np.ndarray, points: np.ndarray, shape: np.ndarray, inner: np.ndarray, parts: _Parts
    ) -> None:
        """Derivatives in the constants of variables."""
        for slots in self.slots.values():
            slot = slots[shape]
            (here,) = np.nonzero(slot >= 0)
            if not len(here):
                continue
            assert parts.turns is not None
            weight = parts.coefficients[here][..., None] * inner[here][:, :, None]
            own = slot[here][:, None, None]
            is_first, is_second = self.first[shape[here]] == own, self.second[shape[here]] == own
            total = np.einsum("bkjn,bkjn,bkj->bn", weight, parts.two[here], is_first.astype(float))
            if is_second.any():
                total = total + np.einsum("bkjn,bkjn,bkj->bn", weight, parts.one[here], is_second.astype(float))
            slopes[here, 2 + slot[here]] = total * parts.turns[here, slot[here]]


@dataclass(frozen=True)
class _Parts:
    """What value and derivatives have in common."""

    value: np.ndarray
    slope: np.ndarray
    monomials: np.ndarray
    one: np.ndarray
    two: np.ndarray
    turns: np.ndarray | None
    coefficients: np.ndarray
    gain: np.ndarray | None
    outer_slope: np.ndarray | None
