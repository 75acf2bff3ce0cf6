"""Graphics cards of Intel whose driver gives no energy: listed as such, with the cure.

References
----------
Linux Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon and sysfs-driver-intel-xe-hwmon: energy1_input of a card.
"""

import re
from collections.abc import Iterator, Sequence

from bench.meters.kinds.hwmon.sensors import Sensor
from bench.meters.protocol import Found, MeterKind, Tier
from bench.meters.system_files import read_text, system_path

_CARD = re.compile(r"card\d+")
_INTEL = "0x8086"
_WITHIN_CPU = "0000:00:02.0"  # graphics of the CPU: RAPL counts them with its package


def silent_cards(sensors: Sequence[Sensor]) -> Iterator[Found]:
    """Return the cards of Intel without a sensor of their own."""
    measured = {sensor.device for sensor in sensors}
    for card in sorted(system_path("/sys/class/drm").glob("card*")):
        device = card / "device"
        if not _CARD.fullmatch(card.name) or read_text(device / "vendor") != _INTEL:
            continue
        address, driver = device.resolve().name, (device / "driver").resolve().name
        if address in measured or address == _WITHIN_CPU:
            continue
        name = f"hwmon:{driver}@{address}"
        reason = f"the driver {driver} gives no energy of this card"
        cure = "update Linux: since 6.8 both i915 and xe give it; or use a plug: --meter shelly:HOST"
        yield Found(name, MeterKind.COUNTER, "board", Tier.C, usable=False, reason=reason, cure=cure, spec=name)
