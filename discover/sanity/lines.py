"""The lines of the sanity card: those of the gate, which any found law must pass, or all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from discover.dataset_card import FeatureKind
from discover.law import Law
from discover.sanity.check import SanityCheck
from discover.sanity.exact import ExactLimits
from discover.sanity.far import far
from discover.sanity.floors import floors
from discover.sanity.interaction import interactions
from discover.sanity.optimum import optima
from discover.sanity.poles import poles
from discover.sanity.shape import finite, shape
from discover.sanity.subject import Subject


def sanity(
    law: Law,
    values: Mapping[str, float],
    columns: Mapping[str, np.ndarray],
    kinds: Mapping[str, FeatureKind],
    *,
    positive: bool = True,
    bent: Collection[str] = (),
    full: bool = False,
) -> list[SanityCheck]:
    """Check a fitted law over the data and 100 times beyond.

    The lines of the gate, half a millisecond a law: for each size (`size` and `tokens` features) whether the law falls
    in it, whether its returns diminish (a doubling never buys more than the doubling before), and, where the target
    must be positive, whether it stays between zero and its value beyond the data when the size grows by 1e100; and
    whether it is finite and positive. The full card says what the limits are, and adds poles and domain errors, the
    interactions of sizes and the optima in rates and counts; it takes about a second, most of it to start SymPy.

    Parameters
    ----------
    columns
        The training rows' features: they say where the data lie. No target is looked at.
    kinds
        Kind of each feature: the law must fall in `size` and `tokens`. Shares are taken as the data have them.
    positive
        Whether the target must be positive.
    bent
        Features in which the measured losses fall faster and faster (`bent_features`); returns must diminish beyond
        the data only.
    full
        Whether all lines are wanted.

    Examples
    --------
    >>> from discover.law import load_law
    >>> law = load_law("powerlaw_one_feature").on("D")
    >>> for line in sanity(law, {"x_c": 1e13, "alpha": 0.1}, {"D": np.array([1e9, 1e11])}, {"D": "tokens"}):
    ...     print(line.name, line.verdict)
    falls in D pass
    returns diminish in D pass
    limit in D pass
    finite and positive pass
    """
    subject = subject_of(law, values, columns, kinds)
    if not full:
        return gate_lines(subject, positive=positive, bent=bent)
    with ExactLimits() as limits:
        return full_lines(subject, limits, positive=positive, bent=bent)


def subject_of(
    law: Law, values: Mapping[str, float], columns: Mapping[str, np.ndarray], kinds: Mapping[str, FeatureKind]
) -> Subject:
    """The law, and those of the columns that it uses."""
    return Subject(law, values, {name: columns[name] for name in law.columns if name in columns}, kinds)


def gate_lines(subject: Subject, *, positive: bool, bent: Collection[str]) -> list[SanityCheck]:
    """The lines by which a found law may be chosen or not."""
    checks = []
    for name in subject.sizes:
        checks += shape(subject, name, bent=name in bent)
        if positive:
            checks.append(far(subject, name))
    return [*checks, finite(subject, positive=positive)]


def full_lines(subject: Subject, limits: ExactLimits, *, positive: bool, bent: Collection[str]) -> list[SanityCheck]:
    """All lines."""
    checks = [check for name in subject.sizes for check in shape(subject, name, bent=name in bent)]
    checks += floors(subject, limits, positive=positive)
    checks += [finite(subject, positive=positive), poles(subject)]
    return [*checks, *interactions(subject), *optima(subject)]
