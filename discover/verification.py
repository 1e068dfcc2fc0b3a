"""Whether cards hold what they say: laws reproduce the numbers of their sources, files are what was published.

Nothing is downloaded, and nothing is compiled: a formula at one point is worked out node by node.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import sympy

from discover.cards import Kind, card_paths, find_card, kind_of, read_card
from discover.errors import CardError, DiscoverError, InputError, one_of
from discover.law import Law, load_law
from discover.law_card import Check, Published
from discover.mixture import expand_mixtures

if TYPE_CHECKING:
    from discover.dataset_card import DatasetCard, File

T = TypeVar("T")
Word = Literal["law", "dataset", "experiment"]
State = Literal["ok", "not downloaded", "wrong"]
_WORDS: dict[Kind, Word] = {"baselines": "law", "data": "dataset", "experiments": "experiment"}
_FUNCTIONS: dict[type[sympy.Expr], Callable[..., float]] = {
    sympy.exp: math.exp,
    sympy.log: math.log,
    sympy.Abs: abs,
    sympy.Max: max,
    sympy.Min: min,
}


# ---- laws


def problems(law: Law, where: str = "") -> list[str]:
    """What is wrong with a law's published constants, a sentence each; empty when nothing is.

    A constant that is no number or outside its bounds, and a number of the source that formula and constants do not
    reproduce. `where` (the card) opens each sentence.
    """
    where = where or law.name
    found = []
    for number, published in enumerate(law.published):
        key = f"{where}: published.{number}"
        found += [f"{key}.{problem}" for problem in _illegal_values(law, published)]
        for place, check in enumerate(published.checks):
            problem = _not_reproduced(law, check, published.values)
            if problem:
                found.append(f"{key}.checks.{place}: {problem}")
    return found


def n_checks(law: Law) -> int:
    """How many numbers of its sources a law must reproduce."""
    return sum(len(published.checks) for published in law.published)


def _illegal_values(law: Law, published: Published) -> Iterator[str]:
    for name, constant in law.parameters.items():
        value, error = published.values[name], published.errors.get(name)
        if not math.isfinite(value):
            yield f"values.{name}: {value} is not a number"
        elif not constant.lower <= value <= constant.upper:
            yield f"values.{name}: {value:g} is outside its bounds, {constant.lower:g} to {constant.upper:g}"
        if error is not None and not (math.isfinite(error) and error > 0):
            yield f"errors.{name}: {error} is not a standard error, which is above zero"


def _not_reproduced(law: Law, check: Check, values: Mapping[str, float]) -> str:
    """Why a check does not hold; empty when it does."""
    try:
        result = checked(law, check, values)
    except InputError as error:
        return str(error)
    if abs(result - check.value) <= check.allowed():  # false of NaN
        return ""
    if not math.isfinite(result):
        return f"the formula has no finite value where the source has {check.value:g}"
    digits = len(Decimal(repr(check.value)).as_tuple().digits) + 1  # one more than the source has
    return f"the formula gives {result:.{max(digits, 3)}g} where the source has {check.value!r}"


def checked(law: Law, check: Check, values: Mapping[str, float]) -> float:
    """The number that a law gives where `check` has the source's: what `Law.check` gives, without compiling.

    Raises
    ------
    InputError
        When the check does not give a feature that the formula needs, or its own formula is not one.
    """
    expression = law.expanded
    if check.of is not None:
        expression = law.parsed(check.of, law.parts)
        if law.mixtures:
            expression = expand_mixtures(expression, law.components)
    numbers = {**check.at, **values}
    missing = sorted(free.name for free in expression.free_symbols if free.name not in numbers)
    if missing:
        raise InputError(f"the check needs a value of {', '.join(missing)}: add it to at")
    return evaluate(expression, numbers)


def evaluate(expression: sympy.Expr, numbers: Mapping[str, float]) -> float:
    """An expression without sums at one point, in floating point; NaN where it has no real value.

    >>> from discover.formula import parse
    >>> evaluate(parse("E0 + A/N**alpha"), {"E0": 1.7, "A": 2.0, "N": 4.0, "alpha": 0.5})
    2.7
    """
    if expression.is_Symbol:
        return float(numbers[expression.name])
    if expression.is_number:
        return float(expression)
    arguments = [evaluate(argument, numbers) for argument in expression.args]
    try:
        if expression.is_Add:
            return math.fsum(arguments)
        if expression.is_Mul:
            return math.prod(arguments)
        if expression.is_Pow:
            return math.pow(*arguments)
        return float(_FUNCTIONS[expression.func](*arguments))
    except OverflowError:
        return math.inf
    except ValueError:  # the log of a negative number, a fractional power of one, infinities that cancel
        return math.nan


# ---- cards that can be read, and what is wrong with the others


def read_laws() -> tuple[list[Law], list[str]]:
    """All laws by name, and a sentence for each card that cannot be read."""
    laws, wrong = _readable("baselines", load_law)
    return list(laws.values()), wrong


def read_datasets() -> tuple[dict[str, DatasetCard], list[str]]:
    """The cards of all datasets by name, and a sentence for each that cannot be read; no file is read."""
    from discover.dataset_card import DatasetCard

    return _readable("data", lambda path: read_card(path, DatasetCard))


def _readable(kind: Kind, read: Callable[[Path], T]) -> tuple[dict[str, T], list[str]]:
    read_, wrong = {}, []
    for name, path in card_paths(kind).items():
        try:
            read_[name] = read(path)
        except CardError as error:
            wrong.append(str(error))
    return read_, wrong


# ---- verdicts


@dataclass(frozen=True)
class Verdict:
    """What was found about one card.

    Attributes
    ----------
    state
        ``ok``; ``not downloaded`` (a card without a fault, with a file that is not here); or ``wrong``.
    detail
        What was looked at, in a few words.
    problems
        A sentence for each thing that is wrong: card, key and number.
    """

    card: Word
    name: str
    path: Path
    state: State
    detail: str = ""
    problems: Sequence[str] = ()


def verify(names: Sequence[str] = ()) -> Iterator[Verdict]:
    """Verify the cards called `names` (laws, datasets and experiments, also by path), or all of them.

    Laws: published constants are legal, check values reproduced. Datasets: the files at hand (in the mirror, in the
    cache, beside the card) have their checksums and give the rows that the card says. Experiments: what they name
    exists. Nothing is downloaded.

    Raises
    ------
    InputError
        When a name is no card's, or the mirror is not there; before anything is verified.
    """
    _mirror()
    chosen = [card for name in names for card in _cards(name)] if names else _all_cards()
    return (_verdict(kind, path) for kind, path in dict.fromkeys(chosen))


def _all_cards() -> list[tuple[Kind, Path]]:
    return [(kind, path) for kind in _WORDS for path in card_paths(kind).values()]


def _cards(name: str) -> list[tuple[Kind, Path]]:
    """The cards of a name: a law, a dataset and an experiment may share one."""
    if name.endswith(".toml"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise InputError(f"there is no card at {name}")
        return [(kind_of(path) or "data", path)]
    paths = {kind: card_paths(kind) for kind in _WORDS}
    found = [(kind, known[name]) for kind, known in paths.items() if name in known]
    if not found:
        near = one_of(name, {known for kind in paths.values() for known in kind})
        near = near if near.startswith("did") else "discover laws, discover data and discover run --list list them"
        raise InputError(f"there is no law, dataset or experiment {name!r}: {near}")
    return found


def _verdict(kind: Kind, path: Path) -> Verdict:
    look = {"baselines": _law, "data": _dataset, "experiments": _experiment}[kind]
    try:
        state, detail, wrong = look(path)
    except DiscoverError as error:
        state, detail, wrong = "wrong", "", [str(error)]
    return Verdict(_WORDS[kind], path.stem, path, state, detail, tuple(wrong))


Looked = tuple[State, str, list[str]]


def _law(path: Path) -> Looked:
    law = load_law(path)
    wrong = problems(law, str(path))
    wrong += list(_wrong_reproductions(law, path))
    sets, checks = len(law.published), n_checks(law)
    detail = f"sets of constants: {sets}, check values: {checks}" if sets else "no constants are published"
    return ("wrong" if wrong else "ok"), detail, wrong


def _wrong_reproductions(law: Law, path: Path) -> Iterator[str]:
    """What a law's reproductions name that is not there; no file is read."""
    named = [(f"published.{k}.", each.reproductions) for k, each in enumerate(law.published)]
    datasets = card_paths("data")
    for key, reproductions in [*named, ("", law.reproductions)]:
        for place, reproduction in enumerate(reproductions):
            where = f"{path}: {key}reproductions.{place}"
            if reproduction.dataset not in datasets:
                yield f"{where}: there is no dataset {reproduction.dataset!r}: {one_of(reproduction.dataset, datasets)}"
            for name in reproduction.fixed:
                if name not in law.constants:
                    yield f"{where}.fixed: unknown constant {name!r}: {one_of(name, law.constants)}"


