"""The energy and power sensors below /sys/class/hwmon, each with its driver, its device and its label.

References
----------
Linux Documentation/hwmon/sysfs-interface.rst (powerN_input and powerN_average in µW, energyN_input in µJ, inN_input in
mV, currN_input in mA, powerN_average_interval in ms, powerN_accuracy in per cent) and ina3221.rst (three rails).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.meters.protocol import MeterKind
from bench.meters.system_files import read_text, system_path

HWMON = "/sys/class/hwmon"
UNSTATED_AVERAGING_S = 1.0  # [s] taken for an average whose driver states no interval
_SENSOR = re.compile(r"(?:(power\d+)_(?:input|average)|(energy\d+)_input)")
_RAILS = ("ina3221",)  # drivers that give volts and amperes per rail, but no power
_PLAIN = re.compile(r"[\w.+-]+")


class AsleepError(Exception):
    """The device of a sensor is suspended, so that its power is unknown and not 0 W."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One energy or power of one hwmon device."""

    driver: str
    device: str  # address of the device on its bus, such as 0000:03:00.0; hwmonN if it has none
    hwmon: str  # hwmonN, which may be another after the next boot
    folder: Path  # folder of its files
    channel: str  # such as power1
    file: str  # such as power1_average; in1 for a rail of volts and amperes
    label: str
    alone: bool = True  # whether its driver has no other device

    @property
    def name(self) -> str:
        """The name behind `hwmon:`, which needs the device only where the driver has several."""
        last = self.label if self.is_rail and _PLAIN.fullmatch(self.label) else self.file
        return f"{self.owner}/{last}"

    @property
    def owner(self) -> str:
        """The driver, with the device where the driver has several."""
        return self.driver if self.alone else f"{self.driver}@{self.device}"

    @property
    def spec(self) -> str:
        """The spec for `--meter`."""
        return f"hwmon:{self.name}"

    @property
    def is_rail(self) -> bool:
        """Whether its power is the product of volts and amperes."""
        return self.file == self.channel

    @property
    def kind(self) -> MeterKind:
        """A counter for energyN_input, otherwise power."""
        return MeterKind.COUNTER if self.file.startswith("energy") else MeterKind.POWER

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of its value: one, or volts and amperes of a rail."""
        if self.is_rail:
            number = self.channel.removeprefix("in")
            return self.folder / f"in{number}_input", self.folder / f"curr{number}_input"
        return (self.folder / self.file,)

    @property
    def averaging_s(self) -> float:
        """Time over which one value averages [s]."""
        interval_ms = read_text(self.folder / f"{self.channel}_average_interval")
        if interval_ms and interval_ms.isdigit():
            return int(interval_ms) / 1000.0
        return UNSTATED_AVERAGING_S if self.file.endswith("_average") else 0.0

    @property
    def accuracy_frac(self) -> float | None:
        """Relative error that the driver states [-], or None; ACPI states the accuracy, 95 % for an error of 5 %."""
        text = (read_text(self.folder / f"{self.channel}_accuracy") or "").removesuffix("%")
        try:
            percent = float(text)
        except ValueError:
            return None
        error = percent if percent < 50.0 else 100.0 - percent
        return error / 100.0 if 0.0 < error < 50.0 else None

    @property
    def control(self) -> Path:
        """The folder of the device's power management."""
        own = self.folder / "device"
        return (own if own.exists() else self.folder) / "power"

    def read(self) -> float:
        """Return its energy [J] or power [W].

        Raises
        ------
        AsleepError
            The device is suspended; it is not woken.
        OSError, ValueError
            A file cannot be read, or holds no number.
        """
        if read_text(self.control / "runtime_status") == "suspended":
            raise AsleepError(f"{self.spec}: the device is asleep")
        value = 1e-6
        for path in self.paths:
            value *= int(path.read_text(encoding="ascii"))
        return value


def find_sensors(root: Path | None = None) -> list[Sensor]:
    """Return every energy and power sensor, counters first within a device."""
    sensors = []
    for link in sorted((root or system_path(HWMON)).glob("hwmon*"), key=lambda path: (len(path.name), path.name)):
        # Drivers of the old interface keep their files with the device.
        folder = link if (link / "name").exists() or not (link / "device").is_dir() else link / "device"
        driver = read_text(folder / "name") or link.name
        device = (link / "device").resolve().name if (link / "device").exists() else link.name
        for channel, file in _files(folder, driver):
            sensors.append(Sensor(driver, device, link.name, folder, channel, file, _label(folder, channel)))
    return [_named(sensor, sensors) for sensor in sensors]


def _named(sensor: Sensor, sensors: list[Sensor]) -> Sensor:
    """Return a sensor whose name tells its device from others of the same driver."""
    of_driver = {(other.device, other.hwmon) for other in sensors if other.driver == sensor.driver}
    shared = Counter(device for device, _ in of_driver)[sensor.device] > 1
    return replace(sensor, alone=len(of_driver) == 1, device=sensor.hwmon if shared else sensor.device)


def _files(folder: Path, driver: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted((path.name for path in folder.iterdir()), key=lambda name: (len(name.split("_")[0]), name))
    except OSError:  # a container may hide the device to which the folder points
        return
    matches = [match for name in names if (match := _SENSOR.fullmatch(name))]
    for match in sorted(matches, key=lambda match: match[2] is None):
        yield match[1] or match[2], match[0]
    if driver in _RAILS and not matches:
        for number in (1, 2, 3):
            rail = f"in{number}"
            files = (folder / f"{rail}_input", folder / f"curr{number}_input")
            connected = read_text(folder / f"{rail}_enable") != "0" and _label(folder, rail) != "NC"
            if connected and all(path.exists() for path in files):
                yield rail, rail


def _label(folder: Path, channel: str) -> str:
    """Return the label of a channel: its own, the text of ACPI's firmware, or that of the whole device."""
    names = (f"{channel}_label", f"{channel}_oem_info", "label")
    return next((text for name in names if (text := read_text(folder / name))), "")
