"""Proto Rig over its REST interface.

The only public replies come from a simulator; some paths may need a login, and then those figures are missing.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bench.miners import values
from bench.miners.family import Family
from bench.miners.link import WEB, Link
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, inside
from bench.miners.parsing.recognise import accept
from bench.miners.record import (
    Board,
    Counters,
    Identity,
    MinerReading,
    Mode,
    Pool,
    PowerKind,
    PowerReading,
    TemperatureReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, rows, section

NAME = "proto"
_OPTIONAL = ("hardware", "pools", "cooling", "telemetry")
_SUM_TOLERANCE = 0.03


def recognise(document: Any) -> bool:
    """Return whether a document is the one that a Proto Rig answers to `GET /api/v1/system`."""
    system = document.get("system-info") if isinstance(document, Mapping) else None
    return isinstance(system, Mapping) and system.get("manufacturer") == "Proto"


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of a Proto Rig."""
    system = accept(link.web("system", "/api/v1/system"), recognise, "a Proto Rig", "system-info of maker Proto")
    others = {name: link.web(name, f"/api/v1/{name}", optional=True) for name in _OPTIONAL}
    return {"system": system, "mining": link.web("mining", "/api/v1/mining"), **others}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    mining = section(replies, "mining", "mining-status")
    supplies = _supplies(replies)
    kind, lines = _power_kind(mining, supplies)
    uptime_s = mining.number("mining_uptime_s")
    return with_contradictions(
        MinerReading(
            identity=_identity(replies),
            rates=mining.rates(
                (
                    RateKey("hashrate_ghs", "GH/s", "unknown", None, "nonces"),
                    RateKey("average_hashrate_ghs", "GH/s", "unknown", None, "nonces"),
                    RateKey("ideal_hashrate_ghs", "GH/s", "instant", None, "nominal"),
                )
            ),
            powers=(
                *mining.powers((("power_usage_watts", kind), ("power_target_watts", "target"))),
                *supplies,
            ),
            boards=tuple(_boards(replies)),
            temperatures=tuple(_temperatures(replies)),
            fans=tuple(
                reading
                for row in rows(replies, "cooling", "cooling-status", "fans")
                for reading in fan(row, "rpm", "speed_percentage")
            ),
            mode=Mode(
                hashing=mining.text("status") == "Mining" if mining.text("status") else None,
                settled=None,  # the interface has no word for it
                state=mining.text("status"),
                target_power_w=mining.number("power_target_watts"),
            ),
            counters=Counters(elapsed_s=uptime_s, hardware_errors=mining.whole("hw_errors")),
            pools=_pools(replies),
        ),
        lines,
    )


def _identity(replies: Replies) -> Identity:
    system = section(replies, "system", "system-info")
    control = section(replies, "hardware", "hardware-info", "cb-info")
    return Identity(
        family=NAME,
        maker="Proto",
        model=system.text("product_name", "model"),
        firmware=inside(system, "os").text("name"),
        firmware_version=inside(system, "os").text("version"),
        unit=values.unit_hash(system.get("cb_sn"), control.get("serial_number")),
    )


def _supplies(replies: Replies) -> tuple[PowerReading, ...]:
    """Return input and output of all power supplies together, because one of several is not the machine."""
    supplies = rows(replies, "telemetry", "psus")
    kinds: tuple[tuple[str, PowerKind], ...] = (("input", "ac_in_psu"), ("output", "dc_out"))
    readings = []
    for key, kind in kinds:
        parts = [inside(supply, "power").number(key) for supply in supplies]
        known = [part for part in parts if part is not None]
        if known and len(known) == len(parts) and math.isfinite(sum(known)):
            raw = " + ".join(f"{part:g}" for part in known)
            readings.append(PowerReading(sum(known), kind, f"telemetry: psus[*].power.{key}", raw))
    return tuple(readings)


def _power_kind(mining: Section, supplies: tuple[PowerReading, ...]) -> tuple[PowerKind, list[str]]:
    """Return what `power_usage_watts` is: the input of the supplies, unless these show another sum."""
    power_w = mining.number("power_usage_watts")
    total_w = next((supply.power_w for supply in supplies if supply.kind == "ac_in_psu"), None)
    if power_w is None or total_w is None or abs(power_w - total_w) <= _SUM_TOLERANCE * total_w:
        return "ac_in_psu", []
    line = f"mining: power_usage_watts {power_w:g} W is not the {total_w:g} W at the input of its supplies"
    return "unknown", [line]


def _boards(replies: Replies) -> Iterable[Board]:
    hardware = {
        row.text("hb_sn"): row.whole("mining_asic_count")
        for row in rows(replies, "hardware", "hardware-info", "hashboards-info")
    }
    for row in rows(replies, "telemetry", "hashboards"):
        rate = inside(row, "hashrate")
        yield Board(
            name=row.text("index"),
            rate_h_s=rate.rate_h_s("value", rate.text("unit") or "TH/s"),
            chips_expected=hardware.get(row.text("serial_number")),
            voltage_v=inside(row, "voltage").number("value"),
        )


def _temperatures(replies: Replies) -> Iterable[TemperatureReading]:
    for row in rows(replies, "telemetry", "hashboards"):
        at = inside(row, "temperature")
        yield from at.temperatures((("average", "board"), ("inlet", "inlet"), ("outlet", "outlet")))
    for row in rows(replies, "telemetry", "psus"):
        yield from inside(row, "temperature").temperatures((("hotspot", "psu"), ("ambient", "psu")))
    yield from section(replies, "mining", "mining-status").temperatures((("average_asic_temp_c", "chip"),))


def _pools(replies: Replies) -> tuple[Pool, ...]:
    return tuple(
        Pool(
            url=values.pool_address(row.get("url")),
            status=row.text("status"),
            active=row.text("connection_status", "status") == "Active",
            priority=row.whole("priority"),
            difficulty=values.difficulty(row.get("difficulty")),
            accepted=row.whole("accepted"),
            rejected=row.whole("rejected"),
        )
        for row in rows(replies, "pools", "pools")
    )


FAMILY = Family(NAME, WEB, 5.0, read, parse)
