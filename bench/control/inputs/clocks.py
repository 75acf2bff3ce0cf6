"""The check of a publisher's clock against the controller's."""

from hardware_profiles.errors import InputError, shown

MOST_OFF_S = 86_400.0  # [s] by which a publisher's clock may differ: what is further off tells no order of events
_LATEST_S = 253_402_300_800.0  # [s, Unix] the year 10000


def stated_time(value: object, place: str) -> float:
    """Return a time [s, Unix] of a message.

    Raises
    ------
    InputError
        It is no number of seconds since 1970.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_S:
        raise InputError(f"{place}: expected a time in seconds since 1970, got {shown(value)}")
    return float(value)


def check_clock(stated_s: float, now_s: float, place: str) -> None:
    """Raise InputError if a publisher's time is more than a day from the controller's.

    Parameters
    ----------
    stated_s
        What the publisher states [s, Unix].
    now_s
        The controller's time [s, Unix].
    place
        Source and key, for the message.
    """
    off_s = stated_s - now_s
    if abs(off_s) > MOST_OFF_S:
        side = "ahead of" if off_s > 0 else "behind"
        raise InputError(
            f"{place}: expected a time within 24 hours of this machine's clock, got one {abs(off_s) / 3600:.0f} hours "
            f"{side} it (are the clocks right, is the time in seconds?)"
        )
