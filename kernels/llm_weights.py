"""Random weights at a model's shapes: distinct in every layer, scaled so that activations stay near one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.llm_shapes import ModelShape

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


def random_layer(shape: ModelShape, generator: np.random.Generator) -> LayerWeights:
    """Return one layer of uniform random weights, each matrix with variance 1 / inner."""
    hidden, queries, keys = shape.hidden, shape.query_width, shape.kv_width
    experts, ffn = shape.experts, shape.ffn
    biased, ffn_biased = shape.attention_bias, shape.ffn_bias
    return LayerWeights(
        attention_norm=_norm(generator, hidden),
        qkv=_matrix(generator, queries + 2 * keys, hidden),
        qkv_bias=_bias(generator, queries + 2 * keys) if biased else None,
        out=_matrix(generator, hidden, queries),
        out_bias=_bias(generator, hidden) if biased else None,
        q_norm=_norm(generator, shape.head_size) if shape.qk_norm else None,
        k_norm=_norm(generator, shape.head_size) if shape.qk_norm else None,
        sinks=_bias(generator, shape.heads) if shape.sinks else None,
        ffn_norm=_norm(generator, hidden),
        router=_matrix(generator, experts, hidden) if shape.is_moe else None,
        router_bias=_bias(generator, experts) if shape.is_moe and ffn_biased else None,
        gate_up=_matrix(generator, experts, 2 * ffn, hidden),
        gate_up_bias=_bias(generator, experts, 2 * ffn) if ffn_biased else None,
        down=_matrix(generator, experts, hidden, ffn),
        down_bias=_bias(generator, experts, hidden) if ffn_biased else None,
    )


def random_weights(shape: ModelShape, seed: int) -> Weights:
    """Return a whole model of random weights; the same seed gives the same bits."""
    generator = np.random.default_rng(seed)
    return Weights(
        embedding=_uniform(generator, (shape.vocabulary, shape.hidden), np.sqrt(3.0)),
        layers=tuple(random_layer(shape, generator) for _ in range(shape.layers)),
        norm=_norm(generator, shape.hidden),
        head=_matrix(generator, shape.vocabulary, shape.hidden),
    )


def _uniform(generator: np.random.Generator, shape: tuple[int, ...], reach: float) -> Array:
    values = generator.random(shape, dtype=np.float32)
    values -= np.float32(0.5)
    values *= np.float32(2.0 * reach)
    return values


def _matrix(generator: np.random.Generator, *shape: int) -> Array:
    return _uniform(generator, shape, float(np.sqrt(3.0 / shape[-1])))


def _bias(generator: np.random.Generator, *shape: int) -> Array:
    return _uniform(generator, shape, 0.1)


def _norm(generator: np.random.Generator, width: int) -> Array:
    return _uniform(generator, (width,), 0.1) + np.float32(1.0)
