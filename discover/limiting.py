"""The child process in which SymPy takes limits, so that it can be stopped when it takes too long.

Writes one line when it is ready. Then reads one request a line from standard input, a JSON object, and writes one
answer a line. `discover.sanity.exact` asks, `discover.child` starts, times and kills it.

A request has the text of a ``formula`` over ``features`` and ``constants`` (values by name), the features that grow
together (``along``), and whether the constants are ``open``: then only their signs are used, and the answer holds for
all constants of these signs. The answer has the text of the ``limit``, or its sign where it is ``infinite``, or
neither.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from discover.formula import parse, symbol, to_text

DIGITS = 12  # of a constant: more make rational numbers with which SymPy is slow
UNDECIDED = (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I, sympy.sign, sympy.Limit, sympy.AccumBounds)


def limit_of(
    formula: str, features: Iterable[str], constants: Mapping[str, float], along: Iterable[str], *, open_: bool
) -> dict[str, Any]:
    """Limit of a formula as the features `along` grow without end, in their proportions to each other.

    >>> limit_of("E0 + A/N**alpha", ["N"], {"E0": 1.8, "A": 480.0, "alpha": 0.35}, ["N"], open_=True)
    {'limit': 'E0'}
    """
    expression = parse(formula, features=features, constants=constants)
    put, back = {}, {}
    for name, value in constants.items():
        if value == 0 or not open_:
            put[symbol(name)] = sympy.Rational(f"{value:.{DIGITS}g}")
            continue
        size, sign = sympy.Dummy(name, positive=True), -1 if value < 0 else 1
        put[symbol(name)], back[size] = sign * size, sign * symbol(name)
    growth = sympy.Dummy("t", positive=True)
    grown = list(along)
    for name in grown:
        feature = symbol(name, positive=True)
        put[feature] = growth if len(grown) == 1 else growth * feature
    limit = sympy.limit(expression.subs(put, simultaneous=True), growth, sympy.oo)
    if limit in (sympy.oo, -sympy.oo):
        return {"infinite": 1 if limit is sympy.oo else -1}
    if limit.has(growth, *UNDECIDED):
        return {}
    return {"limit": min((to_text(form.xreplace(back)) for form in (limit, sympy.expand(limit))), key=len)}


def main() -> None:
    """Answer requests until standard input ends."""
    print(json.dumps({"ready": True}), flush=True)
    for text in sys.stdin:
        request = json.loads(text)
        open_ = request.pop("open")
        try:
            answer = limit_of(**request, open_=open_)
        except Exception as error:  # whatever SymPy stumbles over, there are the numbers
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
