"""Figures: what is drawn, not how it looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_fits import made_fit
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from discover.dataset import Dataset, Feature, Target
from discover.fitting import Fit
from discover.law import load_law
from discover.report.figures import loss_against_size, parity, to_bytes

HOFFMANN = load_law("hoffmann")
TRUTH = {"E0": 1.8, "A": 480.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}
N, D = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e12, 4), indexing="ij"))


def a_dataset(**changes: object) -> Dataset:
    table = pd.DataFrame({"N": N, "D": D, "L": 1.01 * HOFFMANN.predict({"N": N, "D": D}, TRUTH)})
    features = {
        "N": Feature(column="N", kind="size", unit="parameters", meaning="total parameters"),
        "D": Feature(column="D", kind="tokens", unit="tokens"),
    }
    plain = Dataset("mine", "Mine", table, features, Target(column="L", unit="nats/token"), hold_out="N >= 1e9")
    return replace(plain, **changes)


def a_fit(values: dict[str, float] = TRUTH) -> Fit:
    return made_fit(HOFFMANN, values, dict.fromkeys(values, 0.1), 28)


DATASET = a_dataset()
HELD = DATASET.held_out_rows()


def scatters(axes) -> dict[str, PathCollection]:
    return {each.get_label(): each for each in axes.collections if isinstance(each, PathCollection)}


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_held_out_rows_are_drawn_apart_from_training_rows():
    assert HELD.sum() == 12
    axes = loss_against_size(DATASET, HELD, a_fit(), "N").axes[0]
    drawn = scatters(axes)
    assert set(drawn) == {"training rows", "held-out rows"}
    for label, rows in (("training rows", ~HELD), ("held-out rows", HELD)):
        expected = np.column_stack([N[rows], DATASET.losses(rows)])
        assert np.array_equal(np.asarray(drawn[label].get_offsets()), expected)
    markers = [tuple(map(tuple, each.get_paths()[0].vertices)) for each in drawn.values()]
    assert markers[0] != markers[1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training rows", "held-out rows"]


def test_a_line_stands_where_the_held_out_rows_begin():
    axes = loss_against_size(DATASET, HELD, a_fit(), "N").axes[0]
    (line,) = [line for line in axes.lines if line.get_linestyle() == ":"]
    at = line.get_xdata()[0]
    assert N[~HELD].max() < at < N[HELD].min()


def test_sizes_are_on_a_logarithmic_axis_with_meaning_and_unit():
    figure = loss_against_size(DATASET, HELD, a_fit(), "N")
    axes, colours = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert axes.get_xlabel() == "N: total parameters"
    assert axes.get_ylabel() == "L (nats/token)"
    assert colours.get_ylabel() == "D: tokens"
    assert axes.get_title() == "hoffmann on mine"
    assert loss_against_size(DATASET, HELD, a_fit(), "N", title="Other").axes[0].get_title() == "Other"


def test_curves_are_the_laws_at_levels_of_the_other_feature():
    axes = loss_against_size(DATASET, HELD, a_fit(), "N").axes[0]
    curves = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert len(curves) == 4  # the four values of D there are
    for curve, tokens in zip(curves, np.unique(D), strict=True):
        sizes = curve.get_xdata()
        assert sizes.min() < N.min() < N.max() < sizes.max()
        expected = HOFFMANN.predict({"N": sizes, "D": np.full_like(sizes, tokens)}, TRUTH)
        assert curve.get_ydata() == pytest.approx(expected, rel=1e-12)


def test_one_feature_has_one_curve_and_no_colours():
    law = load_law("powerlaw_one_feature").on("N")
    values = law.published[0].values
    fit = made_fit(law, values, values, 28)
    dataset = a_dataset(features={"N": DATASET.features["N"]})
    figure = loss_against_size(dataset, HELD, fit, "N")
    assert len(figure.axes) == 1
    assert sum(line.get_linestyle() == "-" for line in figure.axes[0].lines) == 1


def test_unique_tokens_of_a_curve_never_exceed_its_tokens():
    law = load_law("muennighoff")
    values = law.published[0].values
    fit = made_fit(law, values, values, 28)
    unique = np.minimum(D, 1e10)
    table = DATASET.table.assign(uD=unique)
    features = {**DATASET.features, "uD": Feature(column="uD", kind="tokens")}
    axes = loss_against_size(a_dataset(table=table, features=features), HELD, fit, "D").axes[0]
    curves = [line for line in axes.lines if line.get_linestyle() == "-"]
    small = curves[0].get_xdata() < 1e9 / 1.1
    # Fewer tokens than the median of the unique ones are all unique: the curves are Chinchilla's there.
    sizes = np.quantile(N, np.linspace(0.05, 0.95, 5), method="nearest")
    tokens = curves[0].get_xdata()[small]
    grid = {"N": np.full_like(tokens, sizes[0]), "D": tokens, "uD": tokens}
    assert curves[0].get_ydata()[small] == pytest.approx(law.predict(grid, values), rel=1e-12)


def test_without_held_out_rows_there_is_no_line():
    axes = loss_against_size(DATASET, np.zeros(28, dtype=bool), a_fit(), "N").axes[0]
    assert not [line for line in axes.lines if line.get_linestyle() == ":"]


def test_parity_has_a_panel_a_law_with_predictions_over_measurements():
    worse = a_fit({**TRUTH, "E0": 1.7})
    figure = parity(DATASET, HELD, [("good", a_fit()), ("worse", worse)])
    assert [axes.get_title().splitlines()[0] for axes in figure.axes] == ["good", "worse"]
    for axes, fit in zip(figure.axes, (a_fit(), worse), strict=True):
        drawn = scatters(axes)
        for label, rows in (("training rows", ~HELD), ("held-out rows", HELD)):
            expected = np.column_stack([DATASET.losses(rows), fit.predict(DATASET.columns(rows))])
            assert np.array_equal(np.asarray(drawn[label].get_offsets()), expected)
        rmse = np.sqrt(np.mean((fit.predict(DATASET.columns(HELD)) - DATASET.losses(HELD)) ** 2))
        assert axes.get_title().splitlines()[1] == f"held-out RMSE {rmse:.4f}"
        assert axes.get_xlabel() == "measured L (nats/token)"
        assert axes.get_xlim() == axes.get_ylim()
    assert figure.axes[0].get_ylabel() == "predicted L (nats/token)"


def test_parity_shows_every_loss_and_no_law_that_explodes_hides_them():
    wild = a_fit({**TRUTH, "E0": 1e9})
    low, high = parity(DATASET, HELD, [("wild", wild)]).axes[0].get_ylim()
    losses = DATASET.losses()
    assert low < losses.min() < losses.max() < high
    assert high - low < 3 * np.ptp(losses)


def test_a_law_without_a_value_somewhere_can_be_drawn():
    broken = a_fit({**TRUTH, "A": np.nan})
    assert to_bytes(parity(DATASET, HELD, [("broken", broken)]), "png")
    assert to_bytes(loss_against_size(DATASET, HELD, broken, "N"), "png")


def test_generated_rows_are_called_so_in_both_figures():
    made = a_dataset(generated="generated from a law")
    assert "mine (generated)" in texts(loss_against_size(made, HELD, a_fit(), "N"))
    assert "mine (generated)" in texts(parity(made, HELD, [("good", a_fit())]))
    assert "generated" not in texts(parity(DATASET, HELD, [("good", a_fit())]))


@pytest.mark.parametrize(("file_format", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_the_same_figure_has_the_same_bytes(file_format, begins):
    contents = {
        to_bytes(figure, file_format)
        for _ in range(2)
        for figure in [loss_against_size(a_dataset(), HELD, a_fit(), "N")]
    }
    assert len(contents) == 1
    assert contents.pop().startswith(begins)
