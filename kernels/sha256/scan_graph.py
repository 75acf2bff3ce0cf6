"""The nonce scan as a graph: the inputs of a job, and the one word of the hash that the scan tests."""

from dataclasses import dataclass

from kernels.sha256.description import sha256d_tail
from kernels.sha256.graph import Graph, Node, Time

MIDSTATE_INPUTS = tuple(f"midstate{i}" for i in range(8))
TAIL_INPUTS = ("merkle_end", "time", "nbits")
JOB_INPUTS = (*MIDSTATE_INPUTS, *TAIL_INPUTS)


@dataclass(frozen=True)
class ScanGraph:
    """The input and the result of a scan."""

    nonce_word: Node
    last_word: Node  # of the hash: its most significant one, which the scan tests


def scan_graph(graph: Graph) -> ScanGraph:
    """Add the scan of one job to a graph and return its input and result."""
    midstate = [graph.input(name, Time.JOB) for name in MIDSTATE_INPUTS]
    tail = [graph.input(name, Time.JOB) for name in TAIL_INPUTS]
    nonce_word = graph.input("nonce_word", Time.NONCE)
    return ScanGraph(nonce_word, sha256d_tail(graph, midstate, tail, nonce_word)[7])
