"""The CUDA C of a replay for one shape of heads and one precision, and the models that it supports.

References
----------
T. Dao, "FlashAttention-2", arXiv 2307.08691 (the running maximum). J. Ainslie et al., "GQA", arXiv 2305.13245.
"""

import math
from dataclasses import dataclass

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import read_source
from kernels.llm.counts import precision
from kernels.llm.replay import check_replayable
from kernels.llm.shapes import ModelShape

FILES = ("llm_numbers.cuh", "llm_layers.cu", "llm_attention.cu")
KERNELS = (
    "look_up",
    "norm_layer",
    "norm_last",
    "turn_and_cache",
    "gate",
    "greedy",
    "attend_prompt",
    "attend_token",
    "join",
)

TILE_ROWS = 16
"""Rows of queries that a warp multiplies at once, and keys that it takes at a time."""
OLDEST = (8, 0)
"""Oldest compute capability with the tensor cores' product of 16 x 8 x 16."""
FP8_SCALE = 16.0
"""Factor of activations, keys and values before they are stored in e4m3: values near 1 are mid-range then."""


@dataclass(frozen=True, slots=True)
class ReplayFormats:
    """The number formats of a replay, by their names in `kernels.matmul.formats.FORMATS`."""

    stream: str  # residual stream, results of products, embedding and head
    entering: str  # activations that enter the layers' products, and weights
    cached: str  # keys and values
    score: str  # operands of attention's products

    @property
    def entering_scale(self) -> float:
        """Factor of activations before they are stored."""
        return FP8_SCALE if self.entering == "fp8" else 1.0

    @property
    def cache_scale(self) -> float:
        """Factor of keys and values before they are stored."""
        return FP8_SCALE if self.cached == "fp8" else 1.0


REPLAY_FORMATS = {
    "bf16": ReplayFormats("bf16", "bf16", "bf16", "bf16"),
    "fp16": ReplayFormats("fp16", "fp16", "fp16", "fp16"),
    "fp8": ReplayFormats("bf16", "fp8", "fp8", "fp16"),
}
_TYPES = {"bf16": "Bf16", "fp16": "Fp16", "fp8": "E4m3"}
_WIDTHS = {"bf16": 2, "fp16": 2, "fp8": 1}


def replay_formats(dtype: str) -> ReplayFormats:
    """Return the formats of a precision, whose widths are those of `kernels.llm.counts.PRECISIONS`.

    Raises
    ------
    KernelInputError
        The precision is unknown, or the replay on a GPU does not support it.
    """
    kind = precision(dtype)
    if kind.name not in REPLAY_FORMATS:
        raise KernelInputError(f"dtype: expected one of {', '.join(REPLAY_FORMATS)} on a GPU, got {kind.name}")
    return REPLAY_FORMATS[kind.name]


def check_shape(shape: ModelShape, dtype: str) -> None:
    """Check that the kernels support a model.

    Raises
    ------
    KernelInputError
        The model has unusual layers, experts, biases, norms of heads, sinks or windows, or lengths that do not fill a
        tile.
    """
    check_replayable(shape)
    if shape.is_moe:
        raise KernelInputError(
            f"model {shape.name}: expected a dense model, because the replay on a GPU has no routing, "
            f"got {shape.experts} experts"
        )
    extras = ("attention_bias", "ffn_bias", "qk_norm", "sinks", "window")
    if present := [name for name in extras if getattr(shape, name)]:
        raise KernelInputError(f"model {shape.name}: expected plain layers on a GPU, got {', '.join(present)}")
    step = 8 * TILE_ROWS // _WIDTHS[replay_formats(dtype).cached]
    if shape.head_size % step:
        raise KernelInputError(
            f"model {shape.name}: head_size: expected a multiple of {step} for {dtype} on a GPU, got {shape.head_size}"
        )
    if shape.heads // shape.kv_heads > TILE_ROWS:
        raise KernelInputError(
            f"model {shape.name}: heads: expected at most {TILE_ROWS} for a key head on a GPU, got "
            f"{shape.heads // shape.kv_heads}"
        )
    for name in ("hidden", "ffn", "vocabulary"):
        if getattr(shape, name) % 16:
            raise KernelInputError(
                f"model {shape.name}: {name}: expected a multiple of 16 on a GPU, got {getattr(shape, name)}"
            )


def query_scale(shape: ModelShape, formats: ReplayFormats) -> float:
    """Return the factor of queries, log2(e) / sqrt(head size), with which 2^score are the terms of the softmax."""
    return math.log2(math.e) / (math.sqrt(shape.head_size) * formats.cache_scale)


def source(shape: ModelShape, dtype: str) -> str:
    """Return the CUDA C of a model's replay in `bf16`, `fp16` or `fp8`.

    Raises
    ------
    KernelInputError
        The kernels do not support the model or the precision.
    """
    check_shape(shape, dtype)
    formats = replay_formats(dtype)
    values = {
        "HEAD": str(shape.head_size),
        "GROUP": str(shape.heads // shape.kv_heads),
        "STREAM": _TYPES[formats.stream],
        "ENTERING": _TYPES[formats.entering],
        "CACHED": _TYPES[formats.cached],
        "SCORE": _TYPES[formats.score],
        "MMA": {"bf16": "bf16", "fp16": "f16"}[formats.score],
        "ENTERING_SCALE": f"{formats.entering_scale:.1f}",
        "CACHE_SCALE": f"{formats.cache_scale:.1f}",
        "OUT_SCALE": f"{formats.entering_scale / formats.cache_scale:.1f}",
    }
    return read_source(*FILES, values=values)
