"""From the miner to the site: real shares of the CPU, watts of a plug on loopback, one result, BTC and USD per MWh."""

import dataclasses
import json
import threading
import time

import pytest
from click.testing import CliRunner
from doubles.plug import FakePlug

from bench.cli import perwatt
from bench.measure.plans import PLANS
from bench.stratum.simulator.miner import SimulatedMiner
from kernels.scan_cpu import variants

LIMIT_H_S = 2e6
WATTS = 1000.0  # far too much for 2 MH/s: the site has a negative price, so that it runs at all
OPTIONS = ["run", "asic", "--listen", "127.0.0.1:0", "--nominal", "2 MH/s", "--error", "15%", "--measure-s", "6",
           "--difficulty", str(2.0**-17), "--ambient-c", "20", "--meter-period-s", "0.02", "--json"]  # fmt: skip
SITE = """
[site]
name = "Lab"
start = 2026-01-01
[power]
interconnect_mw = 0.01
[cooling]
mining_pue = 1.05
[price]
energy_usd_per_mwh = -5
[market]
btc_usd = 80000
fees_percent_of_subsidy = 1
[[mining]]
device = "result:{id}"
count = 5
pool_fee_percent = 1
"""


def invoke(*words):
    return CliRunner().invoke(perwatt, [*map(str, words)], standalone_mode=False)


@pytest.fixture
def mining(monkeypatch):
    """Short windows of plan quick, and a miner that starts when the pool line is printed."""
    from bench.cli.run import asic_flow

    monkeypatch.setattr("bench.workloads.asic.settling.SHARES", 40)
    monkeypatch.setitem(asic_flow.SETTLE_FLOOR_S, "quick", 1.0)
    monkeypatch.setitem(PLANS, "quick", dataclasses.replace(PLANS["quick"], floor_s=2.0, idle_before_s=0.0))
    announce, miners = asic_flow._announce, []

    def begin(request, choice, host, port):
        announce(request, choice, host, port)
        names = [candidate.name for candidate in variants.candidates()]
        name = next(name for name in ("shani", "neon_sha2", *names) if name in names)
        miners.append(SimulatedMiner(host, port, variant=name, slice_nonces=1 << 15))
        threading.Thread(target=miners[-1].run, args=(paced,), daemon=True).start()

    monkeypatch.setattr(asic_flow, "_announce", begin)
    yield
    for miner in miners:
        miner.stop()


def paced(tally):
    pause_s = tally.hashes / LIMIT_H_S - tally.elapsed_s
    if pause_s > 0.0:
        threading.Event().wait(pause_s)
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("mining")
def test_a_measured_miner_earns_at_a_site_with_the_interval_of_its_shares_and_the_watts_of_its_plug(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    plug = FakePlug(time, curve=lambda _t: WATTS)
    measured = invoke(*OPTIONS, "--meter", f"{plug.spec},accuracy=1%")
    plug.close()
    assert measured.return_value == 0, measured.output
    (record,) = json.loads(measured.stdout)["records"]
    site = tmp_path / "lab.toml"
    site.write_text(SITE.format(id=record["id"]))
    earned = invoke("yield", site, "--json")
    assert earned.exception is None, earned.output
    (found,) = json.loads(earned.stdout)["sites"]
    (device,) = found["devices"]
    rate = record["metrics"]["rate"]
    assert device["rate_per_s"] == pytest.approx(rate["value"])
    assert (device["power_w"], device["boundary"], device["basis"]) == (
        pytest.approx(WATTS, rel=0.01),
        "wall",
        "measured",
    )
    low, high = rate["interval_95"]
    assert low < 1.1 * LIMIT_H_S
    assert high > 0.5 * LIMIT_H_S
    assert "simulated_miner" in device["codes"]
    (block,) = found["blocks"]
    assert block["btc"] > 0.0
    assert block["revenue_usd"] / block["facility_mwh"] > 0.0
