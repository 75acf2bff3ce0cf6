"""A profile of this machine's GPU, as NVIDIA's library tells it; here the library is a stand-in."""

import datetime as dt
import sys
from types import SimpleNamespace

import pytest

from bench.machine_profile import Draft, draft_gpu, to_toml
from hardware_profiles.catalog import check, device_from
from hardware_profiles.errors import InputError
from hardware_profiles.reading import parse_toml


class FakeError(Exception):
    pass


class FakeNvml:
    """One GPU; `closed` counts how often the library was let go."""

    NVMLError = FakeError

    def __init__(self, name="NVIDIA H200", *, missing=False):
        self.name, self.missing, self.closed = name, missing, 0

    def nvmlInit(self):
        if self.missing:
            raise FakeError("NVML Shared Library Not Found")

    def nvmlShutdown(self):
        self.closed += 1

    def nvmlDeviceGetCount(self):
        return 1

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetName(self, _):
        return self.name

    def nvmlDeviceGetMemoryInfo(self, _):
        return SimpleNamespace(total=150_754_820_096)

    def nvmlDeviceGetPowerManagementDefaultLimit(self, _):
        return 700_000


@pytest.mark.parametrize("name", ["NVIDIA H200", b"NVIDIA H200"])
def test_a_gpu_profile_holds_what_the_library_tells_and_no_more(monkeypatch, tmp_path, name):
    library = FakeNvml(name)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    draft = draft_gpu(0)
    assert draft.slug == "nvidia-h200"
    assert draft.figures == {"memory_gb": pytest.approx(150.754820096), "power_limit_w": 700.0}
    assert {"tdp_w", "memory_bandwidth_tb_s", "bf16_dense_tflop_s"} <= set(draft.left_out)
    assert library.closed == 1
    path = tmp_path / f"{draft.slug}.toml"
    data = parse_toml(to_toml(draft, dt.date(2026, 11, 20)).encode(), path)
    check(data, path)
    device = device_from(data, path)
    assert device.figures["memory_gb"].basis == "measured"
    assert device.reported_names == ("NVIDIA H200",)


@pytest.mark.parametrize(
    ("library", "index", "part"),
    [
        (FakeNvml(), 1, "expected an index below 1, got 1"),
        (FakeNvml(missing=True), 0, "expected an NVIDIA GPU with its driver, got NVML Shared Library Not Found"),
    ],
)
def test_a_gpu_that_is_not_there_is_one_line(monkeypatch, library, index, part):
    monkeypatch.setitem(sys.modules, "pynvml", library)
    with pytest.raises(InputError, match=part):
        draft_gpu(index)


def test_names_with_quotes_and_unprintable_characters_stay_toml():
    draft = Draft("cpu", "Odd", 'a "b" \\ c\x7f', 'a "b" \\ c\x7f')
    data = parse_toml(to_toml(draft, dt.date(2026, 11, 20)).encode(), "odd.toml")
    assert data["model"] == 'a "b" \\ c\x7f'
