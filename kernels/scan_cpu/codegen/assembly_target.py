"""A graph target for assembly: operations per nonce become instructions, words known before it a table in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kernels.scan_cpu.codegen.assembly import Instruction, Memory, Operand, Value
from kernels.sha256.graph import Time


@dataclass(frozen=True)
class Early:
    """A word that is known before the nonce."""

    operation: str  # `input`, `constant`, `saved` or an operation of the graph
    arguments: tuple[Early, ...] = ()
    immediate: int | str = 0  # name of an input, value of a constant, or shift in bits


def constant(value: int) -> Early:
    """Return the early word of a number."""
    return Early("constant", (), value)


@dataclass
class EarlyTable:
    """The early words that a program reads from memory."""

    base: str  # register that points `bias` bytes past the first word
    bias: int  # [byte]
    words: list[Early] = field(default_factory=list)
    _indices: dict[tuple[Early, ...], int] = field(default_factory=dict)  # index of the first of consecutive words

    def address(self, *words: Early, align: int = 1) -> str:
        """Return the address of consecutive words, which new words get at a multiple of `align` words."""
        if words not in self._indices:
            while len(self.words) % align:
                self.words.append(constant(0))
            self._indices[words] = len(self.words)
            self.words += words
        return f"{self.base} + {4 * self._indices[words] - self.bias}"


class AssemblyTarget:
    """A target that appends the instructions of a graph to `code`.

    Parameters
    ----------
    table
        Table of early words, shared by all targets of a program.
    inputs
        Inputs that change with the nonce, by name; all others belong to the job.
    spared_ternary
        One xor3 in so many stays a three-way instruction, the others become two plain xors: on Zen 4 three-way logic
        competes with the SHA instructions and plain logic does not.
    """

    def __init__(self, table: EarlyTable, inputs: dict[str, Value], spared_ternary: int = 1) -> None:
        self.table = table
        self.code: list[Instruction] = []
        self.inputs = inputs
        self._spared = spared_ternary
        self._xor3_count = 0

    def input(self, name: str) -> Value | Early:
        """Return the vector of a nonce's input or the early word of a job's input."""
        return self.inputs.get(name) or Early("input", (), name)

    def constant(self, value: int) -> Early:
        """Return the early word of a number."""
        return constant(value)

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> Value | Early:
        """Append the instruction of an operation per nonce, or return the early word of any other."""
        if time is not Time.NONCE:
            return Early(operation, tuple(arguments), immediate)
        if operation == "xor3":
            self._xor3_count += 1
            if self._xor3_count % self._spared:
                return self.emit("vpxord", self.emit("vpxord", *arguments[:2]), arguments[2])
        tables = {"xor3": 0x96, "ch": 0xCA, "maj": 0xE8}
        if operation in tables:
            return self._append(Instruction("vpternlogd", Value(), self.operands(arguments), table=tables[operation]))
        if operation == "add":
            return self.emit("vpaddd", *arguments)
        name = {"rotr": "vprord", "shr": "vpsrld"}[operation]
        return self._append(Instruction(name, Value(), self.operands(arguments), immediate))

    def emit(self, mnemonic: str, *arguments: Value | Early | Memory) -> Value:
        """Append an instruction and return its result; all but the unpack instructions commute."""
        commutes = not mnemonic.startswith("vpunpck")
        return self._append(Instruction(mnemonic, Value(), self.operands(arguments), commutes=commutes))

    def store(self, value: Value, address: str) -> None:
        """Append the store of a vector."""
        self.code.append(Instruction("vmovdqu32", None, (value,), store_to=address))

    def operands(self, arguments: Sequence[Value | Early | Memory]) -> tuple[Operand, ...]:
        """Return operands in which early words are broadcast from the table."""
        return tuple(
            Memory(self.table.address(argument), broadcast=True) if isinstance(argument, Early) else argument
            for argument in arguments
        )

    def _append(self, instruction: Instruction) -> Value:
        self.code.append(instruction)
        assert instruction.result is not None
        return instruction.result
