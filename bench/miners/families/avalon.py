"""Canaan Avalon A, Q, Mini and Nano, on port 4028; the firmware serves one connection at a time.

Most figures stand in one text of `estats`, as `KEY[value]`. Of its powers, `MPO` is a target. The list `PS` ends with
the input power of the supply; Canaan's source says so for the Nano 3s, for the other models it is inferred.

References
----------
Canaan-Creative/cgminer, driver-avalon.c. Canaan-Creative/Avalon_Nano3s.
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
    Board,
    FanReading,
    Identity,
    MinerReading,
    Mode,
    Place,
    PowerKind,
    PowerReading,
    TemperatureReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, section

_FIELD = re.compile(r"([A-Za-z_][\w ]{0,40}?)\[([^\]]*)\]")
_STATE = re.compile(r"Work:\s*([^,]+)")
_RATES = (
    RateKey("GHSspd", "GH/s", "unknown", None, "nonces"),
    RateKey("GHSmm", "GH/s", "instant", None, "nominal"),
    RateKey("GHSavg", "GH/s", "since_restart", None, "shares"),
)
_SUMMARY_RATES = (
    RateKey("MHS 5s", "MH/s", "decay", 5.0, "nonces"),
    RateKey("MHS 30s", "MH/s", "decay", 30.0, "nonces"),
    RateKey("MHS 1m", "MH/s", "decay", 60.0, "nonces"),
    RateKey("MHS 5m", "MH/s", "decay", 300.0, "nonces"),
    RateKey("MHS 15m", "MH/s", "decay", 900.0, "nonces"),
    RateKey("MHS av", "MH/s", "since_restart", None, "nonces"),
)
_WORK_MODES = {"0": "normal", "1": "high"}  # of the A models
_SENSORS: tuple[tuple[str, Place], ...] = (
    ("Temp", "inlet"),
    ("ITemp", "inlet"),
    ("OTemp", "outlet"),
    ("HBTemp", "board"),
    ("HBITemp", "board"),
    ("HBOTemp", "board"),
    ("TMax", "chip"),
    ("TAvg", "chip"),
)
_OUT, _SET, _IN = 4, 5, 6  # positions in PS
_MOST_BOARDS = 8


def read(link: Link) -> dict[str, Reply]:
    """Ask one command after the other; firmware before 2019 has `stats` instead of `estats`."""
    version = accept(link.ask("version"), recognise, "an Avalon", "a version with PROD")
    replies = {"version": version, "summary": link.ask("summary")}
    estats = link.ask("estats", optional=True)
    figures = estats if _text({"estats": estats}) else link.ask("stats")
    replies[figures.name] = figures
    replies["pools"] = link.ask("pools", optional=True)
    return replies


def recognise(document: Any) -> bool:
    """Return whether a reply to `version` is that of an Avalon."""
    return version_has(document, "PROD")


def parse(replies: Replies) -> MinerReading:
    """Return the record of the replies."""
    summary, fields = section(replies, "summary", "SUMMARY", 0), fields_of(replies)
    powers, warnings = _powers(fields, _identity(replies))
    reading = MinerReading(
        identity=_identity(replies),
        rates=(*fields.rates(_RATES), *summary.rates(_SUMMARY_RATES)),
        powers=powers,
        boards=_boards(fields),
        temperatures=_temperatures(fields),
        fans=_fans(fields),
        mode=_mode(replies, fields),
        counters=read_counters(summary),
        pools=read_pools(replies),
        warnings=(*warnings, *_errors(fields)),
    )
    return with_contradictions(reading)


def fields_of(replies: Replies) -> Section:
    """Return the fields of the reply with the figures; empty if it has none."""
    return Section(_name(replies), bracket_fields(_text(replies)))


def bracket_fields(text: str) -> dict[str, str]:
    """Return the fields of a text such as `Ver[1246] PS[0 1214] SYSTEMSTATU[Work: In Work, Hash Board: 3 ]`."""
    return {match[1].strip(): match[2].strip() for match in _FIELD.finditer(text)}


def _name(replies: Replies) -> str:
    """Return the command whose reply has the figures."""
    return "stats" if "stats" in replies else "estats"


def _text(replies: Replies) -> str:
    """Return the texts with the figures, joined; each form of firmware has other keys for them."""
    row = section(replies, _name(replies), "STATS", 0)
    return " ".join(
        value
        for key, value in row.values.items()
        if isinstance(value, str) and (re.match(r"MM ID\d", key) or key == "HBinfo")
    )


def _identity(replies: Replies) -> Identity:
    version = section(replies, "version", "VERSION", 0)
    return Identity(
        family="avalon",
        maker="Canaan",
        model=version.text("PROD", "MODEL"),
        firmware="stock",
        firmware_version=version.text("LVERSION", "VERSION", "CGVERSION"),
        api_version=version.text("API"),
        unit=values.unit_hash(version.get("DNA"), version.get("MAC")),
    )


def _powers(fields: Section, identity: Identity) -> tuple[tuple[PowerReading, ...], tuple[str, ...]]:
    """Return the powers with their kinds, and what is inferred or contradictory."""
    stated = fields.powers((("WALLPOWER", "ac_in_psu"), ("MPO", "target")))
    supply = values.numbers(fields.get("PS"))
    if len(supply) <= _IN:
        return stated, ()
    nano = "nano" in identity.model.lower()
    if nano and _is_volts_watts_amperes(supply):
        return (_of_supply(fields, supply, _SET, "dc_out"), *stated), ()
    output_w, input_w = supply[_OUT], supply[_IN]
    if not 0.0 <= output_w <= input_w:
        unknown = (_of_supply(fields, supply, _OUT, "unknown"), _of_supply(fields, supply, _IN, "unknown"))
        return (*unknown, *stated), (
            f"{fields.raw_key('PS')}: output {output_w:g} W and input {input_w:g} W contradict each other",
        )
    both = (_of_supply(fields, supply, _OUT, "dc_out"), _of_supply(fields, supply, _IN, "ac_in_psu"))
    inferred = (
        () if re.search(r"nano\s?3s", identity.model, re.IGNORECASE) else (f"{fields.raw_key('PS')}: {_INFERRED}",)
    )
    return (*both, *stated), inferred


_INFERRED = "that [4] is output and [6] input of the supply is inferred for this model, not documented"


def _is_volts_watts_amperes(supply: tuple[float, ...]) -> bool:
    """Return whether PS ends with V·100, W and A·100, as on the first Nano 3, which a DC adapter feeds."""
    product = supply[_OUT] / 100.0 * supply[_IN] / 100.0
    return supply[_SET] > 0.0 and abs(product / supply[_SET] - 1.0) < 0.1


def _of_supply(fields: Section, supply: tuple[float, ...], position: int, kind: PowerKind) -> PowerReading:
    return PowerReading(supply[position], kind, f"{fields.raw_key('PS')}[{position}]", f"{supply[position]:g}")


def _boards(fields: Section) -> tuple[Board, ...]:
    rates = values.numbers(fields.get("MGHS"))[:_MOST_BOARDS]
    chips, frequency_mhz = fields.whole("TA"), fields.number("Freq")
    errors = values.numbers(fields.get("HW"))
    return tuple(
        Board(
            name=f"board {index}",
            rate_h_s=rate * 1e9,
            chips=_answering(fields, index),
            chips_expected=chips // len(rates) if chips and chips % len(rates) == 0 else None,
            frequency_hz=frequency_mhz * 1e6 if frequency_mhz else None,
            hardware_errors=int(errors[index]) if len(errors) == len(rates) else None,
        )
        for index, rate in enumerate(rates)
    )


def _answering(fields: Section, index: int) -> int | None:
    """Return the number of chips of a board that report a temperature."""
    temperatures = values.numbers(fields.get(f"PVT_T{index}"))
    return sum(temperature > 0.0 for temperature in temperatures) if temperatures else None


def _temperatures(fields: Section) -> tuple[TemperatureReading, ...]:
    by_board = [
        TemperatureReading(temperature, "chip", f"{fields.raw_key(key)}[{at}]")
        for key in ("MTmax", "MTavg")
        for at, temperature in enumerate(values.numbers(fields.get(key)))
        if temperature > 0.0
    ]
    return (*fields.temperatures(_SENSORS), *by_board)


def _fans(fields: Section) -> tuple[FanReading, ...]:
    duty_percent = fields.number("FanR")
    speeds = fields.fans(f"Fan{index}" for index in range(1, 9))
    duty = () if duty_percent is None else (FanReading(None, duty_percent / 100.0, fields.raw_key("FanR")),)
    return (*speeds, *duty)


def _mode(replies: Replies, fields: Section) -> Mode:
    match = _STATE.search(fields.text("SYSTEMSTATU"))
    state = match[1].strip() if match else ""
    number, level = fields.text("WORKMODE"), fields.text("WORKLEVEL")
    model = section(replies, "version", "VERSION", 0).text("MODEL", "PROD")
    name = _WORK_MODES.get(number, "") if re.search(r"\b1[0-9]{3}\b|\b1[0-9]-\d", model) else ""
    return Mode(
        name=name or (f"work mode {number}" if number else ""),
        hashing=True if state == "In Work" else False if state == "In Idle" else None,
        state=state,
        profile=f"work level {level}" if level else "",
        target_power_w=values.power_w(fields.get("MPO")),
    )


def _errors(fields: Section) -> tuple[str, ...]:
    """Return a warning for each field of error codes that is not 0."""
    return tuple(
        f"{fields.raw_key(key)}: error codes {fields.text(key)}"
        for key in ("ECHU", "ECMM", "FanErr")
        if any(values.numbers(fields.get(key)))
    )


FAMILY = Family("avalon", CGMINER, 10.0, read, parse)
