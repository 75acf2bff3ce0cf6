"""Linux hwmon: energy counters and power sensors of drivers under /sys/class/hwmon.

References
----------
Linux Documentation/hwmon/sysfs-interface.rst (powerN_input and powerN_average in µW, energyN_input in µJ,
powerN_average_interval in ms).
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.machine.identity import machine_key
from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import read_stated
from bench.meters.stream import PolledMeter, ReadFailedError
from hardware_profiles.errors import InputError, near_names
from hardware_profiles.provenance import Boundary

ROOT = Path("/sys/class/hwmon")
PLAUSIBLE_W = 5000.0  # [W] more than a device can draw
_SENSOR = re.compile(r"(?:power\d+_(?:input|average)|energy\d+_input)")

# driver -> boundary of its sensors, as far as its documentation states it
_BOUNDARIES: dict[str, Boundary] = {
    "amd_energy": "package",
    "zenpower": "package",
    "fam15h_power": "package",
    "amdgpu": "board",
    "xe": "board",
    "i915": "board",
    "power_meter": "node",
}


@dataclass(frozen=True, slots=True)
class Sensor:
    """One file of one hwmon device."""

    driver: str
    path: Path
    label: str

    @property
    def spec(self) -> str:
        """The spec for `--meter`."""
        return f"hwmon:{self.driver}/{self.path.name}"

    @property
    def kind(self) -> MeterKind:
        """A counter for energyN_input, otherwise power."""
        return MeterKind.COUNTER if self.path.name.startswith("energy") else MeterKind.POWER


def find_sensors(root: Path = ROOT) -> list[Sensor]:
    """Return every energy and power sensor, counters first within a device."""
    sensors = []
    for folder in sorted(root.glob("hwmon*")):
        driver = _text(folder / "name") or folder.name
        for path in sorted(folder.iterdir()):
            if _SENSOR.fullmatch(path.name):
                label = _text(folder / (path.name.rsplit("_", 1)[0] + "_label")) or ""
                sensors.append(Sensor(driver, path, label))
    return sensors


class Hwmon(PolledMeter):
    """One hwmon sensor."""

    def __init__(
        self, sensor: Sensor, boundary: Boundary, period_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        interval_ms = _text(sensor.path.parent / (sensor.path.name.rsplit("_", 1)[0] + "_average_interval"))
        averaging_s = int(interval_ms) / 1000.0 if interval_ms and interval_ms.isdigit() else 0.0
        super().__init__(
            MeterInfo(
                name=sensor.spec,
                kind=sensor.kind,
                boundary=boundary,
                tier=Tier.C,
                accuracy_frac=None,
                accuracy_source="none stated by the driver",
                period_s=max(period_s, averaging_s),
                averaging_s=averaging_s,
                poll_s=period_s,
                domains=(f"{sensor.spec}@{machine_key()}",),
                scope=sensor.label or f"as the driver {sensor.driver} defines it",
            ),
            clock,
        )
        self.sensor = sensor
        self._unwrapper = Unwrapper((), PLAUSIBLE_W)

    def connect(self) -> MeterInfo:
        """Read once, so that a missing permission is found before the run."""
        path = self.sensor.path
        try:
            int(path.read_text(encoding="ascii"))
        except PermissionError:
            raise MeterError(f"meter {self._info.name}: only root can read {path}; sudo chmod a+r {path}") from None
        except (OSError, ValueError) as error:
            raise MeterError(f"meter {self._info.name}: {path} cannot be read: {error}") from None
        return self._info

    def read_once(self) -> tuple[float, None, tuple[str, ...]]:
        """Return the joules since the first reading, or the power [W]."""
        try:
            value = int(self.sensor.path.read_text(encoding="ascii")) * 1e-6
        except (OSError, ValueError) as error:
            raise ReadFailedError(f"{self.sensor.path}: {error}") from None
        if self.sensor.kind is MeterKind.POWER:
            return value, None, ()
        joules, codes = self._unwrapper.add(self._clock(), value)
        return joules, None, codes


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    root = Path(settings.get("root", ROOT))
    sensors = find_sensors(root)
    names = [sensor.spec.removeprefix("hwmon:") for sensor in sensors]
    chosen = [s for s, name in zip(sensors, names, strict=True) if target in (name, name.split("/")[0]) or not target]
    if not chosen and not sensors:
        raise MeterError(f"meter hwmon: no power or energy sensor under {root}; use a plug: --meter shelly:HOST")
    if not chosen:
        raise InputError.at(
            "--meter hwmon",
            expected=f"one of {', '.join(names)}",
            got=target,
            near=near_names(target, [*names, *(sensor.driver for sensor in sensors)]),
        )
    if len({sensor.path.parent for sensor in chosen}) > 1:
        raise InputError.at("--meter hwmon", expected=f"one of {', '.join(names)}", got=target or "none named")
    sensor = min(chosen, key=lambda candidate: candidate.kind is not MeterKind.COUNTER)
    default = _BOUNDARIES.get(sensor.driver)
    if default is None and "boundary" not in settings:
        raise InputError.at(
            f"--meter {sensor.spec}", "boundary", expected="the boundary of this sensor, as in ,boundary=board"
        )
    stated = read_stated(sensor.spec, settings, options, boundary=default or "board", period_s=0.1, more=("root",))
    return Hwmon(sensor, stated.boundary, stated.period_s)


def _find() -> list[Found]:
    meters = [
        Found(
            sensor.spec,
            sensor.kind,
            _BOUNDARIES.get(sensor.driver, "board"),
            Tier.C,
            usable=os.access(sensor.path, os.R_OK),
            reason="" if os.access(sensor.path, os.R_OK) else f"only root can read {sensor.path}",
            cure="" if os.access(sensor.path, os.R_OK) else f"sudo chmod a+r {sensor.path}",
            spec=sensor.spec,
        )
        for sensor in find_sensors()
    ]
    if meters:
        return meters
    reason, cure = f"no power or energy sensor under {ROOT}", "use a plug: --meter shelly:HOST"
    return [Found("hwmon", MeterKind.POWER, "board", Tier.C, usable=False, reason=reason, cure=cure, spec="hwmon:NAME")]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


ENTRY = MeterKindEntry("hwmon", "power and energy sensors of Linux drivers", _make, _find)
