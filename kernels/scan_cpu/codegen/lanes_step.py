"""The scan step on 1, 8 or 16 lanes as Numba intrinsics: neighbouring nonces in, one bit for each out."""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from llvmlite import ir

from kernels.compiler import intrinsic, types
from kernels.scan_cpu.codegen.lanes_target import I32, LaneTarget, declare
from kernels.sha256.graph import Graph, Lowering
from kernels.sha256.scan_graph import JOB_INPUTS, scan_graph

# The words of a job: the inputs of scan_graph and the mask of the bits that must be zero in the hash's last word.
JOB_WORDS = len(JOB_INPUTS) + 1
JOB_TYPE = types.UniTuple(types.uint32, JOB_WORDS)


def job_values(builder: ir.IRBuilder, job: ir.Value) -> tuple[dict[str, ir.Value], ir.Value]:
    """Return the job's inputs by name and the mask."""
    words = [builder.extract_value(job, i) for i in range(JOB_WORDS)]
    return dict(zip(JOB_INPUTS, words, strict=False)), words[-1]


def nonce_words(builder: ir.IRBuilder, base: ir.Value, lanes: int) -> ir.Value:
    """Return the schedule words of nonces base to base + lanes - 1; `base` is a multiple of `lanes`.

    A header holds the nonce in little-endian order and SHA-256 reads big-endian words, so counting up the nonce's
    lowest bits adds to the word's highest byte.
    """
    swapped = builder.call(declare(builder, "llvm.bswap.i32", I32, [I32]), [base])
    if lanes == 1:
        return swapped
    target = LaneTarget(builder, lanes, {})
    return builder.add(target.broadcast(swapped), ir.Constant(target.word, [lane << 24 for lane in range(lanes)]))


def zero_lanes(builder: ir.IRBuilder, word: ir.Value, mask: ir.Value, lanes: int) -> ir.Value:
    """Return an i32 with a bit set for each lane whose word has only zeros under the mask."""
    target = LaneTarget(builder, lanes, {})
    masked = builder.and_(word, target.broadcast(mask))
    equal = builder.icmp_unsigned("==", masked, target.broadcast(I32(0)))
    bits = builder.bitcast(equal, ir.IntType(lanes)) if lanes > 1 else equal
    return builder.zext(bits, I32)


def lane_step(lanes: int, *, ternary: bool, batches: int = 1) -> Callable[..., Any]:
    """Return the code generator of a step, from a job tuple and a base nonce to the bits of the candidates.

    Neighbouring batches of lanes are hashed in turns, one operation each, which have nothing to wait for from each
    other.
    """

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: list[ir.Value]) -> ir.Value:
        job, base = arguments
        inputs, mask = job_values(builder, job)
        scan = scan_graph(Graph())
        lowerings = []
        for batch in range(batches):
            nonces = nonce_words(builder, builder.add(base, I32(batch * lanes)), lanes)
            target = LaneTarget(builder, lanes, {**inputs, "nonce_word": nonces}, ternary=ternary)
            lowerings.append(Lowering(target, [scan.last_word]))
        for _ in zip_longest(*(lowering.steps() for lowering in lowerings)):
            pass
        bits: ir.Value = I32(0)
        for batch, lowering in enumerate(lowerings):
            hits = zero_lanes(builder, lowering.value(scan.last_word), mask, lanes)
            bits = builder.or_(bits, builder.shl(hits, I32(batch * lanes)))
        return bits

    return generate


STEP_SIGNATURE = types.uint32(JOB_TYPE, types.uint32)


@intrinsic
def scan_step_scalar(_typing: Any, _job: Any, _base: Any) -> Any:
    """Test one nonce."""
    return STEP_SIGNATURE, lane_step(1, ternary=False)


@intrinsic
def scan_step_lanes8(_typing: Any, _job: Any, _base: Any) -> Any:
    """Test eight nonces."""
    return STEP_SIGNATURE, lane_step(8, ternary=False)


@intrinsic
def scan_step_lanes16(_typing: Any, _job: Any, _base: Any) -> Any:
    """Test 32 nonces with three-way logic: 32 registers hold two batches."""
    return STEP_SIGNATURE, lane_step(16, ternary=True, batches=2)
