"""`perwatt run asic` from the first line to the record, with the CPU as the miner, over real sockets."""

import json
import threading
import time

import numpy as np
import pytest
from click.testing import CliRunner
from doubles.miners.mining import MiningAxeOS

from bench.cli import perwatt
from bench.miners.families import load
from bench.stratum.simulator.miner import SimulatedMiner
from bench.stratum.simulator.personality import Personality
from hardware_profiles.errors import InputError
from kernels.scan_cpu import variants

OPTIONS = ["run", "asic", "--listen", "127.0.0.1:0", "--nominal", "2 MH/s", "--error", "15%", "--plan", "smoke",
           "--difficulty", str(2.0**-17), "--ambient-c", "20"]  # fmt: skip


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Run the command; the miner starts when the pool line is printed. Return the command's result and the miner."""
    monkeypatch.setattr("bench.workloads.asic.settling.SHARES", 40)
    miners, counted = [], []

    def run(*options, personality=None):
        from bench.cli.run import asic_flow as asic

        announce = asic._announce

        def begin(request, choice, host, port):
            announce(request, choice, host, port)
            names = [candidate.name for candidate in variants.candidates()]
            name = next(name for name in ("shani", "neon_sha2", *names) if name in names)
            miners.append(SimulatedMiner(host, port, personality=personality, variant=name, slice_nonces=1 << 15))
            threading.Thread(target=mine, args=(miners[-1],), daemon=True).start()

        monkeypatch.setattr(asic, "_announce", begin)
        result = CliRunner().invoke(
            perwatt, [*OPTIONS, "--out", str(tmp_path / "results"), *options], standalone_mode=False
        )
        for miner in miners:
            miner.stop()
        return result, counted

    def mine(miner):
        limit_h_s = 2e6

        def paced(tally):
            counted.append((time.monotonic(), tally.hashes))
            pause_s = tally.hashes / limit_h_s - tally.elapsed_s
            if pause_s > 0.0:
                threading.Event().wait(pause_s)
            return False

        miner.run(paced)

    return run


def test_the_rate_of_the_shares_is_that_of_the_counted_hashes(measured):
    result, counted = measured("--json")
    assert result.return_value == 0, result.output
    (record,) = json.loads(result.stdout)["records"]
    low, high = record["metrics"]["rate"]["interval_95"]
    times_s, hashes = zip(*counted, strict=True)
    edges = [(window["start_s"], window["end_s"]) for window in record["windows"]]
    in_windows = sum(np.diff(np.interp(edge, times_s, hashes))[0] for edge in edges)
    rate_h_s = in_windows / sum(end - start for start, end in edges)
    assert 0.9 * low < rate_h_s < 1.1 * high
    assert "stratum+tcp://127.0.0.1:" in result.stderr
    assert record["device"]["kind"] == "asic"
    assert record["miner"]["shares"]["uniformity"]["uniform"]
    assert "127.0.0.1" not in json.dumps(record["miner"]) + json.dumps(record["device"])


@pytest.mark.slow
def test_a_pool_is_set_the_miner_is_measured_and_its_pool_comes_back(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.workloads.asic.settling.SHARES", 40)
    monkeypatch.setattr("bench.miners.families.axeos._SHORTEST_SETTLING_S", 1.0)
    monkeypatch.setattr("bench.miners.families.axeos.FAMILY", load("axeos")._replace(poll_s=0.2))
    names = [candidate.name for candidate in variants.candidates()]
    name = next(name for name in ("shani", "neon_sha2", *names) if name in names)
    unit = MiningAxeOS(variant=name, slice_nonces=1 << 18)
    former = unit.pool_in_use
    options = ["--miner", f"127.0.0.1:{unit.port}", "--set-pool", "--json", "--nominal", "20 MH/s",
               "--difficulty", str(2.0**-13), "--out", str(tmp_path / "results")]  # fmt: skip
    result = CliRunner().invoke(perwatt, [*OPTIONS, *options], standalone_mode=False)
    hashes, pool = unit.unit.hashes, unit.pool_in_use
    unit.close()
    assert result.return_value == 0, result.output
    (record,) = json.loads(result.stdout)["records"]
    assert pool == former
    assert hashes == 0  # the program of the former pool has hashed nothing
    assert "set-pool   the former pool is back" in result.stderr
    assert record["device"]["settings"]["family"] == "axeos"
    shown = [one for one in record["miner"]["displayed"] if one["quantity"] == "rate"]
    ratio = record["metrics"]["rate"]["value"] / shown[0]["value"]
    assert 0.2 < ratio < 5.0  # the firmware shows another average, of a CPU that others use too
    assert {one["kind"] for one in record["miner"]["displayed"] if one["quantity"] == "power"} >= {"dc_out_plus_const"}
    assert not [name for name in record["metrics"] if name.startswith(("energy_per_", "power_"))]


def test_a_ticket_mask_ends_with_status_1_and_one_line(measured):
    result, _ = measured(personality=Personality(ticket_mask=2.0**-15))
    assert result.return_value == 1
    assert "shares_not_uniform" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--measure-s", "1"], "--measure-s: expected at least"),
        (["--nominal", "2"], "--nominal: expected a hash rate with its unit"),
        (["--error", "0.5"], "--error: expected a percentage"),
        (["--family", "luxos"], "--family: expected --miner HOST with it"),
        (["--listen", "192.0.2.77:0"], "listen: "),
        (["--worker", ""], "--worker: expected 1 to 100 ASCII characters"),
        (["--worker", "a b"], "--worker: expected 1 to 100 ASCII characters"),
        (["--worker", "\x1b[31m"], "--worker: expected 1 to 100 ASCII characters"),
        (["--ambient-c", "inf"], "--ambient-c: expected a temperature at the inlet from -60 to 100"),
        (["--ambient-c", "296"], "--ambient-c: expected a temperature at the inlet from -60 to 100"),
        (["--meter", "none", "--meter", "rapl"], "--meter none: expected no other meter"),
        (["--meter-period-s", "1"], "--meter-period-s: expected --meter with it"),
        (["--clock-offset-s", "1"], "--clock-offset-s: expected --meter trace:FILE with it"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_line(options, message, measured):
    result, _ = measured(*options)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


def test_without_a_miner_and_an_address_the_command_asks_for_one():
    result = CliRunner().invoke(perwatt, ["run", "asic", "--nominal", "1 TH/s"], standalone_mode=False)
    assert str(result.exception).startswith("--listen: expected an address of this machine")


def test_the_workload_itself_points_to_the_command():
    result = CliRunner().invoke(perwatt, ["run", "sha256d_scan_asic"], standalone_mode=False)
    assert "`perwatt run asic`" in str(result.exception)


def test_a_window_is_as_long_as_the_meter_needs_and_that_is_what_is_announced():
    from bench.cli.run.asic_flow import Request, _choose
    from bench.measure.plans import get_plan
    from bench.meters.protocol import MeterInfo, MeterKind, Tier

    class Slow:
        info = MeterInfo("m", MeterKind.POWER, "wall", Tier.B, 0.01, "stated", 2.0)

    request = Request(None, None, None, ("127.0.0.1", 0), "w", 0.05, None, None, 2e14, 1.0, None, (), quiet=True)
    plan = get_plan("quick")
    assert _choose(request, plan, None, [Slow()]).window_s == 200.0
    assert _choose(request, plan, None, []).window_s < 100.0
