"""A replay of a model's layers on the CPU in float32, with streamed products and products by BLAS."""

import numpy as np
from numpy.typing import NDArray

from kernels.errors import KernelInputError
from kernels.llm.attention_cpu import attend, rotary_tables, rotate
from kernels.llm.products_cpu import Products
from kernels.llm.replay import Tokens, check_replay
from kernels.llm.shapes import ModelShape
from kernels.llm.weights import LayerWeights, Weights, random_weights

Array = NDArray[np.float32]

_CHUNK = 64
"""Queries of a prompt whose scores are held at once, which limits memory and skips keys that a causal mask hides."""
_GATED = 1 << 14
"""Numbers whose gate is computed at once, few enough to stay in a core's cache between the passes."""


class CpuReplay:
    """Prefill and decode of a batch over several distinct copies of the weights, taken in turn.

    Parameters
    ----------
    shape
        The model.
    batch
        Number of sequences.
    capacity
        Tokens that the cache of each sequence can hold.
    seed
        Seed of the weights and of filled caches.
    copies
        Number of distinct models, so that weights come from memory and not from a cache.
    threads
        Number of threads, which must be that of BLAS.
    weights
        Weights of one model that replace the random ones.

    Raises
    ------
    KernelInputError
        The batch is below 1, or the cache is longer than the model's context.
    """

    variant = "blas_stream"

    def __init__(  # noqa: PLR0913 (the parts of a replay, by name)
        self,
        shape: ModelShape,
        batch: int,
        capacity: int,
        *,
        seed: int = 0,
        copies: int = 1,
        threads: int = 1,
        weights: Weights | None = None,
    ) -> None:
        check_replay(shape, batch, capacity)
        self.shape, self.batch, self.capacity = shape, batch, capacity
        self._products = Products(threads)
        self._generator = np.random.default_rng(seed)
        self._models = (
            [weights] if weights is not None else [random_weights(shape, seed + copy) for copy in range(copies)]
        )
        self.weight_bytes = sum(model.nbytes for model in self._models)
        cache = (shape.layers, batch, shape.kv_heads, capacity, shape.head_size)
        self._keys, self._values = np.zeros(cache, np.float32), np.zeros(cache, np.float32)
        self._cosine, self._sine = rotary_tables(shape, capacity)
        self._length = 0
        self._turn = 0
        self._logits: Array = np.zeros((batch, shape.vocabulary), np.float32)

    def prefill(self, tokens: Tokens) -> Tokens:
        """Read prompts [batch, n] into an empty cache and return the next token of each [batch]."""
        self._length = 0
        return self._forward(tokens)

    def decode(self, tokens: Tokens) -> Tokens:
        """Add one token to each sequence [batch] and return the next ones [batch]."""
        return self._forward(tokens[:, None])

    def fill(self, length: int) -> None:
        """Fill the cache with random keys and values up to a length."""
        if not 0 <= length < self.capacity:
            raise KernelInputError(f"replay: fill: expected 0 to {self.capacity - 1} tokens, got {length}")
        for cache in (self._keys, self._values):
            cache[:, :, :, :length] = self._generator.random(cache[:, :, :, :length].shape, dtype=np.float32)
            cache[:, :, :, :length] -= np.float32(0.5)
        self._length = length

    def rewind(self, length: int) -> None:
        """Drop the tokens after a length; later tokens overwrite their keys and values."""
        self._length = min(self._length, length)

    def repeat(self, tokens: Tokens) -> None:
        """Repeat the last call with its tokens [batch, n] and the same copy of the weights."""
        self._length -= tokens.shape[1]
        self._turn -= 1
        self._forward(tokens)

    @property
    def length(self) -> int:
        """Tokens in the cache of each sequence."""
        return self._length

    def logits(self) -> Array:
        """Return the logits of the last call [batch, vocabulary]."""
        return self._logits

    def close(self) -> None:
        """Release weights and cache."""
        self._models = []
        self._keys = self._values = np.zeros((0, 0, 0, 0, 0), np.float32)
        self._products.close()

    def _forward(self, tokens: Tokens) -> Tokens:
        batch, n = tokens.shape
        if batch != self.batch or self._length + n > self.capacity:
            raise KernelInputError(
                f"replay: tokens: expected [{self.batch}, up to {self.capacity - self._length}], got [{batch}, {n}]"
            )
        model = self._models[self._turn % len(self._models)]
        self._turn += 1
        stream = model.embedding[tokens.ravel()]
        entering = self._products.buffer("entering", *stream.shape)
        for index, layer in enumerate(model.layers):
            stream += self._attention(
                index, layer, rms_norm(stream, layer.attention_norm, self.shape.norm_eps, entering), n
            )
            stream += feed_forward(
                self.shape, layer, self._products, rms_norm(stream, layer.ffn_norm, self.shape.norm_eps, entering)
            )
        self._length += n
        last = stream.reshape(batch, n, -1)[:, -1]
        self._logits = self._products.product(rms_norm(last, model.norm, self.shape.norm_eps), model.head, "logits")
        chosen: Tokens = self._logits.argmax(axis=-1)
        return chosen

    def _attention(self, index: int, layer: LayerWeights, entering: Array, n: int) -> Array:
        shape, batch, start = self.shape, self.batch, self._length
        stop, buffer = start + n, self._products.buffer
        qkv = self._products.product(entering, layer.qkv, "qkv")
        if layer.qkv_bias is not None:
            qkv += layer.qkv_bias
        heads = qkv.reshape(batch, n, -1, shape.head_size).transpose(0, 2, 1, 3)
        queries, keys = heads[:, : shape.heads], heads[:, shape.heads : -shape.kv_heads]
        if layer.q_norm is not None and layer.k_norm is not None:
            queries[:] = rms_norm(queries, layer.q_norm, shape.norm_eps)
            keys[:] = rms_norm(keys, layer.k_norm, shape.norm_eps)
        angles = self._cosine[start:stop], self._sine[start:stop]
        spare = buffer("spare", batch, shape.heads, n, shape.head_size)
        rotate(keys, *angles, self._keys[index][:, :, start:stop], spare[:, : shape.kv_heads])
        self._values[index][:, :, start:stop] = heads[:, -shape.kv_heads :]
        scale = np.float32(shape.head_size**-0.5)
        rotated = buffer("queries", batch, shape.heads, n, shape.head_size)
        rotate(queries, angles[0] * scale, angles[1] * scale, rotated, spare)
        group = shape.heads // shape.kv_heads
        rotated = rotated.reshape(batch, shape.kv_heads, group, n, shape.head_size)
        window = None if shape.reach(index, stop) == stop else shape.window
        mixed = buffer("mixed", batch, n, shape.kv_heads, group, shape.head_size)
        for first in range(0, n, _CHUNK):
            part = slice(first, min(first + _CHUNK, n))
            low = 0 if window is None else max(0, start + first + 1 - window)
            seen = (index, slice(None), slice(None), slice(low, start + part.stop))
            scores = buffer("scores", batch, shape.kv_heads, start + part.stop - low, group * (part.stop - first))
            leaving = attend(
                rotated[:, :, :, part], self._keys[seen], self._values[seen], start + first - low, window, layer.sinks,
                scores,
            )  # fmt: skip
            mixed[:, part] = leaving.transpose(0, 3, 1, 2, 4)
        out = self._products.product(mixed.reshape(batch * n, shape.query_width), layer.out, "attention")
        if layer.out_bias is not None:
            out += layer.out_bias
        return out


