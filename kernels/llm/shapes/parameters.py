"""The number of parameters of a model: its matrices, and the norms, biases and other vectors between them."""

from typing import TYPE_CHECKING

from kernels.llm.shapes.matrices import Matrix, matrices, mtp_matrices

if TYPE_CHECKING:
    from kernels.llm.shapes.model import ModelShape


def parameter_count(shape: "ModelShape") -> int:
    """Return the number of weights, embedding, norms, biases and all experts included; without further-token layers."""
    tables = (1 if shape.tied_embeddings else 2) * shape.vocabulary * shape.hidden
    blocks = shape.attention_blocks + shape.recurrent_layers + shape.feed_forward_blocks + shape.dense_layers
    return (
        sum(matrix.weights * matrix.copies * matrix.layers for matrix in matrices(shape))
        + sum(bias_count(shape, matrix) * matrix.copies * matrix.layers for matrix in matrices(shape))
        + shape.attention_blocks * _attention_vectors(shape)
        + _whole_vectors(shape)
        + shape.recurrent_layers * _recurrent_vectors(shape)
        + (blocks * shape.norms_per_block + 1) * shape.hidden
        + tables
    )


def mtp_parameter_count(shape: "ModelShape") -> int:
    """Return the number of weights of the further-token layers, without the embedding and head that they share."""
    rows = mtp_matrices(shape)
    norms = 3 + 2 * shape.norms_per_block  # of the two inputs, of the output, and of the two blocks
    vectors = _attention_vectors(shape) + norms * shape.hidden
    weights = sum((matrix.weights + bias_count(shape, matrix)) * matrix.copies * matrix.layers for matrix in rows)
    return weights + shape.mtp_layers * vectors


def bias_count(shape: "ModelShape", matrix: Matrix) -> int:
    """Return the number of biases of one copy of a matrix."""
    biased = {
        "attention": shape.attention_bias or (shape.qkv_bias and matrix.name.endswith("qkv")),
        "feed_forward": shape.ffn_bias,
        "router": matrix.name == "router" and (shape.ffn_bias or shape.router_bias),
    }
    return matrix.outer if biased[matrix.role] else 0


def _attention_vectors(shape: "ModelShape") -> int:
    """Return the norms of queries, keys and latents, and the sinks, of one layer."""
    vectors = shape.sinks * shape.heads
    if shape.qk_norm:
        vectors += shape.query_width + shape.kv_width if shape.qk_norm_joint else 2 * shape.head_size
    if shape.latent is not None:
        vectors += shape.latent.key_rank + (shape.latent.query_rank or 0)
    if shape.indexer is not None:
        vectors += 2 * shape.indexer.head_size  # its norm has a weight and a bias
    return vectors


def _whole_vectors(shape: "ModelShape") -> int:
    """Return what the norms of heads have more in the layers that see everything, where their heads are wider."""
    if shape.whole is None or not shape.qk_norm:
        return 0
    return 2 * (shape.whole.head_size - shape.head_size) * (shape.attention_blocks - shape.windowed_layers)


def _recurrent_vectors(shape: "ModelShape") -> int:
    """Return the convolution, the decays and the norm of one recurrent layer."""
    recurrent = shape.recurrent
    if recurrent is None:
        return 0
    if recurrent.kind == "mamba2":  # convolution with bias; decay, skip and step bias; norm over the whole width
        return recurrent.convolved * (recurrent.convolution + 1) + 3 * recurrent.value_heads + recurrent.value_width
    # decay and its bias; norm over a head
    return recurrent.convolved * recurrent.convolution + 2 * recurrent.value_heads + recurrent.value_size
