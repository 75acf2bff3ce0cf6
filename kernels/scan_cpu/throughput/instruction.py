"""One instruction of an assembly listing and its class, and what a kind of CPU must provide to probe instructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MOVES, LOADS, STORES, BRANCHES, INTEGER = "moves", "loads", "stores", "branches", "integer"
_NO_WORK = {MOVES, LOADS, STORES, BRANCHES}


@dataclass(frozen=True)
class Instruction:
    """One instruction."""

    mnemonic: str
    operands: tuple[str, ...]
    kind: str  # its class: the name of a SHA instruction, or registers and operation, such as `zmm rotates`
    loads: bool = False  # whether it reads memory, as its whole work or with it
    stores: bool = False

    @property
    def is_sha(self) -> bool:
        """Whether it is one of the SHA-256 instructions."""
        return self.kind.startswith("sha256")

    @property
    def is_integer_work(self) -> bool:
        """Whether it computes on integer registers."""
        registers, _, operation = self.kind.partition(" ")
        return registers == INTEGER and operation not in _NO_WORK

    @property
    def is_vector_work(self) -> bool:
        """Whether it computes on vector registers, the SHA instructions included."""
        registers, _, operation = self.kind.partition(" ")
        return registers != INTEGER and operation not in _NO_WORK


class Dialect(Protocol):
    """The assembly of a kind of CPU."""

    area_bytes: int  # memory that the probes of this CPU read and write, aligned to a page
    front_end: tuple[str, ...]  # lines that keep no port busy for as long as they take to be read
    constraints: str  # of the inline assembly of a loop, whose operands are the number of turns and that memory

    def parse(self, line: str) -> Instruction:
        """Return the instruction of a line."""
        ...

    def independent(self, instructions: Sequence[Instruction]) -> list[str]:
        """Return lines that do the same work without waiting for each other; some instructions cannot be repeated."""
        ...

    def memory_part(self, instruction: Instruction) -> Instruction:
        """Return the load or the store that an instruction does."""
        ...

    def loop(self, lines: Sequence[str]) -> str:
        """Return the text of a loop around lines."""
        ...
