"""Loops of independent instructions of one kind, whose time gives the kind's throughput on this core."""

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir

from kernels.compiler import intrinsic, types
from kernels.jit import cached_njit
from kernels.scan_cpu.variants import compiled_features

PER_LOOP = 960

# AT&T syntax. zmm uses registers 16 to 31; the SHA instructions reach 0 to 15 only and read 0 implicitly.
_LINES = {
    "zmm": "vpaddd %zmm30, %zmm31, %zmm{wide}",
    "ymm": "vpaddd %ymm14, %ymm15, %ymm{narrow}",
    "sha256rnds2": "sha256rnds2 %xmm15, %xmm{narrow}",
}
_FEATURES = {"zmm": "avx512f", "ymm": "avx2", "sha256rnds2": "sha"}


def _code(name: str) -> Callable[..., Any]:
    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        binding.initialize_native_asmparser()
        lines = [_LINES[name].format(wide=16 + i % 12, narrow=1 + i % 12) for i in range(PER_LOOP)]
        if name != "sha256rnds2":
            lines.append("vzeroupper")
        text = "\n".join(lines)
        clobbers = ",".join(f"~{{xmm{n}}}" for n in range(32 if name == "zmm" else 16))
        block = ir.InlineAsm(ir.FunctionType(ir.VoidType(), []), text, clobbers, side_effect=True)
        builder.call(block, [])
        return arguments[0]

    return generate


@intrinsic
def _zmm_block(_typing: Any, _value: Any) -> Any:
    return types.int64(types.int64), _code("zmm")


@intrinsic
def _ymm_block(_typing: Any, _value: Any) -> Any:
    return types.int64(types.int64), _code("ymm")


@intrinsic
def _sha_block(_typing: Any, _value: Any) -> Any:
    return types.int64(types.int64), _code("sha256rnds2")


@cached_njit()
def _zmm(loops: int) -> None:
    for i in range(loops):
        _zmm_block(i)


@cached_njit()
def _ymm(loops: int) -> None:
    for i in range(loops):
        _ymm_block(i)


@cached_njit()
def _sha256rnds2(loops: int) -> None:
    for i in range(loops):
        _sha_block(i)


def probes() -> dict[str, Callable[[int], None]]:
    """Return the probes that this CPU can run, by name.

    `zmm` and `ymm` add 32-bit lanes, `sha256rnds2` does two rounds. A probe takes the number of loops and executes
    PER_LOOP instructions in each.
    """
    functions = {"zmm": _zmm, "ymm": _ymm, "sha256rnds2": _sha256rnds2}
    features = compiled_features()
    return {name: function for name, function in functions.items() if _FEATURES[name] in features}
