"""A profile of this machine's GPU, as NVIDIA's library tells it; here the library is a stand-in."""

import datetime as dt
import sys
from types import SimpleNamespace

import pytest

from bench.machine.profile import Draft, draft_gpu, to_toml
from hardware_profiles.catalog import check, device_from
from hardware_profiles.errors import InputError
from hardware_profiles.reading import parse_toml


class FakeError(Exception):
    pass


def fake_nvml(name="NVIDIA H200", *, missing=False):
    """Return a library that knows one GPU; `closed` gets an entry each time it is let go."""

    def start():
        if missing:
            raise FakeError("NVML Shared Library Not Found")

    closed = []
    return SimpleNamespace(
        NVMLError=FakeError,
        closed=closed,
        nvmlInit=start,
        nvmlShutdown=lambda: closed.append(True),
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda _: name,
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=150_754_820_096),
        nvmlDeviceGetPowerManagementDefaultLimit=lambda _: 700_000,
    )


@pytest.mark.parametrize("name", ["NVIDIA H200", b"NVIDIA H200"])
def test_a_gpu_profile_holds_what_the_library_tells_and_no_more(monkeypatch, tmp_path, name):
    library = fake_nvml(name)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    draft = draft_gpu(0)
    assert draft.slug == "nvidia-h200"
    assert draft.figures == {"memory_gb": pytest.approx(150.754820096), "power_limit_w": 700.0}
    assert {"tdp_w", "memory_bandwidth_tb_s", "bf16_dense_tflop_s"} <= set(draft.missing_keys)
    assert library.closed == [True]
    path = tmp_path / f"{draft.slug}.toml"
    data = parse_toml(to_toml(draft, dt.date(2026, 11, 20)).encode(), path)
    check(data, path)
    device = device_from(data, path)
    assert device.figures["memory_gb"].basis == "measured"
    assert device.reported_names == ("NVIDIA H200",)


@pytest.mark.parametrize(
    ("library", "index", "part"),
    [
        (fake_nvml(), 1, "expected an index below 1, got 1"),
        (fake_nvml(missing=True), 0, "expected an NVIDIA GPU with its driver, got NVML Shared Library Not Found"),
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
