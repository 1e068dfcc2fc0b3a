"""Figures of a run: the loss against the size, and predictions against measurements.

Drawn on `matplotlib.figure.Figure` itself, without pyplot: no display, no state.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from discover.dataset import Dataset
from discover.dataset_card import ZERO_IS_LEGAL
from discover.fitting import AnyFit
from discover.scoring import score

Drawn = tuple[str, np.ndarray]  # what the title says of it, and which rows are shown
LEVELS = 5  # groups that are drawn
QUANTILES = (0.05, 0.275, 0.5, 0.725, 0.95)  # of the second feature: one curve each
HELD_OUT: dict[str, Any] = {"marker": "D", "s": 34, "linewidths": 1.2, "edgecolors": "black", "zorder": 4}
TRAINING: dict[str, Any] = {"marker": "o", "s": 18, "linewidths": 0.0, "alpha": 0.8, "zorder": 3}


def loss_against_size(dataset: Dataset, held_out: np.ndarray, fit: AnyFit, axis: str, title: str = "") -> Figure:
    """The measured losses against one size, held-out rows as diamonds, with the law's curves.

    Parameters
    ----------
    held_out
        Which rows were held out, as booleans.
    fit
        The law whose curves are drawn, at five levels of the feature that explains most of the rest.
    axis
        The feature on the horizontal axis.
    """
    columns, losses = dataset.columns(), dataset.losses()
    figure = Figure(figsize=(7.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    draw = _by_group if dataset.grouped else _by_level
    note, rows = draw(figure, dataset, held_out, fit, axis)
    axes.set_xscale("log")
    low, high = losses[rows].min(), losses[rows].max()
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    if held_out.any():
        axes.axvline(columns[axis][held_out].min() / 1.05, color="grey", linestyle=":", linewidth=1)
    axes.set_xlabel(_label(dataset, axis))
    axes.set_ylabel(f"{dataset.target.symbol} ({dataset.target.unit})")
    axes.legend(loc="upper right", frameon=False, fontsize=8 if dataset.grouped else None)
    axes.set_title((title or f"{fit.law.name} on {dataset.label}") + note, fontsize=10)
    return figure


def _by_level(figure: Figure, dataset: Dataset, held_out: np.ndarray, fit: AnyFit, axis: str) -> Drawn:
    """Points and curves coloured by the second feature."""
    columns, losses = dataset.columns(), dataset.losses()
    axes = figure.axes[0]
    second = _second(columns, losses, axis, dataset.kinds)
    norm = LogNorm(columns[second].min(), columns[second].max()) if second else None
    cmap = colormaps["viridis"]
    for rows, style, label in ((~held_out, TRAINING, "training rows"), (held_out, HELD_OUT, "held-out rows")):
        colours = {"c": columns[second][rows], "norm": norm, "cmap": cmap} if second else {"color": "tab:blue"}
        points = axes.scatter(columns[axis][rows], losses[rows], label=label, **colours, **style)
    sizes = np.geomspace(columns[axis].min() / 1.3, columns[axis].max() * 1.3, 200)
    for level in _levels(columns, second):
        grid = _typical(columns, dataset.kinds, len(sizes)) | {axis: sizes}
        if second:
            grid[second] = np.full_like(sizes, level)
            _keep_unique_below_total(grid, columns)
        colour = cmap(norm(level)) if norm is not None else "tab:blue"
        axes.plot(sizes, fit.predict(grid), color=colour, linewidth=1.2, zorder=2)
    if second:
        figure.colorbar(points, ax=axes, label=_label(dataset, second))
    return "", np.ones(len(losses), dtype=bool)


def _by_group(figure: Figure, dataset: Dataset, held_out: np.ndarray, fit: AnyFit, axis: str) -> Drawn:
    """Points and curves coloured by group; of many groups, some from the first to the last.

    The curves are at the median of the second feature, thin ones near its smallest and largest values.
    """
    axes = figure.axes[0]
    names = list(fit.parts)
    shown = [names[k] for k in np.unique(np.linspace(0, len(names) - 1, LEVELS).round().astype(int))]
    of_rows = dataset.groups()
    assert of_rows is not None  # the dataset has groups
    colours = colormaps["tab10"]
    for number, name in enumerate(shown):
        inside = of_rows == name
        for rows, style in ((inside & ~held_out, TRAINING), (inside & held_out, HELD_OUT)):
            axes.scatter(dataset.columns(rows)[axis], dataset.losses(rows), color=colours(number), **style)
        columns = dataset.columns(inside)
        sizes = np.geomspace(columns[axis].min() / 1.3, columns[axis].max() * 1.3, 200)
        second = _second(columns, dataset.losses(inside), axis, dataset.kinds)
        for count, level in enumerate(_levels(columns, second, (0.5, 0.05, 0.95))):
            grid = _typical(columns, dataset.kinds, len(sizes)) | {axis: sizes}
            if second:
                grid[second] = np.full_like(sizes, level)
                _keep_unique_below_total(grid, columns)
            line: dict[str, Any] = {"linewidth": 1.2, "label": name} if count == 0 else {"linewidth": 0.6}
            axes.plot(sizes, fit.parts[name].predict(grid), color=colours(number), zorder=2, **line)
    axes.scatter([], [], color="grey", label="held-out rows", **HELD_OUT)
    note = f", {len(shown)} of {len(names)} groups" if len(names) > len(shown) else ""
    return note, np.isin(of_rows.astype(str), shown)


def _typical(columns: Mapping[str, np.ndarray], kinds: Mapping[str, str], count: int) -> dict[str, np.ndarray]:
    """The median of each feature, `count` times; of shares the mean, which sums to one over a mixture."""
    middle = {name: np.mean if kinds[name] in ZERO_IS_LEGAL else np.median for name in columns}
    return {name: np.full(count, float(middle[name](column))) for name, column in columns.items()}


def parity(dataset: Dataset, held_out: np.ndarray, fits: Sequence[tuple[str, AnyFit]]) -> Figure:
    """Predicted against measured loss, one panel a law, held-out rows as diamonds."""
    columns, losses = dataset.columns(), dataset.losses()
    figure = Figure(figsize=(4.2 * len(fits), 4.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(fits), sharex=True, sharey=True))
    predictions = [fit.predict(columns, dataset.groups()) for _, fit in fits]
    low, high, margin = _limits(losses, predictions)
    for axes, (name, _), prediction in zip(panels, fits, predictions, strict=True):
        axes.plot([low, high], [low, high], color="grey", linewidth=1, zorder=1)
        axes.scatter(losses[~held_out], prediction[~held_out], c="tab:blue", label="training rows", **TRAINING)
        axes.scatter(losses[held_out], prediction[held_out], c="tab:orange", label="held-out rows", **HELD_OUT)
        axes.set_xlim(low - margin, high + margin)
        axes.set_ylim(low - margin, high + margin)
        axes.set_aspect("equal")
        held = f"\nheld-out RMSE {score(prediction[held_out], losses[held_out]).rmse:.4f}" if held_out.any() else ""
        axes.set_title(f"{name}{held}", fontsize=10)
        axes.set_xlabel(f"measured {dataset.target.symbol} ({dataset.target.unit})")
    panels[0].set_ylabel(f"predicted {dataset.target.symbol} ({dataset.target.unit})")
    panels[0].legend(loc="upper left", frameon=False)
    figure.suptitle(dataset.label, fontsize=10)
    return figure


def to_bytes(figure: Figure, file_format: str) -> bytes:
    """A figure as the content of a ``png``, ``svg`` or ``pdf`` file, the same for the same figure."""
    buffer = io.BytesIO()
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(file_format, {})
    figure.savefig(buffer, format=file_format, dpi=150, metadata=date)
    return buffer.getvalue()


def _limits(losses: np.ndarray, predictions: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Limits that show all losses, and predictions up to half the spread of the losses beyond them; and a margin."""
    spread = float(np.ptp(losses)) or 1.0
    lowest, highest = losses.min() - spread / 2, losses.max() + spread / 2
    shown = [np.clip(p[np.isfinite(p)], lowest, highest) for p in predictions]
    together = np.concatenate([losses, *shown])
    return float(together.min()), float(together.max()), 0.04 * spread


