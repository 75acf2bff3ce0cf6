"""The screen keeps apart what is verified, what the wall says and what the firmware displays."""

import pytest
from doubles.work_server import codes

from bench.cli.run.asic_tables import print_asic
from bench.miners.record import Identity, MinerReading, PowerReading, RateReading
from bench.workloads.asic.telemetry import Telemetry

READING = MinerReading(
    Identity("luxos", "Bitmain", "Antminer S21", "LuxOS", "2026.1"),
    "2026-01-01T00:00:00Z",
    rates=(RateReading(2e14, "decay", 5.0, "nonces", "summary: GHS 5s", ""),),
    powers=(PowerReading(3250.0, "estimate", "power: Watts", ""),),
)


@pytest.fixture
def screen(run, tmp_path, capsys):
    def show(**options):
        record = run(**options)
        print_asic(record, tmp_path)
        lines = capsys.readouterr().out.splitlines()
        return record, {line.partition(" ")[0]: line for line in reversed(lines)}, lines

    return show


def test_a_metered_miner_has_joules_of_the_wall_and_displayed_ones_apart(screen, fake_meter):
    meter = fake_meter(lambda _t: 3500.0, period_s=0.2)
    record, lines, every = screen(meters=[meter], telemetry=Telemetry(lambda: READING, 5.0, READING), first=READING)
    assert lines["miner"] == "miner      Bitmain Antminer S21, LuxOS 2026.1"
    assert lines["rate"].endswith("in 3 windows: verified by shares")
    joules = record.metrics["energy_per_hash_wall"].value * 1e12
    assert 16.5 < joules < 18.5
    assert lines["energy"].startswith(f"energy     {joules:.2f} J/TH (-")
    assert lines["energy"].endswith(" at the wall, 3,500 W (fake, tier B)")
    shown = [line for line in every if line.startswith("displayed")]
    assert "verified is" in shown[0]
    assert "estimate, tier D); the wall draws 1.077 of it" in shown[1]
    assert shown[2] == "displayed  16.25 J/TH (power: Watts (estimate) over summary: GHS 5s, tier D)"
    assert "agent_mismatch" in codes(record)


def test_without_a_meter_the_screen_says_rate_only(screen):
    _, lines, _ = screen()
    assert lines["energy"] == "energy     not metered: rate only"
    assert lines["uniformity"].startswith("uniformity uniform")


def test_a_ticket_mask_has_no_rate_on_the_screen(screen):
    _, lines, _ = screen(ticket_mask=2.0)
    assert lines["rate"].startswith("rate       INVALID; ")
    assert lines["uniformity"].startswith("uniformity NOT uniform: hash over target up to 0.4")
