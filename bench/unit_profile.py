"""The profile of one miner from its result: measured rate and wall power, their intervals, and the record behind them.

It is written by the same functions as the profile of a machine, for the same reason.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.compare.load import of_record
from bench.compare.rated_miner import Rated, rated_miner
from bench.device_rates import from_record
from bench.machine.profile import inline_table, toml_list, toml_text
from bench.quantity import HASHES_PER_TH
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.results.record import Record
    from hardware_profiles.profile import Device
    from sites.market.device_rate import DeviceRate

_SOURCE = "result"
_COOLINGS = {"hyd": "hydro", "hydro": "hydro", "imm": "immersion", "immersion": "immersion"}
_LARGEST_TOLERANCE_PCT = 50.0


@dataclass(frozen=True, slots=True)
class UnitProfile:
    """The text of a unit's profile file."""

    slug: str  # name of its file, from the miner's name
    toml: str
    result: str  # id
    rated_by: str | None  # the catalogue's profile of the same model


def unit_profile(folder: Path, catalogue: Iterable["Device"]) -> UnitProfile:
    """Return the profile of the miner that a result measured.

    Parameters
    ----------
    folder
        The result folder.
    catalogue
        The devices in which the model is looked up, for its maker, its name and its cooling.

    Raises
    ------
    InputError
        The result is not of a miner, is not valid, has no measured power at the wall, or its rate is not verified.
    """
    from bench.results.folder import read_whole
    from bench.results.integrity.digests import digest
    from bench.results.layout import RECORD, RECORD_FILE
    from hardware_profiles.opening import read_input

    record = read_whole(folder)
    rate = _measured(record)
    known = rated_miner(of_record(record), catalogue)
    sha256 = digest(read_input(folder / RECORD_FILE, RECORD))
    words = re.findall(r"[a-z0-9+.]+", record.device.name.casefold())
    slug = "-".join(dict.fromkeys(word.strip(".+") for word in words if word.strip(".+"))) or "miner"
    toml = _toml(record, rate, known, sha256)
    return UnitProfile(slug, toml, record.id, known.profile.name if known.profile else None)


def _measured(record: "Record") -> "DeviceRate":
    """Return the rate of a record, if a profile may be made from it."""
    place = f"result {record.id}"
    if record.device.kind != "asic":
        expected = (
            "asic, because other devices have figures that no result measures (profile new --device describes them)"
        )
        raise InputError.at(place, "device.kind", expected=expected, got=record.device.kind)
    rate = from_record(record)
    if rate.power_basis != "measured":
        raise InputError.at(place, "power", expected="a metered power at the wall, got one that was stated (--watts)")
    if record.miner is None or not record.miner.shares.verified_by_shares:
        codes = ", ".join(rate.codes)
        raise InputError.at(place, "miner.shares", expected="a rate that is verified by shares", got=codes)
    return rate


def _toml(record: "Record", rate: "DeviceRate", known: Rated, sha256: str) -> str:
    day = f"{record.run.ended_utc:%Y-%m-%d}"
    model = known.profile.device if known.profile else None
    settings = record.device.settings
    notes = [_cooling_note(record) if model is None or model.cooling is None else "", known.why, _conditions(record)]
    cooling = (known.profile.cooling if known.profile else None) or _cooling(record.device.name)
    name = " ".join(str(settings.get(key) or "") for key in ("firmware", "firmware_version", "mode", "profile"))
    power_w, hashes = rate.power_w or 0.0, rate.rate_per_s
    figures = (
        ("hash_rate_th_s", hashes / HASHES_PER_TH, _tolerance_pct(hashes, rate.rate_interval_per_s)),
        ("wall_power_w", power_w, _tolerance_pct(power_w, rate.power_interval_w)),
    )
    printed = [*(_printed(*one) for one in figures), rate.source, f"sha256 of result.json: {sha256}"]
    lines = [
        f"# Written by `perwatt profile new --from {record.id}`: one unit, as it was measured.",
        "# tolerance_pct is half of the 95 % interval of the measurement, not a promise of the maker.",
        "profile_schema = 1",
        'kind = "asic"',
        f"maker = {toml_text(model.maker if model else str(settings.get('maker') or 'unknown'))}",
        f"model = {toml_text(model.model if model else str(settings.get('model') or record.device.name))}",
        'released = "unknown"',
        f"cooling = {toml_text(cooling)}",
        f"notes = {toml_list([note for note in notes if note])}",
        "",
        "[[bins]]",
        f"name = {toml_text(_word(name) or 'measured')}",
        *(f"{key} = {_figure(value, tolerance, day)}" for key, value, tolerance in figures),
        "",
        f"[sources.{_SOURCE}]",
        f"title = {toml_text(f'result {record.id}, measured by its owner')}",
        'kind = "test"',
        f"address = {toml_text(f'local:{record.id}')}",
        f"read = {toml_text(day)}",
        f"printed = {toml_list(printed)}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _figure(value: float, tolerance_pct: float | str, day: str) -> str:
    return inline_table({
        "value": float(f"{value:.9g}"), "tolerance_pct": tolerance_pct, "basis": "measured", "confidence": "one_source",
        "date": day, "sources": [_SOURCE],
    })  # fmt: skip


def _printed(key: str, value: float, tolerance_pct: float | str) -> str:
    width = f"± {tolerance_pct:g} % (95 %)" if isinstance(tolerance_pct, float) else "without an interval"
    return f"{key}: {value:.9g} {width}"


def _tolerance_pct(value: float, interval: tuple[float, float] | None) -> float | str:
    """Return the larger half of an interval over its value [%], rounded up, or `unknown`."""
    if interval is None:
        return "unknown"
    half = max(interval[1] - value, value - interval[0]) / value * 100.0
    return math.ceil(half * 100.0) / 100.0 if half <= _LARGEST_TOLERANCE_PCT else "unknown"


def _cooling(name: str) -> str:
    words = re.findall(r"[a-z]+", name.casefold())
    return next((_COOLINGS[word] for word in words if word in _COOLINGS), "air")


def _cooling_note(record: "Record") -> str:
    cooling = _cooling(record.device.name)
    return f"the cooling ({cooling}) follows from the name alone; correct it if it is wrong"


def _conditions(record: "Record") -> str:
    degrees = record.miner.temperatures_c if record.miner is not None else {}
    listed = ", ".join(f"{place} {value:.1f} °C" for place, value in degrees.items())
    return f"measured at {listed}" if listed else "the temperatures of the measurement are not known"


def _word(text: str) -> str:
    """Return a name that a bin may have, from words of the firmware."""
    return "-".join(re.findall(r"[a-z0-9][a-z0-9.+_]*", text.casefold()))
