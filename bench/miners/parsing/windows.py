"""Windows of averages: the usual keys of cgminer's descendants, and windows longer than the miner has run."""

from collections.abc import Iterable

from bench.miners.record import Averaging, RateBasis, RateReading
from bench.miners.reply import RateKey

_WINDOWS_S = {"5s": 5.0, "1m": 60.0, "5m": 300.0, "15m": 900.0, "30m": 1800.0, "60m": 3600.0, "24h": 86400.0}


def rate_keys(prefix: str, unit: str, averaging: Averaging = "decay", basis: RateBasis = "nonces") -> list[RateKey]:
    """Return the keys `MHS 5s`, `MHS 1m` and so on, and `MHS av`, which is the mean since the restart.

    Parameters
    ----------
    prefix
        `MHS` or `GHS`.
    unit
        `MH/s` or `GH/s`.
    averaging
        How the windows average.
    basis
        What the firmware counts.
    """
    windows = [RateKey(f"{prefix} {name}", unit, averaging, window_s, basis) for name, window_s in _WINDOWS_S.items()]
    return [*windows, RateKey(f"{prefix} av", unit, "since_restart", None, basis)]


def unfilled(rates: Iterable[RateReading], elapsed_s: float | None, remark: str = "") -> list[str]:
    """Return a warning for windows that are longer than the miner has run, or no warning.

    Parameters
    ----------
    rates
        The rates of one reply.
    elapsed_s
        How long the miner has run [s]; None if it does not say.
    remark
        What the firmware does with such a window, for the message.
    """
    longer = [rate for rate in rates if rate.window_s is not None and rate.window_s > (elapsed_s or 0.0)]
    if elapsed_s is None or not longer:
        return []
    place = longer[0].raw_key.partition(": ")[0]
    keys = ", ".join(rate.raw_key.removeprefix(f"{place}: ") for rate in longer)
    return [f"{place}: {keys}: the window is not full after {elapsed_s:.0f} s{remark}"]
