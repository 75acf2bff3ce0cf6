"""Rules 5 and 6, counter against integral and NVML, broken on purpose on a fake GPU."""

# ruff: noqa: N802 (the names are NVML's)

import math
from types import SimpleNamespace

import pytest

from bench.meters.errors import MeterError
from bench.meters.kinds.nvml import Nvml
from bench.meters.protocol import MeterKind


class FakeNvmlError(Exception):
    pass


class FakeNvml:
    """NVML of one GPU: `watts` now, a counter that updates every `period_s`, fields as a test has them."""

    NVMLError = FakeNvmlError

    def __init__(self, clock, watts=200.0, period_s=0.02):
        self.clock, self.watts, self.period_s = clock, watts, period_s
        self.start = clock.monotonic()
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
        elapsed = math.floor((self.clock.monotonic() - self.start) / self.period_s) * self.period_s
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
        fake.clock.sleep(0.1)
        meter.mark()
        t0 = fake.clock.monotonic()
        fake.clock.sleep(seconds / 2)
        between()
        fake.clock.sleep(seconds / 2)
        t1 = fake.clock.monotonic()
        meter.mark()
        return meter, meter.energy(t0, t1)
    finally:
        meter.close()


def test_rule_06_the_counter_gives_joules_and_its_period_is_measured_at_the_start(clock):
    meter, found = metered(FakeNvml(clock, period_s=0.03))
    assert meter.info.period_s == pytest.approx(0.03, rel=0.35)
    assert found.joules == pytest.approx(200.0 * found.duration_s, rel=0.1)
    assert "field 186" in meter.info.scope
    assert "scope gpu" in meter.info.scope
    assert (found.boundary, found.tier) == ("board", "C")


def test_rule_06_without_the_instant_field_the_average_is_named_and_its_second_is_waited_for(clock):
    fake = FakeNvml(clock)
    fake.fields = {185}
    meter, _ = metered(fake)
    assert "field 185" in meter.info.scope
    assert meter.info.averaging_s == 1.0


def test_rule_06_without_a_counter_power_is_integrated(clock):
    fake = FakeNvml(clock)
    fake.has_counter = False
    meter, found = metered(fake)
    assert meter.info.kind is MeterKind.POWER
    assert found.joules is None  # half a second holds fewer than 50 samples
    assert "too_few_samples" in found.reasons or "samples_repeated" in found.warnings


def test_rule_06_without_any_field_power_usage_is_an_average_on_newer_chips(clock):
    fake = FakeNvml(clock)
    fake.has_counter, fake.fields = False, set()
    meter, _ = metered(fake)
    assert meter.info.averaging_s == 1.0
    assert "PowerUsage" in meter.info.scope


def test_rule_06_a_counter_that_stalls_gives_no_joules(clock):
    fake = FakeNvml(clock)

    def stall():
        fake.stalled_mj = fake.nvmlDeviceGetTotalEnergyConsumption(None)

    _, found = metered(fake, seconds=2.4, between=stall)
    assert found.joules is None
    assert "counter_stalled" in found.reasons


def test_rule_06_a_counter_that_wraps_is_unwrapped_and_one_that_resets_is_refused(clock):
    fake = FakeNvml(clock)
    fake.modulus = 2**32
    fake.offset_mj = 2**32 - 100_000  # wraps half a second into it at 200 W
    _, found = metered(fake, seconds=1.5)
    assert found.joules == pytest.approx(200.0 * found.duration_s, rel=0.1)

    reset = FakeNvml(clock)
    reset.offset_mj = 5_000_000

    def restart():
        reset.offset_mj = -round((clock.monotonic() - reset.start) * 200_000)

    _, found = metered(reset, seconds=1.0, between=restart)
    assert found.joules is None
    assert "counter_went_back" in found.reasons


def test_rule_06_a_change_of_scope_gives_no_joules(clock):
    fake = FakeNvml(clock)

    def shift():
        fake.scope_shift = 1

    _, found = metered(fake, seconds=1.0, between=shift)
    assert found.joules is None
    assert "scope_changed" in found.reasons


def test_rule_06_a_gpu_that_is_lost_is_a_reason_not_a_traceback(clock):
    fake = FakeNvml(clock)

    def lose():
        fake.lost = True

    _, found = metered(fake, seconds=1.0, between=lose)
    assert found.joules is None
    assert "meter_lost" in found.reasons


def test_rule_06_no_driver_is_one_line_with_the_cure(clock):
    with pytest.raises(MeterError, match=r"Invalid Argument.*shelly"):
        Nvml("1", nvml=FakeNvml(clock)).open()


def test_rule_05_a_counter_that_disagrees_with_the_integral_of_power_is_refused(clock):
    fake = FakeNvml(clock)
    fake.counter_factor = 1.10
    _, found = metered(fake, seconds=3.2)
    assert found.joules is None
    assert "meter_disagreement" in found.reasons
    assert "+10" in found.detail or "+9" in found.detail
    thousandth = FakeNvml(clock)
    thousandth.counter_factor = 0.001
    assert metered(thousandth, seconds=3.2)[1].detail.endswith("which is too small by a factor of 1000")
    agreeing = FakeNvml(clock)
    agreeing.counter_factor = 1.02
    _, found = metered(agreeing, seconds=3.2)
    assert found.joules is not None
