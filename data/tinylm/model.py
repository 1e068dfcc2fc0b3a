"""A decoder-only transformer over bytes: pre-norm, rotary positions, no bias, no dropout, embeddings tied."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

VOCABULARY = 256  # bytes


class Block(nn.Module):
    """Causal self-attention, then an MLP of four times the width, each on the normalised residual stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_gain = nn.Parameter(torch.ones(width))
        self.mlp_gain = nn.Parameter(torch.ones(width))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.mixed = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, stream: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the residual stream, (sequences, context, width), after attention and MLP."""
        rows, context, width = stream.shape
        normed = functional.rms_norm(stream, (width,), self.attention_gain)
        heads = self.qkv(normed).view(rows, context, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        turned = _rotated(heads[:2], cosine, sine)
        attended = functional.scaled_dot_product_attention(turned[0], turned[1], heads[2], is_causal=True)
        stream = stream + self.mixed(attended.transpose(1, 2).reshape(rows, context, width))
        normed = functional.rms_norm(stream, (width,), self.mlp_gain)
        return stream + self.down(functional.gelu(self.up(normed)))


class Decoder(nn.Module):
    """Next-byte logits for sequences of at most `context` bytes.

    Weights are drawn with standard deviation 1/sqrt(inputs), so that every layer keeps the scale of its input at any
    width; those that write to the residual stream are smaller by sqrt(2*layers), as in GPT-2.
    """

    def __init__(self, layers: int, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(VOCABULARY, width) / math.sqrt(width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.gain = nn.Parameter(torch.ones(width))
        for name, weight in self.blocks.named_parameters():
            if weight.dim() == 2:
                writes = name.endswith(("mixed.weight", "down.weight"))
                nn.init.normal_(weight, std=(2 * layers if writes else 1) ** -0.5 * weight.shape[1] ** -0.5)
        head = width // heads
        angles = torch.arange(context)[:, None] * 1e4 ** (-torch.arange(0, head, 2) / head)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits, (sequences, context, 256), for `tokens`, (sequences, context)."""
        context = tokens.shape[1]
        stream = functional.embedding(tokens, self.embedding)
        for block in self.blocks:
            stream = block(stream, self.cosine[:context], self.sine[:context])
        return functional.rms_norm(stream, (stream.shape[-1],), self.gain) @ self.embedding.T


def _rotated(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn each pair of components of queries and keys by its position (Su et al. 2021, eq. 34)."""
    first, second = heads.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
