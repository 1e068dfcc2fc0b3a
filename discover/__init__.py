"""Closed-form scaling laws of neural networks: found by symbolic regression, judged against the published ones.

The names below load what they need on first use, so that importing `discover` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Law": "discover.law",
    "load_law": "discover.law",
    "list_laws": "discover.law",
    "Dataset": "discover.dataset",
    "load_dataset": "discover.dataset",
    "list_datasets": "discover.dataset",
    "Fit": "discover.fitting",
    "Objective": "discover.fitting",
    "fit": "discover.fitting",
    "LawRegressor": "discover.regressor",
    "LargestSizesSplit": "discover.splitting",
    "allocate": "discover.allocation",
    "sanity_card": "discover.sanity",
    "Experiment": "discover.experiment",
    "load_experiment": "discover.experiment",
    "run": "discover.running",
    "permutation_null": "discover.permutation",
    "run_bench": "discover.bench",
    "open_run": "discover.runs",
    "compare": "discover.comparing",
    "DiscoverError": "discover.errors",
}
__all__ = ["__version__", *_HOME]  # noqa: PLE0604 - the keys are texts


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'discover' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
