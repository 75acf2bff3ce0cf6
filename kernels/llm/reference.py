"""A decoder in plain float64 that every replay must agree with: slow and direct, without cache, fusion or batching."""

import numpy as np
from numpy.typing import NDArray

from kernels.llm.shapes import ModelShape
from kernels.llm.weights import LayerWeights, Weights

Real = NDArray[np.float64]


def logits(shape: ModelShape, weights: Weights, tokens: NDArray[np.int64]) -> Real:
    """Return the logits at every position of one sequence; tokens [n] give [n, vocabulary]."""
    stream: Real = weights.embedding[tokens].astype(np.float64)
    for index, layer in enumerate(weights.layers):
        reach = shape.window if shape.reach(index, shape.context) < shape.context else None
        stream = stream + attention(shape, layer, rms_norm(stream, layer.attention_norm, shape.norm_eps), reach)
        stream = stream + feed_forward(shape, layer, rms_norm(stream, layer.ffn_norm, shape.norm_eps))
    result: Real = rms_norm(stream, weights.norm, shape.norm_eps) @ weights.head.T.astype(np.float64)
    return result


def rms_norm(stream: Real, scale: NDArray[np.float32], eps: float) -> Real:
    """Return each row divided by its root mean square and scaled; shape [..., width]."""
    mean_square = np.mean(stream * stream, axis=-1, keepdims=True)
    out: Real = stream / np.sqrt(mean_square + eps) * scale.astype(np.float64)
    return out


def rotary(heads: Real, positions: NDArray[np.int64], theta: float) -> Real:
    """Return heads [n, heads, size] with pair (i, i + size/2) rotated by position * theta^(-2i/size).

    References
    ----------
    Su et al., RoFormer, arXiv 2104.09864, in the half-split layout of Llama.
    """
    size = heads.shape[-1]
    angle = positions[:, None] * theta ** (-2.0 * np.arange(size // 2) / size)
    cosine, sine = np.cos(angle)[:, None, :], np.sin(angle)[:, None, :]
    low, high = heads[..., : size // 2], heads[..., size // 2 :]
    return np.concatenate([low * cosine - high * sine, high * cosine + low * sine], axis=-1)


def attention(shape: ModelShape, layer: LayerWeights, entering: Real, window: int | None) -> Real:
    """Return causal attention with grouped keys.

    Parameters
    ----------
    shape
        The model.
    layer
        Weights of the layer.
    entering
        Normalised stream, shape [n, hidden].
    window
        Keys that a query sees including its own, or None for all.
    """
    n, size = entering.shape[0], shape.head_size
    qkv = entering @ layer.qkv.T.astype(np.float64)
    if layer.qkv_bias is not None:
        qkv = qkv + layer.qkv_bias
    queries = qkv[:, : shape.query_width].reshape(n, shape.heads, size)
    keys = qkv[:, shape.query_width : shape.query_width + shape.kv_width].reshape(n, shape.kv_heads, size)
    values = qkv[:, shape.query_width + shape.kv_width :].reshape(n, shape.kv_heads, size)
    if layer.q_norm is not None and layer.k_norm is not None:
        queries = rms_norm(queries, layer.q_norm, shape.norm_eps)
        keys = rms_norm(keys, layer.k_norm, shape.norm_eps)
    positions = np.arange(n)
    queries, keys = (rotary(part, positions, shape.rope_theta) for part in (queries, keys))
    mixed = np.zeros((n, shape.heads, size))
    group = shape.heads // shape.kv_heads
    for head in range(shape.heads):
        for position in range(n):
            start = 0 if window is None else max(0, position + 1 - window)
            seen = keys[start : position + 1, head // group]
            score = seen @ queries[position, head] / np.sqrt(size)
            sink = [] if layer.sinks is None else [float(layer.sinks[head])]
            share = np.exp(score - max(score.max(), *sink, -np.inf))
            total = share.sum() + sum(np.exp(term - max(score.max(), term)) for term in sink)
            mixed[position, head] = share @ values[start : position + 1, head // group] / total
    leaving = mixed.reshape(n, shape.query_width) @ layer.out.T.astype(np.float64)
    return leaving if layer.out_bias is None else leaving + layer.out_bias


def feed_forward(shape: ModelShape, layer: LayerWeights, entering: Real) -> Real:
    """Return the gated block or each token's mixture of its best experts; entering [n, hidden]."""
    if layer.router is None:
        return expert(layer, 0, entering)
    choice = entering @ layer.router.T.astype(np.float64)
    if layer.router_bias is not None:
        choice = choice + layer.router_bias
    leaving = np.zeros_like(entering)
    for position in range(entering.shape[0]):
        best = np.argsort(-choice[position], kind="stable")[: shape.active_experts]
        share = np.exp(choice[position, best] - choice[position, best].max())
        for index, part in zip(best, share / share.sum(), strict=True):
            leaving[position] += part * expert(layer, int(index), entering[position : position + 1])[0]
    return leaving


def expert(layer: LayerWeights, index: int, entering: Real) -> Real:
    """Return down(silu(gate) * up) of one expert; entering [n, hidden]."""
    inner = entering @ layer.gate_up[index].T.astype(np.float64)
    if layer.gate_up_bias is not None:
        inner = inner + layer.gate_up_bias[index]
    gate, up = np.split(inner, 2, axis=-1)
    leaving: Real = (gate / (1.0 + np.exp(-gate)) * up) @ layer.down[index].T.astype(np.float64)
    return leaving if layer.down_bias is None else leaving + layer.down_bias[index]
