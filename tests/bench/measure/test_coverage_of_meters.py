"""A meter of another device gives no energy per unit of work: refused alone, a warning beside one that covers it."""

import pytest

from bench.measure.runner import measure
from bench.meters.protocol import Tier
from bench.results.record import Device
from hardware_profiles.errors import InputError

GPU = Device(kind="gpu", name="a GPU", settings={"index": 1, "uuid": "GPU-1"})


@pytest.fixture
def metered(fake_meter):
    """Make a meter of 100 W that covers the devices named."""

    def make(name, covers=(), **more):
        meter = fake_meter(name=name, tier=Tier.C, **more)
        object.__setattr__(meter._info, "covers", covers)
        return meter

    return make


@pytest.mark.parametrize("covers", [("gpu:GPU-1",), ("gpu:other",), ("gpu",)])
def test_the_meter_of_a_gpu_alone_is_refused_for_work_of_the_cpu(fake_workload, short_job, cpu_device, metered, covers):
    meter = metered("nvml:0", covers, boundary="board")
    with pytest.raises(InputError, match=r"expected a meter that reads a CPU.*rapl.*got .*nvml:0, which reads another"):
        measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert (fake_workload.closed, fake_workload.verified) == (1, 0)


@pytest.mark.parametrize("covers", [("gpu:GPU-0",), ("cpu",)])
def test_the_meter_of_another_gpu_or_of_the_cpu_is_refused_for_work_of_a_gpu(fake_workload, short_job, metered, covers):
    with pytest.raises(InputError, match="such as nvml:1"):
        measure(fake_workload, short_job(), [metered("nvml:0", covers)], device=GPU)


def test_beside_a_meter_that_covers_the_device_it_is_a_warning_and_no_figure(
    fake_workload, short_job, cpu_device, metered
):
    meters = [
        metered("nvml:0", ("gpu:GPU-1",), boundary="board"),
        metered("other", ("gpu:GPU-2",), boundary="board", watts=lambda _: 30.0),
        metered("rapl", ("cpu",), boundary="package"),
    ]
    record = measure(fake_workload, short_job(window_s=1.5), meters, device=cpu_device)
    codes = {reason.code for reason in record.warnings}
    details = [reason.detail for reason in record.warnings if reason.code == "device_not_covered"]
    assert [detail.partition(":")[0] for detail in details] == ["nvml", "other"]
    assert {"energy_missing", "meter_disagreement", "inside_exceeds_outside"}.isdisjoint(codes)
    assert {metric.meter for metric in record.metrics.values() if metric.meter} == {"rapl"}
    assert set(record.steadiness.power_halves_frac) == {"rapl"}
    assert all(energy.joules for window in record.windows for energy in window.energy)
    assert {meter.name: meter.covers for meter in record.meters_used}["nvml:0"] == ("gpu:GPU-1",)


def test_a_meter_of_the_whole_machine_covers_every_device(fake_workload, short_job, metered):
    record = measure(fake_workload, short_job(window_s=1.5), [metered("plug")], device=GPU)
    assert "device_not_covered" not in {reason.code for reason in record.warnings}
    assert record.energy_per_unit.meter == "plug"
