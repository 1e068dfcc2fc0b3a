"""Fits that no fitter made, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.fitting import Fit, Objective, Status
from discover.fitting.rows import Rows
from discover.fitting.space import space_of
from discover.law import Law


def made_fit(law: Law, values: Mapping[str, float], errors: Mapping[str, float], rows: int) -> Fit:
    """A fit with these constants and errors."""
    nothing = np.ones(rows)
    return Fit(
        law=law,
        values=values,
        errors=errors,
        objective=Objective(),
        loss=0.1,
        n_rows=rows,
        agreement=1.0,
        n_starts=64,
        covariance=np.diag(np.square(list(errors.values()))),
        condition=1.0,
        warnings=(),
        status=Status("certain", "made up"),
        space=space_of(law),
        rows=Rows([nothing] * max(1, len(law.columns)), nothing),
    )
