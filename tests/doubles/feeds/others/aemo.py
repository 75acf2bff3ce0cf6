"""Writes AEMO's PRICE_AND_DEMAND: the market's time (UTC+10 all year), each row named by the end of its interval."""

from zoneinfo import ZoneInfo

from doubles.feeds.truth import local

HEADING = "REGION,SETTLEMENTDATE,TOTALDEMAND,RRP,PERIODTYPE"
MARKET_TIME = ZoneInfo("Australia/Brisbane")


def prices(steps, region="SA1", kind="TRADE"):
    """Return the CSV of one region and one kind of period."""
    ends = ((local(MARKET_TIME, step.end_s), step.price) for step in steps)
    rows = [f"{region},{end:%Y/%m/%d %H:%M:%S},1200.5,{price:.2f},{kind}" for end, price in ends]
    return "\n".join([HEADING, *rows, ""])
