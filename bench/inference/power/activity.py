"""What a load asks of one GPU: the shares of the time that memory and products need, and how wide its kernels are."""

import math
from dataclasses import dataclass

from bench.inference.accelerator import Accelerator
from bench.inference.power.classes import FULL, Served
from kernels.llm import counts
from kernels.llm.counts import Precision
from kernels.llm.shapes import ModelShape

REACH_FRAC = 0.9
"""[-] Bandwidth that reading reaches over its peak (assumed)."""
SUSTAINED_FRAC = {"fp32": 0.803, "tf32": 0.803, "fp16": 0.803, "bf16": 0.803, "fp8": 0.709, "fp4": 0.626}
"""[-] Rate of a large product over the dense peak, at which the power limit holds a GPU back (data/engines.toml)."""
LINK_FRAC, LINK_LATENCY_S = 0.8, 10e-6
"""[-], [s] Bandwidth of an all-reduce over the link's, and the time of one without data (assumed)."""
START_S = 55e-6
"""[s] Time in each layer in which kernels start and end (assumed: near the 18.9 + 36.5 us of the step times)."""
TILE_ROWS = 64
"""Rows to which a grouped product fills the tokens of each expert (assumed: the narrowest tile of a tensor core)."""
NARROW_TILE_ROWS = 8
"""The same of products with 4-bit weights on GPUs that have them (github.com/flashinfer-ai/flashinfer, pull 1980)."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a served model does, as a mean over time."""

    tokens_per_s: float  # [output token/s] of all GPUs together
    sequences: float  # that decode in a step
    input_len: float  # [token] of each prompt
    output_len: float  # [token] of each answer
    context: float  # [token] in the cache of a decoding sequence
    host_frac: float = 0.0  # [-] time that the step-time model adds for the host, over all time
    late_frac: float = 0.0  # [-] time by which measured steps are longer than modelled ones, over all time

    @property
    def steps_per_s(self) -> float:
        """Steps of the engine [1/s]: each gives a token to every decoding sequence."""
        return self.tokens_per_s / self.sequences

    @property
    def prompts_per_s(self) -> float:
        """Prompts that are read [1/s]."""
        return self.tokens_per_s / self.output_len

    @property
    def tokens_of_step(self) -> float:
        """Tokens that a step computes, prompts included."""
        return self.sequences * (1.0 + self.input_len / self.output_len)


@dataclass(frozen=True, slots=True)
class Activity:
    """What one GPU does with its time."""

    memory_frac: float  # [-] share in which memory is read at the bandwidth that it reaches
    product_frac: float  # [-] share in which products run at the sustained rate
    width: float  # elements of the residual stream in one kernel: tokens of a step times the model's width
    link_frac: float = 0.0  # [-] time of the all-reduces over all time, a part of the rest
    start_frac: float | None = None  # [-] of the starts of kernels, where grouped kernels fill what else is of the rest
    padding_frac: float = 0.0  # [-] time of products of rows that only fill the tiles of experts
    host_frac: float = 0.0  # [-] as of the load
    late_frac: float = 0.0  # [-] as of the load

    @property
    def rest_frac(self) -> float:
        """Share of all else [-]: kernels that are neither full of reading nor of products, links, and the host."""
        return 1.0 - self.memory_frac - self.product_frac


