"""Braiins OS: over TCP 4028 without a login, or over its REST interface where the user names a login.

References
----------
braiins/bos-plus-api; academy.braiins.com: Braiins OS, public REST API. `approximated_consumption` and
`ApproximateMinerPowerConsumption` are estimates of the tuner.
"""

from typing import Any

from bench.miners.families.braiins_rest import NoRestError, parse_rest, read_rest
from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.cgminer import read_counters, read_pools
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, scaled
from bench.miners.parsing.recognise import accept, version_has
from bench.miners.parsing.windows import rate_keys, unfilled
from bench.miners.record import Board, Identity, MinerReading, Mode, TemperatureReading
from bench.miners.reply import Replies, Reply, Section, rows, section

NAME = "braiins"
_KEYS = ("BOSer", "BOSminer", "BOSminer+")
_COMMANDS = ("summary", "devs", "devdetails", "tunerstatus", "pools", "temps", "fans")


def recognise(document: Any) -> bool:
    """Return whether a document is the reply of Braiins OS to `version`."""
    return version_has(document, *_KEYS)


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of Braiins OS: those of REST where a login is stated, else those of TCP 4028.

    Firmware before 25.07 has no REST interface; it is read on TCP 4028, and the record says so.
    """
    replies: dict[str, Reply] = {}
    if link.login is not None:
        try:
            return read_rest(link)
        except NoRestError as error:
            replies["auth/login"] = Reply("auth/login", fault=str(error))
    version = accept(link.ask("version"), recognise, "Braiins OS", "a version of BOSer or BOSminer")
    needed = ("summary",)
    return replies | {"version": version, **{name: link.ask(name, optional=name not in needed) for name in _COMMANDS}}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    if "miner/stats" in replies:
        return parse_rest(replies, NAME)
    summary, tuner = section(replies, "summary", "SUMMARY", 0), section(replies, "tunerstatus", "TUNERSTATUS", 0)
    rates = summary.rates(rate_keys("MHS", "MH/s", "unknown", "nonces_minus_errors"))
    lines = unfilled(rates, summary.number("Elapsed"))
    return with_contradictions(
        MinerReading(
            identity=_identity(replies),
            rates=rates,
            powers=tuner.powers((("ApproximateMinerPowerConsumption", "estimate"), ("PowerLimit", "target"))),
            boards=tuple(_board(row, replies) for row in rows(replies, "devs", "DEVS")),
            temperatures=_temperatures(replies),
            fans=tuple(one for row in rows(replies, "fans", "FANS") for one in fan(row, "RPM", "Speed")),
            mode=_mode(tuner, summary),
            counters=read_counters(summary),
            pools=read_pools(replies),
        ),
        lines,
    )


def _identity(replies: Replies) -> Identity:
    version = section(replies, "version", "VERSION", 0)
    return Identity(
        family=NAME,
        model=section(replies, "devdetails", "DEVDETAILS", 0).text("Model"),
        firmware="Braiins OS",
        firmware_version=version.text(*_KEYS),
        api_version=version.text("API"),
    )


def _board(device: Section, replies: Replies) -> Board:
    number = device.whole("ID")
    details = next((row for row in rows(replies, "devdetails", "DEVDETAILS") if row.whole("ID") == number), None)
    return Board(
        name="" if number is None else str(number),
        rate_h_s=device.rate_h_s("MHS 1m", "MH/s"),
        nominal_rate_h_s=device.rate_h_s("Nominal MHS", "MH/s"),
        chips=details.whole("Chips") if details else None,
        frequency_hz=scaled(details.number("Frequency"), 1e6) if details else None,
        voltage_v=details.number("Voltage") if details else None,
        hardware_errors=device.whole("Hardware Errors"),
    )


def _temperatures(replies: Replies) -> tuple[TemperatureReading, ...]:
    return tuple(
        reading
        for row in rows(replies, "temps", "TEMPS")
        for reading in row.temperatures((("Board", "board"), ("Chip", "chip")))
    )


def _mode(tuner: Section, summary: Section) -> Mode:
    """Return the state; a chain whose status is `Stable` is tuned."""
    chains = tuner.get("TunerChainStatus")
    states = [Section("tunerstatus", chain).text("Status") for chain in chains] if isinstance(chains, list) else []
    words = list(dict.fromkeys(state for state in states if state))
    hashing = bool(summary.number("MHS 5s", "MHS 1m"))
    return Mode(
        hashing=hashing,
        settled=hashing and words == ["Stable"] if words else None,
        state=", ".join(words),
        target_power_w=tuner.number("PowerLimit"),
    )


FAMILY = Family(NAME, CGMINER, 5.0, read, parse)
