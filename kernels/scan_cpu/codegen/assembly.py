"""A small assembler back end for x86 vectors: instructions on named values become text on registers 16 to 31.

Two things that LLVM does not give are needed here: the order of instructions stays as written, so that vector work
and SHA instructions alternate one by one; and vectors stay out of registers 0 to 15, which the SHA instructions
(legacy encoding) can reach. On Intel cores a SHA instruction that follows a 256- or 512-bit write to one of those
costs some 400 cycles.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations

FIRST_REGISTER, REGISTERS = 16, 16
_MEMORY_OPERAND_DISTANCE = 40  # a spilled value needed again within so many instructions is worth a register


@dataclass(frozen=True, eq=False)
class Value:
    """The result of a vector instruction."""


@dataclass(frozen=True)
class Memory:
    """A memory operand; `broadcast` repeats one 32-bit word in every lane."""

    address: str
    broadcast: bool = False

    def __str__(self) -> str:
        """Return the operand in Intel syntax."""
        return f"[{self.address}]"


Operand = Value | Memory


@dataclass(frozen=True, eq=False)
class Instruction:
    """One line: `result` is None for a store or for text on fixed registers.

    With `table` it is a vpternlogd of three operands, which overwrites its first.
    """

    mnemonic: str
    result: Value | None = None
    sources: tuple[Operand, ...] = ()
    immediate: int | str | None = None
    table: int | None = None
    commutes: bool = False
    store_to: str = ""

    @property
    def values(self) -> list[Value]:
        """The vectors that it reads."""
        return [source for source in self.sources if isinstance(source, Value)]


def merge(*streams: Sequence[Sequence[Instruction]]) -> list[Instruction]:
    """Interleave streams of runs evenly: each advances in proportion to its runs, and a run stays together."""
    tagged = [
        ((position + 0.5) / len(stream), order, run)
        for order, stream in enumerate(streams)
        for position, run in enumerate(stream)
    ]
    return [instruction for _, _, run in sorted(tagged, key=lambda item: item[:2]) for instruction in run]


def advance_last_uses(program: Sequence[Instruction]) -> list[Instruction]:
    """Move sums forward that free an operand of three-way logic, which overwrites one and would copy it otherwise.

    When all three operands have later uses, but one of them a single one, in a sum of what exists already, that sum
    goes first.
    """
    waiting: dict[Value, list[Instruction]] = defaultdict(list)
    for instruction in program:
        for value in instruction.values:
            waiting[value].append(instruction)
    result: dict[Instruction, None] = {}
    made: set[Value | None] = set()

    def emit(instruction: Instruction) -> None:
        result[instruction] = None
        made.add(instruction.result)
        for value in instruction.values:
            waiting[value].remove(instruction)

    for instruction in program:
        if instruction in result:
            continue
        others = [[use for use in waiting[value] if use is not instruction] for value in instruction.values]
        if instruction.table is not None and all(others):
            last = [uses[0] for uses in others if len(uses) == 1 and uses[0].commutes]
            for freeing in [use for use in last if made.issuperset(use.values)][:1]:
                emit(freeing)
        emit(instruction)
    return list(result)


def permuted_table(table: int, order: Sequence[int]) -> int:
    """Return the truth table of three-way logic after reordering operands: new operand i is old operand order[i]."""
    result = 0
    for index in range(8):
        new_bits = [(index >> (2 - place)) & 1 for place in range(3)]
        old_bits = [0, 0, 0]
        for place, old in enumerate(order):
            old_bits[old] = new_bits[place]
        result |= ((table >> (old_bits[0] << 2 | old_bits[1] << 1 | old_bits[2])) & 1) << index
    return result


class RegisterAllocator:
    """Turns instructions into text, keeping in registers what is used next (Belady) and spilling the rest.

    Parameters
    ----------
    register
        `ymm` or `zmm`.
    lanes
        32-bit lanes of it.
    spill
        Base register of the spill area; `slots` says afterwards how many vectors it must hold.
    """

    def __init__(self, register: str, lanes: int, spill: str) -> None:
        self._lanes, self._spill = lanes, spill
        self._free = [f"{register}{n}" for n in range(FIRST_REGISTER, FIRST_REGISTER + REGISTERS)]
        self._where: dict[Value, str] = {}
        self._slots: dict[Value, int] = {}
        self._free_slots: list[int] = []
        self._uses: dict[Value, list[int]] = defaultdict(list)
        self._lines: list[str] = []
        self._position = 0
        self._busy: list[Value] = []  # what the present instruction reads stays where it is
        self.slots = 0

    def assemble(self, program: Sequence[Instruction]) -> list[str]:
        """Return the lines of a program."""
        for position, instruction in enumerate(program):
            for value in instruction.values:
                self._uses[value].append(position)
        for uses in self._uses.values():
            uses.reverse()  # the next use is the last item
        for self._position, instruction in enumerate(program):
            self._busy = instruction.values
            for value in self._busy:
                while self._uses[value] and self._uses[value][-1] <= self._position:
                    self._uses[value].pop()
            if instruction.table is None:
                self._plain(instruction)
            else:
                self._three_way(instruction)
            self._release(self._busy)
        return self._lines

    def _plain(self, instruction: Instruction) -> None:
        sources = list(instruction.sources)
        if instruction.commutes and self._in_memory(sources[0]) and not self._in_memory(sources[1]):
            sources.reverse()
        last = len(sources) - 1
        texts = [
            self._source(source, may_be_memory=place == last and not instruction.store_to)
            for place, source in enumerate(sources)
        ]
        if instruction.store_to:
            texts.insert(0, f"[{instruction.store_to}]")
        if instruction.immediate is not None:
            texts.append(str(instruction.immediate))
        if instruction.result is not None:
            self._release(self._busy)
            texts.insert(0, self._take(instruction.result))
        self._lines.append(f"{instruction.mnemonic} {', '.join(texts)}" if texts else instruction.mnemonic)

    def _three_way(self, instruction: Instruction) -> None:
        """Place three-way logic so that it overwrites an operand that nobody needs again, if there is one."""
        assert instruction.result is not None
        assert instruction.table is not None

        def cost(order: Sequence[int]) -> tuple[bool, bool, bool]:
            first, second, third = (instruction.sources[i] for i in order)
            overwrites_live = not self._dying(first) and not self._in_memory(first)
            return overwrites_live, self._in_memory(second), not self._in_memory(third)

        order = min(permutations(range(3)), key=cost)
        first, second, third = (instruction.sources[i] for i in order)
        third_text = self._source(third, may_be_memory=True)
        second_text = self._source(second, may_be_memory=False)
        if self._dying(first):
            assert isinstance(first, Value)
            result_text = self._where[instruction.result] = self._where.pop(first)
        else:
            load, source_text = self._peek(first)
            result_text = self._take(instruction.result)
            self._lines.append(f"{load} {result_text}, {source_text}")
        table = permuted_table(instruction.table, order)
        self._lines.append(f"vpternlogd {result_text}, {second_text}, {third_text}, {table}")

    def _dying(self, source: Operand) -> bool:
        return isinstance(source, Value) and source in self._where and not self._uses[source]

    def _in_memory(self, source: Operand) -> bool:
        return isinstance(source, Memory) or source not in self._where

    def _peek(self, source: Operand) -> tuple[str, str]:
        """Return the instruction that would copy an operand to a register, and the operand's text where it is."""
        if isinstance(source, Memory):
            return ("vpbroadcastd", f"dword ptr [{source.address}]") if source.broadcast else ("vmovdqu32", str(source))
        if source in self._where:
            return "vmovdqa64", self._where[source]
        return "vmovdqu32", self._slot_text(source)

    def _source(self, source: Operand, *, may_be_memory: bool) -> str:
        """Return the text of an operand, loading it into a register where it must or had better be."""
        if isinstance(source, Value) and source in self._where:
            return self._where[source]
        if may_be_memory and isinstance(source, Memory):
            return str(source) if not source.broadcast else f"dword ptr [{source.address}]{{1to{self._lanes}}}"
        value = source if isinstance(source, Value) else Value()
        soon = self._uses[value] and self._uses[value][-1] - self._position < _MEMORY_OPERAND_DISTANCE
        load, text = self._peek(source)
        if may_be_memory and not soon:
            return text
        self._busy.append(value)
        self._lines.append(f"{load} {self._take(value)}, {text}")
        return self._where[value]

    def _take(self, value: Value) -> str:
        """Give a value a register, evicting the one that is needed last."""
        if not self._free:
            victim = max(
                (held for held in self._where if held not in self._busy),
                key=lambda held: self._uses[held][-1] if self._uses[held] else 1 << 60,
            )
            register = self._where.pop(victim)
            if self._uses[victim] and victim not in self._slots:
                self._slots[victim] = self._free_slots.pop() if self._free_slots else self._new_slot()
                self._lines.append(f"vmovdqu32 {self._slot_text(victim)}, {register}")
            self._free.append(register)
        self._where[value] = self._free.pop()
        return self._where[value]

    def _new_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _slot_text(self, value: Value) -> str:
        return f"[{self._spill} + {4 * self._lanes * self._slots[value]}]"

    def _release(self, values: Iterable[Value]) -> None:
        """Free the registers and spill slots of values that nobody needs again."""
        for value in values:
            if not self._uses[value]:
                if value in self._where:
                    self._free.append(self._where.pop(value))
                if value in self._slots:
                    self._free_slots.append(self._slots.pop(value))