def rms_norm(stream: Array, scale: Array, eps: float, out: Array | None = None) -> Array:
    """Return each row divided by its root mean square and scaled; shape [..., width]."""
    mean_square = np.einsum("...i,...i->...", stream, stream) / np.float32(stream.shape[-1])
    scaled: Array = np.multiply(stream, (np.float32(1.0) / np.sqrt(mean_square + np.float32(eps)))[..., None], out=out)
    scaled *= scale
    return scaled


def feed_forward(shape: ModelShape, layer: LayerWeights, products: Products, entering: Array) -> Array:
    """Return the gated block, or the mixture of the experts that tokens chose; entering [tokens, hidden]."""
    if layer.router is None:
        return _expert(layer, 0, products, entering)
    choice = products.product(entering, layer.router, "choice")
    if layer.router_bias is not None:
        choice += layer.router_bias
    best = np.argpartition(choice, -shape.active_experts, axis=-1)[:, -shape.active_experts :]
    share = np.take_along_axis(choice, best, axis=-1)
    np.exp(share - share.max(axis=-1, keepdims=True), out=share)
    share /= share.sum(axis=-1, keepdims=True)
    # tokens are sorted by expert, so that each expert has one product
    order = np.argsort(best, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(best.ravel(), minlength=shape.experts))
    rows = order // shape.active_experts
    leaving = np.zeros_like(entering)
    start = 0
    for index, stop in enumerate(ends):
        if stop > start:
            chosen = rows[start:stop]
            weights = share.ravel()[order[start:stop], None]
            leaving[chosen] += _expert(layer, index, products, entering[chosen]) * weights
        start = stop
    return leaving


def _expert(layer: LayerWeights, index: int, products: Products, entering: Array) -> Array:
    """Return the gated block of an expert, [tokens, hidden]; inside, rows are features and columns are tokens."""
    inner = products.product_by_columns(layer.gate_up[index], entering.T, "inner")
    if layer.gate_up_bias is not None:
        inner += layer.gate_up_bias[index][:, None]
    width = len(inner) // 2
    share = products.buffer("share", width, len(entering))
    together = max(1, _GATED // len(entering))
    for first in range(0, width, together):
        features = slice(first, min(first + together, width))
        gate, part = inner[features], share[features]
        gate *= np.float32(0.5)  # x / (1 + exp(-x)) is x/2 (1 + tanh(x/2))
        np.tanh(gate, out=part)
        part += np.float32(1.0)
        part *= gate
        part *= inner[width + features.start : width + features.stop]
    leaving = products.product_by_columns(layer.down[index], share, "expert")
    if layer.down_bias is not None:
        leaving += layer.down_bias[index][:, None]
    return leaving.T
