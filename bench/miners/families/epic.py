"""ePIC UMC (PowerPlay) over HTTP on port 4028; reads need no password.

References
----------
ePIC, PowerPlay API, schemas `PsuStats` and `PsuInfo`: a supply with `True Power` measures its input.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.nested import inside, rows_inside, scaled
from bench.miners.parsing.recognise import accept
from bench.miners.record import (
    Board,
    Counters,
    FanReading,
    Identity,
    MinerReading,
    Mode,
    Pool,
    PowerKind,
    PowerReading,
)
from bench.miners.reply import RateKey, Replies, Reply, Section, section
from bench.miners.values import pool_address, unit_hash

NAME = "epic"
NEEDED = ("Session", "Stratum", "Power Supply Stats", "HBs")
_MOST_FANS = 12


def recognise(document: Any) -> bool:
    """Return whether a document is the one that ePIC answers to `GET /summary`."""
    return isinstance(document, Mapping) and all(key in document for key in NEEDED)


def read(link: Link) -> dict[str, Reply]:
    """Return the replies of a machine with ePIC firmware."""
    summary = link.web("summary", "/summary", port=CGMINER)
    accept(summary, recognise, "ePIC", f"a reply with {', '.join(NEEDED)}")
    return {"summary": summary, "capabilities": link.web("capabilities", "/capabilities", port=CGMINER, optional=True)}


def parse(replies: Replies) -> MinerReading:
    """Return the record that the replies make."""
    summary, can = section(replies, "summary"), section(replies, "capabilities")
    session = inside(summary, "Session")
    kind, lines = _power_kind(summary, can)
    boards = rows_inside(summary, "HBs")
    return with_contradictions(
        MinerReading(
            identity=_identity(summary, can),
            rates=session.rates((RateKey("Average MHs", "MH/s", "unknown", None, "nonces"),)),
            powers=_powers(summary, kind),
            boards=tuple(_board(board, can) for board in boards),
            temperatures=tuple(one for board in boards for one in board.temperatures((("Temperature", "board"),))),
            fans=_fans(summary),
            mode=_mode(summary),
            counters=Counters(
                elapsed_s=session.number("Uptime"),
                accepted=session.whole("Accepted"),
                rejected=session.whole("Rejected"),
            ),
            pools=_pools(summary),
            nominal_rate_h_s=can.rate_h_s("Default Hashrate", "TH/s"),
        ),
        (*lines, *_oddities(summary)),
    )


def _identity(summary: Section, can: Section) -> Identity:
    board = inside(can, "Control Board Version").text("cpuSerial")
    return Identity(
        family=NAME,
        maker="Bitmain" if can.text("Model").casefold().startswith("antminer") else "",
        model=can.text("Model"),
        firmware="ePIC",
        firmware_version=summary.text("Software"),
        unit=unit_hash(can.get("Miner Serial Number"), board),
    )


def _power_kind(summary: Section, can: Section) -> tuple[PowerKind, list[str]]:
    """Return what `Input Power` is: with an input current of 0 it cannot be measured."""
    supply = inside(summary, "Power Supply Stats")
    power, current, voltage = (supply.number(f"Input {name}") for name in ("Power", "Current", "Voltage"))
    measures = inside(can, "Psu Info").truth("True Power")
    if not current or not voltage:
        remark = "the supply is said to measure (True Power), but shows no input current" if measures else ""
        return "estimate", [f"{supply.raw_key('Input Power')}: {remark}"] if remark else []
    if power and not math.isclose(power, current * voltage, rel_tol=0.15):
        key = supply.raw_key("Input Power")
        return "unknown", [f"{key} {power:g} W is not its current times its voltage, {current * voltage:g} VA"]
    return "ac_in_psu" if measures is not False else "unknown", []


def _powers(summary: Section, kind: PowerKind) -> tuple[PowerReading, ...]:
    supply = inside(summary, "Power Supply Stats")
    at_output = supply.powers((("Output Power", "dc_out"),)) if supply.number("Output Current") else ()
    return (
        *supply.powers((("Input Power", kind),)),
        *at_output,
        *inside(summary, "PresetInfo").powers((("Target Power", "target"),)),
    )


def _board(board: Section, can: Section) -> Board:
    """Return a board; its `Hashrate` is a list of the rate [MH/s] and two shares in per cent."""
    listed = board.get("Hashrate")
    shown_rate = Section(board.name, {"Hashrate": listed[0]}) if isinstance(listed, list) and listed else board
    return Board(
        name=board.text("Index"),
        rate_h_s=shown_rate.rate_h_s("Hashrate", "MH/s"),
        chips_expected=inside(can, "Performance Estimator").whole("Chip Count"),
        frequency_hz=scaled(board.number("Core Clock Avg"), 1e6),
        voltage_v=board.number("Input Voltage"),
    )


def _fans(summary: Section) -> tuple[FanReading, ...]:
    return inside(summary, "Fans Rpm").fans([f"Fans Speed {index}" for index in range(1, _MOST_FANS + 1)])


def _mode(summary: Section) -> Mode:
    state, tune = inside(summary, "Status").text("Operating State"), inside(summary, "PerpetualTune")
    algorithms = inside(tune, "Algorithm")
    name = next(iter(algorithms.values), "")
    algorithm = inside(algorithms, str(name))
    running = bool(tune.truth("Running"))
    per_rate = algorithm.text("Unit").casefold() == "th/s"
    hashing = state == "Mining"
    # A perpetual tuner that is not `Optimized` may stay so for ever: then the firmware does not say.
    settled = None if not state or (hashing and running and not algorithm.truth("Optimized")) else hashing
    return Mode(
        name=str(name) if running else "",
        hashing=hashing if state else None,
        settled=settled,
        state=state,
        target_power_w=inside(summary, "PresetInfo").number("Target Power"),
        target_rate_h_s=algorithm.rate_h_s("Target", "TH/s") if running and per_rate else None,
    )


def _pools(summary: Section) -> tuple[Pool, ...]:
    stratum = inside(summary, "Stratum")
    in_use, connected = stratum.whole("Config Id"), stratum.truth("IsPoolConnected")
    difficulty = inside(summary, "Session").number("Difficulty")
    return tuple(
        Pool(
            url=pool_address(config.get("pool")),
            status="connected" if index == in_use and connected else "",
            active=index == in_use and bool(connected),
            priority=index,
            difficulty=difficulty if index == in_use else None,
        )
        for index, config in enumerate(rows_inside(summary, "StratumConfigs"))
    )


def _oddities(summary: Section) -> Iterable[str]:
    """Yield what the firmware says of itself that changes how its figures are to be read."""
    for row in rows_inside(summary, "HBStatus"):
        if row.truth("Detected") and row.truth("Enabled") is False:
            yield f"summary: HBStatus: board {row.text('Index')} is present and switched off"
    if inside(summary, "Stratum").truth("IsPoolConnected") is False:
        yield "summary: Stratum.IsPoolConnected: the miner has no pool, and this firmware idles without one"
    if error := inside(summary, "Status").text("Last Error"):
        yield f"summary: Status.Last Error: {error}"


FAMILY = Family(NAME, CGMINER, 5.0, read, parse)
