"""Rules of the meters, each broken on purpose: sampling, counter against integral, NVML, RAPL."""

# ruff: noqa: N802 (the names are NVML's)

import math
import time
from types import SimpleNamespace

import pytest

from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.integrate import counter_energy, power_energy
from bench.meters.nvml import Nvml
from bench.meters.protocol import MeterInfo, MeterKind, Reading, Tier
from bench.meters.rapl import Rapl, choose, find_zones


def info(kind=MeterKind.POWER, period_s=0.1, **more):
    return MeterInfo("m", kind, "wall", Tier.C, None, "none", period_s, poll_s=period_s, **more)


def stream(watts, period_s=0.1, seconds=12.0, start=0.0):
    """Readings of a power over time, as a function of t."""
    count = round(seconds / period_s)
    times = [start + i * period_s for i in range(count + 1)]
    return [Reading(t, 1e9 + t, watts(t)) for t in times]


def wave(t):
    return 100.0 + 20.0 * math.sin(t)


def true_wave_j(t0, t1):
    return 100.0 * (t1 - t0) - 20.0 * (math.cos(t1) - math.cos(t0))


def test_rule_04_a_power_curve_integrates_to_its_energy_with_both_edges_interpolated():
    found = power_energy(info(), stream(wave), 1.234, 11.111)
    assert found.joules == pytest.approx(true_wave_j(1.234, 11.111), rel=1e-4)
    assert found.half_energies_j is not None
    assert sum(found.half_energies_j) == pytest.approx(found.joules)
    assert found.largest_gap_s == pytest.approx(0.1)


def test_rule_04_fewer_than_fifty_distinct_samples_give_no_joules():
    readings = stream(wave, period_s=0.25)
    assert power_energy(info(period_s=0.25), readings, 0.5, 11.5).reasons == ("too_few_samples",)
    assert power_energy(info(period_s=0.2), stream(wave, period_s=0.2), 0.5, 11.5).valid


def test_rule_04_repeated_samples_are_one_sample():
    slow = stream(lambda t: wave(math.floor(t)))  # asked at 10 Hz, but measured once a second
    found = power_energy(info(), slow, 0.5, 11.5)
    assert found.joules is None
    assert {"too_few_samples", "sample_gap"} <= set(found.reasons)


def test_rule_04_a_gap_of_more_than_three_periods_gives_no_joules():
    readings = [r for r in stream(wave) if not 5.0 < r.t_s < 5.6]
    assert power_energy(info(), readings, 1.0, 11.0).reasons == ("sample_gap",)
    shorter = [r for r in stream(wave) if not 5.0 < r.t_s < 5.4]
    assert power_energy(info(), shorter, 1.0, 11.0).valid


@pytest.mark.parametrize(("t0", "t1"), [(-0.5, 8.0), (5.0, 12.5)])
def test_rule_04_an_edge_without_a_sample_beyond_it_gives_no_joules(t0, t1):
    assert "edge_missing" in power_energy(info(), stream(wave), t0, t1).reasons


def test_rule_04_a_source_slower_than_five_seconds_is_context_not_a_headline():
    readings = stream(wave, period_s=6.0, seconds=600.0)
    assert "meter_too_slow" in power_energy(info(period_s=6.0), readings, 6.0, 594.0).reasons


def test_rule_04_a_meter_that_freezes_is_stale_and_one_that_never_moved_is_warned():
    froze = stream(lambda t: wave(min(t, 5.0)), seconds=30.0)
    assert "samples_stale" in power_energy(info(), froze, 6.0, 28.0).reasons
    assert "samples_stale" in power_energy(info(), froze, 1.0, 28.0).reasons
    constant = power_energy(info(), stream(lambda _: 100.0), 1.0, 11.0)
    assert constant.joules == pytest.approx(1000.0)
    assert constant.warnings == ("samples_repeated",)


def test_rule_04_a_step_of_the_wall_clock_leaves_durations_alone_and_is_told():
    readings = [Reading(r.t_s, r.utc_s + (3600.0 if r.t_s > 6.0 else 0.0), r.value) for r in stream(wave)]
    found = power_energy(info(), readings, 1.0, 11.0)
    assert found.joules == pytest.approx(true_wave_j(1.0, 11.0), rel=1e-3)
    assert "clock_step" in found.warnings


