"""The number of instructions per nonce that a kind of machine needs for the scan, counted from the graph."""

from collections import Counter
from typing import Any

from kernels.sha256.graph import Graph, Lowering, Node, Time

# Instructions per operation. A machine without rotates takes two shifts and an or. Without three-way logic xor3 is two
# xors, ch is ((y ^ z) & x) ^ z, and maj is ((x ^ y) & (y ^ z)) ^ y, whose y ^ z is the x ^ y of the round before.
COSTS = {
    "ternary": {"add": 1, "rotr": 1, "shr": 1, "xor3": 1, "ch": 1, "maj": 1},
    "rotate": {"add": 1, "rotr": 1, "shr": 1, "xor3": 2, "ch": 3, "maj": 3},
    "plain": {"add": 1, "rotr": 3, "shr": 1, "xor3": 2, "ch": 3, "maj": 3},
}


class CountingTarget:
    """A target that counts the operations per nonce by name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def input(self, name: str) -> str:
        """Return the name, because nothing is computed."""
        return name

    def constant(self, value: int) -> int:
        """Return the constant."""
        return value

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> str:
        """Count an operation when it happens per nonce."""
        del arguments, immediate
        self.counts[operation] += time is Time.NONCE
        return operation


def count_operations(roots: list[Node]) -> Counter[str]:
    """Return how often each operation happens per nonce for the values of `roots`."""
    target = CountingTarget()
    Lowering(target, roots).run()
    return +target.counts


def scan_operations(machine: str = "ternary", midstates: int = 1) -> float:
    """Return the instructions of a scan step per hash: the nonce, both hashes and the test of the last word.

    A step tests as many nonces as the machine has lanes.

    Parameters
    ----------
    machine
        A key of COSTS.
    midstates
        Midstates that share the first message schedule.
    """
    from kernels.sha256.scan_graph import rolled_scan_graph

    def instructions(roots: list[Node]) -> int:
        return sum(COSTS[machine][operation] * count for operation, count in count_operations(roots).items())

    scan = rolled_scan_graph(Graph())
    nonce, test = 1, 1
    schedule = instructions(list(scan.rows.values())) + nonce
    return schedule / midstates + instructions(scan.digest) + instructions([scan.last_word]) + test
