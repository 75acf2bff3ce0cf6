"""Frames of Python libraries saved as CSV: gridstatus, the answers of gridstatus.io, and entsoe-py."""

from doubles.feeds.truth import local

LIBRARY_SPP = "Time,Interval Start,Interval End,Location,Location Type,Market,SPP"
LIBRARY_PJM = (
    "Time,Interval Start,Interval End,Market,Location Id,Location Name,Location Short Name,Location Type,LMP,Energy,"
    "Congestion,Loss"
)
LIBRARY_OLD_PJM = (
    "Time,Market,Interval Start,Interval End,Location,Location Name,Location Type,LMP,Energy,Congestion,Loss"
)
LIBRARY_LMP = "Time,Interval Start,Interval End,Market,Location,Location Type,LMP,Energy,Congestion,Loss"
SERVICE = "interval_start_utc,interval_end_utc,market,location,location_type,lmp,energy,congestion,loss"


def _offset(zone, moment_s):
    return str(local(zone, moment_s))  # 2025-11-02 01:00:00-05:00


def gridstatus(steps, heading=LIBRARY_SPP, zone="America/Chicago", points=("LZ_WEST",), index=False):
    """Return a frame of the library; `index` is a frame saved with its row numbers, which have no name."""
    names = heading.split(",")
    lines = [("," if index else "") + heading]
    number = 0
    for step in steps:
        start, end = _offset(zone, step.start_s), _offset(zone, step.end_s)
        for at, point in enumerate(points):
            values = {
                "Time": start,
                "Interval Start": start,
                "Interval End": end,
                "Location": point,
                "Location Name": point,
                "Location Short Name": point,
                "Location Id": f"{51217 + at}",
                "Location Type": "Load Zone",
                "Market": "DAY_AHEAD_HOURLY",
                "Congestion": "0.0",
                "Loss": "0.0",
            }
            cells = [values.get(name, f"{step.price + 1000 * at}") for name in names]
            lines.append(",".join([str(number), *cells] if index else cells))
            number += 1
    return "\n".join([*lines, ""])


def service(steps, points=("LZ_WEST",), market="DAY_AHEAD_HOURLY"):
    """Return the CSV of gridstatus.io, in UTC."""
    lines = [SERVICE]
    for step in steps:
        start, end = _offset("UTC", step.start_s), _offset("UTC", step.end_s)
        lines += [f"{start},{end},{market},{point},Load Zone,{step.price},{step.price},0.0,0.0" for point in points]
    return "\n".join([*lines, ""])


def entsoe_py(steps, zone="Europe/Berlin", name="0"):
    """Return a series of entsoe-py saved as CSV: starts of intervals with their offset, and no unit."""
    lines = [f",{name}", *(f"{_offset(zone, step.start_s)},{step.price}" for step in steps)]
    return "\n".join([*lines, ""])
