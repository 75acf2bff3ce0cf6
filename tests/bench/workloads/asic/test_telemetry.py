"""What the firmware shows is averaged over the same windows, counters are differenced, restarts are left out."""

import itertools

import pytest
from doubles.work_server import RATE_H_S, codes

from bench.miners.record import (
    Counters,
    Identity,
    MinerReading,
    Mode,
    PowerReading,
    RateReading,
    TemperatureReading,
)
from bench.stratum.difficulty import HASHES_PER_DIFFICULTY_1
from bench.workloads.asic.telemetry import Summary, Telemetry, Timed, summarise


def reading(rate_th_s=200.0, power_w=3300.0, elapsed_s=1000.0, **changes):
    rates = (
        RateReading(rate_th_s * 1e12, "decay", 5.0, "nonces", "summary: GHS 5s", ""),
        RateReading(150e12, "since_restart", None, "nonces", "summary: GHS av", ""),
        RateReading(210e12, "instant", None, "nominal", "stats: total_rateideal", ""),
    )
    values = {
        "identity": Identity("luxos", "Bitmain", "Antminer S21", "LuxOS", "2026.1"),
        "read_utc": "2026-01-01T00:00:00Z",
        "rates": rates,
        "powers": (PowerReading(power_w, "estimate", "power: Watts", ""), PowerReading(3500.0, "target", "limit", "")),
        "temperatures": (TemperatureReading(61.0, "board", "temp"), TemperatureReading(24.0, "inlet", "env")),
        "counters": Counters(elapsed_s=elapsed_s, hashes=elapsed_s * 199e12, accepted_difficulty=elapsed_s * 45000.0),
        "mode": Mode(name="normal", settled=True),
    }
    return MinerReading(**values | changes)


def by_key(summary):
    return {one.raw_key: one for one in summary.displayed}


def test_short_rates_and_powers_are_averaged_over_the_windows_only():
    timed = [Timed(5.0, reading(999.0)), *(Timed(t, reading(200.0 + t)) for t in (11.0, 12.0, 13.0)),
             Timed(25.0, reading(1.0))]  # fmt: skip
    shown = by_key(summarise(timed, [(10.0, 20.0)]))
    assert shown["summary: GHS 5s"].value == pytest.approx(212e12)
    assert shown["summary: GHS 5s"].readings == 3
    assert shown["power: Watts"].value == 3300.0
    assert (shown["power: Watts"].kind, shown["limit"].kind) == ("estimate", "target")
    assert not shown.keys() & {"summary: GHS av", "stats: total_rateideal"}


def test_counters_are_differenced_and_an_interval_with_a_restart_is_left_out():
    steps = [(0.0, 1000.0), (10.0, 1010.0), (20.0, 3.0), (30.0, 13.0)]
    summary = summarise([Timed(t, reading(elapsed_s=elapsed)) for t, elapsed in steps], [(0.0, 40.0)])
    shown = by_key(summary)
    assert summary.restarts == 1
    assert shown["counter hashes"].value == pytest.approx(199e12)
    assert shown["counter accepted_difficulty"].value == pytest.approx(45000.0 * HASHES_PER_DIFFICULTY_1)


def test_temperatures_are_means_by_place():
    summary = summarise([Timed(1.0, reading()), Timed(2.0, reading())], [(0.0, 3.0)])
    assert summary.temperatures_c == {"board": 61.0, "inlet": 24.0}


def test_without_a_reading_in_the_windows_there_is_nothing():
    assert summarise([Timed(1.0, reading())], [(5.0, 6.0)]) == Summary()


def test_a_thread_reads_as_often_as_the_family_allows_and_failures_do_not_end_it(asic_clock):
    calls = []

    def read():
        calls.append(asic_clock.monotonic())
        if len(calls) == 2:
            raise OSError("no route")
        return reading()

    telemetry = Telemetry(read, 5.0, reading())
    telemetry.start()
    telemetry.start()
    asic_clock.sleep(21.0)
    telemetry.stop()
    assert [round(b - a, 6) for a, b in itertools.pairwise(calls)] == [5.0] * 3
    assert (len(telemetry.readings), telemetry.failures) == (4, ["no route"])


@pytest.fixture
def telemetry():
    return lambda read=reading, first=None: Telemetry(read, 5.0, first or reading())


def test_rule_08_displayed_figures_are_tier_d_and_never_the_headline(run, telemetry):
    record = run(telemetry=telemetry(), first=reading(), same_address=True)
    shown = record.metrics["displayed_rate_summary_ghs_5s"]
    assert (shown.value, shown.tier) == (pytest.approx(200e12), "D")
    assert record.metrics["displayed_power_power_watts"].value == 3300.0
    assert record.metrics["displayed_energy_power_watts"].value == pytest.approx(3300.0 / 200e12)
    assert record.energy_per_unit is None
    assert record.power is None
    ratio = record.metrics["verified_over_displayed_summary_ghs_5s"]
    assert ratio.interval_95[0] < RATE_H_S / 200e12 < ratio.interval_95[1]
    assert "displayed_energy_limit" not in record.metrics  # a target is no measurement
    assert record.miner.temperatures_c["inlet"] == 24.0
    assert record.device.settings["firmware"] == "LuxOS"


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"same_address": False}, "peer_mismatch", "ok"),
        ({"first": reading(fee_frac=0.02)}, "firmware_fee", "ok"),
        ({}, "agent_mismatch", "ok"),
    ],
)
def test_rule_08_what_the_firmware_says_is_held_against_the_connection(changes, code, status, run, telemetry):
    record = run(telemetry=telemetry(first=changes.get("first")), **changes)
    assert code in codes(record)
    assert record.status == status


def test_rule_08_a_firmware_that_restarts_in_the_windows_is_marked(run, telemetry, asic_clock):
    start_s = asic_clock.monotonic()

    def read():
        passed_s = asic_clock.monotonic() - start_s
        return reading(elapsed_s=passed_s if passed_s < 60.0 else passed_s - 60.0)

    assert "firmware_restarted" in codes(run(telemetry=telemetry(read)))


def test_rule_08_readings_that_fail_are_reported_and_the_rate_stands(run, telemetry):
    def fail():
        raise OSError("no route")

    record = run(telemetry=telemetry(fail))
    assert "telemetry_gaps" in codes(record)
    assert record.status == "ok"
