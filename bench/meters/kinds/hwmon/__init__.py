"""The meter `hwmon`: the sensors of Linux drivers, what each of them covers, and the choice by name."""

from bench.meters.kinds.hwmon.meter import ENTRY, Hwmon
from bench.meters.kinds.hwmon.sensors import find_sensors

__all__ = ["ENTRY", "Hwmon", "find_sensors"]
