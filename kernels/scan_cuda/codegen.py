"""CUDA C back end: the one SHA-256 graph becomes the text of a nonce scan; no GPU is needed to write it.

What happens once a job is computed on the host and handed over as constants; what happens once a nonce becomes C. The
same text compiles as C++ on a CPU behind `cuda_scan_source.HOST_SHIM`: so it is checked where there is no GPU.
"""

import math
from collections.abc import Mapping, Sequence
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
"""A thread counts within the nonce's lowest byte, which is the highest of the word that SHA-256 reads.

A power of two up to 256. Few, so that the last wave of blocks ends soon: at 16 the start of a thread costs 0.1 %.
"""


@dataclass(frozen=True, eq=False)
class JobWord:
    """A word that the host computes once a job: an input, or an operation on such words."""

    operation: str
    arguments: tuple["JobWord | int", ...]
    immediate: int | str


@dataclass(frozen=True)
class Rotated:
    """A rotate that waits for the addition that it can be part of."""

    word: str
    bits: int


class FoldedGraph(Graph):
    """A graph in which the exclusive or of three rotates of one word is a rotate of an exclusive or."""

    def xor3(self, x: Node, y: Node, z: Node) -> Node:
        """Return x ^ y ^ z, rotated last where all three are rotates of the same word."""
        parts = (x, y, z)
        word = x.arguments[0] if x.arguments else x
        if any(part.operation != "rotr" or part.arguments != (word,) for part in parts):
            return super().xor3(x, y, z)
        first, *others = (int(part.immediate) for part in parts)
        return self.rotr(super().xor3(word, *(self.rotr(word, bits - first) for bits in others)), first)


class TextTarget:
    """Receives a graph's operations: writes those of the nonce as C, keeps those of the job for the host."""

    def __init__(self, variant: TextVariant) -> None:
        self.lines: list[str] = []
        self.job_words: list[JobWord] = []
        self.powers: set[int] = set()
        self._variant = variant
        self._slots: dict[JobWord, int] = {}
        self._rotates = 0
        self._xors: set[str] = set()

    def input(self, name: str) -> "JobWord | str":
        """Return the nonce's word as a C name, any other as a word of the job."""
        return name if name == "nonce_word" else JobWord("input", (), name)

    def constant(self, value: int) -> int:
        """Return the constant."""
        return value

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> "JobWord | Rotated | str":
        """Write one operation, or keep it for the host where it does not depend on the nonce."""
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
        """Write the sum of a rotate and something else, itself written out before where it is a rotate too."""
        rotated, other = arguments if isinstance(arguments[0], Rotated) else reversed(arguments)
        return self._write(f"ROTR({rotated.word}, {rotated.bits}) + {self.operand(other)}")

    def _by_product(self, operation: str) -> bool:
        if operation == "shr":
            return self._variant.shifts_by_products
        share = self._variant.products_frac
        self._rotates += 1
        return math.floor(self._rotates * share) > math.floor((self._rotates - 1) * share)

    def operand(self, value: "JobWord | Rotated | str | int") -> str:
        """Return a value as C: a name, a constant, or a word of the job, which gets a place there."""
        if isinstance(value, str):
            return value
        if isinstance(value, Rotated):
            return self._write(f"ROTR({value.word}, {value.bits})")
        if isinstance(value, int):
            return f"{value:#010x}u"
        if value not in self._slots:
            self._slots[value] = len(self.job_words)
            self.job_words.append(value)
        return f"job.words[{self._slots[value]}]"


@dataclass(frozen=True)
class ScanText:
    """The text of one variant and what the host must compute for a job.

    Attributes
    ----------
    source
        CUDA C with one kernel, `sha256d_scan`, and the function `sha256d_last_word` that it calls.
    job_words
        The words of `Job.words`, in order.
    powers
        The shifts n for which `Job` holds 2^(32 - n): numbers that the compiler must not know.
    """

    variant: str
    source: str
    job_words: tuple[JobWord, ...]
    powers: tuple[int, ...]

    def job_values(self, inputs: Mapping[str, int]) -> list[int]:
        """Return the values of `Job.words` for a job's inputs (`scan_graph.JOB_INPUTS`)."""
        known: dict[JobWord, int] = {}

        def value(word: "JobWord | int") -> int:
            if isinstance(word, int):
                return word
            if word not in known:
                if word.operation == "input":
                    known[word] = inputs[str(word.immediate)]
                else:
                    shift = [int(word.immediate)] if word.operation in {"rotr", "shr"} else []
                    known[word] = getattr(INTEGERS, word.operation)(*map(value, word.arguments), *shift)
            return known[word]

        return [value(word) for word in self.job_words]


@cache
def scan_text(variant: str) -> ScanText:
    """Return the text of a variant of TEXT_VARIANTS.

    Raises
    ------
    KernelInputError
        No such variant.
    """
    if variant not in TEXT_VARIANTS:
        raise KernelInputError(f"CUDA text: expected one of {', '.join(TEXT_VARIANTS)}, got {variant!r}")
    written = TEXT_VARIANTS[variant]
    target = TextTarget(written)
    scan = scan_graph(FoldedGraph() if written.folded else Graph())
    last_word = target.operand(Lowering(target, [scan.last_word]).run().value(scan.last_word))
    powers = tuple(sorted(target.powers))
    lines = [*(f"const u32 power{n} = job.power{n};" for n in powers), *target.lines]
    values = {
        "WORDS": str(len(target.job_words)),
        "POWER_FIELDS": "".join(f"u32 power{n}; " for n in powers),
        "ADD_EARLY": written.add.replace("ONE", "one_early"),
        "ADD": written.add.replace("ONE", "one_late"),
        "SHR": written.shr,
        "BODY": "\n".join(f"    {line}" for line in lines),
        "LAST_WORD": last_word,
        "PER_THREAD": str(NONCES_PER_THREAD),
    }
    source = read_source("sha256d_scan.cu", values=values)
    return ScanText(variant, source, tuple(target.job_words), powers)


def job_record(text: ScanText, midstate: Sequence[int], tail: Sequence[int], mask: int) -> list[int]:
    """Return the C struct `Job` as its 32-bit words: words, powers, one, mask, one.

    `midstate` has eight words, `tail` at least three; `mask` holds the bits that must be zero in the last word.
    """
    inputs = dict(zip(JOB_INPUTS, (*midstate, *tail[:3]), strict=True))
    return [*text.job_values(inputs), *(1 << (32 - n) for n in text.powers), 1, mask, 1]
