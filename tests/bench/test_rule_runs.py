"""Rules of a run, each broken on purpose: one window, its length, the load around it, idle, steadiness, the rest."""

import dataclasses
import math
import re
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import audit, audit_gpu, diagnostics, domains, steadiness
from bench.diagnostics import TABLE, Effect, effect
from bench.errors import RunFailedError
from bench.meters.declared import Declared
from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.plan import PLANS, schedule
from bench.runner import measure, measure_together
from bench.steadiness import Call
from bench.workloads.matmul_cpu import MatmulCpu
from bench.workloads.protocol import Batch, WorkloadOptions
from kernels.matmul_cpu import random_operands


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def meter_info(kind=MeterKind.POWER, period_s=0.1, averaging_s=0.0, **more):
    return MeterInfo("m", kind, "wall", Tier.B, 0.01, "stated", period_s, averaging_s, **more)


# 1 -----------------------------------------------------------------------------------------------------------------


def test_rule_01_work_and_energy_come_from_the_same_seconds(fake_workload, fake_meter, short_job, cpu_device):
    meter = fake_meter(lambda t: 100.0 + 5.0 * math.sin(7.0 * t), period_s=0.004)
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    for window in record.windows:
        (energy,) = window.energy
        true_j = 100.0 * window.duration_s - 5.0 / 7.0 * (math.cos(7.0 * window.end_s) - math.cos(7.0 * window.start_s))
        assert energy.joules == pytest.approx(true_j, rel=2e-3)
    metric = record.metrics["energy_per_hash_wall"]
    per_unit = [window.energy[0].joules / window.work for window in record.windows]
    assert metric.value == pytest.approx(math.fsum(per_unit) / len(per_unit))


def test_rule_01_energy_for_some_windows_only_is_no_energy_figure(fake_workload, fake_meter, short_job, cpu_device):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    threading.Timer(1.0, lambda: setattr(meter, "broken", True)).start()
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    assert not [name for name in record.metrics if "energy" in name or "power" in name]
    assert {"meter_lost", "energy_missing"} <= codes(record)
    assert "rate" in record.metrics


# 2 and 3 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "period_s", "window_s", "why"),
    [
        ("quick", 0.1, 20.0, "floor"),
        ("quick", 1.0, 100.0, "100 periods"),
        ("publish", 0.1, 60.0, "floor"),
        ("publish", 1.0, 100.0, "periods"),
        ("smoke", 0.01, 1.0, "100 periods"),
    ],
)
def test_rule_02_a_window_is_the_longest_of_floor_periods_and_wanted_error(plan, period_s, window_s, why):
    times = schedule(PLANS[plan], [meter_info(period_s=period_s)])
    assert times.window_s == pytest.approx(window_s)
    assert why in times.why
    assert times.windows == {"quick": 3, "publish": 5, "smoke": 2}[plan]


def test_rule_02_a_counter_of_coarse_steps_asks_for_windows_that_hold_enough_of_them():
    coarse = meter_info(MeterKind.COUNTER, period_s=0.1, resolution_j=360.0)  # a plug that counts 0.1 Wh
    times = schedule(PLANS["quick"], [coarse], expected_power_w=100.0)
    assert times.window_s == pytest.approx(360.0)
    assert "wanted error" in times.why


def test_rule_02_without_a_meter_quick_is_three_windows_of_one_second():
    times = schedule(PLANS["quick"], [Declared(100.0).info])
    assert (times.windows, times.window_s, times.lead_s) == (3, 1.0, 0.0)


def test_rule_03_the_load_is_on_before_and_after_a_metered_window():
    assert schedule(PLANS["quick"], [meter_info(averaging_s=1.0)]).lead_s == 3.0
    assert schedule(PLANS["quick"], [meter_info(averaging_s=0.1)]).lead_s == 2.0
    assert schedule(PLANS["quick"], [meter_info(averaging_s=1.5)]).tail_s == 1.5


