"""What NVML may lack: each fault has its own reason and cure, and a GPU without power is not usable."""

# ruff: noqa: N802 (the names are NVML's)

from types import SimpleNamespace

import pytest

from bench.meters.errors import MeterError
from bench.meters.kinds.nvml import Nvml, kind, meter
from bench.meters.registry import default_specs, entry


class FakeError(Exception):
    def __init__(self, value):
        super().__init__({3: "Not Supported", 18: "Driver/library version mismatch"}.get(value, f"error {value}"))
        self.value = value


class FakeNvml:
    """NVML of GPUs whose names, modes and powers a test sets; None is not supported, a negative number is an error."""

    NVMLError = FakeError

    def __init__(self, *names, power_mw=None, energy_mj=None, init=0, handle=0, mig=0, mode=0):
        self.names, self.power_mw, self.energy_mj = names, power_mw, energy_mj
        self.init, self.handle, self.mig, self.mode = init, handle, mig, mode

    def nvmlInit(self):
        if self.init:
            raise FakeError(self.init)

    def nvmlShutdown(self):
        pass

    def nvmlDeviceGetCount(self):
        return len(self.names)

    def nvmlDeviceGetHandleByIndex(self, index):
        if self.handle:
            raise FakeError(self.handle)
        return index

    def nvmlDeviceGetHandleByUUID(self, _):
        return 0

    def nvmlDeviceGetName(self, handle):
        return self.names[handle].decode()

    def nvmlDeviceGetUUID(self, handle):
        return f"GPU-{handle}" if self.nvmlDeviceGetName(handle) else ""

    def nvmlDeviceGetMigMode(self, _):
        return [self.mig, self.mig]

    def nvmlDeviceGetVirtualizationMode(self, _):
        return self.mode

    def nvmlDeviceGetEnforcedPowerLimit(self, _):
        return 300_000

    def nvmlDeviceGetArchitecture(self, _):
        return 9

    def nvmlDeviceGetTotalEnergyConsumption(self, _):
        return self._given(self.energy_mj)

    def nvmlDeviceGetPowerUsage(self, _):
        return self._given(self.power_mw)

    def nvmlDeviceGetFieldValues(self, _, asked):
        return [SimpleNamespace(nvmlReturn=3, scopeId=asked[0][1], value=SimpleNamespace(uiVal=0))]

    @staticmethod
    def _given(value):
        if value is None:
            raise FakeError(3)
        if value < 0:
            raise FakeError(-value)
        return value


@pytest.fixture
def driver(monkeypatch):
    """Let `nvml` find this driver."""

    def install(fake):
        def load():
            if isinstance(fake, Exception):
                raise fake
            return fake

        for module in (kind, meter):
            monkeypatch.setattr(module, "load", load)
        return fake

    return install


@pytest.mark.parametrize(
    ("fake", "reason", "cure"),
    [
        (FakeNvml(b"NVIDIA A40-48Q"), "reports no power for this GPU: it is a vGPU", "on the host"),
        (FakeNvml(b"NVIDIA L40S", mode=2), "it is a vGPU", "on the host"),
        (FakeNvml(b"NVIDIA A100", mig=1), "it is a MIG slice", "name the whole GPU"),
        (FakeNvml(b"Thor (nvgpu)"), "the module's own sensor has it", "hwmon:ina3221"),
        (FakeNvml(b"\xf8\x01"), "its name is not text", "reinstall the driver"),
        (FakeNvml(b"GeForce GT 710"), "GeForce GT 710; vGPU, MIG slice and Jetson", "at the wall"),
        (FakeNvml(b"NVIDIA H100", power_mw=0, energy_mj=0), "0 J and 0 W", "reboot"),
        (FakeNvml(b"NVIDIA H100", power_mw=-4), "no permission", "/dev/nvidia"),
        (FakeNvml(b"NVIDIA H100", power_mw=-15), "the GPU is lost", "reboot"),
        (FakeNvml(b"NVIDIA H100", handle=15), "the GPU is lost", "reset it or reboot"),
        (FakeNvml(b"NVIDIA H100", handle=16), "must be reset", "gpu-reset"),
        (FakeNvml(b"NVIDIA H100", init=18), "different versions (Driver/library version mismatch)", "reboot"),
        (FakeNvml(b"NVIDIA H100", init=4), "no permission", "/dev/nvidia"),
        (FakeNvml(b"NVIDIA H100", init=9), "not loaded", "modprobe nvidia"),
        (FakeNvml(b"NVIDIA H100", init=12), "no NVIDIA driver", "install the NVIDIA driver"),
        (FakeNvml(b"NVIDIA H100", init=999), "NVML says: error 999", "nvidia-smi"),
        (UnicodeDecodeError("utf-8", b"\xf8", 0, 1, "invalid start byte"), "NVML says: 'utf-8' codec", "nvidia-smi"),
        (ImportError("No module named 'pynvml'"), "nvidia-ml-py is missing", "install nvidia-ml-py"),
    ],
)
def test_each_fault_is_not_usable_and_has_its_own_cure(driver, fake, reason, cure):
    driver(fake)
    (found,) = entry("nvml").find()
    assert (found.usable, reason in found.reason, cure in found.cure) == (False, True, True)
    assert default_specs("gpu:0") == []
    with pytest.raises(MeterError) as refused:
        Nvml("0").open()
    assert reason in str(refused.value)
    assert cure in str(refused.value)


def test_a_driver_without_a_gpu_is_no_missing_driver(driver):
    driver(FakeNvml())
    (found,) = entry("nvml").find()
    assert (found.usable, found.reason) == (False, "the driver sees no GPU")


def test_only_the_gpu_that_gives_power_is_taken(driver, monkeypatch):
    fake = driver(FakeNvml(b"NVIDIA A2", b"NVIDIA H100", power_mw=90_000))

    def power(handle):
        return fake._given(90_000 if handle == 1 else None)

    monkeypatch.setattr(fake, "nvmlDeviceGetPowerUsage", power)
    assert [found.usable for found in entry("nvml").find()] == [False, True]
    assert [default_specs(f"gpu:{index}") for index in range(3)] == [[], ["nvml:1"], []]


def test_a_gpu_whose_name_is_not_text_is_metered_all_the_same(driver):
    driver(FakeNvml(b"\xf8\x01", power_mw=90_000))
    info = Nvml("0").connect()
    assert info.covers == ("gpu",)
    assert info.domains[0].startswith("nvml:0@")


def test_the_board_of_a_divided_gpu_says_that_it_is_shared(driver):
    driver(FakeNvml(b"NVIDIA A100", power_mw=90_000, mig=1))
    info = Nvml("0").connect()
    assert "the power of all slices" in info.scope
    assert info.covers == ("gpu:GPU-0",)


def test_a_slice_is_named_as_such(driver):
    driver(FakeNvml(b"NVIDIA A100"))
    with pytest.raises(MeterError, match="it is a MIG slice"):
        Nvml("MIG-1").open()
