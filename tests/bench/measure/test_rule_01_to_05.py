"""Rules 1 to 5 in a run, broken on purpose: one window, its length, the load around it, clocks, two meters."""

import dataclasses
import math

import pytest

from bench.measure import steadiness
from bench.measure.plans import PLANS, schedule
from bench.measure.runner import measure
from bench.meters.kinds.declared import Declared
from bench.meters.protocol import MeterInfo, MeterKind, Tier
from bench.results.record import Device


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def meter_info(kind=MeterKind.POWER, period_s=0.1, averaging_s=0.0, **more):
    return MeterInfo("m", kind, "wall", Tier.B, 0.01, "stated", period_s, averaging_s, **more)


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


def test_rule_01_energy_for_some_windows_only_is_no_energy_figure(
    clock, fake_workload, fake_meter, short_job, cpu_device
):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    clock.after(1.0, lambda: setattr(meter, "broken", True))
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    assert not [name for name in record.metrics if "energy" in name or "power" in name]
    assert {"meter_lost", "energy_missing"} <= codes(record)
    assert "rate" in record.metrics


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


def test_rule_02_without_a_meter_quick_is_three_windows_of_one_second():
    times = schedule(PLANS["quick"], [Declared(100.0).info])
    assert (times.windows, times.window_s, times.lead_s) == (3, 1.0, 0.0)


def test_rule_03_the_load_is_on_before_and_after_a_metered_window():
    assert schedule(PLANS["quick"], [meter_info(averaging_s=1.0)]).lead_s == 3.0
    assert schedule(PLANS["quick"], [meter_info(averaging_s=0.1)]).lead_s == 2.0
    assert schedule(PLANS["quick"], [meter_info(averaging_s=1.5)]).tail_s == 1.5


def test_rule_03_the_runner_keeps_the_load_on_both_sides(clock, fake_workload, fake_meter, short_job, cpu_device):
    calls = []
    real = fake_workload.run

    def run(n):
        before = clock.monotonic()
        done = real(n)
        calls.append((before, clock.monotonic()))
        return done

    fake_workload.run = run
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.005)
    meter._info = dataclasses.replace(meter.info, averaging_s=0.2)
    job = short_job(window_s=0.2, windows=2)
    record = measure(fake_workload, job, [meter], device=cpu_device)
    first, last = record.windows[0], record.windows[-1]
    before = [call for call in calls if call[1] <= first.start_s]
    after = [call for call in calls if call[0] >= last.end_s]
    assert first.start_s - before[-10][0] >= 0.4  # ten calls of 50 ms, give or take a fifth
    assert after[-1][1] - last.end_s >= 0.2
    assert (record.run.lead_s, record.run.tail_s) == (pytest.approx(0.6), pytest.approx(0.2))


def test_rule_04_a_reported_duration_that_differs_is_found():
    assert steadiness.duration_agrees(100.0, 0.0, 100.9)
    assert not steadiness.duration_agrees(100.0, 0.0, 101.1)
    assert steadiness.duration_agrees(1.0, 0.0, 1.4)
    assert not steadiness.duration_agrees(1.0, 0.0, 1.6)


@pytest.mark.parametrize("device_kind", ["cpu", "gpu"])
def test_rule_04_a_machine_that_sleeps_in_a_window_invalidates_the_run(device_kind, clock, fake_workload, short_job):
    calls = []

    def run(n, own=fake_workload.run):
        calls.append(n)
        clock.asleep_s = 60.0 if len(calls) > 20 else 0.0
        return own(n)

    fake_workload.run = run
    record = measure(fake_workload, short_job(), device=Device(kind=device_kind, name="a device"))
    assert (record.status, record.metrics) == ("invalid", {})
    details = [reason.detail for reason in record.reasons if reason.code == "duration_mismatch"]
    assert any(detail.startswith("window ") and "passed" in detail for detail in details)


def test_rule_04_a_healthy_run_has_no_duration_mismatch(fake_workload, fake_meter, short_job, cpu_device):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert "duration_mismatch" not in codes(record)


def test_rule_04_a_meter_that_reports_another_duration_leaves_no_joules(
    fake_workload, fake_meter, short_job, cpu_device
):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    own = meter.energy
    meter.energy = lambda t0, t1: dataclasses.replace(own(t0, t1), duration_s=t1 - t0 + 2.0)
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "invalid"
    assert "duration_mismatch" in codes(record)
    assert all(energy.joules is None for window in record.windows for energy in window.energy)


def test_rule_04_a_wall_clock_that_jumps_an_hour_in_a_run_is_told_and_the_joules_stand(
    clock, fake_workload, fake_meter, short_job, cpu_device
):
    meter = fake_meter(lambda t: 100.0 + math.sin(t), period_s=0.004)
    clock.after(0.8, lambda: setattr(clock, "step_s", clock.step_s + 3600.0))
    record = measure(fake_workload, short_job(), [meter], device=cpu_device)
    assert record.status == "ok"
    assert "clock_step" in codes(record)
    assert record.metrics["power_wall"].value == pytest.approx(100.0, rel=0.02)
    assert all(window.duration_s < 5.0 for window in record.windows)


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
