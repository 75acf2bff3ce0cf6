"""Loops of instructions as functions of this process, which run a given number of turns."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from llvmlite import binding, ir

from kernels.scan_cpu.throughput.instruction import Dialect

_I64 = ir.IntType(64)
_PAGE = 4096


class Probes:
    """Loops around lines of assembly, compiled together in some hundredths of a second.

    Parameters
    ----------
    dialect
        Assembly of this CPU. LLVM ends the process at a line that it cannot read.
    bodies
        Lines of each loop by name.
    """

    def __init__(self, dialect: Dialect, bodies: Mapping[str, Sequence[str]]) -> None:
        module = probe_module(dialect, bodies)
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        binding.initialize_native_asmparser()
        target, features = binding.Target.from_default_triple(), binding.get_host_cpu_features().flatten()
        machine = target.create_target_machine(binding.get_host_cpu_name(), features, opt=0, jit=True)
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), machine)
        self._engine.finalize_object()
        self._memory = ctypes.create_string_buffer(dialect.area_bytes + _PAGE)
        area = -(-ctypes.addressof(self._memory) // _PAGE) * _PAGE
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)
        self._functions: dict[str, Callable[[int], Any]] = {
            name: partial(_run, prototype(self._engine.get_function_address(f"probe{index}")), area)
            for index, name in enumerate(bodies)
        }

    def run(self, name: str, turns: int) -> None:
        """Run a loop for some turns, at least one."""
        self._functions[name](turns)


def _run(function: Callable[[int, int], None], area: int, turns: int) -> None:
    function(turns, area)


def probe_module(dialect: Dialect, bodies: Mapping[str, Sequence[str]]) -> ir.Module:
    """Return the loops as functions `probe0`, `probe1`, ..., of the number of turns and the address of the memory."""
    module = ir.Module()
    for index, lines in enumerate(bodies.values()):
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * 2), f"probe{index}")
        builder = ir.IRBuilder(function.append_basic_block())
        kind = ir.FunctionType(ir.LiteralStructType([_I64] * 2), [_I64] * 2)
        text = dialect.loop(lines).replace("$", "$$")
        builder.call(ir.InlineAsm(kind, text, dialect.constraints, side_effect=True), function.args)
        builder.ret_void()
    return module
