"""Which rows are held out: the largest sizes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from discover.proposal.features import Draft

AXES = ("N", "N_nv", "D", "H", "C", "uD", "S", "E", "V", "P", "G")  # what a hold-out is of, the first that can be
LEAST, MOST, LEFT = 0.095, 0.345, 3  # of the rows that are held out, and sizes that are left


def hold_out(draft: Draft, values: Mapping[str, np.ndarray]) -> str | None:
    """A rule for the largest sizes: the fewest that are a tenth to a third of the rows and leave three to train on."""
    for symbol in AXES:
        if symbol not in values:
            continue
        found = _largest(values[symbol])
        if found is None:
            draft.lines.append(f"no hold-out by {symbol}: {_why_none(values[symbol])}")
            continue
        bound, share, sizes, left = found
        draft.lines.append(
            f"hold-out {symbol} >= {bound}: the {sizes} largest of {sizes + left} sizes, {100 * share:.0f} % of rows"
        )
        return f"{symbol} >= {bound}"
    rule = f"{draft.labels[0]} in ('...', '...')" if draft.labels else "a rule over the features"
    draft.checks.append(f'there is no hold-out: say which rows nobody may see, as in hold_out = "{rule}"')
    return None


def _largest(values: np.ndarray) -> tuple[str, float, int, int] | None:
    sizes, counts = np.unique(values, return_counts=True)
    shares = np.cumsum(counts[::-1]) / counts.sum()
    usable = [k for k in range(1, len(sizes) - LEFT + 1) if shares[k - 1] <= MOST]
    chosen = next((k for k in usable if shares[k - 1] >= LEAST), None)
    if chosen is None and usable and shares[usable[-1] - 1] >= LEAST / 2 and counts[::-1][: usable[-1]].sum() > 1:
        chosen = usable[-1]
    if chosen is None:
        return None
    bound = _between(float(sizes[-chosen - 1]), float(sizes[-chosen]))
    return bound, float(shares[chosen - 1]), chosen, len(sizes) - chosen


def _why_none(values: np.ndarray) -> str:
    sizes = len(np.unique(values))
    if sizes <= LEFT:
        return f"it has {sizes} size{'s' if sizes > 1 else ''}, and {LEFT} must be left to train on"
    return "its largest sizes are more than a third of the rows"


def _between(low: float, high: float) -> str:
    """The shortest number above `low` and not above `high`."""
    for digits in range(17):
        text = f"{high:.{digits}e}"
        mantissa, exponent = text.split("e")
        for candidate in (text, f"{float(mantissa) - 10.0**-digits:.{digits}f}e{exponent}"):
            if low < float(candidate) <= high:
                value = float(candidate)
                if 1e-3 <= value < 1e5:
                    return f"{value!r}".removesuffix(".0")
                return f"{candidate.split('e')[0]}e{int(exponent)}"
    return repr(high)
