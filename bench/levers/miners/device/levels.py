"""Names of levels with a value and a unit, such as `3000W` and `80%`, and the levels that a sweep tries."""

import re

from sites.control.model import OFF, ON, Level

MOST_LEVELS = 8
_VALUE = re.compile(r"(\d{1,6})(W|%|MHz)")


def value_of(level: str, unit: str) -> int | None:
    """Return the value of a level's name in a unit, or None if it is none: `3000W` in `W` is 3000."""
    match = _VALUE.fullmatch(level)
    return int(match[1]) if match and match[2] == unit else None


def watts(power_w: float) -> str:
    """Return the name of the level of a power target [W]."""
    return f"{round(power_w)}W"


def spaced(lowest: float, highest: float, step: float, most: int = MOST_LEVELS) -> list[int]:
    """Return whole values from the lowest to the highest, evenly spaced, each a multiple of the step but for the ends.

    Parameters
    ----------
    lowest, highest
        Ends of the range.
    step
        What the values between are rounded to.
    most
        How many values at most.
    """
    if highest <= lowest:
        return [round(lowest)]
    count = max(2, min(most, int((highest - lowest) / step) + 1))
    between = (lowest + (highest - lowest) * at / (count - 1) for at in range(1, count - 1))
    values = [lowest, *(round(value / step) * step for value in between), highest]
    return sorted({round(value) for value in values})


def off_and_on(asleep_w: float | None = None) -> tuple[Level, ...]:
    """Return the two levels of a device that can only be switched."""
    return Level(OFF, asleep_w), Level(ON)


def out_of_range(level: str, lowest: float, highest: float, unit: str) -> str:
    """Return the refusal of a level outside the device's own range."""
    return f"unknown_level: expected {lowest:g}{unit} to {highest:g}{unit}, got {level}"
