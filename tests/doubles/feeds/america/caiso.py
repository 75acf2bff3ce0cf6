"""CAISO OASIS PRC_LMP: day-ahead (price in MW), real-time (VALUE) and fifteen-minute (PRC), all components unsorted."""

import random

from doubles.feeds.truth import HOUR_S, local

ZONE = "America/Los_Angeles"
NODES = ("TH_SP15_GEN-APND", "TH_NP15_GEN-APND")
DAY_AHEAD = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,"
    "LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
)
_LATER = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,LMP_TYPE,"
    "XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,{},OPR_INTERVAL,GROUP"
)
REAL_TIME = _LATER.format("VALUE")
FIFTEEN_MINUTE = _LATER.format("PRC")
_RUNS = {DAY_AHEAD: "DAM", REAL_TIME: "RTM", FIFTEEN_MINUTE: "RTPD"}
_ITEMS = {
    "LMP": "LMP_PRC",
    "MCC": "LMP_CONG_PRC",
    "MCE": "LMP_ENE_PRC",
    "MCL": "LMP_LOSS_PRC",
    "MGHG": "LMP_GHG_PRC",
}
THROTTLED = "<html><body><h1>CAISO Acceptable Use Policy Violation</h1><p>Please retry later.</p></body></html>"
NO_DATA = """<?xml version="1.0" encoding="UTF-8"?>
<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">
<m:MessagePayload><m:RTO><m:name>CAISO</m:name><m:ERROR><m:ERR_CODE>1000</m:ERR_CODE>
<m:ERR_DESC>No data returned for the specified selection</m:ERR_DESC></m:ERROR></m:RTO></m:MessagePayload>
</m:OASISReport>
"""


def operating_hour(start_s):
    """Return the hour of the operating day, 1 to 24; the repeated hour is 25."""
    now, before = local(ZONE, start_s), local(ZONE, start_s - HOUR_S)
    return 25 if now.hour == before.hour else now.hour + 1


def text(heading, steps, nodes=NODES[:1], components=tuple(_ITEMS), seed=None):
    """Return a file as downloaded: blocks of components, or all rows in any order where a seed is stated.

    The first node has the truth, each following one 1000 USD/MWh more.
    """
    names, lines = heading.split(","), []
    steps = list(steps)
    for component in components:
        for step in steps:
            start, end = (f"{local('UTC', moment):%Y-%m-%dT%H:%M:%S}-00:00" for moment in (step.start_s, step.end_s))
            width_s = step.end_s - step.start_s
            for at, node in enumerate(nodes):
                price = step.price + 1000 * at if component == "LMP" else 0.1 * step.price
                values = {
                    "INTERVALSTARTTIME_GMT": start,
                    "INTERVALENDTIME_GMT": end,
                    "OPR_DT": f"{local(ZONE, step.start_s):%Y-%m-%d}",
                    "OPR_HR": f"{operating_hour(step.start_s)}",
                    "OPR_INTERVAL": f"{0 if width_s == HOUR_S else step.start_s % HOUR_S // width_s + 1}",
                    "NODE_ID_XML": node,
                    "NODE_ID": node,
                    "NODE": node,
                    "MARKET_RUN_ID": _RUNS[heading],
                    "LMP_TYPE": component,
                    "XML_DATA_ITEM": _ITEMS[component],
                    "PNODE_RESMRID": node,
                    "GRP_TYPE": "ALL_APNODES",
                    "POS": "0",
                    "GROUP": "1",
                }
                lines.append(",".join(values.get(name, f"{price:.5f}") for name in names))
    if seed is not None:
        random.Random(seed).shuffle(lines)
    return "\n".join([heading, *lines, ""])
