"""What a shared meter covers, and the log that a run behind it is promised."""

from bench import limits
from bench.lab.inventory.lab import CrossMeter
from bench.meters.kinds.pending_log import LATER
from bench.results.record import MeterUsed
from hardware_profiles.provenance import Boundary

PERIOD_ROOM = 1.25  # a log may show new values a little more slowly than its meter states


def log_name(meter: CrossMeter) -> str:
    """Return the file name of the log that a run is promised."""
    return f"lab-{meter.name}.csv"


def meter_name(meter: CrossMeter) -> str:
    """Return the name of a shared meter in a record."""
    return f"lab:{meter.name}"


def boundary_of(meter: CrossMeter, used: MeterUsed) -> Boundary:
    """Return the boundary of a shared meter's figures: the rack, where it covers more than one machine."""
    return "rack" if len(meter.covers) > 1 else used.boundary


def scope_of(meter: CrossMeter, measured: str) -> str:
    """Return in words what a shared meter covers while one of the machines behind it measures."""
    others = [name for name in meter.covers if name != measured]
    idle = f" and, idle, {', '.join(others)}" if others else ""
    return f"{measured}{idle}; {meter.name} is read by {meter.read_by}, its log joined by the clocks"


def promised_log(meter: CrossMeter, used: MeterUsed) -> str:
    """Return the spec of the log that a run is promised, so that its windows, load and idle times suit the meter."""
    period_s = min(PERIOD_ROOM * max(used.period_s, used.averaging_s), limits.SLOWEST_PERIOD_S)
    settings = {"period": f"{period_s:g}", "boundary": boundary_of(meter, used), "wait": LATER}
    if used.accuracy_frac is not None:
        settings |= {"accuracy": repr(used.accuracy_frac), "tier": used.tier}
    return ",".join((f"trace:{log_name(meter)}", *(f"{key}={value}" for key, value in settings.items())))


def codes_of(meter: CrossMeter, *, others_were_idle: bool) -> tuple[str, ...]:
    """Return the reason codes of a run behind a shared meter that follow from the machines behind it."""
    if len(meter.covers) == 1:
        return ()
    return ("idle_included",) if others_were_idle else ("idle_included", "meter_shared")
