"""What the kinds of a record mean, in words for a reader who sees them once."""

from collections.abc import Iterable, Mapping

from bench.miners.record import MinerReading, PowerKind, RateBasis, RateReading

POWER_WORDS: Mapping[PowerKind, str] = {
    "ac_in_psu": "input of the supply, measured by the supply",
    "dc_out": "output of the supply (DC), measured",
    "dc_out_plus_const": "output of the board's regulator plus a constant",
    "estimate": "estimate of the firmware, not measured",
    "target": "target, not measured",
    "nameplate": "nameplate, not measured",
    "unknown": "where it comes from is not known",
}
BASIS_WORDS: Mapping[RateBasis, str] = {
    "nonces": "nonces of the chips",
    "nonces_minus_errors": "nonces without errors",
    "shares": "shares, by the firmware",
    "hash_counters": "hash counters of the chips",
    "nominal": "clock and chips, not counted",
    "unknown": "unknown",
}
NOT_MEASURED: frozenset[PowerKind] = frozenset({"target", "nameplate"})
"""Powers that say what a machine should take; an efficiency from them describes no machine."""
_RECENT_S = (60.0, 300.0)  # windows long enough to be steady and short enough to belong to a power of now


def window_words(rate: RateReading) -> str:
    """Return the averaging of a rate: `decay 5 min`, `mean 1 h`, `since restart`."""
    if rate.averaging == "since_restart":
        return "since restart"
    name = "" if rate.averaging == "unknown" else rate.averaging
    window = "" if rate.window_s is None else duration_words(rate.window_s)
    return " ".join(filter(None, (name, window))) or "not stated"


def duration_words(duration_s: float) -> str:
    """Return a duration in its largest two units: `2 h 5 min`."""
    rest, words = round(duration_s), []
    for unit, length_s in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length_s)
        if count:
            words.append(f"{count} {unit}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"


def counted(rates: Iterable[RateReading]) -> list[RateReading]:
    """Return the rates that count something."""
    return [rate for rate in rates if rate.basis != "nominal"]


def rates_for_power(reading: MinerReading) -> tuple[RateReading, ...]:
    """Return the rates that powers are set against: one of the last minutes, and one since the restart.

    A record may have many rates; a screen names the two it uses.
    """
    shown = counted(reading.rates)
    short = [rate for rate in shown if rate.averaging != "since_restart"]
    steady = [rate for rate in short if rate.window_s is not None and _RECENT_S[0] <= rate.window_s <= _RECENT_S[1]]
    quick = [rate for rate in short if rate.window_s is None or rate.window_s < _RECENT_S[0]]
    recent = (steady or quick)[:1]
    average = [rate for rate in shown if rate.averaging == "since_restart"][:1]
    return (*recent, *average)
