"""The memory of a replay on a GPU: what is allocated, how much that will be, and how a prompt is cut into passes."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernels.llm.products_cuda import padded
from kernels.llm.shapes import ModelShape
from kernels.llm.source_cuda import TILE_ROWS, ReplayFormats, replay_formats
from kernels.matmul.cublaslt import WORKSPACE_BYTES
from kernels.matmul.formats import FORMATS

MOST_ROWS = 8192
"""Tokens of prompts in one pass: enough to fill the tensor cores, few enough for small buffers."""
LEAST_KEYS = 64
"""Keys below which a part is not worth a warp of its own."""
MOST_PARTS_BYTES = 128 << 20
"""Memory for the parts that decoding's attention is cut into."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Some tokens, from `token` on, of some sequences, from `sequence` on."""

    sequence: int
    sequences: int
    token: int
    tokens: int


def passes(batch: int, tokens: int) -> Iterator[Pass]:
    """Yield the passes of `batch` prompts of `tokens` each: as many whole prompts as fit, or a part of one."""
    together = max(1, min(batch, MOST_ROWS // tokens))
    for sequence in range(0, batch, together):
        for token in range(0, tokens, MOST_ROWS):
            yield Pass(sequence, min(together, batch - sequence), token, min(MOST_ROWS, tokens - token))


def ways_to_cut(shape: ModelShape, batch: int, capacity: int) -> tuple[int, ...]:
    """Return into how many parts decoding may cut each sequence's keys: the powers of 2 that are worth trying."""
    part_bytes = batch * shape.heads * (shape.head_size + 2) * 4
    most = max(1, min(capacity // LEAST_KEYS, MOST_PARTS_BYTES // part_bytes))
    return tuple(1 << power for power in range(most.bit_length()))


def whole_tiles(capacity: int) -> int:
    """Return the tokens that a cache is allocated for: attention reads whole tiles of keys."""
    return -(-capacity // TILE_ROWS) * TILE_ROWS


def arrays(
    shape: ModelShape, formats: ReplayFormats, batch: int, capacity: int
) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return every array of a replay but its weights: lengths and NumPy type by name.

    stream, added [rows, hidden]: residual stream, and what the last product adds to it. entering [rows, widest]: what
    enters the next product. wide [rows, widest]: qkv, or gate and up. queries [rows, heads, head size]. keys, values
    [layers, batch, kv heads, capacity, head size]. last [batch, hidden], logits [batch, vocabulary]. parts, tops_sums:
    of decoding's attention. turns [capacity, head size / 2, cosine and sine]. state: tokens that the cache holds, then
    the tokens of a call, sequence by sequence.
    """
    code, entering, cached = (_code(name) for name in (formats.stream, formats.entering, formats.cached))
    rows, sampled = padded(max(batch, min(batch * capacity, MOST_ROWS))), padded(batch)
    cache = (shape.layers, batch, shape.kv_heads, whole_tiles(capacity), shape.head_size)
    parts = (ways_to_cut(shape, batch, capacity)[-1], batch, shape.heads)
    return {
        "stream": ((rows, shape.hidden), code),
        "added": ((rows, shape.hidden), code),
        "entering": ((rows, max(shape.hidden, shape.query_width, shape.ffn)), entering),
        "wide": ((rows, max(shape.query_width + 2 * shape.kv_width, 2 * shape.ffn)), code),
        "queries": ((rows, shape.query_width), _code(formats.score)),
        "keys": (cache, cached),
        "values": (cache, cached),
        "last": ((sampled, shape.hidden), code),
        "logits": ((sampled, shape.vocabulary), code),
        "parts": ((*parts, shape.head_size), np.float32),
        "tops_sums": ((*parts, 2), np.float32),
        "turns": ((capacity, shape.head_size // 2, 2), np.float32),
        "state": ((1 + batch * capacity,), np.int32),
    }


def memory_bytes(shape: ModelShape, dtype: str, batch: int, capacity: int) -> float:
    """Return what a replay takes beside its weights [byte]."""
    found = arrays(shape, replay_formats(dtype), batch, capacity).values()
    return float(WORKSPACE_BYTES + sum(math.prod(lengths) * np.dtype(kind).itemsize for lengths, kind in found))


class Buffers:
    """The arrays of `arrays` on the current GPU, filled with zeros but for `turns`."""

    stream: Any
    added: Any
    entering: Any
    wide: Any
    queries: Any
    keys: Any
    values: Any
    last: Any
    logits: Any
    parts: Any
    tops_sums: Any
    turns: Any
    state: Any

    def __init__(self, cupy: Any, shape: ModelShape, formats: ReplayFormats, batch: int, capacity: int) -> None:
        for name, (lengths, kind) in arrays(shape, formats, batch, capacity).items():
            setattr(self, name, cupy.zeros(lengths, dtype=kind))
        half = np.arange(shape.head_size // 2)
        angle = np.arange(capacity)[:, None] * shape.rope_theta ** (-2.0 * half / shape.head_size)
        self.turns[:] = cupy.asarray(np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32))


def _code(form: str) -> Any:
    return {8: np.uint8, 16: np.uint16}[FORMATS[form].bits]
