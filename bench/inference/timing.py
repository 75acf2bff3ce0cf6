"""Seconds of each step of a trace on a device: products, attention, activations, all-reduces, starts of kernels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.engine import Engine
from bench.inference.serving import Setup
from bench.inference.trace import Trace
from kernels.llm import counts

Array = NDArray[np.float64]

# float32 logits are written, read by the softmax and read by the sampler
LOGITS_BYTES = 3 * 4


def step_seconds(setup: Setup, trace: Trace, most_batch: int, *, graphs: bool, engine: Engine | None = None) -> Array:
    """Return the seconds of one step of each of the trace's entries.

    A product takes the longer of its arithmetic at the sustained rate and its weights' way through memory. Keys and
    values of decoding sequences, activations and logits pass through memory once. A layer costs a fixed time for the
    starts and ends of its kernels, and two all-reduces over shards. A step of decoding sequences alone is computed for
    the next larger batch that a graph was made for. The host handles one step's tokens while the device computes the
    next, so a step takes the longer of both.

    most_batch: the engine's batch limit, up to which graphs pad; graphs: whether it pads to graph sizes at all.
    engine: constants other than the setup's own (while they are fitted).
    """
    shape, kind, device, shards = setup.shape, setup.kind, setup.device, setup.gpus
    constants = engine or setup.engine
    column = {key: np.asarray(getattr(trace, key), dtype=float) for key in ("decoding", "prompt", "outputs")}
    tokens: Array = column["decoding"] + column["prompt"]
    if graphs:
        tokens = np.where(column["prompt"] == 0, constants.padded(column["decoding"], most_batch), tokens)
    bandwidth = device.bandwidth_byte_per_s * constants.memory_frac * shards
    product_rate = _product_rate(setup, constants, setup.compute) * shards
    plain_rate = _product_rate(setup, constants, _plain_dtype(setup)) * shards
    touched = shape.experts * (1.0 - (1.0 - shape.active_experts / shape.experts) ** tokens)
    seconds: Array = np.zeros_like(tokens)
    for matrix in counts.matrices(shape):
        copies = touched if matrix.copies > 1 else 1.0
        arithmetic = tokens * (2.0 * matrix.weights * matrix.active / product_rate)
        memory = copies * (matrix.weights * counts.weight_width(matrix, kind) / bandwidth)
        seconds += shape.layers * np.maximum(arithmetic, memory)
    head = shape.vocabulary * shape.hidden
    seconds += np.maximum(column["outputs"] * (2.0 * head / plain_rate), head * kind.head / bandwidth)
    seconds += column["outputs"] * (shape.vocabulary * LOGITS_BYTES / bandwidth)
    seconds += _cache_bytes(setup, trace) / bandwidth
    seconds += _prompt_attention_flop(setup, trace) / plain_rate
    elementwise = counts.elementwise_bytes_per_token(shape, kind, shards)
    seconds += tokens * (elementwise / (device.bandwidth_byte_per_s * constants.memory_frac))
    seconds += shape.layers * (constants.layer_overhead_s + 2 * _all_reduce_seconds(setup, tokens, constants))
    return np.maximum(seconds, column["outputs"] * constants.host_s_per_sequence)


def _product_rate(setup: Setup, engine: Engine, dtype: str) -> float:
    sustained = engine.sustained_frac.get(dtype, engine.sustained_frac["bf16"])
    return setup.device.peaks_flop_per_s[dtype] * sustained * engine.product_frac


def _plain_dtype(setup: Setup) -> str:
    """Return what attention over prompts and the output head compute in: 16 bits where the model is narrower."""
    peaks = setup.device.peaks_flop_per_s
    return next((name for name in ("bf16", "fp16") if name in peaks and setup.kind.compute != "fp32"), setup.compute)


def _windows(setup: Setup) -> tuple[int, int]:
    return setup.shape.layers - setup.shape.windowed_layers, setup.shape.windowed_layers


def _cache_bytes(setup: Setup, trace: Trace) -> Array:
    """Return the keys and values that decoding sequences read in one step [byte]."""
    shape, (whole, windowed) = setup.shape, _windows(setup)
    context = np.asarray(trace.context, dtype=float)
    # a prompt's tokens do not decode, so the mean context is over those that do
    seen = whole * context
    if windowed and shape.window is not None:
        seen = seen + windowed * np.minimum(context, np.asarray(trace.decoding, dtype=float) * shape.window)
    return 2.0 * shape.kv_width * setup.kind.kv * setup.kv_copies * seen


def _prompt_attention_flop(setup: Setup, trace: Trace) -> Array:
    shape, (whole, windowed) = setup.shape, _windows(setup)
    pairs = np.asarray(trace.prompt_pairs, dtype=float)
    seen = whole * pairs
    if windowed and shape.window is not None:
        seen = seen + windowed * np.minimum(pairs, np.asarray(trace.prompt, dtype=float) * shape.window)
    return 4.0 * shape.query_width * seen


def _all_reduce_seconds(setup: Setup, tokens: Array, engine: Engine) -> Any:
    """Return one all-reduce of the residual stream over the shards (a ring's volume) [s]; 0 on one GPU."""
    shards, link = setup.gpus, setup.device.link_byte_per_s
    if shards == 1 or link is None:
        return 0.0
    moved = tokens * setup.shape.hidden * 2.0 * 2.0 * (shards - 1) / shards
    return engine.link_latency_s + moved / (link * engine.link_frac)
