"""A target that counts: how many instructions per nonce a machine needs for the scan, nothing hidden."""

from collections import Counter
from typing import Any

from kernels.sha256_graph import Graph, Lowering, Node, Time

# Instructions per operation. Without a rotate: two shifts and an or. Without three-way logic: xor3 is two xors,
# ch is ((y ^ z) & x) ^ z, maj is ((x ^ y) & (y ^ z)) ^ y of which y ^ z is the x ^ y of the round before.
COSTS = {
    "ternary": {"add": 1, "rotr": 1, "shr": 1, "xor3": 1, "ch": 1, "maj": 1},
    "rotate": {"add": 1, "rotr": 1, "shr": 1, "xor3": 2, "ch": 3, "maj": 3},
    "plain": {"add": 1, "rotr": 3, "shr": 1, "xor3": 2, "ch": 3, "maj": 3},
}


class CountingTarget:
    """Counts the operations per nonce by name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def input(self, name: str) -> str:
        """Return the name: nothing is computed."""
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
    """Return how often each operation happens per nonce to make `roots`."""
    target = CountingTarget()
    Lowering(target, roots).run()
    return +target.counts


def scan_operations(machine: str = "ternary") -> int:
    """Return the instructions of one scan step on a machine of COSTS: nonce, both hashes, test of the last word.

    A step tests as many nonces as the machine has lanes.
    """
    from kernels.scan_graph import scan_graph

    counts = count_operations([scan_graph(Graph()).last_word])
    nonce_and_test = 2
    return sum(COSTS[machine][operation] * count for operation, count in counts.items()) + nonce_and_test
