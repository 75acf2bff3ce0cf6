"""Rules 9 to 13 in a run, broken on purpose: idle, steadiness, throttling, repeats, uncertainty."""

import math
from types import SimpleNamespace

import pytest

from bench.diagnostics import Effect, effect
from bench.measure import steadiness
from bench.measure.audit import gpu as audit_gpu
from bench.measure.runner import measure, measure_together
from bench.measure.steadiness import Call
from bench.meters.protocol import Tier
from bench.workloads.protocol import Batch


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def test_rule_09_idle_is_measured_by_the_same_meter_before_quick_and_on_both_sides_of_publish(
    fake_workload, fake_meter, short_job, cpu_device
):
    busy = [False]
    real = fake_workload.run

    def run(n):
        busy[0] = True
        done = real(n)
        busy[0] = False
        return done

    fake_workload.run = run
    meter = fake_meter(lambda t: (150.0 if busy[0] else 50.0) + 0.1 * math.sin(t), period_s=0.004)
    quick = measure(fake_workload, short_job(idle_s=0.6), [meter], device=cpu_device)
    assert [idle.when for idle in quick.idle] == ["before"]
    assert quick.idle[0].power_w == pytest.approx(50.0, rel=0.02)
    assert quick.metrics["power_wall"].value == pytest.approx(150.0, rel=0.03)  # gross
    publish = measure(fake_workload, short_job("publish", idle_s=0.6), [meter], device=cpu_device)
    assert [idle.when for idle in publish.idle] == ["before", "after"]


def test_rule_09_without_idle_a_metered_record_says_so(fake_workload, fake_meter, short_job, cpu_device):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    assert "no_idle" in codes(measure(fake_workload, short_job(), [meter], device=cpu_device))


def rising(first, last, count=100, seconds=60.0):
    """Calls over a minute whose rate rises."""
    step = seconds / count
    return [Call(i * step, (i + 1) * step, first + (last - first) * i / count) for i in range(count)]


def test_rule_10_split_halves_and_slope_find_a_drift():
    drift = [rising(100.0, 103.0)]
    assert steadiness.rate_halves(drift) == pytest.approx(0.0148, rel=0.05)
    slope = steadiness.rate_slope(drift)
    assert slope[0] > 0.01
    found = steadiness.is_unsteady(steadiness.rate_halves(drift), 0.03, [slope])
    assert len(found) == 3
    flat = [rising(100.0, 100.5)]
    assert steadiness.is_unsteady(steadiness.rate_halves(flat), 0.01, [steadiness.rate_slope(flat)]) == []


def test_rule_10_unsteady_is_a_warning_and_under_publish_it_invalidates(
    clock, fake_workload, fake_meter, short_job, cpu_device
):
    start = clock.monotonic()
    meter = fake_meter(lambda t: 100.0 + 30.0 * (t - start), period_s=0.004)
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    assert "unsteady" in {reason.code for reason in record.warnings}
    record = measure(fake_workload, short_job("publish"), [meter], device=cpu_device)
    assert record.status == "invalid"
    assert "unsteady" in {reason.code for reason in record.reasons}
    assert record.metrics == {}
    assert all(energy.joules is None for window in record.windows for energy in window.energy)


def seen(mask, clock_mhz=1980, count=100):
    return [audit_gpu._Sample(float(i), mask, clock_mhz) for i in range(count)]


def test_rule_11_a_power_cap_is_recorded_and_hardware_slowdown_invalidates():
    stored, found = audit_gpu.judge(seen(0x4), 1980)
    assert stored["throttle_reasons_frac"] == {"sw_power_cap": 1.0}
    assert [reason.code for reason in found] == ["throttled_power_cap"]
    assert effect("throttled_power_cap") is Effect.NOTE
    for bit in (0x8, 0x20, 0x40, 0x80):
        _, found = audit_gpu.judge([*seen(0, count=99), *seen(bit, count=1)], 1980)
        assert [reason.code for reason in found] == ["throttled_hardware"]
        assert "1% of the windows" in found[0].detail
    assert effect("throttled_hardware") is Effect.INVALID


def test_rule_11_a_low_clock_invalidates_unless_the_power_cap_explains_it():
    assert [reason.code for reason in audit_gpu.judge(seen(0, 1400), 1980)[1]] == ["clock_low"]
    assert [reason.code for reason in audit_gpu.judge(seen(0x4, 1400), 1980)[1]] == ["throttled_power_cap"]
    assert audit_gpu.judge(seen(0, 1500), 1980)[1] == []
    assert effect("clock_low") is Effect.INVALID


