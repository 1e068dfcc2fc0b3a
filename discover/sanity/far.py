"""Whether a law stays between zero and its value beyond the data when a size grows by 1e100: numbers only, quickly."""

from __future__ import annotations

import numpy as np

from discover.sanity.check import SanityCheck
from discover.sanity.grid import BEYOND, line, witness
from discover.sanity.shape import TOLERANCE
from discover.sanity.subject import Subject

FAR = 1e100  # "without end"; powers of it are still numbers


def far(subject: Subject, name: str) -> SanityCheck:
    """Whether the law stays between zero and its value beyond the data when a feature grows without end (by 1e100)."""
    label = f"limit in {name}"
    grid = line(subject.columns, subject.kinds, name, BEYOND)
    last = {key: column[..., -1] for key, column in grid.items()}
    beyond = {**last, name: last[name] * FAR}
    near_value, far_value = subject.predict(last), subject.predict(beyond)
    if np.isnan(far_value).any() or not np.isfinite(near_value).all():
        return SanityCheck(label, "unknown", f"the law cannot be computed at {witness(beyond, np.isnan(far_value))}")
    for bad, what in ((far_value < 0, "negative"), (far_value > near_value * (1 + TOLERANCE), "rising")):
        if bad.any():
            return SanityCheck(label, "fail", f"{what} at {witness(beyond, bad)}")
    return SanityCheck(label, "pass")
