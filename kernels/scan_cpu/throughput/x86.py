"""x86 assembly in AT&T syntax: the classes of its instructions, and the same instructions without dependencies."""

import re
from collections.abc import Sequence
from itertools import cycle

from kernels.scan_cpu.throughput.instruction import BRANCHES, INTEGER, LOADS, MOVES, STORES, Instruction

_SHA = re.compile(r"sha256(rnds2|msg1|msg2)")

# Operations on vector registers, by the name without a leading v, and on integer registers; the first match counts.
_VECTOR = (
    ("transfers", r"mov[dq]$|pinsr|pextr|extractps|insertps|kmov|movmsk|pmovmskb"),
    ("shuffles", r"ps[rl]ldq|punpck|pshuf|shufp|palignr|align[dq]|perm|p?blend|unpck|mov[hl]|movddup|p?broadcast"),
    ("shuffles", r"insert|extract"),
    ("comparisons", r"ptest|pcmp|cmpp|kortest|ktest"),
    ("additions", r"padd|psub"),
    ("three-way logic", r"pternlog"),
    ("logic", r"p(xor|or|andn?)[dq]?$|(xor|or|andn?)p[sd]$|k(xor|or|and|not|unpck|shift)"),
    ("rotates", r"pro[rl]"),
    ("shifts", r"ps(rl|ll|ra)"),
    (MOVES, r"mov([au]p[sd]|dq[au]\d*)$"),
)
_INTEGER = (
    (MOVES, r"c?mov"),
    ("stack operations", r"push|pop"),
    ("rotates", r"ro[rl]"),
    ("shifts", r"s[ah][rl]"),
    ("logic", r"xor|or|andn?|not|test|bswap|set|bt"),
    ("additions", r"add|sub|inc|dec|neg|lea|cmp|adc|sbb"),
    ("multiplications", r"i?mul"),
)
_BRANCH = re.compile(r"j|call|ret")
_PURE = re.compile(r"mov|p?broadcast|lddqu")  # with a memory operand it is only a load or a store
_READS_ONLY = re.compile(r"cmp|test|bt[lq]?$|v?ptest$|k(or)?test|v?u?comis")
# Instructions with operands that are not written down, or that cannot be repeated freely.
_LEFT_OUT = re.compile(
    r"j|call|ret|push|pop|i?mul[bwlq]?$|i?div|c[dqwl]t|cwt|clt|leave|vzero|nop|ud2|rep|lock|xchg|v?pgather|v?pscatter"
)
_NARROW = re.compile(r"mov[dq]$|movddup|broadcast|extr|insr")  # a vector register with a few bytes of memory
_MEMORY = re.compile(r"(?P<offset>[^(%]*)(?:\((?P<inside>[^)]*)\))?(?P<suffix>\s*\{1to\d+\})?")
_WIDE = re.compile(r"%(?P<kind>[xyz]mm)(?P<number>\d+)(?P<suffix>(?:\s*\{[^}]*\})*)")
_MASK = re.compile(r"%k\d(?:\s*\{[^}]*\})*")
_GENERAL = re.compile(r"%(?:r\d+[dwb]?|[re]?[abcd]x|[abcd][lh]|[re]?[sd]i|[sd]il|[re]?bp|[re]?sp)")
_NUMBER = re.compile(r"-?(?:0x[0-9a-f]+|\d+)")

# A probe writes to some registers in turn and reads others that it never writes. Two different ones: a register
# combined with itself may be a zero that needs no work. Legacy instructions reach 0 to 15 and imply 0.
_LOW, _LOW_READ = (1, 2, 3, 4, 5, *range(8, 16)), (6, 7)
_HIGH, _HIGH_READ = tuple(range(16, 30)), (30, 31)
_INTEGERS, _INTEGERS_READ = ("rax", "rbx", "r8", "r9", "r10", "r11", "r12", "r13"), ("rcx", "rdx")
_LOADED, _STORED, _TURNS = "rdi", "rsi", "r15"
_PAGE, _WINDOW = 4096, 2048  # [byte] loads use the first half of a page, stores the second half of another one
_PURE_LOADS = {"zmm": ("vmovdqu64", "%zmm16"), "ymm": ("vmovdqu", "%ymm1"), "xmm": ("vmovdqu", "%xmm1"),
               "sse": ("movdqu", "%xmm1"), INTEGER: ("movq", "%rax")}  # fmt: skip


