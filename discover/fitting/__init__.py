"""One robust fitter for published and found laws alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from discover.fitting.bands import Band, band
from discover.fitting.bootstraps import Bootstrap, bootstrap
from discover.fitting.fitter import fit
from discover.fitting.grouped import GroupedFit, fit_groups
from discover.fitting.profiles import Profile, profile
from discover.fitting.result import Fit
from discover.fitting.warnings import FitWarning, Status
from discover.law import Law
from discover.objective import Objective

__all__ = [
    "AnyFit",
    "Band",
    "Bootstrap",
    "Fit",
    "FitWarning",
    "GroupedFit",
    "Objective",
    "Profile",
    "Status",
    "band",
    "bootstrap",
    "fit",
    "fit_groups",
    "fit_rows",
    "profile",
]

AnyFit = Fit | GroupedFit


def fit_rows(
    law: Law, features: Mapping[str, np.ndarray], target: np.ndarray, groups: np.ndarray | None, **options: Any
) -> AnyFit:
    """Fit a law to rows, each group apart where there are groups; `options` are those of `fit`."""
    if groups is None:
        return fit(law, features, target, **options)
    return fit_groups(law, features, target, groups, **options)
