"""How shapes grow: the shapes that a search begins with, and the children of a shape.

A child starts where its parent ended: what is added has no effect yet, or a small one, so that its fit goes on from the
parent's and seldom ends above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from discover.engines.base import SearchProblem
from discover.engines.grammar.shape import Monomial, Point, Shape, Start, Term, has_common, pairs_of, start_of
from discover.engines.grammar.variables import Kind, Variable

SMALL = -2.5  # logarithm of a new term, in units of the target
EXPONENT = 0.3  # of a new power
LEAST_EXPONENT = 0.05  # by which others are divided
MOST_TERMS = 5
LOGARITHMS: tuple[Kind, ...] = ("capped", "log", "shifted", "slow", "repeated", "log_share")


@dataclass(frozen=True)
class Vocabulary:
    """What laws over the features of a problem may be made of.

    Attributes
    ----------
    logs
        The logarithms of the features that are not shares.
    refined
        For each of them, what it may be refined to.
    shares
        The shares, as they are; of every mixture together in `mixtures`.
    falling
        Features in which the target must fall.
    bent
        Those of them in which it is flat first.
    positive
        Whether the target is positive on all rows.
    level, spread
        The target's median, and its range.
    """

    logs: tuple[Variable, ...]
    refined: dict[Variable, tuple[Variable, ...]]
    shares: tuple[Variable, ...]
    mixtures: tuple[tuple[Variable, ...], ...]
    falling: frozenset[str]
    bent: frozenset[str]
    positive: bool
    level: float
    spread: float

    @classmethod
    def of(cls, problem: SearchProblem) -> Vocabulary:
        """The vocabulary of a search problem."""
        logs = tuple(Variable("log", name) for name in problem.features if name not in problem.plain)
        shares = tuple(Variable("share", name) for name in problem.features if name in problem.plain)
        refined = {log: _refinements(log.feature, problem) for log in logs}
        mixtures = tuple(tuple(Variable("share", name) for name in names) for names in problem.mixtures)
        target = np.asarray(problem.target, dtype=float)
        positive = bool(np.all(target > 0))
        level, spread = float(np.median(target)), float(np.ptp(target))
        return cls(logs, refined, shares, mixtures, problem.falling, problem.bent, positive, level, spread)

    @property
    def offset(self) -> float:
        """Logarithm of a term as large as the target varies."""
        return float(np.log(self.spread / 2))


def _refinements(name: str, problem: SearchProblem) -> tuple[Variable, ...]:
    column = np.asarray(problem.features[name], dtype=float)
    made = [Variable("shifted", name), Variable("capped", name)]
    if column.min() >= 1 and name not in problem.falling and column.max() < 1e6:
        made.append(Variable("slow", name))
    for other in problem.features:
        if other != name and {name, other} <= problem.falling:
            bound = np.asarray(problem.features[other], dtype=float)
            if np.all(column >= bound * 0.999) and np.any(column > 1.5 * bound) and np.any(column < 1.01 * bound):
                made.append(Variable("repeated", name, other))
    return tuple(made)


def seeds(words: Vocabulary) -> list[Start]:
    """The shapes that a search begins with: powers of every set of features, as products and as sums."""
    made: list[Start] = []
    begin = 0.8 * words.level if words.positive else words.level - 0.5 * words.spread
    here = Point(floor=begin)
    offset = words.offset

    def power(variables: tuple[Variable, ...], slopes: tuple[float, ...]) -> tuple[Term, tuple[float, ...]]:
        return Term(tuple((v,) for v in variables)), (offset, *slopes)

    def add(pairs: list[tuple[Term, tuple[float, ...]]]) -> None:
        made.append(start_of(pairs, here, floor=True))
        if words.positive:
            first = [(pairs[0][0], (float(np.log(words.level)), *pairs[0][1][1:])), *pairs[1:]]
            made.append(start_of(first, here, floor=False))

    logs = words.logs
    for size in range(1, min(len(logs), 4) + 1):
        for chosen in combinations(logs, size):
            add([power(chosen, tuple(_slope(v, words) for v in chosen))])
            if size > 1:
                add([power((v,), (_slope(v, words),)) for v in chosen])
    for v in logs:
        if v.feature in words.bent:
            made.append(_upside_down(power((v,), (_slope(v, words),)), here, words))
    for bowls in _bowls(words):
        add([*(power((v,), (_slope(v, words),)) for v in logs if v.feature in words.falling), *bowls])
    for mixture in words.mixtures:
        # The shares sum to one, so that the coefficients do the offset's work too.
        add([(Term(tuple((v,) for v in mixture)), (offset, *([0.0] * len(mixture))))])
        add([(Term(tuple((v,) for v in mixture), "sum"), (0.0, *([0.0] * len(mixture))))])
    for v in words.shares:
        add([(Term(((v,),)), (offset, -0.5))])
        add([(Term(((Variable("log_share", v.feature),),)), (offset, -0.2))])
    return made


def _bowls(words: Vocabulary) -> Iterator[list[tuple[Term, tuple[float, ...]]]]:
    """Bowls in the features that may have a best value, which moves with the sizes: one of them, and all at once."""
    sizes = [v for v in words.logs if v.feature in words.falling]
    tuned = [v for v in words.logs if v.feature not in words.falling]
    each = [(Term(tuple((v,) for v in (one, *sizes)), "square"), (0.0, 0.1, *([0.0] * len(sizes)))) for one in tuned]
    if sizes:
        yield from ([bowl] for bowl in each)
        if 1 < len(each) < MOST_TERMS:
            yield each


def _slope(variable: Variable, words: Vocabulary) -> float:
    return -EXPONENT if variable.feature in words.falling else -EXPONENT / 3


def children(parent: Start, words: Vocabulary) -> Iterator[Start]:
    """The shapes one move away from a parent, each with its start."""
    shape, point = parent.shape, parent.point
    pairs = list(pairs_of(parent))

    def made(new: list[tuple[Term, tuple[float, ...]]]) -> Start:
        return start_of(new, point, **shape.frame)

    yield from _around(shape, point, pairs, words)
    for term, numbers in _new_terms(words):
        if len(pairs) >= MOST_TERMS:
            break
        if not shape.inverse:
            yield made([*pairs, (term, numbers)])
        elif term.function == "exp":  # in a denominator what falls rises, and what is small beside the target is large
            upside_down = (-2 * words.offset + numbers[0], *(-value for value in numbers[1:]))
            yield made([*pairs, (replace(term, sign=1), upside_down)])
    for k, (term, numbers) in enumerate(pairs):
        rest = pairs[:k] + pairs[k + 1 :]
        for new, values in _refined_terms(term, numbers, words):
            yield made([*rest, (new, values)])
        for new, values in _shorter_terms(term, numbers):
            yield made([*rest, (new, values)])
        if term.is_product:
            yield made([*rest, (replace(term, shared=not term.shared), numbers)])
        if rest:
            yield made(rest)
    yield from _other_variables(shape, point, pairs, words)


def _around(
    shape: Shape, point: Point, pairs: list[tuple[Term, tuple[float, ...]]], words: Vocabulary
) -> Iterator[Start]:
    """With and without a floor, an outer power, and tied exponents; and turned upside down."""

    def framed(like: Point = point, **changes: bool) -> Start:
        return start_of(pairs, like, **{**shape.frame, **changes})

    if shape.floor and words.positive:
        yield framed(floor=False)
    if not shape.floor:
        yield framed(replace(point, floor=0.5 * words.level), floor=True)
    if shape.outer:
        yield framed(outer=False)
    elif len(pairs) > 1 and not shape.inverse and all(term.sign > 0 and term.function == "exp" for term, _ in pairs):
        yield framed(outer=True)
    if shape.tied:
        yield framed(tied=False)
    elif len(pairs) > 1 and all(term.is_power for term, _ in pairs):
        yield framed(tied=True)
    if shape.common or (not shape.tied and has_common(shape.terms)):
        yield framed(common=not shape.common)
    if shape.outer:
        yield from (_with_unit(shape, point, pairs, k) for k, (term, _) in enumerate(pairs) if term.is_power)
    if words.bent and not shape.inverse and not shape.outer and len(pairs) == 1 and pairs[0][0].function == "exp":
        yield _upside_down(pairs[0], point, words)


def _upside_down(pair: tuple[Term, tuple[float, ...]], point: Point, words: Vocabulary) -> Start:
    """A floor and one term, the term as one over its inverse, to which a constant is added: it is flat at first."""
    term, numbers = pair
    ceiling = (Term(()), (-words.offset + SMALL,))
    upside_down = (replace(term, sign=1), tuple(-value for value in numbers))
    return start_of([ceiling, upside_down], point, floor=True, inverse=True)


def _with_unit(shape: Shape, point: Point, pairs: list[tuple[Term, tuple[float, ...]]], place: int) -> Start:
    """A power made the first one, under an outer power that makes up for it; or made free again."""
    term, numbers = pairs[place]
    if term.unit:
        freed = [*pairs[:place], (replace(term, unit=False), numbers), *pairs[place + 1 :]]
        return start_of(freed, point, **shape.frame)
    size = min(max(abs(numbers[1]), LEAST_EXPONENT), 1 / LEAST_EXPONENT)
    scaled = [(replace(one, unit=False), tuple(value / size for value in values)) for one, values in pairs]
    scaled[place] = (replace(term, unit=True), (scaled[place][1][0], -1.0))
    return start_of(scaled, replace(point, outer=point.outer + float(np.log(size))), **{**shape.frame, "tied": False})


def _new_terms(words: Vocabulary) -> Iterator[tuple[Term, tuple[float, ...]]]:
    small = words.offset + SMALL
    for v in words.logs:
        falls = v.feature in words.falling
        yield Term(((v,),)), (small, -EXPONENT)
        if not falls:
            yield Term(((v,),)), (small, EXPONENT)
            yield Term(((v,),), "square"), (0.0, 0.05)
            if not words.positive:
                yield Term(((v,), (v, v))), (small, 0.0, -0.5)
                yield Term(((v,), (v, v)), sign=-1), (small, 0.0, -0.5)
            yield Term(((v,),), sign=-1), (small, EXPONENT)
    for one, two in combinations(words.logs, 2):
        yield Term(((one,), (two,))), (small, _slope(one, words), _slope(two, words))
    for v in words.shares:
        yield Term(((v,),)), (small, -0.5)
        yield Term(((Variable("log_share", v.feature),),)), (small, -0.3)
        yield Term(((Variable("log_share", v.feature),),), sign=-1), (small, 0.3)
    for mixture in words.mixtures:
        yield Term(tuple((v,) for v in mixture)), (small, *([0.0] * len(mixture)))


def _refined_terms(
    term: Term, numbers: tuple[float, ...], words: Vocabulary
) -> Iterator[tuple[Term, tuple[float, ...]]]:
    """A term with one more monomial, or with a feature and its interaction."""
    has = set(term.monomials)
    for new, values in (*_more_features(term, words), *_interactions(term, words), *_powers(term, words)):
        if not has & set(new):
            yield replace(term, monomials=(*term.monomials, *new)), (*numbers, *values)


_New = tuple[tuple[Monomial, ...], tuple[float, ...]]  # monomials and their coefficients


def _more_features(term: Term, words: Vocabulary) -> Iterator[_New]:
    features = {m[0].feature for m in term.monomials if len(m) == 1}
    for v in words.logs:
        if v.feature not in features:
            yield ((v,),), (-0.02,)
    for v in words.shares:
        yield ((v,),), (0.0,)
    for mixture in words.mixtures:
        absent = tuple((v,) for v in mixture if (v,) not in term.monomials)
        if len(absent) > 1:
            yield absent, (0.0,) * len(absent)


def _interactions(term: Term, words: Vocabulary) -> Iterator[_New]:
    """Products of two variables of the term, squares, and products with a feature that it has not yet."""
    linear = [m[0] for m in term.monomials if len(m) == 1]
    features = {v.feature for v in linear}
    smooth = [v for v in linear if v.kind in LOGARITHMS]
    for one, two in combinations(sorted(smooth), 2):
        yield ((one, two),), (0.0,)
    if term.function != "square":
        for v in smooth:
            yield ((v, v),), (0.0,)
    for one, two in product(linear, words.logs):
        if one.kind in (*LOGARITHMS, "share") and two.feature not in features:
            yield ((two,), _pair(one, two)), (-0.02, 0.0)


def _powers(term: Term, words: Vocabulary) -> Iterator[_New]:
    """Powers inside the exponent, alone or with a variable of another feature."""
    if term.function != "exp":
        return
    linear = [m[0] for m in term.monomials if len(m) == 1]
    for v in words.logs:
        power = Variable("power", v.feature)
        yield ((power,),), (0.0,)
        for other in linear:
            if other.feature != v.feature:
                yield (_pair(other, power),), (0.0,)


def _pair(one: Variable, two: Variable) -> Monomial:
    return (one, two) if one <= two else (two, one)


def _shorter_terms(term: Term, numbers: tuple[float, ...]) -> Iterator[tuple[Term, tuple[float, ...]]]:
    """A term with one monomial less; a product goes before its factors."""
    if len(term.monomials) < 2:
        return
    for k, monomial in enumerate(term.monomials):
        needed = len(monomial) == 1 and any(len(m) == 2 and monomial[0] in m for m in term.monomials)
        if not needed or monomial[0].kind == "power":
            yield (
                replace(term, monomials=term.monomials[:k] + term.monomials[k + 1 :]),
                (numbers[0], *numbers[1 : 1 + k], *numbers[2 + k :]),
            )


def _other_variables(
    shape: Shape, point: Point, pairs: list[tuple[Term, tuple[float, ...]]], words: Vocabulary
) -> Iterator[Start]:
    """A variable refined, or made plain again, in all terms."""

    def exchanged(old: Variable, new: Variable, only: int | None = None) -> Start:
        changed = [
            (
                term
                if only is not None and only != k
                else replace(
                    term, monomials=tuple(tuple(sorted(new if v == old else v for v in m)) for m in term.monomials)
                ),
                numbers,
            )
            for k, (term, numbers) in enumerate(pairs)
        ]
        return start_of(changed, point, **shape.frame)

    for variable in shape.variables:
        if variable.kind == "log":
            for new in words.refined[variable]:
                if new not in shape.variables:
                    yield exchanged(variable, new)
                    used = [k for k, (term, _) in enumerate(pairs) if any(variable in m for m in term.monomials)]
                    if len(used) > 1:
                        for k in used:
                            yield exchanged(variable, new, only=k)
        elif variable.kind in ("shifted", "capped", "slow", "repeated"):
            log = Variable("log", variable.feature)
            if log not in shape.variables:
                yield exchanged(variable, log)
                for new in words.refined[log]:
                    if new != variable:
                        yield exchanged(variable, new)