def test_rule_03_the_runner_keeps_the_load_on_both_sides(fake_workload, fake_meter, short_job, cpu_device):
    calls = []
    real = fake_workload.run

    def run(n):
        before = time.monotonic()
        done = real(n)
        calls.append((before, time.monotonic()))
        return done

    fake_workload.run = run
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.005)
    meter._info = dataclasses.replace(meter.info, averaging_s=0.2)
    job = short_job(window_s=0.2, windows=2)
    record = measure(fake_workload, job, [meter], device=cpu_device)
    first, last = record.windows[0], record.windows[-1]
    before = [call for call in calls if call[1] <= first.start_s]
    after = [call for call in calls if call[0] >= last.end_s]
    assert first.start_s - before[-10][0] >= 0.4
    assert after[-1][1] - last.end_s >= 0.2
    assert (record.run.lead_s, record.run.tail_s) == (pytest.approx(0.6), pytest.approx(0.2))


def test_rule_04_a_reported_duration_that_differs_is_found():
    assert steadiness.duration_agrees(100.0, 0.0, 100.9)
    assert not steadiness.duration_agrees(100.0, 0.0, 101.1)
    assert steadiness.duration_agrees(1.0, 0.0, 1.4)
    assert not steadiness.duration_agrees(1.0, 0.0, 1.6)


# 5, two meters -----------------------------------------------------------------------------------------------------


def test_rule_05_two_meters_of_one_boundary_that_disagree_leave_no_joules(
    fake_workload, fake_meter, short_job, cpu_device
):
    one = fake_meter(lambda t: 100.0 + math.sin(t), name="one", kind=MeterKind.COUNTER, period_s=0.004)
    other = fake_meter(lambda t: 108.0 + math.sin(t), name="other", period_s=0.004)
    record = measure(fake_workload, short_job(), [one, other], device=cpu_device)
    assert "meter_disagreement" in codes(record)
    assert all(energy.joules is None for window in record.windows for energy in window.energy)


def test_rule_05_device_against_wall_is_a_gap_that_is_stored(fake_workload, fake_meter, short_job, cpu_device):
    wall = fake_meter(lambda t: 120.0 + math.sin(t), name="plug", period_s=0.004)
    chip = fake_meter(lambda t: 90.0 + math.sin(t), name="rapl", kind=MeterKind.COUNTER, boundary="package",
                      tier=Tier.C, period_s=0.004)  # fmt: skip
    record = measure(fake_workload, short_job(), [wall, chip], device=cpu_device)
    (gap,) = record.meters_gaps
    assert (gap.inner, gap.outer) == ("rapl", "plug")
    assert gap.inner_over_outer == pytest.approx(0.75, rel=0.02)
    assert {"energy_per_hash_wall", "energy_per_hash_package"} <= set(record.metrics)
    assert "inside_exceeds_outside" not in codes(record)


def test_rule_05_an_inside_that_exceeds_its_outside_is_warned(fake_workload, fake_meter, short_job, cpu_device):
    wall = fake_meter(lambda t: 80.0 + math.sin(t), name="plug", period_s=0.004)
    chip = fake_meter(lambda t: 90.0 + math.sin(t), name="rapl", boundary="package", tier=Tier.C, period_s=0.004)
    record = measure(fake_workload, short_job(), [wall, chip], device=cpu_device)
    assert "inside_exceeds_outside" in codes(record)


# 9 and 10 ----------------------------------------------------------------------------------------------------------


def test_rule_09_idle_is_measured_by_the_same_meter_before_quick_and_on_both_sides_of_publish(
    fake_workload, fake_meter, short_job, cpu_device
):
    busy = []
    real = fake_workload.run

    def run(n):
        busy.append(time.monotonic())
        return real(n)

    fake_workload.run = run
    meter = fake_meter(lambda t: (150.0 if busy and t - busy[-1] < 0.15 else 50.0) + 0.1 * math.sin(t), period_s=0.004)
    quick = measure(fake_workload, short_job(idle_s=0.6), [meter], device=cpu_device)
    assert [idle.when for idle in quick.idle] == ["before"]
    assert quick.idle[0].power_w == pytest.approx(50.0, rel=0.02)
    assert quick.metrics["power_wall"].value == pytest.approx(150.0, rel=0.03)  # gross
    busy.clear()
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
    fake_workload, fake_meter, short_job, cpu_device
):
    start = time.monotonic()
    meter = fake_meter(lambda t: 100.0 + 30.0 * (t - start), period_s=0.004)
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    assert "unsteady" in {reason.code for reason in record.warnings}
    record = measure(fake_workload, short_job("publish"), [meter], device=cpu_device)
    assert record.status == "invalid"
    assert "unsteady" in {reason.code for reason in record.reasons}
    assert record.metrics == {}
    assert all(energy.joules is None for window in record.windows for energy in window.energy)


