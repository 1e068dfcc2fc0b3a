"""Options of the command line that give something to a name: ``E=64``, ``beta=alpha``, ``alpha=0.1:0.5``."""

from __future__ import annotations

from collections.abc import Sequence

from discover.errors import InputError


def numbers(texts: Sequence[str], option: str, example: str) -> dict[str, float]:
    """Names and numbers of texts such as ``E=64``.

    Parameters
    ----------
    option, example
        The option that the texts were given to, and how it is written, for the error.

    Raises
    ------
    InputError
        When a text is not a name and a number, or a name comes twice.

    >>> numbers(["E=64", "P_w = 1.6e1"], "--at", "E=64")
    {'E': 64.0, 'P_w': 16.0}
    """
    found: dict[str, float] = {}
    for name, value in _split(texts, option, example).items():
        try:
            found[name] = float(value)
        except ValueError:
            raise InputError(f"{option} {name}={value!r}: {value!r} is no number; write {option} {example}") from None
    return found


def names(texts: Sequence[str], option: str, example: str) -> dict[str, str]:
    """Names and other names of texts such as ``beta=alpha``; errors as `numbers` has them."""
    return _split(texts, option, example)


def ranges(texts: Sequence[str], option: str, example: str) -> dict[str, tuple[float | None, float | None]]:
    """Names and ranges of texts such as ``alpha=0.1:0.5``; an empty end is open. Errors as `numbers` has them.

    >>> ranges(["alpha=0.1:0.5", "A=1:"], "--bound", "alpha=0.1:0.5")
    {'alpha': (0.1, 0.5), 'A': (1.0, None)}
    """
    found: dict[str, tuple[float | None, float | None]] = {}
    for name, value in _split(texts, option, example).items():
        low, colon, high = (part.strip() for part in value.partition(":"))
        try:
            if not colon:
                raise ValueError
            found[name] = (float(low) if low else None, float(high) if high else None)
        except ValueError:
            raise InputError(f"{option} {name}={value!r}: write two numbers, as in {option} {example}") from None
    return found


def _split(texts: Sequence[str], option: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if not name or not value:
            raise InputError(f"{option} {text!r}: write a name and what it gets, as in {option} {example}")
        if name in found:
            raise InputError(f"{option} {text!r}: {name} was given already, {found[name]}")
        found[name] = value
    return found
