"""The number of instructions per nonce that a kind of machine needs for the scan, counted from the graph."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kernels.sha256.graph import Graph, Lowering, Node, Time

# Instructions per operation. A machine without rotates takes two shifts and an or. Without three-way logic xor3 is two
# xors, ch is ((y ^ z) & x) ^ z, and maj is ((x ^ y) & (y ^ z)) ^ y, whose y ^ z is the x ^ y of the round before.
COSTS = {
    "ternary": {"add": 1, "rotr": 1, "shr": 1, "xor3": 1, "ch": 1, "maj": 1},
    "rotate": {"add": 1, "rotr": 1, "shr": 1, "xor3": 2, "ch": 3, "maj": 3},
    "plain": {"add": 1, "rotr": 3, "shr": 1, "xor3": 2, "ch": 3, "maj": 3},
}


_PIPELINE_ARITHMETIC = (
    "vpaddd", "vprord", "vpsrld", "vpternlogd", "vpxord", "vpunpckldq", "vpunpckhdq", "vpunpcklqdq", "vpunpckhqdq",
    "sha256rnds2", "paddd",
)  # fmt: skip


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


@dataclass(frozen=True)
class VariantCost:
    """The fewest instructions that a variant executes per hash."""

    operations: float  # on `register`, those that do the rounds included
    register: str  # scalar, xmm, ymm or zmm
    round_pairs: float  # executions of an instruction that does two rounds


def variant_cost(name: str, features: frozenset[str], midstates: int = 1) -> VariantCost | None:
    """Return the cost of a variant, or None for a variant whose instructions are not counted.

    Loads, stores, moves between registers and the loop are not counted, so that the cost is a lower bound for every
    arrangement of the work. LLVM compiles `lanes8` to rotates and three-way logic if the CPU has AVX-512VL.

    Parameters
    ----------
    name
        Name of the variant.
    features
        Features of the CPU that it is compiled for, by LLVM's names.
    midstates
        Midstates that share a message schedule.
    """
    if name == "scalar":
        return VariantCost(scan_operations("rotate", midstates), "scalar", 0)
    if name == "lanes8":
        machine = "ternary" if "avx512vl" in features else "plain"
        return VariantCost(scan_operations(machine, midstates) / 8, "ymm", 0)
    if name == "lanes16":
        return VariantCost(scan_operations("ternary", midstates) / 16, "zmm", 0)
    if name == "shani":
        return VariantCost(60 + 22 / midstates + 23, "xmm", 60)
    if name in {"hybrid", "mixed"}:
        from kernels.scan_cpu.codegen.pipeline_step import HYBRID, MIXED, pipeline_step

        shape = HYBRID if name == "hybrid" else MIXED
        mnemonics = Counter(line.split()[0] for line in pipeline_step(shape, midstates).text.splitlines())
        counted = sum(mnemonics[mnemonic] for mnemonic in _PIPELINE_ARITHMETIC)
        return VariantCost(counted / shape.nonces, shape.register, mnemonics["sha256rnds2"] / shape.nonces)
    return None
