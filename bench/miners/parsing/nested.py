"""Objects within the objects of a reply, cited by the path to them."""

import math
from typing import Any

from bench.miners.record import FanReading
from bench.miners.reply import Section


def inside(outer: Section, *keys: str) -> Section:
    """Return the object at a path of keys; it is empty if there is none."""
    return Section(".".join((outer.name, *keys)), _value(outer, *keys))


def rows_inside(outer: Section, *keys: str) -> tuple[Section, ...]:
    """Return the objects of the list at a path of keys."""
    name, value = ".".join((outer.name, *keys)), _value(outer, *keys)
    rows = enumerate(value) if isinstance(value, list) else ()
    return tuple(Section(f"{name}[{index}]", row) for index, row in rows if isinstance(row, dict))


def fan(at: Section, speed_key: str, duty_key: str = "", full: float = 100.0) -> tuple[FanReading, ...]:
    """Return one fan, or nothing if the firmware sends neither figure.

    Parameters
    ----------
    at
        The object that holds it.
    speed_key
        Key of the speed [1/min].
    duty_key
        Key of the drive; empty if there is none.
    full
        The value of full drive.
    """
    speed_rpm, duty = at.number(speed_key), at.number(duty_key) if duty_key else None
    if speed_rpm is None and duty is None:
        return ()
    share = None if duty is None else min(max(duty / full, 0.0), 1.0)
    return (FanReading(speed_rpm, share, at.raw_key(duty_key if speed_rpm is None else speed_key)),)


def scaled(value: float | None, factor: float) -> float | None:
    """Return a value in another unit, or None if there is none or it is beyond what a float holds."""
    return None if value is None or not math.isfinite(value * factor) else value * factor


def _value(outer: Section, *keys: str) -> Any:
    value: Any = outer.values
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
