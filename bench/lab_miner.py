"""The miner of the lab for the main job: the one at PERWATT_MINER, or the one of the newest ASIC result."""

import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.compare.device_figures import DeviceFigures, Figure
from bench.errors import RunFailedError
from hardware_profiles.errors import InputError

if TYPE_CHECKING:
    from bench.miners.record import MinerReading
    from bench.results.record import Record
    from sites.market.device_rate import DeviceRate

VARIABLE = "PERWATT_MINER"
ANSWER_S = 6.0  # [s] longest wait for the answers of a miner; one that is switched off costs no more
DISPLAYED = "displayed, tier D"
_WORKLOAD = "sha256d_scan_asic"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the configured miner answers: a reading, or why there is none."""

    host: str
    reading: "MinerReading | None" = None
    fault: str = ""

    @property
    def title(self) -> str:
        """Maker and model, as the firmware states them."""
        if self.reading is None:
            return "miner"
        identity = self.reading.identity
        return " ".join(filter(None, (identity.maker, identity.model))) or f"miner of family {identity.family}"


@dataclass(frozen=True, slots=True)
class LabMiner:
    """The configured miner and its newest valid result; at least one of the two is there."""

    answer: Answer | None = None
    record: "Record | None" = None

    @property
    def name(self) -> str:
        """Its name in tables."""
        device = self.record.device.name if self.record is not None else self.answer.title if self.answer else ""
        return f"miner {' '.join(device.split())}"

    @property
    def figures(self) -> DeviceFigures | None:
        """Its measured figures, else the hash rate that it displays; None if it does not answer."""
        if self.record is not None:
            from bench.compare.load import of_record

            return replace(of_record(self.record), name=self.name)
        if self.answer is None or self.answer.reading is None:
            return None
        return _displayed(self.name, self.answer.reading)

    @property
    def command(self) -> str:
        """The command that measures it by its shares, or an empty text if no address is known."""
        return f"perwatt run asic --miner {self.answer.host} --meter shelly:HOST" if self.answer else ""

    def rate(self) -> "DeviceRate":
        """Return its measured rate and wall power for a site.

        Raises
        ------
        InputError
            It was not measured, or not at the wall.
        """
        from bench.device_rates import from_record

        if self.record is None:
            raise InputError(f"{self.name}: rate and power are not measured")
        return from_record(self.record)

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready data: what it displays, and its result."""
        from bench.miners.document import document

        reading = self.answer.reading if self.answer is not None else None
        return {
            "configured": self.answer is not None,
            "fault": (self.answer.fault if self.answer is not None else "") or None,
            "displayed": document(reading) if reading is not None else None,
            "result": self.record.id if self.record is not None else None,
            "measure": self.command or None,
        }


def configured_host() -> str:
    """Return the host that PERWATT_MINER names, or an empty text."""
    return os.environ.get(VARIABLE, "").strip()


def ask(host: str, wait_s: float = ANSWER_S, *, place: str = VARIABLE) -> Answer:
    """Read a miner once; one that does not answer in time is given up.

    Parameters
    ----------
    host
        Its address.
    wait_s
        Longest wait for its answer [s].
    place
        Where the address stands, for messages.

    Raises
    ------
    InputError
        The host is no address.
    """
    from bench.miners.families import load
    from bench.miners.identify import identify
    from bench.miners.link import parse_address
    from bench.miners.reader import Miner

    address = parse_address(host, place)
    answers: list[Answer] = []

    def read() -> None:
        try:
            answers.append(Answer(host, Miner(address, load(identify(address))).poll().reading))
        except (RunFailedError, InputError) as error:
            answers.append(Answer(host, fault=str(error)))

    # The thread may outlive the wait: every connection of it has a time limit of its own.
    thread = threading.Thread(target=read, name="lab miner", daemon=True)
    thread.start()
    thread.join(wait_s)
    return answers[0] if answers else Answer(host, fault=f"miner {address.shown}: no answer within {wait_s:g} s")


def lab_miner(store: Path) -> LabMiner | None:
    """Return the configured miner with its newest valid result, or the miner of the newest valid ASIC result.

    Raises
    ------
    InputError
        PERWATT_MINER is no address, or the results folder is not readable.
    """
    host = configured_host()
    answer = ask(host) if host else None
    record = _newest(store, answer.reading if answer is not None else None)
    return None if answer is None and record is None else LabMiner(answer, record)


def _newest(store: Path, reading: "MinerReading | None") -> "Record | None":
    """Return the newest result whose rate a site may use, of the miner that was read if there is one."""
    from bench.device_rates import is_usable
    from bench.results.folder import read_whole
    from bench.results.layout import result_names

    for name in reversed(result_names(store)):
        if f"-{_WORKLOAD}-" not in name:
            continue
        try:
            record = read_whole(store / name)
        except InputError:  # `perwatt results check` names it
            continue
        if is_usable(record) and (reading is None or _same(record, reading)):
            return record
    return None


def _same(record: "Record", reading: "MinerReading") -> bool:
    """Return whether a result is of the miner that was read: the same unit, or the same model without a unit."""
    from bench.workloads.asic.device import describe

    now, then = describe(reading, "").settings, record.device.settings
    if now["unit"] and then.get("unit"):
        return now["unit"] == then["unit"]
    return all(now[key] == then.get(key) for key in ("family", "maker", "model"))


def _displayed(name: str, reading: "MinerReading") -> DeviceFigures:
    """Return the hash rate of a firmware; its power is left out, because it is rarely that at the wall."""
    from bench.miners.words import rates_for_power

    figures = [
        Figure("rate", "hash", shown.rate_h_s, "hash/s", DISPLAYED, tier="D", note=shown.raw_key)
        for shown in rates_for_power(reading)[:1]
        if shown.rate_h_s > 0.0
    ]
    return DeviceFigures(name, name, tuple(figures), "result", basis=DISPLAYED, device_kind="asic")
