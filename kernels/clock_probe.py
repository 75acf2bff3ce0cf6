"""Chains of instructions of known latency: their time tells the core's clock, whatever the tables say."""

import platform
from typing import Any

from llvmlite import binding, ir
from numba import njit, types
from numba.extending import intrinsic

ADDS_PER_LOOP = 64

# Register to register: recent cores resolve additions of a small constant while renaming, in no time at all.
_ADD = {"x86_64": "addq $1, $0", "aarch64": "add $0, $0, $1"}


@intrinsic
def _add_chain(typingctx: Any, value: Any) -> Any:  # noqa: ARG001 (Numba's signature)
    """Emit ADDS_PER_LOOP dependent additions that the compiler cannot see through."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        binding.initialize_native_asmparser()
        word = ir.IntType(64)
        line = _ADD[platform.machine()]
        text = "\n".join([line] * ADDS_PER_LOOP)
        chain = ir.InlineAsm(ir.FunctionType(word, [word, word]), text, "=r,r,0,~{cc}", side_effect=True)
        return builder.call(chain, [ir.Constant(word, 1), arguments[0]])

    return types.int64(types.int64), codegen


@njit(nogil=True, cache=True)
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
