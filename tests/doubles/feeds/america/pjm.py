"""PJM Data Miner 2: day-ahead, real-time, five-minute and unverified prices, as downloads (CSV) and from the API."""

import json

from doubles.feeds.truth import local

ZONE = "America/New_York"
POINTS = (("51217", "PJM-RTO", "ZONE"), ("51288", "WESTERN HUB", "HUB"))
_PLACE = "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,"
DAY_AHEAD = (
    _PLACE + "system_energy_price_da,total_lmp_da,congestion_price_da,marginal_loss_price_da,row_is_current,version_nbr"
)
REAL_TIME = (
    _PLACE + "system_energy_price_rt,total_lmp_rt,congestion_price_rt,marginal_loss_price_rt,row_is_current,version_nbr"
)
UNVERIFIED_HOURLY = (
    "datetime_beginning_utc,datetime_beginning_ept,pnode_name,type,"
    "total_lmp_rt,congestion_price_rt,marginal_loss_price_rt"
)
UNVERIFIED_FIVE_MINUTE = (
    "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,type,total_lmp_rt,congestion_price_rt,"
    "marginal_loss_price_rt,occ_check,ref_caseid_used_multi_interval"
)


def twelve_hour(moment):
    """Return a time as downloads print it: 1/15/2024 5:00:00 AM."""
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment.minute:02d}:00 {half}"


def iso(moment):
    """Return a time as the API prints it: 2024-01-15T05:00:00."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def rows(heading, steps, points=POINTS[:1], clock=twelve_hour, revised=()):
    """Yield a dict a row; a revised interval has a superseded row (version 1, twice the price) before its last one.

    The first point has the truth, each following one 1000 USD/MWh more.
    """
    names = heading.split(",")
    for step in steps:
        for at, (pnode_id, name, kind) in enumerate(points):
            versions = ((1, "False", 2 * step.price),) if step.start_s in revised else ()
            for number, current, price in (*versions, (len(versions) + 1, "True", step.price + 1000 * at)):
                energy, loss = round(price - 0.30, 2), -0.20
                values = {
                    "datetime_beginning_utc": clock(local("UTC", step.start_s)),
                    "datetime_beginning_ept": clock(local(ZONE, step.start_s)),
                    "pnode_id": pnode_id,
                    "pnode_name": name,
                    "type": kind,
                    "row_is_current": current,
                    "version_nbr": str(number),
                    "occ_check": "1",
                }
                for market in ("da", "rt"):
                    values[f"system_energy_price_{market}"] = f"{energy:.6f}"
                    values[f"total_lmp_{market}"] = f"{price:.6f}"
                    values[f"congestion_price_{market}"] = f"{price - energy - loss:.6f}"
                    values[f"marginal_loss_price_{market}"] = f"{loss:.6f}"
                yield {key: values.get(key, "") for key in names}


def text(heading, steps, **choices):
    """Return a file as downloaded."""
    lines = [",".join(row.values()) for row in rows(heading, steps, **choices)]
    return "\r\n".join([heading, *lines, ""])


def answer(heading, steps, **choices):
    """Return an answer of the API as JSON, with numbers and truth values of their own types."""
    items = [
        {key: _typed(key, value) for key, value in row.items()} for row in rows(heading, steps, clock=iso, **choices)
    ]
    return json.dumps({"links": [], "items": items, "searchSpecification": {}, "totalRows": len(items)})


def _typed(key, value):
    if "price" in key or "lmp" in key:
        return float(value)
    if key in ("pnode_id", "version_nbr"):
        return int(value)
    return value == "True" if key == "row_is_current" else value or None
