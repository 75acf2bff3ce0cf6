"""VNish (AnthillOS) over its REST interface, as far as that wants no login.

No public capture of its replies is known; keys and units follow the interface descriptions of versions 1.2.6 to 1.3.4.
The firmware keeps `devfee_percent` of the work, so that shares on the user's own pool imply a lower rate than shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.miners.family import Family
from bench.miners.link import WEB, Link
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, inside, rows_inside, scaled
from bench.miners.parsing.recognise import accept
from bench.miners.record import (
    Board,
    Counters,
    FanReading,
    Identity,
    MinerReading,
    Mode,
    Place,
    Pool,
    PowerKind,
    TemperatureReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, section
from bench.miners.values import difficulty, pool_address, unit_hash

NAME = "vnish"
_NEEDED = ("fw_name", "fw_version", "miner", "platform")
_SETTLED_S = 300.0
_POOL_KINDS = {"UserPool": "user", "DevFee": "fee", "Refund": "refund"}


def recognise(document: Any) -> bool:
    """Return whether a document is the one that VNish answers to `GET /api/v1/info`."""
    return isinstance(document, Mapping) and all(key in document for key in _NEEDED)


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of a machine with VNish."""
    info = accept(link.web("info", "/api/v1/info"), recognise, "VNish", f"a reply with {', '.join(_NEEDED)}")
    others = {name: link.web(name, f"/api/v1/{name}", optional=True) for name in ("model", "perf-summary")}
    return {"info": info, "summary": link.web("summary", "/api/v1/summary"), **others}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    miner, model = section(replies, "summary", "miner"), section(replies, "model")
    info = section(replies, "info")
    unit = info.text("hr_measure") or model.text("hr_measure")
    kind, lines = _power_kind(miner, model)
    fee = miner.number("devfee_percent")
    if not unit:
        lines.append("info: hr_measure is missing: the unit of the rates is not known, and they are left out")
    if not miner.values:
        lines.append("summary: miner is empty: the mining program does not run")
    return with_contradictions(
        MinerReading(
            identity=_identity(info, model),
            rates=miner.rates(_rate_keys(unit)) if unit else (),
            powers=miner.powers((("power_consumption", kind),)),
            boards=tuple(_board(row, unit, model) for row in rows_inside(miner, "chains")),
            temperatures=tuple(_temperatures(miner)),
            fans=_fans(miner),
            mode=_mode(miner, section(replies, "perf-summary")),
            counters=_counters(miner),
            pools=_pools(miner),
            nominal_rate_h_s=miner.rate_h_s("hr_stock", unit) if unit else None,
            fee_frac=scaled(fee, 0.01),
        ),
        (*lines, *_oddities(miner)),
    )


def _rate_keys(unit: str) -> tuple[RateKey, ...]:
    return (
        RateKey("hr_realtime", unit, "instant", None, "nonces"),
        RateKey("hr_average", unit, "unknown", None, "nonces"),
        RateKey("hr_nominal", unit, "instant", None, "nominal"),
    )


def _identity(info: Section, model: Section) -> Identity:
    name = info.text("miner") or model.text("full_name")
    network = inside(info, "system", "network_status")
    return Identity(
        family=NAME,
        maker="Bitmain" if "antminer" in name.casefold() else "",
        model=name,
        firmware=info.text("fw_name"),
        firmware_version=info.text("fw_version"),
        unit=unit_hash(info.get("serial"), model.get("serial"), network.get("mac")),
    )


def _power_kind(miner: Section, model: Section) -> tuple[PowerKind, list[str]]:
    """Return what `power_consumption` is, by whether the supply measures."""
    measures, can = inside(miner, "psu").truth("psu_power_metering"), inside(model, "overclock").truth("power_metering")
    lines = []
    if measures is not None and can is not None and measures != can:
        lines.append(f"summary: psu_power_metering is {measures}, but model: power_metering is {can}")
        return "unknown", lines
    if measures is None:
        return "unknown", lines
    return "ac_in_psu" if measures else "estimate", lines


def _board(row: Section, unit: str, model: Section) -> Board:
    return Board(
        name=row.text("id"),
        rate_h_s=row.rate_h_s("hashrate_rt", unit) if unit else None,
        nominal_rate_h_s=row.rate_h_s("hashrate_ideal", unit) if unit else None,
        chips_expected=inside(model, "chain").whole("chips_per_chain"),
        frequency_hz=scaled(row.number("frequency"), 1e6),
        voltage_v=scaled(row.number("voltage"), 1e-3),
        hardware_errors=row.whole("hw_errors"),
    )


def _temperatures(miner: Section) -> Iterable[TemperatureReading]:
    places: tuple[tuple[str, Place], ...] = (("pcb_temp", "board"), ("chip_temp", "chip"))
    for chain in rows_inside(miner, "chains"):
        for key, place in places:
            yield from inside(chain, key).temperatures((("min", place), ("max", place)))
        yield from chain.temperatures((("inlet_water_temp", "inlet"), ("outlet_water_temp", "outlet")))


def _fans(miner: Section) -> tuple[FanReading, ...]:
    cooling = inside(miner, "cooling")
    each = [reading for row in rows_inside(cooling, "fans") for reading in fan(row, "rpm")]
    return (*each, *fan(cooling, "", "fan_duty"))


def _mode(miner: Section, performance: Section) -> Mode:
    status, preset = inside(miner, "miner_status"), inside(performance, "current_preset")
    state, since_s = status.text("miner_state"), status.number("miner_state_time")
    throttled = bool(status.number("throttled"))
    hashing = state in {"mining", "auto-tuning"}
    settled = state == "mining" and not throttled and since_s is not None and since_s > _SETTLED_S
    return Mode(
        name="throttled" if throttled else "",
        hashing=hashing if state else None,
        settled=settled if state else None,
        state=state or "stopped",
        profile=preset.text("name"),
    )


def _counters(miner: Section) -> Counters:
    """Return the counters over all pools, the fee's included; since when they count is not described."""
    pools = rows_inside(miner, "pools")

    def total(key: str) -> int | None:
        parts = [part for pool in pools if (part := pool.whole(key)) is not None]
        return sum(parts) if parts else None

    return Counters(
        accepted=total("accepted"),
        rejected=total("rejected"),
        stale=total("stale"),
        hardware_errors=miner.whole("hw_errors"),
    )


def _pools(miner: Section) -> tuple[Pool, ...]:
    return tuple(
        Pool(
            url=pool_address(pool.get("url")),
            status=pool.text("status"),
            active=pool.text("status") in {"active", "working"},
            priority=pool.whole("id"),
            difficulty=difficulty(pool.get("diff")),
            accepted=pool.whole("accepted"),
            rejected=pool.whole("rejected"),
            stale=pool.whole("stale"),
            kind=_POOL_KINDS.get(pool.text("pool_type"), pool.text("pool_type")),
        )
        for pool in rows_inside(miner, "pools")
    )


def _oddities(miner: Section) -> Iterable[str]:
    """Yield what the firmware says of itself that changes how its figures are to be read."""
    fees = [pool for pool in rows_inside(miner, "pools") if pool.text("pool_type") == "DevFee"]
    if fees and miner.number("devfee_percent") is None:
        yield "summary: a pool of the kind DevFee, but no devfee_percent: the share of the fee is not known"
    status = inside(miner, "miner_status")
    if throttled := status.number("throttled"):
        yield f"summary: miner_status.throttled is {throttled:g}: the firmware has lowered power or clock"
    if fault := status.text("description"):
        yield f"summary: miner_status: {fault}"


FAMILY = Family(NAME, WEB, 5.0, read, parse)
