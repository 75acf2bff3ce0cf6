"""The offset of a host's clock from the controller's, with a bound that holds for any delays of the network.

A host reads its clock after the request was sent and before the answer arrived, whatever the two delays are. So each
exchange bounds the offset by its round trip, and the offset lies where the intervals of all exchanges meet [Marzullo
1984]. The middle of one interval alone is off by up to half of its round trip where the delays differ.
"""

from collections.abc import Sequence

from pydantic import FiniteFloat

from bench import limits
from bench.lab.clocks.exchange import Exchange
from bench.results.part import CountFromOne, NonNegative, Part
from hardware_profiles.errors import InputError


class ClockOffset(Part):
    """A host's clocks minus those of the controller, at one moment."""

    taken_s: FiniteFloat  # [s, monotonic clock of the controller] the moment
    taken_utc_s: FiniteFloat  # [s since 1970, clock of the controller] the same moment
    utc_s: FiniteFloat  # [s] the host's UTC minus the controller's
    utc_bound_s: NonNegative  # [s] the true offset is within this of it
    monotonic_s: FiniteFloat  # [s] the host's monotonic clock minus the controller's
    monotonic_bound_s: NonNegative
    boot_id: str  # of the host
    controller_boot_id: str
    exchanges: CountFromOne
    round_trip_s: NonNegative  # [s] the shortest


def offset_of(exchanges: Sequence[Exchange]) -> ClockOffset:
    """Return the offset of a host's clocks from several exchanges within a few seconds.

    Raises
    ------
    InputError
        There is no exchange, the host was booted in between, or no offset agrees with all of them: a clock was set.

    References
    ----------
    K. Marzullo, "Maintaining the time in a distributed system" (1984).
    """
    if not exchanges:
        raise InputError.at("clock of the host", expected="an answer")
    if len({one.host.boot_id for one in exchanges}) > 1:
        raise InputError.at("clock of the host", expected="one boot", got="a boot between two answers")
    best = min(exchanges, key=lambda one: one.received_s - one.sent_s)
    taken_s = (best.sent_s + best.received_s) / 2.0
    utc, monotonic = (
        _meeting([_widened(one, low_s(one), high_s(one), taken_s) for one in exchanges])
        for low_s, high_s in ((_utc_low_s, _utc_high_s), (_monotonic_low_s, _monotonic_high_s))
    )
    return ClockOffset(
        taken_s=taken_s,
        taken_utc_s=best.sent_utc_s + taken_s - best.sent_s,
        utc_s=sum(utc) / 2.0,
        utc_bound_s=(utc[1] - utc[0]) / 2.0,
        monotonic_s=sum(monotonic) / 2.0,
        monotonic_bound_s=(monotonic[1] - monotonic[0]) / 2.0,
        boot_id=best.host.boot_id,
        controller_boot_id=best.controller_boot_id,
        exchanges=len(exchanges),
        round_trip_s=best.received_s - best.sent_s,
    )


def _monotonic_low_s(one: Exchange) -> float:
    return one.host.monotonic_s - one.received_s


def _monotonic_high_s(one: Exchange) -> float:
    return one.host.monotonic_s - one.sent_s


def _utc_low_s(one: Exchange) -> float:
    return one.host.utc_s - (one.sent_utc_s + one.received_s - one.sent_s)


def _utc_high_s(one: Exchange) -> float:
    return one.host.utc_s - one.sent_utc_s


def _widened(one: Exchange, low_s: float, high_s: float, taken_s: float) -> tuple[float, float]:
    """Return an interval of an exchange as it holds at another moment: the two clocks may run at other rates."""
    distance_s = max(abs(one.sent_s - taken_s), abs(one.received_s - taken_s))
    return low_s - limits.CLOCK_RATE_FRAC * distance_s, high_s + limits.CLOCK_RATE_FRAC * distance_s


def _meeting(intervals: Sequence[tuple[float, float]]) -> tuple[float, float]:
    low_s, high_s = max(low for low, _ in intervals), min(high for _, high in intervals)
    if low_s > high_s:
        expected = "one offset in all of its answers, as when no clock is set in between"
        raise InputError.at(
            "clock of the host", expected=expected, got=f"offsets that differ by {low_s - high_s:.3g} s"
        )
    return low_s, high_s
