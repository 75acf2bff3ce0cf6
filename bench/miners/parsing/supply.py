"""The power supply of a Whatsminer: whether its input power agrees with its own volts and amperes."""

import math

from bench.miners.record import PowerReading
from bench.miners.reply import Section

AGREES_FRAC = 0.10
"""Relative difference that is allowed between input power and volts times amperes (rounded, power factor unknown)."""
_VOLT_SCALES = (1.0, 0.1, 0.01, 0.001)  # the unit of `vin` differs between supplies: `39600` is 396.00 V
_LEAST_V, _MOST_V = 90.0, 500.0
_PHASES = (1.0, math.sqrt(3.0))


def input_power(supply: Section) -> tuple[tuple[PowerReading, ...], tuple[str, ...]]:
    """Return the input power of a supply with its kind, and what is to be said of it.

    Parameters
    ----------
    supply
        The object with `pin` [W], `vin` and `iin` [mA].
    """
    power, volts, milliamperes = supply.number("pin"), supply.number("vin"), supply.number("iin")
    if power is None or power < 0.0:
        return (), ()
    key, raw = supply.raw_key("pin"), supply.text("pin")
    if volts is None or milliamperes is None:
        return (PowerReading(power, "ac_in_psu", key, raw),), (f"{key}: not checked, because vin or iin is missing",)
    products = (
        volts * scale * milliamperes / 1000.0 * phases
        for scale in _VOLT_SCALES
        if _LEAST_V <= volts * scale <= _MOST_V
        for phases in _PHASES
    )
    if power == 0.0 or any(abs(product / power - 1.0) <= AGREES_FRAC for product in products):
        return (PowerReading(power, "ac_in_psu", key, raw),), ()
    text = f"{key}: {power:g} W does not agree with vin {volts:g} times iin {milliamperes:g} mA, so its kind is unknown"
    return (PowerReading(power, "unknown", key, raw),), (text,)
