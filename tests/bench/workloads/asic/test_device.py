"""The device under test has no address, and a meter that is too small for it is named."""

import pytest

from bench.miners.record import Identity, MinerReading, PowerReading
from bench.workloads.asic.device import describe, meter_notes


def reading(power_w):
    identity = Identity("axeos", "Bitaxe", "Gamma", "ESP-Miner", "v2.15.0", unit="ab12")
    return MinerReading(identity, "", powers=(PowerReading(power_w, "nameplate", "x", ""),))


def test_a_device_is_known_by_its_firmware_or_by_its_user_agent():
    device = describe(reading(20.0), "bitaxe/BM1370")
    assert (device.kind, device.name, device.settings["unit"]) == ("asic", "Bitaxe Gamma", "ab12")
    assert describe(None, "cgminer/4").name == "cgminer/4"
    assert describe(None, "").name == "miner without a user agent"


@pytest.mark.parametrize(
    ("specs", "rate_h_s", "power_w", "noted"),
    [
        (["shelly:192.0.2.9"], 2e14, 3300.0, False),
        (["shelly:192.0.2.9"], 2e14, 5400.0, True),
        (["shelly:192.0.2.9"], 4e14, 0.0, True),
        (["trace:pdu.csv"], 4e14, 5400.0, False),
        (["tasmota:192.0.2.9"], 1.2e12, 20.0, False),
    ],
)
def test_rule_08_a_plug_too_small_for_the_machine_is_named(specs, rate_h_s, power_w, noted):
    assert [note.code for note in meter_notes(specs, rate_h_s, reading(power_w))] == ["meter_small"] * noted
