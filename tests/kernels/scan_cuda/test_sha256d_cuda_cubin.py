"""Machine code of the CUDA scan, compiled and disassembled without a GPU: what one hash costs on each pipe."""

from functools import cache
from pathlib import Path

import pytest
from oracles import cuda_sass
from oracles.cuda_units import compiled_units, scan_count

from bench.workloads.roofline import SCAN_COUNTS
from kernels.errors import KernelInputError
from kernels.gpu.toolchain import ToolMissingError, nvrtc_version, tool_path
from kernels.scan_cuda.codegen import scan_text
from kernels.scan_cuda.variants import TEXT_VARIANTS

pytestmark = pytest.mark.slow

VARIANTS = tuple(TEXT_VARIANTS)
EVERYWHERE = {"plain", "imad", "imad_shift", "imad_lea_rotate"}
COMPILED = [
    (architecture, variant)
    for architecture in cuda_sass.ARCHITECTURES
    for variant in VARIANTS
    if architecture in cuda_sass.PIPED or variant in EVERYWHERE  # a compilation takes seconds
]
PIPED = [one for one in COMPILED if one[0] in cuda_sass.PIPED]
MOST = {
    "plain": (2276, 190),
    "imad": (1813, 1062),
    "imad_shift": (1657, 1374),
    "imad_rotate": (1585, 1590),
    "imad_lea": (1657, 1141),
    "imad_lea_rotate": (1527, 1528),
    "imad_lea_rotate2": (1435, 1804),
}
"""Most instructions of the ALU pipe and slots of the FMA pipe a hash, by variant."""
KERNEL = "sha256d_scan"


@cache
def cubin(architecture: str) -> bytes:
    """Return the machine code of every variant for a chip, each under its own name: the tools take a second a file."""
    return compiled_units(
        [scan_text(variant) for chip, variant in COMPILED if chip == architecture], KERNEL, architecture
    )


@cache
def loop(variant: str, architecture: str) -> cuda_sass.LoopCount:
    return cuda_sass.count_loop(cuda_sass.disassemble(cubin(architecture))[variant])


@cache
def resources(architecture: str) -> dict[str, cuda_sass.Resources]:
    return cuda_sass.resources(cubin(architecture))


@pytest.mark.parametrize(("architecture", "variant"), PIPED)
def test_cubin_loop_needs_no_more_per_pipe_than_stated(architecture, variant):
    alu_most, fma_slots_most = MOST[variant]
    count = loop(variant, architecture)
    assert 0.99 * alu_most < count.pipes["alu"] <= alu_most
    assert count.fma_slots <= fma_slots_most
    assert max(count.pipes.values()) == count.pipes["alu"]
    assert set(count.pipes) <= {"alu", "fma", "memory", "special", "control", "uniform"}
    assert count.pipes["memory"] + count.pipes["special"] + count.pipes["control"] + count.pipes["uniform"] < 30


@pytest.mark.parametrize(("variant", "architecture"), SCAN_COUNTS)
def test_cubin_loop_has_the_counts_that_the_bound_is_computed_from(variant, architecture):
    assert scan_count(loop(variant, architecture)) == SCAN_COUNTS[variant, architecture]


@pytest.mark.parametrize(("architecture", "variant"), PIPED)
def test_cubin_loop_hardly_ever_fetches_three_registers_of_one_bank(architecture, variant):
    assert loop(variant, architecture).bank_conflicts <= (60 if (variant, architecture) == ("plain", "sm_90") else 10)


@pytest.mark.parametrize(("variant", "adds_most", "imads_most"), [("plain", 650, 250), ("imad", 40, 1080)])
@pytest.mark.parametrize("architecture", ["sm_100", "sm_120"])
def test_cubin_loop_of_newer_chips_needs_no_more_of_each_opcode_than_stated(
    architecture, variant, adds_most, imads_most
):
    opcodes = loop(variant, architecture).opcodes
    assert opcodes["SHF"] <= 1020 + 156 + 5
    assert opcodes["LOP3"] <= 640
    assert opcodes["IADD3"] + opcodes["IADD"] + opcodes["VIADD"] <= adds_most
    assert opcodes["IMAD"] <= imads_most