# 11 ----------------------------------------------------------------------------------------------------------------


def seen(mask, clock_mhz=1980, count=100):
    return [audit_gpu._Seen(float(i), mask, clock_mhz) for i in range(count)]


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
            "nvmlDeviceGetDefaultApplicationsClock": 1980,
            "nvmlDeviceGetEnforcedPowerLimit": self.limit,
            "nvmlDeviceGetComputeRunningProcesses": [SimpleNamespace(pid=pid) for pid in self.others],
        }
        if name not in answers:
            raise AttributeError(name)
        return lambda *_: answers[name]


def test_rule_11_16_17_the_gpu_audit_sees_reasons_others_and_changed_settings():
    gpu = FakeGpu()
    watch = audit_gpu.GpuAudit(nvml=gpu)
    watch.start()
    start = time.monotonic()
    gpu.mask, gpu.others = 0x40, [4321]
    time.sleep(0.3)
    gpu.limit = 500_000
    watch.window(start, time.monotonic())
    stored, found = watch.finish()
    assert {reason.code for reason in found} == {"throttled_hardware", "foreign_load", "settings_changed"}
    assert stored["gpu"]["foreign_processes"] == [4321]
    assert "power_limit_mw 700000 to 500000" in next(r.detail for r in found if r.code == "settings_changed")


def test_rule_11_without_nvml_the_record_says_that_nothing_was_audited():
    watch = audit_gpu.GpuAudit(nvml=SimpleNamespace(nvmlInit=lambda: 1 / 0))
    watch.start()
    assert watch.finish() == ({"gpu": "not audited: no NVML"}, [])


# 12 ----------------------------------------------------------------------------------------------------------------


def test_rule_12_windows_that_spread_by_more_than_two_per_cent_are_unstable(fake_workload, short_job, cpu_device):
    index = [0]
    real = fake_workload.run

    def run(n):
        done = real(n)
        index[0] += 1
        return Batch(done.work * (1.0 if time.monotonic() % 0.8 < 0.4 else 1.5), done.cpu_time_s)

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


# 13 ----------------------------------------------------------------------------------------------------------------


def test_rule_13_a_meters_accuracy_is_in_the_interval_of_every_joule(fake_workload, fake_meter, short_job, cpu_device):
    exact = fake_meter(lambda t: 100.0 + math.sin(t), name="exact", accuracy=1e-6, period_s=0.004)
    vague = fake_meter(lambda t: 100.0 + math.sin(t), name="vague", accuracy=None, tier=Tier.C, period_s=0.004)
    record = measure(fake_workload, short_job(), [exact, vague], device=cpu_device)
    narrow = record.metrics["energy_per_hash_wall"]
    wide = record.metrics["energy_per_hash_wall_vague"]
    assert (narrow.tier, wide.tier) == ("B", "C")
    assert wide.u_meter_frac == pytest.approx(0.05 / math.sqrt(3))
    assert wide.interval_95[1] / wide.value - 1.0 >= 1.9 * 0.05 / math.sqrt(3)


# 16 ----------------------------------------------------------------------------------------------------------------


def test_rule_16_a_meter_that_another_run_holds_gives_an_invalid_record_and_no_load(
    fake_workload, fake_meter, short_job, cpu_device
):
    meter = fake_meter()
    with domains.hold(meter.info.domains) as other:
        record = measure(fake_workload, short_job(), [meter], device=cpu_device)
        assert other.asked_for_by_others() == meter.info.domains
    assert record.status == "invalid"
    assert [reason.code for reason in record.reasons] == ["domain_busy"]
    assert (record.windows, record.metrics) == ((), {})
    assert fake_workload.closed == 1


