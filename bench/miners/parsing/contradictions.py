"""Figures of one reading that contradict each other; each becomes a warning, and no figure is changed."""

import math
from collections.abc import Iterable
from dataclasses import replace

from bench.miners.implied import implied_rate
from bench.miners.record import MinerReading
from bench.stratum.difficulty import HASHES_PER_DIFFICULTY_1

_LOWEST_J_PER_TH = 5.0  # no chip of 2026 needs as little
_HIGHEST_J_PER_TH = 5000.0
_OVER_NOMINAL = 1.25
_FASTEST_H_S = 3e15  # [hash/s] the fastest machine of 2026 makes 1.2e15
_MOST_BOARDS = 16
_DEVIATIONS = 2.5  # chance alone exceeds them in 1 of 80 readings
_SHARES_WITHOUT_DOUBT = 20.0  # expected shares; chance leaves no share at all in 1 of 5e8 readings


def with_contradictions(reading: MinerReading, warnings: Iterable[str] = ()) -> MinerReading:
    """Return the reading with its warnings: those of its family, then its contradictions, each once."""
    checks = (_stale, _averages, _shares, _no_share, _over_nominal, _efficiency, _boards, _several)
    contradictions = [warning for check in checks for warning in check(reading)]
    return replace(reading, warnings=tuple(dict.fromkeys([*reading.warnings, *warnings, *contradictions])))


def _stale(reading: MinerReading) -> Iterable[str]:
    """Yield a warning for averages that still show a rate although nothing is hashed."""
    shown = [rate for rate in reading.rates if rate.basis != "nominal"]
    idle = [rate for rate in shown if rate.rate_h_s == 0.0 and (rate.window_s or 0.0) <= 60.0]
    averages = [rate for rate in shown if rate.rate_h_s > 0.0 and rate.averaging == "since_restart"]
    if averages and (idle or reading.mode.hashing is False):
        names = ", ".join(f"{rate.raw_key} {_th(rate.rate_h_s)}" for rate in averages)
        yield f"stale average: {names}, while {f'{idle[0].raw_key} is 0' if idle else 'the miner does not hash'}"


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
    implied = implied_rate(reading.counters)
    if implied is None or not implied.shares:
        return
    accepted = implied.shares
    for rate in reading.rates:
        if rate.averaging != "since_restart" or rate.rate_h_s <= 0.0:
            continue
        difference = implied.rate_h_s / rate.rate_h_s - 1.0
        if abs(difference) > max(0.02, _DEVIATIONS / math.sqrt(accepted)):
            yield (
                f"accepted difficulty implies {_th(implied.rate_h_s)}, {difference:+.1%} from the {_th(rate.rate_h_s)} "
                f"of {rate.raw_key} ({accepted} shares, one deviation {1.0 / math.sqrt(accepted):.1%})"
            )


def _no_share(reading: MinerReading) -> Iterable[str]:
    """Yield a warning where a displayed rate should long have given shares, and none was accepted."""
    counters, rate = reading.counters, max((rate.rate_h_s for rate in reading.rates), default=0.0)
    difficulty = next((pool.difficulty for pool in reading.pools if pool.active and pool.difficulty), None)
    if counters.accepted != 0 or not counters.elapsed_s or difficulty is None:
        return
    expected = rate * counters.elapsed_s / (difficulty * HASHES_PER_DIFFICULTY_1)
    if expected > _SHARES_WITHOUT_DOUBT:
        yield f"no share was accepted in {counters.elapsed_s:.0f} s; {_th(rate)} would have given {expected:.0f}"


def _boards(reading: MinerReading) -> Iterable[str]:
    """Yield a warning for each board that does not hash, or lacks chips."""
    others_hash = any(board.rate_h_s for board in reading.boards) and reading.mode.hashing is not False
    for board in reading.boards:
        name = f"board {board.name}" if board.name.isdecimal() else board.name
        if board.rate_h_s == 0.0 and others_hash:
            yield f"{name}: no hashrate, while other boards hash"
        if board.chips is not None and board.chips_expected is not None and board.chips < board.chips_expected:
            yield f"{name}: {board.chips} of {board.chips_expected} chips answer"


def _several(reading: MinerReading) -> Iterable[str]:
    """Yield a warning for figures that no single machine has, as a proxy of a farm shows them."""
    if len(reading.boards) > _MOST_BOARDS:
        yield f"{len(reading.boards)} boards are more than one machine has: a proxy or a sum of several machines"
    fastest = max(reading.rates, key=lambda rate: rate.rate_h_s, default=None)
    if fastest is not None and fastest.rate_h_s > _FASTEST_H_S:
        yield (
            f"{fastest.raw_key} {_th(fastest.rate_h_s)} is more than one machine makes: a proxy or a sum of several "
            "machines, or a wrong unit"
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
