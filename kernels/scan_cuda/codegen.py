"""The code generator of the GPU scan, from the graph of SHA-256 to CUDA C; it needs no GPU.

The host computes the words that are the same for a whole job and passes them as constants; operations per nonce become
C. The tests compile the same text as C++ and run it on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import read_source
from kernels.scan_cuda.variants import TEXT_VARIANTS, TextVariant
from kernels.sha256.graph import Graph, Lowering, Node, Time
from kernels.sha256.reference import INTEGERS
from kernels.sha256.scan_graph import JOB_INPUTS, scan_graph

NONCES_PER_THREAD = 16
"""Nonces that a thread tests, a power of two up to 256: they differ in the nonce's lowest byte only.

A small number lets the last wave of blocks end soon. At 16 the start of a thread costs 0.1 %.
"""


@dataclass(frozen=True, eq=False)
class JobWord:
    """A word that the host computes once a job."""

    operation: str  # `input` or an operation of the graph
    arguments: tuple[JobWord | int, ...]  # operands: words or constants
    immediate: int | str  # name of an input, or shift in bits


@dataclass(frozen=True)
class Rotated:
    """A rotate that is not written yet, because one instruction may do it together with an addition."""

    word: str  # name in C
    bits: int  # [bit] distance


class FoldedGraph(Graph):
    """A graph in which the exclusive or of three rotates of one word becomes a rotate of an exclusive or."""

    def xor3(self, x: Node, y: Node, z: Node) -> Node:
        """Return x ^ y ^ z, with the rotate last if all three are rotates of the same word."""
        parts = (x, y, z)
        word = x.arguments[0] if x.arguments else x
        if any(part.operation != "rotr" or part.arguments != (word,) for part in parts):
            return super().xor3(x, y, z)
        first, *others = (int(part.immediate) for part in parts)
        return self.rotr(super().xor3(word, *(self.rotr(word, bits - first) for bits in others)), first)


class TextTarget:
    """A target that writes the operations of the nonce as C and keeps those of the job for the host."""

    words = "job.words"  # array of the job's words in C

    def __init__(self, variant: TextVariant) -> None:
        self.lines: list[str] = []
        self.job_words: list[JobWord] = []
        self.powers: set[int] = set()
        self._variant = variant
        self._slots: dict[JobWord, int] = {}
        self._rotates = 0
        self._xors: set[str] = set()

    def input(self, name: str) -> JobWord | str:
        """Return the C name of the nonce's word, or the word of the job for any other input."""
        return name if name == "nonce_word" else JobWord("input", (), name)

    def constant(self, value: int) -> int:
        """Return the constant."""
        return value

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> JobWord | Rotated | str:
        """Write one operation and return its C name, or return a word of the job if it does not depend on the nonce."""
        if time is not Time.NONCE:
            return JobWord(operation, tuple(arguments), immediate)
        if operation == "rotr" and arguments[0] in self._xors:
            return Rotated(arguments[0], immediate)
        if operation == "add" and any(isinstance(argument, Rotated) for argument in arguments):
            return self._add_rotated(arguments)
        operands = [self.operand(argument) for argument in arguments]
        macro = operation.upper()
        if operation == "add" and any(isinstance(argument, JobWord | int) for argument in arguments):
            macro = "ADD_EARLY"
        if operation in {"rotr", "shr"}:
            operands.append(str(immediate))
            if self._by_product(operation):
                self.powers.add(immediate)
                macro = "ROTR_PRODUCT" if operation == "rotr" else macro
        name = self._write(f"{macro}({', '.join(operands)})")
        if operation == "xor3" and self._variant.folded:
            self._xors.add(name)
        return name

    def _write(self, value: str) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(f"const u32 {name} = {value};")
        return name

    def _add_rotated(self, arguments: list[Any]) -> str:
        """Write the sum of a rotate and another word; if that is a rotate too, it is written first."""
        rotated, other = arguments if isinstance(arguments[0], Rotated) else reversed(arguments)
        return self._write(f"ROTR({rotated.word}, {rotated.bits}) + {self.operand(other)}")

    def _by_product(self, operation: str) -> bool:
        if operation == "shr":
            return self._variant.shifts_by_products
        share = self._variant.products_frac
        self._rotates += 1
        return math.floor(self._rotates * share) > math.floor((self._rotates - 1) * share)

    def operand(self, value: JobWord | Rotated | str | int) -> str:
        """Return a value as C: a name, a constant, or an element of the job's words."""
        if isinstance(value, str):
            return value
        if isinstance(value, Rotated):
            return self._write(f"ROTR({value.word}, {value.bits})")
        if isinstance(value, int):
            return f"{value:#010x}u"
        if value not in self._slots:
            self._slots[value] = len(self.job_words)
            self.job_words.append(value)
        return f"{self.words}[{self._slots[value]}]"


