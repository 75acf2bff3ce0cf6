"""A log that is joined later sets the times of the run, leaves it valid without energy, and is joined as promised."""

import pytest
from doubles.lab.shared_meter import PERIOD_S, shared_run

from bench.measure.joining.remote import with_remote
from bench.measure.plans import PLANS, schedule
from bench.measure.runner import measure
from bench.meters.registry import metering
from bench.results.record import MeterUsed
from hardware_profiles.errors import InputError

SPEC = "trace:lab-pdu-a.csv,period=0.05,boundary=rack,wait=later,accuracy=0.01,tier=B"


def test_a_pending_log_plans_the_run_as_the_meter_would():
    with metering([SPEC]) as (meter,):
        times = schedule(PLANS["smoke"], [meter.info])
    assert times.window_s >= 100 * 0.05
    assert times.lead_s >= 2.0
    assert "joined after the run" in meter.notice


@pytest.mark.parametrize("plan", ["quick", "publish"])
def test_a_run_with_a_pending_log_is_valid_and_says_that_its_energy_comes_later(
    fake_workload, short_job, cpu_device, plan
):
    with metering([SPEC]) as meters:
        record = measure(fake_workload, short_job(plan), meters, device=cpu_device)
    codes = {reason.code for reason in (*record.reasons, *record.warnings)}
    assert record.status == "ok"
    assert "log_pending" in codes
    assert not codes & {"energy_missing", "not_metered", "trace_not_covering"}
    assert set(record.metrics) >= {"rate"}
    assert not any("energy" in name for name in record.metrics)


def test_the_log_of_a_shared_meter_takes_the_place_of_a_pending_one(tmp_path):
    run = shared_run(1, tmp_path, delay_s=0.001)
    pending = {"reasons": ("log_pending",)}
    windows = [
        window.model_copy(update={"energy": tuple(one.model_copy(update=pending) for one in window.energy)})
        for window in run.record.windows
    ]
    record, _ = with_remote(run.record.model_copy(update={"windows": windows}), run.log, run.clock, {}, [])
    assert record.meters == ("lab:pdu-a",)
    assert isinstance(record.meters_used[0], MeterUsed)
    assert record.meters_used[0].period_s == pytest.approx(PERIOD_S, rel=0.2)
    assert "log_pending" not in {reason.code for reason in (*record.reasons, *record.warnings)}


def test_a_log_that_is_joined_now_cannot_be_a_later_one(perwatt, tmp_path):
    (tmp_path / "lab-pdu-a.csv").write_text("time,power_w\n1,2\n2,3\n")
    done = perwatt("meter", "check", SPEC)
    assert done.returncode == 2
    assert "key wait: expected no `later`" in done.stderr
    with pytest.raises(InputError, match="expected a number above 0, got 'soon'"), metering(["trace:a.csv,wait=soon"]):
        pass
