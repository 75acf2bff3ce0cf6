"""Machines with stock firmware whose replies follow a unit: it restarts, freezes, lies, pauses and changes its mode."""

from doubles.miners import antminer, avalon, whatsminer

FAMILIES = ("antminer", "whatsminer", "whatsminer-v3", "avalon")


def commands(unit, family):
    """Return replies that say at each request what the unit shows at that moment."""
    replies_of = {
        "antminer": _antminer, "whatsminer": _whatsminer, "whatsminer-v3": _whatsminer_v3, "avalon": _avalon,
    }[family]  # fmt: skip
    names = {*replies_of(unit), *_ASKED[family]}
    return {name: (lambda name=name: replies_of(unit).get(name, _UNKNOWN)) for name in names}


_UNKNOWN = {"STATUS": [{"STATUS": "E", "Code": 14, "Msg": "Invalid command"}], "id": 1}
_ASKED = {"antminer": ("stats new_api",), "whatsminer": (), "whatsminer-v3": (), "avalon": ()}


def _antminer(unit):
    if unit.paused:
        return antminer.asleep()
    replies = antminer.s19_pro(round(unit.elapsed_s), unit.shown_h_s / 1e9, unit.accepted, unit.difficulty)
    replies["summary"]["SUMMARY"][0]["GHS av"] = unit.mean_shown_h_s / 1e9
    replies["stats"]["STATS"][1] |= {"GHS av": unit.mean_shown_h_s / 1e9, "miner-mode": unit.mode}
    return replies


def _whatsminer(unit):
    replies = whatsminer.v1(round(unit.elapsed_s), unit.mean_shown_h_s / 1e6, unit.accepted, unit.power_w)
    row = replies["summary"]["SUMMARY"][0]
    row |= {
        "HS RT": unit.shown_h_s / 1e6, "MHS 5s": unit.shown_h_s / 1e6, "Power Mode": unit.mode, "Error Code Count": 0,
        "Hash Stable": not unit.tuning, "Difficulty Accepted": unit.accepted_difficulty,
        "Factory GHS": unit.rate_now_h_s / 1e9,
    }  # fmt: skip
    replies["status"]["Msg"]["btmineroff"] = str(unit.paused).lower()
    return replies


def _whatsminer_v3(unit):
    replies = whatsminer.v3(round(unit.elapsed_s), unit.shown_h_s / 1e12, int(not unit.tuning))
    row = replies["get.miner.status summary"]["msg"]["summary"]
    row |= {
        "hash-1min": unit.shown_h_s / 1e12, "hash-15min": unit.shown_h_s / 1e12, "power-realtime": unit.power_w,
        "hash-average": unit.mean_shown_h_s / 1e12, "factory-hash": unit.rate_now_h_s / 1e12,
    }  # fmt: skip
    device = replies["get.device.info"]["msg"]
    device["error-code"] = []
    device["miner"]["working"] = str(not unit.paused).lower()
    return replies


def _avalon(unit):
    work = "In Idle" if unit.paused else "In Work"
    replies = avalon.a1246(round(unit.elapsed_s), work=work)
    row = replies["estats"]["STATS"][0]
    mode = {"normal": 0, "high": 1}.get(unit.mode, 2)
    for old, new in (
        ("GHSspd[81000.50]", f"GHSspd[{unit.shown_h_s / 1e9:.2f}]"),
        ("GHSavg[79656.63]", f"GHSavg[{unit.mean_shown_h_s / 1e9:.2f}]"),
        ("WORKMODE[0]", f"WORKMODE[{mode}]"),
        ("  0]", "  62]"),  # its silent chip
    ):
        row["MM ID0"] = row["MM ID0"].replace(old, new)
    mhs = unit.mean_shown_h_s / 1e6
    replies["summary"] = avalon.summary(round(unit.elapsed_s), mhs, unit.accepted, unit.difficulty)
    replies["pools"] = avalon.pools(unit.accepted, unit.difficulty)
    return replies
