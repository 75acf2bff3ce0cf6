"""Rules 16 to 20 in a run, broken on purpose: domains, settings, data and work, invalid results, labels."""

import math
import re
from pathlib import Path

import pytest

from bench import diagnostics
from bench.diagnostics import TABLE, Effect, effect
from bench.errors import RunFailedError
from bench.machine import locks as domains
from bench.machine.cgroups import Quota, Throttling
from bench.machine.cores import Cores
from bench.measure.audit import cpu as audit
from bench.measure.runner import measure
from bench.meters.kinds.declared import Declared
from bench.workloads.cpu.matmul_cpu import MatmulCpu
from bench.workloads.protocol import Batch, WorkloadOptions
from kernels.matmul.cpu import random_operands


def codes(record):
    return {reason.code for reason in (*record.reasons, *record.warnings)}


def test_rule_16_a_meter_that_another_run_holds_gives_an_invalid_record_and_no_load(
    fake_workload, fake_meter, short_job, cpu_device
):
    meter = fake_meter()
    with domains.hold(meter.info.domains) as other:
        record = measure(fake_workload, short_job(), [meter], device=cpu_device)
        assert other.requested_by_others() == meter.info.domains
    assert record.status == "invalid"
    assert [reason.code for reason in record.reasons] == ["domain_busy"]
    assert (record.windows, record.metrics) == ((), {})
    assert fake_workload.closed == 1


def test_rule_16_two_runs_on_one_cpu_are_both_told(fake_workload, short_job, cpu_device):
    with domains.hold([domains.device_domain("cpu")]) as other:
        record = measure(fake_workload, short_job(window_s=0.1), device=cpu_device)
        assert other.requested_by_others()
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
        assert held.unlocked == {"x": "PERWATT_LOCKS: expected a folder, got Not a directory"}


def test_rule_16_a_run_without_a_lock_says_so(fake_workload, short_job, cpu_device, monkeypatch):
    monkeypatch.setenv("PERWATT_LOCKS", "/dev/null")
    record = measure(fake_workload, short_job(window_s=0.1), device=cpu_device)
    assert record.status == "ok"
    (warning,) = [reason for reason in record.warnings if reason.code == "not_locked"]
    assert warning.detail == "PERWATT_LOCKS: expected a folder, got Not a directory"


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
        (later(stolen_s=4.0), "cpu_stolen"),
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


def throttled(seconds, periods=100, throttled_periods=40):
    return {"/sys/fs/cgroup/a": Throttling(periods, throttled_periods, seconds)}


@pytest.mark.parametrize(("quota", "spent_s", "reported"), [(0.6, 1.2, True), (0.6, 0.05, False), (4.0, 0.3, False)])
def test_rule_11_the_throttling_of_a_quota_is_stored_and_reported_with_the_quota(quota, spent_s, reported):
    inner = {"/sys/fs/cgroup/a/b": Throttling(0, 0, 2.0)}  # without a quota, it only counts that it waited
    before = state(quota=Quota(quota, "/sys/fs/cgroup/a"), quota_throttling=inner | throttled(5.0, 10, 3))
    inner = {"/sys/fs/cgroup/a/b": Throttling(0, 0, 2.0 + spent_s)}
    after = later(quota=before.quota, quota_throttling=inner | throttled(5.0 + 0.9 * spent_s))
    stored, reasons = audit.judge(before, after, 8)
    assert stored["quota_throttled_s"] == pytest.approx(spent_s)
    assert [reason.code for reason in reasons] == (["cpu_throttled_by_quota"] if reported else [])
    if reported:
        assert reasons[0].detail == "may use 0.6 of 8 cores; throttled for 1.2 s in 37 of 90 periods"


def test_rule_11_a_figure_that_a_quota_throttled_is_not_published():
    assert effect("cpu_throttled_by_quota") is Effect.WARN
    assert effect("cpu_throttled_by_quota", "publish") is Effect.INVALID


def test_rule_17_a_quota_and_limited_cores_are_warnings_of_the_record(
    fake_workload, short_job, cpu_device, monkeypatch
):
    limited = Cores((0, 1), (0, 1, 2, 3), (), {}, "cpuset", Quota(0.5, "/sys/fs/cgroup/a"))
    monkeypatch.setattr("bench.machine.cores.cores", lambda: limited)
    record = measure(fake_workload, short_job(window_s=0.1), device=cpu_device)
    details = {reason.code: reason.detail for reason in record.warnings}
    assert details["cpu_quota"] == "0.5 of 2 cores, by /sys/fs/cgroup/a"
    assert details["cores_limited"] == "2 of 4 cores, by cpuset"


def test_rule_17_changed_settings_invalidate():
    assert effect("settings_changed") is Effect.INVALID


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
    monkeypatch.setattr("bench.workloads.cpu.matmul_cpu.last_level_cache_bytes", lambda: cache_bytes)
    monkeypatch.setattr("bench.workloads.cpu.matmul_cpu.MOST_BUFFER_BYTES", most_bytes)
    monkeypatch.setattr("bench.workloads.cpu.matmul_cpu.SIZE", 1024)
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


def test_rule_19_a_full_disk_is_one_line_and_leaves_nothing(fake_workload, short_job, cpu_device, monkeypatch):
    job = short_job(window_s=0.05)

    def full(*_):
        raise OSError(28, "No space left on device", "samples.parquet")

    monkeypatch.setattr("bench.results.writing._write", full)
    with pytest.raises(RunFailedError, match="No space left on device"):
        measure(fake_workload, job, device=cpu_device)
    assert list(job.store.iterdir()) == []
    assert fake_workload.closed == 1
