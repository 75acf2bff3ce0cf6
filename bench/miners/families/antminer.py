"""Bitmain Antminer with its stock firmware, of 2020 and of 2023 and later.

Port 4028 needs no password. `devs` is not asked, because it shows rates of 0. Some newer units show a power on port
6060. With a login that the user names, the web pages add serial number and mode.
"""

import re
from typing import Any

from bench.miners import values
from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.cgminer import read_counters, read_pools
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.recognise import accept, version_has
from bench.miners.record import (
    Averaging,
    Board,
    FanReading,
    Identity,
    MinerReading,
    Mode,
    Place,
    PowerReading,
    TemperatureReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, rows, section

POWER_PORT = 6060
_OTHERS = ("LUXminer", "BOSer", "BOSminer", "BOSminer+", "BDMiner", "GCMiner", "FluxOS", "PROD")
_WITH_POWER_PORT = re.compile(r"[ST]2\d|XP.*HYD", re.IGNORECASE)
_POWER = re.compile(r"\s*miner power\s*:\s*(.+?)\s*", re.IGNORECASE)
_MODES = {"0": "normal", "1": "sleep", "2": "high", "3": "low"}
_SENSORS: tuple[tuple[str, Place], ...] = (("temp_pcb", "board"), ("temp_chip", "chip"))
_MOST_CHAINS = 16
_WINDOWS: tuple[tuple[str, Averaging, float | None], ...] = (
    ("5s", "decay", 5.0),
    ("30m", "unknown", 1800.0),
    ("av", "since_restart", None),
)
_NEWER: tuple[tuple[str, Averaging, float | None], ...] = (
    ("5s", "unknown", 5.0),
    ("30m", "unknown", 1800.0),
    ("avg", "since_restart", None),
)


def read(link: Link) -> dict[str, Reply]:
    """Ask for version, counters, boards and pools; the newer form of `stats` only where the older has no boards."""
    version = accept(
        link.ask("version"), recognise, "a stock Antminer", "a version with BMMiner, or an Antminer as type"
    )
    replies = {"version": version, "summary": link.ask("summary"), "stats": link.ask("stats")}
    if rows(replies, "stats", "STATS") and not _boards(replies)[0]:
        newer = link.ask("stats", {"command": "stats", "new_api": True}, optional=True)
        replies["stats"] = replies["stats"] if newer.fault else newer
    replies["pools"] = link.ask("pools", optional=True)
    if _WITH_POWER_PORT.search(_type(replies)):
        power = link.web("miner_power", "/miner_power", port=POWER_PORT, optional=True, plain=True)
        if not power.fault:  # most firmware has no such port, which is no fault
            replies["miner_power"] = power
    if link.login is not None:
        for name in ("get_system_info", "get_miner_conf"):
            replies[name] = link.web(name, f"/cgi-bin/{name}.cgi", optional=True)
    return replies


def recognise(document: Any) -> bool:
    """Return whether a reply to `version` is that of stock firmware, which others run on Antminers too."""
    if not version_has(document, "BMMiner", "Type") or version_has(document, *_OTHERS):
        return False
    kind = section({"version": Reply("version", document=document)}, "version", "VERSION", 0).text("Type").lower()
    return (kind.startswith("antminer") and "vnish" not in kind) or version_has(document, "BMMiner")


def parse(replies: Replies) -> MinerReading:
    """Return the record of the replies."""
    summary, stats = section(replies, "summary", "SUMMARY", 0), _figures(replies)
    boards, temperatures, warnings = _boards(replies)
    ideal = stats.rate_h_s("total_rateideal", _unit(stats)) or stats.rate_h_s("rate_ideal", _unit(stats))
    reading = MinerReading(
        identity=_identity(replies),
        rates=(*summary.rates(_rate_keys(summary)), *stats.rates(_rate_keys(stats))),
        powers=_powers(replies, stats),
        boards=boards,
        temperatures=temperatures,
        fans=_fans(stats),
        mode=_mode(replies, summary, stats),
        counters=read_counters(summary, rows(replies, "pools", "POOLS")),
        pools=read_pools(replies),
        nominal_rate_h_s=ideal or None,
        warnings=warnings,
    )
    return with_contradictions(reading)


def _unit(figures: Section) -> str:
    """Return the unit of keys that have none in their name."""
    return figures.text("rate_unit") or "GH/s"


def _rate_keys(summary: Section) -> tuple[RateKey, ...]:
    """Return the rates of a summary: keys of the older form with their unit, and of the newer one with `rate_unit`."""
    older = (
        RateKey(f"{prefix}HS {name}", f"{prefix}H/s", averaging, window_s, "nonces")
        for prefix in ("G", "M")  # it differs between versions
        for name, averaging, window_s in _WINDOWS
    )
    newer = (RateKey(f"rate_{name}", _unit(summary), kind, window_s, "nonces") for name, kind, window_s in _NEWER)
    return (*older, *newer)


def _figures(replies: Replies) -> Section:
    """Return the object of `stats` that has figures: the second one of the older form, the only one of the newer."""
    return max((section(replies, "stats", "STATS", index) for index in (0, 1)), key=lambda figures: len(figures.values))


def _type(replies: Replies) -> str:
    places = (("stats", "STATS", 0), ("version", "VERSION", 0), ("stats", "INFO"))
    stated = (section(replies, name, *keys).text("Type", "type") for name, *keys in places)
    return next(filter(None, stated), "")


def _identity(replies: Replies) -> Identity:
    version, info = section(replies, "version", "VERSION", 0), section(replies, "stats", "INFO")
    system, stats = section(replies, "get_system_info"), _figures(replies)
    builds = (info.text("miner_version"), version.text("Miner"), info.text("CompileTime"), version.text("CompileTime"))
    return Identity(
        family="antminer",
        maker="Bitmain",
        model=_type(replies) or system.text("minertype"),
        firmware="stock",
        firmware_version=", ".join(dict.fromkeys(filter(None, builds))),
        api_version=version.text("API"),
        unit=values.unit_hash(system.get("serinum"), stats.get("miner_id"), system.get("macaddr")),
    )


def _powers(replies: Replies, stats: Section) -> tuple[PowerReading, ...]:
    """Return the powers; no source says where the firmware measures them."""
    reply = replies.get("miner_power")
    match = _POWER.fullmatch(reply.document) if reply is not None and isinstance(reply.document, str) else None
    power = values.power_w(match[1]) if match else None
    from_port = () if match is None or power is None else (PowerReading(power, "unknown", "miner_power", match[1]),)
    return (*stats.powers((("chain_power", "unknown"), ("power", "unknown"))), *from_port)


def _boards(replies: Replies) -> tuple[tuple[Board, ...], tuple[TemperatureReading, ...], tuple[str, ...]]:
    """Return boards, their temperatures, and a warning for each board with chips that do not answer."""
    stats = _figures(replies)
    chains = stats.get("chain")
    if isinstance(chains, list):
        return _newer_boards([Section(f"stats chain[{at}]", chain) for at, chain in enumerate(chains)], _unit(stats))
    boards: list[Board] = []
    temperatures: list[TemperatureReading] = []
    warnings: list[str] = []
    for index in range(1, _MOST_CHAINS + 1):
        if not stats.whole(f"chain_acn{index}") and not stats.text(f"chain_rate{index}"):
            continue
        boards.append(
            Board(
                name=f"chain {index}",
                rate_h_s=stats.rate_h_s(f"chain_rate{index}", "GH/s"),
                chips=stats.whole(f"chain_acn{index}"),
                frequency_hz=_hz(stats.number(f"freq{index}", f"freq_avg{index}")),
                hardware_errors=stats.whole(f"chain_hw{index}"),
            )
        )
        warnings += _silent_chips(f"chain {index}", stats.text(f"chain_acs{index}"))
        for key, place in _SENSORS:
            temperatures += _temperatures(stats, f"{key}{index}", place)
    return tuple(boards), tuple(temperatures), tuple(warnings)


def _newer_boards(
    chains: list[Section], unit: str
) -> tuple[tuple[Board, ...], tuple[TemperatureReading, ...], tuple[str, ...]]:
    boards: list[Board] = []
    temperatures: list[TemperatureReading] = []
    warnings: list[str] = []
    for chain in chains:
        name = f"chain {chain.text('index') or len(boards)}"
        boards.append(
            Board(
                name=name,
                rate_h_s=chain.rate_h_s("rate_real", unit),
                nominal_rate_h_s=chain.rate_h_s("rate_ideal", unit),
                chips=chain.whole("asic_num"),
                frequency_hz=_hz(chain.number("freq_avg")),
                hardware_errors=chain.whole("hw"),
            )
        )
        warnings += _silent_chips(name, chain.text("asic"))
        for key, place in _SENSORS:
            temperatures += _temperatures(chain, key, place)
    return tuple(boards), tuple(temperatures), tuple(warnings)


def _hz(frequency_mhz: float | None) -> float | None:
    return frequency_mhz * 1e6 if frequency_mhz else None


def _silent_chips(name: str, marks: str) -> tuple[str, ...]:
    silent = marks.lower().count("x")
    return (f"{name}: {silent} {'chip does' if silent == 1 else 'chips do'} not answer",) if silent else ()


def _temperatures(figures: Section, key: str, place: Place) -> list[TemperatureReading]:
    read = values.numbers(figures.get(key))
    return [
        TemperatureReading(temperature, place, f"{figures.raw_key(key)}[{at}]")
        for at, temperature in enumerate(read)
        if temperature != 0.0
    ]


def _fans(stats: Section) -> tuple[FanReading, ...]:
    listed = values.numbers(stats.get("fan"))
    newer = (FanReading(speed, None, f"{stats.raw_key('fan')}[{at}]") for at, speed in enumerate(listed))
    return (*stats.fans(f"fan{index}" for index in range(1, 9)), *newer)


def _mode(replies: Replies, summary: Section, stats: Section) -> Mode:
    """Return the mode; a miner that sleeps sends empty lists."""
    conf = section(replies, "get_miner_conf")
    number = stats.text("miner-mode") or conf.text("miner-mode", "bitmain-work-mode")
    asleep = not summary.values and not stats.values
    rates = summary.rates(_rate_keys(summary)[:1]) or summary.rates(_rate_keys(summary))
    return Mode(
        name="sleep" if asleep else _MODES.get(number, number),
        hashing=False if asleep else any(rate.rate_h_s > 0.0 for rate in rates) if rates else None,
        state="sends empty lists" if asleep else "",
        profile=f"{level} %" if (level := stats.text("freq-level")) else "",
    )


FAMILY = Family("antminer", CGMINER, 5.0, read, parse)
