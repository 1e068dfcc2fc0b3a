"""The model and its training: nothing of the future is seen, parameters are as counted, text is learned."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from design import CONTEXT, SIZES, Run, Size  # noqa: E402
from model import Decoder  # noqa: E402
from table import read, unfinished  # noqa: E402
from text import Texts  # noqa: E402
from train import train_all  # noqa: E402
from training import schedule, trained, training_blocks  # noqa: E402

WORDS = b"the cat sat on the mat and the dog lay on the rug; "
TEXTS = Texts(
    training={
        "code": np.frombuffer(WORDS * 400, np.uint8),
        "prose": np.arange(20_000, dtype=np.uint32).astype(np.uint8),
    },
    validation={
        "code": np.frombuffer(WORDS * 20, np.uint8),
        "prose": np.arange(2_000, dtype=np.uint32).astype(np.uint8),
    },
)
RUN = Run("grid", Size(1, 16), D=128 * CONTEXT, uD=128 * CONTEXT, prose=0.0, lr=0.02)


@pytest.mark.parametrize("size", list(SIZES))
def test_parameters_are_as_counted(size: Size) -> None:
    model = Decoder(size.layers, size.width, size.heads, CONTEXT)
    assert sum(weight.numel() for weight in model.parameters()) == size.N + size.N_embedding
    assert model.embedding.numel() == size.N_embedding


def test_a_byte_is_predicted_from_those_before_it_alone() -> None:
    torch.manual_seed(0)
    model = Decoder(2, 32, 2, CONTEXT)
    tokens = torch.randint(0, 256, (1, CONTEXT))
    changed = tokens.clone()
    changed[0, 60] = (changed[0, 60] + 1) % 256
    differs = (model(tokens) - model(changed)).abs().amax(dim=(0, 2)) > 1e-5
    assert not differs[:60].any()
    assert differs[60:].all()


def test_an_untrained_model_knows_little_of_the_next_byte() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(0, 256, (8, CONTEXT + 1))
    logits = Decoder(4, 64, 4, CONTEXT)(tokens[:, :-1])
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).item()
    assert math.log(256) <= loss < math.log(256) + 1


def test_the_learning_rate_rises_and_falls_to_nearly_zero() -> None:
    shares = [schedule(step, 1000) for step in range(1000)]
    assert shares[0] == pytest.approx(1 / 50)
    assert max(shares) == pytest.approx(1.0, abs=1e-5)
    assert int(np.argmax(shares)) == pytest.approx(50, abs=1)
    assert 0 < shares[-1] < 1e-5
    assert schedule(524, 1000) == pytest.approx(0.5, abs=1e-3)


def test_a_single_epoch_has_no_block_twice_and_fewer_tokens_are_among_more() -> None:
    texts = Texts({name: _numbered(stream) for name, stream in TEXTS.training.items()}, TEXTS.validation)
    half = {block.tobytes() for block in training_blocks(replace(RUN, D=RUN.D // 2, uD=RUN.uD // 2), texts)}
    all_blocks = {block.tobytes() for block in training_blocks(RUN, texts)}
    assert (len(half), len(all_blocks)) == (64, 128)
    assert half < all_blocks


def test_repeated_blocks_come_once_an_epoch_in_another_order() -> None:
    texts = Texts({name: _numbered(stream) for name, stream in TEXTS.training.items()}, TEXTS.validation)
    blocks = [block.tobytes() for block in training_blocks(replace(RUN, uD=RUN.D // 4), texts)]
    epochs = [blocks[first : first + 32] for first in range(0, 128, 32)]
    assert {len(set(epoch)) for epoch in epochs} == {32}
    assert len({frozenset(epoch) for epoch in epochs}) == 1
    assert epochs[0] != epochs[1]


def test_a_mixture_has_the_share_that_it_says() -> None:
    blocks = training_blocks(replace(RUN, prose=0.375), TEXTS)
    rising = (np.diff(blocks.astype(np.int64), axis=1) % 256 == 1).all(axis=1)
    assert rising.mean() == 0.375
    assert 0 < rising[:32].mean() < 1


def test_more_unique_tokens_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="blocks of code, and there are"):
        training_blocks(replace(RUN, D=2**20, uD=2**20), TEXTS)


def test_training_learns_what_it_is_shown_and_is_the_same_again() -> None:
    code, again, prose = (trained(run, TEXTS) for run in (RUN, RUN, replace(RUN, prose=1.0)))
    assert code["loss_code"] < 2.5 < math.log(256) < code["loss_prose"]
    assert prose["loss_prose"] < code["loss_prose"]
    assert {name: code[name] for name in code if name != "seconds"} == {
        name: again[name] for name in again if name != "seconds"
    }
    assert trained(replace(RUN, seed=1), TEXTS)["loss_code"] != code["loss_code"]


def test_a_sweep_that_failed_keeps_what_is_done_and_goes_on_with_the_rest(tmp_path: Path) -> None:
    first, second = (replace(RUN, D=8 * CONTEXT, uD=8 * CONTEXT, seed=seed) for seed in (0, 1))
    too_much = replace(RUN, D=2**20, uD=2**20)
    out = tmp_path / "runs.csv"
    with pytest.raises(ValueError, match="blocks of code, and there are"):
        train_all([first, too_much], TEXTS, out, jobs=1)
    assert [made["key"] for made in read(out)] == [first.key]
    train_all(unfinished([first, second], read(out)), TEXTS, out, jobs=1)
    assert [made["key"] for made in read(out)] == [first.key, second.key]
    assert float(read(out)[1]["loss_code"]) == pytest.approx(trained(second, TEXTS)["loss_code"], abs=1e-6)


def _numbered(stream: np.ndarray) -> np.ndarray:
    """Make every block of a stream another one."""
    return np.random.default_rng(0).integers(0, 256, len(stream), dtype=np.uint8)