@pytest.mark.parametrize(("architecture", "variant"), [one for one in COMPILED if one[1].startswith("imad_lea")])
def test_cubin_of_imad_lea_adds_the_last_rotate_of_every_big_sigma_in_one_instruction(architecture, variant):
    assert loop(variant, architecture).opcodes["LEA"] >= (233 if architecture in cuda_sass.PIPED else 220)


@pytest.mark.parametrize("architecture", ["sm_100", "sm_120"])
def test_cubin_of_imad_shift_has_rotates_and_no_shifts_on_newer_chips(architecture):
    count = loop("imad_shift", architecture)
    assert count.opcodes["SHF"] <= 1020
    assert count.high_multiplies == pytest.approx(156, abs=2)


@pytest.mark.parametrize(("architecture", "variant"), COMPILED)
def test_cubin_keeps_everything_in_at_most_64_registers(architecture, variant):
    found = resources(architecture)[variant]
    assert found.registers <= 64
    assert found.stack_bytes == found.local_bytes == 0
    assert not {"LDL", "STL"} & set(loop(variant, architecture).opcodes)


def test_cubin_compiler_is_the_pinned_one():
    cubin("sm_90")
    constraints = (Path(__file__).parents[3] / "constraints.txt").read_text(encoding="ascii")
    assert f"nvidia-cuda-nvrtc=={nvrtc_version()}\n" in constraints


def test_cubin_text_that_does_not_compile_is_refused_with_the_compilers_line():
    cubin("sm_90")
    with pytest.raises(KernelInputError, match=r"^CUDA text for sm_90: .*error.*undeclared"):
        cuda_sass.compile_cubin('extern "C" __global__ void f() { undeclared = 1; }', "sm_90")


SASS = """\
.text.two_loops:
        /*0000*/                   IMAD.MOV.U32 R1, RZ, RZ, c[0x0][0x28] ;
.L_x_0:
        /*0010*/                   IADD3 R1, R1, 0x1, RZ ;
        /*0020*/               @P0 BRA `(.L_x_0) ;
.L_x_1:
        /*0030*/                   IMAD R2, R1, R3, R4 ;
        /*0040*/                   IMAD.HI.U32 R2, R1, R3, RZ ;
        /*0050*/               @P1 BRA `(.L_x_2) ;
        /*0060*/                   NOVEL.OP R5, R5 ;
.L_x_2:
        /*0070*/              @!P0 BRA `(.L_x_1) ;
        /*0080*/                   EXIT ;
.L_x_3:
        /*0090*/                   BRA `(.L_x_3);
"""


def test_cubin_count_takes_the_longest_loop_and_counts_the_unknown_against_us():
    count = cuda_sass.count_loop(cuda_sass.parse_sass(SASS)["two_loops"])
    assert count.names == {"IMAD": 1, "IMAD.HI.U32": 1, "BRA": 2, "NOVEL.OP": 1}
    assert count.pipes == {"fma": 2, "control": 2, "alu": 1}
    assert count.fma_slots == 3
    assert count.total == 5


BANKS = """\
.text.f:
.L_x_0:
        /*0000*/                   LOP3.LUT R2, R4, R6, R8, 0x96, !PT ;
        /*0010*/                   IMAD R2, R4, UR6, R8 ;
        /*0020*/                   IMAD R2, R4.reuse, R5, R8 ;
        /*0030*/                   IMAD R3, R4, R6, R8 ;
        /*0040*/                   SHF.R.W.U32 R3, R7, 0x2, R7 ;
        /*0050*/               @P0 BRA `(.L_x_0) ;
"""


def test_cubin_count_of_bank_conflicts_knows_banks_and_what_is_kept():
    assert cuda_sass.count_loop(cuda_sass.parse_sass(BANKS)["f"]).bank_conflicts == 1


def test_cubin_without_a_loop_is_refused():
    with pytest.raises(KernelInputError, match="expected a loop"):
        cuda_sass.count_loop(cuda_sass.parse_sass(SASS)["two_loops"][-4:])


def test_cubin_tool_that_is_missing_is_named_with_its_cure(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolMissingError, match="install nvidia-cuda-nvnothing"):
        tool_path("nvnothing")
