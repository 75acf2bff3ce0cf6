"""Bitdeer Sealminer (bdminer) over TCP 4028.

`stats` counts otherwise than `summary`, and its windows divide by their whole length from the start on.
"""

import math
from collections.abc import Iterable
from typing import Any

from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.cgminer import read_counters, read_pools
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import scaled
from bench.miners.parsing.recognise import accept, version_has
from bench.miners.parsing.windows import rate_keys, unfilled
from bench.miners.record import Board, FanReading, Identity, MinerReading, Mode, TemperatureReading
from bench.miners.reply import RateKey, Replies, Reply, Section, section
from bench.miners.values import unit_hash

NAME = "sealminer"
_WINDOWS_S = {
    "MHS(30s)": 30.0, "MHS(1m)": 60.0, "MHS(2m)": 120.0, "MHS(5m)": 300.0, "MHS(15m)": 900.0, "MHS(30m)": 1800.0,
    "MHS(1h)": 3600.0, "MHS(2h)": 7200.0,
}  # fmt: skip
_MOST_BOARDS, _MOST_FANS, _MOST_SENSORS = 8, 8, 4


def recognise(document: Any) -> bool:
    """Return whether a document is the reply of a Sealminer to `version`."""
    return version_has(document, "BDMiner")


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of a Sealminer."""
    version = accept(link.ask("version"), recognise, "a Sealminer", "a version of BDMiner")
    return {
        "version": version,
        "summary": link.ask("summary"),
        "stats": link.ask("stats", optional=True),
        "pools": link.ask("pools", optional=True),
    }


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    summary, stats = section(replies, "summary", "SUMMARY", 0), section(replies, "stats", "STATS", 0)
    of_summary, of_stats = summary.rates(rate_keys("MHS", "MH/s")), stats.rates(_rate_keys())
    lines = [
        *unfilled(of_summary, summary.number("Elapsed")),
        *unfilled(of_stats, stats.number("Elapsed"), ", and the firmware divides by its whole length"),
        *_supply(stats),
    ]
    return with_contradictions(
        MinerReading(
            identity=_identity(replies, stats),
            rates=(*of_summary, *of_stats),
            powers=stats.powers(
                (("PSU Input Power", "ac_in_psu"), ("PSU Output Power", "dc_out"), ("Power Limit", "target"))
            ),
            boards=tuple(_boards(stats)),
            temperatures=_temperatures(stats),
            fans=tuple(_fans(stats)),
            mode=_mode(stats, summary),
            counters=read_counters(summary),
            pools=read_pools(replies),
            nominal_rate_h_s=stats.rate_h_s("MHS(Rated)", "MH/s"),
        ),
        lines,
    )


def _rate_keys() -> Iterable[RateKey]:
    yield from (RateKey(key, "MH/s", "mean", window_s, "nonces") for key, window_s in _WINDOWS_S.items())
    yield RateKey("MHS(Avg)", "MH/s", "since_restart", None, "nonces")
    yield RateKey("MHS(Sample)", "MH/s", "instant", None, "unknown")
    yield RateKey("MHS(Ideal)", "MH/s", "instant", None, "nominal")


def _identity(replies: Replies, stats: Section) -> Identity:
    version = section(replies, "version", "VERSION", 0)
    firmware = (stats.text("Firmware"), stats.text("Software Version") or version.text("BDMiner"))
    return Identity(
        family=NAME,
        maker="Bitdeer",
        model=f"Sealminer {stats.text('Model')}".strip(),
        firmware="bdminer",
        firmware_version=", ".join(filter(None, firmware)),
        api_version=version.text("API"),
        unit=unit_hash(stats.get("Ctrl Board SN"), stats.get("MAC")),
    )


def _supply(stats: Section) -> Iterable[str]:
    """Yield a warning where the powers of the supply and its efficiency contradict each other."""
    at_input, at_output = stats.number("PSU Input Power"), stats.number("PSU Output Power")
    efficiency = stats.number("PSU Efficiency")
    if not at_input or at_output is None:
        return
    if at_output > at_input:
        yield f"stats: PSU Output Power {at_output:g} W is above PSU Input Power {at_input:g} W"
    elif efficiency is not None and not math.isclose(at_output / at_input, efficiency, abs_tol=0.02):
        yield f"stats: PSU Efficiency is {efficiency:.3f}, but its powers give {at_output / at_input:.3f}"


def _boards(stats: Section) -> Iterable[Board]:
    for index in range(_MOST_BOARDS):
        chips = stats.whole(f"{index} Chip Count")
        if chips is None:
            continue
        yield Board(
            name=str(index),
            rate_h_s=stats.rate_h_s(f"{index} MHS(Sample)", "MH/s"),
            nominal_rate_h_s=stats.rate_h_s(f"{index} MHS(Ideal)", "MH/s"),
            chips=chips - (stats.whole(f"{index} Bad Chip Count") or 0),
            chips_expected=chips,
            frequency_hz=scaled(stats.number(f"{index} Freq"), 1e6),
        )


def _temperatures(stats: Section) -> tuple[TemperatureReading, ...]:
    sensors = [f"{board} Temp {sensor}" for board in range(_MOST_BOARDS) for sensor in range(_MOST_SENSORS)]
    return (
        *stats.temperatures([(key, "board") for key in sensors]),
        *stats.temperatures((("PSU Temp AMB", "psu"),)),
    )


def _fans(stats: Section) -> Iterable[FanReading]:
    """Yield the fans; `PWM` has no stated full scale, so that the drive stays unknown."""
    yield from stats.fans([f"{index} Speed" for index in range(_MOST_FANS)])
    yield from stats.fans(["PSU Fan Speed"])


def _mode(stats: Section, summary: Section) -> Mode:
    tuned, raised = stats.text("Tune Status"), stats.truth("Raise Freq Done")
    running = stats.text("PM State")
    hashing = bool(summary.number("MHS 1m", "MHS 5s")) and running in {"", "Running"}
    return Mode(
        name=stats.text("Mining Mode"),
        hashing=hashing,
        settled=None if raised is None or not tuned else hashing and raised and tuned == "Fine Tuning Done",
        state=", ".join(filter(None, (running, tuned))),
        target_power_w=stats.number("Power Limit"),
    )


FAMILY = Family(NAME, CGMINER, 5.0, read, parse)
