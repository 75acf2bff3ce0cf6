"""Attention and the rotary embedding on the CPU in float32, on whole arrays of heads."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kernels.llm.shapes import ModelShape

Array = NDArray[np.float32]


def attend(  # noqa: PLR0913, PLR0917 (six tensors and lengths are what attention takes)
    queries: Array, keys: Array, values: Array, before: int, window: int | None, sinks: Array | None, scores: Array
) -> Array:
    """Return softmax(q k) v, shape of the queries.

    Parameters
    ----------
    queries
        Shape [batch, kv heads, group, n, size].
    keys, values
        Shape [batch, kv heads, seen, size].
    before
        Keys older than the first query's own.
    window
        Keys that a query sees including its own, or None for all.
    sinks
        Extra term of each head's softmax, shape [heads], or None.
    scores
        Buffer of shape [batch, kv heads, seen, group x n], in which the sums of many queries run along whole rows.
    """
    batch, kv_heads, group, n, size = queries.shape
    seen = keys.shape[2]
    flat = queries.reshape(batch, kv_heads, group * n, size)
    if n == 1:
        scores, over = np.matmul(flat, _transposed(keys), out=scores.reshape(batch, kv_heads, group, seen)), -1
    else:
        np.matmul(keys, _transposed(flat), out=scores)
        over = -2
        by_key = scores.reshape(batch, kv_heads, seen, group, n)
        by_key[:, :, before:] += _causal_mask(n)  # only the newest n keys can be later than a query
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
    mixed: Array = (scores if n == 1 else _transposed(scores)) @ values
    mixed /= total if n == 1 else _transposed(total)
    return mixed.reshape(batch, kv_heads, group, n, size)


def _transposed(matrices: Array) -> Array:
    return matrices.transpose(0, 1, 3, 2)


@lru_cache(maxsize=8)
def _causal_mask(n: int) -> Array:
    """Return the causal mask of n new tokens, 0 or minus infinity; shape [keys, 1, queries]."""
    return np.tril(np.full((n, n), -np.inf, np.float32), -1)[:, None]


def rotary_tables(shape: ModelShape, length: int) -> tuple[Array, Array]:
    """Return the cosine and the signed sine of each position for both halves of a head, shape [length, size]."""
    half = np.arange(shape.head_size // 2)
    angle = np.arange(length)[:, None] * shape.rope_theta ** (-2.0 * half / shape.head_size)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.hstack([cosine, cosine]).astype(np.float32), np.hstack([-sine, sine]).astype(np.float32)


def rotate(heads: Array, cosine: Array, sine: Array, out: Array, spare: Array) -> None:
    """Rotate heads [batch, heads, n, size] into `out`, pair (i, i + size/2) by the angle of each position [n, size]."""
    half = heads.shape[-1] // 2
    np.multiply(heads, cosine, out=out)
    np.multiply(heads[..., half:], sine[:, :half], out=spare[..., :half])
    np.multiply(heads[..., :half], sine[:, half:], out=spare[..., half:])
    out += spare
