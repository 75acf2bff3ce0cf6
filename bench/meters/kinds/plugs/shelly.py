"""Shelly plugs and meters: the first generation by `/status`, later ones by the RPC method of each component.

References
----------
Shelly API: Gen1 `/shelly`, `/status` (meters, emeters, rollers); Gen2+ `Shelly.GetStatus` and `GetStatus` of
Switch, PM1, EM, EM1, Light, Cover and the colour lights.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from bench.meters.kinds.plugs.channels import Channel, Channels, Sample, added, read_phase, token_of
from bench.meters.kinds.plugs.plug import Plug, entry
from bench.meters.plausible import Evidence, Phase
from bench.network.errors import ReadFailedError
from bench.network.http import OtherAnswerError, get_number, number_of
from hardware_profiles.errors import shown

_STATUS = "/status"
_COMPONENTS = {
    "switch": "Switch",
    "pm1": "PM1",
    "em": "EM",
    "em1": "EM1",
    "light": "Light",
    "cover": "Cover",
    "rgb": "RGB",
    "rgbw": "RGBW",
    "cct": "CCT",
    "rgbcct": "RGBCCT",
}
_COMPONENT = re.compile(rf"({'|'.join(_COMPONENTS)}):[0-9]{{1,3}}")
_MOST_CHANNELS = 16  # of one kind of component
_EXTRA_KEYS = {"volts": "voltage", "amps": "current", "power_factor": "pf", "apparent_va": "aprt_power"}
_FRESH = ("voltage", "current", "pf", "freq", "aprt_power")  # with each measurement
_FRESH_GEN1 = ("voltage", "current", "pf", "reactive", "total", "total_returned")
_NOT_MEASURED = ("power_meter_failure", "ct_type_not_set", "out_of_range")  # errors that spoil the power
_J_PER_WH, _J_PER_WATT_MINUTE = 3600.0, 60.0
_UNMETERED = {"SHSW-1", "SHSW-L"}  # their `power` is a number that the user typed into the settings


class Shelly(Plug):
    """A Shelly of the first or a later generation."""

    kind_name = "shelly"

    def find_channels(self) -> Channels:
        """Ask the device for its generation, then for its status."""
        try:
            about = self.ask("/shelly")
        except OtherAnswerError:  # a program that stands in for a Shelly may answer only what is read from it
            about = {}
        if not isinstance(about, dict):
            raise OtherAnswerError("/shelly: not the answer of a Shelly")
        if "gen" in about:
            return _components(self.ask("/rpc/Shelly.GetStatus"))
        if about.get("type") in _UNMETERED:
            return Channels((), {})
        if "type" in about:
            return _meters(self.ask(_STATUS))
        return self._probed()

    def _probed(self) -> Channels:
        """Return the channels of a device that does not describe itself, by asking for one after the other."""
        try:
            return _components(self.ask("/rpc/Shelly.GetStatus"))
        except OtherAnswerError:
            pass
        parts: dict[str, Any] = {}
        for component, method in _COMPONENTS.items():
            for index in range(_MOST_CHANNELS):
                try:
                    part = self.ask(f"/rpc/{method}.GetStatus?id={index}")
                except OtherAnswerError:
                    break
                if index and not (isinstance(part, dict) and part.get("id") == index):
                    break  # it ignores the id, and has one channel of this kind
                parts[f"{component}:{index}"] = part
        return _components(parts) if parts else _meters(self.ask(_STATUS))


def _components(status: Any) -> Channels:
    """Return the channels of a later generation from the status of all its components."""
    if not isinstance(status, dict):
        raise OtherAnswerError("/rpc/Shelly.GetStatus: not the status of a Shelly")
    parts = {key: part for key, part in status.items() if _COMPONENT.fullmatch(key) and _measures(part)}
    answers = {_method_path(label): part for label, part in parts.items()}
    ids = [_index(label) for label in parts]
    each = tuple(
        Channel(
            _index(label) if len(set(ids)) == len(ids) else label,
            _method_path(label),
            partial(_read_three_phase if label.startswith("em:") else _read_component, label),
            label,
        )
        for label in parts
    )
    if len(each) == 1 and each[0].label.startswith("em:"):
        label, part = next(iter(parts.items()))
        phases = tuple(
            Channel(name, each[0].path, partial(_read_one_phase, label, name))
            for name in "abc"
            if f"{name}_act_power" in part
        )
        return Channels(phases or each, answers, whole=each, phases=bool(phases))
    return Channels(each, answers, whole=each if len({label.partition(":")[0] for label in parts}) == 1 else ())


def _measures(part: Any) -> bool:
    return isinstance(part, dict) and any(key in part for key in ("apower", "act_power", "total_act_power"))


def _index(label: str) -> str:
    return label.partition(":")[2]


def _method_path(label: str) -> str:
    return f"/rpc/{_COMPONENTS[label.partition(':')[0]]}.GetStatus?id={_index(label)}"


def _checked(label: str, part: Any) -> Mapping[str, Any]:
    """Return the status of a component.

    Raises
    ------
    ReadFailedError
        It is that of another component, or the device says that it could not measure.
    """
    path, index = _method_path(label), _index(label)
    if not isinstance(part, dict):
        raise ReadFailedError(f"{path}: expected an object, got {str(part)[:40]!r}", "bad_sample")
    if "id" in part and str(part["id"]) != index:
        raise ReadFailedError(
            f"{path}: expected the answer of id {index}, got that of id {shown(part['id'])}", "bad_sample"
        )
    errors = [error for key, value in part.items() if key.endswith("errors") for error in _texts(value)]
    spoilt = [error for error in errors if error.startswith(_NOT_MEASURED)]
    if spoilt:
        raise ReadFailedError(f"{path}: the meter reports {shown(', '.join(spoilt))}", "bad_sample")
    return part


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _read_component(label: str, answer: Any) -> Sample:
    part = _checked(label, answer)
    power = "act_power" if "act_power" in part else "apower"
    phase = read_phase(part, _method_path(label), {"power_w": power, **_EXTRA_KEYS}, label)
    energy = part.get("aenergy")
    total_wh = number_of(energy.get("total")) if isinstance(energy, dict) else None
    evidence = Evidence(
        (phase,), None if total_wh is None else total_wh * _J_PER_WH, switched_off=part.get("output") is False
    )
    token = token_of(part, _FRESH) or ()
    return Sample(phase.power_w, evidence, (*token, total_wh) if token or total_wh is not None else None)


def _read_three_phase(label: str, answer: Any) -> Sample:
    part = _checked(label, answer)
    total_w = get_number(part, _method_path(label), "total_act_power")
    phases = tuple(_phase(label, name, part) for name in "abc" if number_of(part.get(f"{name}_act_power")) is not None)
    keys = [f"{name}_{key}" for name in "abc" for key in ("act_power", *_FRESH)]
    return Sample(total_w, Evidence(phases), token_of(part, keys))


def _read_one_phase(label: str, name: str, answer: Any) -> Sample:
    part = _checked(label, answer)
    phase = _phase(label, name, part)
    return Sample(phase.power_w, Evidence((phase,)), token_of(part, [f"{name}_{key}" for key in _FRESH]))


def _phase(label: str, name: str, part: Mapping[str, Any]) -> Phase:
    keys = {"power_w": "act_power", **_EXTRA_KEYS}
    own = {field: f"{name}_{key}" for field, key in keys.items()}
    return read_phase(part, _method_path(label), own, f"phase {name}")


def _meters(status: Any) -> Channels:
    """Return the channels of the first generation: clamps if it has any, else the motor, else the relays."""
    if not isinstance(status, dict):
        raise OtherAnswerError(f"{_STATUS}: not the status of a Shelly")
    rollers = [part for part in _objects(status, "rollers") if "power" in part]
    kind = "emeters" if _objects(status, "emeters") else "rollers" if rollers else "meters"
    each = tuple(
        Channel(str(index), _STATUS, partial(_read_meter, kind, index), f"{kind[:-1]}:{index}")
        for index in range(len(_objects(status, kind)))
    )
    answers = {_STATUS: status}
    if kind == "emeters" and len(each) == 3:
        total = Channel("", _STATUS, _read_three_clamps, "emeters")
        return Channels(each, answers, whole=(total,), phases=True)
    return Channels(each, answers, whole=each)


def _objects(status: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    parts = status.get(key)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _read_meter(kind: str, index: int, answer: Any) -> Sample:
    place = f"{_STATUS}: {kind}.{index}"
    parts = _objects(answer, kind) if isinstance(answer, dict) else []
    if index >= len(parts):
        raise ReadFailedError(f"{place}: no such meter in the answer", "bad_sample")
    part = parts[index]
    if part.get("is_valid") is False:
        raise ReadFailedError(f"{place}: the meter marks its reading as invalid", "bad_sample")
    phase = read_phase(part, place, {"power_w": "power", **_EXTRA_KEYS}, f"{kind[:-1]} {index}")
    total = number_of(part.get("total"))
    unit_j = _J_PER_WH if kind == "emeters" else _J_PER_WATT_MINUTE
    relays = _objects(answer, "relays")
    off = kind == "meters" and index < len(relays) and relays[index].get("ison") is False
    evidence = Evidence((phase,), None if total is None else total * unit_j, switched_off=off)
    return Sample(phase.power_w, evidence, token_of(part, _FRESH_GEN1))


def _read_three_clamps(answer: Any) -> Sample:
    """Return the sample of a 3EM: its own total where it states one, else the sum of its clamps."""
    samples = [_read_meter("emeters", index, answer) for index in range(3)]
    parts = added(samples)
    total_w = get_number(answer, _STATUS, "total_power") if "total_power" in answer else parts.power_w
    return Sample(total_w, parts.evidence, parts.token)


ENTRY = entry(Shelly, "a Shelly plug or meter over HTTP")
