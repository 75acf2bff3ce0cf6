"""A run on the machine's own clock and threads; every other run of these tests is on a clock that the test moves."""

import threading
import time

import pytest

from bench.measure.runner import measure


@pytest.fixture
def clock():
    return time


def test_a_run_on_the_real_clock_reads_its_meter_in_a_thread_of_its_own(
    fake_workload, fake_meter, short_job, cpu_device
):
    threads = set()
    meter = fake_meter(lambda _: (threads.add(threading.current_thread().name), 100.0)[1], period_s=0.02)
    record = measure(fake_workload, short_job(window_s=0.2, windows=2), [meter], device=cpu_device)
    assert record.status == "ok"
    assert 0.0 < record.metrics["rate"].value <= 1.0 / fake_workload.unit_s  # sleep() takes longer, never less
    assert threads == {"MainThread", "meter fake"}
    assert {"foreign_cpu_frac", "wall_clock_step_s"} <= set(record.audit)
    for window in record.windows:
        assert window.duration_s >= 0.2
        (energy,) = window.energy  # on a busy machine its readings may be too far apart, and then there are no joules
        assert energy.samples > 0
        assert energy.joules is None or energy.joules == pytest.approx(100.0 * window.duration_s)
