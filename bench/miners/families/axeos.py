"""AxeOS of the Bitaxe and of the NerdAxe boards, over HTTP without a login.

`power` is a figure of the board, never of the wall: the output of its regulator plus a constant (Bitaxe, NerdAxeGamma),
or the input of its regulator (other NerdAxe boards).

References
----------
bitaxeorg/ESP-Miner: main/power/power.c; main/tasks/hashrate_monitor_task.c; main/system.c, where `totalHashes` is the
sum of the displayed rate over time. shufps/ESP-Miner-NerdQAxePlus: main/boards; main/http_server/handler_system.cpp.
"""

from collections.abc import Mapping
from typing import Any

from bench.miners.family import Family
from bench.miners.link import WEB, Link
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, inside, rows_inside, scaled
from bench.miners.parsing.recognise import accept
from bench.miners.parsing.windows import unfilled
from bench.miners.record import (
    Averaging,
    Board,
    Counters,
    FanReading,
    Identity,
    MinerReading,
    Mode,
    Pool,
    PowerKind,
    RateBasis,
    RateReading,
    TemperatureReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, section
from bench.miners.values import difficulty, pool_address, unit_hash

NAME = "axeos"
NEEDED = ("ASICModel", "hashRate", "stratumURL")
_WINDOWS_S = {"hashRate_1m": 60.0, "hashRate_10m": 600.0, "hashRate_1h": 3600.0, "hashRate_1d": 86400.0}
_SHORTEST_SETTLING_S = 90.0


def recognise(document: Any) -> bool:
    """Return whether a document is the one that AxeOS answers to `GET /api/system/info`."""
    return isinstance(document, Mapping) and all(key in document for key in NEEDED)


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of a Bitaxe or a NerdAxe board."""
    info = accept(link.web("info", "/api/system/info"), recognise, "AxeOS", f"a reply with {', '.join(NEEDED)}")
    return {"info": info, "asic": link.web("asic", "/api/system/asic", optional=True)}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    info, asic = section(replies, "info"), section(replies, "asic")
    model = info.text("deviceModel") or asic.text("deviceModel")
    rates = _rates(info, model)
    uptime_s = info.number("uptimeSeconds")
    reading = MinerReading(
        identity=_identity(info, model),
        rates=rates,
        powers=info.powers((("power", _power_kind(model)), ("maxPower", "nameplate"))),
        boards=(_board(info, asic),),
        temperatures=_temperatures(info),
        fans=_fans(info),
        mode=_mode(info),
        counters=Counters(
            elapsed_s=uptime_s,
            accepted=info.whole("sharesAccepted"),
            rejected=info.whole("sharesRejected"),
            hashes=info.number("totalHashes"),
        ),
        pools=_pools(info),
    )
    return with_contradictions(reading, (*unfilled(rates, uptime_s), *_oddities(info, rates)))


def _is_nerd(model: str) -> bool:
    return model.startswith(("Nerd", "Q1370", "Q1373"))


def _identity(info: Section, model: str) -> Identity:
    chip, board = info.text("ASICModel"), info.text("boardVersion")
    name = model or (f"board {board}" if board else "")
    return Identity(
        family=NAME,
        maker="NerdAxe" if _is_nerd(model) else "Bitaxe",
        model=f"{name} ({chip})" if name else chip,
        firmware="ESP-Miner-NerdQAxePlus" if _is_nerd(model) else "ESP-Miner",
        firmware_version=info.text("version"),
        api_version=info.text("axeOSVersion"),
        unit=unit_hash(info.get("macAddr")),
    )


def _power_kind(model: str) -> PowerKind:
    return "dc_out" if _is_nerd(model) and model != "NerdAxeGamma" else "dc_out_plus_const"


def _rates(info: Section, model: str) -> tuple[RateReading, ...]:
    """Return the rates; ESP-Miner before 2.11 counts nonces and has neither windows nor `errorPercentage`."""
    counts = "errorPercentage" in info.values or "hashrateMonitor" in info.values
    basis: RateBasis = "unknown" if _is_nerd(model) else "hash_counters" if counts else "nonces"
    averaging: Averaging = "unknown" if _is_nerd(model) else "instant" if counts else "decay"
    windows = [RateKey(key, "GH/s", "mean", window_s, basis) for key, window_s in _WINDOWS_S.items()]
    nominal = RateKey("expectedHashrate", "GH/s", "instant", None, "nominal")
    return info.rates((RateKey("hashRate", "GH/s", averaging, None, basis), *windows, nominal))


def _board(info: Section, asic: Section) -> Board:
    return Board(
        name="board",
        rate_h_s=info.rate_h_s("hashRate", "GH/s"),
        nominal_rate_h_s=info.rate_h_s("expectedHashrate", "GH/s"),
        chips=len(rows_inside(info, "hashrateMonitor", "asics")) or info.whole("asicCount"),
        chips_expected=asic.whole("asicCount") or info.whole("asicCount"),
        frequency_hz=scaled(info.number("actualFrequency", "frequency"), 1e6),
        voltage_v=scaled(info.number("coreVoltageActual"), 1e-3),
    )


def _temperatures(info: Section) -> tuple[TemperatureReading, ...]:
    """Return the temperatures; the firmware writes -1 for a sensor that is absent."""
    readings = info.temperatures((("temp", "chip"), ("temp2", "chip"), ("vrTemp", "voltage_regulator")))
    return tuple(reading for reading in readings if reading.temperature_c != -1.0)


def _fans(info: Section) -> tuple[FanReading, ...]:
    if channels := rows_inside(info, "fans"):
        return tuple(reading for channel in channels for reading in fan(channel, "rpm", "speedPerc"))
    return (*fan(info, "fanrpm", "fanspeed"), *(fan(info, "fan2rpm") if info.number("fan2rpm") else ()))


def _mode(info: Section) -> Mode:
    paused, off = info.truth("miningPaused"), info.truth("shutdown")
    hashing = not paused and not off and bool(info.number("hashRate"))
    uptime_s = info.number("uptimeSeconds")
    starting = uptime_s is not None and uptime_s < _SHORTEST_SETTLING_S
    return Mode(
        name="overclock" if info.truth("overclockEnabled") else "",
        hashing=hashing,
        settled=False if starting or not hashing else None,  # the firmware never says that it is settled
        state="shutdown" if off else "paused" if paused else "",
    )


def _pools(info: Section) -> tuple[Pool, ...]:
    on_fallback = bool(info.truth("isUsingFallbackStratum"))
    in_use = difficulty(info.get("poolDifficulty")) or difficulty(info.get("stratumDiff")) or None
    slots = rows_inside(info, "pools")
    if not slots:
        first, second = _pool(info, "stratum", 0), _pool(info, "fallbackStratum", 1)
        listed = [(first, not on_fallback), (second, on_fallback)]
    else:
        indexes = info.whole("primaryPoolIndex"), info.whole("secondaryPoolIndex")
        order = {index: priority for priority, index in enumerate(indexes) if index is not None}
        numbers = [slot.whole("id") for slot in slots]
        listed = [
            (_pool(slot, "stratum", order.get(number) if number is not None else None), number == indexes[on_fallback])
            for slot, number in zip(slots, numbers, strict=True)
        ]
    return tuple(
        Pool(pool.url, active=active, priority=pool.priority, difficulty=in_use if active else None, kind="user")
        for pool, active in listed
        if pool.url
    )


def _pool(at: Section, prefix: str, priority: int | None) -> Pool:
    url, port = at.text(f"{prefix}URL"), at.whole(f"{prefix}Port")
    if url and "://" not in url:
        url = f"stratum+tcp://{url}"
    return Pool(pool_address(f"{url}:{port}" if url and port else url), priority=priority)


def _oddities(info: Section, rates: tuple[RateReading, ...]) -> list[str]:
    """Return what the firmware says of itself that changes how its figures are to be read."""
    lines = []
    windows = [rate for rate in rates if rate.averaging == "mean" and rate.rate_h_s > 0.0]
    if windows and not info.number("hashRate"):
        keys = ", ".join(rate.raw_key.partition(": ")[2] for rate in windows)
        lines.append(f"info: {keys}: the firmware keeps the last value while hashRate is 0")
    if info.truth("overheat_mode"):
        lines.append("info: overheat_mode: the firmware has lowered the clock")
    lines += [f"info: {key}: {fault}" for key in ("power_fault", "hardware_fault") if (fault := info.text(key))]
    if info.truth("isUsingFallbackStratum"):
        lines.append("info: isUsingFallbackStratum: the miner works for its fallback pool")
    if inside(info, "stratum").whole("activePoolMode"):
        lines.append("info: stratum.activePoolMode: the miner divides its work between two pools")
    if info.truth("coinbaseVerifyForce") and info.whole("coinbaseVerifyMode"):
        lines.append("info: coinbaseVerifyForce: the miner refuses a pool whose coinbase does not pay its user")
    uptime_s, total_s = info.number("uptimeSeconds"), info.number("totalUptimeSeconds")
    if uptime_s is not None and total_s is not None and total_s > uptime_s + 60.0:
        lines.append(f"info: totalHashes: the displayed rate summed over {total_s:.0f} s, not since the last restart")
    return lines


FAMILY = Family(NAME, WEB, 5.0, read, parse)
