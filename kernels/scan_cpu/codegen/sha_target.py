"""The SHA-256 instructions of x86 and Arm in LLVM: four rounds and four schedule words on vectors of four words.

The two machines differ in the layout of the state and in the work of one instruction; `quads_step` writes the same scan
for both.
"""

from collections.abc import Sequence
from typing import Protocol

from llvmlite import ir

from kernels.scan_cpu.codegen.lanes_target import I32, declare

QUAD = ir.VectorType(I32, 4)
ZERO = ir.Constant(QUAD, [0] * 4)
Pair = tuple[ir.Value, ir.Value]

# The letters of the state words in the lanes of the first and of the second vector.
Layout = tuple[str, str]


class QuadMachine(Protocol):
    """A CPU with instructions for SHA-256 on quads."""

    layout: Layout

    def four_rounds(self, state: Pair, words: ir.Value) -> Pair:
        """Return the state after four rounds; `words` holds K + W of each."""
        ...

    def half_quad(self, q0: ir.Value, q1: ir.Value) -> ir.Value:
        """Return w[i] + sigma0(w[i + 1]) for the four words i of q0; q1 holds the next four."""
        ...

    def next_quad(self, quads: Sequence[ir.Value]) -> ir.Value:
        """Return the four schedule words that follow the last sixteen."""
        ...


def shuffle(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, lanes: Sequence[int]) -> ir.Value:
    """Return a quad of lanes of x (0 to 3) and y (4 to 7)."""
    return builder.shuffle_vector(x, y, ir.Constant(QUAD, list(lanes)))


class X86Sha:
    """x86: `sha256rnds2`, `sha256msg1` and `sha256msg2`; an instruction does two rounds, the state is ABEF and CDGH."""

    layout = ("feba", "hgdc")

    def __init__(self, builder: ir.IRBuilder) -> None:
        self._builder = builder

    def four_rounds(self, state: Pair, words: ir.Value) -> Pair:
        """Return the state after four rounds."""
        abef, cdgh = state
        high = shuffle(self._builder, words, ZERO, (2, 3, 4, 4))
        for pair in (words, high):
            abef, cdgh = self._call("sha256rnds2", cdgh, abef, pair), abef
        return abef, cdgh

    def half_quad(self, q0: ir.Value, q1: ir.Value) -> ir.Value:
        """Return w[i] + sigma0(w[i + 1])."""
        return self._call("sha256msg1", q0, q1)

    def next_quad(self, quads: Sequence[ir.Value]) -> ir.Value:
        """Return the next four schedule words."""
        q0, q1, q2, q3 = quads
        seventh_back = shuffle(self._builder, q2, q3, (1, 2, 3, 4))
        return self._call("sha256msg2", self._builder.add(self.half_quad(q0, q1), seventh_back), q3)

    def _call(self, name: str, *arguments: ir.Value) -> ir.Value:
        function = declare(self._builder, f"llvm.x86.{name}", QUAD, [QUAD] * len(arguments))
        return self._builder.call(function, arguments)


class ArmSha:
    """Arm: `sha256h`, `sha256h2`, `sha256su0`, `sha256su1`; two instructions do four rounds, state ABCD and EFGH."""

    layout = ("abcd", "efgh")

    def __init__(self, builder: ir.IRBuilder) -> None:
        self._builder = builder

    def four_rounds(self, state: Pair, words: ir.Value) -> Pair:
        """Return the state after four rounds."""
        abcd, efgh = state
        return self._call("sha256h", abcd, efgh, words), self._call("sha256h2", efgh, abcd, words)

    def half_quad(self, q0: ir.Value, q1: ir.Value) -> ir.Value:
        """Return w[i] + sigma0(w[i + 1])."""
        return self._call("sha256su0", q0, q1)

    def next_quad(self, quads: Sequence[ir.Value]) -> ir.Value:
        """Return the next four schedule words."""
        q0, q1, q2, q3 = quads
        return self._call("sha256su1", self.half_quad(q0, q1), q2, q3)

    def _call(self, name: str, *arguments: ir.Value) -> ir.Value:
        function = declare(self._builder, f"llvm.aarch64.crypto.{name}", QUAD, [QUAD] * len(arguments))
        return self._builder.call(function, arguments)
