"""The kind of meter `nvml`: made from its spec, and listed for each GPU with what it reads or why it cannot."""

from dataclasses import replace
from typing import Any

from bench.meters.kinds.nvml.faults import NvmlFaultError, fault, is_superchip, no_gpu
from bench.meters.kinds.nvml.meter import SCOPES, Nvml, load
from bench.meters.protocol import Found, Meter, MeterKind, MeterKindEntry, MeterOptions, Tier
from bench.meters.settings import read_stated
from hardware_profiles.errors import InputError


def _make(target: str, settings: dict[str, str], options: MeterOptions) -> Meter:
    scope = settings.get("scope", "gpu")
    if scope not in SCOPES:
        raise InputError.at("--meter nvml", "scope", expected=f"one of {', '.join(SCOPES)}", got=scope)
    stated = read_stated("nvml", settings, options, boundary="board", more=("scope",))
    # --meter-period-s applies to wall meters; the period of a GPU's counter is measured unless the setting `period`
    # states it.
    return Nvml(target or "0", scope=scope, period_s=stated.period_s if "period" in settings else None)


def _find() -> list[Found]:
    try:
        nvml = load()
        nvml.nvmlInit()
    except Exception as error:  # noqa: BLE001 (NVMLError is a class of the optional package)
        return [_refused("nvml:0", fault("nvml", error))]
    try:
        count = int(nvml.nvmlDeviceGetCount())
        boards = [_listed(nvml, index) for index in range(count)]
        modules = [module for index in range(count) for module in _listed_module(nvml, index)]
        return [*boards, *modules] or [_refused("nvml:0", no_gpu())]
    except nvml.NVMLError as error:
        return [_refused("nvml:0", fault("nvml", error))]
    finally:
        nvml.nvmlShutdown()


def _listed(nvml: Any, index: int) -> Found:
    spec = f"nvml:{index}"
    meter = Nvml(str(index), nvml=nvml)
    try:
        meter.survey()
    except NvmlFaultError as error:
        return replace(_refused(spec, error), whole_of=f"gpu:{index}")
    finally:
        meter.disconnect()
    reads = "the board of this GPU"
    return Found(spec, MeterKind.COUNTER, "board", Tier.C, usable=True, spec=spec, reads=reads, whole_of=f"gpu:{index}")


def _listed_module(nvml: Any, index: int) -> list[Found]:
    """Return the module that holds a GPU together with a Grace CPU, or nothing for another GPU."""
    if not is_superchip(nvml, index):
        return []
    spec = f"nvml:{index},scope=module"
    meter = Nvml(str(index), scope="module", nvml=nvml)
    try:
        meter.survey()
    except NvmlFaultError:
        reason, cure = "the driver gives no power of this GPU's module", "update the driver, or use hwmon:power_meter"
        return [replace(_refused(spec, NvmlFaultError(spec, reason, cure)), kind=MeterKind.POWER)]
    finally:
        meter.disconnect()
    reads = "the module of this GPU: its CPU, memory and all GPUs on it; name one GPU of each module"
    return [Found(spec, MeterKind.POWER, "board", Tier.C, usable=True, spec=spec, reads=reads)]


def _refused(spec: str, error: NvmlFaultError) -> Found:
    return Found(
        spec, MeterKind.COUNTER, "board", Tier.C, usable=False, reason=error.reason, cure=error.cure, spec=spec
    )


ENTRY = MeterKindEntry("nvml", "NVIDIA GPUs: energy counter and power", _make, _find)
