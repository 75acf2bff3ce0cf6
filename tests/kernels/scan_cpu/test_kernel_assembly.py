"""What the machine will execute: instructions counted in assembly compiled for a named CPU, present here or not."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from llvmlite import binding, ir
from oracles.cross_assembly import ARM, X86, assembly
from oracles.op_count import scan_operations

from kernels.scan_cpu.codegen.assembly import FIRST_REGISTER
from kernels.scan_cpu.codegen.lanes_step import JOB_WORDS, lane_step
from kernels.scan_cpu.codegen.lanes_target import I32
from kernels.scan_cpu.codegen.pipeline_step import (
    HYBRID,
    MIXED,
    pipeline_step,
    prepare_code,
    prepare_midstate_code,
    step_code,
)
from kernels.scan_cpu.codegen.quads_step import STREAMS, quad_step
from kernels.scan_cpu.codegen.sha_target import ArmSha, X86Sha


def loop_of(text):
    """Return the instructions of the longest stretch between labels: the loop's body."""
    stretches = re.split(r"^\S+:.*$", text, flags=re.MULTILINE)
    body = max(stretches, key=len)
    return [
        line.strip() for line in body.splitlines() if line.strip() and not line.strip().startswith((".", "#", "//"))
    ]


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("cpu", ["znver4", "sapphirerapids"])
def test_lanes16_rotates_and_three_way_logic_are_on_zmm(cpu, batches):
    body = loop_of(assembly(lane_step(16, ternary=True, batches=batches), X86, cpu))
    counts = Counter(line.split()[0] for line in body if "zmm" in line)
    assert counts["vprold"] + counts["vprord"] == 1020 * batches
    assert counts["vpternlogd"] >= 620 * batches
    arithmetic = sum(
        counts[name] for name in ("vprold", "vprord", "vpternlogd", "vpaddd", "vpsrld", "vpandd", "vpxord")
    )
    assert arithmetic <= batches * (scan_operations("ternary") + 10)
    assert not any("ymm" in line for line in body)


def test_lanes8_needs_nothing_above_avx2():
    body = loop_of(assembly(lane_step(8, ternary=False), X86, "haswell"))
    assert sum("ymm" in line for line in body) > 5000
    assert not any("zmm" in line or "vprord" in line or "vpternlogd" in line for line in body)


@pytest.mark.parametrize(
    ("generate", "triple", "cpu"),
    [
        (lane_step(1, ternary=False), X86, "x86-64"),
        (lane_step(8, ternary=False), X86, "haswell"),
        (lane_step(16, ternary=True, batches=2), X86, "znver4"),
        (quad_step(X86Sha, STREAMS), X86, "znver3"),
        (quad_step(ArmSha, STREAMS), ARM, "neoverse-n1"),
    ],
    ids=["scalar", "lanes8", "lanes16", "shani", "neon_sha2"],
)
def test_there_is_no_call_in_the_loop(generate, triple, cpu):
    assert not re.search(r"^\s+(call\w*|bl|blr)\s", assembly(generate, triple, cpu), flags=re.MULTILINE)


def test_shani_does_sixty_round_pairs_a_hash():
    counts = Counter(line.split()[0] for line in loop_of(assembly(quad_step(X86Sha, STREAMS), X86, "znver3")))
    assert counts["sha256rnds2"] == 60 * STREAMS
    assert counts["sha256msg2"] <= 23 * STREAMS


@pytest.mark.parametrize("cpu", ["neoverse-n1", "neoverse-v2"])
def test_neon_sha2_uses_the_sha_instructions_of_aarch64(cpu):
    counts = Counter(line.split()[0] for line in loop_of(assembly(quad_step(ArmSha, STREAMS), ARM, cpu, "+sha2")))
    assert counts["sha256h2"] == 30 * STREAMS
    assert counts["sha256h"] == 29 * STREAMS  # the last one makes a to d, which the test does not need
    assert counts["sha256su1"] <= 23 * STREAMS


PIPELINES = pytest.mark.parametrize(
    ("shape", "midstates"),
    [(HYBRID, 1), (HYBRID, 2), (HYBRID, 4), (HYBRID, 8), (MIXED, 1), (MIXED, 2), (MIXED, 4), (MIXED, 8)],
    ids=["hybrid", "hybrid vr2", "hybrid vr4", "hybrid vr8", "mixed", "mixed vr2", "mixed vr4", "mixed vr8"],
)


@PIPELINES
def test_pipelines_keep_vectors_out_of_the_sha_instructions_registers(shape, midstates):
    lines = pipeline_step(shape, midstates).text.splitlines()
    counts = Counter(line.split()[0] for line in lines)
    assert counts["sha256rnds2"] == 60 * shape.lanes
    assert not any(line.startswith("call") for line in lines)
    registers = [int(number) for line in lines for number in re.findall(r"[yz]mm(\d+)", line)]
    assert min(registers) >= FIRST_REGISTER


@PIPELINES
def test_pipelines_clean_the_upper_halves_before_the_first_sha_instruction_and_leave_them_clean(shape, midstates):
    lines = pipeline_step(shape, midstates).text.splitlines()
    assert lines[1] == "vzeroupper"
    legacy = [int(number) for line in lines for number in re.findall(r"xmm(\d+)", line)]
    assert set(legacy) == set(range(2 * shape.chains + 1))


@PIPELINES
def test_pipelines_alternate_vectors_and_sha_instructions(shape, midstates):
    lines = pipeline_step(shape, midstates).text.splitlines()
    places = [index for index, line in enumerate(lines) if line.startswith("sha256rnds2")]
    longest = max(later - earlier for earlier, later in pairwise(places))
    assert longest < 4 * len(lines) / len(places)


@pytest.mark.parametrize("midstates", [1, 2, 4, 8])
def test_hybrid_has_no_three_way_logic_and_alternates_sha_instructions_between_even_and_odd_places(midstates):
    lines = pipeline_step(HYBRID, midstates).text.splitlines()
    assert not any(line.startswith("vpternlogd") for line in lines)
    places = [index for index, line in enumerate(lines) if line.startswith("sha256rnds2")]
    odd = [(later - earlier) % 2 for earlier, later in zip(places[1::2], places[2::2], strict=False)]
    assert sum(odd) > 0.85 * len(odd)  # spilled vectors come between the others


@PIPELINES
def test_pipelines_become_valid_llvm(shape, midstates):
    module = ir.Module()
    job_type, i64 = ir.ArrayType(I32, JOB_WORDS), ir.IntType(64)
    turn_type = ir.ArrayType(I32, 3)
    function = ir.Function(module, ir.FunctionType(i64, [job_type, I32, turn_type, I32, I32]), "scan")
    builder = ir.IRBuilder(function.append_basic_block())
    job, index, *step = function.args
    memory = prepare_code(shape, midstates)(None, builder, None, [None, job])
    prepare_midstate_code(shape, midstates)(None, builder, None, [None, job, memory, index])
    builder.ret(step_code(shape, midstates)(None, builder, None, [None, memory, *step]))
    text = str(module)
    binding.parse_assembly(text).verify()
    assert text.count("sha256rnds2") == 60 * shape.lanes
    assert "~{xmm31}" in text
