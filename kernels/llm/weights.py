"""Random weights at a model's shapes: distinct in every layer, scaled so that activations stay near one."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.llm.shapes import ModelShape, parameter_count

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One decoder layer. A product is `x @ matrix.T`: matrices are [outer, inner] as in checkpoints, experts first.

    qkv: [queries + 2 keys, hidden], with bias. out: [hidden, queries], with bias. gate_up: [experts, 2 ffn, hidden],
    gate first. down: [experts, hidden, ffn]. router: [experts, hidden] or None. norms: [hidden].
    q_norm, k_norm: [head size]. sinks: [heads]. A part that the model lacks is None.
    """

    attention_norm: Array
    qkv: Array
    qkv_bias: Array | None
    out: Array
    out_bias: Array | None
    q_norm: Array | None
    k_norm: Array | None
    sinks: Array | None
    ffn_norm: Array
    router: Array | None
    router_bias: Array | None
    gate_up: Array
    gate_up_bias: Array | None
    down: Array
    down_bias: Array | None

    @property
    def nbytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.nbytes for name in self.__slots__ if (part := getattr(self, name)) is not None)


@dataclass(frozen=True, slots=True)
class Weights:
    """A whole model: embedding [vocabulary, hidden], layers, last norm [hidden], head [vocabulary, hidden]."""

    embedding: Array
    layers: tuple[LayerWeights, ...]
    norm: Array
    head: Array

    @property
    def nbytes(self) -> int:
        """Bytes of all parts."""
        return self.embedding.nbytes + self.norm.nbytes + self.head.nbytes + sum(one.nbytes for one in self.layers)


class _Source:
    """Random arrays cut from one piece of memory, which a system gives in large pages as it would a mapped file."""

    def __init__(self, seed: int, numbers: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._rest = np.empty(numbers, np.float32)

    def uniform(self, shape: tuple[int, ...], reach: float) -> Array:
        """Return uniform numbers between -reach and reach."""
        size = math.prod(shape)
        values, self._rest = self._rest[:size], self._rest[size:]
        self._generator.random(out=values, dtype=np.float32)
        values -= np.float32(0.5)
        values *= np.float32(2.0 * reach)
        return values.reshape(shape)

    def matrix(self, *shape: int) -> Array:
        """Return matrices with variance 1 / inner, the last axis."""
        return self.uniform(shape, math.sqrt(3.0 / shape[-1]))

    def bias(self, *shape: int) -> Array:
        """Return small numbers."""
        return self.uniform(shape, 0.1)

    def norm(self, width: int) -> Array:
        """Return numbers near one."""
        values = self.uniform((width,), 0.1)
        values += np.float32(1.0)
        return values


def random_weights(shape: ModelShape, seed: int) -> Weights:
    """Return a whole model of uniform random weights, each matrix with variance 1 / inner; a seed has its own bits."""
    source = _Source(seed, parameter_count(shape))
    return Weights(
        embedding=source.uniform((shape.vocabulary, shape.hidden), math.sqrt(3.0)),
        layers=tuple(_layer(shape, source) for _ in range(shape.layers)),
        norm=source.norm(shape.hidden),
        head=source.matrix(shape.vocabulary, shape.hidden),
    )


def _layer(shape: ModelShape, source: _Source) -> LayerWeights:
    hidden, queries, keys = shape.hidden, shape.query_width, shape.kv_width
    experts, ffn = shape.experts, shape.ffn
    biased, ffn_biased = shape.attention_bias, shape.ffn_bias
    return LayerWeights(
        attention_norm=source.norm(hidden),
        qkv=source.matrix(queries + 2 * keys, hidden),
        qkv_bias=source.bias(queries + 2 * keys) if biased else None,
        out=source.matrix(hidden, queries),
        out_bias=source.bias(hidden) if biased else None,
        q_norm=source.norm(shape.head_size) if shape.qk_norm else None,
        k_norm=source.norm(shape.head_size) if shape.qk_norm else None,
        sinks=source.bias(shape.heads) if shape.sinks else None,
        ffn_norm=source.norm(hidden),
        router=source.matrix(experts, hidden) if shape.is_moe else None,
        router_bias=source.bias(experts) if shape.is_moe and ffn_biased else None,
        gate_up=source.matrix(experts, 2 * ffn, hidden),
        gate_up_bias=source.bias(experts, 2 * ffn) if ffn_biased else None,
        down=source.matrix(experts, hidden, ffn),
        down_bias=source.bias(experts, hidden) if ffn_biased else None,
    )
