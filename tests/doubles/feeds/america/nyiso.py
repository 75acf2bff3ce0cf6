"""NYISO zonal prices: hours named by their beginning, and real-time intervals named by their end; local time."""

from doubles.feeds.truth import local

ZONE = "America/New_York"
NAMES = (("CAPITL", "61757"), ("WEST", "61752"))
HEADING = "Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)"


def hourly(steps, names=NAMES, quoted=False):
    """Return day-ahead (or integrated real-time) prices; only the order of the rows tells the repeated hour.

    The first zone has the truth, each following one 1000 USD/MWh more.
    """
    mark = '"' if quoted else ""
    lines = [",".join(f"{mark}{name}{mark}" for name in HEADING.split(","))]
    for step in steps:
        stamp = f"{local(ZONE, step.start_s):%m/%d/%Y %H:%M}"
        for at, (name, ptid) in enumerate(names):
            lines.append(f"{mark}{stamp}{mark},{mark}{name}{mark},{ptid},{step.price + 1000 * at:.2f},1.15,0.00")
    return "\n".join([*lines, ""])


def real_time(steps, names=NAMES, blank_first=True):
    """Return real-time prices; the time stamp is the end of the interval, with seconds and in quotes."""
    lines = [""] if blank_first else []
    lines.append(",".join(f'"{name}"' for name in HEADING.split(",")))
    for step in steps:
        stamp = f"{local(ZONE, step.end_s):%m/%d/%Y %H:%M:%S}"
        for at, (name, ptid) in enumerate(names):
            lines.append(f'"{stamp}","{name}",{ptid},{step.price + 1000 * at:.2f},1.69,0.00')
    return "\r\n".join([*lines, ""])
