"""AArch64 assembly: the classes of its instructions, and one instruction of each class for the probes.

The probes have never been run: the tests compile and assemble them for two CPUs.
"""

import re
from collections.abc import Sequence
from itertools import cycle

from kernels.scan_cpu.throughput.instruction import BRANCHES, INTEGER, LOADS, MOVES, STORES, Instruction

_SHA = re.compile(r"sha256(h2?|su[01])$")
_BRANCH = re.compile(r"(b|bl|br|blr|ret|b\.\w+|cbn?z|tbn?z)$")
_LOAD, _STORE = re.compile(r"ld"), re.compile(r"st")
_VECTOR_OPERAND = re.compile(r"[vqds]\d")
NEON = "neon"
_NEON = (
    ("comparisons", r"cm|umax|umin|addv|addp"),
    ("additions", r"add|sub"),
    ("logic", r"eor|orr|orn|and|bic|bsl|bit|bif|mvn"),
    ("shifts", r"ushr|sshr|shl|sri|sli|usra"),
    ("transfers", r"fmov|umov|smov|ins"),
    ("shuffles", r"ext|dup|zip|uzp|trn|rev|tbl"),
    (MOVES, r"mov"),
)
_INTEGER = (
    ("rotates", r"ror|extr"),
    ("shifts", r"ls[lr]|asr|ubfx|ubfiz|bfi|bfxil|sbfx|bfc"),
    ("logic", r"eor|eon|orr|orn|and|bic|tst|rev|mvn"),
    ("additions", r"add|sub|cmp|cmn|neg|ccm|cs|cinc|adr"),
    (MOVES, r"mov"),
    ("multiplications", r"mul|madd|umull|umaddl"),
)
_TEMPLATES = {
    "sha256h": "sha256h q{ring}, q30, v31.4s",
    "sha256h2": "sha256h2 q{ring}, q30, v31.4s",
    "sha256su0": "sha256su0 v{ring}.4s, v31.4s",
    "sha256su1": "sha256su1 v{ring}.4s, v30.4s, v31.4s",
    f"{NEON} additions": "add v{ring}.4s, v30.4s, v31.4s",
    f"{NEON} logic": "eor v{ring}.16b, v30.16b, v31.16b",
    f"{NEON} shifts": "ushr v{ring}.4s, v31.4s, #7",
    f"{NEON} shuffles": "ext v{ring}.16b, v30.16b, v31.16b, #4",
    f"{NEON} {MOVES}": "mov v{ring}.16b, v31.16b",
    f"{NEON} {LOADS}": "ldr q{ring}, [x14]",
    f"{NEON} {STORES}": "str q31, [x13]",
    f"{INTEGER} additions": "add w{integer}, w11, w12",
    f"{INTEGER} logic": "eor w{integer}, w11, w12",
    f"{INTEGER} rotates": "ror w{integer}, w11, #7",
    f"{INTEGER} shifts": "lsr w{integer}, w11, #3",
    f"{INTEGER} {MOVES}": "mov w{integer}, w11",
    f"{INTEGER} {LOADS}": "ldr w{integer}, [x14]",
    f"{INTEGER} {STORES}": "str w11, [x13]",
}
_RING, _INTEGERS = range(30), range(11)  # v30, v31, w11 and w12 are read only


class ArmAssembly:
    """AArch64 with the SHA-256 instructions."""

    area_bytes = 8192
    front_end: tuple[str, ...] = (
        "add w0, w11, w12", "eor v0.16b, v30.16b, v31.16b", "ldr w1, [x14]", "add w2, w11, w12",
        "eor v1.16b, v30.16b, v31.16b", "ldr w3, [x14]", "add w4, w11, w12", "mov w5, w11",
    ) * 96  # fmt: skip
    constraints = ",".join(
        [
            "={x15}", "={x14}", "0", "1",
            *(f"~{{v{number}}}" for number in range(32)),
            *(f"~{{x{number}}}" for number in range(14)),
            "~{memory}", "~{cc}",
        ]
    )  # fmt: skip

    def parse(self, line: str) -> Instruction:
        """Return the instruction of a line."""
        mnemonic, _, rest = line.replace("\t", " ").partition(" ")
        operands = tuple(part.strip() for part in rest.split(",") if part.strip())
        loads, stores = bool(_LOAD.match(mnemonic)), bool(_STORE.match(mnemonic))
        return Instruction(mnemonic, operands, _class_of(mnemonic, rest, loads=loads, stores=stores), loads, stores)

    def independent(self, instructions: Sequence[Instruction]) -> list[str]:
        """Return one instruction of the same class for each; a class without a probe is left out."""
        ring, integers = cycle(_RING), cycle(_INTEGERS)
        templates = [_TEMPLATES[one.kind] for one in instructions if one.kind in _TEMPLATES]
        return [
            text.format(ring=next(ring)) if "{ring}" in text else text.format(integer=next(integers))
            for text in templates
        ]

    def memory_part(self, instruction: Instruction) -> Instruction:
        """Return the instruction: none computes and reads memory at once."""
        return instruction

    def loop(self, lines: Sequence[str]) -> str:
        """Return the text of a loop around lines."""
        stored = ["add x13, x14, #4095", "add x13, x13, #2049"]
        return "\n".join([*stored, ".p2align 6", "77:", *lines, "subs x15, x15, #1", "b.ne 77b"])


def _class_of(mnemonic: str, operands: str, *, loads: bool, stores: bool) -> str:
    if _SHA.match(mnemonic):
        return mnemonic
    if _BRANCH.match(mnemonic):
        return f"{INTEGER} {BRANCHES}"
    vector = _VECTOR_OPERAND.search(operands) is not None
    registers, table = (NEON, _NEON) if vector else (INTEGER, _INTEGER)
    operation = next((operation for operation, pattern in table if re.match(pattern, mnemonic)), "others")
    return f"{registers} {LOADS if loads else STORES if stores else operation}"
