"""The training rows as the judging of laws sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from discover.dataset_card import FeatureKind
from discover.rolling import FEWEST_SIZES, SAME_SIZE, Split, rolling_splits
from discover.sizes import size_ranks

LARGER = ("size", "tokens")  # kinds of features in which a larger model grows
BEYOND = 4.0  # times the largest sizes: where laws are compared with one another
SIZES = 4  # that another axis than that of the hold-out must have


@dataclass(frozen=True)
class Rows:
    """Rows as the judging of laws sees them: training rows only.

    Attributes
    ----------
    columns, target
        Features by symbol, and the target.
    kinds
        Kind of each feature.
    axis
        The feature along which the held-out rows are larger: inner hold-outs are made along it too. `None` when they
        are not larger in any.
    positive
        Whether the target must be positive.
    groups
        Name of each row's group; `None` when rows are in no groups.
    """

    columns: Mapping[str, np.ndarray]
    target: np.ndarray
    kinds: Mapping[str, FeatureKind]
    axis: str | None
    positive: bool = True
    groups: np.ndarray | None = None

    def part(self, chosen: np.ndarray) -> Rows:
        """Some of the rows."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        groups = None if self.groups is None else self.groups[chosen]
        return replace(self, columns=columns, target=self.target[chosen], groups=groups)

    def group_names(self) -> list[str]:
        """The groups, in the order in which they come; one without a name when there are none."""
        return [""] if self.groups is None else list(dict.fromkeys(self.groups.tolist()))

    def of_group(self, name: str) -> np.ndarray:
        """Which rows are in a group, as booleans."""
        if self.groups is None:
            return np.ones(len(self.target), dtype=bool)
        return np.asarray(self.groups == name)

    def splittable_groups(self) -> list[str]:
        """The groups that have sizes enough for inner hold-outs of their own, in the order in which they come."""
        names = self.group_names()
        if self.axis is None:
            return names
        sizes = self.columns[self.axis]
        return [name for name in names if size_ranks(sizes[self.of_group(name)]).max() + 1 >= FEWEST_SIZES]

    @property
    def axes(self) -> list[str]:
        """Along what inner hold-outs are made: the axis, other sizes, and the product of the first two (compute)."""
        if self.axis is None:
            return []
        others = [
            name
            for name, column in self.columns.items()
            if name != self.axis
            and self.kinds.get(name) in LARGER
            and len(np.unique(np.round(np.log(column) / SAME_SIZE))) >= SIZES
        ]
        grown = [name for name in (self.axis, *others) if self.kinds.get(name) in LARGER]
        return [self.axis, *others, *(["*".join(grown[:2])] if len(grown) > 1 else [])]

    @cached_property
    def beyond(self) -> Rows:
        """Points beyond the rows, where laws that agree on the rows may part: the largest sizes, some times larger.

        Without an axis, the rows themselves. Only their features are of use: the targets are those of the smaller rows.
        """
        if self.axis is None:
            return self
        largest = self.part(self.splits[0].test)
        return replace(largest, columns={**largest.columns, self.axis: BEYOND * largest.columns[self.axis]})

    @cached_property
    def splits(self) -> list[Split]:
        """The inner hold-outs; the first has the largest sizes of the axis alone.

        Raises
        ------
        InputError
            When there are too few sizes, or settings.
        """
        return rolling_splits(self.columns, self.axes, self.groups)
