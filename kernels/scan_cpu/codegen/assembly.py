"""Vector instructions on abstract values, their order, and their registers in x86 assembly.

LLVM cannot write this code, for two reasons. The instructions must keep their order, so that vector and SHA
instructions alternate one by one. Vectors must stay out of registers 0 to 15, which the legacy encoding of the SHA
instructions reaches: on Intel cores a SHA instruction that follows a 256- or 512-bit write to one of them costs some
400 cycles.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

FIRST_REGISTER, REGISTERS = 16, 16
_LOOKAHEAD = 12  # [instructions] from which `keep_apart` chooses the next one
_MEMORY_OPERAND_DISTANCE = 40  # [instructions] a spilled value whose next use is nearer gets a register


@dataclass(frozen=True, eq=False)
class Value:
    """The result of a vector instruction."""


@dataclass(frozen=True)
class Memory:
    """A memory operand."""

    address: str
    broadcast: bool = False  # repeats one 32-bit word in every lane

    def __str__(self) -> str:
        """Return the operand in Intel syntax."""
        return f"[{self.address}]"


Operand = Value | Memory


@dataclass(frozen=True, eq=False)
class Instruction:
    """One line of assembly before its registers are allocated."""

    mnemonic: str
    result: Value | None = None  # None for a store and for a line on fixed registers
    sources: tuple[Operand, ...] = ()
    immediate: int | str | None = None  # constant operand; None for none
    table: int | None = None  # truth table of a vpternlogd, which overwrites its first of three operands
    commutes: bool = False
    store_to: str = ""  # address of a store

    @property
    def values(self) -> list[Value]:
        """Vectors that the instruction reads."""
        return [source for source in self.sources if isinstance(source, Value)]


def merge(*streams: Sequence[Instruction]) -> list[Instruction]:
    """Interleave streams evenly: each stream advances in proportion to its length."""
    tagged = [((position + 0.5) / len(stream), item) for stream in streams for position, item in enumerate(stream)]
    return [instruction for _, instruction in sorted(tagged, key=lambda item: item[0])]


def advance_last_uses(program: Sequence[Instruction]) -> list[Instruction]:
    """Return the program with some sums moved forward, so that three-way logic need not copy an operand.

    Three-way logic overwrites one of its operands. If all three have later uses, one of them only a single use, and
    that use is a sum whose operands exist already, the sum moves in front of the logic.
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


def keep_apart(program: Sequence[Instruction], distance: int) -> list[Instruction]:
    """Return the program in an order in which results are used `distance` places later, where others can come between.

    Of the next instructions the first whose operands are old enough goes next, or else the one with the oldest.
    """
    waiting, result = list(program), list[Instruction]()
    places: dict[Value, int] = {}

    def age(index: int) -> int:
        return min((len(result) - places[value] for value in waiting[index].values), default=distance)

    while waiting:
        ready = list(_movable(waiting[:_LOOKAHEAD], places))
        chosen = waiting.pop(next((index for index in ready if age(index) >= distance), max(ready, key=age)))
        if chosen.result is not None:
            places[chosen.result] = len(result)
        result.append(chosen)
    return result


def _movable(instructions: Sequence[Instruction], made: Container[Value]) -> Iterator[int]:
    """Yield the indices of instructions that may go first: no store passes a load, no load and no store a store."""
    loaded = stored = False
    for index, instruction in enumerate(instructions):
        if instruction.result is None and not instruction.store_to:  # a line on fixed registers
            return
        loads = any(isinstance(source, Memory) and not source.broadcast for source in instruction.sources)
        held = (loads and stored) or (bool(instruction.store_to) and (loaded or stored))
        if not held and all(value in made for value in instruction.values):
            yield index
        loaded, stored = loaded or loads, stored or bool(instruction.store_to)


def permuted_table(table: int, order: Sequence[int]) -> int:
    """Return the truth table of three-way logic for reordered operands.

    Parameters
    ----------
    table
        Truth table of the operands in their old order, 8 bits.
    order
        Old position of each new operand.
    """
    result = 0
    for index in range(8):
        new_bits = [(index >> (2 - position)) & 1 for position in range(3)]
        old_bits = [0, 0, 0]
        for position, old in enumerate(order):
            old_bits[old] = new_bits[position]
        result |= ((table >> (old_bits[0] << 2 | old_bits[1] << 1 | old_bits[2])) & 1) << index
    return result


