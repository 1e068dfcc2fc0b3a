"""Runs on rows in groups, on mixtures, categories and negative targets, and on held-out rows in files of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from told_engines import tell_engines

from discover.engines import SearchProblem
from discover.errors import DataError, InputError
from discover.experiment import load_experiment
from discover.export import document
from discover.exporting import export
from discover.hold_out import training_rows
from discover.law import load_law
from discover.result import Result
from discover.running import resume, run

SIZES = np.geomspace(2e7, 3e9, 9)
CONSTANTS = {"code": (0.8, 90.0, 0.3), "web": (1.9, 400.0, 0.35), "books": (2.1, 200.0, 0.32)}
GROUPED = """
title = "Three domains"
hold_out = "N >= 1e9"
[[files]]
path = "runs.csv"
[features]
N = { column = "params", kind = "size", unit = "parameters", meaning = "parameters" }
[group]
columns = ["domain"]
[target]
column = "loss"
"""
MIXED = """
title = "Two losses of mixtures"
hold_out = "run >= 24"
labels = ["run"]
[[files]]
path = "runs.csv"
[wide]
names = "domain"
values = "loss"
columns = ["loss_code", "loss_web"]
[features]
r = { kind = "mixture", columns = ["code", "web", "books"], meaning = "share" }
r_own = { by = "domain", columns = { loss_code = "code", loss_web = "web" }, kind = "share", meaning = "own share" }
[group]
columns = ["domain"]
[target]
column = "loss"
"""


def a_grouped_table() -> pd.DataFrame:
    """27 runs: a power law with a floor in each of three domains, with 0.3 % noise."""
    random = np.random.default_rng(0)
    rows = [
        (domain, size, (floor + scale / size**power) * np.exp(0.003 * random.normal()))
        for domain, (floor, scale, power) in CONSTANTS.items()
        for size in SIZES
    ]
    return pd.DataFrame(rows, columns=["domain", "params", "loss"])


def a_mixed_table() -> pd.DataFrame:
    """30 runs on mixtures of three domains, with the loss on two of them."""
    shares = np.random.default_rng(1).dirichlet(np.ones(3), size=30)
    table = pd.DataFrame(shares, columns=["code", "web", "books"]).assign(run=range(30))
    noise = np.exp(0.002 * np.random.default_rng(2).normal(size=(2, 30)))
    table["loss_code"] = (1.0 + np.exp(-2.0 * table.code + 0.5 * table.web + 0.3 * table.books)) * noise[0]
    table["loss_web"] = (2.0 + np.exp(0.4 * table.code - 1.5 * table.web + 0.2 * table.books)) * noise[1]
    return table


def write(folder: Path, table: pd.DataFrame, dataset: str, experiment: str = "") -> Path:
    table.to_csv(folder / "runs.csv", index=False)
    (folder / "mine.toml").write_text(dataset)
    (folder / "first.toml").write_text(f'dataset = "mine.toml"\nengines = ["told"]\n{experiment}')
    return folder / "first.toml"


@pytest.fixture(scope="module")
def searched() -> list[SearchProblem]:
    """What the engine of `grouped` was asked to search."""
    return []


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory, searched: list[SearchProblem]) -> Iterator[Result]:
    folder = tmp_path_factory.mktemp("grouped")
    with pytest.MonkeyPatch.context() as patch:
        told = tell_engines(folder, patch)
        told.FORMULAS[:] = ["1.7 + 300.0*N**-0.33", "20.0*N**-0.1"]
        experiment = write(folder, a_grouped_table(), GROUPED, 'baselines = ["constant", "powerlaw_one_feature"]')
        result = run(experiment, out=folder / "runs", jobs=1)
        searched += [call[2] for call in told.CALLS]
        yield result


def test_the_form_is_common_and_each_group_has_its_constants(grouped) -> None:
    chosen = grouped.selected
    assert chosen.law.formula == "E0 + A/N**alpha"
    assert list(chosen.fit.parts) == list(CONSTANTS)
    for name, (floor, _, power) in CONSTANTS.items():
        part = chosen.fit.parts[name]
        assert part.values["E0"] == pytest.approx(floor, abs=4 * part.errors["E0"] + 0.02)
        assert part.values["alpha"] == pytest.approx(power, abs=4 * part.errors["alpha"] + 0.02)
    assert grouped.leaderboard["heldout_mape"][0] < 1


def test_engines_search_some_groups_one_after_the_other(grouped, searched: list[SearchProblem]) -> None:
    problems = searched
    assert len(problems) == 3
    assert {len(problem.target) for problem in problems} == {6}  # of 9 sizes: 2 are held out, 1 by the inner hold-out
    assert all(set(problem.features) == {"N"} for problem in problems)
    searches = grouped.folder.manifest["searches"]
    assert list(searches) == ["told-0-group1", "told-0-group2", "told-0-group3"]


def test_the_run_folder_of_groups_tells_them_apart(grouped) -> None:
    board = pd.read_csv(grouped.folder.path / "leaderboard.csv", keep_default_na=False)
    constants = json.loads(board.loc[board["selected"].astype(str) == "True", "constants"].iloc[0])
    assert list(constants) == list(CONSTANTS)
    assert set(constants["code"]) == {"E0", "A", "alpha"}
    predictions = pd.read_csv(grouped.folder.path / "predictions.csv")
    assert set(predictions["group"]) == set(CONSTANTS)
    name = grouped.selected.law.name
    law = load_law(grouped.folder.path / "laws" / f"{name}.toml")
    assert [fit.group for fit in law.fits] == list(CONSTANTS)
    for fit in law.fits:
        rows = predictions[predictions["group"] == fit.group]
        assert law.predict({"N": rows["N"]}, fit.values) == pytest.approx(rows[name].to_numpy(), rel=1e-12)
    for picture in ("loss_against_size", "parity"):
        assert (grouped.folder.path / "figures" / f"{picture}.png").stat().st_size > 10_000
    html = (grouped.folder.path / "report.html").read_text()
    assert "web:" in html
    floor = dict(grouped.selected.fit.parts["code"].values)["E0"]
    assert f"<td>as code: tends to E0 = {floor:.4g}</td>" in html


def test_the_latex_of_groups_is_one_formula_and_a_table_of_constants(grouped, tmp_path: Path) -> None:
    text = export(str(grouped.folder.path), "latex")
    assert text.count(r"\begin{equation}") == 1
    assert text.count(r"\begin{table}") == 1
    assert all(f"    {name} & $" in text for name in CONSTANTS)
    assert r"$\alpha$" in text
    record = json.loads(export(str(grouped.folder.path), "json"))
    assert set(record["groups"]) == set(CONSTANTS)
    if shutil.which("pdflatex"):
        (tmp_path / "paper.tex").write_text(document(text, title="Groups"))
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False).returncode == 0


def test_a_run_on_groups_goes_on_without_searching_a_group_twice(grouped, searched: list[SearchProblem]) -> None:
    again = resume(grouped.folder, jobs=1)
    assert len(searched) == 3
    assert (grouped.folder.path / "log.txt").read_text().count("already searched") == 3
    assert again.selected.law.formula == grouped.selected.law.formula


def test_a_group_that_is_only_held_out_is_an_error(tmp_path: Path, told: ModuleType) -> None:
    table = a_grouped_table()
    table = table[(table.domain != "books") | (table.params >= 1e9)]
    with pytest.raises(InputError, match="leaves no training row of the group 'books'"):
        run(write(tmp_path, table, GROUPED), out=tmp_path / "runs", jobs=1)


def test_laws_of_mixtures_are_found_and_published_ones_are_baselines(tmp_path: Path, told: ModuleType) -> None:
    told.FORMULAS[:] = ["1.1 + exp(-2.0*r_own)", "1.1 + exp(-2.0*r_code + 0.5*r_web)", "0.4*r_code + 2.0*r_web + 1.0"]
    baselines = 'baselines = ["ye_m4", "regmix_linear", "constant"]'
    result = run(write(tmp_path, a_mixed_table(), MIXED, baselines), out=tmp_path / "runs", jobs=1)
    problem = told.CALLS[0][2]
    assert set(problem.plain) == {"r_code", "r_web", "r_books", "r_own"}  # shares are not divided by a unit
    assert all(problem.scales[name] == 1.0 for name in problem.plain)
    board = result.leaderboard.set_index("law")
    assert board.loc["ye_m4", "formula"] == "E0 + exp(sum(t*r))"
    assert board.loc["ye_m4", "n_constants"] == 4
    assert board.index[0] == "ye_m4"  # its form made the rows
    assert board.loc["ye_m4", "heldout_mape"] < 0.6
    values = json.loads(board.loc["ye_m4", "constants"])
    assert values["loss_code"]["t_code"] == pytest.approx(-2.0, abs=0.5)
    assert board.loc["regmix_linear", "heldout_rmse"] > 3 * board.loc["ye_m4", "heldout_rmse"]
    text = export(str(result.folder.path), "latex", law="ye_m4")
    assert r"\sum" in text
    card = load_law(result.folder.path / "laws" / "ye_m4.toml")
    assert card.components == {"r": ("code", "web", "books")}
    assert set(card.fits[0].values) == {"E0", "t_code", "t_web", "t_books"}


def test_a_category_gives_a_constant_to_each_of_its_words(tmp_path: Path, told: ModuleType) -> None:
    table = a_grouped_table()
    table["loss"] = table.domain.map({"code": 90.0, "web": 130.0, "books": 110.0}) / table.params**0.25 + 1.0
    told.FORMULAS[:] = ["1.0 + (90.0*c_code + 130.0*c_web + 110.0*c_books)*N**-0.25", "20.0*N**-0.1"]
    card = GROUPED.replace('[group]\ncolumns = ["domain"]\n', "").replace(
        "[features]\n", '[features]\nc = { column = "domain", kind = "category", meaning = "domain" }\n'
    )
    law = tmp_path / "by_word.toml"
    law.write_text(
        'title = "A scale for each word"\nformula = "E0 + sum(A*c)/N**alpha"\nmixtures = ["c"]\n'
        '[features]\nN = "parameters"\nc = "domain"\n[constants]\nE0 = { range = [0.1, 4], positive = true }\n'
        "A = { range = [1, 1e4], positive = true, log = true }\nalpha = { range = [0.05, 1], positive = true }\n"
    )
    result = run(write(tmp_path, table, card, 'baselines = ["by_word.toml"]'), out=tmp_path / "runs", jobs=1)
    fitted = next(judged for judged in result.judged if judged.law.name == "by_word").fit.parts[""]
    assert fitted.values["A_web"] / fitted.values["A_code"] == pytest.approx(130 / 90, rel=1e-5)
    assert result.selected is not None
    assert {"c_code", "c_web"} & set(result.selected.law.features)


def test_held_out_files_are_scored_and_seen_by_nothing_else(tmp_path: Path, told: ModuleType) -> None:
    told.FORMULAS[:] = ["1.7 + 300.0*N**-0.33", "20.0*N**-0.1"]
    table = a_grouped_table()
    large = table.params >= 1e9
    table[large].to_csv(tmp_path / "larger.csv", index=False)
    card = GROUPED.replace('"N >= 1e9"', '{ files = "held_out", of = "N" }').replace(
        'path = "runs.csv"\n', 'path = "runs.csv"\n[[files]]\npath = "larger.csv"\nheld_out = true\n'
    )
    experiment = write(tmp_path, table[~large], card, 'baselines = ["constant"]')
    result = run(experiment, out=tmp_path / "runs", jobs=1)
    assert result.folder.dataset["held_out_rows"] == int(large.sum())
    first = result.selected.fit.parts["code"]
    assert first.n_rows == int((~large & (table.domain == "code")).sum())
    poisoned = table[large].assign(loss=99.0)
    poisoned.to_csv(tmp_path / "larger.csv", index=False)
    again = run(experiment, out=tmp_path / "runs", jobs=1)
    assert again.selected.law == result.selected.law
    assert again.selected.fit.parts["code"].values == first.values
    assert again.leaderboard["heldout_rmse"].min() > 50
    (tmp_path / "larger.csv").unlink()
    with pytest.raises(DataError, match=r"larger\.csv: there is no such file"):
        run(experiment, out=tmp_path / "runs", jobs=1)


def test_a_negative_target_goes_all_the_way(tmp_path: Path, told: ModuleType) -> None:
    table = a_grouped_table().assign(loss=lambda t: t.loss - 6.0)
    told.FORMULAS[:] = ["-4.3 + 300.0*N**-0.33", "20.0*N**-0.1 - 7.0"]
    card = GROUPED.replace('column = "loss"\n', 'column = "loss"\npositive = false\n')
    result = run(write(tmp_path, table, card, 'baselines = ["constant"]'), out=tmp_path / "runs", jobs=1)
    assert result.selected is not None
    assert result.leaderboard["heldout_r2"][0] > 0.99
    assert result.selected.fit.parts["code"].objective.name == "huber"
    assert "heldout_mape" in result.leaderboard
    assert r"\begin{tabular}" in export(str(result.folder.path), "table")


def test_a_run_of_every_group_is_held_out_of_all_or_of_none(tmp_path: Path, told: ModuleType) -> None:
    table = a_grouped_table()
    dense = pd.DataFrame({"domain": "dense", "params": SIZES, "loss": 3.0 - 0.05 * np.log(SIZES)})
    card = GROUPED.replace('columns = ["domain"]\n', 'columns = ["domain"]\neverywhere = "domain == \'dense\'"\n')
    experiment = write(tmp_path, pd.concat([table, dense]), card, "hold_out = \"group == 'web' and N >= 1e9\"")
    with pytest.raises(InputError, match=r"puts row 3\d of mine, a run of every group, on both sides"):
        run(experiment, out=tmp_path / "runs", jobs=1)


def test_a_size_that_the_training_rows_reach_is_no_axis(tmp_path: Path, told: ModuleType) -> None:
    rule = "hold_out = \"N >= 1e9 and domain == 'code'\""
    card = GROUPED.replace('title = "Three domains"\n', 'title = "Three domains"\nlabels = ["domain"]\n')
    card = card.replace('[group]\ncolumns = ["domain"]\n', "")
    experiment = load_experiment(write(tmp_path, a_grouped_table(), card, rule))
    dataset = experiment.load()
    held = dataset.held_out_rows(experiment.card.hold_out)
    assert training_rows(dataset, held, experiment.card.hold_out).axis is None
    larger = dataset.held_out_rows("N >= 1e9")
    assert training_rows(dataset, larger, "N >= 1e9").axis == "N"
