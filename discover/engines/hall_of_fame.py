"""PySR's hall of fame: the CSV file that it rewrites while it searches, and the Julia text of the equations in it.

Equations are read token by token, and each token is either known or refused: nothing is evaluated, and neither SymPy's
`sympify` nor pandas sees the text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from discover.errors import EngineError
from discover.formula import FormulaError, parse, to_text

FUNCTIONS = ("log", "exp", "sqrt", "min", "max")  # by the same name in Julia and in formulas
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eEfF][+-]?\d+)?"
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>{_NUMBER})(?![A-Za-z_])|(?P<name>[A-Za-z_]\w*)|(?P<argument>\#\d+)|(?P<sign>[-+*/^(),])",
    re.ASCII,
)
_MAX_LENGTH = 10_000  # characters of an equation, as for any formula


class EquationError(EngineError):
    """An equation of a hall of fame is not a formula; the message quotes it."""


@dataclass(frozen=True)
class Row:
    """One line of a hall of fame.

    Attributes
    ----------
    loss
        The mean over rows of the loss that PySR was given.
    equation
        Julia's text.
    """

    complexity: int
    loss: float
    equation: str


@dataclass(frozen=True)
class Template:
    """An equation of a `TemplateExpressionSpec`.

    Attributes
    ----------
    expressions
        Julia's text of each expression; its arguments are ``#1``, ``#2``, ...
    parameters
        Values of each parameter vector, in Julia's order (the first is ``a[1]``).
    """

    expressions: Mapping[str, str]
    parameters: Mapping[str, tuple[float, ...]]

    def formula(self, name: str, arguments: Sequence[str]) -> str:
        """The expression `name` with formulas for its arguments, in the language of formulas.

        >>> read_template("f = log(#1) ^ #2; a = [1.0]").formula("f", ["N/1e9", "E"])
        'log ( (N/1e9) ) ** (E)'
        """
        if name not in self.expressions:
            raise EquationError(f"the template has no expression {name!r}: there are {', '.join(self.expressions)}")
        places = {f"#{number}": text for number, text in enumerate(arguments, start=1)}
        return _translate(self.expressions[name], places)


def read_hall_of_fame(path: Path) -> list[Row]:
    """Rows of a hall of fame that PySR may be writing at this moment, the simplest first.

    PySR writes the file, then the same again to ``<name>.bak`` (`save_to_file` in SymbolicRegression.jl): at any moment
    one of the two is whole. The first that is whole is read; if neither is, the one that holds more.

    Parameters
    ----------
    path
        The file ``hall_of_fame.csv``; neither it nor its twin need be there yet.
    """
    readings = []
    for file in (path, path.with_name(f"{path.name}.bak")):
        try:
            rows, whole = parse_hall_of_fame(file.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if whole:
            return rows
        readings.append(rows)
    return max(readings, key=len, default=[])


def parse_hall_of_fame(text: str) -> tuple[list[Row], bool]:
    """Rows of the text of a hall of fame, and whether it is whole: a last line that was cut off is passed over.

    >>> parse_hall_of_fame('Complexity,Loss,Equation\\n1,8.3e-5,"2.64"\\n4,6.2e-5,"exp(0.99')
    ([Row(complexity=1, loss=8.3e-05, equation='2.64')], False)
    """
    text, newline, rest = text.rpartition("\n")
    whole = not rest
    reader = csv.reader(io.StringIO(text + newline))
    try:
        header = [name.strip().lower() for name in next(reader)]
        places = [header.index(name) for name in ("complexity", "loss", "equation")]
    except (StopIteration, ValueError, csv.Error):
        return [], False
    rows = []
    try:
        for cells in filter(None, reader):
            complexity, loss, equation = (cells[place] for place in places)
            rows.append(Row(int(float(complexity)), _number(loss), equation.strip()))
    except (IndexError, ValueError, OverflowError, csv.Error):
        whole = False  # a line that is none: what stands before it is good
    return rows, whole and bool(rows)


def candidate_formula(equation: str, features: Mapping[str, str], scales: Mapping[str, float]) -> str:
    """Write an equation in the language of formulas, over features in the units of the dataset.

    Parameters
    ----------
    equation
        Julia's text.
    features
        Symbol of the dataset by the name that PySR was given, e.g. ``{"x_N": "N"}``.
    scales
        What each symbol was divided by for PySR.

    Raises
    ------
    EquationError
        When the equation holds anything but numbers, these features, ``+ - * / ^`` and known functions, or has no
        real value.

    Examples
    --------
    >>> candidate_formula("1.5f0 / (x_N ^ -0.25)", {"x_N": "N"}, {"N": 100.0})
    '0.4743416490252569*N**0.25'
    """
    return formula_of(_translate(equation, units(features, scales)), equation, features.values())


def units(features: Mapping[str, str], scales: Mapping[str, float]) -> dict[str, str]:
    """Formula of each feature that PySR was given, over features in the units of the dataset.

    >>> units({"x_N": "N", "x_E": "E"}, {"N": 1e8})
    {'x_N': 'N/100000000.0', 'x_E': 'E'}
    """
    return {
        name: symbol if scales.get(symbol, 1.0) == 1.0 else f"{symbol}/{scales[symbol]!r}"
        for name, symbol in features.items()
    }


def formula_of(text: str, equation: str, features: Iterable[str]) -> str:
    """The simplest writing of a formula that an equation was made into; an error quotes the equation."""
    try:
        return to_text(parse(text, features=features, constants=()))
    except FormulaError as error:
        raise EquationError(f"{_shown(equation)} cannot be read: {error.reason}") from None
    except (ValueError, TypeError, ArithmeticError):  # SymPy's own, e.g. of the smaller of two complex numbers
        raise EquationError(f"{_shown(equation)} cannot be read: it has no real value") from None


def julia_equation(equation: str, names: Iterable[str]) -> str:
    """An equation as Julia reads it back: it prints negative constants without the parentheses that they need.

    Parameters
    ----------
    equation
        Julia's text.
    names
        The variables, or the arguments ``#1``, ``#2``, ... of a template's expression.

    Examples
    --------
    >>> julia_equation("-0.72 ^ x_E", ["x_E"])
    '(-0.72) ^ (x_E)'
    """
    return _translate(equation, {name: name for name in names}, power="^")


def shape_of(equation: str) -> str:
    """An equation with every number replaced: equations of one shape differ in their constants only.

    >>> shape_of("1.5 / (x_N ^ -0.25)")
    'c / ( x_N ^ - c )'
    """
    return " ".join("c" if kind == "number" else token for kind, token in _tokens(equation))


def read_template(equation: str) -> Template:
    """Take an equation of a `TemplateExpressionSpec` apart.

    >>> read_template("f = #1 ^ -0.3; a = [1.9, 2.0e-1]")
    Template(expressions={'f': '#1 ^ -0.3'}, parameters={'a': (1.9, 0.2)})
    """
    expressions: dict[str, str] = {}
    parameters: dict[str, tuple[float, ...]] = {}
    for part in equation.split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name.isidentifier() or name in expressions or name in parameters:
            raise EquationError(f"{_shown(equation)} cannot be read: {part.strip()[:60]!r} is not 'name = value'")
        if not value.startswith("["):
            _tokens(value)  # refuses what is none
            expressions[name] = value
            continue
        inside, bracket, rest = value[1:].partition("]")
        try:
            if not bracket or rest:
                raise ValueError
            parameters[name] = tuple(_number(cell) for cell in inside.split(","))
        except ValueError:
            raise EquationError(f"{_shown(equation)} cannot be read: {name} is not a list of numbers") from None
    return Template(expressions, parameters)


def _translate(equation: str, places: Mapping[str, str], power: str = "**") -> str:
    """Text in the language of formulas, or Julia's; names and arguments are replaced by the texts in `places`."""
    tokens = _tokens(equation)
    pieces: list[str] = []
    position = 0
    while position < len(tokens):
        kind, token = tokens[position]
        before = tokens[position - 1][1] if position else "("
        after = tokens[position + 1] if position + 1 < len(tokens) else ("", "")
        position += 1
        if token == "-" and before in "+-*/^(," and after[0] == "number":
            # A negative number is one token here: Julia prints the power of a negative constant without parentheses
            # (`-0.72 ^ x_E`), where both languages would read the negative of a power.
            pieces.append(f"(-{_decimal(after[1])})")
            position += 1
        elif kind == "number":
            pieces.append(_decimal(token))
        elif token in places:
            pieces.append(f"({places[token]})")
        elif kind == "name" and token in FUNCTIONS and after[1] == "(":
            pieces.append(token)
        elif kind == "sign":
            pieces.append(power if token == "^" else token)
        else:
            known = ", ".join([*places, *FUNCTIONS])
            raise EquationError(f"{_shown(equation)} cannot be read: {token!r} is not known; known are {known}")
    return " ".join(pieces)


