"""The exports of Energy-Charts: two rows of heading, and times with or without an offset."""

from doubles.feeds import truth
from doubles.feeds.europe.market import BERLIN, text

GERMANY = "Day Ahead Auktion (DE-LU)"
UNIT = "Preis (EUR/MWh, EUR/tCO2)"


def commas(columns, time="Datum (GMT+1)", units=None):
    """Return an export of {column: steps} with commas and times that have an offset."""
    units = units or dict.fromkeys(columns, UNIT)
    lines = [
        f'"{time}",' + ",".join(f'"{name}"' for name in columns),
        "," + ",".join(f'"{units[name]}"' for name in columns),
    ]
    for steps in zip(*columns.values(), strict=True):
        when = truth.local(BERLIN, steps[0].start_s).isoformat(timespec="minutes")
        lines.append(",".join([when, *(text(step.price) for step in steps)]))
    return "".join(f"{line}\n" for line in lines).encode()


def semicolons(columns, clock="UTC"):
    """Return an export of {column: steps} with semicolons, without a row of units, and times without an offset."""
    zone = {"UTC": "UTC", "MEZ": BERLIN}[clock]
    lines = [f"Datum ({clock});" + ";".join(f'"{name}"' for name in columns)]
    for steps in zip(*columns.values(), strict=True):
        when = f"{truth.local(zone, steps[0].start_s):%d.%m.%Y %H:%M}"
        lines.append(";".join([when, *(text(step.price) for step in steps)]))
    return "".join(f"{line}\n" for line in lines).encode()
