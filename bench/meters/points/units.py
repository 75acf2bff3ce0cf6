"""The units of a point's values, and their factors to SI."""

from typing import Literal

Quantity = Literal["power", "energy", "volts", "amps", "power_factor", "apparent_power", "averaging", "time", "active"]

FACTORS: dict[str, dict[str, float]] = {
    "power": {"W": 1.0, "kW": 1e3, "MW": 1e6, "mW": 1e-3, "uW": 1e-6},
    "energy": {"J": 1.0, "kJ": 1e3, "mJ": 1e-3, "uJ": 1e-6, "Wh": 3600.0, "kWh": 3.6e6, "MWh": 3.6e9},
    "volts": {"V": 1.0, "mV": 1e-3, "kV": 1e3},
    "amps": {"A": 1.0, "mA": 1e-3},
    "power_factor": {"1": 1.0, "%": 0.01},
    "apparent_power": {"VA": 1.0, "kVA": 1e3},
    "averaging": {"s": 1.0, "ms": 1e-3},
}
"""SI value of one unit, by quantity. A time and a state have none: they are compared, not computed with."""

UNITLESS = ("time", "active")