def _tokens(equation: str) -> list[tuple[str, str]]:
    """Kind and text of each token, without white space."""
    if len(equation) > _MAX_LENGTH:
        raise EquationError(f"{_shown(equation)} cannot be read: it has {len(equation)} characters")
    tokens = []
    position = 0
    while position < len(equation):
        match = _TOKEN.match(equation, position)
        if match is None:
            raise EquationError(f"{_shown(equation)} cannot be read: {equation[position]!r} at column {position + 1}")
        if match.lastgroup != "space":
            tokens.append((str(match.lastgroup), match.group()))
        position = match.end()
    return tokens


def _shown(equation: str) -> str:
    """An equation as messages quote it."""
    return f"equation {equation if len(equation) <= 80 else equation[:77] + '...'!r}"


def _decimal(token: str) -> str:
    """A number of Julia's in Python's writing: ``1.5f-3`` is a Float32."""
    return token.lower().replace("f", "e")


def _number(text: str) -> float:
    """Value of a number as Julia prints it, ``Inf`` and ``NaN`` included."""
    text = text.strip()
    if re.fullmatch(rf"[+-]?{_NUMBER}", text, re.ASCII):
        return float(_decimal(text))
    if re.fullmatch(r"[+-]?Inf(?:32)?|NaN(?:32)?", text):
        return float(text.replace("32", ""))
    raise ValueError(f"{text!r} is not a number")
