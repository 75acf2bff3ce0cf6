"""Classes of instructions: counted in code that LLVM writes for named CPUs, whatever CPU runs the test."""

import platform
from collections import Counter

import pytest
from llvmlite import binding, ir
from oracles.cross_assembly import ARM, X86, assembly, optimised, rolled_assembly
from oracles.op_count import scan_operations

from kernels.scan_cpu.codegen.lanes_step import JOB_WORDS, lane_step
from kernels.scan_cpu.codegen.lanes_target import I32
from kernels.scan_cpu.codegen.pipeline_step import HYBRID, MIXED, step_code
from kernels.scan_cpu.codegen.quads_step import STREAMS, quad_step
from kernels.scan_cpu.codegen.rolled_lanes import rolled_lanes
from kernels.scan_cpu.codegen.sha_target import ArmSha, X86Sha
from kernels.scan_cpu.throughput.arm import ArmAssembly
from kernels.scan_cpu.throughput.control_flow import step_regions
from kernels.scan_cpu.throughput.listing import Listing
from kernels.scan_cpu.throughput.parts import ALL, FRONT_END, class_counts, parts_of
from kernels.scan_cpu.throughput.probe import probe_module
from kernels.scan_cpu.throughput.x86 import X86Assembly

AVX, SSE = X86Assembly(avx=True), X86Assembly(avx=False)
STEPS = {
    "scalar": (lane_step(1, ternary=False), X86, "haswell", AVX, 1),
    "scalar, any CPU": (lane_step(1, ternary=False), X86, "x86-64", SSE, 1),
    "lanes8 on AVX2": (lane_step(8, ternary=False), X86, "haswell", AVX, 8),
    "lanes8 on AVX-512": (lane_step(8, ternary=False), X86, "znver4", AVX, 8),
    "lanes16": (lane_step(16, ternary=True), X86, "sapphirerapids", AVX, 16),
    "shani": (quad_step(X86Sha, STREAMS), X86, "znver3", AVX, STREAMS),
    "shani without AVX": (quad_step(X86Sha, STREAMS), X86, "goldmont", SSE, STREAMS),
    "neon_sha2": (quad_step(ArmSha, STREAMS), ARM, "neoverse-n1", ArmAssembly(), STREAMS),
}
# Instructions a step that follow from the graph, so that no release of LLVM changes them.
COUNTS = {
    "scalar": {"integer rotates": 1020, "integer shifts": 156},
    "scalar, any CPU": {"integer rotates": 1020, "integer shifts": 156},
    "lanes8 on AVX2": {"ymm shifts": 2 * 1020 + 156, "ymm additions": 1040},
    "lanes8 on AVX-512": {"ymm rotates": 1020, "ymm shifts": 156, "ymm additions": 1040},
    "lanes16": {"zmm rotates": 1020, "zmm shifts": 156, "zmm additions": 1040},
    "shani": {"sha256rnds2": 240, "sha256msg1": 88, "sha256msg2": 92, "xmm additions": 208},
    "shani without AVX": {"sha256rnds2": 240, "sha256msg1": 88, "sha256msg2": 92, "sse additions": 208},
    "neon_sha2": {"sha256h": 116, "sha256h2": 120, "sha256su0": 88, "sha256su1": 92},
}


@pytest.fixture(scope="module")
def listings():
    """Listings of all steps, each compiled once."""
    return {
        name: Listing(step_regions(assembly(generate, triple, cpu), 1), hashes)
        for name, (generate, triple, cpu, _, hashes) in STEPS.items()
    }


@pytest.mark.parametrize("name", STEPS)
def test_a_step_has_the_counted_instructions_of_each_class(listings, name):
    step, (*_, dialect, hashes) = listings[name], STEPS[name]
    counts = {kind: count * hashes for kind, count in class_counts(step, dialect).items()}
    assert counts.items() >= COUNTS[name].items()
    assert sum(counts.values()) == pytest.approx(step.instructions_per_hash * hashes)
    assert sum(count for kind, count in counts.items() if kind.endswith("others")) <= 1


