"""What collective operations take between servers, over the network adapter of each GPU."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bench.inference.serving import Setup

Array = NDArray[np.float64]


def all_reduce_seconds(setup: "Setup", size_bytes: Array) -> Array:
    """Return the time that servers need to sum numbers that each has summed over its own GPUs [s].

    Parameters
    ----------
    setup
        The model on its device.
    size_bytes
        Size of the numbers of one message [byte]; each GPU sends its share.
    """
    servers = _servers_of_copy(setup)
    if servers == 1:
        return np.zeros_like(size_bytes)
    share = size_bytes / (setup.gpus // setup.servers)
    return _seconds(setup, share * 2.0 * (servers - 1) / servers)


def gather_seconds(setup: "Setup", size_bytes: Array) -> Array:
    """Return the time in which every server gets the tokens of all copies of attention [s].

    Parameters
    ----------
    setup
        The model on its device.
    size_bytes
        Size of the tokens of all copies [byte].
    """
    if setup.servers == 1:
        return np.zeros_like(size_bytes)
    share = size_bytes / (setup.gpus // setup.servers)
    return _seconds(setup, share * (setup.servers - 1) / setup.servers)


def _servers_of_copy(setup: "Setup") -> int:
    """Return over how many servers the shards of one copy of attention lie."""
    return math.ceil(setup.tensor / (setup.gpus // setup.servers))


def _seconds(setup: "Setup", sent_bytes: Array) -> Array:
    network = setup.device.network
    if network is None:
        raise ValueError("a setup over several servers has a network")
    return network.latency_s + sent_bytes / network.byte_per_s