def _second(columns: Mapping[str, np.ndarray], losses: np.ndarray, axis: str, kinds: Mapping[str, str]) -> str | None:
    """The other feature whose logarithm goes best with the loss."""
    varying = [name for name, column in columns.items() if name != axis and np.ptp(column) > 0]
    others = [name for name in varying if kinds[name] not in ZERO_IS_LEGAL]
    if not others:
        return None
    return max(others, key=lambda name: abs(float(np.corrcoef(np.log(columns[name]), losses)[0, 1])))


def _levels(
    columns: Mapping[str, np.ndarray], second: str | None, quantiles: Sequence[float] = QUANTILES
) -> list[float]:
    """Values of the second feature at which curves are drawn, each once."""
    if second is None:
        return [0.0]
    values = np.quantile(columns[second], quantiles, method="nearest")
    return list(dict.fromkeys(float(value) for value in values))


def _keep_unique_below_total(grid: dict[str, np.ndarray], columns: Mapping[str, np.ndarray]) -> None:
    """Unique tokens cannot exceed the tokens of a curve when they never do in the rows."""
    if "uD" in grid and "D" in grid and bool(np.all(columns["uD"] <= columns["D"])):
        grid["uD"] = np.minimum(grid["uD"], grid["D"])


def _label(dataset: Dataset, name: str) -> str:
    feature = dataset.scalars[name]
    text = feature.meaning or feature.unit
    return f"{name}: {text}" if text else name
