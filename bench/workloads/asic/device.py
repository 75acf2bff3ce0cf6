"""The description of a miner as the device under test, and the check of the meter's size."""

from collections.abc import Iterable

from bench import limits
from bench.miners.record import MinerReading
from bench.results.record import Device, Reason

BEST_J_PER_TH = 13.5  # [J/TH] the most efficient air-cooled machines of 2026: a machine draws at least about that
LEAST_RACK_H_S = 2e13  # [hash/s] smaller machines run on a desk, from a power supply of any kind
_PLUGS = ("shelly", "tasmota")


def describe(reading: MinerReading | None, user_agent: str) -> Device:
    """Return the device under test; without a reading of its firmware it is known by its user agent alone.

    No address and no serial number appears.
    """
    if reading is None:
        return Device(kind="asic", name=user_agent or "miner without a user agent", settings={"user_agent": user_agent})
    identity = reading.identity
    name = " ".join(part for part in (identity.maker, identity.model) if part)
    return Device(
        kind="asic",
        name=name or user_agent or identity.family,
        settings={
            "family": identity.family,
            "maker": identity.maker,
            "model": identity.model,
            "firmware": identity.firmware,
            "firmware_version": identity.firmware_version,
            "unit": identity.unit,
            "user_agent": user_agent,
            "nominal_rate_h_s": reading.nominal_rate_h_s,
            "boards": len(reading.boards),
            "mode": reading.mode.name,
            "profile": reading.mode.profile,
        },
    )


def meter_notes(specs: Iterable[str], expected_rate_h_s: float, reading: MinerReading | None) -> list[Reason]:
    """Return a code if a smart plug is among the meters and the machine may draw more than a plug carries."""
    if expected_rate_h_s < LEAST_RACK_H_S:
        return []
    shown = [power.power_w for power in reading.powers] if reading is not None else []
    power_w, source = max(
        [*((value, "shown by the firmware") for value in shown),
         (expected_rate_h_s / 1e12 * BEST_J_PER_TH, f"at {BEST_J_PER_TH:g} J/TH")]
    )  # fmt: skip
    plugs = [spec for spec in specs if spec.partition(":")[0] in _PLUGS]
    if not plugs or power_w <= limits.PLUG_W:
        return []
    kinds = ", ".join(dict.fromkeys(spec.partition(":")[0] for spec in plugs))
    return [Reason(code="meter_small", detail=f"{power_w:.0f} W ({source}) through a meter of kind {kinds}")]
