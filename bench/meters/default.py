"""The meters that a run takes where none is named: only one that reads the whole device for certain."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.meters.protocol import Found


@dataclass(frozen=True, slots=True)
class DefaultMeter:
    """The meter that a run of one device takes by itself, or none."""

    device: str  # cpu or gpu:INDEX
    spec: str  # empty for none
    why: str


def default_meter(device: str, meters: Sequence[Found]) -> DefaultMeter:
    """Return the meter that a run of a device takes by itself.

    It reads the whole of the device, and no other meter of its kind does: RAPL for the CPU, else the one sensor of all
    its sockets, else the one input of the module that holds it; NVML for its GPU. Where the choice is not certain, none
    is taken.
    """
    whole = [meter for meter in meters if meter.whole_of == device]
    usable = [meter for meter in whole if meter.usable]
    inner = [meter for meter in usable if meter.boundary == "package"]
    own = [meter for meter in inner if meter.name == "rapl"]
    for candidates in (own, inner, usable):
        if len(candidates) == 1:
            chosen = candidates[0]
            return DefaultMeter(device, chosen.spec, chosen.reads)
        if candidates:
            specs = " or ".join(f"--meter {meter.spec}" for meter in candidates)
            return DefaultMeter(device, "", f"several meters read all of it; name one: {specs}")
    refused = next((meter for meter in whole if meter.reason), None)
    if refused is not None:
        return DefaultMeter(device, "", f"{refused.spec}: {refused.reason}; {refused.cure}")
    return DefaultMeter(device, "", "no meter here reads all of it for certain; name one with --meter")


def measurable_devices(meters: Sequence[Found]) -> list[str]:
    """Return the CPU and the GPUs that meters of this machine read."""
    return list(dict.fromkeys(("cpu", *(meter.whole_of for meter in meters if meter.whole_of))))
