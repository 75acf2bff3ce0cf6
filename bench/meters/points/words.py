"""How a raw value is understood, in words for `perwatt meter check`."""

from bench import limits
from bench.meters.points.table import Point
from bench.meters.points.transport import Raw
from bench.meters.points.units import FACTORS, UNITLESS
from hardware_profiles.errors import shown


def explained(point: Point, raw: Raw, factor: float, *, is_stated: bool) -> str:
    """Return one figure with its source, as in `power L1 = 1333 W, from 13330 times 0.1 W`.

    Parameters
    ----------
    point
        The point of the table.
    raw
        The value as the device sent it.
    factor
        SI value of one raw unit.
    is_stated
        Whether the device states the digits of its raw values.
    """
    name = f"{point.quantity.replace('_', ' ')} {point.phase}".strip()
    if raw is None or raw in point.absent:
        return f"{name}: no value"
    if point.quantity in UNITLESS:
        return f"{name} = {shown(str(raw))}"
    sent = shown(raw) if isinstance(raw, str) else str(raw)
    unit = next(unit for unit, value in FACTORS[point.quantity].items() if value == 1.0)
    unit = "" if unit == "1" else f" {unit}"
    source = ", whose digits the device states" if is_stated else ""
    try:
        if point.quantity == "averaging" and float(raw) * factor > limits.LONGEST_AVERAGING_S:
            return f"{name} = {float(raw) * factor:.6g} s: that of the device's statistics, not used"
        return f"{name} = {float(raw) * factor:.6g}{unit}, from {sent} times {factor:.6g}{unit}{source}"
    except (ValueError, OverflowError):
        return f"{name}: expected a number, got {sent}"
