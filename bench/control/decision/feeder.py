"""Whether the feeder shows what devices say they have done: 50 to 150 % of it within the declared time, else a halt."""

import math
from collections.abc import Iterable
from dataclasses import replace

from bench.control.decision.memory import Claim, FeederMemory, Halt, UnitMemory
from bench.control.decision.terms import Setup
from bench.control.decision.tick import FeederReading
from sites.control.model import OFF

LEAST_FRAC, MOST_FRAC = 0.5, 1.5  # of a claimed change that the feeder must show
NOISE_FRAC = 0.02  # [1 sigma] of a unit's power by which it varies by itself; units vary independently
_SIGMAS = 3.0


def is_fresh(setup: Setup, reading: FeederReading | None, now_s: float) -> bool:
    """Return whether a reading of the feeder says something of now."""
    longest_s = max(setup.verify_s or 0.0, setup.lost_telemetry_s)
    return reading is not None and math.isfinite(reading.power_w) and 0.0 <= now_s - reading.at_s <= longest_s


def verified(
    setup: Setup, memory: FeederMemory, claims: Iterable[Claim], open_w: Iterable[float], reading: FeederReading
) -> tuple[FeederMemory, Halt | None]:
    """Return what the feeder must show from now on, and a halt if it shows something else.

    Parameters
    ----------
    setup
        The terms of the run.
    memory
        What it had to show so far.
    claims
        Changes that devices say they have made since.
    open_w
        Changes [W] that were commanded and not confirmed: any part of them may have happened.
    reading
        A fresh reading.
    """
    claims, open_w = (*memory.claims, *claims), tuple(open_w)
    if memory.base_w is None or not (claims or open_w):
        return FeederMemory(reading.power_w, reading.at_s), None
    verify_s = setup.verify_s or 0.0
    due = [claim for claim in claims if claim.is_sure and reading.at_s - claim.at_s >= verify_s]
    early = [claim for claim in claims if not (claim.is_sure and reading.at_s - claim.at_s >= verify_s)]
    low_w, high_w = _band(setup, due, (*(claim.change_w for claim in early), *open_w))
    shown_w = reading.power_w - memory.base_w
    noise_w = _noise_w(setup)
    if not low_w - noise_w <= shown_w <= high_w + noise_w:
        detail = f"expected {low_w / 1e3:+.1f} to {high_w / 1e3:+.1f} kW, the feeder shows {shown_w / 1e3:+.1f} kW"
        return replace(memory, claims=claims), Halt("not_at_feeder", reading.at_s, detail)
    if not open_w and all(reading.at_s - claim.at_s >= verify_s for claim in claims):
        return FeederMemory(reading.power_w, reading.at_s), None
    return replace(memory, claims=(*_summed(due), *early)), None


def expected_w(setup: Setup, units: dict[str, UnitMemory], memory: FeederMemory, reading: FeederReading) -> float:
    """Return a reading with every rise that was commanded, or claimed lately, and may not show in it yet [W]."""
    verify_s = setup.verify_s or 0.0
    lately_w = sum(
        max(claim.change_w, 0.0) for claim in memory.claims if claim.is_sure and reading.at_s - claim.at_s < verify_s
    )
    rising_w = sum(
        max(unit.ceiling_w - unit.before_w, 0.0) for unit in units.values() if unit.command not in {None, OFF}
    )
    return reading.power_w + (lately_w + rising_w) / (1.0 - setup.limits.losses_frac)


def _band(setup: Setup, due: Iterable[Claim], others_w: Iterable[float]) -> tuple[float, float]:
    """Return the least and the most by which the feeder may have changed [W]."""
    low_w = high_w = 0.0
    scale = 1.0 / (1.0 - setup.limits.losses_frac)
    for claim in due:
        parts = (LEAST_FRAC * claim.change_w, MOST_FRAC * claim.change_w * scale)
        low_w, high_w = low_w + min(parts), high_w + max(parts)
    for change_w in others_w:
        most_w = MOST_FRAC * change_w * scale
        low_w, high_w = low_w + min(most_w, 0.0), high_w + max(most_w, 0.0)
    return low_w, high_w


def _noise_w(setup: Setup) -> float:
    """Return the change of the feeder that says nothing [W]: units vary by themselves, and so do other loads."""
    units = sum(terms.unit.full_w**2 for terms in setup.units.values())
    return setup.limits.at_feeder_w(_SIGMAS * NOISE_FRAC * math.sqrt(units))


def _summed(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims of one direction as one, so that their number does not grow."""
    ups = [claim for claim in claims if claim.change_w > 0.0]
    downs = [claim for claim in claims if claim.change_w < 0.0]
    return [
        Claim(max(claim.at_s for claim in group), sum(claim.change_w for claim in group))
        for group in (ups, downs)
        if group
    ]
