"""Equations, tables and documents: what they say, and that they compile."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from discover.errors import InputError
from discover.export.groups import group_constants
from discover.export.latex import document, equation, part_definitions, right_hand_side, table
from discover.law import Constant, Law, list_laws, load_law

ROWS = [
    # law, kind, selected, n_constants, train_rmse, heldout_rmse, heldout_mape, heldout_r2, sane
    ("found_1", "found", True, 6, 0.0103, 0.0245, 0.9345, 0.99512, True),
    ("hoffmann", "published", False, 5, 0.0123, 0.0345, 1.2345, 0.98706, True),
    ("found_2", "found", False, 7, 0.0099, 3.1e5, 12345.0, -1.2e9, False),
    ("found_3", "found", False, 7, 0.0102, math.inf, math.inf, -math.inf, True),
    ("powerlaw_one_feature_N", "null", False, 2, 0.123, 0.1246, 4.9, math.nan, True),
]
COLUMNS = ["law", "kind", "selected", "n_constants", "train_rmse", "heldout_rmse", "heldout_mape", "heldout_r2", "sane"]


@pytest.fixture
def leaderboard() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS)


def row_of(latex: str, law: str) -> list[str]:
    (line,) = [line for line in latex.splitlines() if law in line and "&" in line]
    return [cell.strip() for cell in line.removesuffix(r"\\").split("&")]


def compile_pdf(latex: str, folder: Path) -> str:
    """The log of pdflatex; fails when it does."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed: what LaTeX says of the snippets stays untested")
    (folder / "paper.tex").write_text(latex, encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    log = done.stdout.decode("latin-1")
    assert done.returncode == 0, log[-2000:]
    assert (folder / "paper.pdf").stat().st_size > 1000
    return log


def values_of(law: Law) -> dict[str, float]:
    return dict(law.published[-1].values) if law.published else dict.fromkeys(law.parameters, 2.5)


def test_an_equation_gives_formula_constants_and_features():
    law = load_law("hoffmann")
    besiroglu = law.published[2]
    assert equation(law, besiroglu.values, besiroglu.errors, label="eq:chinchilla") == (
        "\\begin{equation}\\label{eq:chinchilla}\n"
        "  L = E_{0} + \\frac{A}{N^{\\alpha}} + \\frac{B}{D^{\\beta}}\n"
        "\\end{equation}\n"
        "with $E_{0} = 1.817 \\pm 0.030$, $A = (4.8 \\pm 1.2) \\times 10^{2}$, $B = (2.1 \\pm 1.3) \\times 10^{3}$, "
        "$\\alpha = 0.348 \\pm 0.015$, $\\beta = 0.366 \\pm 0.020$. "
        "Features: $N$: total parameters, embeddings included; $D$: training tokens.\n"
    )


def test_the_named_parts_of_a_law_are_defined_below_its_formula_in_their_order():
    law = load_law("muennighoff")
    assert right_hand_side(law) == (
        r"E_{0} + \frac{A}{N_{\mathrm{eff}}^{\alpha}} + \frac{B}{D_{\mathrm{eff}}^{\alpha}}"
    )
    assert list(part_definitions(law)) == ["G", "R_D", "U_N", "R_N", "D_eff", "N_eff"]
    lines = [line.strip() for line in equation(law, values_of(law)).splitlines()]
    assert lines[1] == r"\begin{aligned}"
    assert lines[2] == rf"L &= {right_hand_side(law)} \\"
    assert lines[4] == r"R_{D} &= \max\left(0, \frac{D}{U_{D}} - 1\right) \\"
    last = r"U_{N} \left(1 + R_{N}^{*} \left(1 - \exp\left(- \frac{R_{N}}{R_{N}^{*}}\right)\right)\right)"
    assert lines[8] == rf"N_{{\mathrm{{eff}}}} &= {last}"  # no line break behind the last
    assert lines[9] == r"\end{aligned}"


def test_a_logarithm_of_base_ten_and_the_natural_one_are_told_apart():
    assert part_definitions(load_law("clark_bilinear")) == {"n": r"\log_{10} N", "e": r"\log_{10} E"}
    law = _law("a*log(N)", ["N"])
    assert right_hand_side(law) == r"a \ln N"


def test_a_long_sum_is_broken_at_its_terms():
    terms = [f"A{k}*exp(-B{k}*N)/(C{k} + D**c{k})" for k in range(6)]
    latex = equation(_law(" + ".join(terms), ["N", "D"]), dict.fromkeys(_names(terms), 1.0))
    lines = [line.strip() for line in latex.splitlines()]
    first, last = lines.index(r"\begin{aligned}") + 1, lines.index(r"\end{aligned}")
    assert last - first == 2  # 89 nodes, 45 to a line
    assert lines[first].startswith(r"L &= \frac{A_{0}")
    assert lines[first + 1].startswith(r"&\quad + \frac{A_{3}")


@pytest.mark.parametrize("errors", [None, {}, {"c": None}])
def test_a_constant_without_an_error_is_printed_without_one(errors):
    assert equation(load_law("constant"), {"c": 2.5}, errors).endswith("with $c = 2.5$.\n")


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_of_a_constant_that_the_rows_do_not_determine_this_is_said(error):
    """Digits without an error look certain, and these mean nothing."""
    law = load_law("powerlaw_one_feature").on("N")
    values = {"x_c": 8.8e13, "alpha": 0.076}
    text = equation(law, values, {"x_c": error, "alpha": 0.002}, meanings=False)
    assert text.endswith(r"$\alpha = 0.0760 \pm 0.0020$. The rows do not determine $x_{c}$." + "\n")
    said = "What has no error is not determined by the rows."
    assert said in group_constants(law, {"a": (values, {"alpha": 0.002, "x_c": error}), "b": (values, {})})
    assert said not in group_constants(law, {"a": (values, {"alpha": 0.002, "x_c": 1e13}), "b": (values, {})})


def test_a_law_with_open_constants_is_its_formula_alone():
    assert equation(load_law("constant"), {}) == "\\begin{equation}\n  L = c\n\\end{equation}\n"
    assert equation(load_law("kaplan_nd")).splitlines()[-1].startswith("Features: $N$: parameters")


def test_values_must_be_those_of_the_law():
    with pytest.raises(InputError, match="needs a value of the constant 'A'"):
        equation(load_law("hoffmann"), {"E0": 1.69})
    law = load_law("constant")
    with pytest.raises(InputError, match="'constant': value of 'k': legal are: c"):
        equation(law, {"c": 1.0, "k": 2.0})
    with pytest.raises(InputError, match="error of 'c' is -1"):
        equation(law, {"c": 1.0}, {"c": -1.0})


def test_a_table_shows_three_digits_and_marks_what_was_selected_and_what_misbehaves(leaderboard):
    latex = table(leaderboard, caption="C4, 50% held out", label="tab:c4")
    assert row_of(latex, "hoffmann") == ["hoffmann", "published", "$5$", "$0.0123$", "$0.0345$", "$1.23$", "$0.9871$"]
    assert row_of(latex, r"found\_1")[0] == r"\textbf{found\_1}"
    assert row_of(latex, r"found\_1")[4:] == [r"$\mathbf{0.0245}$", r"$\mathbf{0.934}$", r"$\mathbf{0.9951}$"]
    assert row_of(latex, r"found\_2")[0] == r"found\_2$^{\dagger}$"
    assert row_of(latex, r"found\_2")[4:] == [
        r"$3.10 \times 10^{5}$",
        r"$1.23 \times 10^{4}$",
        r"$-1.20 \times 10^{9}$",
    ]
    assert r"\caption{C4, 50\% held out. Bold:" in latex
    assert r"\label{tab:c4}" in latex


def test_infinite_and_missing_numbers_are_dashes(leaderboard):
    leaderboard["train_rmse"] = leaderboard["train_rmse"].astype(object)
    leaderboard.loc[3, "train_rmse"] = pd.NA
    latex = table(leaderboard)
    assert row_of(latex, r"found\_3")[3:] == ["--"] * 4
    assert row_of(latex, "powerlaw")[-1] == "--"


def test_a_table_shows_the_selected_law_and_the_first_found_ones(leaderboard):
    latex = table(leaderboard, found=1, titles={"hoffmann": "Chinchilla (refit)"})
    assert r"found\_2" in latex
    assert r"found\_3" not in latex
    assert "Chinchilla (refit) & published" in latex
    bare = table(leaderboard, found=0)
    assert r"\textbf{found\_1}" in bare
    assert "dagger" not in bare  # no note on a mark that is not there


def test_a_leaderboard_read_from_a_file_gives_the_same_table(leaderboard, tmp_path):
    # pandas takes the kind "null" in a file for a missing value
    leaderboard.to_csv(tmp_path / "leaderboard.csv", index=False)
    assert table(pd.read_csv(tmp_path / "leaderboard.csv")) == table(leaderboard)
    assert table(pd.read_csv(tmp_path / "leaderboard.csv", dtype=str)) == table(leaderboard)


def test_a_leaderboard_must_have_rows_and_columns(leaderboard):
    with pytest.raises(InputError, match="no column 'heldout_r2': did you mean 'heldout_rmse'"):
        table(leaderboard.drop(columns="heldout_r2"))
    with pytest.raises(InputError, match="no rows"):
        table(leaderboard.iloc[:0])


def test_the_equations_of_all_cards_and_a_table_compile(leaderboard, tmp_path):
    laws = [law.bind({"r": ("code", "web", "books_and_more")}) for law in list_laws()]
    assert len(laws) >= 75
    open_ones = [equation(law) for law in list_laws() if not law.bound]  # mixtures of any components
    equations = [equation(law, values_of(law), law.published[-1].errors if law.published else None) for law in laws]
    log = compile_pdf(document(*equations, *open_ones, table(leaderboard), title="Laws & tables_1"), tmp_path)
    assert "Overfull" not in log  # nothing sticks out into the margin


def test_unusual_names_and_texts_compile(leaderboard, tmp_path):
    names = ["E0", "E_0", "R_D_star", "uD", "x_hat", "lossy", "alpha_max_2", "omicron", "a_"]
    law = _law("+".join(f"{name}**2*N**(-{name})" for name in names) + "+ exp(1)*1e9*2**N", ["N"], target="log-loss_%")
    values = dict(zip(names, [math.inf, math.nan, -0.0, 1e300, 1e-300, 3, 4, 5, 6], strict=True))
    caption = "Ünïcödé ≥ 学 \\ { } $ & # % _ ^ ~ < > | \" ' ` [ ] *\n\n{"
    latex = document(equation(law, values), table(leaderboard, caption=caption, titles={"hoffmann": "[x] *"}))
    compile_pdf(latex, tmp_path)


def _names(terms: list[str]) -> list[str]:
    return [f"{letter}{k}" for k in range(len(terms)) for letter in "ABCc"]


def _law(formula: str, features: list[str], target: str = "L") -> Law:
    from discover.formula import parse

    names = {symbol.name for symbol in parse(formula).free_symbols} - set(features)
    return Law(
        name="made_up",
        title="Made up",
        formula=formula,
        features=dict.fromkeys(features, "a column_of_the_table"),
        constants={name: Constant(range=(0.1, 10.0)) for name in sorted(names)},
        target=target,
    )
