"""What a run needs of its meter, and what is known of the device from its first look."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from bench.levers.protocol import Observation
from bench.meters.pace import learned_period_s
from bench.meters.protocol import Meter, MeterInfo, MeterKind, Reading
from bench.meters.stream import PolledMeter
from bench.results.record import Device
from hardware_profiles.errors import InputError

OUTSIDE = ("node", "rack", "wall")  # boundaries of meters that a device cannot be the maker of
OWN = ("C", "D", "E")  # tiers of meters that a device has itself, or that nobody has
SHARED = ("vllm", "slurm", "kubernetes")  # levers of what serves the work of others
_KINDS = {
    "gpu_power": "gpu",
    "gpu_clocks": "gpu",
    "cpu_clocks": "cpu",
    "vllm": "server",
    "slurm": "server",
    "kubernetes": "server",
    "hook": "server",
}


def check_meter(meter: Meter) -> None:
    """Refuse a meter that is the device's own, that does not show power now, or that is not read live.

    Raises
    ------
    InputError
        It is one of these.
    """
    info = meter.info
    place = f"--meter {info.name}"
    if info.boundary not in OUTSIDE or info.tier in OWN or info.covers:
        expected = f"a meter at the {', '.join(OUTSIDE[:-1])} or {OUTSIDE[-1]} that is not the device's own"
        raise InputError.at(place, expected=expected, got=f"one at the {info.boundary} of tier {info.tier}")
    if info.kind is not MeterKind.POWER:
        raise InputError.at(place, expected="a meter that shows power", got=f"a {info.kind}")
    if not isinstance(meter, PolledMeter):
        raise InputError.at(place, expected="a meter that is read while the device switches", got="a log or a sum")


def check_alone(lever: str, *, alone: bool) -> None:
    """Refuse a server whose users a ramp would interrupt, unless the user states that there are none.

    Raises
    ------
    InputError
        It may have other users.
    """
    if lever in SHARED and not alone:
        expected = "--alone with it: the work of everybody who uses the server is interrupted"
        raise InputError.at(f"DEVICE {lever}", expected=expected)


def as_seen(info: MeterInfo, readings: Sequence[Reading]) -> MeterInfo:
    """Return a meter with the update period that its readings show, if that is longer than stated."""
    period_s = learned_period_s(info, readings)
    if period_s is None or period_s <= info.period_s:
        return info
    return replace(info, period_s=period_s, averaging_s=max(info.averaging_s, period_s))


def device_of(lever: str, first: Observation) -> Device:
    """Return the device under test as records name it."""
    settings = {"lever": lever, "level_as_found": first.level, "unit": first.identity}
    kind = _KINDS.get(lever, "asic")
    return Device.model_validate(
        {"kind": kind, "name": f"{lever} {first.identity or 'without an identity'}", "settings": settings}
    )


def is_loopback(address: str) -> bool:
    """Return whether the address of a lever, `HOST` or `HOST:PORT`, is one of this machine."""
    host = address.removeprefix("http://").removeprefix("https://").partition("/")[0]
    host = host.rpartition(":")[0] if host.count(":") == 1 else host.partition("]")[0].removeprefix("[")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