def test_work_on_vectors_is_what_the_graph_counts(listings):
    counts = class_counts(listings["lanes16"], AVX)
    work = ("additions", "rotates", "shifts", "logic", "three-way logic", "comparisons")
    assert 16 * sum(counts[f"zmm {operation}"] for operation in work) == pytest.approx(
        scan_operations("ternary"), abs=2
    )


@pytest.mark.parametrize("midstates", [2, 4])
def test_a_schedule_counts_once_for_all_midstates(midstates):
    step = Listing(step_regions(rolled_assembly(rolled_lanes(16), "znver4", midstates), midstates), 16 * midstates)
    counts = class_counts(step, AVX)
    schedule, each = 152, 868  # rotates
    assert counts["zmm rotates"] * 16 == schedule / midstates + each


def pipeline_assembly(shape, midstates):
    """Return the assembly of the step of a pipeline in a loop."""
    module = ir.Module()
    module.triple = X86
    job_type, i64 = ir.ArrayType(I32, JOB_WORDS), ir.IntType(64)
    arguments = [job_type, i64, ir.ArrayType(I32, 3), I32, I32]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), "scan")
    entry, loop, leave = (function.append_basic_block(name) for name in ("entry", "loop", "leave"))
    builder = ir.IRBuilder(entry)
    builder.branch(loop)
    builder.position_at_end(loop)
    bits = step_code(shape, midstates)(None, builder, None, list(function.args))
    builder.cbranch(builder.icmp_unsigned("==", bits, i64(0)), loop, leave)
    builder.position_at_end(leave)
    builder.ret_void()
    return optimised(module, "znver4")


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="LLVM reads the assembly of its own CPU only")
@pytest.mark.parametrize(
    ("shape", "midstates", "expected"),
    [
        (HYBRID, 1, {"sha256rnds2": 480, "ymm rotates": 312, "ymm shifts": 156, "sse loads": 524, "ymm stores": 150}),
        (HYBRID, 4, {"sha256rnds2": 480, "ymm rotates": 208, "ymm shifts": 104, "sse loads": 524}),
        (MIXED, 1, {"sha256rnds2": 960, "zmm rotates": 2352, "zmm shifts": 468, "sse loads": 1024}),
    ],
    ids=["hybrid", "hybrid vr4", "mixed"],
)
def test_the_step_of_a_pipeline_has_the_counted_instructions_of_each_class(shape, midstates, expected):
    step = Listing(step_regions(pipeline_assembly(shape, midstates), 1), 1)
    counts = class_counts(step, AVX)
    assert {kind: counts[kind] for kind in expected} == expected


@pytest.mark.parametrize("name", STEPS)
def test_every_part_of_a_step_becomes_code(listings, name):
    """LLVM assembles all probes of a step; it would end the process at a line that it cannot read."""
    _, triple, cpu, dialect, _ = STEPS[name]
    parts = parts_of(listings[name], dialect)
    names = [part.name for part in parts]
    assert names[-3:] == [FRONT_END, ALL, ALL]
    assert len(set(names)) == len(names) - 1
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = probe_module(dialect, {str(index): part.body for index, part in enumerate(parts)})
    module.triple = triple
    if triple == ARM and platform.machine() not in {"aarch64", "arm64"}:
        pytest.skip("LLVM reads the assembly of its own CPU only; the probes of aarch64 were not assembled")
    binding.initialize_native_asmparser()
    features = "+sha" if triple == X86 else "+sha2"
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=0)
    assert len(machine.emit_object(binding.parse_assembly(str(module)))) > 1000


@pytest.mark.parametrize("name", ["lanes16", "shani", "scalar"])
def test_the_probe_of_all_instructions_has_the_same_instructions_in_the_same_order(listings, name):
    step, (*_, dialect, _) = listings[name], STEPS[name]
    whole, _ = (part for part in parts_of(step, dialect) if part.name == ALL)
    wanted = [line.split()[0] for line in step.regions[0].lines]
    got = [line.split()[0] for line in whole.body]
    assert Counter(wanted) - Counter(got) <= Counter({"jb": 1, "jbe": 1, "jae": 1, "cltq": 1})
    assert got == [mnemonic for mnemonic in wanted if mnemonic in set(got)]
