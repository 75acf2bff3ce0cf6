"""MicroBT Whatsminer with API 1 (up to 1.4) and API 2, on port 4028; reading needs no password.

No source says where the firmware measures `Power`, so its kind is unknown unless it equals the input power that the
supply itself reports.
"""

from dataclasses import replace
from typing import Any

from bench.miners import values
from bench.miners.family import Family
from bench.miners.link import CGMINER, Link
from bench.miners.parsing.cgminer import read_counters, read_pools
from bench.miners.parsing.contradictions import with_contradictions
from bench.miners.parsing.recognise import accept
from bench.miners.parsing.supply import input_power
from bench.miners.record import Board, Identity, MinerReading, Mode, Place, PowerReading, TemperatureReading
from bench.miners.reply import RateKey, Replies, Reply, Section, rows, section

_RATES = (
    RateKey("MHS 5s", "MH/s", "decay", 5.0, "nonces"),
    RateKey("MHS 1m", "MH/s", "decay", 60.0, "nonces"),
    RateKey("MHS 5m", "MH/s", "decay", 300.0, "nonces"),
    RateKey("MHS 15m", "MH/s", "decay", 900.0, "nonces"),
    RateKey("HS RT", "MH/s", "unknown", None, "nonces"),
    RateKey("MHS av", "MH/s", "since_restart", None, "nonces"),
)
_SENSORS: tuple[tuple[str, Place], ...] = (
    ("Env Temp", "inlet"),
    ("Temperature", "board"),
    ("Chip Temp Min", "chip"),
    ("Chip Temp Avg", "chip"),
    ("Chip Temp Max", "chip"),
)
_MOST_ERRORS = 20


def read(link: Link) -> dict[str, Reply]:
    """Ask for each reply on a connection of its own: commands that begin with `get_` cannot be joined."""
    version, summary = _ask(link, "get_version", optional=True), _ask(link, "summary")
    accept(version if not version.fault else summary, recognise, "a Whatsminer", "api_ver or Factory GHS")
    replies = {"get_version": version, "summary": summary}
    devices = _ask(link, "edevs", optional=True)
    if devices.fault:  # early firmware has only `devs`
        devices = _ask(link, "devs", optional=True)
    replies[devices.name] = devices
    optional = ["devdetails", "pools", "get_psu", "status"]
    if not _api(replies).startswith("1"):
        optional += ["get_error_code", "get_miner_info"]
    return replies | {name: _ask(link, name, optional=True) for name in optional}


def _ask(link: Link, name: str, *, optional: bool = False) -> Reply:
    return link.ask(name, {"cmd": name}, optional=optional)


def recognise(document: Any) -> bool:
    """Return whether a reply to `get_version` or, on the oldest firmware, to `summary` is that of a Whatsminer."""
    replies = {"reply": Reply("reply", document=document)}
    summary = section(replies, "reply", "SUMMARY", 0)
    return bool(section(replies, "reply", "Msg").text("api_ver") or summary.text("Factory GHS", "Target MHS"))


def parse(replies: Replies) -> MinerReading:
    """Return the record of the replies."""
    summary = section(replies, "summary", "SUMMARY", 0)
    supply, notes = input_power(section(replies, "get_psu", "Msg"))
    devices = rows(replies, "edevs", "DEVS") or rows(replies, "devs", "DEVS")
    reading = MinerReading(
        identity=_identity(replies, summary),
        rates=summary.rates(_RATES),
        powers=(*_powers(summary, supply), *supply),
        boards=tuple(_board(device) for device in devices),
        temperatures=_temperatures(summary, devices),
        fans=(
            *summary.fans(("Fan Speed In", "Fan Speed Out", "Power Fanspeed")),
            *section(replies, "get_psu", "Msg").fans(("fan_speed",)),
        ),
        mode=_mode(replies, summary, devices),
        counters=read_counters(summary, rows(replies, "pools", "POOLS")),
        pools=read_pools(replies),
        nominal_rate_h_s=summary.rate_h_s("Factory GHS", "GH/s") or None,
        warnings=(*notes, *_errors(replies, summary)),
    )
    return with_contradictions(reading)


