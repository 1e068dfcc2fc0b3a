"""The constants of a law with their values and errors, checked once for every format of export."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from discover.errors import InputError, one_of
from discover.law import Law


@dataclass(frozen=True)
class ConstantValue:
    """A constant of a law with its value and error.

    Attributes
    ----------
    value
        `None` while the constant is open.
    error
        Its standard error; `None` where there is none.
    undetermined
        Whether there is none because the rows do not determine the constant.
    """

    name: str
    value: float | None
    error: float | None
    undetermined: bool = False


def constant_values(
    law: Law, values: Mapping[str, float] | None, errors: Mapping[str, float | None] | None = None
) -> list[ConstantValue]:
    """Value and error of each constant of `law`, in the order of the law.

    Parameters
    ----------
    law
        The law.
    values
        Value of every constant, by name; `None` or empty when all are open.
    errors
        Standard errors, by name. A missing one says that the error is not known; a NaN or infinite one, as fits have
        them, that the rows do not determine the constant.

    Raises
    ------
    InputError
        When only some constants have values, a name is not a constant of the law, or an error is negative.
    """
    values, errors = values or {}, errors or {}
    for given, what in ((values, "value"), (errors, "error")):
        for name in given:
            if name not in law.parameters:
                raise InputError(f"law {law.name!r}: {what} of {name!r}: {one_of(name, law.parameters)}")
    if not values:  # a law whose mixtures have no components yet is printed as well: its constants are open
        return [ConstantValue(name, None, None) for name in (law.parameters if law.bound else law.constants)]
    return [
        ConstantValue(name, law.value_of(name, values), *_error(law, name, errors.get(name))) for name in law.parameters
    ]


def _error(law: Law, name: str, error: float | None) -> tuple[float | None, bool]:
    """A standard error, and whether the rows do not determine one."""
    if error is None or not math.isfinite(error):
        return None, error is not None
    if error < 0:
        raise InputError(f"law {law.name!r}: the error of {name!r} is {error!r}: a standard error is zero or more")
    return float(error), False
