"""The device under test: its name and the settings that it ran with, read and never changed."""

from bench import environment
from bench.records import Device
from hardware_profiles.errors import InputError


def device_under_test(name: str) -> Device:
    """Return the description of `cpu` or `gpu:<index>`.

    Raises
    ------
    InputError
        The name is neither.
    """
    kind, _, index = name.partition(":")
    if kind == "cpu" and not index:
        found, frequency = environment.cpu(), environment.frequency()
        return Device(
            kind="cpu",
            name=str(found["model"] or "unknown CPU"),
            settings={
                "governor": _text(frequency["governor"]),
                "turbo": _text(frequency["turbo"]),
                "smt": _text(found["smt"]),
                "usable_cores": len(environment.usable_cores()),
            },
        )
    raise InputError.at("--device", expected="cpu", got=name)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
