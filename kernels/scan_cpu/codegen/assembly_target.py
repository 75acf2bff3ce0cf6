"""Graph back end that writes assembly: nonce-time operations become instructions, early words a table in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kernels.scan_cpu.codegen.assembly import Instruction, Memory, Operand, Value
from kernels.sha256.graph import Time


@dataclass(frozen=True)
class Early:
    """A word known before the nonce: an input, a constant, or an operation on such words."""

    operation: str
    arguments: tuple["Early", ...] = ()
    immediate: int | str = 0


def constant(value: int) -> Early:
    """Return the early word of a number."""
    return Early("constant", (), value)


@dataclass
class EarlyTable:
    """The early words that a program reads from memory, in the order of their places.

    The register `base` points `bias` bytes past the first.
    """

    base: str
    bias: int
    words: list[Early] = field(default_factory=list)
    _places: dict[tuple[Early, ...], int] = field(default_factory=dict)

    def address(self, *words: Early, align: int = 1) -> str:
        """Return the address of consecutive words, placed at a multiple of `align` words when they are new."""
        if words not in self._places:
            while len(self.words) % align:
                self.words.append(constant(0))
            self._places[words] = len(self.words)
            self.words += words
        return f"{self.base} + {4 * self._places[words] - self.bias}"


class AssemblyTarget:
    """Appends the instructions of a graph to `code`.

    Parameters
    ----------
    table
        Where early words are placed; shared by all targets of a program.
    inputs
        Nonce-time inputs by name; any other input is the job's.
    spared_ternary
        Of how many xor3 one stays a three-way instruction, the others becoming two plain xors: on Zen 4 three-way
        logic competes with the SHA instructions and plain logic does not.
    """

    def __init__(self, table: EarlyTable, inputs: dict[str, Value], spared_ternary: int = 1) -> None:
        self.table = table
        self.code: list[Instruction] = []
        self.inputs = inputs
        self._spared = spared_ternary
        self._xor3_count = 0

    def input(self, name: str) -> Value | Early:
        """Return a nonce-time value or the early word of a job's input."""
        return self.inputs.get(name) or Early("input", (), name)

    def constant(self, value: int) -> Early:
        """Return the early word of a number."""
        return constant(value)

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> Value | Early:
        """Append an instruction, or note an early operation."""
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
        """Append an instruction that makes a vector of its operands, by a commuting operation unless it unpacks."""
        commutes = not mnemonic.startswith("vpunpck")
        return self._append(Instruction(mnemonic, Value(), self.operands(arguments), commutes=commutes))

    def store(self, value: Value, address: str) -> None:
        """Append a store of a whole vector."""
        self.code.append(Instruction("vmovdqu32", None, (value,), store_to=address))

    def operands(self, arguments: Sequence[Value | Early | Memory]) -> tuple[Operand, ...]:
        """Return operands in which early words are places in the table, broadcast."""
        return tuple(
            Memory(self.table.address(argument), broadcast=True) if isinstance(argument, Early) else argument
            for argument in arguments
        )

    def _append(self, instruction: Instruction) -> Value:
        self.code.append(instruction)
        assert instruction.result is not None
        return instruction.result
