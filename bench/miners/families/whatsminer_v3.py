"""MicroBT Whatsminer with API 3 (firmware of December 2024 and later), frames on port 4433; no password for reading.

Its pools have no share counts, so that accepted difficulty implies no rate.
"""

from typing import Any

from bench.miners import values
from bench.miners.family import Family
from bench.miners.link import Link
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.recognise import accept
from bench.miners.parsing.supply import input_power
from bench.miners.record import Board, Counters, Identity, MinerReading, Mode, Pool, TemperatureReading
from bench.miners.reply import RateKey, Replies, Reply, Section, rows, section

PORT = 4433
_RATES = (
    RateKey("hash-realtime", "TH/s", "unknown", None, "nonces"),
    RateKey("hash-1min", "TH/s", "decay", 60.0, "nonces"),
    RateKey("hash-15min", "TH/s", "decay", 900.0, "nonces"),
    RateKey("hash-average", "TH/s", "since_restart", None, "nonces"),
)
_MOST_ERRORS = 20


def read(link: Link) -> dict[str, Reply]:
    """Ask for the device and the three parts of its status; `param` is required there."""
    device = link.ask_frame("device", {"cmd": "get.device.info"}, port=PORT)
    replies = {"device": accept(device, recognise, "a Whatsminer of API 3", "miner or system")}
    for name in ("summary", "edevs", "pools"):
        request = {"cmd": "get.miner.status", "param": name}
        replies[name] = link.ask_frame(name, request, port=PORT, optional=name != "summary")
    return replies


def recognise(document: Any) -> bool:
    """Return whether a reply to `get.device.info` is that of a Whatsminer."""
    device = section({"device": Reply("device", document=document)}, "device", "msg")
    return isinstance(device.get("miner"), dict) or isinstance(device.get("system"), dict)


def parse(replies: Replies) -> MinerReading:
    """Return the record of the replies."""
    summary = section(replies, "summary", "msg", "summary")
    supply, notes = input_power(section(replies, "device", "msg", "power"))
    boards = rows(replies, "edevs", "msg", "edevs")
    shown = summary.powers((("power-realtime", "unknown"), ("power-5min", "unknown"), ("power-limit", "target")))
    reading = MinerReading(
        identity=_identity(replies),
        rates=summary.rates(_RATES),
        powers=(*shown, *supply),
        boards=tuple(_board(board) for board in boards),
        temperatures=_temperatures(summary, boards),
        fans=(
            *summary.fans(("fan-speed-in", "fan-speed-out")),
            *section(replies, "device", "msg", "power").fans(("fanspeed",)),
        ),
        mode=_mode(replies, summary),
        counters=Counters(elapsed_s=summary.number("elapsed")),
        pools=tuple(_pool(row) for row in rows(replies, "pools", "msg", "pools")),
        nominal_rate_h_s=summary.rate_h_s("factory-hash", "TH/s") or None,
        warnings=(*notes, *_errors(replies)),
    )
    return with_contradictions(reading)


def _identity(replies: Replies) -> Identity:
    miner, system = section(replies, "device", "msg", "miner"), section(replies, "device", "msg", "system")
    network = section(replies, "device", "msg", "network")
    return Identity(
        family="whatsminer-v3",
        maker="MicroBT",
        model=miner.text("type"),
        firmware="stock",
        firmware_version=system.text("fwversion"),
        api_version=system.text("api"),
        unit=values.unit_hash(miner.get("miner-sn"), network.get("mac")),
    )


def _board(board: Section) -> Board:
    frequency_mhz = board.number("freq")
    return Board(
        name=f"slot {board.text('slot', 'id')}",
        rate_h_s=board.rate_h_s("hash-average", "TH/s"),
        nominal_rate_h_s=board.rate_h_s("factory-hash", "TH/s"),
        chips=board.whole("effective-chips"),
        frequency_hz=None if frequency_mhz is None else frequency_mhz * 1e6,
    )


def _temperatures(summary: Section, boards: tuple[Section, ...]) -> tuple[TemperatureReading, ...]:
    listed = values.numbers(summary.get("board-temperature"))
    by_board = (
        TemperatureReading(temperature, "board", f"{summary.raw_key('board-temperature')}[{at}]")
        for at, temperature in enumerate(listed)
        if temperature != 0.0
    )
    keys = ("chip-temp-min", "chip-temp-avg", "chip-temp-max")
    chips = (reading for board in boards for reading in board.temperatures((("chip-temp-max", "chip"),)))
    whole = summary.temperatures((("environment-temperature", "inlet"), *((key, "chip") for key in keys)))
    return (*whole, *by_board, *chips)


def _mode(replies: Replies, summary: Section) -> Mode:
    working = section(replies, "device", "msg", "miner").truth("working")
    realtime = summary.rate_h_s("hash-realtime", "TH/s")
    raised = summary.truth("up-freq-finish")
    return Mode(
        name="off" if working is False else "",
        hashing=False if working is False else None if realtime is None else realtime > 0.0,
        settled=raised,
        state="" if raised is None else "frequency raised" if raised else "raising frequency",
        target_power_w=values.power_w(summary.get("power-limit")),
    )


def _pool(row: Section) -> Pool:
    return Pool(
        url=values.pool_address(row.get("url")),
        status=row.text("status"),
        active=row.truth("stratum-active"),
        priority=row.whole("pool-priority"),
    )


def _errors(replies: Replies) -> tuple[str, ...]:
    """Return a warning for each entry of the list of errors: a code with its time, and a reason."""
    listed = section(replies, "device", "msg").get("error-code")
    warnings = []
    for entry in listed[:_MOST_ERRORS] if isinstance(listed, list) else ():
        if isinstance(entry, dict):
            codes = [f"{code} since {values.text(when)}" for code, when in entry.items() if str(code).isdecimal()]
            reason = values.text(entry.get("reason"))
            warnings += [f"error code {code}{f': {reason}' if reason else ''}" for code in codes]
    return tuple(warnings)


FAMILY = Family("whatsminer-v3", PORT, 5.0, read, parse)
