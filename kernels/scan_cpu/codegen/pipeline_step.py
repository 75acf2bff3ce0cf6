"""The pipelined scan step as Numba intrinsics: one prepares its memory, one runs the assembly of a step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from llvmlite import binding, ir

from kernels.compiler import intrinsic, types
from kernels.scan_cpu.codegen.early import store_words
from kernels.scan_cpu.codegen.lanes_step import JOB_TYPE, job_values
from kernels.scan_cpu.codegen.lanes_target import I32, LaneTarget, declare
from kernels.scan_cpu.codegen.pipeline_assembly import Pipeline
from kernels.scan_cpu.codegen.pipeline_layout import (
    CONSTANTS,
    MIDSTATE,
    PART,
    TABLE,
    TABLE_BIAS,
    P,
    Q,
    R,
    S,
    Shape,
)
from kernels.sha256.description import tail_block
from kernels.sha256.reference import INTEGERS
from kernels.sha256.scan_graph import TAIL_INPUTS

I64 = ir.IntType(64)

# For Zen 4: 256-bit vectors slow the SHA instructions little, three-way logic slows them much; seven chains, as many as
# the registers hold, hide their latency; vectors that wait for others slow the SHA instructions too.
HYBRID = Shape("ymm", 8, chains=7, ternary=False, turns=2, distance=4)
# For Intel from Golden Cove on: a SHA instruction keeps its unit busy for three cycles and its port for one.
MIXED = Shape("zmm", 16, chains=4, vector_hashes=2)

LAG = 4  # steps from the entry of a batch to its test; with several midstates 3 after the next nonces enter

TURN_TYPE = types.UniTuple(types.uint32, 3)
_CLOBBERS = [f"~{{xmm{n}}}" for n in range(32)] + ["~{k1}", "~{r10}", "~{memory}", "~{flags}"]
_REGISTERS = (TABLE, P, Q, R, MIDSTATE, S, "r11", PART, CONSTANTS, "r14", "r15")


@dataclass(frozen=True)
class Step:
    """The step of a pipeline and the layout of its memory [byte]."""

    pipeline: Pipeline
    text: str  # assembly
    scratch: int  # offset of P; Q follows
    rows: int  # offset of R; S follows
    midstates: int  # offset of the midstates' tables
    midstate_bytes: int  # of one of them
    end: int


@cache
def pipeline_step(shape: Shape, midstates: int) -> Step:
    """Return the step of a pipeline."""
    pipeline = Pipeline(shape, midstates)
    program = pipeline.program()
    rows = program.table_bytes + 2 * program.scratch_bytes
    tables = rows + 2 * program.rows_bytes
    midstate_bytes = -(-4 * len(pipeline.tables.midstate.words) // 64) * 64
    end = tables + midstates * midstate_bytes
    return Step(pipeline, program.text, program.table_bytes, rows, tables, midstate_bytes, end)


def prepare_code(shape: Shape, midstates: int) -> Callable[..., Any]:
    """Return the code generator of a step's memory, from jobs and a job tuple to an address.

    The address is valid until the caller returns.
    """

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        step = pipeline_step(shape, midstates)
        with builder.goto_entry_block():
            memory = builder.alloca(ir.ArrayType(ir.IntType(8), step.end))
        memory.align = 64
        inputs, mask = job_values(builder, arguments[1])
        table = builder.bitcast(memory, I32.as_pointer())
        store_words(builder, step.pipeline.tables.job.words, {**inputs, "mask": mask}, table)
        if step.pipeline.midstates > 1:
            _store_schedule(builder, step, inputs, table)
        return builder.ptrtoint(memory, I64)

    return generate


def _store_schedule(builder: ir.IRBuilder, step: Step, inputs: dict[str, ir.Value], memory: ir.Value) -> None:
    """Store the first sixteen words of schedule 1 in R and S, each in all lanes; the nonce's word comes later."""
    lanes = step.pipeline.shape.lanes
    target = LaneTarget(builder, lanes, inputs)
    block = tail_block(INTEGERS, [0] * 3, 0)
    words = [inputs[name] for name in TAIL_INPUTS] + [I32(word) for word in block[3:]]
    for area, batch in product(range(2), range(1 + step.pipeline.shape.vector_hashes)):
        start = step.rows + area * (step.midstates - step.rows) // 2 + step.pipeline.layout.word(batch, 0)
        pointer = builder.bitcast(builder.gep(memory, [I32(start // 4)]), target.word.as_pointer())
        for index, word in enumerate(words):
            builder.store(target.broadcast(word), builder.gep(pointer, [I32(index)]))


def prepare_midstate_code(shape: Shape, midstates: int) -> Callable[..., Any]:
    """Return the code generator of a midstate's table, from jobs, a job tuple, the memory and the midstate's index."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        step = pipeline_step(shape, midstates)
        _, job, memory, index = arguments
        inputs, _ = job_values(builder, job)
        table = builder.inttoptr(_midstate_address(builder, step, memory, index), I32.as_pointer())
        store_words(builder, step.pipeline.tables.midstate.words, inputs, table)
        return memory

    return generate


def _midstate_address(builder: ir.IRBuilder, step: Step, memory: ir.Value, index: ir.Value) -> ir.Value:
    offset = builder.mul(builder.zext(index, I64), I64(step.midstate_bytes))
    return builder.add(builder.add(memory, I64(step.midstates)), offset)


def step_code(shape: Shape, midstates: int) -> Callable[..., Any]:
    """Return the code generator of a step.

    The generated function takes the jobs, the address of the memory, the turn, the first nonce that enters and the
    first nonce that is tested, and returns the bits of the candidates. A turn is the parity of the step's number, the
    parity of the number of batches that have entered, and the index of the midstate.
    """

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        binding.initialize_native_asmparser()
        _, memory, turn, entering, tested = arguments
        parity, rows_parity, midstate = (builder.extract_value(turn, index) for index in range(3))
        step = pipeline_step(shape, midstates)
        swap = declare(builder, "llvm.bswap.i32", I32, [I32])
        # The vectors hash the nonces that are tested. With several midstates these get a schedule first.
        on_vectors = tested if midstates == 1 else entering
        lanes = [builder.add(on_vectors, I32(shape.lanes * (1 + index))) for index in range(shape.vector_hashes)]

        def areas(parity: ir.Value, start: int, end: int) -> list[ir.Value]:
            even, odd = (builder.add(memory, I64(offset)) for offset in (start, (start + end) // 2))
            is_odd = builder.icmp_unsigned("!=", parity, I32(0))
            return [builder.select(is_odd, odd, even), builder.select(is_odd, even, odd)]

        def nonce(first: ir.Value) -> ir.Value:
            return builder.zext(builder.call(swap, [first]), I64)

        def part(start: ir.Value, words: int, size: int) -> ir.Value:
            """Return the address of the words of this step, after those of the midstates before."""
            return builder.add(start, builder.mul(builder.zext(midstate, I64), I64(words * size)))

        p, q = areas(parity, step.scratch, step.rows)
        s, r = areas(rows_parity, step.rows, step.midstates)
        words = 48 // step.pipeline.midstates
        constants = builder.add(memory, I64(4 * step.pipeline.vectors.constants))
        operands = [
            builder.add(memory, I64(TABLE_BIAS)),
            p,
            q,
            r,
            _midstate_address(builder, step, memory, midstate),
            s,
        ]
        operands += [nonce(entering), part(s, words, step.pipeline.layout.vector), part(constants, words, 4)]
        operands += [nonce(first) for first in lanes]
        return builder.call(_step_function(builder.module, step), operands)

    return generate


def _step_function(module: ir.Module, step: Step) -> ir.Function:
    """Return the module's function with the assembly of a step.

    LLVM counts the assembly as one instruction. In a function of its own it is not copied when a loop is unrolled,
    which would take several times the instruction cache.
    """
    shape, midstates = step.pipeline.shape, step.pipeline.midstates
    name = f"perwatt_step_{shape.register}_{shape.chains}_{shape.vector_hashes}_{midstates}"
    if name in module.globals:
        return module.globals[name]
    operands = [I64] * (9 + shape.vector_hashes)
    function = ir.Function(module, ir.FunctionType(I64, operands), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    registers = ",".join(f"{{{register}}}" for register in _REGISTERS[: len(operands)])
    assembly = ir.InlineAsm(function.ftype, step.text, ",".join(["={rax}", registers, *_CLOBBERS]), side_effect=True)
    builder.ret(builder.call(assembly, function.args))
    return function


def _prepare(shape: Shape, jobs: Any) -> Any:
    return types.uint64(jobs, JOB_TYPE), prepare_code(shape, jobs.count)


def _prepare_midstate(shape: Shape, jobs: Any) -> Any:
    return types.uint64(jobs, JOB_TYPE, types.uint64, types.uint32), prepare_midstate_code(shape, jobs.count)


def _step(shape: Shape, jobs: Any) -> Any:
    return types.uint64(jobs, types.uint64, TURN_TYPE, types.uint32, types.uint32), step_code(shape, jobs.count)


@intrinsic
def prepare_hybrid(_typing: Any, jobs: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `hybrid`."""
    return _prepare(HYBRID, jobs)


@intrinsic
def prepare_midstate_hybrid(_typing: Any, jobs: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `hybrid` and return its address."""
    return _prepare_midstate(HYBRID, jobs)


@intrinsic
def scan_step_hybrid(_typing: Any, jobs: Any, _memory: Any, _turn: Any, _entering: Any, _tested: Any) -> Any:
    """Take in eight nonces with one midstate and return the bits of the nonces that are tested."""
    return _step(HYBRID, jobs)


@intrinsic
def prepare_mixed(_typing: Any, jobs: Any, _job: Any) -> Any:
    """Return the address of the prepared memory of `mixed`."""
    return _prepare(MIXED, jobs)


@intrinsic
def prepare_midstate_mixed(_typing: Any, jobs: Any, _job: Any, _memory: Any, _index: Any) -> Any:
    """Prepare one midstate in the memory of `mixed` and return its address."""
    return _prepare_midstate(MIXED, jobs)


@intrinsic
def scan_step_mixed(_typing: Any, jobs: Any, _memory: Any, _turn: Any, _entering: Any, _tested: Any) -> Any:
    """Take in 48 nonces with one midstate and return the bits of the nonces that are tested."""
    return _step(MIXED, jobs)
