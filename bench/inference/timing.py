"""The time of each step on a device: products, attention, activations, all-reduces and kernel starts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.batching import StepTrace
from bench.inference.engine import Engine
from bench.inference.serving import Setup
from kernels.llm import counts

Array = NDArray[np.float64]

# float32 logits are written once, read by the softmax and read by the sampler [byte]
LOGITS_BYTES = 3 * 4


def step_seconds(
    setup: Setup, trace: StepTrace, most_batch: int, *, graphs: bool, engine: Engine | None = None
) -> Array:
    """Return the time of one step for each entry of a trace [s].

    Parameters
    ----------
    setup
        The model on its device.
    trace
        The steps.
    most_batch
        The engine's batch limit, up to which graphs pad.
    graphs
        Whether decoding batches are padded to the sizes of graphs.
    engine
        Constants other than the setup's own, while they are fitted.

    Notes
    -----
    A product takes the longer of its arithmetic at the sustained rate and the transfer of its weights from memory. Keys
    and values of decoding sequences, activations and logits pass through memory once. A layer adds a fixed time for the
    starts and ends of its kernels, and two all-reduces over shards. A step without prompts is computed for the next
    larger batch that has a graph. The host handles the tokens of one step while the device computes the next, so a step
    takes the longer of both.
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
    """Return the dtype of attention over prompts and of the output head: 16 bits if the model is narrower."""
    peaks = setup.device.peaks_flop_per_s
    return next((name for name in ("bf16", "fp16") if name in peaks and setup.kind.compute != "fp32"), setup.compute)


def _windows(setup: Setup) -> tuple[int, int]:
    return setup.shape.layers - setup.shape.windowed_layers, setup.shape.windowed_layers


def _cache_bytes(setup: Setup, trace: StepTrace) -> Array:
    """Return the keys and values that decoding sequences read in one step [byte]."""
    shape, (whole, windowed) = setup.shape, _windows(setup)
    context = np.asarray(trace.context, dtype=float)
    # the tokens of a prompt do not decode, so the mean context is over decoding sequences
    read = whole * context
    if windowed and shape.window is not None:
        read = read + windowed * np.minimum(context, np.asarray(trace.decoding, dtype=float) * shape.window)
    return 2.0 * shape.kv_width * setup.kind.kv * setup.kv_copies * read


def _prompt_attention_flop(setup: Setup, trace: StepTrace) -> Array:
    shape, (whole, windowed) = setup.shape, _windows(setup)
    pairs = np.asarray(trace.prompt_pairs, dtype=float)
    computed = whole * pairs
    if windowed and shape.window is not None:
        computed = computed + windowed * np.minimum(pairs, np.asarray(trace.prompt, dtype=float) * shape.window)
    return 4.0 * shape.query_width * computed


def _all_reduce_seconds(setup: Setup, tokens: Array, engine: Engine) -> Any:
    """Return the time of one ring all-reduce of the residual stream over the shards [s]; 0 on one GPU."""
    shards, link = setup.gpus, setup.device.link_byte_per_s
    if shards == 1 or link is None:
        return 0.0
    moved = tokens * setup.shape.hidden * 2.0 * 2.0 * (shards - 1) / shards
    return engine.link_latency_s + moved / (link * engine.link_frac)