def test_rule_16_two_runs_on_one_cpu_are_both_told(fake_workload, short_job, cpu_device):
    with domains.hold([domains.device_domain("cpu")]) as other:
        record = measure(fake_workload, short_job(window_s=0.1), device=cpu_device)
        assert other.asked_for_by_others()
    assert record.status == "ok"
    assert "another_run" in codes(record)


def test_rule_16_a_lock_is_free_again_after_its_run():
    with domains.hold(["x"]) as first:
        assert first.busy == ()
        with domains.hold(["x"]) as second:
            assert second.busy == ("x",)
    with domains.hold(["x"]) as third:
        assert third.busy == ()


def test_rule_16_locks_that_cannot_be_written_stop_nobody(tmp_path, monkeypatch):
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("PERWATT_LOCKS", str(blocker))
    with domains.hold(["x"]) as held:
        assert (held.busy, held.held) == ((), {})


# 16 and 17, the CPU ------------------------------------------------------------------------------------------------


def state(**changes):
    values = {
        "monotonic_s": 0.0, "boot_s": 0.0, "wall_s": 1e9, "busy_s": 0.0, "own_s": 0.0, "throttled": 0,
        "settings": {"governor": "performance"}, "processes": {},
    }  # fmt: skip
    return audit._State(**{**values, **changes})


def later(**changes):
    return state(
        **{"monotonic_s": 10.0, "boot_s": 10.0, "wall_s": 1e9 + 10.0, "busy_s": 10.0, "own_s": 10.0, **changes}
    )


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (later(busy_s=14.0, processes={7: ("miner", 4.0)}), "foreign_load"),
        (later(throttled=3), "cpu_throttled"),
        (later(settings={"governor": "powersave"}), "settings_changed"),
        (later(wall_s=1e9 + 3610.0), "clock_step"),
        (later(boot_s=13.0, wall_s=1e9 + 13.0), "duration_mismatch"),
    ],
)
def test_rule_16_17_what_happens_to_the_cpu_during_the_windows_is_found(after, code):
    _, found = audit.judge(state(), after, 2)
    assert [reason.code for reason in found] == [code]
    if code == "foreign_load":
        assert "miner (pid 7) 4.0 s" in found[0].detail
    assert audit.judge(state(), later(), 2)[1] == []


def test_rule_17_changed_settings_invalidate():
    assert effect("settings_changed") is Effect.INVALID


# 18 to 20 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_rule_18_operands_are_random_and_never_zeros(dtype):
    a, b, _ = random_operands(64, dtype, seed=0)
    other, _, _ = random_operands(64, dtype, seed=1)
    for matrix in (a, b):
        assert (matrix != 0).all()
        assert len(set(matrix.ravel().tolist())) > 4000
    assert (a != other).any()
    assert (a != b).any()


@pytest.mark.parametrize(("most_bytes", "stated"), [(1 << 30, "cold"), (1 << 26, "hot")])
def test_rule_18_buffers_exceed_twice_the_caches_or_the_record_says_hot(most_bytes, stated, monkeypatch):
    cache_bytes = 48 << 20
    monkeypatch.setattr("bench.workloads.matmul_cpu.last_level_cache_bytes", lambda: cache_bytes)
    monkeypatch.setattr("bench.workloads.matmul_cpu.MOST_BUFFER_BYTES", most_bytes)
    monkeypatch.setattr("bench.workloads.matmul_cpu.SIZE", 1024)
    workload = MatmulCpu("matmul_f64_cpu", WorkloadOptions())
    workload.prepare()
    found = workload.parameters()
    workload.close()
    assert found["buffers"] == stated
    assert (found["buffers_bytes"] >= 2 * cache_bytes) == (stated == "cold")


@pytest.mark.parametrize("when", ["before", "after"])
def test_rule_18_a_wrong_answer_before_or_after_the_timing_leaves_no_figure(when, fake_workload, short_job, cpu_device):
    fake_workload.wrong = when
    record = measure(fake_workload, short_job(window_s=0.1), device=cpu_device)
    assert (record.status, record.metrics) == ("failed", {})
    assert codes(record) >= {"wrong_answer"}


