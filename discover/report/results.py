"""The files that a finished run leaves in its folder."""

from __future__ import annotations

import numpy as np
import pandas as pd

from discover.dataset_card import GROUP, ZERO_IS_LEGAL
from discover.export import equation, fitted_values, group_constants, law_card, table
from discover.fitting import AnyFit
from discover.law import Law
from discover.report.figures import loss_against_size, parity, to_bytes
from discover.report.page import page
from discover.result import Result
from discover.sanity import SanityCard, card_of_rows
from discover.selection import Judged, Rows


def write_results(result: Result, held: np.ndarray, rows: Rows) -> None:
    """Write leaderboard, law cards, predictions, equations, figures and report, each whole or not at all."""
    folder, dataset = result.folder, result.dataset
    folder.write("leaderboard.csv", result.leaderboard.to_csv(index=False))
    if result.comparison is not None:
        folder.write("comparison.csv", result.comparison.to_csv(index=False))
    for judged in result.judged:
        folder.write(f"laws/{judged.law.name}.toml", _card(result, judged))
    folder.write("predictions.csv", _predictions(result, held).to_csv(index=False))
    folder.write("equations.tex", equations(result))
    best = result.best("published") or result.best("null")
    shown = list({judged.law.name: judged.fit for judged in (result.selected, best) if judged is not None}.items())
    if shown:
        figures = {
            "parity": parity(dataset, held, shown),
        }
        axis = rows.axis or next((name for name, kind in rows.kinds.items() if kind not in ZERO_IS_LEGAL), None)
        if axis is not None:
            figures["loss_against_size"] = loss_against_size(dataset, held, shown[0][1], axis)
        for name, figure in figures.items():
            for file_format in ("png", "pdf"):
                folder.write(f"figures/{name}.{file_format}", to_bytes(figure, file_format))
    folder.write("report.html", page(result, _sanity(result.selected, rows) if result.selected is not None else None))


def _sanity(judged: Judged, rows: Rows) -> SanityCard:
    parts = {name: part.values for name, part in judged.fit.parts.items()}
    columns, kinds = rows.columns, rows.kinds
    return card_of_rows(judged.law, parts, columns, rows.target, rows.groups, kinds, positive=rows.positive)


def equations(result: Result) -> str:
    """LaTeX of the chosen law and of the leaderboard."""
    parts = []
    if result.selected is not None:
        parts.append(fitted_equation(result.selected.fit))
    order = "best held-out first" if result.scored else "best on inner hold-outs first, none scored on held-out rows"
    parts.append(table(result.leaderboard, caption=f"Laws on {result.dataset.label}, {order}."))
    return "\n\n".join(parts) + "\n"


def fitted_equation(fit: AnyFit) -> str:
    """LaTeX of a fitted law; the constants of groups are a table below the formula."""
    parts = {group: (part.values, part.errors) for group, part in fit.parts.items()}
    if list(parts) == [""]:
        return equation(fit.law, *parts[""])
    return "\n".join([equation(fit.law), group_constants(fit.law, parts)])


def _card(result: Result, judged: Judged) -> str:
    kept = [
        fitted_values(part, result.dataset.label, group=group, run=result.folder.path.name)
        for group, part in judged.fit.parts.items()
    ]
    return law_card(judged.law, title=_title(judged.law, result), fits=kept)


def _title(law: Law, result: Result) -> str:
    return f"Found on {result.dataset.label}" if law.kind == "found" else law.title


def _predictions(result: Result, held: np.ndarray) -> pd.DataFrame:
    dataset = result.dataset
    groups = dataset.groups()
    named = [GROUP] if dataset.grouped else []
    frame = dataset.table[[*named, *dataset.scalars, dataset.target.symbol]].reset_index()
    frame["split"] = np.where(held, "held_out", "training")
    columns = dataset.columns()
    predictions = {judged.law.name: judged.fit.predict(columns, groups) for judged in result.judged}
    if result.average is not None:
        predictions[result.average.name] = result.average.predict(columns, groups)
    return pd.concat([frame, pd.DataFrame(predictions)], axis=1)
