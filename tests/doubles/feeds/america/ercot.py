"""Writes ERCOT's prices: day-ahead CSV and JSON, named by the end of the hour, with the flag of the repeated hour."""

import json

from doubles.feeds.truth import local

ZONE = "America/Chicago"
DAY_AHEAD = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag"
POINTS = ("HB_HOUSTON", "HB_WEST", "LZ_WEST")


def day_ahead(steps, points=POINTS):
    """Return the CSV of report 12331; the first point has the truth, each following one 1000 USD/MWh more."""
    lines = [DAY_AHEAD]
    for step in steps:
        when = local(ZONE, step.start_s)
        lines += [
            f"{when:%m/%d/%Y},{when.hour + 1:02d}:00,{point}, {step.price + 1000 * at:.2f},{'NY'[when.fold]}"
            for at, point in enumerate(points)
        ]
    return "\n".join(lines) + "\n"


def day_ahead_json(steps, point="HB_HUBAVG"):
    """Return the API's JSON; in each pair of repeated hours, the second one comes first."""
    rows = []
    for step in steps:
        when = local(ZONE, step.start_s)
        row = [f"{when:%Y-%m-%d}", f"{when.hour + 1:02d}:00", point, step.price, bool(when.fold)]
        rows.insert(len(rows) - when.fold, row)
    fields = ["deliveryDate", "hourEnding", "settlementPoint", "settlementPointPrice", "DSTFlag"]
    return json.dumps({"fields": fields, "data": rows})