class FakeGpu:
    """What the audit asks of NVML."""

    class NVMLError(Exception):
        pass

    def __init__(self):
        self.mask, self.limit, self.others = 0, 700_000, []

    def __getattr__(self, name):
        answers = {
            "nvmlInit": None,
            "nvmlShutdown": None,
            "nvmlDeviceGetHandleByIndex": "gpu",
            "nvmlDeviceGetCurrentClocksEventReasons": self.mask,
            "nvmlDeviceGetClockInfo": 1900,
            "nvmlDeviceGetMaxClockInfo": 1980,  # no default clock: drivers of 2025 no longer know it
            "nvmlDeviceGetTemperature": 61,
            "nvmlDeviceGetEnforcedPowerLimit": self.limit,
            "nvmlDeviceGetComputeRunningProcesses": [SimpleNamespace(pid=pid) for pid in self.others],
        }
        if name not in answers:
            raise AttributeError(name)
        return lambda *_: answers[name]


def test_rule_11_16_17_the_gpu_audit_sees_reasons_others_and_changed_settings(clock):
    gpu = FakeGpu()
    watch = audit_gpu.GpuAudit(nvml=gpu)
    watch.start()
    start = clock.monotonic()
    gpu.mask, gpu.others = 0x40, [4321]
    clock.sleep(0.3)
    gpu.limit = 500_000
    watch.window(start, clock.monotonic())
    stored, found = watch.finish()
    assert {reason.code for reason in found} == {"throttled_hardware", "foreign_load", "settings_changed"}
    assert stored["gpu"]["foreign_processes"] == [4321]
    assert stored["gpu"]["default_sm_clock_mhz"] == 1980
    assert stored["gpu"]["mean_temperature_c"] == stored["gpu"]["highest_temperature_c"] == 61
    assert "power_limit_mw 700000 to 500000" in next(r.detail for r in found if r.code == "settings_changed")


def test_rule_11_without_nvml_the_record_says_that_nothing_was_audited():
    watch = audit_gpu.GpuAudit(nvml=SimpleNamespace(nvmlInit=lambda: 1 / 0))
    watch.start()
    assert watch.finish() == ({"gpu": "not audited: no NVML"}, [])


def test_rule_12_windows_that_spread_by_more_than_two_per_cent_are_unstable(fake_workload, short_job, cpu_device):
    calls = [0]
    real = fake_workload.run

    def run(n):
        done = real(n)
        calls[0] += 1
        return Batch(done.work * (1.0 if calls[0] % 12 < 6 else 1.5), done.cpu_time_s)

    fake_workload.run = run
    record = measure(fake_workload, short_job(window_s=0.3, windows=4), device=cpu_device)
    assert "unstable" in codes(record)


def test_rule_12_workloads_together_take_their_windows_in_turn(fake_workload, short_job, cpu_device):
    other = type(fake_workload)()
    other.name = "other_cpu"
    a, b = measure_together([fake_workload, other], short_job(window_s=0.2), device=cpu_device)
    spans = sorted([(w.start_s, "a") for w in a.windows] + [(w.start_s, "b") for w in b.windows])
    assert "".join(name for _, name in spans) == "ababab"
    assert a.run.run_id == b.run.run_id


def test_rule_12_one_workload_that_fails_leaves_the_other_standing(fake_workload, short_job, cpu_device):
    other = type(fake_workload)()
    other.name, other.wrong = "other_cpu", "before"
    a, b = measure_together([fake_workload, other], short_job(window_s=0.2), device=cpu_device)
    assert (a.status, b.status) == ("ok", "failed")
    assert len(a.windows) == 3


def test_rule_13_a_meters_accuracy_is_in_the_interval_of_every_joule(fake_workload, fake_meter, short_job, cpu_device):
    exact = fake_meter(lambda t: 100.0 + math.sin(t), name="exact", accuracy=1e-6, period_s=0.004)
    vague = fake_meter(lambda t: 100.0 + math.sin(t), name="vague", accuracy=None, tier=Tier.C, period_s=0.004)
    record = measure(fake_workload, short_job(), [exact, vague], device=cpu_device)
    narrow = record.metrics["energy_per_hash_wall"]
    wide = record.metrics["energy_per_hash_wall_vague"]
    assert (narrow.tier, wide.tier) == ("B", "C")
    assert wide.u_meter_frac == pytest.approx(0.05 / math.sqrt(3))
    assert wide.interval_95[1] / wide.value - 1.0 >= 1.9 * 0.05 / math.sqrt(3)