class RegisterAllocator:
    """An allocator that keeps the values with the nearest next use in registers and spills the others.

    After `assemble`, `slots` is the number of vectors that the spill area must hold.

    Parameters
    ----------
    register
        Kind of register, `ymm` or `zmm`.
    lanes
        32-bit lanes of a register.
    spill
        Address of the spill area.

    References
    ----------
    L. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5 (1966).
    """

    def __init__(self, register: str, lanes: int, spill: str) -> None:
        self._lanes, self._spill = lanes, spill
        self._free = [f"{register}{n}" for n in range(FIRST_REGISTER, FIRST_REGISTER + REGISTERS)]
        self._registers: dict[Value, str] = {}
        self._slots: dict[Value, int] = {}
        self._free_slots: list[int] = []
        self._uses: dict[Value, list[int]] = defaultdict(list)
        self._lines: list[str] = []
        self._position = 0
        self._busy: list[Value] = []  # operands of the current instruction, which keep their registers
        self.slots = 0

    def assemble(self, program: Sequence[Instruction]) -> list[str]:
        """Return the lines of assembly of a program."""
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
            self._source(source, may_be_memory=index == last and not instruction.store_to)
            for index, source in enumerate(sources)
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
        """Write three-way logic so that it overwrites an operand without later uses, if it has one."""
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
            result_text = self._registers[instruction.result] = self._registers.pop(first)
        else:
            load, source_text = self._peek(first)
            result_text = self._take(instruction.result)
            self._lines.append(f"{load} {result_text}, {source_text}")
        table = permuted_table(instruction.table, order)
        self._lines.append(f"vpternlogd {result_text}, {second_text}, {third_text}, {table}")

    def _dying(self, source: Operand) -> bool:
        return isinstance(source, Value) and source in self._registers and not self._uses[source]

    def _in_memory(self, source: Operand) -> bool:
        return isinstance(source, Memory) or source not in self._registers

    def _peek(self, source: Operand) -> tuple[str, str]:
        """Return the instruction that copies an operand to a register, and the operand's present text."""
        if isinstance(source, Memory):
            return ("vpbroadcastd", f"dword ptr [{source.address}]") if source.broadcast else ("vmovdqu32", str(source))
        if source in self._registers:
            return "vmovdqa64", self._registers[source]
        return "vmovdqu32", self._slot_text(source)

    def _source(self, source: Operand, *, may_be_memory: bool) -> str:
        """Return the text of an operand, after loading it into a register if it must be there or is used again soon."""
        if isinstance(source, Value) and source in self._registers:
            return self._registers[source]
        if may_be_memory and isinstance(source, Memory):
            return str(source) if not source.broadcast else f"dword ptr [{source.address}]{{1to{self._lanes}}}"
        value = source if isinstance(source, Value) else Value()
        soon = self._uses[value] and self._uses[value][-1] - self._position < _MEMORY_OPERAND_DISTANCE
        load, text = self._peek(source)
        if may_be_memory and not soon:
            return text
        self._busy.append(value)
        self._lines.append(f"{load} {self._take(value)}, {text}")
        return self._registers[value]

    def _take(self, value: Value) -> str:
        """Return a register for a value, evicting the value whose next use is farthest if none is free."""
        if not self._free:
            victim = max(
                (held for held in self._registers if held not in self._busy),
                key=lambda held: self._uses[held][-1] if self._uses[held] else 1 << 60,
            )
            register = self._registers.pop(victim)
            if self._uses[victim] and victim not in self._slots:
                self._slots[victim] = self._free_slots.pop() if self._free_slots else self._new_slot()
                self._lines.append(f"vmovdqu32 {self._slot_text(victim)}, {register}")
            self._free.append(register)
        self._registers[value] = self._free.pop()
        return self._registers[value]

    def _new_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _slot_text(self, value: Value) -> str:
        return f"[{self._spill} + {4 * self._lanes * self._slots[value]}]"

    def _release(self, values: Iterable[Value]) -> None:
        """Free the registers and spill slots of values without later uses."""
        for value in values:
            if not self._uses[value]:
                if value in self._registers:
                    self._free.append(self._registers.pop(value))
                if value in self._slots:
                    self._free_slots.append(self._slots.pop(value))
