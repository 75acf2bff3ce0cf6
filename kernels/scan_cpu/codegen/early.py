"""Words that are known before the nonce: expressions, and the tables in memory that kernels read them from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernels.scan_cpu.codegen.lanes_target import I32, LaneTarget
from kernels.sha256.graph import Lowering, Node, Time
from kernels.sha256.scan_graph import MIDSTATE_INPUTS

if TYPE_CHECKING:
    from llvmlite import ir


@dataclass(frozen=True)
class Early:
    """A word that is known before the nonce."""

    operation: str  # `input`, `constant`, `saved` or an operation of the graph
    arguments: tuple[Early, ...] = ()
    immediate: int | str = 0  # name of an input, value of a constant, or shift in bits

    @property
    def of_midstate(self) -> bool:
        """Whether the word depends on the midstate."""
        return self.immediate in MIDSTATE_INPUTS or any(argument.of_midstate for argument in self.arguments)


def constant(value: int) -> Early:
    """Return the early word of a number."""
    return Early("constant", (), value)


@dataclass
class EarlyTable:
    """The early words that a program reads from memory."""

    base: str  # register that points `bias` bytes past the first word
    bias: int = 0  # [byte]
    words: list[Early] = field(default_factory=list)
    _indices: dict[tuple[Early, ...], int] = field(default_factory=dict)  # index of the first of consecutive words

    def index(self, *words: Early, align: int = 1) -> int:
        """Return the index of consecutive words, which new words get at a multiple of `align` words."""
        if words not in self._indices:
            while len(self.words) % align:
                self.words.append(constant(0))
            self._indices[words] = len(self.words)
            self.words += words
        return self._indices[words]

    def address(self, *words: Early, align: int = 1) -> str:
        """Return the address of consecutive words."""
        return f"{self.base} + {4 * self.index(*words, align=align) - self.bias}"


@dataclass
class EarlyTables:
    """The table of a job, and the table of each of its midstates."""

    job: EarlyTable
    midstate: EarlyTable

    def of(self, *words: Early) -> EarlyTable:
        """Return the table that words belong to."""
        return self.midstate if any(word.of_midstate for word in words) else self.job

    def address(self, *words: Early, align: int = 1) -> str:
        """Return the address of consecutive words."""
        return self.of(*words).address(*words, align=align)


def store_words(
    builder: ir.IRBuilder, words: Iterable[Early], inputs: Mapping[str, ir.Value], address: ir.Value
) -> None:
    """Emit the computation of a table's words and their stores from an i32 pointer on."""
    target = LaneTarget(builder, 1, dict(inputs))
    values: dict[Early, ir.Value] = {}

    def value(word: Early) -> ir.Value:
        if word not in values:
            if word.operation == "input":
                values[word] = inputs[str(word.immediate)]
            elif word.operation in {"constant", "saved"}:
                values[word] = I32(int(word.immediate))
            else:
                parts = [value(argument) for argument in word.arguments]
                values[word] = target.apply(word.operation, Time.JOB, parts, int(word.immediate))
        return values[word]

    for index, word in enumerate(words):
        builder.store(value(word), builder.gep(address, [I32(index)]))


class _EarlyTarget:
    """A target whose values are early words."""

    def input(self, name: str) -> Early:
        """Return the early word of an input."""
        return Early("input", (), name)

    def constant(self, value: int) -> Early:
        """Return the early word of a number."""
        return constant(value)

    def apply(self, operation: str, time: Time, arguments: list[Early], immediate: int) -> Early:
        """Return the early word of an operation."""
        del time
        return Early(operation, tuple(arguments), immediate)


def early_words(nodes: Sequence[Node]) -> list[Early]:
    """Return the early words of nodes that are known before the nonce."""
    lowering = Lowering(_EarlyTarget(), nodes).run()
    return [lowering.value(node) for node in nodes]