def test_rule_04_missing_samples_are_not_zero():
    readings = [Reading(r.t_s, r.utc_s, None, codes=("read_failed",)) if 50 <= i <= 52 else r
                for i, r in enumerate(stream(wave))]  # fmt: skip
    found = power_energy(info(), readings, 1.0, 11.0)
    assert found.joules == pytest.approx(true_wave_j(1.0, 11.0), rel=1e-3)
    assert found.warnings == ("read_failed",)


# --- NVML --------------------------------------------------------------------------------------------------------


class FakeNvmlError(Exception):
    pass


class FakeNvml:
    """NVML of one GPU: `watts` now, a counter that updates every `period_s`, fields as a test has them."""

    NVMLError = FakeNvmlError

    def __init__(self, watts=200.0, period_s=0.02):
        self.watts, self.period_s = watts, period_s
        self.start = time.monotonic()
        self.offset_mj = 0
        self.modulus = None
        self.has_counter, self.fields = True, {186, 185}
        self.stalled_mj = None
        self.scope_shift = 0
        self.counter_factor = 1.0
        self.lost = False

    def nvmlInit(self):
        pass

    def nvmlShutdown(self):
        pass

    def nvmlDeviceGetHandleByIndex(self, index):
        if index:
            raise FakeNvmlError("Invalid Argument")
        return "gpu"

    def nvmlDeviceGetUUID(self, _):
        return "GPU-1"

    def nvmlDeviceGetName(self, _):
        return "NVIDIA H200"

    def nvmlDeviceGetArchitecture(self, _):
        return 9

    def nvmlDeviceGetEnforcedPowerLimit(self, _):
        return 700_000

    def nvmlDeviceGetTotalEnergyConsumption(self, _):
        if self.lost or not self.has_counter:
            raise FakeNvmlError("Not Supported")
        if self.stalled_mj is not None:
            return self.stalled_mj
        elapsed = math.floor((time.monotonic() - self.start) / self.period_s) * self.period_s
        value = self.offset_mj + round(elapsed * self.watts * 1000.0 * self.counter_factor)
        return value % self.modulus if self.modulus else value

    def nvmlDeviceGetPowerUsage(self, _):
        if self.lost:
            raise FakeNvmlError("GPU is lost")
        return round(self.watts * 1000.0)

    def nvmlDeviceGetFieldValues(self, _, asked):
        field, scope = asked[0]
        if self.lost:
            raise FakeNvmlError("GPU is lost")
        ok = field in self.fields
        value = SimpleNamespace(uiVal=round(self.watts * 1000.0))
        return [SimpleNamespace(nvmlReturn=0 if ok else 3, scopeId=scope + self.scope_shift, value=value)]


def metered(fake, seconds=0.7, between=lambda: None, **options):
    meter = Nvml(nvml=fake, **options)
    meter.open()
    try:
        time.sleep(0.1)
        meter.mark()
        t0 = time.monotonic()
        time.sleep(seconds / 2)
        between()
        time.sleep(seconds / 2)
        t1 = time.monotonic()
        meter.mark()
        return meter, meter.energy(t0, t1)
    finally:
        meter.close()


def test_rule_06_the_counter_gives_joules_and_its_period_is_measured_at_the_start():
    meter, found = metered(FakeNvml(period_s=0.03))
    assert meter.info.period_s == pytest.approx(0.03, rel=0.35)
    assert found.joules == pytest.approx(200.0 * found.duration_s, rel=0.1)
    assert "field 186" in meter.info.scope
    assert "scope gpu" in meter.info.scope
    assert (found.boundary, found.tier) == ("board", "C")


def test_rule_06_without_the_instant_field_the_average_is_named_and_its_second_is_waited_for():
    fake = FakeNvml()
    fake.fields = {185}
    meter, _ = metered(fake)
    assert "field 185" in meter.info.scope
    assert meter.info.averaging_s == 1.0


