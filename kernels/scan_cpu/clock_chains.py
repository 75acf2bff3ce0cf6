"""The compiled loops of `kernels.scan_cpu.clock_probe`, whose additions stand in assembly."""

import platform
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir

from kernels.compiler import intrinsic, njit, types
from kernels.native import Code, emit
from kernels.scan_cpu.clock_probe import ADDS_PER_LOOP, FIVES_PER_LOOP

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


def _dependent(loops: Any) -> Any:
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


def _independent(loops: Any) -> Any:
    value = 1
    for _ in range(loops):
        value = _five_chains(value)
    return value


_LOOPS = {"dependent": _dependent, "independent": _independent}


def loop_code(name: str) -> Code:
    """Return the machine code of the loop `dependent` or `independent`."""
    return emit(_LOOPS[name], types.int64(types.int64))


def numba_loop(name: str) -> Callable[[int], int]:
    """Return the loop as Numba runs it."""
    loop: Callable[[int], int] = njit(nogil=True)(_LOOPS[name])
    return loop
