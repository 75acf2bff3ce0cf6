"""Writes ERCOT's prices: hours and quarters named by their end, with the flag of the repeated hour."""

import json

from doubles.feeds.truth import local
from doubles.feeds.workbook import workbook

ZONE = "America/Chicago"
DAY_AHEAD = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag"
REAL_TIME = (
    "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag"
)
DAY_AHEAD_SHEET = ("Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point", "Settlement Point Price")
REAL_TIME_SHEET = (
    "Delivery Date", "Delivery Hour", "Delivery Interval", "Repeated Hour Flag", "Settlement Point Name",
    "Settlement Point Type", "Settlement Point Price",
)  # fmt: skip
SCED = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP"
LAMBDA = "SCEDTimeStamp,RepeatedHourFlag,SystemLambda"
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


def real_time(steps, points=(("LZ_WEST", "LZ"),)):
    """Return the CSV of quarter-hours; the first point has the truth, each following one 1000 USD/MWh more."""
    lines = [REAL_TIME]
    for step in steps:
        when = local(ZONE, step.start_s)
        stamp = f"{when:%m/%d/%Y},{when.hour + 1},{when.minute // 15 + 1}"
        lines += [
            f"{stamp},{point},{kind},{step.price + 1000 * at:.2f},{'NY'[when.fold]}"
            for at, (point, kind) in enumerate(points)
        ]
    return "\n".join(lines) + "\n"


def day_ahead_workbook(steps, point="HB_BUSAVG"):
    """Return the xlsx of report 13060: a sheet a month, dates and hours as text, prices as numbers."""
    months = {}
    for step in steps:
        when = local(ZONE, step.start_s)
        row = (f"{when:%m/%d/%Y}", f"{when.hour + 1:02d}:00", "NY"[when.fold], point, step.price)
        months.setdefault(f"{when:%b}", [DAY_AHEAD_SHEET]).append(row)
    return workbook(months)


def real_time_workbook(steps, point="LZ_WEST"):
    """Return the xlsx of report 13061: a sheet a month, hours and intervals as numbers."""
    months = {}
    for step in steps:
        when = local(ZONE, step.start_s)
        row = (f"{when:%m/%d/%Y}", when.hour + 1, when.minute // 15 + 1, "NY"[when.fold], point, "LZ", step.price)
        months.setdefault(f"{when:%b}", [REAL_TIME_SHEET]).append(row)
    return workbook(months)


def runs(steps, heading=SCED, point="LZ_WEST", late_s=11):
    """Return the CSV of the runs of the dispatch, each some seconds after its step begins."""
    where = f"{point}," if heading == SCED else ""
    rows = ((local(ZONE, step.start_s + late_s), step.price) for step in steps)
    lines = [f"{when:%m/%d/%Y %H:%M:%S},{'NY'[when.fold]},{where}{price:.2f}" for when, price in rows]
    return "\n".join([heading, *lines, ""])
