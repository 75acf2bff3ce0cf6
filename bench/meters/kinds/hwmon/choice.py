"""Meters made of hwmon sensors: single ones, and sums over the sockets or cores of one driver, each with a name."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.meters.kinds.hwmon.roles import Role, role_of
from bench.meters.kinds.hwmon.sensors import Sensor
from hardware_profiles.errors import InputError, near_names

_NUMBERED = re.compile(r"(.*?)\s*\d+")


@dataclass(frozen=True, slots=True)
class SensorSum:
    """The sensors that one meter adds, often a single one."""

    name: str  # behind `hwmon:`
    sensors: tuple[Sensor, ...]
    role: Role

    @property
    def spec(self) -> str:
        """The spec for `--meter`."""
        return f"hwmon:{self.name}"

    @property
    def words(self) -> str:
        """The labels and what they cover, for people."""
        labels = [sensor.label or sensor.file for sensor in self.sensors]
        shown = " + ".join(labels) if len(labels) <= 4 else f"{labels[0]} to {labels[-1]} ({len(labels)} sensors)"
        return f"{shown}: {self.role.words}"


def listed(sensors: Sequence[Sensor]) -> list[SensorSum]:
    """Return the meters to list: the sums over sockets or cores, and every sensor that is in no sum."""
    sums = [*_socket_sums(sensors), *(total for stem in _stems(sensors) if (total := _sum_of(stem, sensors)))]
    summed = {(sensor.hwmon, sensor.channel) for total in sums for sensor in total.sensors}
    alone = [sensor for sensor in sensors if (sensor.hwmon, sensor.channel) not in summed]
    return [*sums, *(_single(sensor, sensors) for sensor in alone)]


def select(target: str, sensors: Sequence[Sensor]) -> SensorSum:
    """Return the meter of a name: a driver, a device, a sensor's file or label, or the stem of numbered labels.

    Raises
    ------
    InputError
        No sensor has this name, or several have and none of them is the whole of the driver's device.
    """
    driver, _, last = target.partition("/")
    known = [total.name for total in listed(sensors)]
    mine = [sensor for sensor in sensors if driver in _owners(sensor)]
    if not mine:
        near = near_names(target, [*known, *(sensor.driver for sensor in sensors)])
        raise InputError.at("--meter hwmon", expected=f"one of {', '.join(known)}", got=target, near=near)
    if not last:
        return _whole(target, mine, sensors)
    named = [sensor for sensor in mine if sensor.file == last] or [s for s in _preferred(mine) if s.label == last]
    if len(named) == 1:
        return _single(named[0], sensors)
    total = _sum_of((mine[0].driver, last), mine)
    if total is not None and not named:
        return total
    choices = [_single(sensor, sensors) for sensor in named or mine]
    raise InputError.at("--meter hwmon", expected=f"one of {_described(choices)}", got=target)


def _whole(target: str, mine: Sequence[Sensor], sensors: Sequence[Sensor]) -> SensorSum:
    """Return the meter that stands for a driver or one of its devices."""
    sums = [total for total in _socket_sums(sensors) if set(total.sensors) <= set(mine)]
    if len(sums) == 1:
        return sums[0]
    preferred = _preferred(mine)
    only = [sensor for sensor in preferred if role_of(sensor).whole] or preferred
    if len(only) == 1:
        return _single(only[0], sensors)
    choices = [_single(sensor, sensors) for sensor in only]
    raise InputError.at("--meter hwmon", expected=f"one of {_described(choices)}", got=target)


def _single(sensor: Sensor, sensors: Sequence[Sensor]) -> SensorSum:
    role = role_of(sensor)
    if role.per_socket:
        alike = [other for other in _preferred(sensors) if other.driver == sensor.driver and role_of(other) == role]
        if len(alike) > 1:
            role = Role("chip", role.covers, f"one of {len(alike)} sockets")
    elif role.boundary == "node":
        alike = [other for other in _preferred(sensors) if role_of(other) == role]
        if len(alike) > 1:
            role = Role(None, (), f"one of {len(alike)} meters; no label says which one reads the whole machine")
    return SensorSum(sensor.name, (sensor,), role)


def _sum_of(stem: tuple[str, str], sensors: Iterable[Sensor]) -> SensorSum | None:
    """Return the sum of a driver's sensors whose labels are a text with a number behind it."""
    driver, text = stem
    matching = [
        sensor
        for sensor in _preferred(sensors)
        if sensor.driver == driver and (match := _NUMBERED.fullmatch(sensor.label)) and match[1] == text
    ]
    labels = {sensor.label for sensor in matching}
    if not matching or len(labels) < len(matching) or len({sensor.kind for sensor in matching}) > 1:
        return None
    return SensorSum(f"{driver}/{text}", tuple(matching), role_of(matching[0]))


def _socket_sums(sensors: Sequence[Sensor]) -> list[SensorSum]:
    """Return the sum over all sockets for each driver that has one."""
    sockets: dict[str, list[Sensor]] = {}
    for sensor in _preferred(sensors):
        role = role_of(sensor)
        if role.whole and role.per_socket:
            sockets.setdefault(sensor.driver, []).append(sensor)
    return [SensorSum(driver, tuple(each), role_of(each[0])) for driver, each in sockets.items()]


def _stems(sensors: Iterable[Sensor]) -> list[tuple[str, str]]:
    """Return drivers with the text of their numbered labels, each once, without those whose sum is the whole CPU."""
    parts = [sensor for sensor in sensors if not role_of(sensor).whole]
    numbered = [sensor for sensor in parts if role_of(sensor).per_socket or sensor.label.startswith("Ecore")]
    matches = [(sensor.driver, _NUMBERED.fullmatch(sensor.label)) for sensor in numbered]
    return list(dict.fromkeys((driver, match[1]) for driver, match in matches if match))


def _preferred(sensors: Iterable[Sensor]) -> list[Sensor]:
    """Return one sensor for each number of a device's channels: its energy, else its average power, else its power."""
    best: dict[tuple[str, str], Sensor] = {}
    for sensor in sorted(sensors, key=_rank):
        best.setdefault((sensor.hwmon, sensor.channel.lstrip("abcdefghijklmnopqrstuvwxyz")), sensor)
    return list(best.values())


def _rank(sensor: Sensor) -> int:
    return 0 if sensor.file.startswith("energy") else 1 if sensor.file.endswith("_average") else 2


def _owners(sensor: Sensor) -> tuple[str, ...]:
    return (
        sensor.driver,
        f"{sensor.driver}@{sensor.device}",
        f"{sensor.driver}@{sensor.hwmon}",
        sensor.hwmon,
        sensor.device,
    )


def _described(choices: Iterable[SensorSum]) -> str:
    return ", ".join(
        f"{choice.name} ({choice.sensors[0].label})" if choice.sensors[0].label else choice.name for choice in choices
    )
