"""Plugs with the Tasmota firmware, with one channel or several.

References
----------
Tasmota `Status 8` (StatusSNS.ENERGY), whose values are lists where the device has several channels or phases.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from bench.meters.kinds.plugs.channels import Channel, Channels, Sample, read_phase, token_of
from bench.meters.kinds.plugs.plug import TIMEOUT_S, Plug, entry
from bench.meters.plausible import Evidence
from bench.network.http import LoginNeededError, LoginRefusedError, NoPowerError, number_of
from hardware_profiles.errors import shown

_PATH = "/cm?cmnd=Status%208"
_KEYS = {
    "power_w": "Power",
    "volts": "Voltage",
    "amps": "Current",
    "power_factor": "Factor",
    "apparent_va": "ApparentPower",
}
_FRESH = ("Total", "ApparentPower", "ReactivePower", "Factor", "Voltage", "Current")  # with each measurement
_J_PER_KWH = 3.6e6


class Tasmota(Plug):
    """A plug with the Tasmota firmware."""

    kind_name = "tasmota"

    def ask(self, path: str) -> Any:
        """Return the JSON answer; a password goes into the query, where Tasmota expects it."""
        login = self.device.login
        hidden = "" if login is None else "&" + urlencode({"user": login.user, "password": login.password})
        answer = self.device.get_json(path, TIMEOUT_S, hidden_query=hidden)
        warning = answer.get("WARNING") if isinstance(answer, dict) else None
        if isinstance(warning, str) and "user" in warning:
            raise (LoginNeededError if login is None else LoginRefusedError)(f"the answer to {path}: {shown(warning)}")
        return answer

    def find_channels(self) -> Channels:
        """Return one channel, or one for each item of the list of powers."""
        answer = self.ask(_PATH)
        power = _energy(answer).get("Power")
        if not isinstance(power, list):
            return Channels((Channel("0", _PATH, partial(_read, None)),), {_PATH: answer})
        each = tuple(Channel(str(index), _PATH, partial(_read, index)) for index in range(len(power)))
        # Channels share the voltage of their supply; three voltages are those of three phases.
        volts = _energy(answer).get("Voltage")
        phases = len(power) == 3 and isinstance(volts, list) and len(volts) == 3
        return Channels(each, {_PATH: answer}, whole=each, phases=phases)


def _energy(answer: Any) -> dict[str, Any]:
    """Return the object that holds the electrical figures."""
    sensors = answer.get("StatusSNS") if isinstance(answer, dict) else None
    energy = sensors.get("ENERGY") if isinstance(sensors, dict) else None
    if not isinstance(energy, dict):
        names = sensors if isinstance(sensors, dict) else answer if isinstance(answer, dict) else {}
        raise NoPowerError(
            f"{_PATH}: expected StatusSNS.ENERGY, as a plug with a measuring chip answers, got {_listed(names)}; "
            "use such a plug, or write this meter's values to a log and name it: --meter trace:FILE"
        )
    return energy


def _listed(names: Mapping[str, Any]) -> str:
    return shown(", ".join(names)) if names else "nothing"


def _read(index: int | None, answer: Any) -> Sample:
    """Return the sample of one item of the lists, or of plain numbers if `index` is None."""
    energy = _energy(answer)
    part = {key: _item(value, index) for key, value in energy.items()}
    if index is not None and not isinstance(energy.get("Power"), list):
        part["Power"] = None  # the device has another number of channels than before
    phase = read_phase(part, _PATH, _KEYS, "" if index is None else f"channel {index}")
    own_total = index is None or isinstance(energy.get("Total"), list)  # one total of several channels is their sum
    total_kwh = number_of(part.get("Total")) if own_total else None
    evidence = Evidence((phase,), None if total_kwh is None else total_kwh * _J_PER_KWH)
    return Sample(phase.power_w, evidence, token_of(part, _FRESH))


def _item(value: Any, index: int | None) -> Any:
    """Return the value of one channel; what is no list is common to all."""
    if not isinstance(value, list) or index is None:
        return value
    return value[index] if index < len(value) else None


ENTRY = entry(Tasmota, "a Tasmota plug over HTTP")
