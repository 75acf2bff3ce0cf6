"""Checks of a meter's readings against everything else that its source says of the same power (method rule 22).

Each check is a pure function. What a source does not offer is not checked, and nothing says that it was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from bench import limits

_REGISTERS = (0xFFFF, 0x7FFF, 0x8000)  # "no value" of 16-bit registers
_LONG_REGISTERS = (
    0xFFFFFF,
    0x7FFFFF,  # 24 bits, as measuring chips have them
    0xFFFFFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFC00000,
    0x7FC00000,  # the float NaN read as an integer
    0xFFFFFFFFFFFFFFFF,
    0x7FFFFFFFFFFFFFFF,
    0x8000000000000000,
)
_LEFTOVERS = (9.9e37, 9.91e37)  # SCPI's infinity and NaN
SENTINELS = frozenset(
    float(f"{sign * value:.12g}")
    for sign in (1.0, -1.0)
    for value in (
        *(word / 10**digits for word in _REGISTERS for digits in range(2)),
        *(word / 10**digits for word in _LONG_REGISTERS for digits in range(7)),
        *_LEFTOVERS,
    )
)
"""Values [W] that stand for "no value" in the usual registers and units, from watts down to microwatts."""

_MOST_HALF_STEP = {"volts": 0.5, "amps": 0.05, "power_factor": 0.05}  # largest rounding error that is allowed for


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase or channel of a meter as its answer describes it; None where the answer says nothing."""

    power_w: float
    volts: float | None = None
    amps: float | None = None
    power_factor: float | None = None  # [-] of any sign
    apparent_va: float | None = None
    name: str = ""

    @property
    def volt_amps(self) -> float | None:
        """The apparent power [VA]: volts times amps, else as the source states it."""
        if self.volts is not None and self.amps is not None:
            return abs(self.volts * self.amps)
        return self.apparent_va

    @property
    def rounding_frac(self) -> float:
        """The relative error that the decimals of volts, amps and power factor leave [-]."""
        values = {"volts": self.volts, "amps": self.amps, "power_factor": self.power_factor}
        return sum(half_step(value, _MOST_HALF_STEP[name]) / abs(value) for name, value in values.items() if value)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that one answer of a source says of the power beside the value itself."""

    phases: tuple[Phase, ...] = ()
    counter_j: float | None = None  # [J] the source's own energy counter
    switched_off: bool = False  # whether the source says that its relay is open


NOTHING = Evidence()


@dataclass(frozen=True, slots=True)
class Product:
    """Volts times amps times power factor, summed over all phases."""

    power_w: float
    allowed_w: float  # [W] difference from the power that is allowed
    name: str = "V·A·PF"

    def differs_from(self, power_w: float) -> bool:
        """Return whether a power [W] of the same moment is another than this one."""
        return abs(abs(power_w) - self.power_w) > self.allowed_w


def fault_of_power(power_w: float, evidence: Evidence) -> str:
    """Return the reason why a power [W] is no reading at all, or an empty text."""
    if not math.isfinite(power_w):
        return f"expected a finite power, got {power_w}"
    if float(f"{power_w:.12g}") in SENTINELS:  # a scale such as 1e-6 leaves an error in the last digits
        return (
            f"expected a power, got {power_w:.12g} W, the pattern of a register that holds no value; restart the meter "
            "and check its firmware"
        )
    if abs(power_w) > limits.MOST_POWER_W or 0.0 < abs(power_w) < limits.LEAST_READING_W:
        return (
            f"expected 0 W, or {limits.LEAST_READING_W:g} to {limits.MOST_POWER_W:g} W, got {power_w:.4g} W; "
            "check the unit, the place, the type and the order of words that the table states"
        )
    volt_amps = _volt_amps(evidence.phases)
    if power_w == 0.0 and volt_amps is not None and volt_amps > limits.SMALL_POWER_W:
        return (
            f"expected the power of a load of {volt_amps:.4g} VA, got 0 W; the amps deny the zero: restart the meter, "
            "or use another"
        )
    return ""


def codes_of_power(power_w: float, evidence: Evidence) -> tuple[str, ...]:
    """Return the reason codes of a power [W] that is a reading."""
    codes = []
    if power_w == 0.0 and not evidence.switched_off and _volt_amps(evidence.phases) is None:
        codes.append("zero_unconfirmed")
    if len(evidence.phases) > 1 and any(phase.power_w < -limits.NEGATIVE_PHASE_W for phase in evidence.phases):
        codes.append("negative_power")
    return tuple(codes)


def doubt_of_first(power_w: float, evidence: Evidence) -> str:
    """Return the reason why a first reading [W] must not be believed, or an empty text."""
    for phase in (*evidence.phases, Phase(power_w)):
        if phase.power_w < -limits.NEGATIVE_PHASE_W:
            name = f"{phase.name}: " if phase.name else ""
            return (
                f"{name}expected at least 0 W, got {phase.power_w:.4g} W; a current clamp or the plug is the wrong way "
                "round: turn it"
            )
    product = product_of(evidence.phases)
    if product is not None and product.differs_from(power_w):
        return (
            f"expected about {product.power_w:.4g} W, which is {product.name} of the same answer, got {power_w:.4g} W"
            f"{factor_words(power_w, product.power_w)}; check the meter's calibration and its unit"
        )
    volt_amps = _volt_amps(evidence.phases) if all(p.volt_amps is not None for p in evidence.phases) else None
    if product is None and volt_amps is not None:
        most_w = volt_amps * (1.0 + limits.PRODUCT_FRAC + _rounding_frac(evidence.phases)) + limits.SMALL_POWER_W
        least_w = limits.LEAST_POWER_FACTOR * volt_amps if volt_amps > limits.SMALL_POWER_W else 0.0
        if not least_w <= power_w <= most_w:
            return (
                f"expected at most about {volt_amps:.4g} W and not far less, because V·A is {volt_amps:.4g} VA, got "
                f"{power_w:.4g} W{_likely_factor_words(power_w, volt_amps)}; check the meter's calibration and its unit"
            )
    parts_w = math.fsum(phase.power_w for phase in evidence.phases)
    if len(evidence.phases) > 1 and abs(parts_w - power_w) > limits.PRODUCT_FRAC * abs(parts_w) + limits.SMALL_POWER_W:
        return (
            f"expected about {parts_w:.4g} W, the sum of the phases, got a total of {power_w:.4g} W"
            f"{factor_words(power_w, parts_w)}; read each phase by name"
        )
    return ""


def product_of(phases: Sequence[Phase]) -> Product | None:
    """Return volts times amps times power factor over all phases, or None if a phase lacks one of them."""
    parts = [
        phase.volt_amps * abs(phase.power_factor)
        for phase in phases
        if phase.volt_amps is not None
        and phase.power_factor is not None
        # a power factor of 0 under load stands for one that was not measured
        and (phase.power_factor or not phase.power_w)
    ]
    if not parts or len(parts) < len(phases):
        return None
    power_w = math.fsum(parts)
    small_w = limits.SMALL_POWER_W if power_w < limits.SMALL_POWER_W else 0.0
    direct = all(phase.volts is not None and phase.amps is not None for phase in phases)
    allowed_w = (limits.PRODUCT_FRAC + _rounding_frac(phases)) * power_w + small_w
    return Product(power_w, allowed_w, "V·A·PF" if direct else "VA·PF")


def mean_product(products: Sequence[Product]) -> Product:
    """Return the mean of the products of several readings."""
    count = len(products)
    return Product(
        math.fsum(product.power_w for product in products) / count,
        math.fsum(product.allowed_w for product in products) / count,
        products[0].name,
    )


def factor_words(value: float, expected: float) -> str:
    """Return `, which is too small by a factor of 1000`, or an empty text if the ratio is no such factor."""
    if value and expected:
        for factor in (10, 100, 1000):
            for ratio, direction in ((value / expected, "large"), (expected / value, "small")):
                if abs(ratio / factor - 1.0) <= limits.DECADE_FRAC:
                    return f", which is too {direction} by a factor of {factor}"
    return ""


def _likely_factor_words(power_w: float, volt_amps: float) -> str:
    """Return the same for an apparent power, which leaves the power factor open: that of a computer is 0.5 to 1."""
    for factor in (10, 100, 1000):
        for ratio, direction in ((power_w / factor, "large"), (power_w * factor, "small")):
            if limits.USUAL_POWER_FACTOR <= ratio / volt_amps <= 1.0 + limits.DECADE_FRAC:
                return f", which is too {direction} by a factor of about {factor}"
    return ""


class Slope(NamedTuple):
    """The mean power that a source's own counter and its watts give over the same time."""

    counter_w: float
    power_w: float
    allowed_frac: float  # [-] difference that is allowed

    @property
    def differs(self) -> bool:
        """Whether the two differ by more than what is allowed, the larger over the smaller."""
        smaller, larger = sorted((self.counter_w, self.power_w))
        return larger > smaller * (1.0 + self.allowed_frac)


