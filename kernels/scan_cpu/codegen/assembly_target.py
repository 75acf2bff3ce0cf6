"""A graph target for assembly: operations per nonce become instructions, words known before it a table in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernels.scan_cpu.codegen.assembly import Instruction, Memory, Operand, Value
from kernels.scan_cpu.codegen.early import Early, EarlyTables, constant
from kernels.sha256.graph import Time


class AssemblyTarget:
    """A target that appends the instructions of a graph to `code`.

    Parameters
    ----------
    tables
        Tables of early words, shared by all targets of a program.
    inputs
        Inputs that change with the nonce, by name; all others belong to the job.
    ternary
        Whether an xor3 is one three-way instruction, or else two plain xors: on Zen 4 three-way logic competes with the
        SHA instructions and plain logic does not.
    """

    def __init__(self, tables: EarlyTables, inputs: Mapping[str, Value | Memory], *, ternary: bool = True) -> None:
        self.tables = tables
        self.code: list[Instruction] = []
        self.inputs = inputs
        self._ternary = ternary

    def input(self, name: str) -> Value | Memory | Early:
        """Return the vector of a nonce's input or the early word of a job's input."""
        return self.inputs.get(name) or Early("input", (), name)

    def constant(self, value: int) -> Early:
        """Return the early word of a number."""
        return constant(value)

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> Value | Early:
        """Append the instruction of an operation per nonce, or return the early word of any other."""
        if time is not Time.NONCE:
            return Early(operation, tuple(arguments), immediate)
        if operation == "xor3" and not self._ternary:
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
            Memory(self.tables.address(argument), broadcast=True) if isinstance(argument, Early) else argument
            for argument in arguments
        )

    def _append(self, instruction: Instruction) -> Value:
        self.code.append(instruction)
        assert instruction.result is not None
        return instruction.result