def activity(served: Served, device: Accelerator, gpus: int, load: Load) -> Activity:
    """Return what a load asks of one of the GPUs that share a model.

    Parameters
    ----------
    served
        The model, the precision of its numbers and its engine.
    device
        The GPU.
    gpus
        GPUs that share each step evenly.
    load
        The load, with its measured or modelled rate.

    Notes
    -----
    Each step reads the weights once (of a mixture, the experts that it is expected to use), each output token reads its
    context, and prompts write their caches. Shares of memory and products that add up to more than 1 (a rate above what
    the counted bytes allow) are scaled to 1.
    """
    shape, kind = served.shape, served.kind
    memory_s = _bytes_per_s(shape, kind, gpus, load) / (device.bandwidth_byte_per_s * REACH_FRAC * gpus)
    product_s = _product_seconds_per_s(shape, kind, device, load) / gpus
    scale = max(1.0, memory_s + product_s)
    width = load.tokens_of_step * shape.hidden
    link_s = load.steps_per_s * _all_reduce_seconds(shape, device, gpus, width)
    is_full = served.model_class == FULL
    start_s = load.steps_per_s * shape.layers * START_S if is_full else None
    padding_s = 0.0 if is_full else _padding_seconds_per_s(shape, kind, device, load) / gpus
    return Activity(
        memory_s / scale, product_s / scale, width, link_s, start_s, padding_s, load.host_frac, load.late_frac
    )


def _all_reduce_seconds(shape: ModelShape, device: Accelerator, gpus: int, width: float) -> float:
    """Return the time of a step's all-reduces of the residual stream in 16 bits, two in each layer [s]."""
    if gpus == 1 or device.link_byte_per_s is None:
        return 0.0
    moved = 2.0 * width * 2.0 * (gpus - 1) / gpus
    return 2.0 * shape.layers * (LINK_LATENCY_S + moved / (device.link_byte_per_s * LINK_FRAC))


def _bytes_per_s(shape: ModelShape, kind: Precision, gpus: int, load: Load) -> float:
    batch, context = max(1, round(load.sequences)), max(1, round(load.context))
    step = counts.matrix_bytes(shape, kind, counts.expected_experts(shape, batch))
    step += shape.vocabulary * shape.hidden * kind.head
    token = counts.cache_bytes(shape, kind, context) * counts.cache_copies(shape, gpus)
    token += 2.0 * counts.state_bytes(shape, kind)
    prompt = load.input_len * counts.kv_bytes_per_token(shape, kind)
    return load.steps_per_s * step + load.tokens_per_s * token + load.prompts_per_s * prompt


def _product_seconds_per_s(shape: ModelShape, kind: Precision, device: Accelerator, load: Load) -> float:
    """Return the time that products need on one GPU at the sustained rates, in each second."""
    narrow, plain = _rate(device, kind.compute), _rate(device, "bf16" if kind.compute != "fp32" else "fp32")
    prompt = max(1, round(load.input_len))
    tokens_per_s = load.tokens_per_s + load.prompts_per_s * load.input_len
    linear = tokens_per_s * (counts.linear_flop_per_token(shape) + counts.recurrent_flop(shape))
    attention = load.prompts_per_s * counts.prefill_attention_flop(shape, prompt)
    return linear / narrow + (attention + load.tokens_per_s * counts.head_flop(shape)) / plain


def _padding_seconds_per_s(shape: ModelShape, kind: Precision, device: Accelerator, load: Load) -> float:
    """Return the time that products need on one GPU for rows that only fill the tiles of experts, in each second."""
    batch = max(1, round(load.sequences))
    experts = counts.expected_experts(shape, batch)
    tile = NARROW_TILE_ROWS if "fp4" in kind.name and "fp4" in device.peaks_flop_per_s else TILE_ROWS
    flop = 0.0
    for matrix in counts.matrices(shape):
        if matrix.copies > 1:
            rows = batch * matrix.active / experts
            flop += matrix.layers * 2.0 * matrix.weights * experts * (tile * math.ceil(rows / tile) - rows)
    return load.steps_per_s * flop / _rate(device, kind.compute)


def _rate(device: Accelerator, dtype: str) -> float:
    """Return the sustained rate of a dtype [FLOP/s]; a device that lacks it uses 16 bits, or else its fastest."""
    peaks = device.peaks_flop_per_s
    known = next(
        (name for name in (dtype, "bf16", "fp16", "tf32") if name in peaks), max(peaks, key=lambda n: peaks[n])
    )
    return peaks[known] * SUSTAINED_FRAC.get(known, SUSTAINED_FRAC["bf16"])
