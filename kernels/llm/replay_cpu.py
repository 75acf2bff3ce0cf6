"""A model's layers replayed on the CPU in float32: products by BLAS or streamed, attention through BLAS."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kernels.errors import KernelInputError
from kernels.llm.products_cpu import Products
from kernels.llm.replay import Tokens, check_replay
from kernels.llm.shapes import ModelShape
from kernels.llm.weights import LayerWeights, Weights, random_weights

Array = NDArray[np.float32]

_CHUNK = 64
"""Queries of a prompt whose scores are held at once: bounds memory, and skips keys that a causal mask hides."""
_GATED = 1 << 14
"""Numbers whose gate is computed at once: few enough to stay in a core's cache between the passes."""


class CpuReplay:
    """Prefill and decode of a batch over several distinct copies of the weights, taken in turn.

    shape: the model. batch: sequences. capacity: tokens that a cache holds. seed: of weights and filled caches.
    copies: distinct models, so that weights come from memory and not from a cache; `weights` replaces them. threads:
    what BLAS is bound to.
    """

    variant = "blas_stream"

    def __init__(  # noqa: PLR0913 (what a replay is made of, by name)
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
            [weights] if weights is not None else [random_weights(shape, seed + one) for one in range(copies)]
        )
        self.weight_bytes = sum(model.nbytes for model in self._models)
        cache = (shape.layers, batch, shape.kv_heads, capacity, shape.head_size)
        self._keys, self._values = np.zeros(cache, np.float32), np.zeros(cache, np.float32)
        self._cosine, self._sine = _turns(shape, capacity)
        self._length = 0
        self._turn = 0
        self._logits: Array = np.zeros((batch, shape.vocabulary), np.float32)

    def prefill(self, tokens: Tokens) -> Tokens:
        """Read prompts [batch, n] into an empty cache and return each one's next token [batch]."""
        self._length = 0
        return self._forward(tokens)

    def decode(self, tokens: Tokens) -> Tokens:
        """Add one token a sequence [batch] and return the next one [batch]."""
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
        """Forget the tokens after a length; their keys and values are overwritten by what comes next."""
        self._length = min(self._length, length)

    def repeat(self, tokens: Tokens) -> None:
        """Make the last call again, [batch, n] as it was, with the same copy of the weights."""
        self._length -= tokens.shape[1]
        self._turn -= 1
        self._forward(tokens)

    @property
    def length(self) -> int:
        """Tokens in each sequence's cache."""
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
        entering = self._products.room("entering", *stream.shape)
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
        stop, room = start + n, self._products.room
        qkv = self._products.product(entering, layer.qkv, "qkv")
        if layer.qkv_bias is not None:
            qkv += layer.qkv_bias
        heads = qkv.reshape(batch, n, -1, shape.head_size).transpose(0, 2, 1, 3)
        queries, keys = heads[:, : shape.heads], heads[:, shape.heads : -shape.kv_heads]
        if layer.q_norm is not None and layer.k_norm is not None:
            queries[:] = rms_norm(queries, layer.q_norm, shape.norm_eps)
            keys[:] = rms_norm(keys, layer.k_norm, shape.norm_eps)
        turn = self._cosine[start:stop], self._sine[start:stop]
        spare = room("spare", batch, shape.heads, n, shape.head_size)
        _rotate(keys, *turn, self._keys[index][:, :, start:stop], spare[:, : shape.kv_heads])
        self._values[index][:, :, start:stop] = heads[:, -shape.kv_heads :]
        scale = np.float32(shape.head_size**-0.5)
        turned = room("queries", batch, shape.heads, n, shape.head_size)
        _rotate(queries, turn[0] * scale, turn[1] * scale, turned, spare)
        group = shape.heads // shape.kv_heads
        turned = turned.reshape(batch, shape.kv_heads, group, n, shape.head_size)
        window = None if shape.reach(index, stop) == stop else shape.window
        mixed = room("mixed", batch, n, shape.kv_heads, group, shape.head_size)
        for first in range(0, n, _CHUNK):
            part = slice(first, min(first + _CHUNK, n))
            low = 0 if window is None else max(0, start + first + 1 - window)
            seen = (index, slice(None), slice(None), slice(low, start + part.stop))
            scores = room("scores", batch, shape.kv_heads, start + part.stop - low, group * (part.stop - first))
            leaving = _attend(
                turned[:, :, :, part], self._keys[seen], self._values[seen], start + first - low, window, layer.sinks,
                scores,
            )  # fmt: skip
            mixed[:, part] = leaving.transpose(0, 3, 1, 2, 4)
        out = self._products.product(mixed.reshape(batch * n, shape.query_width), layer.out, "attention")
        if layer.out_bias is not None:
            out += layer.out_bias
        return out


def rms_norm(stream: Array, scale: Array, eps: float, out: Array | None = None) -> Array:
    """Return each row divided by its root mean square and scaled; [..., width]."""
    mean_square = np.einsum("...i,...i->...", stream, stream) / np.float32(stream.shape[-1])
    found: Array = np.multiply(stream, (np.float32(1.0) / np.sqrt(mean_square + np.float32(eps)))[..., None], out=out)
    found *= scale
    return found


