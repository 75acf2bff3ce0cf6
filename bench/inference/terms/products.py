"""Products of a step: dense matrices, experts, the output head, and what passes through memory outside them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.inference.terms.fixed import draft_starts_seconds
from kernels.llm import counts

if TYPE_CHECKING:
    from bench.inference.serving import Setup
    from bench.inference.terms.constants import Constants
    from kernels.llm.counts import Matrix

Array = NDArray[np.float64]

# rows of a tile of a grouped product, as many as an expert has within these; its last tile is half full on average
LEAST_TILE, MOST_TILE = 16.0, 128.0
ALL_TILE = 64.0
ROW_BYTES = 2.0  # [byte] of a number of a row of an expert
PLAIN_BYTES = 2.0  # [byte] of a weight whose product is not narrower than 16 bits


def tokens_seconds(setup: "Setup", constants: "Constants", tokens: Array) -> Array:
    """Return the time of all layers' products and activations for a step's tokens [s].

    Copies of attention share the tokens. Activations pass through memory once.
    """
    shape, device = setup.shape, setup.device
    bandwidth = device.bandwidth_byte_per_s * constants.memory_frac
    seconds = products_seconds(setup, constants, counts.matrices(shape), tokens)
    seconds += _routed_rows(setup, tokens) * (shape.hidden * ROW_BYTES * constants.routed_passes / bandwidth)
    moved = counts.elementwise_bytes_per_token(shape, setup.kind, setup.tensor)
    return seconds + tokens / setup.data * (moved / bandwidth)


def products_seconds(setup: "Setup", constants: "Constants", matrices: "Sequence[Matrix]", tokens: Array) -> Array:
    """Return the time of the products of some matrices [s].

    A dense product overlaps its arithmetic and the transfer of its weights from memory in part.
    """
    kind, device = setup.kind, setup.device
    bandwidth = device.bandwidth_byte_per_s * constants.memory_frac
    rate = product_rate(setup, constants, setup.compute)
    plain = min(rate, product_rate(setup, constants, plain_dtype(setup)))
    own = tokens / setup.data  # of one copy of attention
    seconds: Array = np.zeros_like(tokens)
    for matrix in matrices:
        if matrix.copies > 1:
            seconds += matrix.layers * _experts_seconds(setup, constants, matrix, tokens)
            continue
        width = counts.weight_width(matrix, kind)
        arithmetic = own * (2.0 * matrix.weights / ((plain if width >= PLAIN_BYTES else rate) * setup.tensor))
        memory = matrix.weights * width / (bandwidth * setup.tensor)
        seconds += matrix.layers * blended(constants, arithmetic, memory)
    return seconds


def _experts_seconds(setup: "Setup", constants: "Constants", matrix: "Matrix", tokens: Array) -> Array:
    """Return the time of one layer's grouped product [s].

    Each token uses some experts, and each expert that is used is read. Its rows fill whole tiles. A tile cannot begin
    before its weights are there and few tiles share them, so that both times add. GPUs that hold whole experts wait for
    the one with the largest load. Kernels for fp8 with scales of blocks run over all experts that a GPU holds and over
    all rows, also those of other GPUs' experts. Models with latents have kernels of their own.
    """
    shape, ranks = setup.shape, setup.expert
    rows = tokens * matrix.active
    shares = setup.gpus / ranks  # GPUs that share one expert
    bandwidth = setup.device.bandwidth_byte_per_s * constants.memory_frac * constants.grouped_memory_frac
    moved = matrix.weights * counts.weight_width(matrix, setup.kind) / (bandwidth * shares)
    flop_s = 2.0 * matrix.weights / (_grouped_rate(setup, constants, matrix) * shares)
    if _runs_over_all(setup, constants):
        held = shape.experts / ranks
        everything: Array = (rows + held * ALL_TILE) * flop_s + held * moved
        return everything
    touched = shape.experts * _used_frac(tokens, shape.active_experts / shape.experts, constants.popularity)
    spread = constants.popularity * math.sqrt(ranks / shape.experts)
    tile = np.clip(rows / np.maximum(touched, 1.0), LEAST_TILE, MOST_TILE)
    filled = _largest(rows, ranks, spread) + touched / ranks * tile / 2.0
    seconds: Array = filled * (1.0 + constants.grouped_tile / tile) * flop_s
    return seconds + np.minimum(_largest(touched, ranks, spread), shape.experts / ranks) * moved


def _grouped_rate(setup: "Setup", constants: "Constants", matrix: "Matrix") -> float:
    """Return the rate of a product of experts on one GPU [FLOP/s]; narrow tiles start and end often."""
    plain = plain_dtype(setup)
    sustained = constants.sustained_frac.get(plain, constants.sustained_frac["bf16"])
    kind = "fp8-all" if _runs_over_all(setup, constants) else setup.kind.name.removesuffix("-ffn")
    frac = constants.grouped_frac.get(kind, constants.grouped_frac["bf16"])
    inner = matrix.inner * setup.expert / setup.gpus if matrix.name.endswith("down") else matrix.inner
    return setup.device.peaks_flop_per_s[plain] * sustained * frac * inner / (inner + constants.grouped_depth)


def _runs_over_all(setup: "Setup", constants: "Constants") -> bool:
    """Return whether products of experts run over all experts: whole ones in fp8 with scales of blocks."""
    blocks = setup.kind.name == "fp8" and setup.shape.fp8_block > 0
    return constants.all_experts and setup.expert > 1 and blocks and setup.shape.latent is None


def _routed_rows(setup: "Setup", tokens: Array) -> Array:
    """Return the rows of experts in all layers that pass through one GPU; shards of experts each see all of them."""
    layers = setup.shape.feed_forward_blocks if setup.shape.is_moe else 0
    return tokens * (layers * setup.shape.active_experts / setup.expert)


def blended(constants: "Constants", arithmetic: Array, memory: float) -> Array:
    """Return the time of a product whose arithmetic overlaps with the transfer of its weights, but not wholly [s]."""
    seconds: Array = (arithmetic**constants.blend + memory**constants.blend) ** (1.0 / constants.blend)
    return seconds


def _used_frac(tokens: Array, active_frac: float, popularity: float) -> Array:
    """Return the share of a layer's experts that some tokens use.

    The popularity of experts has a gamma distribution with mean 1 and the coefficient of variation `popularity`.
    """
    shape = popularity**-2
    unused: Array = (1.0 - np.log1p(-active_frac) * tokens / shape) ** -shape
    return 1.0 - unused


def _largest(total: Array, ranks: int, spread: float) -> Array:
    """Return the expected largest part of what is spread at random over some GPUs.

    `spread` is the coefficient of variation of the popularity of what one GPU holds.
    """
    mean = total / ranks
    if ranks == 1:
        return mean
    deviation = np.sqrt(mean * (1.0 - 1.0 / ranks) + (mean * spread) ** 2)
    largest: Array = mean + deviation * math.sqrt(2.0 * math.log(ranks))
    return np.minimum(largest, total)


def head_seconds(setup: "Setup", constants: "Constants", outputs: Array) -> Array:
    """Return the time of the output head and of drawing a token from its logits, which each shard does [s]."""
    bandwidth = setup.device.bandwidth_byte_per_s * constants.memory_frac
    rate = product_rate(setup, constants, plain_dtype(setup)) * setup.tensor
    own, head = outputs / setup.data, setup.shape.vocabulary * setup.shape.hidden
    seconds = blended(constants, own * (2.0 * head / rate), head * setup.kind.head / (bandwidth * setup.tensor))
    return seconds + own * (setup.shape.vocabulary * constants.logit_bytes / bandwidth)


def draft_seconds(setup: "Setup", constants: "Constants", outputs: Array) -> Array:
    """Return the time in which a model's own layers for further tokens draft them, one after the other [s]."""
    layers = counts.mtp_matrices(setup.shape)
    if not layers or setup.drafted == 0:
        return np.zeros_like(outputs)
    one = products_seconds(setup, constants, layers, outputs) + head_seconds(setup, constants, outputs)
    return setup.drafted * (one + (outputs > 0) * draft_starts_seconds(setup, constants))


def product_rate(setup: "Setup", constants: "Constants", dtype: str) -> float:
    """Return the rate of a large product on one GPU [FLOP/s]."""
    sustained = constants.sustained_frac.get(dtype, constants.sustained_frac["bf16"])
    return setup.device.peaks_flop_per_s[dtype] * sustained * constants.product_frac


def plain_dtype(setup: "Setup") -> str:
    """Return the dtype of attention over prompts and of the output head: 16 bits if the model is narrower."""
    peaks = setup.device.peaks_flop_per_s
    return next((name for name in ("bf16", "fp16") if name in peaks and setup.kind.compute != "fp32"), setup.compute)
