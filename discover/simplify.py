"""The child process in which expressions are simplified, so that SymPy can be stopped when it takes too long.

Writes one line when it is ready. Then reads one request a line from standard input, a JSON object with the text of a
formula and its features, and writes one answer a line: the text of the canonical, simplified formula.
`discover.distil` starts, times and kills it.
"""

from __future__ import annotations

import json
import sys

import sympy

from discover.complexity import complexity
from discover.formula import FormulaError, parse, to_text
from discover.skeleton import canonical

LARGE = 20  # nodes; on larger expressions `simplify` takes long and hardly ever finds a shorter form


def simplified(expression: sympy.Expr) -> sympy.Expr:
    """The shortest of an expression's canonical form and those of what SymPy makes of it.

    Products of logarithms in an exponent are multiplied out: in ``exp(c*(a + log(x))*(b + log(y)))*x**p*y**q``, a and b
    only shift p and q, and a fit could not tell them apart.
    """
    plain = canonical(expression)
    shortest = plain
    if plain.has(sympy.exp):
        shortest = _shorter(shortest, plain.replace(sympy.exp, lambda exponent: sympy.exp(sympy.expand_mul(exponent))))
    if complexity(plain) <= LARGE:
        shortest = _shorter(shortest, sympy.simplify(plain, ratio=1.0))
    return shortest


def _shorter(one: sympy.Expr, other: sympy.Expr) -> sympy.Expr:
    """The canonical form of `other` where that is a formula and shorter than `one`, else `one`."""
    form = canonical(other)
    return form if complexity(form) < complexity(one) and _is_formula(form) else one


def _is_formula(expression: sympy.Expr) -> bool:
    """Whether the language can say it: SymPy also writes cosh, and parts that are not real."""
    try:
        parse(to_text(expression), features=[symbol.name for symbol in expression.free_symbols], constants=())
    except FormulaError:
        return False
    return True


def main() -> None:
    """Answer requests until standard input ends."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            expression = parse(request["formula"], features=request["features"], constants=())
            answer = {"formula": to_text(simplified(expression))}
        except Exception as error:  # whatever SymPy stumbles over, the raw form is kept
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
