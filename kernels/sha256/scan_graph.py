"""The nonce scan as a graph: the inputs of a job, and the one word of the hash that the scan tests.

A header's version changes its first 64 bytes only. Headers that differ in the version have different midstates and the
same last 16 bytes, so that one message schedule of the first hash's second block serves all of them.

References
----------
BIP 320, the bits of the version that a miner may change.
"""

from dataclasses import dataclass

from kernels.sha256.description import (
    INITIAL_STATE,
    K,
    compress,
    digest_block,
    rounds,
    schedule,
    sha256d_tail,
    tail_block,
)
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


@dataclass(frozen=True)
class RolledScanGraph:
    """A scan in three parts: a schedule that several midstates share, and the two hashes of one of them."""

    rows: dict[int, Node]  # by round of the first hash: schedule word + K, where the nonce changes the word
    digest: list[Node]  # of the first hash, a function of the inputs nonce_word and row0 to row63
    last_word: Node  # of the second hash, a function of the inputs digest0 to digest7


def rolled_scan_graph(graph: Graph) -> RolledScanGraph:
    """Add the scan of several midstates to a graph and return its inputs and results."""
    midstate = [graph.input(name, Time.JOB) for name in MIDSTATE_INPUTS]
    tail = [graph.input(name, Time.JOB) for name in TAIL_INPUTS]
    nonce_word = graph.input("nonce_word", Time.NONCE)
    words = list(schedule(graph, tail_block(graph, tail, nonce_word)))
    sums = {index: graph.add(word, graph.constant(K[index])) for index, word in enumerate(words)}
    rows = {index: row for index, row in sums.items() if row.time is Time.NONCE and words[index] is not nonce_word}
    inputs = {index: graph.input(f"row{index}", Time.NONCE) for index in rows}
    for index, row in inputs.items():
        words[index] = graph.add(row, graph.constant(-K[index]))  # the round adds K, which the row has already
    *_, last = rounds(graph, midstate, words)
    digest = [graph.add(before, after) for before, after in zip(midstate, last, strict=True)]
    digest_inputs = [graph.input(f"digest{index}", Time.NONCE) for index in range(8)]
    initial = [graph.constant(value) for value in INITIAL_STATE]
    last_word = compress(graph, initial, digest_block(graph, digest_inputs))[7]
    return RolledScanGraph(rows, digest, last_word)
