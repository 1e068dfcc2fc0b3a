"""Which settings of a law's constants make it another law.

A constant is set to 0, 1 or -1, sent to infinity, or tied to another one; several at once, the simplest settings first,
until a setting is found whose shape is the other law's and whose remaining constants can be solved for.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import sympy

from discover.disguise.normal import Shape, constants_of, features_of, normal, plain_name, shape
from discover.disguise.solving import Solution, solved

MOST = 4  # cost of the settings that are tried together
COSTS = {"0": 1.0, "1": 1.5, "inf": 1.5, "tie": 2.0, "-1": 2.0}
SEARCHED = 2_000  # sets of settings
_SMALL = sympy.Dummy(positive=True)


@dataclass(frozen=True)
class Setting:
    """One constant, and what it is set to: a number, infinity, or another constant."""

    name: sympy.Symbol
    value: sympy.Expr
    cost: float = 0.0

    def __str__(self) -> str:
        shown = plain_name(self.value) if self.value.is_Symbol else str(self.value).replace("oo", "infinity")
        return f"{plain_name(self.name)} -> {shown}" if self.value is sympy.oo else f"{plain_name(self.name)} = {shown}"


@dataclass(frozen=True)
class Special:
    """How a law becomes another one.

    Attributes
    ----------
    settings
        What its constants are set to, or how they are tied, as texts.
    constants
        Its other constants in terms of those of the other law, as texts; ``any`` for one whose value does not matter.
    """

    settings: tuple[str, ...]
    constants: Mapping[str, str]


def special_case(
    one: sympy.Expr, other: sympy.Expr, *, signed: Collection[str] = (), seconds: float = 2.0
) -> tuple[Special | None, bool]:
    """The settings at which the law `other` is `one`, and whether the search for them ended.

    Parameters
    ----------
    one, other
        Expressions of `discover.disguise.normal.Formula`, their constants under different prefixes.
    signed
        Constants of `other` that may be negative.
    seconds
        After which the search stops.

    Returns
    -------
    The settings, `None` when none were found; and false when there was no time to try all.
    """
    if not features_of(one) <= features_of(other):
        return None, True
    goals = _shapes(one)
    # A law cannot have fewer constants than its special case has to choose freely.
    least = min(len(constants_of(one)), *(len({*goal.places}) for goal in goals))
    names = constants_of(other)
    end = time.monotonic() + seconds
    seen: set[sympy.Expr | None] = {None}
    put: dict[tuple[Setting, ...], sympy.Expr | None] = {(): other}
    for settings in itertools.islice(_sets(names, len(names) - least, signed), SEARCHED):
        if time.monotonic() > end:
            return None, False
        left = _put(settings, put)
        if left in seen:  # where a constant went with another one, setting it too makes nothing new
            continue
        seen.add(left)
        if features_of(left) != features_of(one) or len(constants_of(left)) < least:
            continue
        for found, goal in itertools.product(_shapes(left), goals):
            if found.text == goal.text:
                solution = solved(goal.places, found.places, constants_of(left))
                if solution is not None:
                    return _told(settings, solution), True
    return None, True


def _shapes(expression: sympy.Expr) -> list[Shape]:
    """The shapes of an expression: with its products of sums, and multiplied out; none of what has no finite value."""
    try:
        plain = normal(expression)
        products = [part.args for part in sympy.preorder_traversal(plain) if part.is_Mul]
        if any(sum(factor.is_Add for factor in factors) > 1 for factors in products):
            return [shape(plain), shape(normal(expression, expand=True))]
        return [shape(plain)]
    except Exception:  # SymPy found a pole, or what is not real, and stumbled over it
        return []


def _sets(names: list[sympy.Symbol], most: int, signed: Collection[str]) -> Iterator[tuple[Setting, ...]]:
    """Sets of settings of up to `most` different constants, the cheapest first; at first none at all."""
    single = [Setting(name, sympy.Integer(value), COSTS[str(value)]) for name in names for value in (0, 1)]
    single += [Setting(name, sympy.Integer(-1), COSTS["-1"]) for name in names if plain_name(name) in signed]
    single += [Setting(name, sympy.oo, COSTS["inf"]) for name in names]
    single += [Setting(one, other, COSTS["tie"]) for other, one in itertools.combinations(names, 2)]
    costs = sorted({setting.cost for setting in single})
    totals = {
        total: chosen
        for count in range(min(most, int(MOST / costs[0])) + 1 if costs else 1)
        for chosen in itertools.combinations_with_replacement(costs, count)
        if (total := sum(chosen)) <= MOST
    }
    for total in sorted(totals):
        yield from _of_cost(single, total, most)


def _of_cost(single: list[Setting], total: float, most: int, start: int = 0) -> Iterator[tuple[Setting, ...]]:
    """Sets of settings that cost `total` together, of different constants."""
    if total == 0:
        yield ()
        return
    for k in range(start, len(single)) if most else ():
        first = single[k]
        if first.cost <= total:
            for rest in _of_cost(single, total - first.cost, most - 1, k + 1):
                if all(first.name not in (other.name, other.value) and first.value != other.name for other in rest):
                    yield (first, *rest)


def _put(settings: tuple[Setting, ...], put: dict[tuple[Setting, ...], sympy.Expr | None]) -> sympy.Expr | None:
    """The expression after these settings, one after the other; `None` where it has no finite value then.

    `put` keeps the expressions, from that without settings on.
    """
    if settings not in put:
        before = _put(settings[:-1], put)
        put[settings] = None if before is None else _with(before, settings[-1])
    return put[settings]


def _with(expression: sympy.Expr, setting: Setting) -> sympy.Expr | None:
    name, value = setting.name, setting.value
    try:
        if value is sympy.oo:
            expression, name, value = expression.xreplace({name: 1 / _SMALL}), _SMALL, sympy.S.Zero
        result = expression.xreplace({name: value})
    except Exception:  # whatever SymPy stumbles over where it meets infinity
        return None
    return None if result.has(sympy.nan, sympy.oo, -sympy.oo, sympy.zoo) else result


def _told(settings: tuple[Setting, ...], solution: Solution) -> Special:
    """The settings, with the numbers and ties that solving for the other constants brought."""
    told = [str(setting) for setting in settings]
    seen: dict[sympy.Expr, str] = {}
    for symbol, value in sorted(solution.values.items(), key=lambda item: str(item[0])):
        name = plain_name(symbol)
        if value.free_symbols & set(solution.any):  # it is so for one choice among many
            continue
        if value in seen:
            told.append(f"{seen[value]} = {name}")
        elif not value.free_symbols:
            told.append(f"{name} = {sympy.nsimplify(value, rational=True) if value.is_Float else value}")
        seen.setdefault(value, name)
    ones = dict.fromkeys(solution.any, sympy.S.One)
    texts = {plain_name(symbol): _plain_text(value.xreplace(ones)) for symbol, value in solution.values.items()}
    return Special(tuple(told), texts | {plain_name(symbol): "any" for symbol in solution.any})


def _plain_text(value: sympy.Expr) -> str:
    return str(value.xreplace({name: sympy.Symbol(plain_name(name)) for name in value.free_symbols}))