def feed_forward(shape: ModelShape, layer: LayerWeights, products: Products, entering: Array) -> Array:
    """Return the gated block, or the grouped product over the experts that tokens chose; entering [tokens, hidden]."""
    if layer.router is None:
        return _expert(layer, 0, products, entering)
    choice = products.product(entering, layer.router, "choice")
    if layer.router_bias is not None:
        choice += layer.router_bias
    best = np.argpartition(choice, -shape.active_experts, axis=-1)[:, -shape.active_experts :]
    share = np.take_along_axis(choice, best, axis=-1)
    np.exp(share - share.max(axis=-1, keepdims=True), out=share)
    share /= share.sum(axis=-1, keepdims=True)
    # grouped: tokens sorted by expert, one product an expert
    order = np.argsort(best, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(best.ravel(), minlength=shape.experts))
    rows = order // shape.active_experts
    leaving = np.zeros_like(entering)
    start = 0
    for index, stop in enumerate(ends):
        if stop > start:
            mine = rows[start:stop]
            leaving[mine] += _expert(layer, index, products, entering[mine]) * share.ravel()[order[start:stop], None]
        start = stop
    return leaving


def _expert(layer: LayerWeights, index: int, products: Products, entering: Array) -> Array:
    """Return the gated block of an expert, [tokens, hidden]; within it features run down and tokens across."""
    inner = products.turned(layer.gate_up[index], entering.T, "inner")
    if layer.gate_up_bias is not None:
        inner += layer.gate_up_bias[index][:, None]
    width = len(inner) // 2
    share = products.room("share", width, len(entering))
    together = max(1, _GATED // len(entering))
    for first in range(0, width, together):
        features = slice(first, min(first + together, width))
        gate, part = inner[features], share[features]
        gate *= np.float32(0.5)  # x / (1 + exp(-x)) is x/2 (1 + tanh(x/2))
        np.tanh(gate, out=part)
        part += np.float32(1.0)
        part *= gate
        part *= inner[width + features.start : width + features.stop]
    leaving = products.turned(layer.down[index], share, "expert")
    if layer.down_bias is not None:
        leaving += layer.down_bias[index][:, None]
    return leaving.T


def _attend(  # noqa: PLR0913, PLR0917 (six tensors and lengths are what attention takes)
    queries: Array, keys: Array, values: Array, before: int, window: int | None, sinks: Array | None, scores: Array
) -> Array:
    """Return softmax(q k) v: queries [batch, kv, group, n, size], keys and values [batch, kv, seen, size].

    before: keys older than the first query's own. window: how far back a query sees, or None. scores: room for them,
    [batch, kv, seen, group x n]: many queries' sums run along whole rows of memory.
    """
    batch, kv_heads, group, n, size = queries.shape
    seen = keys.shape[2]
    flat = queries.reshape(batch, kv_heads, group * n, size)
    if n == 1:
        scores, over = np.matmul(flat, _turned(keys), out=scores.reshape(batch, kv_heads, group, seen)), -1
    else:
        np.matmul(keys, _turned(flat), out=scores)
        over = -2
        by_key = scores.reshape(batch, kv_heads, seen, group, n)
        by_key[:, :, before:] += _later(n)  # of the keys only the newest n can be later than a query
        if window is not None:
            age = np.arange(before, before + n) - np.arange(seen)[:, None]
            np.copyto(by_key, np.float32(-np.inf), where=(age >= window)[:, None])
    top: Array = scores.max(axis=over, keepdims=True)
    sink = None if sinks is None else np.repeat(sinks.reshape(1, kv_heads, group), n, axis=-1).reshape(top.shape[1:])
    if sink is not None:
        top = np.maximum(top, sink)
    scores -= top
    np.exp(scores, out=scores)
    total = scores.sum(axis=over, keepdims=True)
    if sink is not None:
        total += np.exp(sink - top)
    mixed: Array = (scores if n == 1 else _turned(scores)) @ values
    mixed /= total if n == 1 else _turned(total)
    return mixed.reshape(batch, kv_heads, group, n, size)


def _turned(matrices: Array) -> Array:
    return matrices.transpose(0, 1, 3, 2)


@lru_cache(maxsize=8)
def _later(n: int) -> Array:
    """Return what hides keys that come after a query: [keys, 1, queries], 0 or minus infinity."""
    return np.tril(np.full((n, n), -np.inf, np.float32), -1)[:, None]


def _turns(shape: ModelShape, length: int) -> tuple[Array, Array]:
    """Return the cosine and the signed sine of each position for both halves of a head; [length, size]."""
    half = np.arange(shape.head_size // 2)
    angle = np.arange(length)[:, None] * shape.rope_theta ** (-2.0 * half / shape.head_size)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.hstack([cosine, cosine]).astype(np.float32), np.hstack([-sine, sine]).astype(np.float32)


def _rotate(heads: Array, cosine: Array, sine: Array, out: Array, spare: Array) -> None:
    """Turn heads [batch, heads, n, size] into `out`, pair (i, i + size/2) by the angle of each position [n, size]."""
    half = heads.shape[-1] // 2
    np.multiply(heads, cosine, out=out)
    np.multiply(heads[..., half:], sine[:, :half], out=spare[..., :half])
    np.multiply(heads[..., :half], sine[:, half:], out=spare[..., half:])
    out += spare
