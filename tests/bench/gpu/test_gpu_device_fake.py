"""Why a GPU cannot be used, each fault with its cure: on a fake driver and a fake CuPy."""

# ruff: noqa: ARG001 (a fixture is asked for what it puts in place)

import types

import pytest

from bench.gpu.doctor import gpu_findings
from bench.machine.devices import device_under_test
from hardware_profiles.errors import InputError
from kernels.errors import KernelInputError
from kernels.gpu import device as gpu_device
from kernels.gpu.device import CURES, GpuError, inspect, open_cupy, parse_device


class FakeRuntimeError(RuntimeError):
    """Stands for CuPy's CUDARuntimeError, whose text begins with CUDA's own name of the error."""


NOBODY = 1 << 30  # above the highest process id


def taken(pid=NOBODY):
    return [types.SimpleNamespace(pid=pid, usedGpuMemory=3 << 30)]


def test_fake_gpu_is_described_with_what_a_reader_needs(nvml):
    device = device_under_test("gpu:1")
    assert device.kind == "gpu"
    assert device.name == "NVIDIA H200"
    assert device.settings["index"] == 1
    assert device.settings["architecture"] == "sm_90"
    assert device.settings["power_limit_w"] == 700.0
    assert device.settings["ecc"] is True
    assert device.settings["mig"] is False
    assert device.settings["persistence"] is None  # this driver does not say
    assert nvml.shut == 1


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (lambda n: setattr(n, "init_error", 12), "there is no NVIDIA driver here; install the NVIDIA driver, 580"),
        (lambda n: setattr(n, "init_error", 9), "the NVIDIA driver says: NVML error 9; load the kernel module"),
        (lambda n: setattr(n, "init_error", 18), "NVML error 18; reboot: an update replaced the driver or its library"),
        (lambda n: setattr(n, "init_error", 4), "NVML error 4; run as a user who may open /dev/nvidia*"),
        (lambda n: setattr(n, "init_error", 999), "NVML error 999; check that `nvidia-smi` works"),
        (lambda n: setattr(n, "count", 1), "gpu:1 is not there; the driver lists gpu:0; choose a GPU"),
        (lambda n: setattr(n, "count", 0), "gpu:1 is not there; the driver lists none"),
        (lambda n: setattr(n, "cuda_driver", 12040), "supports CUDA 12.4, cupy-cuda13x needs 13; update the driver"),
        (
            lambda n: setattr(n, "processes", taken()),
            f"is taken by process {NOBODY}, 3.0 GiB; wait until that process ends",
        ),
    ],
)
def test_fake_gpu_that_cannot_be_used_is_refused_on_one_line_with_the_cure(nvml, arrange, message):
    arrange(nvml)
    with pytest.raises(InputError) as error:
        device_under_test("gpu:1")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("--device gpu:1: ")


def test_fake_gpu_without_cupy_is_refused_with_the_command_that_installs_it(nvml, monkeypatch):
    monkeypatch.setattr(gpu_device, "cupy_packages", list)
    with pytest.raises(InputError, match=r"CuPy is not installed; .*pip install .*\[gpu\]"):
        device_under_test("gpu:0")


@pytest.mark.parametrize("name", ["gpu", "gpu:", "gpu:-1", "gpu:x", "gpu:1.5", "gpu:²"])
def test_device_name_that_is_no_gpu_is_refused(name):
    with pytest.raises(KernelInputError, match="expected gpu:<index>, as in gpu:0"):
        parse_device(name)


def test_fake_cuda_counts_otherwise_than_the_driver_and_the_right_gpu_is_opened(cupy):
    open_cupy(0)
    assert cupy.used[-1] == 1
    open_cupy(1)
    assert cupy.used[-1] == 0


