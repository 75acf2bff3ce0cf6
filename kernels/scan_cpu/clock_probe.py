"""Additions of known latency and throughput, whose times give the core's clock and show a busy hyperthread."""

import platform
from typing import Any

from llvmlite import binding, ir

from kernels.compiler import intrinsic, types
from kernels.jit import cached_njit

ADDS_PER_LOOP = 64
FIVES_PER_LOOP = 20

# Register to register: recent cores resolve additions of a small constant while renaming, in no cycle.
_ADD = {"x86_64": "addq $1, $0", "aarch64": "add $0, $0, $1"}
_FIVE_ADDS = {
    "x86_64": ("addq $0, %{}", ("r8", "r9", "r10", "r11", "rdx")),
    "aarch64": ("add {0}, {0}, $0", ("x9", "x10", "x11", "x12", "x13")),
}


@intrinsic
def _add_chain(typingctx: Any, value: Any) -> Any:  # noqa: ARG001 (Numba's signature)
    """Emit ADDS_PER_LOOP dependent additions as assembly, which the compiler cannot shorten."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        binding.initialize_native_asmparser()
        word = ir.IntType(64)
        line = _ADD[platform.machine()]
        text = "\n".join([line] * ADDS_PER_LOOP)
        chain = ir.InlineAsm(ir.FunctionType(word, [word, word]), text, "=r,r,0,~{cc}", side_effect=True)
        return builder.call(chain, [ir.Constant(word, 1), arguments[0]])

    return types.int64(types.int64), codegen


@cached_njit()
def dependent_adds(loops: int) -> int:
    """Execute `loops * ADDS_PER_LOOP` dependent 64-bit additions, one a cycle, and return their sum.

    References
    ----------
    Latency 1 on every x86-64 and ARMv8 core listed at uops.info and in Arm's optimisation guides.
    """
    value = 0
    for _ in range(loops):
        value = _add_chain(value)
    return value


@intrinsic
def _five_chains(typingctx: Any, value: Any) -> Any:  # noqa: ARG001 (Numba's signature)
    """Emit FIVES_PER_LOOP groups of five additions that do not depend on each other."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        binding.initialize_native_asmparser()
        word = ir.IntType(64)
        line, registers = _FIVE_ADDS[platform.machine()]
        text = "\n".join([line.format(register) for register in registers] * FIVES_PER_LOOP)
        clobbers = ",".join(f"~{{{register}}}" for register in (*registers, "cc"))
        block = ir.InlineAsm(ir.FunctionType(ir.VoidType(), [word]), text, f"r,{clobbers}", side_effect=True)
        builder.call(block, [arguments[0]])
        return arguments[0]

    return types.int64(types.int64), codegen


@cached_njit()
def independent_adds(loops: int) -> int:
    """Execute `loops * FIVES_PER_LOOP` groups of five independent additions.

    They fill the integer ports of a core, so that another process on its second hyperthread slows them down.
    """
    value = 1
    for _ in range(loops):
        value = _five_chains(value)
    return value
