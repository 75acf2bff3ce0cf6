"""The pipelined scan step as Numba intrinsics: one prepares its memory, one runs the assembly of a step."""

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import binding, ir

from kernels.compiler import intrinsic, types
from kernels.scan_cpu.codegen.assembly_target import Early
from kernels.scan_cpu.codegen.lanes_step import JOB_TYPE, job_values
from kernels.scan_cpu.codegen.lanes_target import I32, LaneTarget, declare
from kernels.scan_cpu.codegen.pipeline_assembly import TABLE_BIAS, Pipeline, Program, Shape
from kernels.sha256.graph import Time

I64 = ir.IntType(64)

# For Zen 4: 256-bit vectors slow the SHA instructions little, three-way logic slows them much; seven chains, as many as
# the registers hold, hide their latency.
HYBRID = Shape("ymm", 8, chains=7, spared_ternary=3, run=4)
# For Intel from Golden Cove on: a SHA instruction keeps its unit busy for three cycles and its port for one.
MIXED = Shape("zmm", 16, chains=4, vector_hashes=2)

LAG = 4  # steps from the entry of a batch to its test

_CLOBBERS = [f"~{{xmm{n}}}" for n in range(32)] + ["~{k1}", "~{r10}", "~{memory}", "~{flags}"]
_REGISTERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")


@cache
def program(shape: Shape) -> Program:
    """Return the program of a step."""
    return Pipeline(shape).program()


def prepare_code(shape: Shape) -> Callable[..., Any]:
    """Return the code generator of a step's memory, from a job tuple to an address valid until the caller returns."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        inputs, mask = job_values(builder, arguments[0])
        inputs["mask"] = mask
        target = LaneTarget(builder, 1, inputs)
        values: dict[Early, ir.Value] = {}

        def value(word: Early) -> ir.Value:
            if word not in values:
                if word.operation == "input":
                    values[word] = inputs[str(word.immediate)]
                elif word.operation in {"constant", "saved"}:
                    values[word] = I32(int(word.immediate))
                else:
                    parts = [value(argument) for argument in word.arguments]
                    values[word] = target.apply(word.operation, Time.JOB, parts, int(word.immediate))
            return values[word]

        step = program(shape)
        with builder.goto_entry_block():
            memory = builder.alloca(ir.ArrayType(ir.IntType(8), step.table_bytes + 2 * step.scratch_bytes))
        memory.align = 64
        table = builder.bitcast(memory, I32.as_pointer())
        for index, word in enumerate(step.table):
            builder.store(value(word), builder.gep(table, [I32(index)]))
        return builder.ptrtoint(memory, I64)

    return generate


def step_code(shape: Shape) -> Callable[..., Any]:
    """Return the code generator of a step.

    The generated function takes the address of the memory, the parity of the step's number, the first nonce that enters
    and the first nonce that is tested, and returns the bits of the candidates.
    """

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        binding.initialize_native_asmparser()
        memory, parity, entering, tested = arguments
        step = program(shape)
        near = builder.add(memory, I64(step.table_bytes))
        far = builder.add(near, I64(step.scratch_bytes))
        odd = builder.icmp_unsigned("!=", parity, I32(0))
        swap = declare(builder, "llvm.bswap.i32", I32, [I32])
        lanes = [builder.add(tested, I32(shape.lanes * (1 + index))) for index in range(shape.vector_hashes)]
        operands = [
            builder.add(memory, I64(TABLE_BIAS)),
            builder.select(odd, far, near),
            builder.select(odd, near, far),
        ]
        operands += [builder.zext(builder.call(swap, [nonce]), I64) for nonce in [entering, *lanes]]
        inputs = [f"{{{register}}}" for register in _REGISTERS[: len(operands)]]
        block = ir.InlineAsm(
            ir.FunctionType(I64, [I64] * len(operands)),
            step.text,
            ",".join(["={rax}", *inputs, *_CLOBBERS]),
            side_effect=True,
        )
        return builder.call(block, operands)

    return generate


PREPARE_SIGNATURE = types.uint64(JOB_TYPE)
STEP_SIGNATURE = types.uint64(types.uint64, types.uint32, types.uint32, types.uint32)


@intrinsic
def prepare_hybrid(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `hybrid`."""
    return PREPARE_SIGNATURE, prepare_code(HYBRID)


@intrinsic
def scan_step_hybrid(_typing: Any, _memory: Any, _parity: Any, _entering: Any, _tested: Any) -> Any:
    """Take in eight nonces and return the bits of those that entered LAG steps ago."""
    return STEP_SIGNATURE, step_code(HYBRID)


@intrinsic
def prepare_mixed(_typing: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `mixed`."""
    return PREPARE_SIGNATURE, prepare_code(MIXED)


@intrinsic
def scan_step_mixed(_typing: Any, _memory: Any, _parity: Any, _entering: Any, _tested: Any) -> Any:
    """Take in 48 nonces and return the bits of those that entered LAG steps ago."""
    return STEP_SIGNATURE, step_code(MIXED)