def _dataset(path: Path) -> Looked:
    from discover.dataset import DatasetCard, load_dataset

    card = read_card(path, DatasetCard)
    wrong, missing, held_out = [], [], True
    for file, key in _files(card):
        local, problem = _at_hand(file, path)
        if problem:
            wrong.append(f"{path}: {key}: {problem}")
        elif local is None and file.held_out:
            held_out = False  # its rows are fetched when they are asked for
        elif local is None:
            missing.append(key)
    if wrong or missing:
        return ("wrong" if wrong else "not downloaded"), f"files to fetch: {len(missing)}", wrong
    dataset = load_dataset(path, held_out=held_out)
    detail = f"rows: {len(dataset.table)}"
    if dataset.hold_out is not None and held_out:
        detail += f", held out: {int(dataset.held_out_rows().sum())}"
    if card.generate is None:
        detail += f", files: {len(dataset.sources)}"
    if not held_out:
        detail += " (files of held-out rows are not downloaded)"
    return "ok", detail, []


def _files(card: DatasetCard) -> Iterator[tuple[File, str]]:
    for number, file in enumerate(card.files):
        yield file, f"files.{number}"
    if card.average is not None and card.average.weights is not None:
        yield card.average.weights, "average.weights"


def _at_hand(file: File, card: Path) -> tuple[Path | None, str]:
    """Where a file of a card is, `None` when it would have to be downloaded; and what is wrong with it."""
    if file.url is None:
        local = card.parent / str(file.path)
        if not local.is_file():
            return None, f"there is no file {local}"
    else:
        copies = [copy for copy in local_copies(file.url) if copy.is_file()]
        if not copies:
            return None, ""
        local = copies[0]
    from discover.download import sha256_of

    if file.sha256 is not None and sha256_of(local) != file.sha256:
        return local, f"the checksum of {local} is wrong: the file was changed"
    return local, ""


