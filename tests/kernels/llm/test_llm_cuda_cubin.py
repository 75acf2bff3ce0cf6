"""Machine code of the replay's kernels for every architecture: all in registers, attention on tensor cores."""

from collections import Counter
from functools import cache

import pytest
from oracles import cuda_sass

from kernels.gpu.toolchain import ToolMissingError, tool_path
from kernels.llm.shapes import load
from kernels.llm.source_cuda import KERNELS, REPLAY_FORMATS, source

PAIRS = [
    *(("sm_90", dtype) for dtype in REPLAY_FORMATS),
    ("sm_80", "bf16"), ("sm_89", "fp8"), ("sm_100", "fp8"), ("sm_120", "fp16"),
]  # fmt: skip
"""A compilation takes seconds: every format for one chip, one format for the others."""


@cache
def cubin(model: str, dtype: str, architecture: str) -> bytes:
    try:
        tool_path("nvdisasm"), tool_path("cuobjdump")
        return cuda_sass.compile_cubin(source(load(model), dtype), architecture)
    except ToolMissingError as error:
        pytest.skip(str(error))


def most_registers(model: str, kernel: str) -> int:
    """A prompt's attention and that of 16 rows fit three times a multiprocessor, all else four times and more."""
    wide = kernel == "attend_prompt" or (kernel == "attend_token" and model == "llama-3.1-405b")
    return 168 if wide else 128 if kernel == "attend_token" else 64


@pytest.mark.parametrize(
    ("architecture", "dtype", "model"),
    [
        *((architecture, dtype, "llama-3.1-8b") for architecture, dtype in PAIRS),
        ("sm_90", "bf16", "llama-3.1-405b"),  # 16 query heads a key head, the most
        ("sm_100", "fp8", "llama-3.1-405b"),
    ],
)
def test_cubin_of_the_replay_spills_nothing_and_stays_within_its_registers(architecture, dtype, model):
    found = cuda_sass.resources(cubin(model, dtype, architecture))
    assert set(found) == set(KERNELS)
    for kernel, used in found.items():
        assert used.stack_bytes == used.local_bytes == 0, kernel
        assert used.registers <= most_registers(model, kernel), kernel


@pytest.mark.parametrize(("architecture", "dtype"), [one for one in PAIRS if one[0] in {"sm_80", "sm_90", "sm_120"}])
def test_cubin_of_attention_multiplies_on_tensor_cores_and_loads_sixteen_bytes_at_a_time(architecture, dtype):
    code = cuda_sass.disassemble(cubin("llama-3.1-8b", dtype, architecture))
    for kernel, eights in (("attend_token", 1), ("attend_prompt", 2)):
        names = Counter(one.name for one in code[kernel] if isinstance(one, cuda_sass.Instruction))
        tiles = sum(count for name, count in names.items() if name.startswith("HMMA.16816.F32"))
        assert tiles == eights * (8 + 8)  # 16 keys x 128 numbers, once for the scores and once for the mix
        wide = sum(count for name, count in names.items() if name.startswith("LDG") and ".128" in name)
        assert wide == (8 if dtype == "fp8" else 16)
        assert not {"LDL", "STL", "LDS", "STS"} & {name.partition(".")[0] for name in names}
    for kernel in ("look_up", "norm_layer", "turn_and_cache", "gate", "greedy"):
        assert any(
            one.name.startswith("LDG") and ".128" in one.name for one in code[kernel] if not isinstance(one, str)
        )
