"""The machine code of CUDA C without a GPU: compiled by NVRTC, disassembled, and counted by pipe in its loop.

Needs the packages cuda-core, cuda-bindings, nvidia-cuda-nvrtc and nvidia-cuda-nvdisasm; no driver.

References
----------
CUDA Binary Utilities, "Instruction Set Reference"; CUDA C++ Programming Guide, "Arithmetic Instructions" (throughput).
"""

import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError, tool_path

ARCHITECTURES = ("sm_80", "sm_89", "sm_90", "sm_100", "sm_120")
PIPED = ("sm_80", "sm_86", "sm_89", "sm_90")
"""Chips on which integer addition, logic and shifts share one pipe and multiplication has another."""

# Opcodes without suffixes by pipe, as on PIPED chips. An opcode that is not listed counts as `alu`, the busiest pipe.
_PIPES = {
    "fma": ("IMAD", "IMUL", "FFMA", "FMUL", "FADD"),
    "memory": ("LDC", "LDG", "STG", "LDS", "STS", "LDL", "STL", "ATOM", "ATOMG", "ATOMS", "RED", "REDG", "LD", "ST"),
    "uniform": ("ULDC", "LDCU", "UMOV", "UIADD3", "ULOP3", "USHF", "UISETP", "UPRMT", "UIMAD", "UPOPC", "UFLO", "USEL"),
    "special": ("POPC", "FLO", "MUFU", "S2R", "S2UR", "CS2R", "SHFL", "VOTEU", "VOTE", "R2UR", "REDUX", "MATCH"),
    "control": ("BRA", "EXIT", "BSSY", "BSYNC", "NOP", "WARPSYNC", "BREAK", "BREAKPT", "RET", "CALL", "BAR", "DEPBAR"),
}  # fmt: skip
_PIPE_OF = {opcode: pipe for pipe, opcodes in _PIPES.items() for opcode in opcodes}

IMAD_HIGH_SLOTS = 2
"""Issue slots of a multiplication that keeps the high half (IMAD.HI, IMAD.WIDE): assumed, not probed on a GPU."""

_INSTRUCTION = re.compile(
    r"^\s*/\*[0-9a-f]{4,}\*/\s+(?P<guard>@!?U?P[0-9T]+\s+)?(?P<name>[A-Z][A-Z0-9_.]*)(?P<rest>[^;]*);"
)
_LABEL = re.compile(r"^(?P<label>\.L\w+):")
_TARGET = re.compile(r"`\((?P<label>\.L\w+)\)")
_SOURCE = re.compile(r"R(?P<register>[0-9]+)(?P<kept>\.reuse)?")
_SECTION = re.compile(r"^\.text\.(?P<kernel>\w+):")


@dataclass(frozen=True)
class Instruction:
    """One machine instruction."""

    name: str  # with suffixes, as SHF.R.W.U32
    jumps_to: str  # label, or empty
    sources: tuple[str, ...] = ()  # operands that it reads, in order

    @property
    def opcode(self) -> str:
        """The name without suffixes."""
        return self.name.partition(".")[0]

    @property
    def pipe(self) -> str:
        """Pipe that executes it: alu, fma, memory, uniform, special or control."""
        return _PIPE_OF.get(self.opcode, "alu")


@dataclass(frozen=True)
class LoopCount:
    """The instructions of one turn of a kernel's longest loop, including rare branches inside it."""

    names: Counter[str]
    pipes: Counter[str]
    # Instructions that fetch three registers of one of the two banks. On sm_70 to sm_90 a bank delivers two a clock, so
    # that each conflict is taken to cost another issue slot.
    bank_conflicts: int = 0

    @property
    def fma_slots(self) -> int:
        """Issue slots of the FMA pipe; a multiplication that keeps the high half takes `IMAD_HIGH_SLOTS`."""
        return self.pipes["fma"] + (IMAD_HIGH_SLOTS - 1) * self.high_multiplies

    @property
    def high_multiplies(self) -> int:
        """Number of IMAD.HI and IMAD.WIDE."""
        return sum(count for name, count in self.names.items() if name.startswith(("IMAD.HI", "IMAD.WIDE")))

    @property
    def opcodes(self) -> Counter[str]:
        """Counts by opcode without suffixes."""
        opcodes: Counter[str] = Counter()
        for name, count in self.names.items():
            opcodes[name.partition(".")[0]] += count
        return opcodes

    @property
    def total(self) -> int:
        """Number of all instructions."""
        return sum(self.names.values())


@dataclass(frozen=True)
class Resources:
    """The resources of a kernel."""

    registers: int  # a thread
    stack_bytes: int
    local_bytes: int


@lru_cache(maxsize=64)
def compile_cubin(source: str, architecture: str) -> bytes:
    """Return the machine code of CUDA C for an architecture such as `sm_90`; subnormal floats are zero, as in CuPy.

    Raises
    ------
    ToolMissingError
        cuda-core or NVRTC is not installed.
    KernelInputError
        The text does not compile; the compiler's first error is in the message.
    """
    try:
        from cuda.core import Program, ProgramOptions
    except ImportError as error:
        raise ToolMissingError(f"compiling for {architecture}: {error}; install perwatt's extra `test`") from None
    try:
        code = Program(source, "c++", ProgramOptions(arch=architecture, ftz=True)).compile("cubin").code
    except Exception as error:  # noqa: BLE001 (cuda-core's errors have no common base)
        if "could not load" in str(error).lower() or type(error).__name__ == "DynamicLibNotFoundError":
            message = f"NVRTC was not found ({type(error).__name__}); install perwatt's extra `test`"
            raise ToolMissingError(message) from None
        lines = [line for line in str(error).splitlines() if "error" in line] or [str(error)]
        raise KernelInputError(f"CUDA text for {architecture}: {lines[0].strip()}") from None
    return bytes(code)