def test_rule_06_without_a_counter_power_is_integrated():
    fake = FakeNvml()
    fake.has_counter = False
    meter, found = metered(fake)
    assert meter.info.kind is MeterKind.POWER
    assert found.joules is None  # half a second holds fewer than 50 samples
    assert "too_few_samples" in found.reasons or "samples_repeated" in found.warnings


def test_rule_06_without_any_field_power_usage_is_an_average_on_newer_chips():
    fake = FakeNvml()
    fake.has_counter, fake.fields = False, set()
    meter, _ = metered(fake)
    assert meter.info.averaging_s == 1.0
    assert "PowerUsage" in meter.info.scope


def test_rule_06_a_counter_that_stalls_gives_no_joules():
    fake = FakeNvml()

    def stall():
        fake.stalled_mj = fake.nvmlDeviceGetTotalEnergyConsumption(None)

    _, found = metered(fake, seconds=2.4, between=stall)
    assert found.joules is None
    assert "counter_stalled" in found.reasons


def test_rule_06_a_counter_that_wraps_is_unwrapped_and_one_that_resets_is_refused():
    fake = FakeNvml()
    fake.modulus = 2**32
    fake.offset_mj = 2**32 - 100_000  # wraps half a second into it at 200 W
    _, found = metered(fake, seconds=1.5)
    assert found.joules == pytest.approx(200.0 * found.duration_s, rel=0.1)

    reset = FakeNvml()
    reset.offset_mj = 5_000_000

    def restart():
        reset.offset_mj = -round((time.monotonic() - reset.start) * 200_000)

    _, found = metered(reset, seconds=1.0, between=restart)
    assert found.joules is None
    assert "counter_went_back" in found.reasons


def test_rule_06_a_change_of_scope_gives_no_joules():
    fake = FakeNvml()

    def shift():
        fake.scope_shift = 1

    _, found = metered(fake, seconds=1.0, between=shift)
    assert found.joules is None
    assert "scope_changed" in found.reasons


def test_rule_06_a_gpu_that_is_lost_is_a_reason_not_a_traceback():
    fake = FakeNvml()

    def lose():
        fake.lost = True

    _, found = metered(fake, seconds=1.0, between=lose)
    assert found.joules is None
    assert "meter_lost" in found.reasons


def test_rule_06_no_driver_is_one_line_with_the_cure():
    with pytest.raises(MeterError, match=r"Invalid Argument.*shelly"):
        Nvml("1", nvml=FakeNvml()).open()


def test_rule_05_a_counter_that_disagrees_with_the_integral_of_power_is_refused():
    fake = FakeNvml()
    fake.counter_factor = 1.10
    _, found = metered(fake, seconds=3.2)
    assert found.joules is None
    assert "meter_disagreement" in found.reasons
    assert "+10" in found.detail or "+9" in found.detail
    agreeing = FakeNvml()
    agreeing.counter_factor = 1.02
    _, found = metered(agreeing, seconds=3.2)
    assert found.joules is not None


# --- RAPL --------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_rule_07_three_wraps_and_one_failed_read_give_the_true_joules(powercap):
    range_j, power_w, step_s = 262143.32885, 800.0, 60.0
    powercap.zone("intel-rapl:0", "package-0", 100_000.0, range_j)
    clock = Clock()
    meter = Rapl(root=powercap.root, clock=clock)
    meter._info = meter.connect()
    readings = []
    true_j = 0.0
    for i in range(20):  # 912 kJ: three wraps and a bit
        clock.now = i * step_s
        true_j = i * step_s * power_w
        powercap.set("intel-rapl:0", (100_000.0 + true_j) % range_j)
        if i == 7:
            (powercap.root / "intel-rapl:0" / "energy_uj").write_text("")
        meter.take()
    readings = meter.readings()
    assert sum(1 for r in readings if r.value is None) == 1
    assert sum("counter_wrapped" in r.codes for r in readings) == 3
    assert readings[-1].value == pytest.approx(true_j, rel=1e-6)
    wide = info(MeterKind.COUNTER, period_s=step_s)
    found = counter_energy(wide, readings, 0.0, 19 * step_s)
    assert found.joules == pytest.approx(true_j, rel=1e-6)
    assert "read_failed" in found.warnings


