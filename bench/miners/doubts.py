"""Figures of one record that cannot all be right, each as a sentence with what it means."""

from collections.abc import Iterator

from bench.miners.implied import implied_rate, same_window
from bench.miners.record import MinerReading
from bench.quantity import rate as shown_rate

FAR_SHARE_FRAC = 0.02  # [-] an implied rate this far from the displayed one is noted if its interval excludes it too
NO_SHARE_EXPECTED = 20.0  # shares that a displayed rate should have given where none was accepted
_LEAST_SHARES = 30
_MOST_OF_NOMINAL = 1.5


def doubts(reading: MinerReading) -> tuple[str, ...]:
    """Return the contradictions of a record."""
    return (*_stale(reading), *_shares(reading), *_boards(reading), *_sizes(reading))


def _stale(reading: MinerReading) -> Iterator[str]:
    """Yield averages that still show a rate although nothing is hashed."""
    shown = [rate for rate in reading.rates if rate.basis != "nominal"]
    idle = [rate for rate in shown if rate.rate_h_s == 0.0 and (rate.window_s or 0.0) <= 60.0]
    long = [rate for rate in shown if rate.rate_h_s > 0.0 and (rate.averaging == "since_restart")]
    if long and (idle or reading.mode.hashing is False):
        names = ", ".join(f"{rate.raw_key} {shown_rate(rate.rate_h_s, 'hash/s')}" for rate in long)
        reason = f"{idle[0].raw_key} is 0" if idle else "the miner does not hash"
        yield f"stale average: {names}, while {reason}"


def _shares(reading: MinerReading) -> Iterator[str]:
    """Yield a displayed average that the accepted shares do not support."""
    displayed, implied = same_window(reading), implied_rate(reading.counters)
    if displayed is None or implied is None or displayed.rate_h_s <= 0.0:
        return
    text = f"{displayed.raw_key} shows {shown_rate(displayed.rate_h_s, 'hash/s')}"
    if implied.shares == 0:
        difficulty = next((pool.difficulty for pool in reading.pools if pool.active and pool.difficulty), None)
        hashes = displayed.rate_h_s * implied.window_s
        if difficulty is not None and hashes > NO_SHARE_EXPECTED * difficulty * 2.0**32:
            yield f"{text}, but no share was accepted in {implied.window_s:,.0f} s"
        return
    ratio = implied.rate_h_s / displayed.rate_h_s
    outside = not implied.low_h_s <= displayed.rate_h_s <= implied.high_h_s
    if implied.shares >= _LEAST_SHARES and outside and abs(ratio - 1.0) > FAR_SHARE_FRAC:
        yield (
            f"{text}, accepted difficulty implies {shown_rate(implied.rate_h_s, 'hash/s')} "
            f"({ratio - 1.0:+.1%}, 95 % interval ± {implied.half_width_frac:.1%}); a fee pool, a counter that "
            "restarted or an optimistic display can be the cause"
        )


def _boards(reading: MinerReading) -> Iterator[str]:
    """Yield boards that do not hash or lack chips."""
    rates = [board.rate_h_s for board in reading.boards if board.rate_h_s is not None]
    if any(rates) and reading.mode.hashing is not False:
        for board in reading.boards:
            if board.rate_h_s == 0.0:
                yield f"{board.name}: no hash rate, while other boards hash"
    for board in reading.boards:
        if board.chips is not None and board.chips_expected is not None and board.chips < board.chips_expected:
            yield f"{board.name}: {board.chips} of {board.chips_expected} chips answer"


def _sizes(reading: MinerReading) -> Iterator[str]:
    """Yield a rate far above what the maker states: a wrong unit, or a window that has hardly begun."""
    nominal = reading.nominal_rate_h_s
    if not nominal:
        return
    for rate in reading.rates:
        if rate.rate_h_s > _MOST_OF_NOMINAL * nominal:
            yield (
                f"{rate.raw_key} shows {shown_rate(rate.rate_h_s, 'hash/s')}, {rate.rate_h_s / nominal:.1f} times the "
                f"nominal {shown_rate(nominal, 'hash/s')}"
            )
