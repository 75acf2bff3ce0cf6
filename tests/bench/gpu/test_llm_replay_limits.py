"""What a replay on a GPU is cut into and what is refused before one is opened, on a fake driver alone."""

import dataclasses

import numpy as np
import pytest

from bench.workloads.cuda.llm_replay_cuda import stride
from bench.workloads.protocol import WorkloadOptions
from bench.workloads.registry import create
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.llm.buffers_cuda import passes, ways_to_cut
from kernels.llm.shapes import load


def options(**extra):
    return WorkloadOptions(device="gpu:0", extra={"input": 20, "output": 5, "batch": 2, **extra})


def test_decoding_visits_every_context_before_any_twice_and_spreads_evenly():
    for steps in (1, 2, 3, 10, 63, 1023):
        step = stride(steps)
        places = [i * step % steps for i in range(steps)]
        assert sorted(places) == list(range(steps))
    part = [i * stride(1023) % 1023 for i in range(100)]
    assert abs(np.mean(part) / 1023 - 0.5) < 0.02


@pytest.mark.parametrize(
    ("batch", "tokens", "expected"),
    [
        (3, 4000, [(0, 2, 0, 4000), (2, 1, 0, 4000)]),
        (2, 9000, [(0, 1, 0, 8192), (0, 1, 8192, 808), (1, 1, 0, 8192), (1, 1, 8192, 808)]),
        (1, 5, [(0, 1, 0, 5)]),
    ],
)
def test_prompts_are_cut_into_passes_of_whole_ones_or_of_parts(batch, tokens, expected):
    assert [dataclasses.astuple(one) for one in passes(batch, tokens)] == expected


def room_refusal(name, nvml, free_gb, **extra):
    nvml.free = int(free_gb * 1e9)
    with pytest.raises(InputError) as error:
        create(name, options(**extra)).check_device()
    return str(error.value)


def test_a_model_or_a_batch_beyond_the_memory_is_refused_with_the_numbers(nvml):
    line = room_refusal("llm_decode_bf16_cuda", nvml, 140, model="llama-3.3-70b")
    assert "llama-3.3-70b in bf16 on a GPU: model: expected weights of at most 137.9 GB" in line
    assert "3.3 GB too large; no batch fits, not even 1" in line
    line = room_refusal("llm_decode_fp8_cuda", nvml, 149, model="llama-3.1-8b", input=1024, output=1024, batch=5000)
    assert "(the largest batch that fits), got 5000: keys, values and buffers need" in line
    most = int(line.split("at most ")[1].split()[0])
    assert 900 < most < 1024
    create("llm_decode_fp8_cuda", options(model="llama-3.1-8b", input=1024, output=1024, batch=most)).check_device()
    nvml.nvmlDeviceGetCudaComputeCapability = lambda _handle: (8, 0)
    with pytest.raises(InputError, match=r"in fp8 on a GPU: dtype: expected compute capability 8.9 or later, got 8.0"):
        create("llm_prefill_fp8_cuda", options()).check_device()
    nvml.nvmlDeviceGetCudaComputeCapability = lambda _handle: (7, 5)
    with pytest.raises(InputError, match=r"in fp16 on a GPU: dtype: expected compute capability 8.0 or later, got 7.5"):
        create("llm_prefill_fp16_cuda", options()).check_device()


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("llm_decode_fp8_cuda", {"model": "qwen3-30b-a3b"}, "expected a dense model"),
        ("llm_decode_bf16_cuda", {"output": 0}, "output: expected at least 1, got 0"),
        ("llm_decode_bf16_cuda", {"input": 131072}, "expected at most 131072 tokens"),
        ("llm_decode_bf16_cuda", {"batch": "8"}, "batch: expected a whole number, got '8'"),
    ],
)
def test_what_a_replay_cannot_be_asked_is_refused_before_any_gpu_is_opened(name, given, message):
    with pytest.raises((InputError, KernelInputError), match=message):
        create(name, options(**given))


def test_keys_are_cut_in_ways_that_leave_enough_to_a_part_and_fit_their_memory():
    shape = load("llama-3.1-8b")
    for batch, capacity, most in ((1, 2048, 32), (64, 2048, 32), (300, 2048, 16), (1024, 2048, 4), (1, 100, 1)):
        assert ways_to_cut(shape, batch, capacity) == tuple(1 << i for i in range(most.bit_length()))
