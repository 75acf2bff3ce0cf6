"""Random weights of a model, distinct in every layer and scaled so that activations stay near one."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.llm.shapes import ModelShape, parameter_count

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """The weights of one decoder layer, stored as in checkpoints: a product is `x @ matrix.T`."""

    attention_norm: Array  # [hidden]
    qkv: Array  # [query width + 2 key widths, hidden]
    qkv_bias: Array | None  # [query width + 2 key widths]
    out: Array  # [hidden, query width]
    out_bias: Array | None  # [hidden]
    q_norm: Array | None  # [head size]
    k_norm: Array | None  # [head size]
    sinks: Array | None  # [heads]
    ffn_norm: Array  # [hidden]
    router: Array | None  # [experts, hidden]
    router_bias: Array | None  # [experts]
    gate_up: Array  # [experts, 2 ffn, hidden], gate first
    gate_up_bias: Array | None  # [experts, 2 ffn]
    down: Array  # [experts, hidden, ffn]
    down_bias: Array | None  # [experts, hidden]

    @property
    def nbytes(self) -> int:
        """Size of all parts [byte]."""
        return sum(part.nbytes for name in self.__slots__ if (part := getattr(self, name)) is not None)


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a whole model."""

    embedding: Array  # [vocabulary, hidden]
    layers: tuple[LayerWeights, ...]
    norm: Array  # [hidden], the last one
    head: Array  # [vocabulary, hidden]

    @property
    def nbytes(self) -> int:
        """Size of all parts [byte]."""
        return self.embedding.nbytes + self.norm.nbytes + self.head.nbytes + sum(layer.nbytes for layer in self.layers)


class _Source:
    """Random arrays cut from one allocation, which the system backs with large pages as it would a mapped file."""

    def __init__(self, seed: int, numbers: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._unused = np.empty(numbers, np.float32)

    def uniform(self, shape: tuple[int, ...], reach: float) -> Array:
        """Return uniform numbers from -reach to reach."""
        size = math.prod(shape)
        values, self._unused = self._unused[:size], self._unused[size:]
        self._generator.random(out=values, dtype=np.float32)
        values -= np.float32(0.5)
        values *= np.float32(2.0 * reach)
        return values.reshape(shape)

    def matrix(self, *shape: int) -> Array:
        """Return matrices with variance 1 / inner; inner is the last axis."""
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
    """Return the weights of a model, uniform and random by a seed, each matrix with variance 1 / inner."""
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