@dataclass(frozen=True)
class ScanText:
    """The CUDA C of one variant and the words that the host must compute for a job."""

    variant: str
    source: str  # one kernel, `sha256d_scan`, and the function `sha256d_last_word` that it calls
    job_words: tuple[JobWord, ...]  # `Job.words` in order
    powers: tuple[int, ...]  # shifts n for which `Job` holds 2^(32 - n), numbers that the compiler must not know


def job_values(words: Iterable[JobWord], inputs: Mapping[str, int]) -> list[int]:
    """Return the values of a job's words from its inputs by name (`scan_graph.JOB_INPUTS`)."""
    known: dict[JobWord, int] = {}

    def value(word: JobWord | int) -> int:
        if isinstance(word, int):
            return word
        if word not in known:
            if word.operation == "input":
                known[word] = inputs[str(word.immediate)]
            else:
                shift = [int(word.immediate)] if word.operation in {"rotr", "shr"} else []
                known[word] = getattr(INTEGERS, word.operation)(*map(value, word.arguments), *shift)
        return known[word]

    return [value(word) for word in words]


def body(target: TextTarget, powers: Iterable[int]) -> str:
    """Return the lines of a target in C, after the powers of two that some of them need."""
    lines = [*(f"const u32 power{n} = job.power{n};" for n in powers), *target.lines]
    return "\n".join(f"    {line}" for line in lines)


def macro_values(options: TextVariant) -> dict[str, str]:
    """Return the text of the placeholders of `sha256d_operations.cuh`."""
    return {
        "ADD_EARLY": options.add.replace("ONE", "one_early"),
        "ADD": options.add.replace("ONE", "one_late"),
        "SHR": options.shr,
    }


@cache
def scan_text(variant: str) -> ScanText:
    """Return the text of a variant of TEXT_VARIANTS.

    Raises
    ------
    KernelInputError
        TEXT_VARIANTS has no such variant.
    """
    if variant not in TEXT_VARIANTS:
        raise KernelInputError(f"CUDA text: expected one of {', '.join(TEXT_VARIANTS)}, got {variant!r}")
    options = TEXT_VARIANTS[variant]
    target = TextTarget(options)
    scan = scan_graph(FoldedGraph() if options.folded else Graph())
    last_word = target.operand(Lowering(target, [scan.last_word]).run().value(scan.last_word))
    powers = tuple(sorted(target.powers))
    values = macro_values(options) | {
        "WORDS": str(len(target.job_words)),
        "POWER_FIELDS": "".join(f"u32 power{n}; " for n in powers),
        "BODY": body(target, powers),
        "LAST_WORD": last_word,
        "PER_THREAD": str(NONCES_PER_THREAD),
    }
    source = read_source("sha256d_operations.cuh", "sha256d_scan.cu", values=values)
    return ScanText(variant, source, tuple(target.job_words), powers)


def job_record(text: ScanText, midstate: Sequence[int], tail: Sequence[int], mask: int) -> list[int]:
    """Return the C struct `Job` as its 32-bit words: words, powers, one, mask, one.

    Parameters
    ----------
    text
        The text that the job is for.
    midstate
        State after the header's first 64 bytes, eight words.
    tail
        Words of the header from the 17th on, at least three.
    mask
        Bits that must be zero in the hash's last word.
    """
    inputs = dict(zip(JOB_INPUTS, (*midstate, *tail[:3]), strict=True))
    return [*job_values(text.job_words, inputs), *(1 << (32 - n) for n in text.powers), 1, mask, 1]