def slope_of(
    counter: Sequence[tuple[float, float]], power: Sequence[tuple[float, float]], period_s: float
) -> Slope | None:
    """Return the slope of a source's own energy counter beside its watts.

    The time runs from one step of the counter to another, so that the counter may step as seldom as it likes. Each edge
    may be late by one reading, and the counter may withhold up to its smallest step.

    Parameters
    ----------
    counter
        Times [s, monotonic] and values [J] of the counter.
    power
        Times [s, monotonic] and values [W] of the power.
    period_s
        Update period of the power [s].

    Returns
    -------
    Slope or None
        None if the counter did not step twice, went back, or there is no power in between.
    """
    moves = [(time_s, after - before) for (_, before), (time_s, after) in pairwise(counter) if after != before]
    if len(moves) < 2 or any(step_j < 0.0 for _, step_j in moves):
        return None
    start_s, end_s = moves[0][0], moves[-1][0]
    inside = [sample for sample in power if start_s <= sample[0] <= end_s]
    if len(inside) < 2:
        return None
    joules = math.fsum((b[0] - a[0]) * (a[1] + b[1]) / 2.0 for a, b in pairwise(inside))
    if joules <= 0.0:
        return None
    counter_j = math.fsum(step_j for _, step_j in moves[1:])
    late_frac = 2.0 * period_s / (end_s - start_s)
    withheld_frac = min(step_j for _, step_j in moves) / counter_j
    return Slope(
        counter_j / (end_s - start_s),
        joules / (inside[-1][0] - inside[0][0]),
        limits.METER_DISAGREEMENT_FRAC + late_frac + withheld_frac,
    )


def half_step(value: float, most: float) -> float:
    """Return half a unit of the last decimal with which a value is printed, at most `most`."""
    text = repr(value)
    decimals = 0 if value.is_integer() else len(text.partition(".")[2])
    return 0.0 if "e" in text else min(0.5 * 10.0**-decimals, most)


def _rounding_frac(phases: Sequence[Phase]) -> float:
    return max((phase.rounding_frac for phase in phases), default=0.0)


def _volt_amps(phases: Sequence[Phase]) -> float | None:
    """Return the apparent power of the phases that state it [VA], or None if none does."""
    stated = [phase.volt_amps for phase in phases if phase.volt_amps is not None]
    return math.fsum(stated) if stated else None
