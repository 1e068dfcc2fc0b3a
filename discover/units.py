"""Units that cards may name: what is not here is most likely a slip of the pen, and is refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from discover.errors import one_of

UNITS = {
    "parameters": "numbers that training changes; the meaning says which are counted",
    "tokens": "pieces of text, as the tokenizer cuts them",
    "characters": "characters of text",
    "bytes": "bytes of text",
    "samples": "examples: sequences, pairs, images",
    "sequences": "sequences of the context's length",
    "images": "images",
    "FLOP": "floating point operations",
    "FLOP/token": "floating point operations a token",
    "PF-days": "8.64e19 floating point operations",
    "steps": "optimiser steps",
    "epochs": "passes over the data",
    "experts": "experts of a mixture of experts",
    "streams": "parallel streams of computation",
    "entries": "entries of a vocabulary",
    "latents": "latents of a sparse autoencoder",
    "bits": "bits a number",
    "years": "calendar years",
    "nats/token": "cross-entropy a token, natural logarithm",
    "nats/word": "cross-entropy a word, natural logarithm",
    "nats/byte": "cross-entropy a byte, natural logarithm",
    "nats": "cross-entropy, natural logarithm",
    "bits/token": "cross-entropy a token, logarithm to base 2",
    "bits/byte": "cross-entropy a byte, logarithm to base 2",
    "bits/character": "cross-entropy a character, logarithm to base 2",
    "percent": "hundredths",
    "1": "a plain number",
}


def check_unit(unit: str) -> str:
    """The unit itself.

    Raises
    ------
    ValueError
        When it is not known; the message names the nearest.
    """
    if unit and unit not in UNITS:
        near = one_of(unit, UNITS)
        raise ValueError(f'unknown unit {unit!r}: {near}; "1" is a plain number')
    return unit


Unit = Annotated[str, AfterValidator(check_unit)]  # of a card's key
