"""SPP: day-ahead and real-time prices by settlement location, without and with the balancing authority."""

from datetime import timedelta

from doubles.feeds.truth import local

ZONE = "America/Chicago"
LOCATIONS = (("SPPNORTH_HUB", "SPPNORTH_H"), ("SPPSOUTH_HUB", "SPPSOUTH_H"))
OLD = "Interval,GMTIntervalEnd,Settlement Location,Pnode,LMP,MLC,MCC,MEC"
NEW = "Interval,GMTIntervalEnd,BAA,Settlement Location,Pnode,LMP,MLC,MCC,MEC"
LAST = "Interval,GMTIntervalEnd,Settlement Location,Pnode,LMP,MLC,MCC,MEC,BAA"
CAPITALS = "INTERVAL,GMTINTERVALEND,BAA,SETTLEMENT_LOCATION,PNODE,LMP,MLC,MCC,MEC"
DAILY = "Interval, GMT Interval, Settlement Location Name, PNODE Name, LMP, MLC, MCC, MEC"


def text(heading, steps, locations=LOCATIONS[:1], areas=("SPP",)):
    """Return a file as downloaded; the first location has the truth, each following one 1000 USD/MWh more.

    The second balancing authority has 500 USD/MWh more than SPP.
    """
    lines = [heading]
    new = "BAA" in heading
    for step in steps:
        label = local(ZONE, step.start_s).replace(tzinfo=None) + timedelta(seconds=step.end_s - step.start_s)
        times = [f"{moment:%m/%d/%Y %H:%M:%S}" for moment in (label, local("UTC", step.end_s))]
        for area in areas if new else ("SPP",):
            price = step.price if area == "SPP" else step.price + 500
            for at, location in enumerate(locations):
                prices = [f"{part:.4f}" for part in (price + 1000 * at, 0.25, -0.75, price + 1000 * at + 0.5)]
                if heading == LAST:
                    lines.append(",".join([*times, *location, *prices, area]))
                else:
                    lines.append(",".join([*times, *([area] if new else []), *location, *prices]))
    return "\n".join([*lines, ""])