@lru_cache(maxsize=64)
def disassemble(cubin: bytes) -> dict[str, list[Instruction | str]]:
    """Return the instructions and labels (text) of each kernel in the order of the code; do not change the result.

    Raises
    ------
    ToolMissingError
        nvdisasm is not installed, or failed.
    """
    return parse_sass(_run("nvdisasm", ["-c"], cubin))


def parse_sass(text: str) -> dict[str, list[Instruction | str]]:
    """Return the instructions and labels of each kernel in nvdisasm's text."""
    kernels: dict[str, list[Instruction | str]] = {}
    current: list[Instruction | str] = []
    for line in text.splitlines():
        if section := _SECTION.match(line):
            current = kernels.setdefault(section["kernel"], [])
        elif label := _LABEL.match(line):
            current.append(label["label"])
        elif match := _INSTRUCTION.match(line):
            target = _TARGET.search(match["rest"]) if match["name"].startswith("BRA") else None
            sources = tuple(operand.strip() for operand in match["rest"].split(",")[1:])
            current.append(Instruction(match["name"], target["label"] if target else "", sources))
    return kernels


def count_loop(code: list[Instruction | str]) -> LoopCount:
    """Return the counts of a kernel's longest loop, from a label to the last jump back to it.

    The counts include branches inside the loop that are rarely taken (a hit), so that they are upper bounds.

    Raises
    ------
    KernelInputError
        The kernel has no loop.
    """
    loops = _loops(code)
    if not loops:
        raise KernelInputError("machine code: expected a loop, got none")
    return _count(code, loops[0])


def count_nested_loop(code: list[Instruction | str]) -> tuple[LoopCount, LoopCount]:
    """Return the counts of the longest loop inside a kernel's longest loop, and of what the longest has around it.

    Raises
    ------
    KernelInputError
        The kernel has no loop inside its longest one.
    """
    loops = _loops(code)
    inner = [loop for loop in loops[1:] if loops[0][0] < loop[0] and loop[1] < loops[0][1]]
    if not inner:
        raise KernelInputError("machine code: expected a loop inside another, got none")
    whole, inside = _count(code, loops[0]), _count(code, inner[0])
    around = LoopCount(
        whole.names - inside.names, whole.pipes - inside.pipes, whole.bank_conflicts - inside.bank_conflicts
    )
    return inside, around


def _loops(code: list[Instruction | str]) -> list[tuple[int, int]]:
    """Return the first and the last position of each loop, the longest first."""
    positions = {entry: position for position, entry in enumerate(code) if isinstance(entry, str)}
    loops = []
    for position, entry in enumerate(code):
        if isinstance(entry, str) or not entry.jumps_to:
            continue
        start = positions.get(entry.jumps_to, position)
        if start < position - 1:
            loops.append((start, position))
    return sorted(loops, key=lambda loop: loop[0] - loop[1])


def _count(code: list[Instruction | str], loop: tuple[int, int]) -> LoopCount:
    inside = [entry for entry in code[loop[0] : loop[1] + 1] if isinstance(entry, Instruction)]
    names, pipes = Counter(entry.name for entry in inside), Counter(entry.pipe for entry in inside)
    return LoopCount(names, pipes, _bank_conflicts(inside))


def _bank_conflicts(code: Iterable[Instruction]) -> int:
    """Return the number of instructions that fetch three registers of one bank; `.reuse` saves a fetch."""
    conflicts = 0
    kept: dict[int, int] = {}
    for instruction in code:
        operands = {slot: _SOURCE.fullmatch(text) for slot, text in enumerate(instruction.sources)}
        registers = {slot: int(operand["register"]) for slot, operand in operands.items() if operand}
        fetched = {register for slot, register in registers.items() if kept.get(slot) != register}
        conflicts += any(sum(register % 2 == bank for register in fetched) > 2 for bank in (0, 1))
        kept = {slot: registers[slot] for slot, operand in operands.items() if operand and operand["kept"]}
    return conflicts


def resources(cubin: bytes) -> dict[str, Resources]:
    """Return the resources of each kernel of a cubin, as cuobjdump reports them.

    Raises
    ------
    ToolMissingError
        cuobjdump is not installed, or failed.
    """
    text = _run("cuobjdump", ["-res-usage"], cubin)
    by_kernel = {}
    for kernel, numbers in re.findall(r"Function (\w+):\s*\n\s*(REG:.*)", text):
        values = {key: int(value) for key, value in re.findall(r"(\w+)(?:\[\d\])?:(\d+)", numbers)}
        by_kernel[kernel] = Resources(values["REG"], values["STACK"], values["LOCAL"])
    return by_kernel


def _run(name: str, options: list[str], cubin: bytes) -> str:
    command = tool_path(name)
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run([command, *options, file.name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolMissingError(f"{name} failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return done.stdout
