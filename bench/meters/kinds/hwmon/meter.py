"""Linux hwmon: energy counters and power sensors of drivers under /sys/class/hwmon."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from bench.diagnostics import unique
from bench.machine.identity import machine_key
from bench.meters.counters import Unwrapper
from bench.meters.errors import MeterError
from bench.meters.kinds.hwmon.cards import silent_cards
from bench.meters.kinds.hwmon.choice import SensorSum, listed, select
from bench.meters.kinds.hwmon.sensors import HWMON, AsleepError, Sensor, find_sensors
from bench.meters.plausible import NOTHING, fault_of_power
from bench.meters.protocol import Found, Meter, MeterInfo, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import Stated, read_stated
from bench.meters.stream import PolledMeter
from bench.meters.system_files import system_path
from bench.network.errors import ReadFailedError
from hardware_profiles.errors import InputError
from hardware_profiles.provenance import BOUNDARIES

PLAUSIBLE_W = 5000.0  # [W] more than a device can draw
_PLUG = "use a plug: --meter shelly:HOST"


class Hwmon(PolledMeter):
    """The sum of one or more sensors of one driver; one failed sensor makes the reading missing."""

    def __init__(self, chosen: SensorSum, stated: Stated, clock: Callable[[], float] = time.monotonic) -> None:
        sensors = chosen.sensors
        averaging_s = max(sensor.averaging_s for sensor in sensors)
        by_driver = max((error for sensor in sensors if (error := sensor.accuracy_frac)), default=None)
        known = chosen.role.boundary == stated.boundary
        super().__init__(
            MeterInfo(
                name=chosen.spec,
                kind=sensors[0].kind,
                boundary=stated.boundary,
                tier=stated.tier,
                accuracy_frac=stated.accuracy_frac or by_driver,
                accuracy_source=_accuracy_source(stated, by_driver),
                period_s=max(stated.period_s, averaging_s),
                averaging_s=averaging_s,
                poll_s=stated.period_s,
                domains=tuple(f"hwmon:{s.driver}@{s.device}/{s.file}@{machine_key()}" for s in sensors),
                scope=chosen.words,
                covers=chosen.role.covers if known else (),
            ),
            clock,
        )
        self.sensors = sensors
        self._unwrappers = [Unwrapper((), PLAUSIBLE_W) for _ in sensors]

    def connect(self) -> MeterInfo:
        """Read each sensor once, so that a missing permission or a sleeping device is found before the run."""
        for sensor in self.sensors:
            fault = _fault(sensor)
            if fault is not None:
                raise MeterError(f"meter {self._info.name}: {'; '.join(fault)}")
        return self._info

    def read_once(self) -> tuple[float, None, tuple[str, ...]]:
        """Return the joules since the first reading, or the power [W], summed over the sensors."""
        try:
            values = [sensor.read() for sensor in self.sensors]
        except AsleepError as error:
            raise ReadFailedError(str(error), "device_asleep") from None
        except (OSError, ValueError) as error:
            raise ReadFailedError(f"{self._info.name}: {error}") from None
        if self._info.kind is MeterKind.POWER:
            return sum(values), None, ()
        now_s = self._clock()
        steps = [unwrapper.add(now_s, value) for unwrapper, value in zip(self._unwrappers, values, strict=True)]
        return sum(joules for joules, _ in steps), None, unique(code for _, codes in steps for code in codes)


def _accuracy_source(stated: Stated, by_driver: float | None) -> str:
    if stated.accuracy_frac is not None:
        return stated.accuracy_source
    return "none stated by the driver" if by_driver is None else "stated by the driver (powerN_accuracy)"


def _fault(sensor: Sensor) -> tuple[str, str] | None:
    """Return why a sensor cannot be read now or gives no power, and the cure, or None if it can be used."""
    try:
        value = sensor.read()
    except AsleepError:
        wake = f"start its load first, or keep it awake: echo on | sudo tee {sensor.control / 'control'}"
        return "the device is asleep and gives no power", wake
    except PermissionError as error:
        unreadable = next((path for path in sensor.paths if not os.access(path, os.R_OK)), None)
        if error.errno == errno.EPERM and unreadable is None:
            return f"the driver refuses to read {sensor.paths[0]} now", "wake the device: start its load first"
        path = unreadable or sensor.paths[0]
        return f"only root can read {path}", f"sudo chmod a+r {path}"
    except (OSError, ValueError) as error:
        return f"{sensor.paths[0]} cannot be read: {error}", _PLUG
    if sensor.kind is MeterKind.POWER and fault_of_power(value, NOTHING):
        return f"{sensor.paths[0]} says {value:.12g} W, the pattern of a register that holds no value", _PLUG
    return None


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    root = Path(settings["root"]) if "root" in settings else system_path(HWMON)
    sensors = find_sensors(root)
    if not sensors:
        raise MeterError(f"meter hwmon: no power or energy sensor under {root}; {_PLUG}")
    chosen = select(target, sensors)
    boundary = chosen.role.boundary
    if boundary is None and "boundary" not in settings:
        raise InputError.at(
            f"--meter {chosen.spec}", "boundary", expected="the boundary of this sensor, as in ,boundary=board"
        )
    stated = read_stated(chosen.spec, settings, options, boundary=boundary or "board", period_s=0.1, more=("root",))
    if boundary and not chosen.role.whole and BOUNDARIES.index(stated.boundary) > BOUNDARIES.index(boundary):
        raise InputError.at(
            f"--meter {chosen.spec}",
            "boundary",
            expected=f"{boundary}, because it reads {chosen.role.words}",
            got=stated.boundary,
        )
    return Hwmon(chosen, stated)


def _find() -> list[Found]:
    root = system_path(HWMON)
    sensors = find_sensors(root)
    meters = [*(_listed(chosen) for chosen in listed(sensors)), *silent_cards(sensors)]
    if meters:
        return meters
    reason = f"no power or energy sensor under {root}"
    return [
        Found("hwmon", MeterKind.POWER, "board", Tier.C, usable=False, reason=reason, cure=_PLUG, spec="hwmon:NAME")
    ]


def _listed(chosen: SensorSum) -> Found:
    fault = next((fault for sensor in chosen.sensors if (fault := _fault(sensor))), ("", ""))
    role = chosen.role
    return Found(
        chosen.spec,
        chosen.sensors[0].kind,
        role.boundary,
        Tier.C,
        usable=not fault[0],
        reason=fault[0],
        cure=fault[1],
        spec=chosen.spec if role.boundary else f"{chosen.spec},boundary=BOUNDARY",
        reads=chosen.words,
        whole_of=_whole_of(chosen),
    )


def _whole_of(chosen: SensorSum) -> str:
    """Return `cpu` for a sum over the CPU's sockets or the input of a module that holds the CPU, else nothing."""
    role = chosen.role
    encloses = role.boundary == "board" and not role.covers
    return "cpu" if role.whole and (role.per_socket or encloses) else ""


ENTRY = MeterKindEntry("hwmon", "power and energy sensors of Linux drivers", _make, _find)
