"""The nonce scan as a graph: which inputs a job has, and the one word of the hash that decides."""

from dataclasses import dataclass

from kernels.sha256.description import sha256d_tail
from kernels.sha256.graph import Graph, Node, Time

MIDSTATE_INPUTS = tuple(f"midstate{i}" for i in range(8))
TAIL_INPUTS = ("merkle_end", "time", "nbits")
JOB_INPUTS = (*MIDSTATE_INPUTS, *TAIL_INPUTS)


@dataclass(frozen=True)
class ScanGraph:
    """The word that is tested (the hash's last, its most significant when read as a number) and the nonce's word."""

    nonce_word: Node
    last_word: Node


def scan_graph(graph: Graph) -> ScanGraph:
    """Describe the scan of one job in `graph`."""
    midstate = [graph.input(name, Time.JOB) for name in MIDSTATE_INPUTS]
    tail = [graph.input(name, Time.JOB) for name in TAIL_INPUTS]
    nonce_word = graph.input("nonce_word", Time.NONCE)
    return ScanGraph(nonce_word, sha256d_tail(graph, midstate, tail, nonce_word)[7])
