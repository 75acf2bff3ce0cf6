"""ISO New England: reports with typed records (the repeated hour is 02X), and answers of its web services."""

import json

from doubles.feeds.truth import HOUR_S, local

ZONE = "America/New_York"
LOCATIONS = (("4000", ".H.INTERNAL_HUB", "HUB"), ("4001", ".Z.MAINE", "LOAD ZONE"))
DAY_AHEAD = "Day-Ahead Energy Market Hourly LMP Report"
REAL_TIME = "Real-Time Energy Market Hourly LMP Report"
HEADING = (
    '"H","Date","Hour Ending","Location ID","Location Name","Location Type","Locational Marginal Price",'
    '"Energy Component","Congestion Component","Marginal Loss Component"'
)
TYPES = '"H","Date","HE","String","String","String","Number","Number","Number","Number"'
PRELIMINARY = (
    '"H","Date","Hour Ending","Location","Locational Marginal Price","Energy Component","Congestion Component",'
    '"Marginal Loss Component"'
)
PRELIMINARY_TYPES = '"H","Date","HE","String","Number","Number","Number","Number"'


def hour_ending(start_s):
    """Return the name of an hour: 01 to 24, and 02X for the repeated one."""
    now = local(ZONE, start_s)
    repeated = now.hour == local(ZONE, start_s - HOUR_S).hour
    return f"{now.hour + 1:02d}" + ("X" if repeated else "")


def report(steps, locations=LOCATIONS, title=DAY_AHEAD, preliminary=False):
    """Return a report; the first location has the truth, each following one 1000 USD/MWh more."""
    steps = list(steps)
    dates = f"{local(ZONE, steps[0].start_s):%m/%d/%Y} - {local(ZONE, steps[-1].start_s):%m/%d/%Y}"
    lines = [
        f'"C","{title}"',
        '"C","Filename: WW_DALMP_ISO_20260317.csv"',
        f'"C","Report for: {dates}"',
        '"C","Report generated: 03/16/2026 13:07:54 EDT"',
        *((PRELIMINARY, PRELIMINARY_TYPES) if preliminary else (HEADING, TYPES)),
    ]
    for step in steps:
        start = f'"D","{local(ZONE, step.start_s):%m/%d/%Y}","{hour_ending(step.start_s)}"'
        for at, (number, name, kind) in enumerate(locations):
            price = step.price + 1000 * at
            where = f'"{name}"' if preliminary else f'"{number}","{name}","{kind}"'
            lines.append(f"{start},{where},{price:.2f},{price - 0.1:.2f},0.0,0.1")
    return "\r\n".join([*lines, f'"T","{len(steps) * len(locations)}"', ""])


def answer(steps, locations=LOCATIONS, five_minute=False):
    """Return an answer of the web services; intervals of five minutes have another name than hours."""
    items = [
        {
            "BeginDate": local(ZONE, step.start_s).isoformat(timespec="milliseconds"),
            "Location": {"@LocId": number, "@LocType": kind, "$": name},
            "LmpTotal": step.price + 1000 * at,
            "EnergyComponent": round(step.price + 1000 * at - 0.1, 2),
            "CongestionComponent": 0,
            "LossComponent": 0.1,
        }
        for step in steps
        for at, (number, name, kind) in enumerate(locations)
    ]
    return json.dumps({"FiveMinLmps": {"FiveMinLmp": items}} if five_minute else {"HourlyLmps": {"HourlyLmp": items}})
