"""A law with the values of its constants -> a dictionary that is ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from discover.errors import InputError
from discover.export.latex import part_definitions, right_hand_side
from discover.export.values import constant_values
from discover.law import Law


def record(
    law: Law,
    values: Mapping[str, float] | None = None,
    errors: Mapping[str, float | None] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    r"""Everything that a program wants to know of a law, as plain data.

    Parameters
    ----------
    law
        The law.
    values
        Value of every constant, by name; without any, the constants are open and their values null.
    errors
        Standard errors, by name; where one is missing or not finite the record has null.
    extra
        More keys of the record, e.g. ``heldout_rmse=0.01``; NumPy's numbers and arrays become plain ones.

    Returns
    -------
    Strings, numbers, booleans, `None`, lists and dictionaries only: strict JSON, since NaN and infinite numbers are
    `None`. Keys: law, title, kind, target, unit, formula, let, latex (the bare right-hand side, in the names of
    the parts), latex_let (LaTeX of each part), features (meanings), constants (value and stderr), and `extra`.

    Raises
    ------
    InputError
        When only some constants have values, a name is not a constant of the law, an error is negative, or `extra`
        has a key of the record itself or a value that JSON cannot hold.

    Examples
    --------
    >>> from discover.law import load_law
    >>> record(load_law("constant"), {"c": 2.5}, {"c": 0.1})["constants"]
    {'c': {'value': 2.5, 'stderr': 0.1}}
    """
    own: dict[str, Any] = {
        "law": law.name,
        **head(law),
        "latex": right_hand_side(law),
        "latex_let": part_definitions(law),
        "constants": _constants(law, values, errors),
    }
    for key in extra:
        if key in own:
            raise InputError(f"the record of law {law.name!r} has a key {key!r} of its own: call yours something else")
    made: dict[str, Any] = plain({**own, **extra})
    return made


def head(law: Law) -> dict[str, Any]:
    """What every listing of a law opens with, after its name: title, kind, target, unit, formula, let, features."""
    return {
        "title": law.title,
        "kind": law.kind,
        "target": law.target,
        "unit": law.unit,
        "formula": law.formula,
        "let": dict(law.let),
        "features": dict(law.features),
    }


def _constants(
    law: Law, values: Mapping[str, float] | None, errors: Mapping[str, float | None] | None
) -> dict[str, Any]:
    if not values and not law.bound:  # how many values a vector has is not known yet
        return {name: {"value": None, "stderr": None} for name in law.constants}
    return {
        constant.name: {"value": constant.value, "stderr": constant.error}
        for constant in constant_values(law, values, errors)
    }


def plain(value: Any, path: str = "") -> Any:
    """`value` as JSON's own types, numbers that are not finite as `None`; `path` says in errors where it stands.

    >>> plain({"rmse": np.float64(0.5), "rows": (1, math.inf)})
    {'rmse': 0.5, 'rows': [1, None]}
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner, f"{path}.{key}".lstrip(".")) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    legal = "legal are text, numbers, booleans, None, lists and dictionaries"
    raise InputError(f"{path}: a {type(value).__name__} cannot be a value of a record: {legal}")