class X86Assembly:
    """x86-64 with or without AVX.

    Parameters
    ----------
    avx
        Whether the probes start and end with `vzeroupper`.
    """

    area_bytes = 2 * _PAGE
    # Three integer operations, two of vectors, two loads and a copy keep no port of a core busy that reads up to eight
    # instructions a cycle. Instructions without any work would not do: a Zen 4 core reads ten a cycle.
    front_end: tuple[str, ...] = (
        "andl %ecx, %eax", "pand %xmm6, %xmm1", "movl (%rdi), %ebx", "andl %ecx, %r8d",
        "pand %xmm6, %xmm2", "movl (%rdi), %r9d", "andl %ecx, %r10d", "movl %edx, %r11d",
    ) * 96  # fmt: skip
    constraints = ",".join(
        [
            f"={{{_TURNS}}}", f"={{{_LOADED}}}", "0", "1",
            *(f"~{{xmm{number}}}" for number in range(16)),
            *(f"~{{{name}}}" for name in (*_INTEGERS, *_INTEGERS_READ, _STORED)),
            "~{memory}", "~{flags}",
        ]
    )  # fmt: skip

    def __init__(self, *, avx: bool) -> None:
        self._setup = ["vzeroupper"] if avx else []

    def parse(self, line: str) -> Instruction:
        """Return the instruction of a line."""
        mnemonic, _, rest = line.replace("\t", " ").partition(" ")
        operands = tuple(part.strip() for part in re.split(r",(?![^(]*\))", rest) if part.strip())
        memory = [place for place, text in enumerate(operands) if not text.startswith(("%", "$"))]
        touches = bool(memory) and not mnemonic.startswith("lea") and not _BRANCH.match(mnemonic)
        writes = touches and memory[-1] == len(operands) - 1 and not _READS_ONLY.match(mnemonic)
        kind = _class_of(mnemonic, operands, loads=touches and not writes, stores=writes)
        return Instruction(mnemonic, operands, kind, loads=touches and not writes, stores=writes)

    def independent(self, instructions: Sequence[Instruction]) -> list[str]:
        """Return the instructions with other registers and addresses, so that none waits for another.

        Each writes to the next register of a ring and reads registers that none writes. Legacy instructions read what
        they write as well; by then the ring has been around once. Jumps, calls and pushes are left out.
        """
        writer = _Writer()
        lines = (writer.line(one) for one in instructions if not _LEFT_OUT.match(one.mnemonic))
        return [line for line in lines if line]

    def memory_part(self, instruction: Instruction) -> Instruction:
        """Return the store itself, or a load of the same width."""
        if instruction.stores:
            return instruction
        address = next(text for text in instruction.operands if not text.startswith(("%", "$")))
        registers = _registers(instruction.mnemonic, instruction.operands)
        move, result = _PURE_LOADS[registers]
        return Instruction(move, (address.partition("{")[0], result), f"{registers} {LOADS}", loads=True)

    def loop(self, lines: Sequence[str]) -> str:
        """Return the text of a loop around lines."""
        stored = f"leaq {_PAGE + _PAGE - _WINDOW // 2}(%{_LOADED}), %{_STORED}"
        loaded = f"addq ${_WINDOW // 2}, %{_LOADED}"
        text = [*self._setup, stored, loaded, ".p2align 6", "77:", *lines, f"decq %{_TURNS}", "jne 77b", *self._setup]
        return "\n".join(text)


def _registers(mnemonic: str, operands: Sequence[str]) -> str:
    """Return the widest kind of register: zmm, ymm, xmm, sse (xmm in legacy encoding) or integer."""
    wide = {match["kind"] for text in operands if (match := _WIDE.match(text))}
    if wide:
        widest = max(wide)
        return widest if widest != "xmm" or mnemonic.startswith("v") else "sse"
    return "xmm" if any(text.startswith("%k") for text in operands) else INTEGER


def _class_of(mnemonic: str, operands: Sequence[str], *, loads: bool, stores: bool) -> str:
    if _SHA.match(mnemonic):
        return mnemonic
    if _BRANCH.match(mnemonic):
        return f"{INTEGER} {BRANCHES}"
    registers = _registers(mnemonic, operands)
    table, name = (_INTEGER, mnemonic) if registers == INTEGER else (_VECTOR, mnemonic.removeprefix("v"))
    operation = next((operation for operation, pattern in table if re.match(pattern, name)), "others")
    if stores:
        operation = STORES
    elif loads and _PURE.match(name):
        operation = LOADS
    return f"{registers} {operation}"


