"""The memory of a replay on a GPU: its arrays, their size, and the passes that a prompt is divided into."""

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
"""Tokens of prompts in one pass: enough to keep the tensor cores busy, few enough for small buffers."""
LEAST_KEYS = 64
"""Fewest keys that are worth a warp of their own."""
MOST_PARTS_BYTES = 128 << 20
"""Most memory [byte] for the parts that decoding's attention is divided into."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The part of a batch of prompts that the layers process at once."""

    sequence: int  # first sequence
    sequences: int  # number of sequences
    token: int  # first token of each of these sequences
    tokens: int  # of each sequence


def passes(batch: int, tokens: int) -> Iterator[Pass]:
    """Yield the passes of a batch of prompts of equal length: as many whole prompts as fit, or a part of one."""
    together = max(1, min(batch, MOST_ROWS // tokens))
    for sequence in range(0, batch, together):
        for token in range(0, tokens, MOST_ROWS):
            yield Pass(sequence, min(together, batch - sequence), token, min(MOST_ROWS, tokens - token))


def ways_to_cut(shape: ModelShape, batch: int, capacity: int) -> tuple[int, ...]:
    """Return the numbers of parts, powers of 2, that decoding may divide each sequence's keys into."""
    part_bytes = batch * shape.heads * (shape.head_size + 2) * 4
    most = max(1, min(capacity // LEAST_KEYS, MOST_PARTS_BYTES // part_bytes))
    return tuple(1 << power for power in range(most.bit_length()))


def whole_tiles(capacity: int) -> int:
    """Return the tokens that a cache is allocated for, because attention reads whole tiles of keys."""
    return -(-capacity // TILE_ROWS) * TILE_ROWS


def arrays(
    shape: ModelShape, formats: ReplayFormats, batch: int, capacity: int
) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return the lengths and the NumPy type of every array of a replay except its weights, by name.

    Parameters
    ----------
    shape
        The model.
    formats
        Formats of its numbers.
    batch
        Number of sequences.
    capacity
        Tokens that the cache of each sequence can hold.
    """
    code, entering, cached = (_code(name) for name in (formats.stream, formats.entering, formats.cached))
    rows, sampled = padded(max(batch, min(batch * capacity, MOST_ROWS))), padded(batch)
    cache = (shape.layers, batch, shape.kv_heads, whole_tiles(capacity), shape.head_size)
    parts = (ways_to_cut(shape, batch, capacity)[-1], batch, shape.heads)
    return {
        # residual stream, and the result of the last product that is added to it
        "stream": ((rows, shape.hidden), code),
        "added": ((rows, shape.hidden), code),
        # operand of the next product
        "entering": ((rows, max(shape.hidden, shape.query_width, shape.ffn)), entering),
        # query, key and value, or gate and up
        "wide": ((rows, max(shape.query_width + 2 * shape.kv_width, 2 * shape.ffn)), code),
        "queries": ((rows, shape.query_width), _code(formats.score)),
        "keys": (cache, cached),
        "values": (cache, cached),
        "last": ((sampled, shape.hidden), code),
        "logits": ((sampled, shape.vocabulary), code),
        # of decoding's attention: each part's mix of values, largest score and sum
        "parts": ((*parts, shape.head_size), np.float32),
        "tops_sums": ((*parts, 2), np.float32),
        # cosine and sine of each position
        "turns": ((capacity, shape.head_size // 2, 2), np.float32),
        # tokens that the cache holds, then the tokens of a call, sequence by sequence
        "state": ((1 + batch * capacity,), np.int32),
    }


def memory_bytes(shape: ModelShape, dtype: str, batch: int, capacity: int) -> float:
    """Return the memory of a replay without its weights [byte]."""
    sizes = arrays(shape, replay_formats(dtype), batch, capacity).values()
    return float(WORKSPACE_BYTES + sum(math.prod(lengths) * np.dtype(kind).itemsize for lengths, kind in sizes))


class Buffers:
    """The arrays of a replay on the current GPU, all zero except `turns`; `arrays` has their lengths."""

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
