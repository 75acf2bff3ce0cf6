"""Auradine Teraflux (FluxOS) over TCP 4028, whose reads need no token.

References
----------
Auradine, Teraflux API: `psu` holds what the supply measures, as text with units.
"""

from typing import Any

from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.cgminer import read_counters, read_pools
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import fan, rows_inside
from bench.miners.parsing.recognise import accept, version_has
from bench.miners.parsing.windows import rate_keys, unfilled
from bench.miners.record import Board, FanReading, Identity, MinerReading, Mode, TemperatureReading
from bench.miners.reply import Replies, Reply, Section, rows, section
from bench.miners.values import unit_hash

NAME = "auradine"
_KEYS = ("GCMiner", "FluxOS")
_COMMANDS = ("summary", "psu", "mode", "devs", "pools", "temperature", "fan", "ipreport")


def recognise(document: Any) -> bool:
    """Return whether a document is the reply of an Auradine to `version`."""
    return version_has(document, *_KEYS)


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of an Auradine."""
    version = accept(link.ask("version"), recognise, "an Auradine", "a version of GCMiner or FluxOS")
    return {"version": version, **{name: link.ask(name, optional=name != "summary") for name in _COMMANDS}}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    summary, psu = section(replies, "summary", "SUMMARY", 0), section(replies, "psu", "PSU", 0)
    mode = section(replies, "mode", "Mode", 0)
    rates = summary.rates(rate_keys("MHS", "MH/s"))
    return with_contradictions(
        MinerReading(
            identity=_identity(replies),
            rates=rates,
            powers=(
                *psu.powers((("PowerIn", "ac_in_psu"), ("PowerOut", "dc_out"), ("PoutMax", "nameplate"))),
                *mode.powers((("Power", "target"),)),
                *summary.powers((("Wattage", "unknown"),)),
            ),
            boards=tuple(_board(row) for row in rows(replies, "devs", "DEVS")),
            temperatures=_temperatures(replies),
            fans=_fans(replies, psu),
            mode=_mode(mode, summary),
            counters=read_counters(summary),
            pools=read_pools(replies),
        ),
        unfilled(rates, summary.number("Elapsed")),
    )


def _identity(replies: Replies) -> Identity:
    version, report = section(replies, "version", "VERSION", 0), section(replies, "ipreport", "IPReport", 0)
    return Identity(
        family=NAME,
        maker="Auradine",
        model=report.text("model"),
        firmware="FluxOS",
        firmware_version=report.text("version") or version.text(*_KEYS),
        api_version=version.text("API"),
        unit=unit_hash(report.get("SerialNo"), report.get("mac")),
    )


def _board(row: Section) -> Board:
    return Board(name=row.text("ID"), rate_h_s=row.rate_h_s("MHS 5s", "MH/s"))


def _temperatures(replies: Replies) -> tuple[TemperatureReading, ...]:
    readings: list[TemperatureReading] = []
    for part in rows(replies, "temperature", "Temperature"):
        of_board = "control_board" if part.text("Name") == "Control Board" else "board"
        for sensor in rows_inside(part, "BoardTemp"):
            readings += sensor.temperatures((("Temperature", "control_board" if of_board != "board" else "board"),))
        for chip in rows_inside(part, "ChipTemp"):
            readings += chip.temperatures((("Temperature", "chip"),))
    return tuple(readings)


def _fans(replies: Replies, psu: Section) -> tuple[FanReading, ...]:
    fans = [reading for row in rows(replies, "fan", "Fan") for reading in fan(row, "Speed")]
    return (*fans, *psu.fans(("FanSpeed1", "FanSpeed2")))


def _mode(mode: Section, summary: Section) -> Mode:
    asleep = bool(mode.truth("Sleep"))
    return Mode(
        name="sleep" if asleep else mode.text("Mode"),
        hashing=not asleep and bool(summary.number("MHS 5s", "MHS 1m")),
        state="sleep" if asleep else "",
        target_power_w=mode.number("Power"),
        target_rate_h_s=mode.rate_h_s("Ths", "TH/s"),
    )


FAMILY = Family(NAME, CGMINER, 5.0, read, parse)
