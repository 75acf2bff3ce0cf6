"""Machine code of the CUDA scan of several versions: what one hash costs when its nonce's schedule is shared."""

from functools import cache

import pytest
from oracles import cuda_sass
from oracles.cuda_units import compiled_units, scan_count

from bench.workloads.roofline import ROLLED_SCAN_COUNTS, SCAN_COUNTS, rolled_scan_count
from kernels.scan_cpu.scan import MIDSTATES
from kernels.scan_cuda.rolled_text import rolled_text
from kernels.scan_cuda.variants import ROLLED_VARIANTS

EVERYWHERE = ("plain", "imad_lea_rotate")
COMPILED = [
    (architecture, variant)
    for architecture in cuda_sass.ARCHITECTURES
    for variant in ROLLED_VARIANTS
    if architecture == "sm_90" or variant in EVERYWHERE  # a compilation takes seconds
]
COUNTED = [(architecture, variant) for architecture, variant in COMPILED if architecture in cuda_sass.PIPED]
BEST_MOST = {2: 1412.5, 4: 1340.75, 8: 1311.875}
"""Most of the slower of the two pipes that a hash of `imad_lea_rotate` needs, by midstates."""


@cache
def cubin(architecture: str) -> bytes:
    texts = [rolled_text(variant) for chip, variant in COMPILED if chip == architecture]
    return compiled_units(texts, "sha256d_scan_versions", architecture)


@cache
def loops(variant: str, architecture: str) -> tuple[cuda_sass.LoopCount, cuda_sass.LoopCount]:
    """Return the counts of the loop over the midstates and of the schedule around it."""
    return cuda_sass.count_nested_loop(cuda_sass.disassemble(cubin(architecture))[variant])


@pytest.mark.parametrize(("architecture", "variant"), COUNTED)
def test_cubin_loops_have_the_counts_that_the_bound_is_computed_from(architecture, variant):
    assert tuple(map(scan_count, loops(variant, architecture))) == ROLLED_SCAN_COUNTS[variant, architecture]


@pytest.mark.parametrize("midstates", MIDSTATES)
@pytest.mark.parametrize("architecture", ["sm_80", "sm_89", "sm_90"])
def test_a_hash_of_the_best_variant_needs_a_ninth_less_of_the_busiest_pipe_with_four_versions(architecture, midstates):
    count = rolled_scan_count("imad_lea_rotate", architecture, midstates)
    plain = SCAN_COUNTS["imad_lea_rotate", architecture]
    fma_slots = count.fma + cuda_sass.IMAD_HIGH_SLOTS * count.fma_high
    assert max(count.alu, fma_slots) <= BEST_MOST[midstates]
    assert max(count.alu, fma_slots) / min(count.alu, fma_slots) < 1.02  # the two pipes are in balance
    assert count.total / 2 < count.alu  # and neither waits for the issue of instructions
    if midstates >= 4:
        assert count.alu <= 1370
        assert count.alu < plain.alu * 8 / 9


@pytest.mark.parametrize(("architecture", "variant"), COMPILED)
def test_cubin_keeps_schedule_and_state_in_at_most_128_registers(architecture, variant):
    found = cuda_sass.resources(cubin(architecture))[variant]
    assert 46 < found.registers <= 128
    assert found.stack_bytes == found.local_bytes == 0
    for count in loops(variant, architecture):
        assert not {"LDL", "STL", "LDS", "STS"} & set(count.opcodes)
        assert count.bank_conflicts <= 10
        assert sum(count.pipes[pipe] for pipe in ("memory", "special", "control", "uniform")) < 40


@pytest.mark.parametrize("architecture", ["sm_100", "sm_120"])
def test_cubin_loop_of_newer_chips_needs_no_more_of_each_opcode_than_stated(architecture):
    each, shared = (count.opcodes for count in loops("imad_lea_rotate", architecture))
    of_four = {name: each[name] + shared[name] / 4 for name in (*each, *shared)}
    assert of_four["SHF"] <= 551
    assert of_four["LOP3"] <= 573
    assert of_four["LEA"] == 210
    assert sum(of_four.get(name, 0) for name in ("IADD3", "IADD", "VIADD")) <= 32
    assert of_four["IMAD"] <= 1110


def test_the_loop_over_midstates_fits_the_instruction_cache_of_a_multiprocessor():
    count = sum(count.total for count in loops("imad_lea_rotate", "sm_90"))
    assert count * 16 < 48 << 10  # [byte] 16 an instruction


SASS = """\
.text.nested:
.L_x_0:
        /*0010*/                   IADD3 R1, R1, 0x1, RZ ;
.L_x_1:
        /*0020*/                   IMAD R2, R1, R3, R4 ;
        /*0030*/                   IMAD R2, R1, R3, R4 ;
        /*0040*/               @P1 BRA `(.L_x_1) ;
        /*0050*/                   SHF.R.W.U32 R3, R7, 0x2, R7 ;
        /*0060*/              @!P0 BRA `(.L_x_0) ;
        /*0070*/                   EXIT ;
"""


def test_counts_of_a_loop_inside_another_are_kept_apart():
    code = cuda_sass.parse_sass(SASS)["nested"]
    inside, around = cuda_sass.count_nested_loop(code)
    assert inside.names == {"IMAD": 2, "BRA": 1}
    assert around.names == {"IADD3": 1, "SHF.R.W.U32": 1, "BRA": 1}
    with pytest.raises(cuda_sass.KernelInputError, match="expected a loop inside another"):
        cuda_sass.count_nested_loop(code[2:5])
