"""The reasons why a unit should be in its level, or is left alone, and the events of an intent, in one table."""

REASONS: dict[str, str] = {
    # why a block draws what it draws
    "runs": "its work is worth more than power costs",
    "price": "power costs more than its work is worth",
    "resale": "resale of the contracted power pays more than its work",
    "grid": "the interconnect is full",
    "event": "a curtailment event limits the site",
    "outage": "an outage limits the site",
    "peak": "more power would raise the month's demand charge",
    "target": "a load target limits the site",
    "feeder": "the declared limit of the feeder",
    "committed": "the plan keeps the block off: a start costs more than it earns",
    "derated": "the ambient temperature leaves less cooling",
    # why a unit keeps its level
    "hold": "the prices call for a change in too few intervals in a row",
    "not_in_plan": "its block has no part in the plan",
    "off_as_found": "it was off before the first command",
    "released": "a person changed it, or it was released for another reason",
    "not_seen": "no look has shown its level yet",
    "unknown": "no fresh look shows its state",
    "fault": "the device reports that it cannot work",
    "no_power": "nobody states its power",
    # events of the whole site
    "plan_price": "no source of prices is declared: the plan's own price holds",
    "price_late": "the price of this interval is missing: the last one holds for a while",
    "price_stale_hold": "the price is stale: units stay as they are, as declared",
    "price_stale_curtail": "the price is stale: work is stopped, as declared",
    "price_stale_run": "the price is stale: all there is runs, as declared",
    "no_plan": "the plan says nothing about this time: units stay as they are",
    "target_lost_hold": "the source of load targets is silent: the last target holds, as declared",
    "target_lost_curtail": "the source of load targets is silent: work is stopped, as declared",
    "target_lost_run": "the source of load targets is silent: its targets are ignored, as declared",
    "lost_telemetry": "no fresh look shows its state: it is stopped, as declared",
    "over_limit": "units that cannot be commanded may draw more than the limit",
}