class _Writer:
    """A writer of instructions on the registers of a probe."""

    def __init__(self) -> None:
        self._low, self._high, self._integers = cycle(_LOW), cycle(_HIGH), cycle(_INTEGERS)

    def line(self, instruction: Instruction) -> str:
        """Return the line of an instruction, or an empty text if it has an operand of another kind."""
        operands = instruction.operands
        last = len(operands) - 1
        written = "" if instruction.stores or _READS_ONLY.match(instruction.mnemonic) else self._next(operands[-1:])
        names = {text for text in operands if not text.startswith("$")}
        is_zero = len(names) == 1 and last > 0 and re.search("xor|sub|pcmpeq", instruction.mnemonic)
        texts = []
        for place, text in enumerate(operands):
            if written and (place == last or is_zero):
                texts.append(written)
            elif text.startswith("$"):
                texts.append(text if _NUMBER.fullmatch(text[1:]) else "$0x1122334455667788")
            elif text.startswith("%"):
                implied = place == 0 and last == 2 and instruction.kind.startswith(("sha", "sse")) and text == "%xmm0"
                texts.append(text if implied else _read(text, place))
            else:
                texts.append(_address(instruction, text))
        return f"{instruction.mnemonic} {', '.join(texts)}" if all(texts) else ""

    def _next(self, result: Sequence[str]) -> str:
        """Return the next register of the same kind as a result, or an empty text if it has none."""
        text = "".join(result)
        if match := _WIDE.fullmatch(text):
            ring = self._high if int(match["number"]) in {*_HIGH, *_HIGH_READ} else self._low
            return f"%{match['kind']}{next(ring)}{match['suffix']}"
        if _MASK.fullmatch(text):
            return text
        return f"%{_as_wide(next(self._integers), text[1:])}" if _GENERAL.fullmatch(text) else ""


def _read(text: str, place: int) -> str:
    """Return a register of the same kind that no instruction writes, or an empty text if there is none."""
    if match := _WIDE.fullmatch(text):
        registers = _HIGH_READ if int(match["number"]) in {*_HIGH, *_HIGH_READ} else _LOW_READ
        return f"%{match['kind']}{registers[place % 2]}{match['suffix']}"
    if _MASK.fullmatch(text) or text == "%cl":
        return text
    return f"%{_as_wide(_INTEGERS_READ[place % 2], text[1:])}" if _GENERAL.fullmatch(text) else ""


def _address(instruction: Instruction, text: str) -> str:
    """Return an address in the memory of a probe, whose offset is as long as before."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        return ""
    offset, inside, suffix = match["offset"], match["inside"] or "", match["suffix"] or ""
    number = int(offset, 0) if _NUMBER.fullmatch(offset) else 0 if not offset else _WINDOW // 4
    if instruction.mnemonic.startswith("lea"):
        base, index = (f"%{name}" for name in _INTEGERS_READ)
        scale = inside.split(",")[2].strip() if inside.count(",") == 2 else "1"
        first = base if not inside.startswith(",") else ""
        return f"{number}({first},{index},{scale})" if "," in inside else f"{number}({base})"
    near = (number + _WINDOW // 2) % _WINDOW - _WINDOW // 2
    aligned = near // _alignment(instruction) * _alignment(instruction)
    return f"{aligned}(%{_STORED if instruction.stores else _LOADED}){suffix}"


def _alignment(instruction: Instruction) -> int:
    """Return the bytes to which an address may have to be aligned; other offsets are kept, with the banks they use."""
    if _NARROW.search(instruction.mnemonic):
        return 8
    return {"zmm": 64, "ymm": 32, INTEGER: 8}.get(_registers(instruction.mnemonic, instruction.operands), 16)


def _as_wide(name: str, like: str) -> str:
    """Return the part of a 64-bit register that is as wide as another register."""
    numbered = name[1:].isdigit()
    if re.fullmatch(r"r(\d+|[abcd]x|[sd]i|[bs]p)", like):
        return name
    if like.startswith("e") or re.fullmatch(r"r\d+d", like):
        return f"{name}d" if numbered else f"e{name[1:]}"
    if re.fullmatch(r"r\d+w|[abcd]x|[sd]i|[bs]p", like):
        return f"{name}w" if numbered else name[1:]
    return f"{name}b" if numbered else f"{name[1]}l"