def local_copies(url: str) -> list[Path]:
    """Where a copy of a public file may be: the mirror (where it is a folder), then the cache."""
    from discover.download import _path_of, cache_folder

    folders = [*filter(None, [_mirror()]), cache_folder()]
    return [folder / _path_of(url) for folder in folders]


def _mirror() -> Path | None:
    """The folder of the mirror; `None` when there is none, or it is an address."""
    mirror = os.environ.get("DISCOVER_MIRROR", "")
    if not mirror or mirror.startswith(("http://", "https://")):
        return None
    if not Path(mirror).is_dir():
        raise InputError(f"DISCOVER_MIRROR is {mirror!r}, which is neither a folder nor an http address")
    return Path(mirror)


def _experiment(path: Path) -> Looked:
    from discover.dataset import read_dataset_card
    from discover.engines import ENGINES
    from discover.experiment import load_experiment

    experiment = load_experiment(path)
    card, wrong = experiment.card, []
    try:
        name, dataset = read_dataset_card(experiment.beside(card.dataset))
    except InputError as error:
        return "wrong", "", [f"{path}: dataset: {error}"]
    for feature in card.features or ():
        if feature not in dataset.features:
            wrong.append(f"{path}: features: {name} has no feature {feature!r}: {one_of(feature, dataset.features)}")
    for baseline in card.baselines or ():
        try:
            find_card("baselines", experiment.beside(baseline))
        except InputError as error:
            wrong.append(f"{path}: baselines: {error}")
    for engine in card.engines:
        if engine not in ENGINES:
            wrong.append(f"{path}: engines: unknown engine {engine!r}: {one_of(engine, ENGINES)}")
    return ("wrong" if wrong else "ok"), f"on {name}", wrong
