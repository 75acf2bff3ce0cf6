"""What a step takes whatever its tokens: kernel starts, and collective operations over the GPUs."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.inference.terms.network import all_reduce_seconds, gather_seconds

if TYPE_CHECKING:
    from bench.inference.serving import Setup
    from bench.inference.terms.constants import Constants

Array = NDArray[np.float64]

RESIDUAL_BYTES = 2.0  # [byte] of a number of the residual stream


def starts_seconds(setup: "Setup", constants: "Constants") -> float:
    """Return the time of the starts and ends of all layers' kernels [s]."""
    shape = setup.shape
    mixtures = shape.feed_forward_blocks if shape.is_moe else 0
    latents = shape.attention_blocks if shape.latent is not None else 0
    return (
        _blocks(setup) / 2.0 * (constants.layer_s + (setup.kind.activation < RESIDUAL_BYTES) * constants.narrow_layer_s)
        + mixtures * constants.expert_layer_s
        + latents * constants.latent_layer_s
        + shape.recurrent_layers * constants.recurrent_layer_s
        + (mixtures * constants.gather_layer_s if setup.data > 1 else 0.0)
    )


def draft_starts_seconds(setup: "Setup", constants: "Constants") -> float:
    """Return the time of the starts of one pass through the layers that predict a further token [s]."""
    shape = setup.shape
    layer = constants.layer_s + (setup.kind.activation < RESIDUAL_BYTES) * constants.narrow_layer_s
    layer += constants.expert_layer_s * shape.is_moe + constants.latent_layer_s * (shape.latent is not None)
    return shape.mtp_layers * layer


def mixed_seconds(setup: "Setup", constants: "Constants") -> float:
    """Return what a step that reads prompts takes in addition, because no graph of the whole step starts it [s]."""
    recurrent = setup.shape.recurrent_layers * constants.mixed_recurrent_layer_s
    return pieces_seconds(setup, constants) + recurrent


def pieces_seconds(setup: "Setup", constants: "Constants") -> float:
    """Return what a step takes in addition whose layers are started one by one [s]."""
    return _blocks(setup) / 2.0 * constants.mixed_layer_s


def decode_pieces_seconds(setup: "Setup", constants: "Constants") -> float:
    """Return the same for a step without prompts: of models with attention in chunks, in engines without its graph."""
    in_pieces = setup.shape.chunked and setup.engine.chunks_in_pieces
    return pieces_seconds(setup, constants) if in_pieces else 0.0


def collectives_seconds(setup: "Setup", constants: "Constants", tokens: Array) -> Array:
    """Return the time of all collective operations of a step [s].

    Each block ends with a ring all-reduce of the residual stream over its tensor shards. Where copies of attention
    share the experts, a layer of experts gathers the tokens of all copies and scatters the sums. Over several servers,
    the GPUs of each do so first, and the servers after that.
    """
    seconds: Array = np.zeros_like(tokens)
    link = setup.device.link_byte_per_s
    if link is None:
        return seconds
    own, width = tokens / setup.data, setup.shape.hidden * RESIDUAL_BYTES
    shards, copies = (min(count, setup.gpus // setup.servers) for count in (setup.tensor, setup.data))
    if setup.tensor > 1:
        moved = own * (width * 2.0 * (shards - 1) / shards)
        within = _latency_s(constants, shards) + moved / (link * constants.link_frac)
        seconds += _blocks(setup) * (within + all_reduce_seconds(setup, own * width))
    if setup.data > 1 and setup.expert > 1:
        moved = tokens * (width * (copies - 1) / copies)
        within = _latency_s(constants, copies) + moved / (link * constants.link_frac)
        layers = setup.shape.feed_forward_blocks
        seconds += layers * 2.0 * (within + gather_seconds(setup, tokens * width))
    return seconds


def _latency_s(constants: "Constants", gpus: int) -> float:
    """Return the time of a collective operation of a short message [s]; it grows slowly with the number of GPUs."""
    return constants.link_latency_s * math.sqrt(math.log2(gpus))


def _blocks(setup: "Setup") -> int:
    shape = setup.shape
    return shape.attention_blocks + shape.recurrent_layers + shape.feed_forward_blocks + shape.dense_layers
