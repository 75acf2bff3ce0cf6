"""A whole run of a miner in virtual time: real runner, real records, shares that a seeded miner sends."""

import dataclasses

import pytest
from doubles.work_server import AGENT, RATE_H_S, FakeWorkServer

from bench.measure.plans import get_plan
from bench.measure.runner import Job, measure
from bench.workloads.asic.arrival import Unit
from bench.workloads.asic.choice import choose
from bench.workloads.asic.device import describe
from bench.workloads.asic.settling import Settled
from bench.workloads.asic.sha256d_scan_asic import Setting, Sha256dScanAsic

PLACES = ("sha256d_scan_asic", "telemetry", "settling", "arrival")


@pytest.fixture
def asic_clock(clock, monkeypatch):
    for name in PLACES:
        module = f"bench.workloads.asic.{name}"
        monkeypatch.setattr(f"{module}.time", clock)
    monkeypatch.setattr("bench.workloads.asic.telemetry.threading", clock)
    return clock


@pytest.fixture
def run(asic_clock, tmp_path):
    """Measure a miner of 200 TH/s; return its record."""

    def run_(server=None, meters=(), telemetry=None, *, plan="quick", error=0.05, settled=True, first=None, notes=(),
             same_address=None, ambient_c=21.0, nominal_h_s=RATE_H_S, agent=AGENT, **of_server):  # fmt: skip
        chosen = get_plan(plan)
        choice = choose((nominal_h_s, "stated by the user"), error, chosen.windows)
        server = server or FakeWorkServer(
            RATE_H_S, choice.difficulty, start_s=asic_clock.monotonic() - 100.0,
            end_s=asic_clock.monotonic() + choice.window_s * chosen.windows + 100.0, **of_server,
        )  # fmt: skip
        setting = Setting(
            Unit("192.0.2.7", agent), choice, Settled(settled, 180.0, "3 blocks"), same_address, ambient_c,
            tuple(notes),
        )  # fmt: skip
        window_s = choice.window_s
        fixed = dataclasses.replace(
            chosen, floor_s=window_s, rate_floor_s=window_s, idle_before_s=0.0, idle_after_s=0.0, floor_why="5 %"
        )
        store = tmp_path / "results"
        store.mkdir(exist_ok=True)
        job = Job.start(fixed, store, ["run", "asic"])
        workload = Sha256dScanAsic(server, setting, telemetry)
        return measure(workload, job, meters, device=describe(first, agent))

    return run_
