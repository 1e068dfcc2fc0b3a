"""Laws of the best learning rate and batch size, and the bowl around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sympy

from discover.formula import symbol
from discover.law import load_law


def predicted(name: str, **features: float) -> float:
    law = load_law(name)
    return float(law.predict({feature: features[feature] for feature in law.features}, law.published[0].values))


def test_the_minimum_of_the_bowl_is_chinchilla_at_step_laws_optimum() -> None:
    bowl, chinchilla = load_law("lr_bs_bowl"), load_law("hoffmann")
    rate, batch = load_law("step_law_lr").published[0].values, load_law("step_law_b").published[0].values
    terms = chinchilla.published[2].values
    values = {
        **{name: terms[name] for name in ("E0", "alpha", "beta")},
        "A_N": terms["A"],
        "A_D": terms["B"],
        **{"p": 0.02, "q": 0.01, "s": 0.005},
        "l_0": np.log(rate["c"]) + rate["alpha"] * np.log(1e9) + rate["beta"] * np.log(1e10),
        "l_N": rate["alpha"],
        "l_D": rate["beta"],
        "b_0": np.log(batch["c"]) + batch["beta"] * np.log(1e10),
        "b_D": batch["beta"],
    }
    for N, D in ((2e8, 4e9), (1e9, 1e11)):
        best = {"eta": predicted("step_law_lr", N=N, D=D), "B": predicted("step_law_b", D=D)}
        least = float(bowl.predict({"N": N, "D": D, **best}, values))
        assert least == pytest.approx(float(chinchilla.predict({"N": N, "D": D}, terms)), rel=1e-10)
        for wrong in ({"eta": 1.5 * best["eta"]}, {"B": best["B"] / 1.5}):
            assert float(bowl.predict({"N": N, "D": D, **best, **wrong}, values)) > least + 1e-4


def test_the_bowl_is_quadratic_in_the_logs() -> None:
    law = load_law("lr_bs_bowl").expression
    u, v = sympy.symbols("u v", real=True)
    eta, B = symbol("eta", positive=True), symbol("B", positive=True)
    in_logs = sympy.expand_log(law.subs({eta: sympy.exp(u), B: sympy.exp(v)}), force=True)
    hessian = sympy.hessian(in_logs, (u, v))
    p, q, s = symbol("p"), symbol("q"), symbol("s")
    assert sympy.simplify(hessian - sympy.Matrix([[2 * p, s], [s, 2 * q]])) == sympy.zeros(2, 2)


def test_batch_sizes_are_in_tokens_and_rates_in_one_scale() -> None:
    # a billion parameters on 1e11 tokens: batches of about a million tokens, rates of about a thousandth
    N, D = 1e9, 1e11
    at = {"N": N, "D": D, "C": 6 * N * D, "F": 6 * N}
    for name in ("step_law_b", "deepseek_b"):
        assert 5e5 < predicted(name, **at) < 3e6
    for name in ("step_law_lr", "deepseek_lr"):
        assert 5e-4 < predicted(name, **at) < 2.5e-3
    assert 1e5 < predicted("step_law_flops_b", **at) < 3e6
    assert 5e-4 < predicted("step_law_flops_lr", **at) < 1e-2


@pytest.mark.mirror
def test_the_grid_point_nearest_to_step_laws_optimum_is_close_to_the_best_run(mirror_folder: Path) -> None:
    # the paper: within 0.1 % of the best loss; the nearest point of the grid is a little farther
    (file,) = mirror_folder.glob("raw.githubusercontent.com/step-law/steplaw/*/data/dense_lr_bs_loss.csv")
    runs = pd.read_csv(file)
    excess = []
    for (N, D), grid in runs.groupby(["N", "D"]):
        if len(grid) < 60:
            continue
        rate, batch = predicted("step_law_lr", N=N, D=D), predicted("step_law_b", D=D)
        distance = np.log(grid["lr"] / rate) ** 2 + np.log(grid["bs"] * 2048 / batch) ** 2
        excess.append(grid.loc[distance.idxmin(), "smooth loss"] / grid["smooth loss"].min() - 1)
    assert len(excess) >= 10
    assert np.median(excess) < 0.002
    assert max(excess) < 0.01
