"""What laws are to each other, and which predicts better: the laws of a run, or any laws on a dataset.

A found law is laid beside each published and null law of its run. The relation is told twice, by formula and by
predictions (`discover.disguise`), beside both laws' errors.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from discover.cards import card_paths
from discover.compared import Compared, Comparison, Pair
from discover.dataset import Dataset, load_dataset
from discover.dataset_card import OwnFiles
from discover.disguise import Place, Symbolically, numerically
from discover.disguise.symbolic import SECONDS
from discover.errors import InputError
from discover.fitting import fit_rows
from discover.law import Law, load_law
from discover.matching import match
from discover.runs import RunFolder, open_run
from discover.saved import last_fits, read_board, read_differences, read_predictions, saved_law
from discover.scoring import score

Report = Callable[[str], None]
FOUND = 3  # found laws of a run that are compared: the chosen one, and the best others


def compare(
    *sources: str | Path | Law,
    on: str | Path | Dataset | None = None,
    found: int = FOUND,
    seconds: float = SECONDS,
    report: Report = lambda message: None,
) -> Comparison:
    """Say what laws are to each other, by formula and by predictions, and which of them errs less.

    Parameters
    ----------
    sources
        One run (folder, or name of an experiment that was run): its chosen law and the best of the others found,
        against each of its published and null laws. Or two or more laws, by name, card or as objects, each against
        each; a run stands for its chosen law then.
    on
        Dataset to which laws are fitted: all of them to the rows that its card does not hold out. Without it the
        formulas alone are compared.
    found
        Number of found laws of a run.
    seconds
        How long the search for settings of constants may take, for each pair and direction.
    report
        Called with a line of progress now and then.

    Raises
    ------
    InputError
        When there is no such law or run, the run found none, or a law lacks features of the dataset.

    Examples
    --------
    >>> compared = compare("gadre", "hoffmann")
    >>> compared.table[["law", "other", "by_formula"]].to_string(index=False, header=False)
    'gadre hoffmann special case'
    """
    if len(sources) == 1 and not isinstance(sources[0], Law) and not _is_law(sources[0]):
        if on is not None:
            raise InputError("a run is compared on its own dataset: leave out --on, or name two or more laws")
        return _of_run(open_run(sources[0], finished=True), found, seconds, report)
    laws = [_law(source) for source in sources]
    if len(laws) < 2:
        raise InputError("name a run, or two or more laws to compare with each other")
    names = [law.name for law in laws]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two of the laws are called {name!r}: name each once, or rename the card of one")
    if on is None:
        pairs = [(Compared(one), Compared(other)) for one, other in itertools.combinations(laws, 2)]
        return Comparison("", laws[0].unit, _compared(pairs, None, {}, seconds, report))
    dataset = on if isinstance(on, Dataset) else load_dataset(on)
    sides = [_fitted(law, dataset, report) for law in [match(law, dataset) for law in laws]]
    place = _place(dataset)
    return Comparison(
        dataset.label, dataset.target.unit, _compared(itertools.combinations(sides, 2), place, {}, seconds, report)
    )


def _is_law(source: str | Path) -> bool:
    text = str(source)
    return not Path(text).is_dir() and (text in card_paths("baselines") or text.endswith(".toml"))


def _law(source: str | Path | Law) -> Law:
    """A law; of a run the one that it chose."""
    if isinstance(source, Law):
        return source
    if _is_law(source) or not _is_run(source):
        return load_law(source)
    folder = open_run(source, finished=True)
    board = read_board(folder)
    chosen = board.loc[board["selected"].astype(str) == "True", "law"]
    if not len(chosen):
        raise InputError(f"the run {folder.path} chose no law: name the card of one, in {folder.path / 'laws'}")
    return saved_law(folder, str(chosen.iloc[0]))


def _is_run(source: str | Path) -> bool:
    try:
        open_run(source, finished=True)
    except InputError:
        return False
    return True


def _of_run(folder: RunFolder, found: int, seconds: float, report: Report) -> Comparison:
    board = read_board(folder)
    board["selected"] = board["selected"].astype(str) == "True"
    board["sane"] = board["sane"].astype(str) == "True"
    mine = board[board["kind"] == "found"].sort_values(["selected", "sane"], ascending=False, kind="stable")
    if not len(mine):
        advice = "discover compare LAW LAW --on DATASET lays known laws beside each other"
        raise InputError(f"the run {folder.path} found no law to compare: {advice}")
    sides = [
        [_saved(folder, row) for _, row in rows.iterrows()]
        for rows in (mine.head(max(1, found)), board[board["kind"].isin(["published", "null"])])
    ]
    differences = {
        (side.law.name, other): entry
        for other, entry in read_differences(folder).items()
        for side in sides[0]
        if side.selected
    }
    pairs = itertools.product(sides[0], sides[1])
    on = f"{folder.path} ({folder.dataset.get('name', '')})"
    return Comparison(on, sides[0][0].law.unit, _compared(pairs, _place_of_run(folder), differences, seconds, report))


def _saved(folder: RunFolder, row: pd.Series) -> Compared:
    law = saved_law(folder, str(row["law"]))
    values = {group: values for group, (values, _) in last_fits(law).items()}
    return Compared(law, values, float(row["train_rmse"]), float(row["heldout_rmse"]), bool(row["selected"]))


def _place_of_run(folder: RunFolder) -> Place:
    """The rows of a run, held-out ones too: nothing is fitted to their losses."""
    from discover.cards import read_card
    from discover.experiment import ExperimentCard

    table = read_predictions(folder)
    names = list(table.columns[: list(table.columns).index("split")])
    columns: list[str] = []
    vectors: list[str] = []
    for feature in read_card(folder.path / "experiment.toml", ExperimentCard).features or ():
        parts = [feature] if feature in names else [name for name in names if name.startswith(f"{feature}_")]
        columns += parts
        vectors += [] if feature in names else parts
    categories = [name for name in vectors if set(table[name].unique()) <= {0, 1}]
    groups = table["group"].to_numpy(dtype=object) if "group" in names else None
    linear = [name for name in vectors if name not in categories]
    return Place({name: table[name].to_numpy(dtype=float) for name in columns}, groups, linear, categories)


def _place(dataset: Dataset) -> Place:
    of_kind = {kind: [name for name, own in dataset.kinds.items() if own == kind] for kind in dataset.kinds.values()}
    linear = [*of_kind.get("mixture", []), *of_kind.get("share", [])]
    return Place(dataset.columns(), dataset.groups(), linear, of_kind.get("category", []))


def _fitted(law: Law, dataset: Dataset, report: Report) -> Compared:
    """A law fitted to the rows that the dataset's card does not hold out, or to all where they are not there."""
    rule = dataset.hold_out
    count = len(dataset.table)
    held = np.zeros(count, dtype=bool) if rule is None or isinstance(rule, OwnFiles) else dataset.held_out_rows()
    report(f"fitting {law.name} to {count - held.sum()} rows of {dataset.label}")
    fit = fit_rows(law, dataset.columns(~held), dataset.losses(~held), dataset.groups(~held))

    def error(rows: np.ndarray) -> float:
        prediction = fit.predict(dataset.columns(rows), dataset.groups(rows))
        return score(prediction, dataset.losses(rows)).rmse if rows.any() else float("nan")

    return Compared(law, {group: part.values for group, part in fit.parts.items()}, error(~held), error(held))


def _compared(
    sides: Iterable[tuple[Compared, Compared]],
    place: Place | None,
    differences: Mapping[tuple[str, str], Mapping[str, float]],
    seconds: float,
    report: Report,
) -> list[Pair]:
    pairs = []
    with Symbolically(seconds) as symbolically:
        for one, other in sides:
            report(f"{one.law.name} and {other.law.name}")
            symbolic = symbolically(one.law, other.law)
            numeric = None if place is None else numerically(one.law, one.values, other.law, other.values, place)
            pairs.append(Pair(one, other, symbolic, numeric, differences.get((one.law.name, other.law.name), {})))
    return pairs