def test_fake_gpu_hidden_from_cuda_is_named_with_the_variable_that_hides_it(cupy, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    with pytest.raises(GpuError, match=r"hidden from CUDA \(CUDA_VISIBLE_DEVICES: 3\)"):
        open_cupy(0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy or unavailable", "exclusive"),
        ("cudaErrorMemoryAllocation: out of memory", "out_of_memory"),
        ("cudaErrorInsufficientDriver: CUDA driver version is insufficient", "cuda_major"),
        ("CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the provided PTX was compiled", "cuda_major"),
        ("cudaErrorIllegalAddress: an illegal memory access was encountered", "failed"),
    ],
)
def test_fake_cuda_error_becomes_one_line_with_its_cure(cupy, text, code):
    cupy.refuse = FakeRuntimeError(f"{text}\nsecond line")
    with pytest.raises(GpuError) as error:
        open_cupy(0)
    assert error.value.code == code
    assert str(error.value).endswith(CURES[code])
    assert "second line" not in str(error.value)


@pytest.mark.parametrize(("driver", "code"), [(0, "no_driver"), (12080, "cuda_major")])
def test_fake_driver_older_than_cupy_is_refused_by_major_version(cupy, driver, code):
    cupy.driver = driver
    with pytest.raises(GpuError) as error:
        open_cupy(0)
    assert error.value.code == code


def test_errors_that_are_not_cudas_are_left_as_they_are():
    with pytest.raises(RuntimeError, match="mine"), gpu_device.explained():
        raise RuntimeError("mine")


def test_doctor_without_a_driver_says_so_with_the_cure(nvml):
    nvml.init_error = 12
    first = gpu_findings()[0]
    assert (first.part, first.good, first.code) == ("NVIDIA driver", False, "no_driver")
    assert first.cure == CURES["no_driver"]


def test_doctor_on_fake_gpus_names_each_with_its_state(nvml, cupy):
    found = {one.part: one for one in gpu_findings()}
    assert found["gpu:0"].good
    assert "NVIDIA H200, sm_90, 130 of 140 GiB free, limit 700 W, ECC on" in found["gpu:0"].detail
    assert found["gpu:1"].good


def test_doctor_on_a_driver_whose_texts_are_no_text_names_the_gpu_all_the_same(nvml, cupy, monkeypatch):
    def garbage(*_):
        raise UnicodeDecodeError("utf-8", b"\xf8", 0, 1, "invalid start byte")

    for function in ("nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlSystemGetDriverVersion"):
        monkeypatch.setattr(nvml, function, garbage)
    found = {one.part: one for one in gpu_findings()}
    assert found["gpu:0"].detail.startswith("unknown GPU")
    assert found["NVIDIA driver"].detail.startswith("unknown driver")


@pytest.mark.parametrize(
    ("arrange", "part", "code"),
    [
        (lambda n: setattr(n, "processes", taken()), "gpu:0", "taken"),
        (lambda n: setattr(n, "mig", 1), "gpu:1", "mig"),
        (lambda n: setattr(n, "free", 2 << 30), "gpu:0", "low_memory"),
        (lambda n: setattr(n, "cuda_driver", 12040), "CuPy", "cuda_major"),
    ],
)
def test_doctor_explains_what_is_wrong_with_a_fake_gpu_and_gives_the_cure(nvml, cupy, arrange, part, code):
    arrange(nvml)
    found = next(one for one in gpu_findings() if one.part == part)
    assert found.code == code
    assert found.cure


def test_doctor_names_two_cupys_as_a_fault(nvml, monkeypatch):
    monkeypatch.setattr(gpu_device, "cupy_packages", lambda: ["cupy-cuda12x", "cupy-cuda13x"])
    found = next(one for one in gpu_findings() if one.part == "CuPy")
    assert (found.good, found.code) == (False, "broken_cupy")
    assert "uninstall" in found.cure


def test_inspect_finds_no_process_of_our_own(nvml):
    import os

    nvml.processes = taken(os.getpid())
    assert inspect(0).processes == ()


def test_fake_driver_that_lists_this_process_under_the_hosts_number_is_not_taken_by_it(nvml, cupy):
    nvml.processes = taken(999_999_999)
    assert inspect(0).processes
    nvml.processes = []
    open_cupy(0)
    nvml.processes = taken(999_999_999)
    assert inspect(0).processes == ()
    assert inspect(1).processes
