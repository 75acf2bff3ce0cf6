"""Figures of one reading that contradict each other; each becomes a warning, and no figure is changed.

References
----------
One share of difficulty 1 takes 2^48/65535 hashes on average: its target is 65535·2^208.
"""

import math
from collections.abc import Iterable
from dataclasses import replace

from bench.miners.record import MinerReading

HASHES_PER_DIFFICULTY = 2.0**48 / 65535.0
_LOWEST_J_PER_TH = 5.0  # no chip of 2026 needs as little
_HIGHEST_J_PER_TH = 5000.0
_OVER_NOMINAL = 1.25
_DEVIATIONS = 2.5  # chance alone exceeds them in 1 of 80 readings


def with_contradictions(reading: MinerReading, warnings: Iterable[str] = ()) -> MinerReading:
    """Return the reading with its warnings: those of its family, then its contradictions, each once."""
    contradictions = [*_averages(reading), *_shares(reading), *_over_nominal(reading), *_efficiency(reading)]
    return replace(reading, warnings=tuple(dict.fromkeys([*reading.warnings, *warnings, *contradictions])))


def implied_rate_h_s(reading: MinerReading) -> float | None:
    """Return the hashrate that the accepted difficulty implies [hash/s], or None without counters."""
    counters = reading.counters
    if not counters.elapsed_s or counters.accepted_difficulty is None:
        return None
    return counters.accepted_difficulty * HASHES_PER_DIFFICULTY / counters.elapsed_s


def _averages(reading: MinerReading) -> Iterable[str]:
    """Yield a warning where two averages since the restart differ by more than 2 %."""
    rates = [rate for rate in reading.rates if rate.averaging == "since_restart" and rate.rate_h_s > 0.0]
    if len(rates) < 2:
        return
    low, high = min(rates, key=lambda rate: rate.rate_h_s), max(rates, key=lambda rate: rate.rate_h_s)
    difference = high.rate_h_s / low.rate_h_s - 1.0
    if difference > 0.02:
        yield (
            f"two averages since the restart differ by {difference:.1%}: {low.raw_key} {_th(low.rate_h_s)}, "
            f"{high.raw_key} {_th(high.rate_h_s)}"
        )


def _shares(reading: MinerReading) -> Iterable[str]:
    """Yield a warning where the accepted difficulty implies another rate, beyond 2.5 deviations and 2 %."""
    implied, accepted = implied_rate_h_s(reading), reading.counters.accepted
    if implied is None or not accepted:
        return
    for rate in reading.rates:
        if rate.averaging != "since_restart" or rate.rate_h_s <= 0.0:
            continue
        difference = implied / rate.rate_h_s - 1.0
        if abs(difference) > max(0.02, _DEVIATIONS / math.sqrt(accepted)):
            yield (
                f"accepted difficulty implies {_th(implied)}, {difference:+.1%} from the {_th(rate.rate_h_s)} of "
                f"{rate.raw_key} ({accepted} shares, one deviation {1.0 / math.sqrt(accepted):.1%})"
            )


def _over_nominal(reading: MinerReading) -> Iterable[str]:
    """Yield a warning for a counted rate far above the nominal one."""
    nominals = [rate.rate_h_s for rate in reading.rates if rate.basis == "nominal"]
    nominal = max([*nominals, reading.nominal_rate_h_s or 0.0])
    if nominal <= 0.0:
        return
    for rate in reading.rates:
        if rate.basis != "nominal" and rate.rate_h_s > _OVER_NOMINAL * nominal:
            yield f"{rate.raw_key} {_th(rate.rate_h_s)} is {rate.rate_h_s / nominal:.2f} times the nominal rate"


def _efficiency(reading: MinerReading) -> Iterable[str]:
    """Yield a warning where power and rate imply an efficiency that no machine has."""
    counted = [rate.rate_h_s for rate in reading.rates if rate.basis != "nominal" and rate.rate_h_s > 0.0]
    if not counted or reading.mode.hashing is False:
        return
    for power in reading.powers:
        if power.kind in {"target", "nameplate"}:
            continue
        j_per_th = power.power_w / (sorted(counted)[len(counted) // 2] / 1e12)
        if not _LOWEST_J_PER_TH <= j_per_th <= _HIGHEST_J_PER_TH:
            yield f"{power.raw_key} {power.power_w:.4g} W would be {j_per_th:.3g} J/TH, which no machine needs"


def _th(rate_h_s: float) -> str:
    return f"{rate_h_s / 1e12:.4g} TH/s"
