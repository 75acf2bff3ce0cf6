"""Machine code of the probes and small kernels: the timed loop holds what its name says and nothing beside it."""

from functools import cache

import pytest
from oracles import cuda_sass

from kernels.errors import KernelInputError
from kernels.gpu.cuda_source import read_source
from kernels.gpu.toolchain import ToolMissingError, tool_path
from kernels.scan_cuda import probes


def compiled(source: str, architecture: str) -> bytes:
    try:
        tool_path("nvdisasm"), tool_path("cuobjdump")
        return cuda_sass.compile_cubin(source, architecture)
    except ToolMissingError as error:
        pytest.skip(str(error))


@cache
def all_probes(architecture: str) -> bytes:
    """Return the machine code of every probe, each under its own name: the tools take half a second a file."""
    texts = (f"#define probe probe_{name}\n{probes.probe_source(name)}\n#undef probe\n" for name in probes.PROBES)
    return compiled("".join(texts), architecture)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_120"])
@pytest.mark.parametrize("name", probes.PROBES)
def test_cubin_of_a_probe_holds_what_it_is_named_after(name, architecture):
    code = cuda_sass.disassemble(all_probes(architecture))[f"probe_{name}"]
    count = cuda_sass.count_loop(code)
    major, minor = int(architecture[3:-1]), int(architecture[-1])
    probe = probes.PROBES[name]
    expected = probe.per_turn * probes.instructions_per_step(name, (major, minor))
    wanted = probe.opcode
    named = sum(n for full, n in count.names.items() if full.startswith(wanted))
    if name.startswith("mixed"):
        named += count.names["IMAD"]
    assert named == pytest.approx(expected, abs=1)
    assert count.total - named <= 0.05 * expected


def test_cubin_of_the_memory_kernels_moves_sixteen_bytes_at_a_time_and_keeps_four_in_flight():
    cubin = compiled(read_source("memory.cu"), "sm_90")
    code = cuda_sass.disassemble(cubin)
    loads = {"memory_copy": 4, "memory_triad": 8, "memory_read": 4}
    for kernel, expected in loads.items():
        names = cuda_sass.count_loop(code[kernel]).names
        assert sum(n for name, n in names.items() if name.startswith("LDG") and ".128" in name) == expected
    for kernel, used in cuda_sass.resources(cubin).items():
        assert used.local_bytes == used.stack_bytes == 0, kernel


def test_cubin_of_the_fill_kernels_builds_for_every_code_size():
    cubin = compiled(read_source("random_fill.cu"), "sm_90")
    assert set(cuda_sass.resources(cubin)) == {"fill_8", "fill_16", "fill_32"}


def test_unknown_probe_is_refused_by_name():
    with pytest.raises(KernelInputError, match=r"expected one of iadd3, lop3, .*, got 'nop'"):
        probes.probe_source("nop")
