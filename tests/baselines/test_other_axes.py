"""Laws of vocabulary, precision, parallel streams, fine-tuning and sparse autoencoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sympy
from evaluating import at, constants, same

from discover.fitting.fitter import fit
from discover.formula import symbol
from discover.law import load_law
from discover.objective import Objective

CHINCHILLA = load_law("hoffmann")


def the_file(mirror: Path, pattern: str) -> Path:
    (found,) = mirror.glob(f"raw.githubusercontent.com/{pattern}")
    return found


# ---- parallel streams


def test_one_stream_is_a_power_law_in_n_with_a_floor() -> None:
    one = load_law("parscale").expression.subs(symbol("P", positive=True), 1)
    ratio = symbol("A") / symbol("N", positive=True)
    assert same(one, symbol("E0") + ratio ** symbol("alpha"))


def test_streams_are_worth_parameters() -> None:
    law = load_law("parscale")
    for number in range(len(law.published)):
        values = constants(law, number)
        for streams in (2, 4, 8):
            worth = 1e9 * (1 + values["k"] * np.log(streams))
            alone = at(law, values, N=worth, P=1)
            assert at(law, values, N=1e9, P=streams) == pytest.approx(alone, rel=1e-12)


@pytest.mark.mirror
def test_the_constants_of_parallel_streams_give_the_authors_losses(mirror_folder: Path) -> None:
    law = load_law("parscale")
    file = "PlanarG/active-sl/*/benchmark/dataset/parallel_scaling_law/train-00000-of-00001.parquet"
    runs = pd.read_parquet(the_file(mirror_folder, file))
    for number, corpus in enumerate(("pile", "stack")):
        rows = runs[runs["group"] == corpus]
        assert len(rows) == 18
        loss = law.predict({"N": rows["num_params"], "P": rows["parallel_size"]}, constants(law, number))
        assert np.abs(loss - rows["loss"]).max() < 0.011


# ---- precision


def tied(values: dict[str, float]) -> dict[str, float]:
    return {name: values[name] for name in ("E0", "A", "B", "alpha")} | {"beta": values["alpha"]}


def test_infinitely_many_bits_are_chinchilla() -> None:
    training, after = load_law("kumar_precision"), load_law("kumar_ptq")
    for N, D in ((1e7, 1e9), (1e9, 1e12)):
        expected = at(CHINCHILLA, tied(constants(training)), N=N, D=D)
        assert at(training, constants(training), N=N, D=D, P_w=500, P_a=500, P_kv=500) == pytest.approx(
            expected, rel=1e-12
        )
        assert at(after, constants(after), N=N, D=D, P_post=500) == pytest.approx(expected, rel=1e-12)


def test_the_best_precision_of_training_is_seven_to_eight_bits() -> None:
    # Kumar et al. 2024, section 4.3.2: at any compute of 6*N*D*P/16 the best P is 7 to 8
    law = load_law("kumar_precision")
    bits = np.linspace(4, 16, 1201)
    for compute in (1e18, 1e22):
        best = []
        for P in bits:
            D = np.geomspace(1e7, 1e14, 4001)
            N = compute * 16 / (6 * D * P)
            best.append(law.predict({"N": N, "D": D, "P_w": P, "P_a": P, "P_kv": P}, constants(law)).min())
        assert 6.95 < bits[np.argmin(best)] < 8


def test_activations_of_three_bits_have_no_loss() -> None:
    # Appendix L: runs with 3 bits of activations or of the cache diverge, with 3 bits of weights they do not
    law = load_law("kumar_precision")
    values = constants(law)
    assert np.isnan(at(law, values, N=1e8, D=1e10, P_w=16, P_a=3, P_kv=16))
    assert at(law, values, N=1e8, D=1e10, P_w=3, P_a=16, P_kv=16) < at(
        law, values, N=1e8, D=1e10, P_w=16, P_a=4, P_kv=16
    )


def test_too_many_tokens_harm_a_model_that_is_quantised_afterwards() -> None:
    # Finding 1: there is a number of tokens beyond which more of them raise the loss; fewer bits, the earlier
    law = load_law("kumar_ptq")
    tokens = np.geomspace(1e8, 1e15, 2001)
    worst = [
        tokens[np.argmin(law.predict({"N": 3e7, "D": tokens, "P_post": bits}, constants(law)))] for bits in (3, 4, 6)
    ]
    assert tokens[0] < worst[0] < worst[1] < worst[2] < tokens[-1]


# ---- vocabulary


def test_the_vocabulary_law_falls_to_minus_e0() -> None:
    law = load_law("tao_vocab_characters")
    values = constants(law)
    assert at(law, values, N_nv=1e60, N_v=1e60, V=32768, H=1e60) == pytest.approx(-values["E0"], rel=1e-9)


def test_the_two_vocabulary_laws_differ_in_the_count_of_tokens_alone() -> None:
    characters, tokens = load_law("tao_vocab_characters"), load_law("tao_vocab")
    values = constants(characters)
    V, H = 32768.0, 1e10
    f = float(characters.parts["f"].subs(symbol("V", positive=True), V))
    expected = at(tokens, values, N_nv=1e9, N_v=1e8, D=H * f)
    assert at(characters, values, N_nv=1e9, N_v=1e8, V=V, H=H) == pytest.approx(expected, rel=1e-12)


@pytest.mark.mirror
def test_the_vocabulary_constants_hold_for_the_count_of_tokens_of_the_authors_program(mirror_folder: Path) -> None:
    runs = pd.read_csv(the_file(mirror_folder, "sail-sg/scaling-with-vocab/*/exp_data.csv"))
    runs = runs[runs["FLOPs"] >= 2.18e17]
    assert len(runs) == 1054  # as the authors' program prints
    log_v = np.log(runs["vocab_size"])
    columns = {
        "N_nv": runs["Non_vocab_parameters"],
        "N_v": runs["vocab_size"] * runs["embed_dim"],
        "V": runs["vocab_size"],
        "H": runs["num_characters"],
        "D": runs["num_characters"] * (0.00639222 * log_v**2 - 0.15811069 * log_v + 1.20470122),
    }
    explained = {}
    for name in ("tao_vocab_characters", "tao_vocab"):
        law = load_law(name)
        values = constants(load_law("tao_vocab_characters"))
        residual = law.predict({feature: columns[feature] for feature in law.features}, values) - runs["Lossu"]
        explained[name] = 1 - np.mean(residual**2) / np.var(runs["Lossu"])
    assert explained["tao_vocab_characters"] == pytest.approx(0.97, abs=0.005)
    assert explained["tao_vocab"] < 0.1
    # and the program's objective on these rows has its optimum there
    law = load_law("tao_vocab_characters")
    columns = {feature: columns[feature].to_numpy(dtype=float) for feature in law.features}
    found = fit(law, columns, runs["Lossu"].to_numpy(), objective=Objective("huber", 1e-3), starts=32)
    assert found.values == pytest.approx(values, rel=0.03)


# ---- fine-tuning


def test_few_samples_leave_the_loss_of_the_model_that_is_fine_tuned() -> None:
    law = load_law("rectified_sft")
    values = {"E0": 1.1, "B": 30.0, "D_l": 20.0, "beta": 0.4}
    assert at(law, values, D=1e-60) == pytest.approx(1.1 + 30 / 20, rel=1e-12)
    # and many samples, or none learned before, a power law
    assert at(law, values, D=1e20) - 1.1 == pytest.approx(30 * 1e20**-0.4, rel=1e-6)
    exact = law.expression.subs(symbol("D_l"), 0)
    assert same(exact, symbol("E0") + symbol("B") * symbol("D", positive=True) ** -symbol("beta"))


def test_the_rectified_law_is_the_sigmoid_in_log_samples() -> None:
    # the form that agents print: c + A/(1 + (D/n_0)**b)
    law = load_law("rectified_sft")
    values = {"E0": 1.1, "B": 30.0, "D_l": 20.0, "beta": 0.4}
    drop, half = 30 / 20, 20 ** (1 / 0.4)
    for D in (200.0, 1e4, 8e5):
        assert at(law, values, D=D) == pytest.approx(1.1 + drop / (1 + (D / half) ** 0.4), rel=1e-10)
    assert at(law, values, D=half) == pytest.approx(1.1 + drop / 2, rel=1e-12)


# ---- sparse autoencoders


def test_the_autoencoder_law_without_interaction_is_a_product_of_powers_over_a_floor() -> None:
    law = load_law("sae_scaling").expression.subs(symbol("gamma"), 0)
    n, k = symbol("n_lat", positive=True), symbol("k_act", positive=True)
    alpha, in_k, in_n, zeta, eta = (symbol(name) for name in ("alpha", "beta_k", "beta_n", "zeta", "eta"))
    assert same(law, sympy.exp(alpha) * k**in_k * n**in_n + sympy.exp(zeta) * k**eta)
