"""The full sanity card of a law, to be shown."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.dataset import Dataset
from discover.dataset_card import FeatureKind
from discover.errors import InputError
from discover.law import Law
from discover.matching import match
from discover.sanity.check import SanityCheck, passes
from discover.sanity.groups import merged, sanity_of_groups

if TYPE_CHECKING:
    from discover.fitting import AnyFit


@dataclass(frozen=True)
class SanityCard:
    """How a law behaves over the data and beyond.

    Attributes
    ----------
    lines
        All lines; where rows are in groups, a check fails when it fails in more than a quarter of them.
    groups
        The lines of each group, by its name; one, under an empty name, where rows are in no groups.
    """

    law: Law
    lines: tuple[SanityCheck, ...]
    groups: Mapping[str, tuple[SanityCheck, ...]] = field(repr=False)

    @property
    def passes(self) -> bool:
        """Whether no line failed."""
        return passes(self.lines)

    def __str__(self) -> str:
        wide = max(len(line.name) for line in self.lines)
        return "\n".join(f"{line.verdict:<7}  {line.name:<{wide}}  {line.witness}".rstrip() for line in self.lines)

    def as_record(self) -> list[dict[str, Any]]:
        """The lines, ready for JSON."""
        return [asdict(line) for line in self.lines]

    def _repr_html_(self) -> str:
        cells = (map(html.escape, (line.verdict, line.name, line.witness)) for line in self.lines)
        rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells)
        return f"<table><tr><th>verdict</th><th>check</th><th>witness</th></tr>{rows}</table>"


def sanity_card(
    source: AnyFit | Law,
    dataset: Dataset,
    *,
    values: Mapping[str, float] | None = None,
    rows: np.ndarray | None = None,
) -> SanityCard:
    """The full sanity card of a fit, or of a law with given constants, over the rows of a dataset and 100 times beyond.

    Parameters
    ----------
    source
        A fit, of rows in groups too, or a law.
    values
        Constants of a law; those that were published first by default.
    rows
        Which rows say where the data lie, as booleans; all by default.

    Raises
    ------
    InputError
        When dataset and law do not go together, or there are no constants.

    Examples
    --------
    >>> from discover import load_dataset, load_law
    >>> card = sanity_card(load_law("hoffmann"), load_dataset("synthetic_chinchilla"))
    >>> [line.witness for line in card.lines if line.name == "limit in all sizes"]
    ['tends to E0 = 1.69']
    """
    law = match(source if isinstance(source, Law) else source.law, dataset)
    groups: np.ndarray | None = None
    if isinstance(source, Law):
        parts = {"": _constants(law, values)}
    elif values is not None:
        raise InputError("a fit has its own constants: leave out values, or give the law instead of the fit")
    else:
        parts = {name: part.values for name, part in source.parts.items()}
        groups = dataset.groups(rows)
    target = dataset.target
    columns, losses = dataset.columns(rows), dataset.losses(rows)
    return card_of_rows(law, parts, columns, losses, groups, dataset.falling_kinds, positive=target.positive)


def card_of_rows(
    law: Law,
    parts: Mapping[str, Mapping[str, float]],
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    groups: np.ndarray | None,
    kinds: Mapping[str, FeatureKind],
    *,
    positive: bool,
) -> SanityCard:
    """The full card of a law with the constants of each group; arguments as of `sanity_of_groups`."""
    found = sanity_of_groups(law, parts, columns, target, groups, kinds, positive=positive, full=True)
    return SanityCard(law, tuple(merged(found)), {name: tuple(lines) for name, lines in found.items()})


def _constants(law: Law, values: Mapping[str, float] | None) -> Mapping[str, float]:
    if values is not None:
        return values
    if not law.published:
        raise InputError(f"law {law.name!r} has no published constants: give values, or a fit of it")
    return law.published[0].values
