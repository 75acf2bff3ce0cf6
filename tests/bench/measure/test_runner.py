"""The runner measures what was verified, stores what failed, and never invents a figure."""

from datetime import UTC, datetime

import pytest
from doubles.workload import FakeWorkload

from bench.endpoint.errors import ServerFailedError, TokensNotCountedError
from bench.errors import RunFailedError
from bench.measure.runner import measure
from bench.measure.steadiness import Call
from bench.measure.windows import WindowTaker
from bench.results.folder import read_record
from bench.results.record import Device, Window
from bench.workloads.protocol import Batch


def test_a_run_gives_the_rate_that_the_workload_has(fake_workload, job, cpu_device):
    record = measure(fake_workload, job, device=cpu_device)
    assert record.status == "ok"
    assert record.metrics["rate"].value == pytest.approx(1.0 / fake_workload.unit_s)
    assert len(record.windows) == job.plan.windows
    assert all(window.duration_s >= job.plan.rate_floor_s for window in record.windows)


def test_cycles_per_hash_are_cpu_seconds_times_the_clock(fake_workload, job, cpu_device):
    record = measure(fake_workload, job, device=cpu_device)
    window = record.windows[0]
    assert window.clock_hz is not None
    cycles = record.metrics["cycles_per_hash"].value
    assert cycles == pytest.approx(fake_workload.unit_s * record.metrics["clock"].value, rel=0.05)


def test_without_a_meter_there_are_no_joules_and_the_record_says_so(fake_workload, job, cpu_device):
    record = measure(fake_workload, job, device=cpu_device)
    assert all(not window.energy for window in record.windows)
    assert not [name for name in record.metrics if "energy" in name or "power" in name]
    assert "not_metered" in {reason.code for reason in record.warnings}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_wrong_answer_gives_a_failed_record_without_figures(when, fake_workload, job, cpu_device):
    fake_workload.wrong = when
    record = measure(fake_workload, job, device=cpu_device)
    assert record.status == "failed"
    assert [reason.code for reason in record.reasons] == ["wrong_answer"]
    assert record.metrics == {}
    assert read_record(job.store / record.id).status == "failed"


def test_a_workload_that_raises_gives_a_failed_record_that_names_the_error(fake_workload, job, cpu_device):
    fake_workload.raises = MemoryError("out of memory")
    record = measure(fake_workload, job, device=cpu_device)
    assert (record.status, record.reasons[0].code) == ("failed", "run_failed")
    assert "MemoryError: out of memory" in record.reasons[0].detail
    assert record.metrics == {}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RunFailedError("the arrivals ended"), "run_failed"),
        (ServerFailedError("the server answers no longer"), "server_failed"),
        (TokensNotCountedError("its replies have no usage"), "tokens_not_counted"),
    ],
)
def test_an_error_of_ours_keeps_its_code_and_its_words_alone(error, code, fake_workload, job, cpu_device):
    fake_workload.raises = error
    (reason,) = measure(fake_workload, job, device=cpu_device).reasons
    assert (reason.code, reason.detail) == (code, str(error))


def test_the_workload_is_closed_however_the_run_ends(fake_workload, job, cpu_device):
    fake_workload.raises = RuntimeError("gone")
    measure(fake_workload, job, device=cpu_device)
    assert fake_workload.closed == 1


def test_the_smoke_plan_is_marked_as_not_comparable(fake_workload, job, cpu_device):
    record = measure(fake_workload, job, device=cpu_device)
    assert "plan_smoke" in {reason.code for reason in record.warnings}


def test_progress_is_told_in_order(fake_workload, job, cpu_device):
    stages = []
    measure(fake_workload, job, device=cpu_device, on_progress=lambda stage, _: stages.append(stage))
    assert list(dict.fromkeys(stages)) == [
        "prepare", "verify", "calibrate", "lead", "window", "check", "meters", "write",
    ]  # fmt: skip


def test_the_device_is_stored_with_its_settings(fake_workload, job):
    device = Device(kind="cpu", name="a CPU", settings={"governor": None})
    assert measure(fake_workload, job, device=device).device.settings == {"governor": None}


class Continuous(FakeWorkload):
    """A device that works by itself at 1,000 units a second from `start` to `stop`; `run` knows nothing of the work."""

    rate_per_s = 1000.0

    def __init__(self):
        super().__init__()
        self.order, self.span = [], (0.0, 0.0)

    def start(self):
        self.order.append("start")
        self.span = (self.clock.monotonic(), float("inf"))

    def run(self, n):
        self.clock.sleep(n * self.unit_s)
        return Batch(0.0)

    def stop(self):
        self.order.append("stop")
        self.span = (self.span[0], self.clock.monotonic())

    def work_between(self, start_s, end_s):
        return max(0.0, min(end_s, self.span[1]) - max(start_s, self.span[0])) * self.rate_per_s

    def check_output(self):
        self.order.append("check")
        return []


def test_the_work_of_a_continuous_workload_is_counted_once_the_load_has_ended(job, cpu_device):
    workload = Continuous()
    record = measure(workload, job, device=cpu_device)
    assert record.status == "ok"
    assert record.metrics["rate"].value == pytest.approx(1000.0)
    assert workload.order == ["start", "stop", "check"]


def test_a_continuous_workload_that_did_nothing_fails(job, cpu_device):
    workload = Continuous()
    workload.rate_per_s = 0.0
    record = measure(workload, job, device=cpu_device)
    assert (record.status, record.reasons[0].code) == ("failed", "no_work")


def test_what_a_continuous_workload_does_between_two_calls_is_in_the_samples_too():
    """Else the samples add up to less than the window, and the check of the results says that it was changed."""
    workload = Continuous()
    workload.span = (0.0, 2.0)
    taker = WindowTaker(workload, lambda *_: None)
    taker.timed.spans.append((0.0, 1.0))
    taker.timed.calls.append([Call(0.0, 0.4, 0.0), Call(0.5, 0.9, 0.0)])
    taker.timed.windows.append(
        Window(index=0, start_utc=datetime.now(UTC), start_s=0.0, end_s=1.0, work=1.0, batches=2)
    )
    taker.recount()
    assert [call.work for call in taker.timed.calls[0]] == pytest.approx([400.0, 600.0])
    assert taker.timed.windows[0].work == pytest.approx(1000.0)
