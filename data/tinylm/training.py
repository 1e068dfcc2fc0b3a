"""Train one model: its batches, Adam with warm-up and cosine decay, and the loss on both validation sets."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from design import CONTEXT, VALIDATED, Run
from model import Decoder
from numpy.typing import NDArray
from text import Bytes, Texts
from torch import Tensor
from torch.nn import functional

WARM_UP = 0.05  # share of the steps
BETAS = (0.9, 0.99)
CLIP = 1.0  # largest norm of the gradient
LAST_STEPS = 0.05  # share of the steps over which the training loss is averaged
Blocks = NDArray[np.uint8]  # (blocks, CONTEXT + 1)


def trained(run: Run, texts: Texts) -> dict[str, float]:
    """Train `run` in one thread and measure it.

    Returns
    -------
    dict
        `loss_code`, `loss_prose` and `train_loss` in nats a byte, not finite for a run that diverged, and `seconds`
        of the processor.
    """
    torch.set_num_threads(1)
    began = time.process_time()
    torch.manual_seed(run.seed)
    model = Decoder(run.size.layers, run.size.width, run.size.heads, CONTEXT)
    adam = torch.optim.Adam(model.parameters(), betas=BETAS, fused=True)
    losses = []
    blocks = training_blocks(run, texts)
    for step in range(run.steps):
        for group in adam.param_groups:
            group["lr"] = run.lr * schedule(step, run.steps)
        adam.zero_grad()
        loss = _loss(model, blocks[step * run.batch : (step + 1) * run.batch])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        adam.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            break
    last = losses[-max(1, round(LAST_STEPS * run.steps)) :]
    measured = {f"loss_{source}": validation_loss(model, texts, source) for source in VALIDATED}
    return measured | {"train_loss": float(np.mean(last)), "seconds": time.process_time() - began}


def schedule(step: int, steps: int) -> float:
    """Return the share of the largest learning rate at `step`: a linear warm-up, then half a cosine to zero."""
    warm_up = WARM_UP * steps
    if step + 1 < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step + 1 - warm_up) / (steps + 1 - warm_up)))


def training_blocks(run: Run, texts: Texts) -> Blocks:
    """Return the blocks of a run in the order of training, (D / CONTEXT, CONTEXT + 1).

    They are drawn from all training files, so that few unique tokens are no other kind of text than many; those of
    a smaller D, or uD, are among those of a larger one. Each epoch has its own order.
    """
    rng = np.random.default_rng([run.seed, 1])
    total, unique = run.D // CONTEXT, run.uD // CONTEXT
    shares = {"prose": round(run.prose * unique)}
    shares["code"] = unique - shares["prose"]
    drawn = []
    for source, count in sorted(shares.items()):
        blocks = _blocks(texts.training[source])
        if count > len(blocks):
            raise ValueError(f"{run.key}: {count} blocks of {source}, and there are {len(blocks)}: make uD smaller")
        drawn.append(blocks[np.random.default_rng([run.seed, 2]).permutation(len(blocks))[:count]])
    blocks = np.concatenate(drawn)
    epochs = [rng.permutation(unique) for _ in range(math.ceil(total / unique))]
    return blocks[np.concatenate(epochs)[:total]]


def validation_loss(model: Decoder, texts: Texts, source: str) -> float:
    """Mean loss over the validation blocks of `source`, in nats a byte."""
    blocks = _blocks(texts.validation[source])
    chosen = blocks[np.random.default_rng(0).permutation(len(blocks))[: VALIDATED[source] // CONTEXT]]
    with torch.no_grad():
        parts = np.array_split(chosen, max(1, len(chosen) // 32))
        return float(np.average([_loss(model, part).item() for part in parts], weights=[len(part) for part in parts]))


def _blocks(stream: Bytes) -> Blocks:
    """Cut a stream into blocks that overlap by one byte: every byte but the first is predicted once."""
    windows = np.lib.stride_tricks.sliding_window_view(stream, CONTEXT + 1)
    return windows[::CONTEXT]


def _loss(model: Decoder, blocks: Blocks) -> Tensor:
    tokens = torch.from_numpy(blocks.astype(np.int64))
    logits: Tensor = model(tokens[:, :-1])
    return functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
