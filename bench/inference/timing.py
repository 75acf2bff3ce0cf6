"""The time of each step on a device: products, attention, activations, all-reduces and kernel starts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.inference.batching import Limits, StepTrace
from bench.inference.engine import Engine
from bench.inference.serving import Setup
from bench.inference.step_cost import StepCost
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
    """
    decoding, prompt = np.asarray(trace.decoding), np.asarray(trace.prompt)
    used = (np.unique((decoding + prompt)[prompt > 0]), np.unique(decoding[prompt == 0]), np.unique(trace.outputs))
    return _cost(setup, most_batch, graphs, engine or setup.engine, used).seconds(trace)


def step_cost(setup: Setup, limits: Limits, *, graphs: bool, engine: Engine | None = None) -> StepCost:
    """Return the cost of every step within the limits.

    Parameters
    ----------
    setup
        The model on its device.
    limits
        The largest batch, up to which graphs pad too, and the most tokens of a step.
    graphs
        Whether decoding batches are padded to the sizes of graphs.
    engine
        Constants other than the setup's own.

    Notes
    -----
    A product takes the longer of its arithmetic at the sustained rate and the transfer of its weights from memory. Keys
    and values of decoding sequences, activations and logits pass through memory once. A layer adds a fixed time for the
    starts and ends of its kernels, and two all-reduces over shards. A step without prompts is computed for the next
    larger batch that has a graph. The host handles the tokens of one step while the device computes the next, so a step
    takes the longer of both.
    """
    # a step can end the prompts of as many requests as the batch has free slots
    used = (np.arange(limits.tokens + 1), np.arange(limits.batch + 1), np.arange(limits.batch + 1))
    return _cost(setup, limits.batch, graphs, engine or setup.engine, used)


def _cost(setup: Setup, most_batch: int, graphs: bool, constants: Engine, used: tuple[NDArray[Any], ...]) -> StepCost:
    """Return the cost with its tables filled at some tokens, decoding sequences and outputs."""
    shape, device = setup.shape, setup.device
    mixed, decoding, outputs = (part.astype(float) for part in used)
    padded = constants.padded(decoding, most_batch) if graphs else decoding
    bandwidth = device.bandwidth_byte_per_s * constants.memory_frac * setup.gpus
    plain_rate = _product_rate(setup, constants, _plain_dtype(setup)) * setup.gpus
    cache_s = shape.cached * setup.kind.kv * setup.kv_copies / bandwidth
    pair_s = counts.pair_flop(shape, decoding=False) / plain_rate
    windowed = shape.windowed_layers if shape.window is not None else 0
    whole = shape.attention_blocks - windowed
    return StepCost(
        mixed_s=_table(used[0], _tokens_seconds(setup, constants, mixed)),
        decode_s=_table(used[1], _tokens_seconds(setup, constants, padded)),
        head_s=_table(used[2], _head_seconds(setup, outputs, plain_rate, bandwidth)),
        context_s=whole * cache_s,
        windowed_s=windowed * cache_s,
        window=shape.window if windowed else None,
        sequence_s=2.0 * counts.state_bytes(shape, setup.kind) / bandwidth,
        pair_s=whole * pair_s,
        windowed_pair_s=windowed * pair_s,
        host_step_s=0.0,
        host_sequence_s=constants.host_s_per_sequence,
        host_overlaps=True,
    )


def _table(places: NDArray[Any], seconds: Array) -> Array:
    table = np.full(int(places.max(initial=0)) + 1, np.nan)
    table[places] = seconds
    return table


def _tokens_seconds(setup: Setup, constants: Engine, tokens: Array) -> Array:
    """Return what depends on a step's tokens alone: products, activations, kernel starts and all-reduces [s]."""
    shape, kind, device, shards = setup.shape, setup.kind, setup.device, setup.gpus
    bandwidth = device.bandwidth_byte_per_s * constants.memory_frac * shards
    product_rate = _product_rate(setup, constants, setup.compute) * shards
    touched = shape.experts * (1.0 - (1.0 - shape.active_experts / shape.experts) ** tokens)
    seconds: Array = np.zeros_like(tokens)
    for matrix in counts.matrices(shape):
        copies = touched if matrix.copies > 1 else 1.0
        arithmetic = tokens * (2.0 * matrix.weights * matrix.active / product_rate)
        memory = copies * (matrix.weights * counts.weight_width(matrix, kind) / bandwidth)
        seconds += matrix.layers * np.maximum(arithmetic, memory)
    elementwise = counts.elementwise_bytes_per_token(shape, kind, shards)
    seconds += tokens * (elementwise / (device.bandwidth_byte_per_s * constants.memory_frac))
    seconds += shape.layers * (constants.layer_overhead_s + 2 * _all_reduce_seconds(setup, tokens, constants))
    return seconds


def _head_seconds(setup: Setup, outputs: Array, plain_rate: float, bandwidth: float) -> Array:
    head = setup.shape.vocabulary * setup.shape.hidden
    seconds: Array = np.maximum(outputs * (2.0 * head / plain_rate), head * setup.kind.head / bandwidth)
    return seconds + outputs * (setup.shape.vocabulary * LOGITS_BYTES / bandwidth)


def _product_rate(setup: Setup, engine: Engine, dtype: str) -> float:
    sustained = engine.sustained_frac.get(dtype, engine.sustained_frac["bf16"])
    return setup.device.peaks_flop_per_s[dtype] * sustained * engine.product_frac


def _plain_dtype(setup: Setup) -> str:
    """Return the dtype of attention over prompts and of the output head: 16 bits if the model is narrower."""
    peaks = setup.device.peaks_flop_per_s
    return next((name for name in ("bf16", "fp16") if name in peaks and setup.kind.compute != "fp32"), setup.compute)


def _all_reduce_seconds(setup: Setup, tokens: Array, engine: Engine) -> Any:
    """Return the time of one ring all-reduce of the residual stream over the shards [s]; 0 on one GPU."""
    shards, link = setup.gpus, setup.device.link_byte_per_s
    if shards == 1 or link is None:
        return 0.0
    moved = tokens * setup.shape.hidden * 2.0 * 2.0 * (shards - 1) / shards
    return engine.link_latency_s + moved / (link * engine.link_frac)