@pytest.mark.parametrize(
    ("work", "code"), [(math.nan, "not_finite"), (math.inf, "not_finite"), (0.0, "no_work"), (-1.0, "no_work")]
)
def test_rule_19_work_that_is_no_number_is_a_reason(work, code, fake_workload, short_job, cpu_device):
    real = fake_workload.run
    fake_workload.run = lambda n: Batch(work, real(n).cpu_time_s)
    record = measure(fake_workload, short_job(window_s=0.1), device=cpu_device)
    assert (record.status, record.metrics) == ("failed", {})
    assert code in codes(record)


def test_rule_19_a_missing_window_never_passes(fake_workload, short_job, cpu_device):
    calls = [0]
    real = fake_workload.run

    def run(n):
        calls[0] += 1
        if calls[0] > 16:
            raise RuntimeError("the device fell off the bus")
        return real(n)

    fake_workload.run = run
    record = measure(fake_workload, short_job(window_s=0.25), device=cpu_device)
    assert record.status == "failed"
    assert len(record.windows) < 3
    assert record.metrics == {}


def test_rule_19_a_meter_that_raises_does_not_end_the_run(fake_workload, fake_meter, short_job, cpu_device):
    meter = fake_meter()
    meter.energy = lambda *_: 1 / 0
    record = measure(fake_workload, short_job(window_s=0.1), [meter], device=cpu_device)
    assert record.status == "ok"
    assert "meter_lost" in codes(record)
    assert "ZeroDivisionError" in next(r.detail for r in record.warnings if r.code == "meter_lost")


def test_rule_19_energy_that_was_asked_for_and_is_missing_invalidates_under_publish(
    fake_workload, fake_meter, short_job, cpu_device
):
    meter = fake_meter()
    meter.broken = True
    record = measure(fake_workload, short_job("publish", window_s=0.1), [meter], device=cpu_device)
    assert record.status == "invalid"
    assert "energy_missing" in {reason.code for reason in record.reasons}


def test_rule_20_declared_power_is_never_energy(fake_workload, short_job, cpu_device):
    record = measure(fake_workload, short_job(window_s=0.1), [Declared(450.0)], device=cpu_device)
    assert record.assumed_power_w.power_w == 450.0
    assert not [name for name in record.metrics if "energy" in name or "power" in name]
    assert all(not window.energy for window in record.windows)
    assert "declared_power" in codes(record)
    assert Declared(450.0).energy(0.0, 1.0).joules is None
    assert all(metric.basis == "measured" for metric in record.metrics.values())


def test_every_code_has_a_sentence_and_a_cure():
    for code, row in TABLE.items():
        assert code == row.code
        assert row.sentence
        assert row.cure


def test_every_code_is_given_somewhere_and_no_other_is():
    root = Path(diagnostics.__file__).parent
    source = "\n".join(path.read_text() for path in root.rglob("*.py") if path.name != "diagnostics.py")
    assert [code for code in TABLE if f'"{code}"' not in source] == []
    given = set(re.findall(r'Reason\(code="([a-z_]+)"', source)) | set(
        re.findall(r'codes\.append\("([a-z_]+)"', source)
    )
    assert given <= set(TABLE)


def test_rule_04_a_wall_clock_that_jumps_an_hour_in_a_run_is_told_and_the_joules_stand(
    fake_workload, fake_meter, short_job, cpu_device, monkeypatch
):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    real, start = time.time, time.monotonic()
    monkeypatch.setattr(time, "time", lambda: real() + (3600.0 if time.monotonic() > start + 0.8 else 0.0))
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    assert "clock_step" in codes(record)
    assert record.metrics["power_wall"].value == pytest.approx(100.0, rel=0.02)
    assert all(window.duration_s < 5.0 for window in record.windows)


def test_rule_19_a_full_disk_is_one_line_and_leaves_nothing(fake_workload, short_job, cpu_device, monkeypatch):
    job = short_job(window_s=0.05)

    def full(*_):
        raise OSError(28, "No space left on device", "samples.parquet")

    monkeypatch.setattr("bench.results._write_synced", full)
    with pytest.raises(RunFailedError, match="No space left on device"):
        measure(fake_workload, job, device=cpu_device)
    assert list(job.store.iterdir()) == []
    assert fake_workload.closed == 1
