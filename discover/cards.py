"""Where cards are, and how a card's TOML becomes a checked object.

Knowledge lives in TOML cards: laws in `baselines/`, datasets in `data/`, experiments in `experiments/`. In a
checkout these folders stand beside the package; the wheel carries them inside it. `card_folders` is the one
function that knows.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from discover.errors import CardError, InputError, one_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Kind = Literal["baselines", "data", "experiments"]
_WORD = {"baselines": "law", "data": "dataset", "experiments": "experiment"}
_COMMAND = {"baselines": "discover laws", "data": "discover data", "experiments": "discover run --list"}


class Card(BaseModel):
    """Base of all that is read from a card: frozen, and no key is taken that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


CardT = TypeVar("CardT", bound=Card)


def card_folders(kind: Kind) -> list[Path]:
    """Folders that hold cards of `kind`, the user's (`DISCOVER_PATH`) first."""
    folders = []
    for part in filter(None, os.environ.get("DISCOVER_PATH", "").split(os.pathsep)):
        folders += [Path(part) / kind, Path(part)]
    package = Path(__file__).resolve().parent
    inside = package / kind  # the wheel
    folders.append(inside if inside.is_dir() else package.parent / kind)  # a checkout
    return [folder for folder in folders if folder.is_dir()]


def card_paths(kind: Kind) -> dict[str, Path]:
    """Path of every card of `kind` by its name, the file's stem; the user's win over the built-in."""
    paths: dict[str, Path] = {}
    for folder in card_folders(kind):
        for path in sorted(folder.glob("*.toml")):
            # A card that cannot be read is shown where its folder says what it is, so that its error is seen.
            if (kind_of(path) or folder.name) == kind:
                paths.setdefault(path.stem, path)
    return dict(sorted(paths.items()))


def find_card(kind: Kind, name: str | Path) -> Path:
    """Path of the card called `name`, or of the card file that `name` points at.

    Raises
    ------
    InputError
        When there is none; the message names the nearest card and the command that lists them.
    """
    text = str(name)
    if text.endswith(".toml") or os.sep in text:
        path = Path(text).expanduser()
        if path.is_file():
            return path
        raise InputError(f"there is no {_WORD[kind]} card at {text}")
    paths = card_paths(kind)
    if text in paths:
        return paths[text]
    if Path(text).is_file():
        advice = f"write a card beside it first (discover data add {text}), and name the card"
        raise InputError(f"{text} is no {_WORD[kind]} card; if it is a table, {advice}")
    raise InputError(f"unknown {_WORD[kind]} {text!r}: {one_of(text, paths)} ({_COMMAND[kind]} lists them)")


def kind_of(path: Path) -> Kind | None:
    """What a card is about, by the key that only this kind has; `None` when it cannot be read."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    if "formula" in data:
        return "baselines"
    if "dataset" in data:
        return "experiments"
    return "data" if "features" in data else None


def read_card(path: Path, model: type[CardT]) -> CardT:
    """Read the card at `path` as a `model`.

    Raises
    ------
    CardError
        When the file is not TOML or not such a card; the message names file, key, value and what is legal.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CardError(f"{path}: the card cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CardError(f"{path}: the card is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
        raise CardError(f"{path}: the card is not TOML: {error}") from None
    return validate(data, model, where=str(path))


def validate(data: dict[str, Any], model: type[CardT], where: str) -> CardT:
    """Check `data` against `model`; `where` (a file) opens the message of an error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise CardError(f"{where}: {'; '.join(dict.fromkeys(_messages(error, model, data)))}") from None


def _messages(error: ValidationError, model: type[Card], data: dict[str, Any]) -> Iterator[str]:
    problems = [(_key(problem["loc"], data, problem["type"] == "missing"), problem) for problem in _likely(error, data)]
    # Where a key may be a text or a table, each refuses the value: the one that got further says more.
    problems = [(key, problem) for key, problem in problems if not any(k.startswith(f"{key}.") for k, _ in problems)]
    for key, problem in problems[:5]:
        if problem["type"] == "extra_forbidden":
            name = str(problem["loc"][-1])
            yield f"unknown key {key!r}: {one_of(name, _legal_keys(model, problem['loc'][:-1]))}"
        elif problem["type"] == "missing":
            yield f"the key {key!r} is missing"
        else:
            is_table = problem["type"] in ("model_type", "dict_type")
            message = "it must be a table" if is_table else problem["msg"].removeprefix("Value error, ")
            value = problem["input"]
            shown = f" (it is {value!r})" if isinstance(value, str | int | float | bool) else ""
            yield f"{key}: {message[0].lower() + message[1:]}{shown}"


def _likely(error: ValidationError, data: dict[str, Any]) -> list[ErrorDetails]:
    """The problems, without those of the alternatives of a table that it is farther from being than another one."""
    problems = error.errors()
    tables = [_alternative(problem["loc"], data) for problem in problems]
    counts = Counter(table for table in tables if table is not None)
    nearest: dict[tuple[int | str, ...], tuple[int | str, ...]] = {}
    for table in sorted(counts, key=lambda one: counts[one]):  # of equals, the first that the card's model names
        nearest.setdefault(table[:-1], table)
    return [
        problem
        for problem, table in zip(problems, tables, strict=True)
        if table is None or nearest[table[:-1]] == table
    ]


def _alternative(location: tuple[int | str, ...], data: Any) -> tuple[int | str, ...] | None:
    """The location up to the name of the kind of table that a value was tried as; `None` when there is only one."""
    for place, part in enumerate(location[:-1]):
        if isinstance(data, dict) and part not in data:
            return location[: place + 1]
        held = isinstance(data, dict) or (isinstance(data, list) and isinstance(part, int) and part < len(data))
        if not held:
            return None
        data = data[part]
    return None


def _key(location: tuple[int | str, ...], data: Any, missing: bool) -> str:
    """The key of an error as it stands in the card: without pydantic's names of the alternatives of a value."""
    key = []
    for place, part in enumerate(location):
        held = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if held or (isinstance(data, dict) and part in data):
            data = data[part]
        elif not (missing and place == len(location) - 1):
            continue
        key.append(str(part))
    return ".".join(key) or "(card)"


def _legal_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Keys that are legal at `location` inside `model`, aliases included."""
    models = [model]
    for part in location:
        named = [one for one in models if one.__name__ == part]
        fields = models[0].model_fields if models else {}
        if named:
            models = named
        elif isinstance(part, str) and part in fields:
            models = list(_inner_models(fields[part].annotation))
    return [field.alias or name for name, field in models[0].model_fields.items()] if models else []


def _inner_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _inner_models(argument)
