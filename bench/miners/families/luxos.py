"""LuxOS over TCP 4028, with commands that need no session.

References
----------
docs.luxor.tech/firmware/api/luxminer. LuxorLabs/luxos-tooling: src/luxos/api.json; docs/recipes.md, whose update
channel "new-power-estimations" shows that `power` comes from a model, which changes with the firmware.
"""

from dataclasses import replace
from typing import Any

from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.cgminer import read_counters, read_pools
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, inside, scaled
from bench.miners.parsing.recognise import accept, version_has
from bench.miners.parsing.windows import rate_keys, unfilled
from bench.miners.record import Board, Identity, MinerReading, Mode, PowerReading, TemperatureReading
from bench.miners.reply import Replies, Reply, Section, rows, section
from bench.miners.values import unit_hash

NAME = "luxos"
_COMMANDS = ("summary", "devs", "config", "power", "pools", "stats", "temps", "fans", "profiles")
_CORNERS = ("TopLeft", "TopRight", "BottomLeft", "BottomRight")


def recognise(document: Any) -> bool:
    """Return whether a document is the reply of LuxOS to `version`."""
    return version_has(document, "LUXminer")


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of a machine with LuxOS."""
    version = accept(link.ask("version"), recognise, "LuxOS", "a version of LUXminer")
    needed = ("summary",)
    return {"version": version, **{name: link.ask(name, optional=name not in needed) for name in _COMMANDS}}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    summary, config = section(replies, "summary", "SUMMARY", 0), section(replies, "config", "CONFIG", 0)
    devices = rows(replies, "devs", "DEVS")
    rates = summary.rates(rate_keys("GHS", "GH/s", "unknown"))
    lines = [*unfilled(rates, summary.number("Elapsed")), *_oddities(replies, summary)]
    powers = (*_power(section(replies, "power", "POWER", 0), lines), *_profile(replies, config))
    if len(powers) > 1 and abs(powers[0].power_w - powers[1].power_w) > 0.05 * powers[1].power_w:
        lines.append(
            f"power: Watts {powers[0].power_w:g} and the {powers[1].power_w:g} W of the active profile differ by more "
            "than 5 %"
        )
    return with_contradictions(
        MinerReading(
            identity=_identity(replies, config),
            rates=rates,
            powers=powers,
            boards=tuple(_board(device, section(replies, "stats", "STATS", 1)) for device in devices),
            temperatures=_temperatures(replies),
            fans=tuple(one for row in rows(replies, "fans", "FANS") for one in fan(row, "RPM", "Speed")),
            mode=_mode(config, devices, summary),
            counters=replace(read_counters(summary), hashes=None),  # `Total MH` is no count
            pools=read_pools(replies),
            nominal_rate_h_s=config.rate_h_s("NameplateTHS", "TH/s"),
        ),
        lines,
    )


def _identity(replies: Replies, config: Section) -> Identity:
    version = section(replies, "version", "VERSION", 0)
    return Identity(
        family=NAME,
        maker="Bitmain",
        model=config.text("Model") or version.text("Type"),
        firmware="LuxOS",
        firmware_version=version.text("LUXminer"),
        api_version=version.text("API"),
        unit=unit_hash(config.get("SerialNumber"), config.get("MACAddr")),
    )


def _power(power: Section, lines: list[str]) -> tuple[PowerReading, ...]:
    """Return the power: a model where `PSU` is false; where it is true, the supply measures it, but not known where."""
    measured = power.truth("PSU")
    if measured:
        lines.append("power: PSU is true: the supply measures Watts, at its input or at its output")
    return power.powers((("Watts", "unknown" if measured is not False else "estimate"),))


def _profile(replies: Replies, config: Section) -> tuple[PowerReading, ...]:
    """Return the power for which the active profile is made."""
    name = config.text("Profile")
    for row in rows(replies, "profiles", "PROFILES"):
        if name and row.text("Profile Name") == name:
            return row.powers((("Watts", "target"),))
    return ()


def _board(device: Section, stats: Section) -> Board:
    """Return a board with its rate of the last 5 minutes; `stats` numbers the boards from 1."""
    position = device.whole("ASC", "ID")
    chain = None if position is None else position + 1
    return Board(
        name="" if position is None else str(position),
        rate_h_s=device.rate_h_s("MHS 5m", "MH/s"),
        nominal_rate_h_s=device.rate_h_s("Nominal MHS", "MH/s"),
        chips=None if chain is None else stats.whole(f"chain_acn{chain}"),
        frequency_hz=None if chain is None else scaled(stats.number(f"freq{chain}"), 1e6),
        hardware_errors=device.whole("Hardware Errors"),
    )


def _temperatures(replies: Replies) -> tuple[TemperatureReading, ...]:
    """Return the temperatures of the corners of each board, with the label that the firmware gives them."""
    labels = section(replies, "temps", "METADATA", 0)
    return tuple(
        TemperatureReading(reading.temperature_c, "board", f"{reading.raw_key} ({label})" if label else reading.raw_key)
        for row in rows(replies, "temps", "TEMPS")
        for corner in _CORNERS
        for label in [inside(labels, corner).text("Label")]
        for reading in row.temperatures(((corner, "board"),))
    )


def _mode(config: Section, devices: tuple[Section, ...], summary: Section) -> Mode:
    curtailed = config.text("CurtailMode").casefold()
    asleep = curtailed not in {"", "none"}
    ramping = any(device.truth("IsRamping") for device in devices)
    tuning = config.truth("IsTuning")
    hashing = not asleep and bool(summary.number("GHS 5s", "GHS 1m"))
    states = ["curtailed"] * asleep + ["tuning"] * bool(tuning) + ["ramping"] * ramping
    return Mode(
        name=curtailed if asleep else "",
        hashing=hashing,
        settled=None if tuning is None else hashing and not tuning and not ramping,
        state=", ".join([config.text("SystemStatus"), *states]).strip(", "),
        profile=config.text("Profile"),
    )


def _oddities(replies: Replies, summary: Section) -> list[str]:
    """Return the figures whose name says something else than they are."""
    lines, stats = [], section(replies, "stats", "STATS", 1)
    chains = [rate for index in range(1, 10) if (rate := stats.rate_h_s(f"chain_rate{index}", "GH/s"))]
    total = stats.rate_h_s("total rate", "GH/s")
    if chains and total and total < 0.9 * sum(chains):
        lines.append(
            f"stats: total rate {total / 1e12:.4g} TH/s is not the sum of its {len(chains)} boards, "
            f"{sum(chains) / 1e12:.4g} TH/s"
        )
    total_mh, mean_h_s = summary.number("Total MH"), summary.rate_h_s("GHS av", "GH/s")
    if total_mh and mean_h_s and abs(total_mh * 1e6 / mean_h_s - 1.0) < 0.01:
        lines.append("summary: Total MH is a rate, not a count of hashes")
    if config_fee := section(replies, "config", "CONFIG", 0).text("FeeStatus"):
        lines.append(f"config: FeeStatus {config_fee}: the firmware does not say which share of the work is its fee")
    boards_off = [row.text("ID") for row in rows(replies, "devs", "DEVS") if row.truth("IsUserShutdown")]
    if boards_off:
        lines.append(f"devs: IsUserShutdown: board {', '.join(boards_off)} is switched off")
    return lines


FAMILY = Family(NAME, CGMINER, 5.0, read, parse)
