"""In which sizes the measured losses themselves are flat first and then fall, as those of fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.dataset_card import FeatureKind

BENT = 0.25  # share of the curves that must bend; of pre-training losses none or few do, of fine-tuning most
ROUNDING = 1e-3  # of a curve's fall: a smaller bend is none
CURVE = 4  # sizes of a measured curve whose bend counts


def bent_features(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray | None,
    kinds: Mapping[str, FeatureKind],
) -> frozenset[str]:
    """The sizes in which measured losses fall faster and faster, along many of the curves that the rows hold.

    A curve is the rows of one group that differ in one size only, at four sizes or more; it bends downwards when its
    parabola in the logarithm of the size does.
    """
    labels = np.zeros(len(target)) if groups is None else np.unique(groups.astype(str), return_inverse=True)[1]
    bent = set()
    for name in columns:
        if kinds.get(name) not in ("size", "tokens"):
            continue
        others = np.column_stack([labels, *(column for other, column in columns.items() if other != name)])
        curve = np.unique(others, axis=0, return_inverse=True)[1].ravel()
        bends = []
        for number in np.unique(curve):
            rows = curve == number
            size = np.log(columns[name][rows])
            if len(np.unique(size)) >= CURVE:
                drop, fall = (
                    np.polyfit(size - size.mean(), target[rows], 2)[0] * np.ptp(size) ** 2,
                    np.ptp(target[rows]),
                )
                bends.append(drop < -ROUNDING * fall < 0)
        if bends and np.mean(bends) > BENT:
            bent.add(name)
    return frozenset(bent)
