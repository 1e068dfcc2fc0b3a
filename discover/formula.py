"""Text <-> SymPy for the one small language in which laws are written, without evaluating any text.

The language is Python arithmetic (``+ - * / **``, parentheses), names, decimal numbers, the functions
``log exp sqrt min max``, and ``sum(...)`` over the components of a mixture. Text goes through Python's
`ast` and a whitelist; every number that the text could make grow is bounded *before* SymPy sees it, so
that hostile text (``9**9**9``, a megabyte of parentheses) ends at once in a `FormulaError` that points
at the place.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeGuard

import sympy
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from discover.errors import InputError, one_of

MAX_LENGTH = 10_000  # characters
MAX_DEPTH = 100  # nested parentheses or operators
MAX_EXPONENT = 1_000.0  # of a number, in absolute value
MAX_DEGREE = 60  # of what SymPy may take for a polynomial, whose roots it may look for
MAX_COMPARED = 10  # arguments of one min or max: SymPy compares them in pairs
MAX_COMPARISONS = 40  # arguments of all min and max of a text
MAX_BITS = 4_096  # of an exact number that a power may produce
MAX_NUMBER = 1e300

FUNCTIONS = ("log", "exp", "sqrt", "min", "max", "sum")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
LEGAL_NAMES = "letters a to z, digits, underscores; no function, no word of Python (lambda)"
_RESERVED = frozenset(FUNCTIONS) | frozenset(keyword.kwlist)

COMPONENT = sympy.Symbol("i", integer=True, positive=True)  # index of a mixture component
N_COMPONENTS = sympy.Symbol("M", integer=True, positive=True)  # number of components


class FormulaError(InputError):
    """A text is not a formula; the message quotes it and points at the place."""

    def __init__(self, message: str, text: str, column: int = 0) -> None:
        self.reason, self.text, self.column = message, text, column
        super().__init__(f"{message}\n  {_excerpt(text, column)}")

    def __reduce__(self) -> tuple[type[FormulaError], tuple[str, str, int]]:
        return type(self), (self.reason, self.text, self.column)  # so that a worker process can raise it


_BLANKS = str.maketrans("\n\r\t", "   ")


def _excerpt(text: str, column: int, width: int = 72) -> str:
    """The line of `text` around `column`, with a caret below the column."""
    # One cell a character, and none that a terminal acts upon: the caret stands where it should.
    flat = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.translate(_BLANKS))
    start = max(0, min(column - width // 2, len(flat) - width))
    left, right = ("..." if start else ""), ("..." if start + width < len(flat) else "")
    return f"{left}{flat[start : start + width]}{right}\n  {' ' * (len(left) + column - start)}^"


def is_name(text: str) -> bool:
    """Whether `text` may name a feature or a constant (`LEGAL_NAMES`)."""
    return _NAME.match(text) is not None and text not in _RESERVED


@lru_cache(maxsize=4096)
def symbol(name: str, *, positive: bool = False) -> sympy.Symbol:
    """The SymPy symbol of a feature (positive) or of a constant (real); one assumption a role, everywhere."""
    return sympy.Symbol(name, positive=True) if positive else sympy.Symbol(name, real=True)


def parse(
    text: str,
    *,
    features: Iterable[str] = (),
    mixtures: Iterable[str] = (),
    constants: Iterable[str] | None = None,
    parts: Mapping[str, sympy.Expr] | None = None,
) -> sympy.Expr:
    """Turn the text of a formula into a SymPy expression.

    Parameters
    ----------
    text
        The formula, e.g. ``"E0 + A/N**alpha + B/D**beta"``.
    features
        Names of the features; they become positive symbols.
    mixtures
        Names of mixture features; legal only inside ``sum(...)``, where they become ``r[i]``.
    constants
        Names of the constants; they become real symbols. `None` takes every other name for a constant.
        A constant that stands only inside ``sum(...)`` has one value a component: ``t[i]``.
    parts
        Expressions by name, put in where the name stands (the ``[let]`` of a card).

    Raises
    ------
    FormulaError
        When the text is not a formula of the language, or names something unknown.

    Examples
    --------
    >>> parse("E0 + A/N**alpha", features=["N"])
    A/N**alpha + E0
    >>> parse("c + k*exp(sum(t*r))", mixtures=["r"])
    c + k*exp(Sum(r[i]*t[i], (i, 1, M)))
    """
    tree = _syntax(text)
    names = _Names(
        features=frozenset(features),
        mixtures=frozenset(mixtures),
        constants=None if constants is None else frozenset(constants),
        parts=dict(parts or {}),
        vectors=_names_only_inside_sums(tree),
    )
    expression = _Builder(text, names).build(tree.body)
    if expression.has(sympy.nan, sympy.oo, -sympy.oo, sympy.zoo, sympy.I):
        raise FormulaError("the formula has no real value (it divides by zero, or takes the log of zero)", text)
    return expression


def _syntax(text: str) -> ast.Expression:
    if not isinstance(text, str):
        raise FormulaError(f"a formula is a text, not {type(text).__name__}", repr(text)[:100])
    if not text.strip():
        raise FormulaError("the formula is empty", text)
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters, more than the {MAX_LENGTH} allowed", text)
    _check_characters(text)
    _check_depth(text)
    try:
        # A lone line break inside a card's multi-line string is white space, not a second statement.
        return ast.parse("(" + text.translate(_BLANKS) + ")", mode="eval")
    except SyntaxError as error:
        column = max(0, min((error.offset or 2) - 2, len(text)))
        raise FormulaError("this is not a formula", text, column) from None
    except (ValueError, MemoryError, RecursionError):
        raise FormulaError("this is not a formula, or one that is nested too deep", text) from None


def _check_characters(text: str) -> None:
    """Refuse what `ast` would read as something else: look-alikes of letters and digits, hidden characters, ``^``."""
    for column, character in enumerate(text):
        if not (" " <= character <= "~" or character in "\n\r\t"):
            code = f"U+{ord(character):04X}"
            shown = f"{character!r} ({code})" if character.isprintable() else code
            raise FormulaError(f"the character {shown} is not part of a formula", text, column)
        if character == "^":
            raise FormulaError("'^' is not an operator: write a power as '**'", text, column)


def _check_depth(text: str) -> None:
    depth = 0
    for column, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            raise FormulaError("this parenthesis closes none", text, column)
        if depth > MAX_DEPTH:
            raise FormulaError(f"parentheses are nested more than {MAX_DEPTH} deep", text, column)


def _names_only_inside_sums(tree: ast.Expression) -> frozenset[str]:
    inside: set[str] = set()
    outside: set[str] = set()

    def visit(node: ast.AST, in_sum: bool) -> None:
        stack = [(node, in_sum)]
        while stack:
            current, inner = stack.pop()
            if isinstance(current, ast.Name):
                (inside if inner else outside).add(current.id)
            inner = inner or (
                isinstance(current, ast.Call) and isinstance(current.func, ast.Name) and current.func.id == "sum"
            )
            stack.extend((child, inner) for child in ast.iter_child_nodes(current))

    visit(tree, False)
    return frozenset(inside - outside)


def _is_product(node: ast.AST) -> TypeGuard[ast.BinOp | ast.UnaryOp]:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub)
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)


class _Names:
    """What each name of a formula stands for."""

    def __init__(
        self,
        features: frozenset[str],
        mixtures: frozenset[str],
        constants: frozenset[str] | None,
        parts: dict[str, sympy.Expr],
        vectors: frozenset[str],
    ) -> None:
        self.features, self.mixtures, self.constants = features, mixtures, constants
        self.parts, self.vectors = parts, vectors

    def legal(self) -> list[str]:
        return sorted(self.features | self.mixtures | (self.constants or frozenset()) | set(self.parts))


class _Builder:
    """Builds the SymPy expression of one formula, node by node, refusing all that is not arithmetic."""

    def __init__(self, text: str, names: _Names) -> None:
        self.text, self.names = text, names
        self.in_sum = False
        self.depth = 0
        self.comparisons = 0
        self.degrees: dict[sympy.Expr, int] = {}
        self.summed: dict[str, str] = {}  # the mixture of each constant that is a vector

    def fail(self, message: str, node: ast.AST) -> FormulaError:
        column = getattr(node, "col_offset", 1) - 1  # minus the parenthesis that `_syntax` put in front
        return FormulaError(message, self.text, max(0, column))

    def build(self, node: ast.AST) -> sympy.Expr:
        with self._deeper(node):
            value = self._build(node)
        number = value.as_coeff_Mul()[0]
        if number is not sympy.S.One:
            self._check_number(number, node)
        if self._degree(value) > MAX_DEGREE:
            raise self.fail(f"whole powers make a polynomial of a degree above {MAX_DEGREE}", node)
        return value

    @contextmanager
    def _deeper(self, node: ast.AST) -> Iterator[None]:
        if self.depth >= 2 * MAX_DEPTH:
            raise self.fail(f"the formula is nested more than {2 * MAX_DEPTH} operations deep", node)
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def _degree(self, expression: sympy.Expr) -> int:
        """Degree of the expression as a polynomial or a quotient of such, in whatever it is a polynomial of."""
        if expression.is_Number:
            return 0
        if not (expression.is_Add or expression.is_Mul or (expression.is_Pow and expression.exp.is_Integer)):
            return 1
        if expression not in self.degrees:
            if expression.is_Pow:
                degree = abs(int(expression.exp)) * self._degree(expression.base)
            else:
                degree = (max if expression.is_Add else sum)(self._degree(part) for part in expression.args)
            self.degrees[expression] = degree
        return self.degrees[expression]

    def _build(self, node: ast.AST) -> sympy.Expr:
        if _is_product(node):
            return sympy.Mul(*self._factors(node))
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd):
            return self.build(node.operand)
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        kind = {
            ast.Attribute: "an attribute access",
            ast.Subscript: "a subscript",
            ast.Compare: "a comparison",
            ast.Lambda: "a lambda",
            ast.IfExp: "a condition",
            ast.Tuple: "a list of values",
            ast.List: "a list",
            ast.BoolOp: "a logical operation",
        }.get(type(node), f"'{type(node).__name__}'")
        raise self.fail(f"{kind} is not part of a formula: only + - * / **, names, numbers and functions are", node)

    def _factors(self, node: ast.expr) -> list[sympy.Expr]:
        """Factors of a whole product: one after the other, SymPy would make another expression of ``2*(a + b)/c``."""
        if not _is_product(node):
            return [self.build(node)]
        with self._deeper(node):
            if isinstance(node, ast.UnaryOp):
                return [sympy.S.NegativeOne, *self._factors(node.operand)]
            if isinstance(node.op, ast.Mult):
                return [*self._factors(node.left), *self._factors(node.right)]
            divisor = self.build(node.right)
            if _is_zero(divisor):
                raise self.fail("division by zero", node.right)
            return [*self._factors(node.left), 1 / divisor]

    def _operation(self, node: ast.BinOp) -> sympy.Expr:
        left, right = self.build(node.left), self.build(node.right)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Pow):
            return self._power(left, right, node)
        raise self.fail("only the operators + - * / ** are allowed", node)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr, node: ast.expr) -> sympy.Expr:
        if exponent.is_Number and abs(exponent) > MAX_EXPONENT:
            raise self.fail(f"the exponent is larger than {MAX_EXPONENT:g}", getattr(node, "right", node))
        if _is_zero(base) and exponent.is_Number and exponent.is_negative:
            raise self.fail("division by zero", node)
        if exponent.is_Integer and abs(int(exponent)) * self._degree(base) > MAX_DEGREE:
            raise self.fail(f"whole powers make a polynomial of a degree above {MAX_DEGREE}", node)
        if base.is_number and exponent.is_number:
            root, power = self._float(base, node), self._float(exponent, node)
            if root < 0 and not power.is_integer():
                raise self.fail("a fractional power of a negative number is not real", node)
            if root and abs(power) * abs(math.log(abs(root))) > math.log(MAX_NUMBER):
                raise self.fail(f"the number is out of the range 1/{MAX_NUMBER:g} to {MAX_NUMBER:g}", node)
        if exponent.is_Rational:
            bits = sum(_bits(number) for number in base.atoms(sympy.Number)) * abs(float(exponent))
            if bits > MAX_BITS:
                raise self.fail("the power makes a number that is too long", node)
        return base**exponent

    def _float(self, number: sympy.Expr, node: ast.AST) -> float:
        try:
            value = float(number)
        except (TypeError, OverflowError):  # complex, or beyond what a float holds
            value = math.nan
        if not math.isfinite(value):
            raise self.fail("the number is not real and finite", node)
        return value

    def _number(self, node: ast.Constant) -> sympy.Expr:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail("only decimal numbers are allowed here", node)
        if abs(value) > MAX_NUMBER:
            raise self.fail(f"the number is larger than {MAX_NUMBER:g}", node)
        return sympy.Integer(value) if isinstance(value, int) else sympy.Float(value)

    def _check_number(self, value: sympy.Expr, node: ast.AST) -> None:
        if not value.is_finite:
            raise self.fail("the number is not finite", node)
        if _bits(value) > 2 * MAX_BITS or abs(value) > MAX_NUMBER:
            raise self.fail(f"the number is larger than {MAX_NUMBER:g}", node)
        if not value.is_zero and float(value) == 0.0:  # it could not be printed and read again
            raise self.fail(f"the number is smaller than 1/{MAX_NUMBER:g}", node)

    def _name(self, node: ast.Name) -> sympy.Expr:
        name, names = node.id, self.names
        if name in names.parts:
            return names.parts[name]
        if name in names.features:
            return symbol(name, positive=True)
        if name in names.mixtures:
            if not self.in_sum:
                raise self.fail(f"the mixture {name!r} stands outside sum(...)", node)
            return sympy.IndexedBase(name, positive=True)[COMPONENT]
        if names.constants is not None and name not in names.constants:
            raise self.fail(f"unknown name {name!r}: {one_of(name, names.legal())}", node)
        if not is_name(name):
            raise self.fail(f"{name!r} is not a legal name", node)
        if self.in_sum and name in names.vectors:
            return sympy.IndexedBase(name, real=True)[COMPONENT]
        return symbol(name)

    def _call(self, node: ast.Call) -> sympy.Expr:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            called = repr(node.func.id) if isinstance(node.func, ast.Name) else "what is called here"
            raise self.fail(f"{called} is not a function: legal are {', '.join(FUNCTIONS)}", node)
        name = node.func.id
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.fail(f"{name} takes plain arguments only", node)
        if name in ("min", "max"):
            if len(node.args) < 2:
                raise self.fail(f"{name} takes two or more arguments", node)
            return self._compared(sympy.Min if name == "min" else sympy.Max, node)
        if len(node.args) != 1:
            raise self.fail(f"{name} takes one argument", node)
        if name == "sum":
            return self._sum(node)
        return self._function(name, self.build(node.args[0]), node)

    def _compared(self, function: type[sympy.Expr], node: ast.Call) -> sympy.Expr:
        self.comparisons += len(node.args)
        if len(node.args) > MAX_COMPARED or self.comparisons > MAX_COMPARISONS:
            raise self.fail(
                f"min and max take up to {MAX_COMPARED} arguments, all of a formula together {MAX_COMPARISONS}", node
            )
        arguments = [self.build(argument) for argument in node.args]
        flat = sum(len(argument.args) if isinstance(argument, function) else 1 for argument in arguments)
        if flat > MAX_COMPARED:
            raise self.fail(f"min and max take up to {MAX_COMPARED} arguments, nested ones together", node)
        return function(*arguments)

    def _function(self, name: str, argument: sympy.Expr, node: ast.expr) -> sympy.Expr:
        if name == "log":
            if argument.is_nonpositive:
                raise self.fail("the log of zero or of a negative number is not real", node)
            return sympy.log(argument)
        if name == "sqrt":
            if argument.is_negative:
                raise self.fail("the root of a negative number is not real", node)
            return self._power(argument, sympy.Rational(1, 2), node)
        if argument.is_number and abs(self._float(argument, node)) > math.log(MAX_NUMBER):
            raise self.fail(f"the number is out of the range 1/{MAX_NUMBER:g} to {MAX_NUMBER:g}", node)
        return sympy.exp(argument)

    def _sum(self, node: ast.Call) -> sympy.Expr:
        if self.in_sum:
            raise self.fail("sum(...) stands inside sum(...)", node)
        self.in_sum = True
        try:
            term = self.build(node.args[0])
        finally:
            self.in_sum = False
        inside = {str(indexed.base) for indexed in term.atoms(sympy.Indexed)}
        mixtures = sorted(inside & self.names.mixtures)
        if not mixtures:
            raise self.fail("sum(...) runs over the components of a mixture, and there is none inside", node)
        if len(mixtures) > 1:
            raise self.fail(f"sum(...) runs over one mixture, and {' and '.join(mixtures)} are inside", node)
        for vector in inside - self.names.mixtures:
            if self.summed.setdefault(vector, mixtures[0]) != mixtures[0]:
                raise self.fail(f"{vector!r} stands inside the sums of two mixtures: give each its own constant", node)
        return sympy.Sum(term, (COMPONENT, 1, N_COMPONENTS))


def _is_zero(expression: sympy.Expr) -> bool:
    """Whether it is the number zero; of more SymPy is not asked, whose proof may take minutes."""
    return bool(expression.is_Number and expression.is_zero)  # == 0 is false of 0.0


def _bits(number: sympy.Expr) -> int:
    if number.is_Rational:
        return int(number.p).bit_length() + int(number.q).bit_length()
    return 0


class _FormulaPrinter(StrPrinter):  # type: ignore[misc]
    """Prints an expression in the language of `parse`; every digit of a number is kept."""

    printmethod = "_formula_text"  # not SymPy's "_sympystr", by which an Indexed would print itself as t[i]

    def _print_Float(self, expr: sympy.Float) -> str:
        return repr(float(expr))

    def _print_Exp1(self, expr: sympy.Expr) -> str:
        return "exp(1)"

    def _print_Max(self, expr: sympy.Max) -> str:
        return f"max({self.stringify(expr.args, ', ')})"

    def _print_Min(self, expr: sympy.Min) -> str:
        return f"min({self.stringify(expr.args, ', ')})"

    def _print_Abs(self, expr: sympy.Abs) -> str:
        return f"sqrt({self.parenthesize(expr.args[0], PRECEDENCE['Pow'])}**2)"  # what SymPy made an Abs of

    def _print_Sum(self, expr: sympy.Sum) -> str:
        return f"sum({self._print(expr.function)})"

    def _print_Indexed(self, expr: sympy.Indexed) -> str:
        return str(expr.base)


def to_text(expression: sympy.Expr) -> str:
    """Print an expression in the language of formulas; `parse` of the text gives an equal expression.

    >>> to_text(parse("A*N**(-1/3) + max(0.1, c)", features=["N"]))
    'A/N**(1/3) + max(0.1, c)'
    """
    return str(_FormulaPrinter({"order": None}).doprint(expression))