def _api(replies: Replies) -> str:
    """Return the version of the interface: `whatsminer v1.4.0` is 1.4.0."""
    return section(replies, "get_version", "Msg").text("api_ver").rpartition("v")[2]


def _identity(replies: Replies, summary: Section) -> Identity:
    version, info = section(replies, "get_version", "Msg"), section(replies, "get_miner_info", "Msg")
    status = section(replies, "status", "Msg")
    return Identity(
        family="whatsminer",
        maker="MicroBT",
        model=section(replies, "devdetails", "DEVDETAILS", 0).text("Model") or info.text("miner_type", "type"),
        firmware="stock",
        firmware_version=(
            version.text("fw_ver")
            or summary.text("Firmware Version").strip("'")
            or status.text("FirmwareVersion", "Firmware Version").strip("'")
        ),
        api_version=_api(replies),
        unit=values.unit_hash(info.get("minersn"), info.get("mac"), summary.get("MAC")),
    )


def _powers(summary: Section, supply: tuple[PowerReading, ...]) -> tuple[PowerReading, ...]:
    inputs = {power.power_w for power in supply if power.kind == "ac_in_psu" and power.power_w > 0.0}
    shown = summary.powers((("Power", "unknown"), ("Power_RT", "unknown")))
    same = (replace(power, kind="ac_in_psu") if power.power_w in inputs else power for power in shown)
    return (*same, *summary.powers((("Power Limit", "target"),)))


def _board(device: Section) -> Board:
    frequency_mhz = device.number("Chip Frequency", "Frequency")
    return Board(
        name=f"slot {device.text('Slot', 'ASC')}",
        rate_h_s=device.rate_h_s("MHS av", "MH/s"),
        nominal_rate_h_s=device.rate_h_s("Factory GHS", "GH/s"),
        chips=device.whole("Effective Chips"),
        frequency_hz=None if frequency_mhz is None else frequency_mhz * 1e6,
        hardware_errors=device.whole("Hardware Errors"),
    )


def _temperatures(summary: Section, devices: tuple[Section, ...]) -> tuple[TemperatureReading, ...]:
    boards = [
        reading
        for device in devices
        for reading in device.temperatures((("Temperature", "board"), ("Chip Temp Max", "chip")))
    ]
    return (*summary.temperatures(_SENSORS), *boards)


def _mode(replies: Replies, summary: Section, devices: tuple[Section, ...]) -> Mode:
    status = section(replies, "status", "Msg")
    switched_off = status.truth("mineroff") or status.truth("btmineroff")
    recent = summary.rates((_RATES[0], _RATES[4]))
    raised = [complete for device in devices if (complete := device.truth("Upfreq Complete")) is not None]
    stable = summary.truth("Hash Stable")
    took_s = summary.text("Hash Stable Cost Seconds")
    return Mode(
        name="off" if switched_off else summary.text("Power Mode") or status.text("power_mode"),
        hashing=False if switched_off else any(rate.rate_h_s > 0.0 for rate in recent) if recent else None,
        settled=None if stable is None else stable and all(raised),
        state=f"stable after {took_s} s" if stable and took_s else "not stable" if stable is False else "",
        target_power_w=values.power_w(summary.get("Power Limit")),
        target_rate_h_s=summary.rate_h_s("Target MHS", "MH/s"),
    )


def _errors(replies: Replies, summary: Section) -> tuple[str, ...]:
    """Return a warning for each error code: numbered keys of the summary, or a list or table of `get_error_code`."""
    count = min(summary.whole("Error Code Count") or 0, _MOST_ERRORS)
    codes = [code for index in range(count) if (code := summary.text(f"Error Code {index}"))]
    listed = section(replies, "get_error_code", "Msg").get("error_code")
    tables = listed if isinstance(listed, list) else [listed]
    for table in tables[:_MOST_ERRORS]:
        if isinstance(table, dict):
            codes += [f"{values.text(code)} since {values.text(when)}" for code, when in list(table.items())[:1]]
        elif text := values.text(table):
            codes.append(text)
    return tuple(f"error code {code}" for code in codes)


FAMILY = Family("whatsminer", CGMINER, 5.0, read, parse)