def test_rule_07_a_failed_read_at_the_edge_is_missing_never_zero():
    readings = [Reading(float(t), 1e9 + t, 100.0 * t) for t in range(10)]
    readings += [Reading(float(t), 1e9 + t, None, codes=("read_failed",)) for t in range(10, 14)]
    readings += [Reading(float(t), 1e9 + t, 100.0 * t) for t in range(14, 20)]
    found = counter_energy(info(MeterKind.COUNTER, period_s=1.0), readings, 1.0, 12.0)
    assert found.joules is None
    assert "edge_missing" in found.reasons
    inside = counter_energy(info(MeterKind.COUNTER, period_s=1.0), readings, 1.0, 18.0)
    assert inside.joules == pytest.approx(1700.0)


def test_rule_07_a_counter_that_goes_back_without_a_wrap_is_refused():
    unwrap = Unwrapper((262143.0,), 1500.0)
    unwrap.add(0.0, 1000.0)
    assert unwrap.add(1.0, 500.0) == (0.0, ("counter_went_back",))
    assert unwrap.add(2.0, 700.0) == (200.0, ())


def test_rule_07_readings_so_far_apart_that_a_second_wrap_may_hide_are_refused():
    unwrap = Unwrapper((1000.0,), 100.0)
    unwrap.add(0.0, 0.0)
    assert "wrap_ambiguous" in unwrap.add(11.0, 500.0)[1]
    readings = [Reading(0.0, 0.0, 0.0), Reading(11.0, 11.0, 500.0, codes=("wrap_ambiguous",))]
    found = counter_energy(info(MeterKind.COUNTER, period_s=11.0), readings, 0.0, 11.0)
    assert found.joules is None


def test_rule_07_domains_are_never_summed_and_twins_counted_once(powercap):
    powercap.zone("intel-rapl:0", "package-0", 10.0)
    powercap.zone("intel-rapl:0:0", "core", 5.0)
    powercap.zone("intel-rapl:0:1", "dram", 2.0)
    powercap.zone("intel-rapl:1", "package-1", 20.0)
    powercap.zone("intel-rapl:2", "psys", 50.0)
    powercap.zone("intel-rapl-mmio:0", "package-0", 10.0)
    zones = find_zones(powercap.root)
    assert [z.folder.name for z in choose(zones, "package")] == ["intel-rapl:0", "intel-rapl:1"]
    assert [z.folder.name for z in choose(zones, "psys")] == ["intel-rapl:2"]
    assert [z.folder.name for z in choose(zones, "core")] == ["intel-rapl:0:0"]
    mmio_only = [zone for zone in zones if zone.mmio]
    assert [z.folder.name for z in choose(mmio_only, "package")] == ["intel-rapl-mmio:0"]
    meter = Rapl(root=powercap.root)
    meter._info = meter.connect()
    meter.take()
    for folder in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl:2", "intel-rapl-mmio:0"):
        powercap.set(folder, 60.0)
    meter.take()
    assert meter.readings()[-1].value == pytest.approx(90.0)


def test_rule_07_a_zone_that_fails_makes_the_sum_missing(powercap):
    powercap.zone("intel-rapl:0", "package-0", 10.0)
    second = powercap.zone("intel-rapl:1", "package-1", 20.0)
    meter = Rapl(root=powercap.root)
    meter._info = meter.connect()
    (second / "energy_uj").unlink()
    meter.take()
    assert meter.readings()[-1].value is None
    assert meter.readings()[-1].codes == ("read_failed",)


def test_rule_07_no_rapl_and_no_permission_are_one_line_with_the_cure(powercap, monkeypatch):
    with pytest.raises(MeterError, match=r"no RAPL here.*shelly"):
        Rapl(root=powercap.root).open()
    zone = powercap.zone("intel-rapl:0", "package-0")
    real = type(zone).read_text

    def refuse(path, *args, **kwargs):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(type(zone), "read_text", refuse)
    with pytest.raises(MeterError, match=r"root only.*chmod"):
        Rapl(root=powercap.root).open()
